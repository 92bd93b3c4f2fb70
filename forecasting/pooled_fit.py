"""One fit of the pooled model, and what is forecast with it: runs in a process of its own, here or on a cluster."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core import FloatArray
from forecasting import LEVELS, BoolArray, between_levels, constants_of
from forecasting import features as features_module
from forecasting.features import features, rounded, volatility
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel
from forecasting.postprocess import LARGEST_CAP, SMALLEST_CAP

MOST_ROWS = 33_000
"""Past origins that one fit learns from: half of the largest series, half spread evenly over the rest."""
FEWEST_ROWS = 2_000
TOTALS_WEIGHT = 3.0
LOWEST_WEIGHT, HIGHEST_WEIGHT = 1.0, 8.0
"""A row counts as its log level within these: small counts are mostly noise."""


@dataclass(frozen=True)
class Series:
    """A level as arrays, periods × series."""

    logs: FloatArray
    volatility: FloatArray
    count: NDArray[np.int64]
    """Number of values observed up to each period."""
    kind: int

    @staticmethod
    def of(panel: Panel, kind: int) -> Series:
        """A panel's series; ``kind`` is 0 for series as given, 1 for totals."""
        logs = np.log1p(panel.matrix.to_numpy(dtype=float))
        return Series(logs, volatility(logs, panel.season_length), np.isfinite(logs).cumsum(axis=0), kind)


@dataclass(frozen=True)
class Lesson:
    """What the fits of one year learn from.

    Attributes:
        world: Series, level by level, on one calendar.
        positions: Place of every period of that calendar within its season, from 0.
        known: Number of its periods whose outcomes the fits may see.
        fingerprint: Of all that was known by then.
    """

    world: list[Series]
    positions: FloatArray
    known: int
    fingerprint: str

    def cut(self, horizon: int, season: int) -> Lesson:
        """The same with only the series that a fit for a horizon learns from: the rest need not travel to it."""
        return replace(self, world=[self._cut(series, self.known - horizon - season) for series in self.world])

    def _cut(self, series: Series, length: int) -> Series:
        columns = learned_from(series.logs[: self.known], length) if length > 0 else np.empty(0, dtype=np.intp)
        return Series(series.logs[:, columns], series.volatility[:, columns], series.count[:, columns], series.kind)


@dataclass(frozen=True)
class Task:
    """One fit, and the forecasts that are made with it, for its own horizon or those beside it."""

    model_id: str
    world: list[Series]
    """The series that are forecast."""
    eligible: list[BoolArray]
    positions: FloatArray
    season: int
    year: int
    """At whose turn the fit is made."""
    lesson: Lesson
    origins: list[int]
    marks: list[str]
    """Of each origin: fingerprint of all that was known there and of the series that are forecast."""
    horizon: int
    """Of the outcomes that are learned from."""
    ahead: tuple[int, ...]
    """Horizons that are forecast."""
    keep: bool = False
    """A new fit, and what it predicts, is handed back."""
    fitted: bytes | None = None
    """A fit that was kept."""
    cached: bytes | None = None
    """What it predicted before."""

    def key(self) -> str:
        """Name under which the fit is kept: the model, its version, and a hash of all that it learns from, and how."""
        lesson, model = self.lesson, POOLED_MODELS[self.model_id]
        kinds, places = [series.kind for series in lesson.world], lesson.positions[: lesson.known].tolist()
        how = model.parameters() + constants_of(features_module, sys.modules[__name__])
        rest = f"{lesson.fingerprint} {kinds} {self.season} {places} {lesson.known} {how}"
        mark = hashlib.sha256(rest.encode()).hexdigest()[:32]
        return f"{self.model_id}-{model.version}-h{self.horizon}-{mark}"

    def uncached(self) -> int:
        """Number of forecasts that the fit has not made before."""
        known = read_cache(self.cached)
        sizes = [sum(int(wanted[row].sum()) for wanted in self.eligible) for row in self.origins]
        return sum(
            size
            for size, mark in zip(sizes, self.marks, strict=True)
            for horizon in self.ahead
            if _entry(mark, horizon) not in known
        )

    def describe(self, series: Series, rows: list[int], horizon: int) -> FloatArray:
        """Features of a forecast level's series at some periods, from what was known by the last of them."""
        last = max(rows) + 1
        return features(
            series.logs[:last], rows, self.positions[:last], horizon=horizon, season=self.season, kind=series.kind
        )


@dataclass(frozen=True)
class Answer:
    """Forecasts of one level made with one fit: places, log1p quantiles, and where the cap was applied."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    quantiles: FloatArray
    capped: BoolArray


@dataclass(frozen=True)
class Done:
    """What came of a task: forecasts of each level, horizon by horizon of ``task.ahead``, and what is to be kept."""

    answers: list[list[Answer]]
    fit: bytes = b""
    cached: bytes = b""


_NOTHING = Answer(
    np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty((0, len(LEVELS))), np.empty(0, dtype=bool)
)


def run_task(task: Task) -> Done:
    """Fit where no fit was kept, and forecast what was not cached before."""
    fitted = task.fitted or _fit(task)
    if not fitted:
        return Done([[_NOTHING] * len(task.world)] * len(task.ahead))
    known = read_cache(task.cached)
    new = _predict(task, fitted, known)
    answers = [_answers(task, known | new, horizon) for horizon in task.ahead]
    if not task.keep:
        return Done(answers)
    return Done(answers, b"" if task.fitted else fitted, extended_cache(known, new))


def between(lower: Answer, upper: Answer, share: float) -> Answer:
    """The way from one forecast to another of the same places, ``share`` of it gone; nothing where one is lacking."""
    if not len(lower.rows) or not len(upper.rows):
        return _NOTHING
    quantiles = lower.quantiles + share * (upper.quantiles - lower.quantiles)
    return Answer(lower.rows, lower.columns, quantiles, lower.capped | upper.capped)


def _entry(mark: str, horizon: int) -> str:
    return f"h{horizon}-{mark}"


def _predict(task: Task, fitted: bytes, known: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Growth at the model's own levels for every origin and horizon not known, level after level."""
    described: dict[str, FloatArray] = {}
    for horizon in task.ahead:
        rows = [
            (row, mark)
            for row, mark in zip(task.origins, task.marks, strict=True)
            if _entry(mark, horizon) not in known
        ]
        if rows:
            described |= _described(task, rows, horizon)
    if not described:
        return {}
    model = POOLED_MODELS[task.model_id]
    distinct, place = _distinct(np.concatenate(list(described.values())))
    found = model.predict(fitted, distinct)[place]
    ends = np.cumsum([len(one) for one in described.values()])[:-1]
    return dict(zip(described, np.split(found, ends), strict=True))


def _described(task: Task, rows: Sequence[tuple[int, str]], horizon: int) -> dict[str, FloatArray]:
    """Features of the series to be forecast at some origins, level after level, by entry."""
    origins = [row for row, _ in rows]
    everyone = [task.describe(series, origins, horizon) for series in task.world]
    return {
        _entry(mark, horizon): np.concatenate(
            [one[place][wanted[row]] for one, wanted in zip(everyone, task.eligible, strict=True)]
        )
        for place, (row, mark) in enumerate(rows)
    }


def _distinct(described: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """The different rows, and the place of each row among them: series that have been zero for years are alike."""
    rows = np.ascontiguousarray(described)
    whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], place


def _answers(task: Task, growth: Mapping[str, FloatArray], horizon: int) -> list[Answer]:
    """Forecasts of each level at one horizon."""
    spread = between_levels(POOLED_MODELS[task.model_id].levels)
    found = [growth[_entry(mark, horizon)] @ spread for mark in task.marks]
    ends = np.cumsum([[wanted[row].sum() for wanted in task.eligible] for row in task.origins], axis=1)[:, :-1]
    by_level = zip(*(np.split(one, end) for one, end in zip(found, ends, strict=True)), strict=True)
    return [
        _place(task, series, np.nonzero(wanted[task.origins]), np.concatenate(one), horizon)
        for series, wanted, one in zip(task.world, task.eligible, by_level, strict=True)
    ]


def _fit(task: Task) -> bytes:
    """The model fitted on what was known; nothing where there is too little to learn from."""
    described, growth, weights = _examples(task)
    if len(growth) < FEWEST_ROWS:
        return b""
    return POOLED_MODELS[task.model_id].fit(described, growth, weights, task.horizon / task.season)


def _examples(task: Task) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Features, growth and weights of past origins whose outcomes had ended when the fit was made."""
    lesson, horizon, season = task.lesson, task.horizon, task.season
    rows = list(range(season, lesson.known - horizon))
    parts = []
    for series in lesson.world if rows else []:
        logs = series.logs[: lesson.known]
        positions = lesson.positions[: lesson.known]
        described = features(logs, rows, positions, horizon=horizon, season=season, kind=series.kind)
        now, later = logs[rows], logs[[row + horizon for row in rows]]
        growth = (later - now) / series.volatility[rows]
        weights = np.clip(now, LOWEST_WEIGHT, HIGHEST_WEIGHT) * (TOTALS_WEIGHT if series.kind else 1.0)
        usable = np.isfinite(growth)
        parts.append((described[usable], growth[usable], weights[usable]))
    if not parts:
        return np.empty((0, 0)), np.empty(0), np.empty(0)
    described, growth, weights = (np.concatenate(one) for one in zip(*parts, strict=True))
    return described, growth, weights


def learned_from(logs: FloatArray, length: int) -> NDArray[np.intp]:
    """Columns of the series to learn from: the largest by their total known then, and some of the rest, evenly."""
    total = rounded(np.nansum(np.expm1(np.ascontiguousarray(logs)), axis=0))
    order = np.argsort(-total, kind="stable")
    order = order[total[order] > 0]
    most = max(2, MOST_ROWS // length)
    if len(order) <= most:
        return np.sort(order)
    largest, rest = order[: most // 2], order[most // 2 :]
    spread = np.linspace(0, len(rest) - 1, most - len(largest)).astype(int)
    return np.sort(np.concatenate([largest, rest[np.unique(spread)]]))


def _place(task: Task, series: Series, where: tuple[NDArray[np.intp], ...], growth: FloatArray, horizon: int) -> Answer:
    """Growth back to log1p values, kept between zero and the cap that holds for every model."""
    rows, columns = np.asarray(task.origins, dtype=np.intp)[where[0]], where[1]
    now, scale = series.logs[rows, columns], series.volatility[rows, columns]
    ceiling = _caps(series.logs[: max(task.origins) + 1], horizon)[rows, columns][:, None]
    quantiles = now[:, None] + growth * scale[:, None]
    capped = np.asarray((quantiles > ceiling + 1e-9).any(axis=1))
    return Answer(rows, columns, np.clip(quantiles, 0.0, ceiling), capped)


def _caps(logs: FloatArray, horizon: int) -> FloatArray:
    """The highest log1p quantile allowed at every period, as :func:`forecasting.postprocess.log_cap` has it."""
    largest = np.zeros_like(logs)
    for step in range(1, min(horizon, len(logs) - 1) + 1):
        largest[step:] = np.fmax(largest[step:], np.abs(logs[step:] - logs[:-step]))
    running = np.fmax.accumulate(largest, axis=0)
    factors = np.clip(np.exp(np.clip(running, 0.0, 50.0)), SMALLEST_CAP, LARGEST_CAP)
    record = np.maximum(np.expm1(np.fmax.accumulate(logs, axis=0)), 1.0)
    return np.asarray(np.log1p(factors * record))


MOST_BYTES = 8_000_000
"""Per fit: seven hundred series at a year's origins and five horizons, three times. The oldest entries go first, and of
a panel with tens of thousands of series only the present remains."""


def read_cache(kept: bytes | None) -> dict[str, FloatArray]:
    """The entries of what was kept; none where nothing was, or where it cannot be read."""
    if not kept:
        return {}
    try:
        with np.load(io.BytesIO(kept), allow_pickle=False) as entries:
            return {name: entries[name] for name in entries.files}
    except (ValueError, OSError, KeyError, zipfile.BadZipFile):
        return {}


def extended_cache(known: Mapping[str, FloatArray], new: Mapping[str, FloatArray]) -> bytes:
    """Known entries and new ones as bytes to keep; nothing where there is no new one."""
    if not new:
        return b""
    newest_first, size = {}, 0
    for name, entry in reversed({**known, **new}.items()):
        size += entry.nbytes
        if size > MOST_BYTES:
            break
        newest_first[name] = entry
    kept = io.BytesIO()
    np.savez(kept, allow_pickle=False, **dict(reversed(newest_first.items())))
    return kept.getvalue()

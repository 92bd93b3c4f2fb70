"""One fit of the pooled model, and predictions with it: each runs in a process of its own, here or on a cluster."""

from __future__ import annotations

import hashlib
import io
import math
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core import FloatArray
from forecasting import BoolArray, between_levels, constants_of
from forecasting import features as features_module
from forecasting.features import FEATURES, WIDENING, features, rounded, volatility
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel
from forecasting.postprocess import LARGEST_CAP, SMALLEST_CAP

LEARNED = (1, 2, 3, 4, 6, 9, 12, 18)
"""Horizons of the outcomes that every fit learns from; longer ones follow, each half as far again, where asked for."""
MOST_ROWS = 33_000
"""Past origins that are described for a fit: half of the largest series, half spread evenly over the rest."""
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

    def cut(self, season: int) -> Lesson:
        """The same with only the series that a fit learns from: the rest need not travel to it."""
        return replace(self, world=[self._cut(series, self.known - 1 - season) for series in self.world])

    def _cut(self, series: Series, length: int) -> Series:
        columns = learned_from(series.logs[: self.known], length) if length > 0 else np.empty(0, dtype=np.intp)
        return Series(series.logs[:, columns], series.volatility[:, columns], series.count[:, columns], series.kind)


@dataclass(frozen=True)
class FitTask:
    """One fit.

    Attributes:
        model_id: Entry of :data:`forecasting.models.POOLED_MODELS`.
        lesson: What it learns from.
        season: Periods in a season.
        longest: Longest horizon that is asked for.
    """

    model_id: str
    lesson: Lesson
    season: int
    longest: int

    def key(self) -> str:
        """Name under which the fit is kept: the model, its version, and a hash of all that it learns from, and how."""
        lesson, model = self.lesson, POOLED_MODELS[self.model_id]
        kinds, places = [series.kind for series in lesson.world], lesson.positions[: lesson.known].tolist()
        how = model.parameters() + constants_of(features_module, sys.modules[__name__])
        ahead = learned_horizons(self.longest)
        rest = f"{lesson.fingerprint} {kinds} {self.season} {places} {lesson.known} {ahead} {how}"
        return f"{self.model_id}-{model.version}-{hashlib.sha256(rest.encode()).hexdigest()[:32]}"


@dataclass(frozen=True)
class PredictTask:
    """What is predicted with one fit.

    Attributes:
        model_id: Entry of :data:`forecasting.models.POOLED_MODELS`.
        fitted: The fit.
        world: The series, level by level.
        eligible: Origins to predict from, level by level, periods × series.
        positions: Place of every period within its season, from 0.
        season: Periods in a season.
        wanted: Name of each prediction with its origin's place on the calendar and its horizon.
    """

    model_id: str
    fitted: bytes
    world: list[Series]
    eligible: list[BoolArray]
    positions: FloatArray
    season: int
    wanted: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Answer:
    """Forecasts of one level at one horizon: places, log1p quantiles, and where the cap was applied."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    quantiles: FloatArray
    capped: BoolArray


def learned_horizons(longest: int) -> tuple[int, ...]:
    """The horizons of the outcomes that a fit learns from."""
    found = list(LEARNED)
    while found[-1] < longest:
        found.append(math.ceil(1.5 * found[-1]))
    return tuple(found)


def run_fit(task: FitTask) -> bytes:
    """The model fitted on what was known; nothing where there is too little to learn from."""
    parts = [_examples(task, horizon) for horizon in learned_horizons(task.longest)]
    described, growth, weights = (np.concatenate(one) for one in zip(*parts, strict=True))
    if len(parts[0][1]) < FEWEST_ROWS:
        return b""
    return POOLED_MODELS[task.model_id].fit(described, growth, weights, task.season)


def run_predictions(task: PredictTask) -> dict[str, FloatArray]:
    """Growth at the model's own levels by name, level after level of the world."""
    described: dict[str, FloatArray] = {}
    for horizon in sorted({horizon for _, horizon in task.wanted.values()}):
        origins = {name: row for name, (row, step) in task.wanted.items() if step == horizon}
        rows, last = list(origins.values()), max(origins.values()) + 1
        everyone = [
            features(
                series.logs[:last], rows, task.positions[:last], horizon=horizon, season=task.season, kind=series.kind
            )
            for series in task.world
        ]
        for place, (name, row) in enumerate(origins.items()):
            own = [one[place][wanted[row]] for one, wanted in zip(everyone, task.eligible, strict=True)]
            described[name] = np.concatenate(own)
    distinct, places = _distinct(np.concatenate(list(described.values())))
    found = POOLED_MODELS[task.model_id].predict(task.fitted, distinct)[places]
    ends = np.cumsum([len(one) for one in described.values()])[:-1]
    return dict(zip(described, np.split(found, ends), strict=True))


def answers(
    model_id: str,
    world: Sequence[Series],
    eligible: Sequence[BoolArray],
    origins: Sequence[int],
    growth: Sequence[FloatArray],
    horizon: int,
) -> list[Answer]:
    """Forecasts of each level at one horizon.

    Args:
        model_id: Entry of :data:`forecasting.models.POOLED_MODELS`.
        world: The series, level by level.
        eligible: Origins to forecast from, level by level, periods × series.
        origins: Places of the origins on the calendar.
        growth: At each origin the growth of the eligible series, level after level.
        horizon: Periods ahead.
    """
    spread = between_levels(POOLED_MODELS[model_id].levels)
    ends = [np.cumsum([wanted[row].sum() for wanted in eligible])[:-1] for row in origins]
    by_level = zip(*(np.split(one @ spread, end) for one, end in zip(growth, ends, strict=True)), strict=True)
    rows = np.asarray(origins, dtype=np.intp)
    return [
        _place(series, rows, np.nonzero(wanted[rows]), np.concatenate(one), horizon)
        for series, wanted, one in zip(world, eligible, by_level, strict=True)
    ]


def _distinct(described: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """The different rows, and the place of each row among them: series that have been zero for years are alike."""
    rows = np.ascontiguousarray(described)
    whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], place


def _examples(task: FitTask, horizon: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Features, growth and weights of past origins whose outcomes had ended when the fit was made."""
    lesson, season = task.lesson, task.season
    rows = list(range(season, lesson.known - horizon))
    parts = [(np.empty((0, len(FEATURES))), np.empty(0), np.empty(0))]
    for series in lesson.world if rows else []:
        logs, positions = series.logs[: lesson.known], lesson.positions[: lesson.known]
        described = features(logs, rows, positions, horizon=horizon, season=season, kind=series.kind)
        parts.append(usable_rows(described, logs, series.volatility, rows, horizon, np.asarray(series.kind == 1)))
    described, growth, weights = (np.concatenate(one) for one in zip(*parts, strict=True))
    return described, growth, weights


def usable_rows(
    described: FloatArray,
    logs: FloatArray,
    scale: FloatArray,
    rows: list[int],
    horizon: int,
    is_total: BoolArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Features, growth and weights at origins whose outcome is known.

    Args:
        described: Features, shape ``(rows, series, features)``.
        logs: log1p values, periods × series.
        scale: Volatility, periods × series.
        rows: Places of the origins on the calendar.
        horizon: Periods ahead.
        is_total: Which series are totals.
    """
    now = logs[rows]
    growth = (logs[[row + horizon for row in rows]] - now) / (scale[rows] * horizon**WIDENING)
    weights = np.clip(now, LOWEST_WEIGHT, HIGHEST_WEIGHT) * np.where(is_total, TOTALS_WEIGHT, 1.0)
    usable = np.isfinite(growth)
    return described[usable], growth[usable], weights[usable]


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


def _place(
    series: Series, origins: NDArray[np.intp], where: tuple[NDArray[np.intp], ...], growth: FloatArray, horizon: int
) -> Answer:
    """Growth back to log1p values, kept between zero and the cap that holds for every model; none where it is NaN."""
    made = np.isfinite(growth).all(axis=1)
    rows, columns, growth = origins[where[0]][made], where[1][made], growth[made]
    now, scale = series.logs[rows, columns], series.volatility[rows, columns] * horizon**WIDENING
    ceiling = _caps(series.logs[: origins.max() + 1], horizon)[rows, columns][:, None]
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

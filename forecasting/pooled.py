"""Runs the pooled model: which series it learns from, how often it is fitted, where it forecasts.

An origin's model was fitted at the turn of its calendar year, on outcomes that had ended by then. So all origins of a
year share one fit per horizon, a new night needs none, and the future cannot leak into the past.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.calendar import write_period
from core.quantiles import FloatArray
from forecasting.features import features, volatility
from forecasting.guard import FEWEST_EARLIER_VALUES, LARGEST_CAP, SMALLEST_CAP
from forecasting.model import LEVELS, BoolArray
from forecasting.panel import Panel
from forecasting.quantiles import KEYS, QuantileTable
from forecasting.registry import POOLED_MODELS
from forecasting.work import history_hash
from forecasting.workers import Progress, Workers, run_tasks

MOST_ROWS = 33_000
"""Past origins that one fit learns from: half of the largest series, half spread evenly over the rest."""
FEWEST_ROWS = 2_000
TOTALS_WEIGHT = 3.0
LOWEST_WEIGHT, HIGHEST_WEIGHT = 1.0, 8.0
"""A row counts as its log level within these: small counts are mostly noise."""
_MARKS = ["model_version", "history_hash", "fallback", "reason", "capped"]


@dataclass(frozen=True)
class Level:
    """Series that are learned from together: a panel as given, or the totals over its parts.

    Attributes:
        panel: The series; all levels share one calendar.
        wanted: Origins to forecast from, periods × series.
        kind: 0 for series as given, 1 for totals.
    """

    panel: Panel
    wanted: BoolArray
    kind: int


def past_origins(panel: Panel, *, origins: int, step: int) -> BoolArray:
    """The backtest's origins (see :func:`forecasting.work.backtest_work`), periods × series."""
    rows = np.arange(len(panel.matrix) - 1)[::-1][::step][:origins]
    wanted = np.zeros(panel.matrix.shape, dtype=bool)
    wanted[rows] = panel.matrix.notna().to_numpy()[rows]
    return wanted


def present_origins(panel: Panel) -> BoolArray:
    """Every series' own last observed period, periods × series."""
    known = panel.matrix.notna().to_numpy()
    last = len(known) - 1 - known[::-1].argmax(axis=0)
    wanted = np.zeros(known.shape, dtype=bool)
    wanted[last, np.arange(known.shape[1])] = True
    return wanted


def run_pooled(
    model_id: str,
    levels: Sequence[Level],
    *,
    horizons: Sequence[int],
    present: bool = False,
    workers: Workers = None,
    progress: Progress | None = None,
) -> list[QuantileTable]:
    """Forecast with a pooled model.

    Args:
        model_id: Entry of :data:`forecasting.registry.POOLED_MODELS`.
        levels: Series to learn from and to forecast.
        horizons: Periods ahead.
        present: The origins are the series' last periods: everything in the panel is known at each of them.
        workers: Processes or a cluster; by default one process per core.
        progress: Told after every fit.

    Returns:
        One table per level, as of :func:`forecasting.work.run_work`. A series with fewer than 24 earlier values has no
        row, and there is none before 2,000 past origins can be learned from.
    """
    world = [_Series.of(level) for level in levels]
    calendar = levels[0].panel.periods
    years = calendar.end_time.year.to_numpy()
    positions = _positions(levels[0].panel)
    eligible = [level.wanted & (one.count > FEWEST_EARLIER_VALUES) for level, one in zip(levels, world, strict=True)]
    rows = sorted({int(row) for one in eligible for row in np.flatnonzero(one.any(axis=1))})
    groups: dict[int, list[int]] = {}
    for row in rows:
        year = years[-1] if present else years[row]
        groups.setdefault(int((years < year).sum()), []).append(row)
    season = levels[0].panel.season_length
    tasks = [
        _Task(model_id, world, eligible, positions, season, known, origins, horizon)
        for known, origins in groups.items()
        for horizon in sorted(set(horizons))
    ]
    answers = run_tasks(_run, tasks, workers=workers, progress=progress)
    prints = {known: _fingerprint(world, known) for known in groups}
    return [
        _table(level, [(task, answer[place]) for task, answer in zip(tasks, answers, strict=True)], prints)
        for place, level in enumerate(levels)
    ]


@dataclass(frozen=True)
class _Series:
    """A level as arrays, periods × series."""

    logs: FloatArray
    volatility: FloatArray
    count: NDArray[np.int64]
    """Number of values observed up to each period."""
    kind: int

    @staticmethod
    def of(level: Level) -> _Series:
        logs = np.log1p(level.panel.matrix.to_numpy(dtype=float))
        scale = volatility(logs, level.panel.season_length)
        return _Series(logs, scale, np.isfinite(logs).cumsum(axis=0), level.kind)


@dataclass(frozen=True)
class _Task:
    """One fit, and the forecasts that are made with it."""

    model_id: str
    world: list[_Series]
    eligible: list[BoolArray]
    positions: FloatArray
    season: int
    known: int
    """Number of periods whose outcomes the fit may see."""
    origins: list[int]
    horizon: int

    def describe(self, series: _Series, columns: NDArray[np.intp], rows: list[int], last: int) -> FloatArray:
        return features(
            series.logs[:last, columns],
            rows,
            self.positions[:last],
            horizon=self.horizon,
            season=self.season,
            kind=series.kind,
        )


@dataclass(frozen=True)
class _Answer:
    """Forecasts of one level made with one fit: places, log1p quantiles, and where the cap was applied."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    quantiles: FloatArray
    capped: BoolArray


_NOTHING = _Answer(
    np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty((0, len(LEVELS))), np.empty(0, dtype=bool)
)


def _run(task: _Task) -> list[_Answer]:
    described, growth, weights = _examples(task)
    wanted = [np.nonzero(one[task.origins]) for one in task.eligible]
    if len(growth) < FEWEST_ROWS:
        return [_NOTHING] * len(wanted)
    ahead = [
        task.describe(series, np.arange(series.logs.shape[1]), task.origins, max(task.origins) + 1)[where]
        for series, where in zip(task.world, wanted, strict=True)
    ]
    model = POOLED_MODELS[task.model_id]
    found = model.fit_and_predict(described, growth, weights, np.concatenate(ahead))
    ends = np.cumsum([len(one) for one in ahead])[:-1]
    return [
        _place(task, series, where, quantiles)
        for series, where, quantiles in zip(task.world, wanted, np.split(found, ends), strict=True)
    ]


def _examples(task: _Task) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Features, growth and weights of past origins whose outcomes had ended when the fit was made."""
    rows = list(range(task.season, task.known - task.horizon))
    parts = []
    for series in task.world if rows else []:
        columns = _learned_from(series.logs[: task.known], len(rows))
        described = task.describe(series, columns, rows, task.known)
        now = series.logs[rows][:, columns]
        later = series.logs[[row + task.horizon for row in rows]][:, columns]
        growth = (later - now) / series.volatility[rows][:, columns]
        weights = np.clip(now, LOWEST_WEIGHT, HIGHEST_WEIGHT) * (TOTALS_WEIGHT if series.kind else 1.0)
        usable = np.isfinite(growth)
        parts.append((described[usable], growth[usable], weights[usable]))
    if not parts:
        return np.empty((0, 0)), np.empty(0), np.empty(0)
    described, growth, weights = (np.concatenate(one) for one in zip(*parts, strict=True))
    return described, growth, weights


def _learned_from(logs: FloatArray, length: int) -> NDArray[np.intp]:
    """Columns of the series to learn from: the largest by their total known then, and some of the rest, evenly."""
    total = np.nansum(np.expm1(logs), axis=0)
    order = np.argsort(-total, kind="stable")
    order = order[total[order] > 0]
    most = max(2, MOST_ROWS // length)
    if len(order) <= most:
        return np.sort(order)
    largest, rest = order[: most // 2], order[most // 2 :]
    spread = np.linspace(0, len(rest) - 1, most - len(largest)).astype(int)
    return np.sort(np.concatenate([largest, rest[np.unique(spread)]]))


def _place(task: _Task, series: _Series, where: tuple[NDArray[np.intp], ...], growth: FloatArray) -> _Answer:
    """Growth back to log1p values, kept between zero and the cap that holds for every model."""
    rows, columns = np.asarray(task.origins, dtype=np.intp)[where[0]], where[1]
    now, scale = series.logs[rows, columns], series.volatility[rows, columns]
    ceiling = _caps(series.logs[: max(task.origins) + 1], task.horizon)[rows, columns][:, None]
    quantiles = now[:, None] + growth * scale[:, None]
    capped = np.asarray((quantiles > ceiling + 1e-9).any(axis=1))
    return _Answer(rows, columns, np.clip(quantiles, 0.0, ceiling), capped)


def _caps(logs: FloatArray, horizon: int) -> FloatArray:
    """The highest log1p quantile allowed at every period, as :func:`forecasting.guard.log_cap` has it."""
    largest = np.zeros_like(logs)
    for step in range(1, min(horizon, len(logs) - 1) + 1):
        largest[step:] = np.fmax(largest[step:], np.abs(logs[step:] - logs[:-step]))
    running = np.fmax.accumulate(largest, axis=0)
    factors = np.clip(np.exp(np.clip(running, 0.0, 50.0)), SMALLEST_CAP, LARGEST_CAP)
    record = np.maximum(np.expm1(np.fmax.accumulate(logs, axis=0)), 1.0)
    return np.asarray(np.log1p(factors * record))


def _positions(panel: Panel) -> FloatArray:
    """Place of every period within its season, from 0."""
    ends = panel.periods.end_time
    within = {"M": ends.month - 1, "Q": ends.quarter - 1, "W": ends.isocalendar().week - 1, "D": ends.dayofweek}
    found = within.get(panel.freq, np.zeros(len(ends)))
    return np.asarray(found, dtype=float) % panel.season_length


def _fingerprint(world: list[_Series], known: int) -> str:
    content = b"".join(np.ascontiguousarray(series.logs[:known], dtype="<f8").tobytes() for series in world)
    return hashlib.sha256(content).hexdigest()[:16]


def _table(level: Level, answers: list[tuple[_Task, _Answer]], prints: dict[int, str]) -> QuantileTable:
    panel = level.panel
    names, ends = np.asarray(panel.series_ids, dtype=object), panel.end_dates
    marks = _history_marks(panel, answers, prints)
    blocks, values = [], []
    for task, answer in answers:
        targets = (panel.periods + task.horizon).end_time.normalize()
        blocks.append(
            pd.DataFrame(
                {
                    "model_id": task.model_id,
                    "series_id": names[answer.columns],
                    "origin_date": ends[answer.rows],
                    "horizon": task.horizon,
                    "target_end_date": targets[answer.rows],
                    "model_version": POOLED_MODELS[task.model_id].version,
                    "history_hash": [marks[task.known, *at] for at in zip(answer.rows, answer.columns, strict=True)],
                    "fallback": False,
                    "reason": "",
                    "capped": answer.capped,
                }
            )
        )
        values.append(np.expm1(answer.quantiles))
    if not blocks:
        empty = {name: pd.Series(dtype=object) for name in [*KEYS, *_MARKS]}
        return QuantileTable(pd.DataFrame(empty), np.empty((0, len(LEVELS))))
    return QuantileTable(pd.concat(blocks, ignore_index=True), np.concatenate(values))


def _history_marks(
    panel: Panel, answers: list[tuple[_Task, _Answer]], prints: dict[int, str]
) -> dict[tuple[int, int, int], str]:
    """Fingerprint of what is behind a forecast: the series' own history, and all that its model was fitted on."""
    values = panel.matrix.to_numpy(dtype=float)
    first = np.isfinite(values).argmax(axis=0)
    marks: dict[tuple[int, int, int], str] = {}
    for task, answer in answers:
        for row, column in zip(answer.rows, answer.columns, strict=True):
            key = (task.known, int(row), int(column))
            if key not in marks:
                begin = int(first[column])
                written = write_period(panel.periods[begin], panel.freq)
                marks[key] = history_hash(values[begin : row + 1, column], f"{prints[task.known]} {written}")
    return marks

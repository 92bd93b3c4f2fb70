"""Runs the pooled model: which series it learns from, how often it is fitted, where it forecasts.

An origin's model was fitted at the turn of its calendar year, on outcomes that had ended by then. So all origins of a
year share one fit, which answers at every horizon, and the future cannot leak into the past. Fits can be kept: a later
run on the same figures needs none, and is fitted anew only when the year turns, figures are revised or the model's
version changes.

The series that are learned from need not be those that are forecast: a night's routes are described alike and too few
to learn from, and get the fits of every count that is known (:class:`Lesson`, year by year, as known at its turn).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from core import FloatArray
from core.calendar import Frequency, write_period
from forecasting import LEVELS, BoolArray
from forecasting.hindcast import Fits, history_hash
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel
from forecasting.pooled_fit import (
    Answer,
    FitTask,
    Lesson,
    PredictTask,
    Series,
    answers,
    extended_cache,
    read_cache,
    run_fit,
    run_predictions,
)
from forecasting.postprocess import FEWEST_EARLIER_VALUES
from forecasting.quantiles import KEYS, QuantileTable
from forecasting.workers import Progress, Workers, run_tasks

ENOUGH = 5_000
"""Number of values from which a panel trains its own model, without a prior: forty series of ten years."""
FEW = 50_000
"""Predictions that are made sooner (in about two seconds) than processes are started."""
SHARES = 4
"""Parts that the horizons of more predictions are split into, for processes to share."""
PREDICTIONS = "foreseen"
"""Ending of the name under which is kept what a fit predicted."""
_FLAGS = ["model_version", "history_hash", "fallback", "reason", "capped"]


Lessons = Callable[[int], Lesson]
"""What the fits at the turn of a calendar year learn from."""
Priors = Mapping[Frequency, Lessons]
"""Training data for panels that are too small for a model of their own."""


@dataclass(frozen=True)
class Level:
    """Series that are forecast together: a panel as given, or the totals over its parts.

    Attributes:
        panel: The series; all levels share one calendar.
        wanted: Origins to forecast from, periods × series.
        kind: 0 for series as given, 1 for totals.
    """

    panel: Panel
    wanted: BoolArray
    kind: int


def past_origins(panel: Panel, *, origins: int, step: int) -> BoolArray:
    """Mark the last ``origins`` origins, ``step`` periods apart, the newest one period before the panel's end.

    Returns:
        Periods × series; a series is marked where it has a value.
    """
    rows = np.arange(len(panel.matrix) - 1)[::-1][::step][:origins]
    wanted = np.zeros(panel.matrix.shape, dtype=bool)
    wanted[rows] = panel.matrix.notna().to_numpy()[rows]
    return wanted


def present_origins(panel: Panel) -> BoolArray:
    """Every series' own last observed period, unless the series has ended; periods × series."""
    wanted = np.zeros(panel.matrix.shape, dtype=bool)
    wanted[panel.last_rows(), np.arange(wanted.shape[1])] = ~panel.ended()
    return wanted


def run_pooled(  # noqa: PLR0913  # what to forecast, from what, and by what means
    model_id: str,
    levels: Sequence[Level],
    *,
    horizons: Sequence[int],
    lessons: Lessons | None = None,
    prior: Lessons | None = None,
    workers: Workers = None,
    progress: Progress | None = None,
    fits: Fits | None = None,
) -> list[QuantileTable]:
    """Forecast with a pooled model.

    Args:
        model_id: Entry of :data:`forecasting.models.POOLED_MODELS`.
        levels: Series to forecast.
        lessons: What to learn from; by default these same series.
        prior: What to learn from instead at the turn of years that had seen fewer than ``ENOUGH`` of their values.
        horizons: Periods ahead.
        workers: Processes or a cluster; by default one process per core.
        progress: Called after every fit.
        fits: Where fits and predictions are looked up and kept; None keeps none.

    Returns:
        One table per level, as of :func:`forecasting.hindcast.run_work`. A series with fewer than six earlier values
        has no row, and there is none before 2,000 past origins can be learned from.
    """
    panel = levels[0].panel
    world = [Series.of(level.panel, level.kind) for level in levels]
    years, prints = panel.periods.end_time.year.to_numpy(), _fingerprints(world)
    eligible = [level.wanted & (one.count > FEWEST_EARLIER_VALUES) for level, one in zip(levels, world, strict=True)]
    rows = sorted({int(row) for one in eligible for row in np.flatnonzero(one.any(axis=1))})
    groups: dict[int, list[int]] = {}
    for row in rows:
        groups.setdefault(int(years[row]), []).append(row)
    lessons = lessons or own_lessons([(level.panel, level.kind) for level in levels], prior)
    trained_on = {year: lessons(year) for year in groups}
    steps, season = sorted(set(horizons)), panel.season_length
    tasks = {year: FitTask(model_id, lesson, season, max(steps)) for year, lesson in trained_on.items()}
    keys = {year: task.key() for year, task in tasks.items()}
    fitted = {year: fit for year, fit in _fitted(tasks, keys, fits, workers, progress).items() if fit}
    marks = {row: _mark(prints[row + 1], eligible, row) for row in rows}
    wanted = {year: {_name(marks[row], step): (row, step) for step in steps for row in groups[year]} for year in fitted}
    positions = _positions(panel)
    work = {
        year: PredictTask(model_id, fit, world, eligible, positions, season, wanted[year])
        for year, fit in fitted.items()
    }
    growth = _predicted(work, {year: f"{keys[year]}-{PREDICTIONS}" for year in work}, fits, workers)
    found = []
    for year in fitted:
        for step in steps:
            own = [growth[year][_name(marks[row], step)] for row in groups[year]]
            found.append((year, step, answers(model_id, world, eligible, groups[year], own, step)))
    fitted_on = {year: lesson.fingerprint for year, lesson in trained_on.items()}
    return [
        _table(model_id, level, [(year, step, one[place]) for year, step, one in found], fitted_on)
        for place, level in enumerate(levels)
    ]


def is_enough(panels: Sequence[Panel]) -> BoolArray:
    """At the end of each period of panels on one calendar: whether their own values suffice without a prior."""
    known = np.sum([panel.matrix.notna().sum(axis=1).to_numpy() for panel in panels], axis=0)
    return np.asarray(known.cumsum() >= ENOUGH)


def own_lessons(levels: Sequence[tuple[Panel, int]], prior: Lessons | None) -> Lessons:
    """Return the panels' own training data, see :func:`lesson`, or the prior until they had ``ENOUGH`` values."""
    panel, enough = levels[0][0], is_enough([one for one, _ in levels])

    @cache
    def at(year: int) -> Lesson:
        known = int((panel.periods.end_time.year < year).sum())
        return lesson(levels, year) if prior is None or (known and enough[known - 1]) else prior(year)

    return at


def lesson(levels: Sequence[tuple[Panel, int]], year: int) -> Lesson:
    """What can be learned at the turn of a year from panels on one calendar, each with its kind (see :class:`Level`).

    Periods from the year on are left out.
    """
    panel = levels[0][0]
    known = int((panel.periods.end_time.year < year).sum())
    world = [Series.of(Panel(one.freq, one.matrix.iloc[:known], one.groups), kind) for one, kind in levels]
    return Lesson(world, _positions(panel)[:known], known, _fingerprints(world)[known])


def _name(mark: str, horizon: int) -> str:
    return f"h{horizon}-{mark}"


def _fitted(
    tasks: Mapping[int, FitTask],
    keys: Mapping[int, str],
    fits: Fits | None,
    workers: Workers,
    progress: Progress | None,
) -> dict[int, bytes]:
    """The fit of each year, kept or new; a new one is kept as soon as it ends. Empty where there is too little."""
    found = {year: None if fits is None else fits.get(key) for year, key in keys.items()}
    new = [year for year, fit in found.items() if not fit]
    light = [replace(tasks[year], lesson=tasks[year].lesson.cut(tasks[year].season)) for year in new]

    def keep(place: int, fit: bytes) -> None:
        if fits is not None and fit:
            fits.put(keys[new[place]], fit)

    made = run_tasks(run_fit, light, workers=workers, progress=progress, took=keep)
    return {year: fit or b"" for year, fit in (found | dict(zip(new, made, strict=True))).items()}


def _predicted(
    work: Mapping[int, PredictTask], keys: Mapping[int, str], fits: Fits | None, workers: Workers
) -> dict[int, dict[str, FloatArray]]:
    """Growth by year and name: what was kept, and the rest predicted now and kept."""
    known = {year: read_cache(fits.get(key) if fits is not None else None) for year, key in keys.items()}
    lacking = {
        year: {name: at for name, at in task.wanted.items() if name not in known[year]} for year, task in work.items()
    }
    origins = [row for wanted in lacking.values() for row, _ in wanted.values()]
    eligible = next(iter(work.values())).eligible if work else []
    is_few = sum(sum(wanted[row].sum() for wanted in eligible) for row in origins) <= FEW
    parts = []
    for year, wanted in lacking.items():
        steps = sorted({step for _, step in wanted.values()})
        for share in np.array_split(steps, min(1 if is_few else SHARES, len(steps))) if steps else []:
            some = {name: at for name, at in wanted.items() if at[1] in share}
            parts.append((year, replace(work[year], wanted=some)))
    made = run_tasks(run_predictions, [task for _, task in parts], workers=workers, is_small=is_few)
    new: dict[int, dict[str, FloatArray]] = {year: {} for year in work}
    for (year, _), growth in zip(parts, made, strict=True):
        new[year] |= growth
    for year, key in keys.items():
        if fits is not None and new[year]:
            fits.put(key, extended_cache(known[year], new[year]))
    return {year: known[year] | new[year] for year in work}


def _positions(panel: Panel) -> FloatArray:
    """Place of every period within its season, from 0."""
    ends = panel.periods.end_time
    within = {"M": ends.month - 1, "Q": ends.quarter - 1, "W": ends.isocalendar().week - 1, "D": ends.dayofweek}
    found = within.get(panel.freq, np.zeros(len(ends)))
    return np.asarray(found, dtype=float) % panel.season_length


def _fingerprints(world: list[Series]) -> list[str]:
    """Fingerprint of all values known after each number of periods, from zero on."""
    running = hashlib.sha256()
    found = [running.hexdigest()[:16]]
    for period in range(len(world[0].logs)):
        for series in world:
            running.update(np.ascontiguousarray(series.logs[period], dtype="<f8").tobytes())
        found.append(running.hexdigest()[:16])
    return found


def _mark(fingerprint: str, eligible: list[BoolArray], row: int) -> str:
    """Of what was known at an origin, and of the series that are forecast from there."""
    content = fingerprint.encode() + b"".join(wanted[row].tobytes() for wanted in eligible)
    return hashlib.sha256(content).hexdigest()[:32]


def _table(
    model_id: str, level: Level, answers: list[tuple[int, int, Answer]], fitted_on: dict[int, str]
) -> QuantileTable:
    panel = level.panel
    names, ends = np.asarray(panel.series_ids, dtype=object), panel.end_dates
    marks = _history_marks(panel, answers, fitted_on)
    blocks, values = [], []
    for year, horizon, answer in answers:
        targets = (panel.periods + horizon).end_time.normalize()
        blocks.append(
            pd.DataFrame(
                {
                    "model_id": model_id,
                    "series_id": names[answer.columns],
                    "origin_date": ends[answer.rows],
                    "horizon": horizon,
                    "target_end_date": targets[answer.rows],
                    "model_version": POOLED_MODELS[model_id].version,
                    "history_hash": [marks[year, *at] for at in zip(answer.rows, answer.columns, strict=True)],
                    "fallback": False,
                    "reason": "",
                    "capped": answer.capped,
                }
            )
        )
        values.append(np.expm1(answer.quantiles))
    if not blocks:
        empty = {name: pd.Series(dtype=object) for name in [*KEYS, *_FLAGS]}
        return QuantileTable(pd.DataFrame(empty), np.empty((0, len(LEVELS))))
    return QuantileTable(pd.concat(blocks, ignore_index=True), np.concatenate(values))


def _history_marks(
    panel: Panel, answers: list[tuple[int, int, Answer]], fitted_on: dict[int, str]
) -> dict[tuple[int, int, int], str]:
    """Fingerprint of what is behind a forecast: the series' own history, and all that its model was fitted on."""
    values = panel.matrix.to_numpy(dtype=float)
    first = np.isfinite(values).argmax(axis=0)
    written = [write_period(period, panel.freq) for period in panel.periods]
    marks: dict[tuple[int, int, int], str] = {}
    for year, _horizon, answer in answers:
        for row, column in zip(answer.rows, answer.columns, strict=True):
            key = (year, int(row), int(column))
            if key not in marks:
                begin = int(first[column])
                marks[key] = history_hash(values[begin : row + 1, column], f"{fitted_on[year]} {written[begin]}")
    return marks

"""Runs the pooled model: which series it is fitted on, how often, and where it forecasts.

An origin's model was fitted at the turn of its calendar year, on outcomes that had ended by then. So all origins of a
year share one fit, which answers at every horizon, and the future cannot leak into the past. Fits can be kept: a later
run on the same figures needs none, and is fitted anew only when the year turns, figures are revised or the model's
version changes.

The series of a fit need not be those that are forecast: a night's routes are described alike and too few for a fit of
their own, and get the fits of every count that is known, year by year, as known at its turn.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray
from core.calendar import Frequency
from forecasting import BoolArray, between_levels
from forecasting.hindcast import Fits, InMemory
from forecasting.models import FEWEST_EARLIER_VALUES, POOLED_MODELS, log_caps
from forecasting.models.pooled import FEATURES, WIDENING, features, rounded, volatility
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.workers import Progress, Workers, run_tasks

ENOUGH = 5_000
"""Number of values from which a panel trains its own model, without a prior: forty series of ten years."""
FEW = 50_000
"""Predictions that are made sooner (in about two seconds) than processes are started."""
SHARES = 4
"""Parts that the horizons of more predictions are split into, for processes to share."""
PREDICTIONS = "foreseen"
"""Ending of the name under which is kept what a fit predicted."""
MOST_BYTES = 8_000_000
"""Of kept predictions per fit: seven hundred series at a year's origins and five horizons, three times. The oldest go
first, and of a panel with tens of thousands of series only the present remains."""
LEARNED = (1, 2, 3, 4, 6, 9, 12, 18)
"""Horizons of the outcomes that every fit is made on; longer ones follow, each half as far again, where asked for."""
MOST_ROWS = 33_000
"""Past origins that are described for a fit: half of the largest series, half spread evenly over the rest."""
FEWEST_ROWS = 2_000
TOTALS_WEIGHT = 3.0
LOWEST_WEIGHT, HIGHEST_WEIGHT = 1.0, 8.0
"""A row counts as its log level within these: small counts are mostly noise."""


@dataclass(frozen=True)
class World:
    """Series side by side on one calendar, as arrays of periods × series.

    Attributes:
        logs: log1p values, gaps as NaN.
        volatility: See :func:`forecasting.models.pooled.volatility`.
        count: Number of values observed up to each period.
        kinds: Of each series: 0 as given, 1 for totals; ascending.
        periods: The calendar.
        season: Periods in a season.
    """

    logs: FloatArray
    volatility: FloatArray
    count: NDArray[np.int64]
    kinds: NDArray[np.int64]
    periods: pd.PeriodIndex
    season: int

    @staticmethod
    def of(levels: Sequence[tuple[Panel, int]]) -> World:
        """Panels on one calendar, each with the kind of its series."""
        panel = levels[0][0]
        logs = np.log1p(np.hstack([one.matrix.to_numpy(dtype=float) for one, _ in levels]))
        kinds = np.repeat([kind for _, kind in levels], [one.matrix.shape[1] for one, _ in levels])
        spread, count = volatility(logs, panel.season_length), np.isfinite(logs).cumsum(axis=0)
        return World(logs, spread, count, kinds, panel.periods, panel.season_length)

    def before(self, year: int) -> World:
        """The periods that had ended at the turn of a calendar year."""
        rows = slice(int((self.periods.end_time.year < year).sum()))
        return replace(
            self, logs=self.logs[rows], volatility=self.volatility[rows], count=self.count[rows],
            periods=self.periods[rows],
        )  # fmt: skip

    def select(self, columns: NDArray[np.intp]) -> World:
        """Some of the series."""
        return replace(
            self, logs=self.logs[:, columns], volatility=self.volatility[:, columns], count=self.count[:, columns],
            kinds=self.kinds[columns],
        )  # fmt: skip

    @cached_property
    def positions(self) -> FloatArray:
        """Place of every period within its season, from 0."""
        ends = self.periods.end_time
        within = {"M": ends.month - 1, "Q": ends.quarter - 1, "W": ends.isocalendar().week - 1, "D": ends.dayofweek}
        found = within.get(self.periods.freqstr[0], np.zeros(len(ends)))
        return np.asarray(found, dtype=float) % self.season

    @cached_property
    def fingerprints(self) -> list[str]:
        """Fingerprint of all values known after each number of periods, from zero on."""
        running = hashlib.sha256()
        found = [running.hexdigest()[:16]]
        for values in np.ascontiguousarray(self.logs, dtype="<f8"):
            running.update(values.tobytes())
            found.append(running.hexdigest()[:16])
        return found


Lessons = Callable[[int], World]
"""What the fits at the turn of a calendar year are made on."""
Priors = Mapping[Frequency, Lessons]
"""Training data for panels that are too small for a model of their own."""


@dataclass(frozen=True)
class Level:
    """Series that are forecast together: a panel as given, or the totals over its parts.

    Attributes:
        panel: The series; all levels share one calendar.
        wanted: Origins to forecast from, periods × series.
        kind: 0 for series as given, 1 for totals; ascending from level to level.
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
    return np.asarray(panel.at_last() & ~panel.ended())


def is_enough(panels: Sequence[Panel]) -> BoolArray:
    """At the end of each period of panels on one calendar: whether their own values suffice without a prior."""
    known = np.sum([panel.matrix.notna().sum(axis=1).to_numpy() for panel in panels], axis=0)
    return np.asarray(known.cumsum() >= ENOUGH)


def own_lessons(levels: Sequence[tuple[Panel, int]], prior: Lessons | None) -> Lessons:
    """Return the panels' own values before each year, or the prior until they had ``ENOUGH`` values."""
    world, enough = World.of(levels), is_enough([one for one, _ in levels])

    @cache
    def at(year: int) -> World:
        own = world.before(year)
        known = len(own.logs)
        return own if prior is None or (known and enough[known - 1]) else prior(year)

    return at


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
        lessons: What fits are made on; by default these same series.
        prior: What they are made on instead at the turn of years that had seen fewer than ``ENOUGH`` of their values.
        horizons: Periods ahead.
        workers: Processes or a cluster; by default one process per core.
        progress: Called after every fit.
        fits: Where fits and predictions are looked up and kept; None keeps none.

    Returns:
        One table per level, as of :func:`forecasting.hindcast.run_work`. A series with fewer than six earlier values
        has no row, and there is none before a fit has 2,000 past origins.
    """
    given = [(level.panel, level.kind) for level in levels]
    world, steps = World.of(given), sorted(set(horizons))
    eligible = np.hstack([level.wanted for level in levels]) & (world.count > FEWEST_EARLIER_VALUES)
    rows = np.flatnonzero(eligible.any(axis=1))
    years = world.periods.end_time.year.to_numpy()[rows]
    lessons, fits = lessons or own_lessons(given, prior), InMemory() if fits is None else fits
    trained_on = {int(year): lessons(int(year)) for year in np.unique(years)}
    fitted = _fitted(model_id, trained_on, max(steps), fits, workers, progress)
    marks = {  # of what was known at an origin, and of the series that are forecast from there
        row: hashlib.sha256(world.fingerprints[row + 1].encode() + eligible[row].tobytes()).hexdigest()[:32]
        for row in map(int, rows)
    }
    wanted = {
        year: {f"h{step}-{marks[row]}": (row, step) for step in steps for row in map(int, rows[years == year])}
        for year in fitted
    }
    growth = _predicted(model_id, world, eligible, wanted, fitted, fits, workers)
    table, columns = _table(model_id, levels, world, eligible, growth)
    ends = np.cumsum([level.wanted.shape[1] for level in levels])
    return [table.where(np.searchsorted(ends, columns, side="right") == place) for place in range(len(levels))]


def _fitted(
    model_id: str,
    trained_on: Mapping[int, World],
    longest: int,
    fits: Fits,
    workers: Workers,
    progress: Progress | None,
) -> dict[int, tuple[str, bytes]]:
    """Name and fit of each year that has one, kept or new; a new one is kept as soon as it ends."""
    keys = {year: fit_key(model_id, world, longest) for year, world in trained_on.items()}
    found = {year: fits.get(key) or b"" for year, key in keys.items()}
    new = [year for year, fit in found.items() if not fit]

    def keep(place: int, fit: bytes) -> None:
        found[new[place]] = fit
        if fit:
            fits.put(keys[new[place]], fit)

    light = [trained_on[year].select(learned_from(trained_on[year])) for year in new]  # the others need not travel
    run_tasks(partial(run_fit, model_id, longest), light, workers=workers, progress=progress, took=keep)
    return {year: (keys[year], fit) for year, fit in found.items() if fit}


def fit_key(model_id: str, world: World, longest: int) -> str:
    """Name under which a fit is kept: the model, its version, and a hash of all that it is made on, and how."""
    model = POOLED_MODELS[model_id]
    known = f"{world.fingerprints[-1]} {world.kinds.tolist()} {world.season} {world.positions.tolist()}"
    rest = f"{known} {learned_horizons(longest)} {model.libraries()}"
    return f"{model_id}-{model.version}-{hashlib.sha256(rest.encode()).hexdigest()[:32]}"


def learned_horizons(longest: int) -> tuple[int, ...]:
    """The horizons of the outcomes that a fit is made on."""
    found = list(LEARNED)
    while found[-1] < longest:
        found.append(math.ceil(1.5 * found[-1]))
    return tuple(found)


def learned_from(world: World) -> NDArray[np.intp]:
    """Columns of the series of a fit: of each kind the largest by their total, and some of the rest, evenly."""
    length = len(world.logs) - 1 - world.season
    found = [np.empty(0, dtype=np.intp)]
    for kind in np.unique(world.kinds) if length > 0 else ():
        own = np.flatnonzero(world.kinds == kind)
        total = rounded(np.nansum(np.expm1(np.ascontiguousarray(world.logs[:, own])), axis=0))
        order = np.argsort(-total, kind="stable")
        order = order[total[order] > 0]
        most = max(2, MOST_ROWS // length)
        largest, rest = order[: most // 2], order[most // 2 :]
        spread = np.linspace(0, len(rest) - 1, most - len(largest)).astype(int) if len(order) > most else slice(None)
        found.append(np.sort(own[np.concatenate([largest, np.unique(rest[spread])])]))
    return np.concatenate(found)


def run_fit(model_id: str, longest: int, world: World) -> bytes:
    """The model fitted on what was known; nothing where there are too few past origins."""
    parts = [_examples(world, horizon) for horizon in learned_horizons(longest)]
    described, growth, weights = (np.concatenate(one) for one in zip(*parts, strict=True))
    if len(parts[0][1]) < FEWEST_ROWS:
        return b""
    return POOLED_MODELS[model_id].fit(described, growth, weights, world.season)


def _examples(world: World, horizon: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Features, growth and weights of past origins whose outcomes had ended, kind after kind."""
    rows = np.arange(world.season, len(world.logs) - horizon)
    parts = [(np.empty((0, len(FEATURES))), np.empty(0), np.empty(0))]
    for kind in np.unique(world.kinds):
        one = world.select(np.flatnonzero(world.kinds == kind))
        described = features(one.logs, rows, one.positions, horizon=horizon, season=one.season, kind=kind)
        parts.append(usable_rows(described, one.logs, one.volatility, rows, horizon, np.asarray(kind == 1)))
    described, growth, weights = (np.concatenate(one) for one in zip(*parts, strict=True))
    return described, growth, weights


def usable_rows(
    described: FloatArray,
    logs: FloatArray,
    scale: FloatArray,
    rows: NDArray[np.int64],
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
    growth = (logs[rows + horizon] - now) / (scale[rows] * horizon**WIDENING)
    weights = np.clip(now, LOWEST_WEIGHT, HIGHEST_WEIGHT) * np.where(is_total, TOTALS_WEIGHT, 1.0)
    usable = np.isfinite(growth)
    return described[usable], growth[usable], weights[usable]


def _predicted(  # what to predict, from what, and by what means
    model_id: str,
    world: World,
    eligible: BoolArray,
    wanted: Mapping[int, Mapping[str, tuple[int, int]]],
    fitted: Mapping[int, tuple[str, bytes]],
    fits: Fits,
    workers: Workers,
) -> list[tuple[int, int, FloatArray]]:
    """Origins and horizons, each with the growth of its series: what was kept, and the rest predicted now and kept."""
    names = {year: f"{key}-{PREDICTIONS}" for year, (key, _fit) in fitted.items()}
    known = {year: read_cache(fits.get(name)) for year, name in names.items()}
    lacking = {
        year: {name: at for name, at in some.items() if name not in known[year]} for year, some in wanted.items()
    }
    is_few = sum(eligible[row].sum() for some in lacking.values() for row, _step in some.values()) <= FEW
    parts = [
        (year, {name: at for name, at in some.items() if at[1] in share})
        for year, some in lacking.items()
        for share in np.array_split(sorted({step for _row, step in some.values()}), 1 if is_few else SHARES)
        if len(share)
    ]
    tasks = [(fitted[year][1], some) for year, some in parts]
    made = run_tasks(partial(predictions, model_id, world, eligible), tasks, workers=workers, is_small=is_few)
    new: dict[int, dict[str, FloatArray]] = {year: {} for year in wanted}
    for (year, _some), growth in zip(parts, made, strict=True):
        new[year] |= growth
    for year, name in names.items():
        if new[year]:
            fits.put(name, extended_cache(known[year], new[year]))
    return [(*at, (known[year] | new[year])[name]) for year, some in wanted.items() for name, at in some.items()]


def predictions(
    model_id: str, world: World, eligible: BoolArray, task: tuple[bytes, Mapping[str, tuple[int, int]]]
) -> dict[str, FloatArray]:
    """Growth of the eligible series at the model's own levels, by name.

    Args:
        model_id: Entry of :data:`forecasting.models.POOLED_MODELS`.
        world: The series.
        eligible: Origins to predict from, periods × series.
        task: A fit, and the name of each prediction with its origin's place on the calendar and its horizon.
    """
    fitted, wanted = task
    described: dict[str, FloatArray] = {}
    for horizon in sorted({step for _row, step in wanted.values()}):
        origins = {name: row for name, (row, step) in wanted.items() if step == horizon}
        rows = np.asarray(list(origins.values()))
        seen = features(world.logs, rows, world.positions, horizon=horizon, season=world.season, kind=world.kinds)
        described |= {name: one[eligible[row]] for (name, row), one in zip(origins.items(), seen, strict=True)}
    distinct, places = _distinct(np.concatenate(list(described.values())))
    found = POOLED_MODELS[model_id].predict(fitted, distinct)[places]
    ends = np.cumsum([len(one) for one in described.values()])[:-1]
    return dict(zip(described, np.split(found, ends), strict=True))


def _distinct(described: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """The different rows, and the place of each row among them: series that have been zero for years are alike."""
    rows = np.ascontiguousarray(described)
    whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], place


def read_cache(kept: bytes | None) -> dict[str, FloatArray]:
    """The entries of what was kept; none where nothing was."""
    if not kept:
        return {}
    with np.load(io.BytesIO(kept), allow_pickle=False) as entries:
        return {name: entries[name] for name in entries.files}


def extended_cache(known: Mapping[str, FloatArray], new: Mapping[str, FloatArray]) -> bytes:
    """Known entries and new ones as bytes to keep: the newest, as many as there is room for."""
    newest_first = dict(reversed({**known, **new}.items()))
    sizes = np.cumsum([entry.nbytes for entry in newest_first.values()])
    kept = dict([*newest_first.items()][: int((sizes <= MOST_BYTES).sum())])
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **dict(reversed(kept.items())))
    return stream.getvalue()


def _table(
    model_id: str,
    levels: Sequence[Level],
    world: World,
    eligible: BoolArray,
    made: Sequence[tuple[int, int, FloatArray]],
) -> tuple[QuantileTable, NDArray[np.intp]]:
    """Forecasts from predicted growth, kept between zero and the cap that holds for every model, and their columns.

    Where growth is NaN there is none.
    """
    model = POOLED_MODELS[model_id]
    growth = np.concatenate([np.empty((0, len(model.levels))), *(one for _row, _step, one in made)])
    places = [np.empty(0, dtype=np.intp), *(np.flatnonzero(eligible[row]) for row, _step, _growth in made)]
    lengths = [len(one) for one in places[1:]]
    rows, ahead = (np.repeat(np.asarray([one[at] for one in made], dtype=np.intp), lengths) for at in (0, 1))
    columns, is_made = np.concatenate(places), np.isfinite(growth).all(axis=1)
    rows, ahead, columns = rows[is_made], ahead[is_made], columns[is_made]
    ceiling = np.empty((len(rows), 1))
    records, changes = np.fmax.accumulate(world.logs, axis=0), np.zeros_like(world.logs)
    for step in range(1, ahead.max(initial=0) + 1):
        changes[step:] = np.fmax(changes[step:], np.abs(world.logs[step:] - world.logs[:-step]))
        if len(at := np.flatnonzero(ahead == step)):
            caps = log_caps(records, np.fmax.accumulate(changes, axis=0))
            ceiling[at, 0] = caps[rows[at], columns[at]]
    scale = world.volatility[rows, columns] * ahead**WIDENING
    quantiles = world.logs[rows, columns][:, None] + growth[is_made] @ between_levels(model.levels) * scale[:, None]
    names = np.asarray([name for level in levels for name in level.panel.series_ids], dtype=object)
    keys = pd.DataFrame(
        {
            "model_id": model_id,
            "series_id": names[columns],
            "origin_date": levels[0].panel.end_dates[rows],
            "horizon": ahead,
            "target_end_date": (world.periods[rows] + ahead).end_time.normalize(),
            "model_version": model.version,
            "history_hash": "",
            "fallback": False,
            "reason": "",
            "capped": (quantiles > ceiling + 1e-9).any(axis=1),
        }
    )
    return QuantileTable(keys, np.expm1(np.clip(quantiles, 0.0, ceiling))), columns

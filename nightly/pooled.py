"""The pooled model in a night: it learns from every monthly count that is known, and forecasts routes with that.

At the turn of each year it is fitted on what was known a month later: arrivals by route, place and nationality,
asylum applications, displacement, deaths, an analyst's own figures. So its fits are made once a year, are the same on
every night, and see nothing of what came after. They serve any monthly panel; small ones by quarter get fits on
the same counts added up (:func:`priors_from`).

Where a route's arrivals are known by nationality, their forecasts are added up as well. Nationalities may come later
than the route's total: their newest month that was known is then looked ahead from, so much further. Their earlier
values are those known tonight.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from core.calendar import Frequency
from core.errors import InputError, Message
from core.log import silent
from core.routes import DEFAULT_REGION
from core.schema import ALL
from core.settings import SNAPSHOT, Settings
from forecasting import BoolArray
from forecasting.hindcast import Fits, InMemory
from forecasting.models.pooled import library
from forecasting.panel import Panel
from forecasting.pooled import PREDICTIONS, Lessons, Level, World, past_origins, present_origins, run_pooled
from forecasting.quantiles import QuantileTable, stack
from forecasting.reconcile import sum_of_parts
from forecasting.workers import Progress, Workers
from ingest import snapshot
from ingest.own import CAPACITY, own_route_figures
from ingest.routes import route_arrivals
from ingest.sources import elsewhere
from nightly import FREQ, SETTLED_DAYS, RealTimeData
from store.figures import CELL, reduce_as_of
from store.releases.caches import FitStore

MODEL_ID = "vigie-pooled"
FIRST_MONTH = "2009-01"
"""Few series are older, and each month makes room for fewer of them in a fit."""
FEWEST_MONTHS = 36
SMALLEST_SUM = 100
"""Persons in all: a series with fewer says nothing that others could use."""
WARM_UP = 48
"""Origins before the first one, at which parts are forecast so that their dependence is known there."""
FEWEST_OF_PARTS = 72
"""Months by nationality from which a route's parts are added up: six years, as for errors by nationality."""
TOTAL = "total"
"""Grouping column of parts: the series that they add up to."""


def priors_from(history: Callable[[], pd.DataFrame], date: dt.date = dt.date.max) -> dict[Frequency, Lessons]:
    """Every count that was known a month after the turn of a year: what its fits are made on, of months and quarters.

    Args:
        history: Returns every stored value with every ``as_of``, as ``VintageStore.history`` does.
        date: Nothing later is known.
    """
    vintages = cache(history)

    @cache
    def monthly(year: int) -> list[tuple[Panel, int]]:
        known = reduce_as_of(vintages(), min(dt.date(year, 1, 1) + dt.timedelta(days=SETTLED_DAYS - 1), date))
        months = pd.period_range(FIRST_MONTH, f"{year - 1}-12", freq="M", name="period")
        routes = pd.concat([route_arrivals(known, totals_only=True), own_route_figures(known)])
        return [(counts(known, months), 0), (_wide(routes[routes["freq"] == FREQ], months), 1)]

    def lessons(freq: Frequency) -> Lessons:
        return cache(lambda year: World.of([(panel.added_up(freq), kind) for panel, kind in monthly(year)]))

    return {freq: lessons(freq) for freq in (FREQ, "Q")}


def bundled_history() -> pd.DataFrame:
    """Return the default region's snapshot as ``VintageStore.history`` would: the same in every home."""
    figures = snapshot.load(SNAPSHOT)
    figures = figures[~figures["source_id"].isin(elsewhere([DEFAULT_REGION]))].reset_index(drop=True)
    cell = figures.groupby(["source_id", "series_id", "time_period"], sort=False, observed=True).ngroup()
    return figures.assign(**{CELL: cell})


@dataclass(frozen=True)
class PooledNight:
    """Fit and run the pooled model on the figures of one night.

    Attributes:
        data: What was known tonight and at past origins.
        fits: Where fits are kept from night to night.
        workers: Who fits and forecasts.
    """

    data: RealTimeData
    fits: Fits
    workers: Workers = None
    _known: dict[Frequency, Lessons] = field(default_factory=dict)
    _parts_made: dict[str, QuantileTable] = field(default_factory=dict)

    def lessons(self, freq: Frequency) -> Lessons:
        """What the fits of each year learn from, for series of a frequency."""
        if not self._known:
            self._known.update(priors_from(lambda: self.data.vintages, self.data.date))
        return self._known[freq]

    def forecast(self, level: Level, horizons: Sequence[int], progress: Progress | None = None) -> QuantileTable:
        """Forecast any monthly series with the fits of their origins' years."""
        (made,) = run_pooled(
            MODEL_ID, [level], horizons=horizons, lessons=self.lessons(FREQ),
            workers=self.workers, progress=progress, fits=self.fits,
        )  # fmt: skip
        return made

    def forecast_last(self, panel: Panel, horizons: Sequence[int]) -> QuantileTable:
        """Forecast routes with some other history from each one's last value."""
        return self.forecast(Level(panel, present_origins(panel), 1), horizons)

    def routes(self, origins: int, horizons: Sequence[int], progress: Progress | None = None) -> QuantileTable:
        """Every route's forecasts by the pooled model and by the sum of its nationalities, now and at past origins.

        Args:
            origins: Number of past origins, at each of which a route's history is the one known then.
            horizons: Periods ahead.
            progress: Reports after every fit.
        """
        panel = self.data.panel
        wanted = past_origins(panel, origins=origins, step=1)
        then = dict(sorted(self.data.past_panels.items())[-origins:])
        otherwise, otherwise_wanted = _known_otherwise(panel, wanted, then)
        wanted |= present_origins(panel)
        made = [self.forecast(Level(panel, wanted, 1), horizons, progress)]
        if len(otherwise.series_ids):
            revised = self.forecast(Level(otherwise, otherwise_wanted, 1), horizons, progress)
            names = revised.keys["series_id"].str.partition(" ")[2]
            made.append(QuantileTable(revised.keys.assign(series_id=names), revised.quantiles))
        made += [self._sums(*route, origins, horizons, progress) for route in self._parts()]
        return stack(made)

    def _parts(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Routes that are forecast tonight and long known by nationality: series, and its parts' rows."""
        rows = self.data.routes
        named = rows[rows["citizen"] != ALL]
        series = self.data.states.set_index("route_id")["series_id"]
        for route_id, own in named.groupby("route_id", sort=True):
            long = own["time_period"].nunique() >= FEWEST_OF_PARTS
            if long and series[route_id] in self.data.forecastable:
                yield series[route_id], own

    def held(self, total: str, year: int) -> PooledNight:
        """What forecasts one route anywhere with the fits of a year and the two before, none of whose work is kept."""
        lessons, sums = self.lessons(FREQ), {name: one for name, one in self._parts_made.items() if name == total}
        learned = partial(_learned, {one: lessons(one) for one in range(year - 2, year + 1)})
        data = replace(self.data, vintages=self.data.vintages.iloc[:0], progress=silent)
        return PooledNight(data, _ReadOnce(self.fits), 1, {FREQ: learned}, sums)

    def newest_sum(
        self, total: str, rows: pd.DataFrame, routes: Panel, date: dt.date, horizons: Sequence[int], longest: int
    ) -> list[QuantileTable]:
        """Forecast a route from other values by nationality, with the dependence between parts that was found before.

        Args:
            total: The route's series.
            rows: Its nationalities' values.
            routes: The calendar, which ends with the route's newest month.
            date: The day on which they are known.
            horizons: Periods ahead of the newest month by nationality.
            longest: Most periods ahead of the route's newest month.

        Returns:
            The forecast; nothing where a route is not added up from its nationalities, or these are too old.
        """
        panel = parts_panel(rows, routes, total)
        newest = newest_known(rows, panel.end_dates[-1:], date)
        if total not in self._parts_made or newest.isna().all():
            return []
        here = np.asarray(panel.end_dates == newest.iloc[0])
        late = len(here) - 1 - int(here.argmax())
        steps = [step for step in horizons if late < step <= late + longest]
        if not steps:
            return []
        made = self.forecast(Level(panel, panel.observed_at(here), 0), steps)
        sums = sum_of_parts(made, panel, TOTAL, pd.DatetimeIndex(newest), past=self._parts_made[total])
        return [looked_further_ahead(sums, newest, panel)]

    def _sums(
        self, total: str, rows: pd.DataFrame, origins: int, horizons: Sequence[int], progress: Progress | None
    ) -> QuantileTable:
        panel = parts_panel(rows, self.data.panel, total)
        wanted = past_origins(panel, origins=origins + WARM_UP, step=1)
        wanted[-1] = panel.matrix.iloc[-1].notna()
        made = self._parts_made[total] = self.forecast(Level(panel, wanted, 0), horizons, progress)
        newest = newest_known(rows, panel.end_dates, self.data.date)
        sums = sum_of_parts(made, panel, TOTAL, pd.DatetimeIndex(newest.dropna().unique()), workers=self.workers)
        return looked_further_ahead(sums, newest.iloc[-1 - origins :], panel)


def _learned(worlds: Mapping[int, World], year: int) -> World:
    """Of the year that is nearest to one."""
    return worlds[min(worlds, key=lambda known: abs(known - year))]


class _ReadOnce(InMemory):
    """Fits of a folder, each read once; nothing is written there."""

    def __init__(self, folder: Fits) -> None:
        super().__init__()
        self._folder = folder

    def get(self, key: str, default: bytes | None = None) -> bytes | None:  # type: ignore[override]  # as of Fits
        if key not in self and not key.endswith(PREDICTIONS):
            self[key] = self._folder.get(key) or b""
        return super().get(key, default)


def pooled_night(
    data: RealTimeData, home: Path, settings: Settings, workers: Workers
) -> tuple[PooledNight | None, Message | None]:
    """The pooled model where it is wanted and can run, and why it cannot where it is wanted."""
    if not settings.pooled_model:
        return None, None
    try:
        library()
    except InputError as error:
        return None, error.message
    return PooledNight(data, FitStore(home), workers), None


def counts(known: pd.DataFrame, months: pd.PeriodIndex) -> Panel:
    """Every monthly series of whole numbers that is long enough: counts of persons, deaths and the like."""
    monthly = known[(known["freq"] == FREQ) & (known["target"] != CAPACITY)]
    broken = monthly.loc[(monthly["obs_value"] % 1 != 0) | (monthly["obs_value"] < 0), "series_id"]
    panel = _wide(monthly[~monthly["series_id"].isin(broken.unique())], months)
    enough = (panel.matrix.notna().sum() >= FEWEST_MONTHS) & (panel.matrix.sum() >= SMALLEST_SUM)
    return panel.select([str(name) for name in panel.matrix.columns[enough]])


def parts_panel(rows: pd.DataFrame, routes: Panel, total: str) -> Panel:
    """A route's nationalities on the routes' calendar; one that a month does not name counts zero in it."""
    wide = _wide(rows, routes.periods).matrix
    stated = wide.notna().any(axis=1)
    matrix = wide.where(~stated, wide.fillna(0.0))
    return Panel(FREQ, matrix, pd.DataFrame({TOTAL: total}, index=matrix.columns))


def newest_known(rows: pd.DataFrame, ends: pd.DatetimeIndex, date: dt.date) -> pd.Series:
    """The last month by nationality that was wholly known when each of some months was settled.

    Returns:
        Month's end by month's end; NaT where none was known.
    """
    published = rows.groupby("time_period")["as_of"].max().sort_index()
    published.index = pd.PeriodIndex(published.index, freq="M").end_time.normalize()
    found = []
    for end in ends:
        settled = min(end + pd.Timedelta(days=SETTLED_DAYS), pd.Timestamp(date))
        found.append(published.index[(published.index <= end) & (published <= settled)].max())
    return pd.Series(pd.DatetimeIndex(found), index=ends)


def looked_further_ahead(sums: QuantileTable, newest: pd.Series, panel: Panel) -> QuantileTable:
    """Forecasts from the month that was known as forecasts from the month that is asked for, so much nearer.

    Args:
        sums: Forecasts from months by nationality.
        newest: That month by the origin that is asked for.
        panel: The calendar.
    """
    ends = panel.end_dates
    tables = []
    for origin, known in newest.dropna().items():
        late = int(ends.searchsorted(pd.Timestamp(str(origin)))) - int(ends.searchsorted(known))
        here = sums.where(((sums.keys["origin_date"] == known) & (sums.keys["horizon"] > late)).to_numpy())
        keys = here.keys.assign(origin_date=pd.Timestamp(str(origin)), horizon=here.keys["horizon"] - late)
        tables.append(QuantileTable(keys, here.quantiles))
    return stack(tables) if tables else sums.where(np.zeros(len(sums.keys), dtype=bool))


def _known_otherwise(panel: Panel, wanted: BoolArray, then: dict[pd.Timestamp, Panel]) -> tuple[Panel, BoolArray]:
    """Histories that were known differently at their origin, as series of their own with a wanted origin each.

    The origins that they answer for are taken out of ``wanted``, as are those at which a series was not known.
    """
    parts = []
    for end, known in then.items():
        row = int(panel.end_dates.searchsorted(end))
        now = panel.matrix.iloc[: row + 1]
        was = known.matrix.reindex(index=now.index, columns=now.columns)
        differs = ~((was == now) | (was.isna() & now.isna())).all().to_numpy()
        wanted[row, differs] = False
        parts.append(was.loc[:, differs & was.iloc[-1].notna()].add_prefix(f"{end:%Y-%m} "))
    matrix = pd.concat([pd.DataFrame(index=panel.periods), *parts], axis=1).rename_axis(columns="series_id")
    otherwise = Panel(FREQ, matrix, pd.DataFrame(index=matrix.columns))
    return otherwise, otherwise.at_last()


def _wide(rows: pd.DataFrame, months: pd.PeriodIndex) -> Panel:
    wide = rows.pivot_table(index="time_period", columns="series_id", values="obs_value", aggfunc="last")
    matrix = wide.reindex(months.astype(str)).set_axis(months, axis=0).dropna(axis=1, how="all").astype(float)
    return Panel(FREQ, matrix, pd.DataFrame(index=matrix.columns))

"""Forecasts of a night: members at past origins (only those not made before), the present, and their ensemble.

Past forecasts by nationality are made to be judged: is the forecast as good for every group of people? A release
forecasts routes, not nationalities. The same engine forecasts the largest nationalities at the past origins,
from the figures as they are known tonight (no past editions of the breakdowns are kept), cut at each origin. Errors are
summed by region of origin too (``data/countries.toml``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from core import FloatArray
from core.calendar import PLANNING_MONTHS, planning_window
from core.countries import region_of
from core.languages import marked as _
from core.log import ProgressReport, announce
from core.release import NOWCASTS
from core.routes import ARRIVAL_SERIES
from core.schema import ALL
from core.settings import Settings
from forecasting import BASELINE, ENSEMBLE
from forecasting.ensemble import combine
from forecasting.hindcast import Fits, WorkList, joined, present_work, run_work, was_cut_off, work_as_known
from forecasting.members import Request
from forecasting.models import MODELS
from forecasting.panel import Panel, panel_from_observations
from forecasting.pooled import present_origins
from forecasting.quantiles import to_matrix, to_rows
from forecasting.runs import forecasts_at
from forecasting.trajectories import sample_paths, update_with_nowcasts
from forecasting.verification import group_errors
from forecasting.workers import Progress, Workers
from forecasting.year_ahead import REACH, total_scores, year_ahead
from nightly import FREQ, RealTimeData
from nightly.pooled import PooledNight
from store.releases.caches import COLUMNS, BacktestStore

HORIZONS = tuple(range(1, 13))
FARTHER = tuple(range(1, REACH + 1))
"""Horizons that are forecast; those beyond ``HORIZONS`` only enter the totals of the year ahead."""
FIT = ["model_id", "series_id", "origin_date"]
"""What one fit answers for."""
ROW = [*FIT, "horizon", "output_type_id"]
GROUP_ORIGINS = 36
"""Past origins: at twelve months ahead 24 forecasts are left to score."""
GROUP_HORIZONS = (1, 3, 6, 12)
LARGEST_GROUPS = 10
"""Nationalities per route, chosen by what was known at the first origin. Those of two routes make a panel of
:data:`forecasting.members.MANY`, on which no model of single series is fitted, which would take a minute."""
FEWEST_GROUP_MONTHS = 72


@dataclass(frozen=True)
class ForecastSet:
    """What the engine says on one night.

    Attributes:
        current: Every member and the ensemble from each route's last complete month (``FORECASTS`` with flags).
        hindcasts: The same at past origins, refitted there on what was known.
        paths: Joint sample paths of the ensemble's current forecasts.
        computed: Number of hindcasts that were not stored yet.
        cut_off: One record per model and series whose fits were cut off tonight: ``model_id``, ``series_id``,
            ``fits`` and ``reason``. They are left out of the ensemble.
        fallbacks: Number of series for which the baseline answers tonight, by model.
        farther: As far as the year ahead needs them: the ensemble from each route's last complete month, the same at
            past origins, and the baseline there.
        nowcasts: Those that the present forecasts follow (``core.release.NOWCASTS``).
    """

    current: pd.DataFrame
    hindcasts: pd.DataFrame
    paths: pd.DataFrame
    computed: int
    cut_off: list[dict[str, Any]] = field(default_factory=list)
    fallbacks: dict[Hashable, int] = field(default_factory=dict)
    farther: tuple[pd.DataFrame, ...] = ()
    nowcasts: pd.DataFrame = field(default_factory=NOWCASTS.empty)

    @cached_property
    def current_ensemble(self) -> pd.DataFrame:
        """The ensemble's current forecasts."""
        return of_model(self.current, ENSEMBLE)

    @cached_property
    def past_ensemble(self) -> pd.DataFrame:
        """The ensemble's hindcasts."""
        return of_model(self.hindcasts, ENSEMBLE)

    def with_nowcasts(self, found: pd.DataFrame) -> ForecastSet:
        """The same, with nowcasts that were better in the place of the ensemble's first month; paths follow."""
        used = found[found["used"]]
        if used.empty:
            return self
        served, paths = update_with_nowcasts(self.current_ensemble, self.paths, _by_series(used))
        members = self.current[self.current["model_id"] != ENSEMBLE]
        return replace(self, current=pd.concat([members, served], ignore_index=True), paths=paths, nowcasts=used)

    def year_ahead(self, panel: Panel) -> Callable[[], pd.DataFrame]:
        """What makes totals of the running and the next year from the same paths (``core.release.YEAR_AHEAD``)."""
        far, past, baseline = map(to_matrix, self.farther)
        nowcasts, n = _by_series(self.nowcasts), int(self.paths["output_type_id"].nunique())
        return partial(year_ahead, far, past, baseline, panel, nowcasts=nowcasts, together=ARRIVAL_SERIES, n=n)

    def total_scores(self, panel: Panel, date: dt.date) -> Callable[[], pd.DataFrame]:
        """What makes the record of the totals that titles name (table ``total_scores``)."""
        _far, past, baseline = map(to_matrix, self.farther)
        first = planning_window(date)[0].ordinal - panel.periods[-1].ordinal
        steps = range(first, first + PLANNING_MONTHS)
        return partial(total_scores, past, baseline, panel, steps, ARRIVAL_SERIES)


def _by_series(nowcasts: pd.DataFrame) -> dict[str, FloatArray]:
    return {
        str(series_id): rows.sort_values("output_type_id")["value"].to_numpy(dtype=float)
        for series_id, rows in nowcasts.groupby("series_id")
    }


def make_forecasts(
    data: RealTimeData,
    settings: Settings,
    cache: BacktestStore,
    progress: ProgressReport,
    workers: Workers = None,
    pooled: PooledNight | None = None,
) -> ForecastSet:
    """Forecast the present, and complete the hindcasts.

    Raises:
        InputError: No route can be forecast.
    """
    with ThreadPoolExecutor() as beside:  # these rounds need nothing of each other and share the processes
        now = beside.submit(
            run_work, present_work(data.panel, models=list(MODELS)), horizons=FARTHER, workers=workers,
            progress=partial(progress, _("Forecasting the present")),
        )  # fmt: skip
        work = _past_work(data, settings)
        stage = partial(progress, _("Fitting the pooled model"))
        learned = (
            beside.submit(pooled.routes, settings.backtest_origins, FARTHER, stage) if pooled is not None else None
        )
        past, made = hindcasts(
            work, cache, horizons=FARTHER, workers=workers, progress=partial(progress, _("Scoring past forecasts"))
        )
        present = to_rows(now.result())
        if learned is not None:
            announce(progress, _("Forecasting with the pooled model"))
            rows = _beside(to_rows(learned.result()), pd.concat([present, past]))
            past = pd.concat([past, rows], ignore_index=True)
    announce(progress, _("Ensemble"))
    # A past origin of one series may be the present one of another: the forecast is the same, and is kept once.
    together = pd.concat([present, past], ignore_index=True).drop_duplicates(ROW)
    combined = to_rows(combine(together, data.panel).forecasts)
    current, former = _now_and_then(pd.concat([together, combined]), data.panel)
    announce(progress, _("Paths"))
    newest, earlier = of_model(current, ENSEMBLE), of_model(former, ENSEMBLE)
    paths = sample_paths(newest, earlier, data.panel, n=settings.trajectories)
    return ForecastSet(
        near(current),
        near(former),
        near(paths),
        len(made.drop_duplicates(FIT)),
        _cut_off(pd.concat([made, present], ignore_index=True)),
        present[present["fallback"]].groupby("model_id")["series_id"].nunique().to_dict(),
        (newest, earlier, of_model(former, BASELINE)),
    )  # fmt: skip


def _now_and_then(rows: pd.DataFrame, panel: Panel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecasts from each series' last value, and those from earlier ones."""
    last = panel.matrix.apply(lambda column: column.last_valid_index().end_time.normalize())
    is_current = rows["origin_date"] == rows["series_id"].map(last)
    current, former = (rows[chosen].reset_index(drop=True) for chosen in (is_current, ~is_current))
    return current, former


@dataclass(frozen=True)
class PanelEngine:
    """The engine of ``vigie forecast``, whose pooled model is fitted here on every count that is known.

    Attributes:
        origins: Most past origins.
        progress: Reports the fits done.
        fits: Where fits are kept.
        workers: Processes.
        pooled: The pooled model, if it takes part.
    """

    origins: int
    progress: ProgressReport
    fits: Fits | None = None
    workers: Workers = None
    pooled: PooledNight | None = None

    def forecast(
        self, panel: Panel, most: int, horizons: Sequence[int], kind: int = 0
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Quantile rows of ensemble and baseline from each series' last value, and from ``most`` origins before it."""
        request = Request(
            [panel], None, [BASELINE, ENSEMBLE], horizons, self.workers, self.progress, fits=self.fits,
            lessons=self.pooled.lessons(panel.freq) if self.pooled else None, pools=self.pooled is not None, kind=kind,
        )  # fmt: skip
        back = panel.last_rows() - np.arange(len(panel.matrix))[:, None]
        recent = (back > 0) & (back <= min(self.origins, most))
        wanted = present_origins(panel) | (recent & panel.matrix.notna().to_numpy())
        return _now_and_then(to_rows(forecasts_at(request, [wanted]).table), panel)


def hindcasts(
    work: WorkList,
    cache: BacktestStore,
    *,
    horizons: Sequence[int],
    workers: Workers = None,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the hindcasts that are not stored yet, and store them; what was cut off is not, and is tried again.

    Returns:
        Rows of ``store.releases.caches.COLUMNS`` for the whole work, and those of them that were made now.

    Raises:
        StoreError: The cache is damaged or cannot be written.
    """
    stored = work.matching(cache.read(work.table), horizons)
    rest = work.without(stored, horizons[-1])
    made = to_rows(run_work(rest, horizons=horizons, workers=workers, progress=progress))
    cache.append(made[~was_cut_off(made)])
    parts = [part[COLUMNS] for part in (stored, made) if len(part)]
    return (pd.concat(parts, ignore_index=True) if parts else made.reindex(columns=COLUMNS)), made


def _beside(learned: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Only forecasts from where models of single series have one too: the series had a value there, as known then."""
    return learned.merge(others[["series_id", "origin_date"]].drop_duplicates())


def near(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows up to a year ahead."""
    return rows[rows["horizon"] <= HORIZONS[-1]].reset_index(drop=True)


def of_model(forecasts: pd.DataFrame, model_id: str) -> pd.DataFrame:
    """The rows of one model."""
    return forecasts[forecasts["model_id"] == model_id].reset_index(drop=True)


def _past_work(data: RealTimeData, settings: Settings) -> WorkList:
    """Every member at past origins, from what was known there; slow ones at fewer."""
    fast = [model_id for model_id, model in MODELS.items() if not model.slow]
    slow = [model_id for model_id, model in MODELS.items() if model.slow]
    ends = data.panel.end_dates[:-1]
    return joined(
        work_as_known({end: data.past_panels[end] for end in ends[-origins:]}, models=models)
        for origins, models in ((settings.backtest_origins, fast), (settings.slow_backtest_origins, slow))
    )


def _cut_off(made: pd.DataFrame) -> list[dict[str, Any]]:
    rows = made[was_cut_off(made)].drop_duplicates(FIT)
    found = rows.groupby(["model_id", "series_id"]).agg(fits=("origin_date", "size"), reason=("reason", "first"))
    return [{str(key): value for key, value in row.items()} for row in found.reset_index().to_dict("records")]


def errors_by_group(data: RealTimeData, past: pd.DataFrame, engine: PanelEngine) -> pd.DataFrame:
    """Errors of the ensemble by route, by region of origin and route, and by nationality and route.

    Returns:
        A frame of ``forecasting.verification.COLUMNS``. A route whose breakdown is shorter than six years has no
        row by nationality: it cannot be judged.
    """
    routes = data.states.assign(kind="route", geo=ALL, group=ALL)
    parts = [group_errors(past, data.panel, routes[["series_id", "kind", "route_id", "geo", "group"]])]
    named = breakdowns(data)
    if len(named):
        panel = panel_from_observations(named, None, FREQ)
        _now, then = engine.forecast(panel, GROUP_ORIGINS, GROUP_HORIZONS)
        parts.append(group_errors(of_model(then, ENSEMBLE), panel, _groups(named)))
    return pd.concat(parts, ignore_index=True)


def breakdowns(data: RealTimeData) -> pd.DataFrame:
    """The largest nationalities of every route whose breakdown is long enough, or of its place with the longest one.

    Returns:
        Observations. An absent month inside a breakdown's span counts zero.
    """
    cells = data.observations
    cells = cells[cells["target"].isin(data.targets) & (cells["freq"] == FREQ) & (cells["citizen"] != ALL)]
    chosen = []
    for _route, rows in cells.groupby("route_id"):
        length = rows.groupby(["source_id", "geo"])["time_period"].nunique()
        long = length[length >= FEWEST_GROUP_MONTHS].reset_index()
        if long.empty:
            continue
        # The whole route before its places, then the longest.
        first = long.assign(place=long["geo"] != ALL).sort_values(["place", "time_period"], ascending=[True, False])
        source_id, geo = first.iloc[0][["source_id", "geo"]]
        chosen.append(_largest_groups(rows[(rows["source_id"] == source_id) & (rows["geo"] == geo)]))
    return pd.concat(chosen, ignore_index=True) if chosen else cells.iloc[:0]


def _largest_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """The largest at the first origin, with zeros where a month names others only."""
    wide = rows.pivot_table(index="time_period", columns="series_id", values="obs_value", aggfunc="last")
    span = [str(month) for month in pd.period_range(wide.index.min(), wide.index.max(), freq=FREQ)]
    stated = wide.reindex(span)
    # A month without a single row is a gap of the source, not a month without arrivals.
    filled = stated.where(stated.isna().all(axis=1), stated.fillna(0.0))
    known_then = filled.iloc[: -(GROUP_ORIGINS + 1)]
    kept = known_then.sum().nlargest(LARGEST_GROUPS).index
    months = filled[kept].reset_index(names="time_period")
    long = months.melt("time_period", var_name="series_id", value_name="obs_value").dropna(subset="obs_value")
    facts = rows.drop_duplicates("series_id").drop(columns=["time_period", "obs_value"])
    return long.merge(facts, on="series_id")


def _groups(rows: pd.DataFrame) -> pd.DataFrame:
    series = rows.drop_duplicates("series_id")[["series_id", "route_id", "geo", "citizen"]]
    regions = series.assign(kind="region", group=series["citizen"].map(region_of))
    nations = series.assign(kind="citizen", group=series["citizen"])
    return pd.concat([regions, nations], ignore_index=True).drop(columns="citizen")

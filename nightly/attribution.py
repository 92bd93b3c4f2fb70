"""Why each route's forecast moved since the release before: the served engine run on a ladder of data.

Data steps keep what the release before had fitted: the structural model's variances, the pooled model's fit of that
year and the calibration's factors. The dependence of sample paths and between nationalities is this night's; the
regression on daily counts is estimated on the values of each step.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from alerts.rules import EXCEEDANCE
from core import FloatArray
from core.calendar import planning_window
from core.errors import InputError
from core.release import ATTRIBUTION
from core.routes import REGIONS
from core.schema import ALL, concat_filled, typed
from forecasting import BASELINE, ENSEMBLE, LEVELS, STRUCTURAL, FitError, Model
from forecasting.attribution import Sources, ladder
from forecasting.days import daily_history
from forecasting.ensemble import MEMBERS, combine
from forecasting.hindcast import present_work, run_work
from forecasting.models import MODELS, safe_forecast
from forecasting.models.structural import estimate, predict
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import QuantileTable, rank_shares, stack, to_matrix, value_at
from forecasting.trajectories import conditioned
from forecasting.workers import Workers, run_tasks
from ingest.routes import daily_arrivals
from nightly import FREQ, RealTimeData, route_values
from nightly.forecasts import FARTHER, HORIZONS, ForecastSet
from nightly.nowcasts import RouteDays
from nightly.pooled import PooledNight
from store.figures import reduce_as_of
from store.releases import Release

_CELL = ["source_id", "series_id", "time_period"]
_REACH = pd.DateOffset(months=40)
"""How far back past forecasts reach from which the calibration takes its factors: 24 targets a year ahead."""
_LOW, _MIDDLE, _HIGH = (int(np.argmin(np.abs(LEVELS - level))) for level in (0.1, 0.5, 0.9))


@dataclass(frozen=True)
class Served:
    """A forecast as it is served.

    Attributes:
        quantiles: One row per month (its last day), one column per level.
        paths: One row per path, one column per month.
    """

    quantiles: pd.DataFrame
    paths: pd.DataFrame

    @staticmethod
    def of(forecasts: pd.DataFrame, paths: pd.DataFrame, series_id: str) -> Served:
        """A series in the tables of a release."""
        table = to_matrix(forecasts[(forecasts["model_id"] == ENSEMBLE) & (forecasts["series_id"] == series_id)])
        own = paths[paths["series_id"] == series_id]
        ends = pd.DatetimeIndex(table.keys["target_end_date"])
        return Served(
            pd.DataFrame(table.quantiles, index=ends).sort_index(),
            own.pivot_table(index="output_type_id", columns="target_end_date", values="value"),
        )


@dataclass(frozen=True)
class Compared:
    """What is compared of two forecasts.

    Attributes:
        months: Last days of the months that both forecast.
        window: Those of the planning window; none where one is not among them.
        alert: Gravest open alert about the window, as a row of ``core.release.ALERTS``; None where none is open.
    """

    months: list[pd.Timestamp]
    window: list[pd.Timestamp]
    alert: Mapping[Hashable, Any] | None

    def keys(self) -> pd.DataFrame:
        """``target_end_date`` and ``quantity`` of every number."""
        last = [(self.window[-1], "total")] if self.window else []
        last += [(self.window[-1], "probability")] if self.window and self.alert else []
        of_months = [(month, quantity) for quantity in ("median", "width80") for month in self.months]
        return pd.DataFrame(of_months + last, columns=["target_end_date", "quantity"])

    def numbers(self, served: Served) -> FloatArray:
        """Every number of a forecast, in the order of :meth:`keys`; NaN where it does not reach all months."""
        if not {*self.months} <= {*served.quantiles.index}:
            return np.full(len(self.keys()), np.nan)
        rows, paths = served.quantiles.loc[self.months].to_numpy(), served.paths[self.window].to_numpy()
        found = [*rows[:, _MIDDLE], *(rows[:, _HIGH] - rows[:, _LOW])]
        if self.window:
            found.append(np.median(paths.sum(axis=1)))
        if self.window and self.alert:
            limit = np.full(1, self.alert["threshold"])
            found.append(EXCEEDANCE[self.alert["rule"]].happened(paths, limit).any(axis=1).mean())
        return np.asarray(found, dtype=float)


@dataclass(frozen=True)
class HeldEngine:
    """The served engine for one route, with what the release before had fitted.

    Attributes:
        series_id: The route's series.
        date: The night's date.
        then: Values on which the structural model was fitted (``core.release.OBSERVATIONS``).
        factors: Of spread and tails by horizon, shape ``(12, 2)``.
        ranks: Places of the sample paths in each horizon's distribution, shape ``(n, 12)``.
        pooled: The pooled model with the fits of then; None where it takes no part.
        follows_days: Whether the running month's nowcast takes the place of the first month.
    """

    series_id: str
    date: dt.date
    then: pd.DataFrame
    factors: FloatArray
    ranks: FloatArray
    pooled: PooledNight | None
    follows_days: bool

    def served(self, rows: pd.DataFrame) -> Served:
        """The forecast that follows from some values of the route's sources (``core.release.OBSERVATIONS``).

        Raises:
            InputError: The route has no value.
        """
        values = route_values(rows, REGIONS)
        panel = self._panel(values)
        table = combine(stack(self._members(panel, values)), panel, self.factors).forecasts
        quantiles = table.quantiles
        paths = np.stack([value_at(*one) for one in zip(self.ranks.T, quantiles, strict=True)], axis=1)
        days = daily_arrivals(rows) if self.follows_days else {}
        for daily in days.values():
            route = RouteDays(daily_history(daily), panel.matrix[self.series_id])
            nowcast = route.running(panel.end_dates[-1])
            if nowcast is not None:
                quantiles, paths = conditioned(quantiles, paths, nowcast.quantiles)
        ends = pd.DatetimeIndex(table.keys["target_end_date"])
        return Served(pd.DataFrame(quantiles, index=ends), pd.DataFrame(paths, columns=ends))

    def _panel(self, values: pd.DataFrame) -> Panel:
        return panel_from_observations(values[values["series_id"] == self.series_id], None, FREQ)

    @cached_property
    def _structural(self) -> Model:
        """The structural model with its variances of then."""
        panel, model = self._panel(route_values(self.then, REGIONS, totals_only=True)), MODELS[STRUCTURAL]
        with suppress(FitError):
            parameters = estimate(present_work(panel, models=[STRUCTURAL]).fits[0].history())
            model = replace(model, predict=partial(predict, parameters=parameters))
        return model

    def _members(self, panel: Panel, values: pd.DataFrame) -> list[QuantileTable]:
        pooled, work = self.pooled, present_work(panel, models=[BASELINE])
        baseline = run_work(work, horizons=HORIZONS, workers=1)
        made = safe_forecast(self._structural, work.fits[0].history(), HORIZONS[-1])
        keys = baseline.keys.assign(model_id=STRUCTURAL, fallback=made.reason != "", capped=made.capped)
        members = [baseline, QuantileTable(keys, made.quantiles)]
        if pooled is not None:
            members.append(pooled.forecast_last(panel, HORIZONS))
            parts = values[values["target"].eq(self.series_id.partition(".")[0]) & values["citizen"].ne(ALL)]
            if len(parts):
                members += pooled.newest_sum(self.series_id, parts, panel, self.date, FARTHER, HORIZONS[-1])
        return members


@dataclass(frozen=True)
class Change:
    """What became known of a route's sources between two releases.

    Attributes:
        then: Values as they were known.
        kept: The same cells as they are known now, and others of periods that each source had reached.
        new: Values of later periods.
    """

    then: pd.DataFrame
    kept: pd.DataFrame
    new: pd.DataFrame

    @staticmethod
    def between(then: pd.DataFrame, now: pd.DataFrame) -> Change:
        """Separate new periods from revised values."""
        reached = then.groupby(["source_id", "freq"])["time_period"].max()
        newest = reached.reindex(pd.MultiIndex.from_frame(now[["source_id", "freq"]])).fillna("").to_numpy()
        is_new = (now["time_period"] > newest).to_numpy()
        return Change(then, now[~is_new], now[is_new])

    def revised(self) -> list[str]:
        """Sources whose values of known periods differ."""
        both = self.then.merge(self.kept, on=_CELL, how="outer", suffixes=("_then", ""))
        return sorted(both.loc[both["obs_value_then"] != both["obs_value"], "source_id"].unique())

    def rows(self, revised: Sources, new: Sources) -> pd.DataFrame:
        """Values with the revisions and the new periods of some sources only."""
        former = self.then[~self.then["source_id"].isin(revised)]
        kept, later = self.kept[self.kept["source_id"].isin(revised)], self.new[self.new["source_id"].isin(new)]
        return pd.concat([former, kept, later], ignore_index=True)


def attribute(
    data: RealTimeData,
    before: Release | None,
    made: ForecastSet,
    tables: Mapping[str, pd.DataFrame],
    pooled: PooledNight | None,
    workers: Workers = 1,
) -> pd.DataFrame:
    """Steps between the release before and this night, for every route that both forecast.

    Args:
        data: What is known.
        before: The release before; None where there is none.
        made: Forecasts as the models made them.
        tables: ``forecasts``, ``trajectories``, ``nowcasts`` and ``alerts`` of this night.
        pooled: The pooled model, if it took part.
        workers: As of :func:`forecasting.workers.run_tasks`, a route each.

    Returns:
        A frame that keeps ``core.release.ATTRIBUTION``.
    """
    if before is None:
        return ATTRIBUTION.empty()
    former = {name: before.read(name) for name in ("forecasts", "trajectories", "nowcasts")}
    then, now = _known_then(data, before), data.known[data.known["target"].isin(data.targets)]
    values = route_values(then, data.regions, totals_only=True)
    known = {*former["forecasts"]["series_id"]} & {*values["series_id"]}
    both = [name for name in data.forecastable if name in known]
    if not both:
        return ATTRIBUTION.empty()
    route_of = data.states.set_index("series_id")["route_id"]
    factors = _factors_then(made.hindcasts, former["forecasts"], values, both)
    versions = _versions(made.current)
    is_same_model = all(
        versions.get(name, version) == version for name, version in _versions(former["forecasts"]).items()
    )
    nowcasts = pd.concat([former["nowcasts"], tables["nowcasts"]])
    follow_days = set(nowcasts.loc[nowcasts["used"].astype(bool), "series_id"])
    window = [month.end_time.normalize() for month in planning_window(data.date)]
    last_year = values.groupby("series_id")["time_period"].max().str[:4].astype(int)
    keys, ladders = [], []
    for name in both:
        old, new = (Served.of(one["forecasts"], one["trajectories"], name) for one in (former, tables))
        months = [month for month in new.quantiles.index if month in old.quantiles.index]
        compared = Compared(months, window if {*window} <= {*months} else [], _alert(tables["alerts"], name))
        change = Change.between(*(frame[frame["route_id"] == route_of[name]] for frame in (then, now)))
        paths = made.paths[made.paths["series_id"] == name].pivot_table("value", "output_type_id", "horizon")
        ranks = rank_shares(paths.to_numpy())
        held = pooled and pooled.held(name, last_year[name])
        engine = HeldEngine(name, data.date, change.then, factors[name], ranks, held, name in follow_days)
        task = partial(
            ladder, compared.numbers(old), compared.numbers(new), partial(_numbers, engine, change, compared),
            revised=change.revised(), new=sorted(change.new["source_id"].unique()), is_same_model=is_same_model,
        )  # fmt: skip
        ladders.append(task)
        keys.append(compared.keys().assign(series_id=name))
    made_steps = run_tasks(operator.call, ladders, workers=workers, is_small=True)
    of_series = ((own, *one) for own, steps in zip(keys, made_steps, strict=True) for one in steps.items())
    parts = [own.assign(step=step, value=effect) for own, step, effect in of_series]
    return typed(concat_filled(parts, ATTRIBUTION.empty()), ATTRIBUTION)


def _numbers(engine: HeldEngine, change: Change, compared: Compared, revised: Sources, new: Sources) -> FloatArray:
    """Numbers of the forecast that follows from a part of the change; NaN where a route has no value then."""
    try:
        return compared.numbers(engine.served(change.rows(revised, new)))
    except InputError:
        return np.full(len(compared.keys()), np.nan)


def _known_then(data: RealTimeData, before: Release) -> pd.DataFrame:
    """Values of arrivals as the release before had them: as known on its date, of rows that were stored by then."""
    rows = data.vintages[data.vintages["target"].isin(data.targets)]
    until = {source_id: facts["until"] for source_id, facts in before.manifest["vintages"].items()}
    stored = rows["stored_at"] <= pd.to_datetime(rows["source_id"].map(until))
    return reduce_as_of(rows[stored], before.as_of)


def _factors_then(
    past: pd.DataFrame, forecasts: pd.DataFrame, values: pd.DataFrame, series_ids: list[str]
) -> dict[str, FloatArray]:
    """The calibration's factors by series, shape ``(12, 2)``, as past forecasts gave them to the release before.

    Args:
        past: Every model's forecasts at past origins, as they are known now.
        forecasts: Those of the release before.
        values: The routes' values as they were known then.
        series_ids: The series.
    """
    panel = panel_from_observations(values[values["series_id"].isin(series_ids)], None, FREQ)
    used = [BASELINE, *MEMBERS]
    present = forecasts[forecasts["series_id"].isin(series_ids) & forecasts["model_id"].isin(used)]
    origin = present.groupby("series_id")["origin_date"].first()
    begun = past["series_id"].map(origin)
    recent = (past["origin_date"] < begun) & (past["origin_date"] >= begun - _REACH) & past["model_id"].isin(used)
    combined = combine(pd.concat([present, past[recent]], ignore_index=True), panel)
    keys = combined.forecasts.keys
    is_present = keys["origin_date"] == keys["series_id"].map(origin)
    return {name: combined.factors[(is_present & (keys["series_id"] == name)).to_numpy()] for name in series_ids}


def _versions(forecasts: pd.DataFrame) -> dict[str, str]:
    """Version of each model that the served forecast rests on."""
    used = forecasts[forecasts["model_id"].isin([BASELINE, ENSEMBLE, *MEMBERS])]
    return dict(used[["model_id", "model_version"]].drop_duplicates().itertuples(index=False, name=None))


def _alert(alerts: pd.DataFrame, series_id: str) -> Mapping[Hashable, Any] | None:
    """The gravest open alert about the months ahead, of a table that begins with the gravest."""
    rows = alerts[(alerts["series_id"] == series_id) & alerts["rule"].isin(EXCEEDANCE) & alerts["probability"].notna()]
    return next(iter(rows.to_dict("records")), None)

"""Past forecasts by nationality, made to be judged: is the forecast as good for every group of people?

A release forecasts routes, not nationalities. The same kind of models forecasts the largest nationalities at the past
origins, from the figures as they are known tonight (no past editions of the breakdowns are kept), cut at each origin.

Errors are summed by region of origin too (``data/countries.toml``).
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from core.countries import region_of
from core.log import ProgressReport
from core.schema import ALL
from forecasting.ensemble import combine
from forecasting.hindcast import backtest_work
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import to_rows
from forecasting.verification import group_errors
from forecasting.workers import Workers
from nightly import FREQ, TARGET, RealTimeData
from nightly.forecasts import hindcasts
from store.caches import BacktestStore

MODELS = ("vigie-baseline", "vigie-seasonal-walk", "vigie-theta")
"""Members that take milliseconds: hundreds of series must not delay the night."""
ORIGINS = 36
"""Past origins: at twelve months ahead 24 forecasts are left to score."""
HORIZONS = (1, 3, 6, 12)
LARGEST = 8
"""Nationalities per route, chosen by what was known at the first origin."""
FEWEST_MONTHS = 72


def errors_by_group(
    data: RealTimeData,
    past: pd.DataFrame,
    cache: BacktestStore,
    progress: ProgressReport,
    origins: int = ORIGINS,
    workers: Workers = None,
) -> pd.DataFrame:
    """Errors of the ensemble by route, by region of origin and route, and by nationality and route.

    Returns:
        A frame of ``forecasting.verification.COLUMNS``. A route whose breakdown is shorter than six years has no
        row by nationality: it cannot be judged.
    """
    routes = data.states.assign(kind="route", geo=ALL, group=ALL)
    parts = [group_errors(past, data.panel, routes[["series_id", "kind", "route_id", "geo", "group"]])]
    for _place, rows in breakdowns(data).groupby(["route_id", "geo"]):
        panel = panel_from_observations(rows, TARGET, FREQ)
        made = _hindcasts(panel, min(origins, ORIGINS), cache, progress, workers)
        parts.append(group_errors(made, panel, _groups(rows)))
    return pd.concat(parts, ignore_index=True)


def breakdowns(data: RealTimeData) -> pd.DataFrame:
    """The largest nationalities of every route whose breakdown is long enough, or of its place with the longest one.

    Returns:
        Observations. An absent month inside a breakdown's span counts nobody.
    """
    cells = data.observations
    cells = cells[(cells["target"] == TARGET) & (cells["freq"] == FREQ) & (cells["citizen"] != ALL)]
    chosen = []
    for _route, rows in cells.groupby("route_id"):
        length = rows.groupby(["source_id", "geo"])["time_period"].nunique()
        long = length[length >= FEWEST_MONTHS].reset_index()
        if long.empty:
            continue
        # The whole route before its places, then the longest.
        first = long.assign(place=long["geo"] != ALL).sort_values(["place", "time_period"], ascending=[True, False])
        source_id, geo = first.iloc[0][["source_id", "geo"]]
        chosen.append(_largest(rows[(rows["source_id"] == source_id) & (rows["geo"] == geo)]))
    return pd.concat(chosen, ignore_index=True) if chosen else cells.iloc[:0]


def _largest(rows: pd.DataFrame) -> pd.DataFrame:
    """The largest at the first origin, with zeros where a month names others only."""
    wide = rows.pivot_table(index="time_period", columns="series_id", values="obs_value", aggfunc="last")
    span = [str(month) for month in pd.period_range(wide.index.min(), wide.index.max(), freq=FREQ)]
    stated = wide.reindex(span)
    # A month without a single row is a gap of the source, not a month without arrivals.
    filled = stated.where(stated.isna().all(axis=1), stated.fillna(0.0))
    known_then = filled.iloc[: -(ORIGINS + 1)]
    kept = known_then.sum().nlargest(LARGEST).index
    months = filled[kept].reset_index(names="time_period")
    long = months.melt("time_period", var_name="series_id", value_name="obs_value").dropna(subset="obs_value")
    facts = rows.drop_duplicates("series_id").drop(columns=["time_period", "obs_value"])
    return long.merge(facts, on="series_id")


def _hindcasts(
    panel: Panel, origins: int, cache: BacktestStore, progress: ProgressReport, workers: Workers
) -> pd.DataFrame:
    """The ensemble of the fast members at past origins: those stored, and the rest made now."""
    work = backtest_work(panel, origins=origins, step=1, models=MODELS)
    stage = partial(progress, "Scoring past forecasts by nationality")
    members, _made = hindcasts(work, cache, horizons=HORIZONS, workers=workers, progress=stage)
    return to_rows(combine(members, panel).forecasts)


def _groups(rows: pd.DataFrame) -> pd.DataFrame:
    series = rows.drop_duplicates("series_id")[["series_id", "route_id", "geo", "citizen"]]
    regions = series.assign(kind="region", group=series["citizen"].map(region_of))
    nations = series.assign(kind="citizen", group=series["citizen"])
    return pd.concat([regions, nations], ignore_index=True).drop(columns="citizen")

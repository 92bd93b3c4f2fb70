"""Deaths and disappearances recorded by IOM's Missing Migrants Project, as sums by route and month.

The file lists incidents with their places. Only sums leave this module: no place, no coordinate, no single incident.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.schema import ALL
from ingest.figures import newest, to_observations
from ingest.frames import RowRule, future_rule, require_rows, set_aside
from ingest.raw import Parsed, RawFile, read_raw
from ingest.tables import read_rda

SOURCE_ID = "missing_migrants"
RAW_FILES = ("iom_missing_migrants/gdidata/iom_mmp.rda",)
LAG_DAYS = 90

ROUTES = {
    "Central Mediterranean Route": "CMR",
    "Eastern Mediterranean Route": "EMR",
    "Western Mediterranean Route": "WMR",
    "Western African Atlantic Route": "WAR",
}
"""Routes that mean what Vigie's mean. "Intra-European routes" mixes the Channel with others and is not told apart."""
PROVISIONAL_MONTHS = 3
_TABLE = "iom_mmp"


def fetch(path: Path) -> RawFile:
    """Read the R data file from disk."""
    return read_raw(path)


def parse(raw: RawFile) -> Parsed:
    """Sum the dead and missing of each route and month, and of the world (``route_id`` ``_T``).

    A month of the file's span without an incident counts 0: none was recorded. The newest three months are provisional.

    Raises:
        SourceError: The layout is broken.
    """
    incidents = read_rda(raw, _TABLE, ["t", "route", "dead"])[["t", "route", "dead"]]
    days = pd.to_numeric(incidents["t"], errors="coerce")
    dead = pd.to_numeric(incidents["dead"], errors="coerce")
    dates = pd.to_datetime(days.where(days.between(0, 40_000)), unit="D")
    rules = [
        RowRule("t", "the date is missing or impossible", dates.isna()),
        RowRule("t", "the date lies before the project began in 2014", dates < pd.Timestamp("2014-01-01")),
        future_rule(dates, "t"),
        RowRule("dead", "the count is missing or not a number", dead.isna() | ~np.isfinite(dead)),
        RowRule("dead", "the count is negative", dead < 0),
    ]
    good, rejected = set_aside(incidents, rules, source_id=SOURCE_ID, file=raw.name)
    require_rows(good, raw.name)
    sums = _sums(good["route"].map(ROUTES), dates[good.index], dead[good.index])
    figures = to_observations(
        raw, sums, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, target="deaths_and_disappearances",
        geo=ALL, citizen=ALL,
    )  # fmt: skip
    return Parsed(figures.observations, rejected)


def _sums(routes: pd.Series, dates: pd.Series, dead: pd.Series) -> pd.DataFrame:
    months = dates.dt.to_period("M")
    span = pd.period_range(months.min(), months.max(), freq="M")
    by_route = {
        route_id: dead[routes == route_id].groupby(months[routes == route_id]).sum().reindex(span, fill_value=0)
        for route_id in ROUTES.values()
    }
    by_route[ALL] = dead.groupby(months).sum().reindex(span, fill_value=0)
    sums = pd.concat(by_route, names=["route_id", "month"]).rename("value").reset_index()
    sums["time_period"] = sums["month"].astype(str)
    late = newest(sums["time_period"], PROVISIONAL_MONTHS)
    return sums.assign(obs_flag=late.map({True: "p", False: ""})).drop(columns="month")

"""Deaths and disappearances recorded by IOM's Missing Migrants Project, as sums by route and month.

The file lists incidents with their places. Only sums leave this module: no place, no coordinate, no single incident.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.aggregates import PLACES_OF_EVENTS
from core.schema import ALL
from ingest.exchange import Pull, get_file
from ingest.figures import newest, to_observations
from ingest.frames import RowRule, future_rule, require_rows, set_aside
from ingest.raw import Parsed, RawFile, read_raw
from ingest.tables import read_csv, read_rda, require_columns

SOURCE_ID = "missing_migrants"
RAW_FILES = ("iom_missing_migrants/gdidata/iom_mmp.rda",)
LAG_DAYS = 90

ROUTES = {
    "Central Mediterranean Route": "CMR",
    "Eastern Mediterranean Route": "EMR",
    "Western Mediterranean Route": "WMR",
    "Western African Atlantic Route": "WAR",
    "Central Mediterranean": "CMR",
    "Eastern Mediterranean": "EMR",
    "Western Mediterranean": "WMR",
    "Western Africa / Atlantic route to the Canary Islands": "WAR",
}
"""Routes that mean what Vigie's mean, as gdidata and as the publisher name them.

"Intra-European routes" mixes the Channel with others and is not told apart."""
PROVISIONAL_MONTHS = 3
COLUMNS = {
    "incident date": "date",
    "incident year": "year",
    "reported month": "month",
    "month": "month",
    "migration route": "route",
    "total number of dead and missing": "dead",
}
"""Columns of the publisher's table, in lower case: their capitals changed between editions. No other is read."""
_TABLE = "iom_mmp"


def fetch(path: Path) -> RawFile:
    """Read the R data file, or the publisher's table of all incidents (CSV), from disk."""
    return read_raw(path)


def download(pull: Pull) -> list[RawFile]:
    """Take the table of all incidents."""
    return [get_file(pull, pull.access.address("incidents"))]


def parse(raw: RawFile) -> Parsed:
    """Sum the dead and missing of each route and month, and of the world (``route_id`` ``_T``).

    A month of the file's span without an incident counts 0: none was recorded. The newest three months are provisional.

    Raises:
        SourceError: The layout is broken.
    """
    if raw.name.endswith(".csv"):
        incidents, dates = _read_csv(raw)
    else:
        table = read_rda(raw, _TABLE, ["t", "route", "dead"], tolerated=PLACES_OF_EVENTS)
        incidents = table[["t", "route", "dead"]]
        days = pd.to_numeric(incidents["t"], errors="coerce")
        dates = pd.to_datetime(days.where(days.between(0, 40_000)), unit="D")
    dead = pd.to_numeric(incidents["dead"], errors="coerce")
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
        for route_id in dict.fromkeys(ROUTES.values())
    }
    by_route[ALL] = dead.groupby(months).sum().reindex(span, fill_value=0)
    sums = pd.concat(by_route, names=["route_id", "month"]).rename("value").reset_index()
    sums["time_period"] = sums["month"].astype(str)
    late = newest(sums["time_period"], PROVISIONAL_MONTHS)
    return sums.assign(obs_flag=late.map({True: "p", False: ""})).drop(columns="month")


def _read_csv(raw: RawFile) -> tuple[pd.DataFrame, pd.Series]:
    """Incidents of the publisher's own table, with the day of each, or the first of its month where none is legible."""
    table = read_csv(raw, [], tolerated=PLACES_OF_EVENTS)
    named = table.rename(columns={column: COLUMNS.get(str(column).strip().lower(), "") for column in table.columns})
    incidents = named[[column for column in dict.fromkeys(named.columns) if column]]
    require_columns(incidents, ["date", "route", "dead"], raw.name)
    days = incidents["date"].str.strip().str[:10]
    dates = pd.to_datetime(days.where(days.str.fullmatch(r"\d{4}-\d{2}-\d{2}")), format="%Y-%m-%d", errors="coerce")
    if {"year", "month"} <= set(incidents.columns):
        months = pd.to_datetime(incidents["year"] + " " + incidents["month"], format="%Y %B", errors="coerce")
        dates = dates.fillna(months)
    return incidents.assign(t=incidents["date"])[["t", "route", "dead"]], dates

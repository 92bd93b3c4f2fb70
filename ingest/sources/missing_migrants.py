"""Deaths and disappearances recorded by IOM's Missing Migrants Project, as sums by route and month.

The files list incidents with their places. Only sums leave this module: no place, no coordinate, no single incident.
One number of an incident may stand in several rows, where an accident's deaths were found in several places.
"""

from __future__ import annotations

import json

import pandas as pd

from core.languages import marked as _
from core.schema import ALL, PLACES_OF_EVENTS
from ingest import Parsed, Pull, RawFile, get_file, json_rows, json_table
from ingest.rows import Reading, RowRule, epoch_days, flags, future_rule, newest, to_dates, to_days, to_numbers
from ingest.sources import LABELS
from ingest.tables import as_texts, read_csv, read_rda, require_columns

SOURCE_ID = "missing_migrants"
LAG_DAYS = 90

ROUTES: dict[str, str] = LABELS[SOURCE_ID]["routes"]
"""Routes that mean what Vigie's mean, as gdidata and as the publisher name them.

"Intra-European routes" mixes the Channel with others and is not split."""
OTHER_ROUTES = frozenset(LABELS[SOURCE_ID]["others_compiled"] + LABELS[SOURCE_ID]["others"])
"""Routes outside Vigie's own: they count in the world's sum. An incident of a route that stands nowhere here
is set aside, and many refuse the file: a route of ours may have been renamed, and would otherwise fall to none."""
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
JSON_FIELDS = {"reported_date": "t", "migration_route": "route", "total_dead_and_missing": "dead"}
"""Fields of the yearly lists. No other is read, but repetitions of a record are found by all of them."""
_TABLE = "iom_mmp"


def download(pull: Pull) -> list[RawFile]:
    """Take the table of all incidents or, with ``options.by_year``, the yearly lists as one file.

    Raises:
        SourceError: A list is missing or, but for the running year's, empty.
    """
    if not pull.access.option("by_year", bool):
        return [get_file(pull, pull.access.address("incidents"))]
    years = range(pull.access.option("since", int), pull.today.year + 1)
    lists = {year: get_file(pull, pull.access.address("years", str(year), "json")) for year in years}
    rows = [row for year, file in lists.items() for row in json_rows(file, may_be_empty=year == pull.today.year)]
    return [RawFile("missing-migrants.json", json.dumps(rows).encode())]


def parse(raw: RawFile) -> Parsed:
    """Sum the dead and missing of each route and month, and of the world (``route_id`` ``_T``).

    A month of the file's span without an incident counts 0: none was recorded. The newest three months are provisional.

    Raises:
        SourceError: The layout is broken.
    """
    repeated = pd.Series(dtype=bool)
    if raw.name.endswith(".csv"):
        incidents, dates, repeated = _read_csv(raw)
    elif raw.content.lstrip()[:1] in (b"[", b"{"):
        incidents, dates, repeated = _read_json(raw)
    else:
        table = read_rda(raw, _TABLE, ["t", "route", "dead"], tolerated=PLACES_OF_EVENTS)
        incidents = table[["t", "route", "dead"]]
        dates = epoch_days(incidents["t"])
    dead = to_numbers(incidents["dead"])
    routes = as_texts(incidents[["route"]])["route"].str.strip()
    rules = [
        RowRule("t", _("the date is missing or impossible"), dates.isna()),
        RowRule("t", _("the date lies before the project began in 2014"), dates < pd.Timestamp("2014-01-01")),
        future_rule(dates, "t"),
        RowRule("dead", _("the count is missing or not a number"), dead.isna()),
        RowRule("dead", _("the count is negative"), dead < 0),
        RowRule("route", _("the route is none that is known"), ~routes.isin([*ROUTES, *OTHER_ROUTES])),
        RowRule("t", _("the record is listed twice"), repeated.reindex(incidents.index, fill_value=False)),
    ]
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    good = reading.keep(incidents, *rules).index
    sums = _sums(routes[good].map(ROUTES), dates[good], dead[good])
    return reading.figures(sums, counts=True, target="deaths_and_disappearances", geo=ALL, citizen=ALL)


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
    return sums.assign(obs_flag=flags(late)).drop(columns="month")


def _read_csv(raw: RawFile) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Incidents of the publisher's own table, the day of each, and whether a line repeats an earlier one in every cell.

    Where no day is legible, it is the first of the month.
    """
    table = read_csv(raw, [], tolerated=PLACES_OF_EVENTS)
    named = table.rename(columns={column: COLUMNS.get(str(column).strip().lower(), "") for column in table.columns})
    incidents = named[[column for column in dict.fromkeys(named.columns) if column]]
    require_columns(incidents, ["date", "route", "dead"], raw.name)
    dates = to_days(incidents["date"], timed=True)
    if {"year", "month"} <= set(incidents.columns):
        dates = dates.fillna(to_dates(incidents["year"] + " " + incidents["month"], ".*", "%Y %B"))
    return incidents.assign(t=incidents["date"])[["t", "route", "dead"]], dates, table.duplicated()


def _read_json(raw: RawFile) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Incidents of yearly lists, the day of each, and whether a record repeats an earlier one in every field."""
    incidents = json_table(raw, list(JSON_FIELDS)).rename(columns=JSON_FIELDS)
    whole = pd.Series([json.dumps(row, sort_keys=True) for row in json_rows(raw)], index=incidents.index)
    return incidents, to_days(incidents["t"], timed=True), whole.duplicated()

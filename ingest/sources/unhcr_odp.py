"""UNHCR Operational Data Portal: monthly arrivals per country and, to Spain, by way; tables, or the portal's JSON.

Copies of the portal that others keep are read too: Italy by day, and its answers by country in 2026.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pandas as pd

from core.countries import map_countries
from core.errors import InputError, SourceError
from core.languages import marked as _
from core.schema import ALL, NOT_APPLICABLE
from ingest import SETTING, Parsed, Pull, RawFile, Request, gather, json_document, json_rows
from ingest.rows import (
    Reading,
    RowRule,
    figure_rules,
    flags,
    require_rows,
    to_days,
    to_months,
    to_numbers,
)
from ingest.tables import as_texts, read_csv, refuse_wrong_kind, require_columns

SOURCE_ID = "unhcr_odp"
LAG_DAYS = 10
"""UNHCR updates the portal weekly from the ministries' bulletins (Spain's come out on the 1st and the 15th): a month is
whole within about ten days."""

PARTIAL_MONTHS = 2
"""Newest months of a file that UNHCR still fills up: November 2019 holds 915 of Italy's 1,232 arrivals."""

_ITA, _MLT, _GRC, _CYP, _ESP = ("CMR", "ITA"), ("CMR", "MLT"), ("EMR", "GRC"), ("EMR", "CYP"), (NOT_APPLICABLE, "ESP")
_BY_SEA, _BY_LAND, _CANARIES = ("WMR", "ESP_SEA"), ("WMR", "ESP_LAND"), ("WAR", "ESP")
"""Route and place of what is counted: of Spain in all and by way. The mainland's sea includes the Balearics; its land
is Ceuta and Melilla."""
COUNTRIES = {"italy_all": _ITA, "malta_all": _MLT, "greece_all": _GRC, "cyprus_all": _CYP, "spain_all": _ESP}
"""Columns of the combined table. Those by sea and by land are parts of these and give no series."""
WAYS = {"arrivals_canary": _CANARIES, "arrivals_mainland_sea": _BY_SEA, "arrivals_mainland_land": _BY_LAND}
"""Columns of the Spanish files. The weather columns beside them are Open-Meteo's and are left alone."""
WIDGETS = {
    "italy": _ITA, "greece": _GRC, "cyprus": _CYP,
    "spain_sea": _BY_SEA, "spain_canaries": _CANARIES, "spain_land": _BY_LAND,
}  # fmt: skip
"""What a widget of ``options.widgets`` counts. Its answer does not say so: the file is named ``odp-<widget>.json``."""
GROUPS = {"4797": "sea", "4798": "land", "5634": "atlantic"}
"""Population groups, which decide what is counted: by sea, by land, and by sea to the Canary Islands."""
BY_GROUP: dict[tuple[str, str], tuple[str, str]] = {
    ("ITA", "sea"): _ITA, ("MLT", "sea"): _MLT, ("GRC", "sea"): _GRC, ("GRC", "land"): _GRC, ("CYP", "sea"): _CYP,
    ("CYP", "land"): _CYP, ("ESP", "sea"): _BY_SEA, ("ESP", "land"): _BY_LAND, ("ESP", "atlantic"): _CANARIES,
}  # fmt: skip
"""What a country's arrivals of a group are part of."""
SUBLOCATION = "odp-sublocation.json"
_SUM_COLUMNS = ["geomaster_name", "individuals", "date"]
_WIDGET_FILE = re.compile(r"odp-([a-z_]+)\.json")
_WIDGET_FIELDS = ("widget_id", "geo_id", "population_group")


def download(pull: Pull) -> list[RawFile]:
    """Ask for the sums since the first of each newest month, else each widget for its months.

    Raises:
        InputError: A widget of ``options.widgets`` is unknown or lacks its numbers, or the answer is empty.
    """
    widgets = pull.access.option("widgets", dict)
    requests = {f"odp-{name}.json": _widget_request(pull, str(name), widget) for name, widget in widgets.items()}
    if pull.access.option("months", int):
        try:
            return [_sums(pull)]
        except InputError as error:
            pull.failures.append(error)
    return gather(pull, {name: partial(_file, pull, name, request) for name, request in requests.items()})


def _file(pull: Pull, name: str, request: Request) -> RawFile:
    return RawFile(name, pull.ask(request).content)


def _sums(pull: Pull) -> RawFile:
    """Sums of each group by country since the first of each month: what a month holds is the difference of two."""
    newest = pd.Period(pull.today, freq="M")
    since: dict[str, dict[str, list[Any]]] = {}
    for month in pd.period_range(end=newest, periods=pull.access.option("months", int), freq="M"):
        since[str(month)] = {}
        for group in GROUPS:
            query = (
                ("geo_id", "0"), ("forcesublocation", "0"), ("sv_id", str(pull.access.option("situation", int))),
                ("population_group", group), ("fromDate", f"{month}-01"),
            )  # fmt: skip
            answer = pull.ask(Request(pull.access.address("sublocation"), query))
            file = RawFile(f"{SUBLOCATION}, {month}, {group}", answer.content)
            # the running month has no report in its first days; all months together have
            rows = json_rows(file, "data", may_be_empty=len(since) > 1)
            longest = next(iter(since.values())).get(group, [])
            if not rows and max(str(row.get("date", ""))[:7] for row in longest) >= str(month):
                raise SourceError(file.name, _("the list is empty, though a longer one has reports of that month"))
            since[str(month)][group] = rows
    return RawFile(SUBLOCATION, json.dumps(since).encode())


def _widget_request(pull: Pull, name: str, widget: object) -> Request:
    if name not in WIDGETS or not isinstance(widget, dict) or not set(_WIDGET_FIELDS) <= set(widget):
        known = f"must be one of {list(WIDGETS)} and give {', '.join(_WIDGET_FIELDS)}"
        raise InputError(f"{SETTING}, {SOURCE_ID}: options.widgets.{name} {known}")
    query = [
        ("widget_id", str(widget["widget_id"])),
        ("geo_id", str(widget["geo_id"])),
        ("sv_id", str(pull.access.option("situation", int))),
        ("population_group", str(widget["population_group"])),
        ("frequency", "month"),
        ("fromDate", pull.access.option("since", str)),
    ]
    if widget.get("admin_root"):
        query.append(("useAdmRootLevelData", "1"))
    return Request(pull.access.address("timeseries"), tuple(query))


def parse(raw: RawFile) -> Parsed:
    """Tabulate monthly arrivals.

    Returns:
        Series ``arrivals.<route>.<place>._T.M``; Spain's two ways into WMR stand apart as ``ESP_SEA`` and ``ESP_LAND``.
        The newest ``PARTIAL_MONTHS`` months are provisional. Cells "NA" give no figure. Nothing is set aside: each file
        re-sends its whole history, so one bad row refuses it.

    Raises:
        SourceError: The file is broken, or a single cell is neither NA nor a count of a month that has passed. Only a
            widget may hold the running month: it is set aside.
    """
    if raw.name == SUBLOCATION:
        return _parse_sums(raw)
    if widget := _WIDGET_FILE.fullmatch(raw.name):
        return _parse_widget(raw, widget[1])
    if raw.name.endswith(".json"):
        return by_country(raw)
    if raw.content.lstrip(b"\xef\xbb\xbf")[:20].replace(b'"', b"").startswith(b"data_date"):
        return italy_by_day(raw)
    # the combined table comes without an end of its last line
    frame = read_csv(raw, [], last_line_ends="month-year" not in raw.content[:200].decode("utf-8", "replace"))
    if "month-year" in frame.columns:
        require_columns(frame, ["month", "year", *COUNTRIES], raw.name)
        days, places = to_months(frame["year"] + "-" + frame["month"].str.zfill(2)), COUNTRIES
    else:
        places = {column: place for column, place in WAYS.items() if column in frame.columns}
        if len(places) != 1:
            fault = _("exactly one column of {known} is expected; found {found}")
            raise raw.fault(fault, row=1, known=list(WAYS), found=list(frame.columns))
        require_columns(frame, ["date"], raw.name)
        days = to_days(frame["date"])
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    tidy = pd.concat([_series(reading, frame, days, column, *place) for column, place in places.items()])
    return reading.parsed(tidy, **_ARRIVALS)


def _series(
    reading: Reading, frame: pd.DataFrame, days: pd.Series, column: str, route_id: str, geo: str
) -> pd.DataFrame:
    """Months of one column; the newest of the file are still filled up."""
    months = days.dt.to_period("M")
    partial = months > months.max() - PARTIAL_MONTHS
    rows = frame[[column]].assign(month=months.astype(str), obs_flag=flags(partial))[frame[column] != "NA"]
    ends = months[rows.index].dt.end_time.dt.normalize()
    rules = figure_rules(rows, ends, "month", column, ["month"], fault=_("the month does not exist"))
    good = reading.keep(rows, *rules, tolerated=0)
    return good.assign(route_id=route_id, geo=geo, time_period=good["month"], obs_value=to_numbers(good[column]))


_ARRIVALS = {"target": "arrivals", "citizen": ALL, "freq": "M"}


def _running_month() -> pd.Period:
    return pd.Timestamp.now(tz="UTC").tz_localize(None).to_period("M")


def _parse_widget(raw: RawFile, name: str) -> Parsed:
    if name not in WIDGETS:
        raise raw.fault(_("'{name}' is not a known widget; known: {known}"), name=name, known=", ".join(WIDGETS))
    refuse_wrong_kind(raw)
    rows = pd.DataFrame(json_rows(raw, "data", "timeseries"))
    require_columns(rows, ["month", "year", "individuals"], raw.name)
    text = as_texts(rows[["month", "year", "individuals"]])
    days = to_months(text["year"] + "-" + text["month"].str.zfill(2))
    running = days.dt.to_period("M") == _running_month()
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    past = reading.keep(text, RowRule("month", _("the month is not over"), running), tolerated=1)
    return reading.parsed(_series(reading, past, days[past.index], "individuals", *WIDGETS[name]), **_ARRIVALS)


def _parse_sums(raw: RawFile) -> Parsed:
    """Months as differences of sums since the first of two following ones, up to each country's newest report."""
    body = json.loads(raw.content)
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    frame = _reports(reading, body)
    require_rows(frame, raw.name)
    newest_report = frame.groupby("place")["reported"].max()
    sums = frame.pivot_table("sum", "since", "place", aggfunc="sum", fill_value=0.0)
    sums = sums.reindex(sorted(body), fill_value=0.0)
    months = (sums - sums.shift(-1, fill_value=0.0)).rename_axis(index="time_period").reset_index()
    cells = months.melt("time_period", var_name="place", value_name="obs_value")
    running = str(_running_month())
    cells = cells[(cells["time_period"] <= cells["place"].map(newest_report)) & (cells["time_period"] < running)]
    late = RowRule("obs_value", _("the sums since two months contradict each other"), cells["obs_value"] < 0)
    good = reading.keep(cells, late)
    partial_from = str(pd.Period(running, freq="M") - PARTIAL_MONTHS)
    tidy = good.assign(
        route_id=good["place"].str.split("/").str[0], geo=good["place"].str.split("/").str[1],
        obs_flag=flags(good["time_period"] >= partial_from),
    )  # fmt: skip
    return reading.parsed(tidy, **_ARRIVALS)


def _reports(reading: Reading, body: dict[str, dict[str, list[Any]]]) -> pd.DataFrame:
    """Sums since the first of each month, with the month of the report, of places that are part of a route."""
    rows = [
        {"since": month, "group": GROUPS[group], **{name: row.get(name, "") for name in _SUM_COLUMNS}}
        for month, groups in body.items()
        for group, found in groups.items()
        for row in found
        if isinstance(row, dict)
    ]
    frame = pd.DataFrame(rows, columns=["since", "group", *_SUM_COLUMNS]).astype(str)
    days = to_days(frame["date"], timed=True)
    rules = figure_rules(frame, days, "date", "individuals", fault=_("the day is impossible"))
    frame = reading.keep(frame, *rules, tolerated=0)
    countries = map_countries(frame["geomaster_name"], reading.raw.name)
    places = ["/".join(BY_GROUP.get(pair, ())) for pair in zip(countries, frame["group"], strict=True)]
    reported = days.dt.to_period("M").astype(str)
    frame = frame.assign(place=places, reported=reported, sum=to_numbers(frame["individuals"]))
    return frame[frame["place"] != ""]


DAYS = ["data_date", "unix_timestamp", "individuals"]
DAYS_FROM = "2025-07"
"""First month taken from the days: before it the ministry's own days and IOM's months are there, and go before."""
MINISTRY_UNTIL = "2025-09-15"
"""Last day of the ministry's own table; later days are these."""
_PLACES = {"ITA": _ITA, "GRC": _GRC, "CYP": _CYP, "ESP": _ESP}
"""Place of a country's months; Spain's are of all ways together."""


def italy_by_day(raw: RawFile) -> Parsed:
    """Italy's sea arrivals by month, and by day from where the ministry's days end; the last month is incomplete.

    Raises:
        SourceError: A cell is no count of a day that passed.
    """
    frame = read_csv(raw, DAYS)
    days = to_days(frame["data_date"])
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    good = reading.keep(frame, *figure_rules(frame, days, "data_date", "individuals", ["data_date"]), tolerated=0)
    found = good.assign(month=days[good.index].dt.to_period("M"), obs_value=to_numbers(good["individuals"]))
    found = found[found["month"] >= pd.Period(DAYS_FROM, freq="M")]
    whole = found[found["month"] < found["month"].max()]
    require_rows(whole, raw.name)
    months = whole.groupby("month")["obs_value"].sum().rename_axis("time_period").reset_index()
    by_day = found[found["data_date"] > MINISTRY_UNTIL].rename(columns={"data_date": "time_period"})
    tidy = pd.concat([by_day.assign(freq="D"), months.astype({"time_period": str}).assign(freq="M")], ignore_index=True)
    return reading.parsed(tidy, target="arrivals", route_id="CMR", geo="ITA", citizen=ALL)


def by_country(raw: RawFile) -> Parsed:
    """Months by country as the portal answered on the day that the copy names; the running month is set aside.

    Raises:
        SourceError: The layout is another, or a month holds no count.
    """
    day = _day_of(raw)
    rows = [
        {"country": country.get("country_code", ""), "month": str(month.get("date", "")), "people": month.get("people")}
        for country in json_rows(raw, "countries")
        for month in country.get("monthly", [])
    ]
    frame = pd.DataFrame(rows, columns=["country", "month", "people"])
    days = to_days(frame["month"])
    over = days.dt.to_period("M") < day.to_period("M")
    reading = Reading(raw, SOURCE_ID)
    reading.keep(frame, *figure_rules(frame, days, "month", "people", ["country", "month"]), tolerated=0)
    past = reading.keep(frame, RowRule("month", _("the month is not over"), ~over), tolerated=1)
    places = map_countries(past["country"], raw.name).map(_PLACES)
    months = days[past.index].dt.to_period("M")
    tidy = pd.DataFrame(
        {
            "route_id": places.str[0], "geo": places.str[1], "time_period": months.astype(str),
            "obs_value": to_numbers(past["people"]), "as_of": day,
            "obs_flag": flags(months >= day.to_period("M") - 2),
        }
    )  # fmt: skip
    return reading.parsed(tidy, target="arrivals", citizen=ALL, freq="M")


def _day_of(raw: RawFile) -> pd.Timestamp:
    """The day on which the portal answered so."""
    try:
        return pd.Timestamp(json_document(raw)["metadata"]["generated_at"]).tz_convert(None).normalize()
    except (ValueError, KeyError, TypeError):
        raise raw.fault(_("the copy does not say on which day it was made")) from None

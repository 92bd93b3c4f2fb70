"""Copies of UNHCR's portal that others keep: Italy by day, and what it answered by country in 2026."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from core.countries import map_countries
from core.errors import SourceError
from core.languages import marked as _
from core.schema import ALL
from ingest import Parsed, RawFile
from ingest.rows import (
    Reading,
    RowRule,
    count_rules,
    duplicate_rules,
    figure_rules,
    flags,
    require_rows,
    to_days,
    to_numbers,
)
from ingest.tables import read_csv

DAYS = ["data_date", "unix_timestamp", "individuals"]
DAYS_FROM = "2025-07"
"""First month taken from the days: before it the ministry's own days and IOM's months are there, and go before."""
MINISTRY_UNTIL = "2025-09-15"
"""Last day of the ministry's own table; later days are these."""
_PLACES = {"ITA": ("CMR", "ITA"), "GRC": ("EMR", "GRC"), "CYP": ("EMR", "CYP"), "ESP": ("_Z", "ESP")}
"""Place of a country's months; Spain's are of all ways together."""


def italy_by_day(raw: RawFile, source_id: str, lag_days: int) -> Parsed:
    """Italy's sea arrivals by month, and by day from where the ministry's days end; the last month is incomplete.

    Raises:
        SourceError: A cell is no count of a day that passed.
    """
    frame = read_csv(raw, DAYS)
    days = to_days(frame["data_date"])
    reading = Reading(raw, source_id, lag_days)
    good = reading.keep(
        frame,
        *figure_rules(frame, days, "data_date", "individuals", ["data_date"]),
        tolerated=0,
    )
    found = good.assign(month=days[good.index].dt.to_period("M"), obs_value=to_numbers(good["individuals"]))
    found = found[found["month"] >= pd.Period(DAYS_FROM, freq="M")]
    whole = found[found["month"] < found["month"].max()]
    require_rows(whole, raw.name)
    months = whole.groupby("month")["obs_value"].sum().rename_axis("time_period").reset_index()
    by_day = found[found["data_date"] > MINISTRY_UNTIL].rename(columns={"data_date": "time_period"})[
        ["time_period", "obs_value"]
    ]
    tidy = pd.concat([by_day.assign(freq="D"), months.astype({"time_period": str}).assign(freq="M")], ignore_index=True)
    return reading.parsed(tidy, target="arrivals", route_id="CMR", geo="ITA", citizen=ALL)


def by_country(raw: RawFile, source_id: str) -> Parsed:
    """Months by country as the portal answered on the day that the copy names; the running month is set aside.

    Raises:
        SourceError: The layout is another, or a month holds no count.
    """
    body, day = _dated(raw)
    rows = [
        {"country": country.get("country_code", ""), "month": str(month.get("date", "")), "people": month.get("people")}
        for country in _list(raw, body, "countries")
        for month in country.get("monthly", [])
    ]
    frame = pd.DataFrame(rows, columns=["country", "month", "people"])
    days = to_days(frame["month"])
    over = days.dt.to_period("M") < day.to_period("M")
    reading = Reading(raw, source_id)
    reading.keep(
        frame,
        RowRule("month", _("the day does not exist"), days.isna()),
        *count_rules(frame["people"], "people"),
        *duplicate_rules(frame, ["country", "month"], "people"),
        tolerated=0,
    )
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


def _dated(raw: RawFile) -> tuple[dict[str, Any], pd.Timestamp]:
    """The document, and the day on which the portal answered so."""
    try:
        body = json.loads(raw.content)
        day = pd.Timestamp(body["metadata"]["generated_at"]).tz_convert(None).normalize()
    except (ValueError, KeyError, TypeError):
        raise SourceError(raw.name, _("the copy does not say on which day it was made")) from None
    return body, day


def _list(raw: RawFile, body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found) or not found:
        raise SourceError(raw.name, _("'{name}' is no list of records"), name=name)
    return found

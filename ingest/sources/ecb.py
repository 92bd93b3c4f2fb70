"""Euro reference rates of the European Central Bank: daily, as monthly means of units of a currency per euro."""

from __future__ import annotations

import re

import pandas as pd

from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, get_file, unzipped
from ingest.rows import FIRST_MONTH, Reading, RowRule, flags, future_rule, melt, to_days, to_numbers
from ingest.tables import read_csv, refuse_wrong_kind

SOURCE_ID = "ecb"
LAG_DAYS = 1

MEMBER = r"eurofxref-hist\.csv"
_MISSING = {"", "N/A"}
_LARGEST = 50_000_000


def download(pull: Pull) -> list[RawFile]:
    """Take the archive of all daily rates."""
    return [get_file(pull, pull.access.address("history"))]


def parse(raw: RawFile) -> Parsed:
    """Average each currency's daily rates by month.

    The newest month is marked provisional while a working day of it is still to come.

    Returns:
        Series ``exchange_rate_<currency>``, in units of the currency per euro.

    Raises:
        SourceError: The layout is broken.
    """
    refuse_wrong_kind(raw)
    table = read_csv(unzipped(raw, MEMBER, _LARGEST), ["Date", "USD"])
    currencies = [column for column in table.columns if re.fullmatch(r"[A-Z]{3}", column)]
    days = melt(table[table["Date"] >= FIRST_MONTH], "Date", currencies, _MISSING)
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    return reading.figures(_monthly_means(reading.keep(days, *_rules(days))), counts=False)


def _rules(days: pd.DataFrame) -> list[RowRule]:
    dates = to_days(days["time_period"])
    is_rate = days["value"].str.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,12})?") & ~days["value"].str.fullmatch(r"[0.]+")
    return [
        RowRule("Date", _("the date is impossible"), dates.isna()),
        future_rule(dates, "Date"),
        RowRule("value", _("the rate is not a number above zero"), ~is_rate),
        RowRule("Date", _("the day is listed twice"), days.duplicated(["time_period", "name"])),
    ]


def _monthly_means(days: pd.DataFrame) -> pd.DataFrame:
    rates = days.assign(rate=to_numbers(days["value"]), month=days["time_period"].str[:7])
    means = rates.groupby(["name", "month"])["rate"].mean().round(6).reset_index()
    last_day = pd.Timestamp(days["time_period"].max())
    unfinished = (last_day + pd.offsets.BDay(1)).strftime("%Y-%m") == last_day.strftime("%Y-%m")
    running = (means["month"] == last_day.strftime("%Y-%m")) & unfinished
    return pd.DataFrame(
        {
            "target": "exchange_rate_" + means["name"].str.lower(),
            "time_period": means["month"],
            "value": means["rate"],
            "obs_flag": flags(running),
        }
    )

"""Euro reference rates of the European Central Bank: daily, as monthly means of units of a currency per euro."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from core.errors import SourceError
from core.languages import marked as _
from ingest.exchange import Pull, get_file
from ingest.figures import FIRST_MONTH, melt, to_observations
from ingest.frames import RowRule, future_rule, set_aside
from ingest.raw import Parsed, RawFile, read_raw
from ingest.tables import read_csv, refuse_wrong_kind

SOURCE_ID = "ecb"
RAW_FILES = ("fx/eurofxref-hist.zip",)
LAG_DAYS = 1

MEMBER = "eurofxref-hist.csv"
_MISSING = {"", "N/A"}
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_LARGEST = 50_000_000


def fetch(path: Path) -> RawFile:
    """Read the zip from disk."""
    return read_raw(path)


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
    table = read_csv(_unzip(raw), ["Date", "USD"])
    currencies = [column for column in table.columns if re.fullmatch(r"[A-Z]{3}", column)]
    days = melt(table[table["Date"] >= FIRST_MONTH], "Date", currencies, _MISSING)
    good, rejected = set_aside(days, _rules(days), source_id=SOURCE_ID, file=raw.name)
    if good.empty:
        raise SourceError(raw.name, _("the file holds no figures"))
    monthly = _monthly_means(good)
    figures = to_observations(raw, monthly, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=False)
    return Parsed(figures.observations, rejected)


def _unzip(raw: RawFile) -> RawFile:
    refuse_wrong_kind(raw)
    try:
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            if archive.getinfo(MEMBER).file_size > _LARGEST:
                raise SourceError(raw.name, _("{file} is larger than {n} MB"), file=MEMBER, n=_LARGEST // 10**6)
            return RawFile(raw.name, archive.read(MEMBER))
    except KeyError:
        raise SourceError(raw.name, _("the archive lacks {file}"), file=MEMBER) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise SourceError(raw.name, _("not a whole zip archive: {error}"), error=error) from None


def _rules(days: pd.DataFrame) -> list[RowRule]:
    dates = pd.to_datetime(days["time_period"].where(days["time_period"].str.fullmatch(_DAY)), errors="coerce")
    is_rate = days["value"].str.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,12})?") & ~days["value"].str.fullmatch(r"[0.]+")
    return [
        RowRule("Date", _("the date is impossible"), dates.isna()),
        future_rule(dates, "Date"),
        RowRule("value", _("the rate is not a number above zero"), ~is_rate),
        RowRule("Date", _("the day is listed twice"), days.duplicated(["time_period", "name"])),
    ]


def _monthly_means(days: pd.DataFrame) -> pd.DataFrame:
    rates = days.assign(rate=days["value"].astype(float), month=days["time_period"].str[:7])
    means = rates.groupby(["name", "month"])["rate"].mean().round(6).reset_index()
    last_day = pd.Timestamp(days["time_period"].max())
    unfinished = (last_day + pd.offsets.BDay(1)).strftime("%Y-%m") == last_day.strftime("%Y-%m")
    running = (means["month"] == last_day.strftime("%Y-%m")) & unfinished
    return pd.DataFrame(
        {
            "target": "exchange_rate_" + means["name"].str.lower(),
            "time_period": means["month"],
            "value": means["rate"],
            "obs_flag": running.map({True: "p", False: ""}),
        }
    )

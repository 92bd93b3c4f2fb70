"""UCDP's candidate events, one release per month: found, taken (as files, or page by page with a key) and summed."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass

import pandas as pd

from core.aggregates import PLACES_OF_EVENTS
from core.countries import map_countries
from core.errors import InputError, SourceError
from core.languages import marked as _
from ingest.access import FILE
from ingest.exchange import Pull, Request, as_file, get_file, json_body, json_rows
from ingest.frames import RowRule, require_rows, set_aside
from ingest.raw import RawFile
from ingest.tables import read_csv, require_columns

FILE_NAME = re.compile(r"GEDEvent_v(\d{2})_(?:0|01_\d{2})_(\d{1,2})\.(?:csv|json)")
"""A release of one month (``v26_0_5``), or of a year up to a month (``v26_01_26_06``)."""
ANNUAL_NAME = re.compile(r"ged(\d{2})1-csv\.zip")
"""The final release of a year: all events from 1989 to the end of the year before."""
_ANNUAL_MEMBER = re.compile(r"(?i)(?:.*/)?gedevent_v(\d{2})_1\.csv")
_PLACES = PLACES_OF_EVENTS | {"where_coordinates"}
"""Columns of places, which are there and never read."""
EVENT = "id"
"""Number of the event; releases without one cannot show repeats."""
COLUMNS = ["country", "date_start", "date_end", "best"]
TOKEN_HEADER = "x-ucdp-access-token"  # noqa: S105  # the header's name, not a token
PAGE_SIZE = 1000
LARGEST_ANNUAL = 1_500_000_000
"""Bytes of an annual table, unpacked; release 25.1 has some 250 million."""
NOT_FOUND = 404
UNPUBLISHED_MONTHS = 3
"""Newest months that may not be out yet: a release comes about three weeks after its month."""
_DAY = r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True)
class Release:
    """One release: a month, or a year up to that month."""

    month: pd.Period
    cumulative: bool = False

    @property
    def version(self) -> str:
        """As the API writes it."""
        year = f"{self.month.year % 100:02d}"
        return f"{year}.01.{year}.{self.month.month:02d}" if self.cumulative else f"{year}.0.{self.month.month}"

    @property
    def name(self) -> str:
        """As the file is called, without its ending."""
        return f"GEDEvent_v{self.version.replace('.', '_')}"


def download(pull: Pull) -> list[RawFile]:
    """Take the releases of the last months. A year's release up to a month replaces that year's earlier ones.

    Raises:
        SourceError: A release that must be out is not there.
    """
    newest = pd.Period(pull.today, freq="M") - 1
    files: list[RawFile] = []
    left = [newest - back for back in range(pull.access.whole("months"))]
    while left:
        month = left.pop(0)
        release, found = Release(month), _take(pull, Release(month))
        if found is None:
            release = Release(month, cumulative=True)
            found = _take(pull, release)
        if found is not None:
            files.append(found)
        elif (newest - month).n >= UNPUBLISHED_MONTHS:
            raise SourceError(
                release.name, _("the release of {month} is neither there alone nor in one of its year"), month=month
            )
        if found is not None and release.cumulative:
            left = [other for other in left if other.year != month.year]
    if not files:
        raise SourceError(Release(newest).name, _("no release of the last months is there"))
    return [*files, *_annual(pull, files)]


def _annual(pull: Pull, candidates: list[RawFile]) -> list[RawFile]:
    """The final release that ``options.annual`` names, such as ``25.1``; none by default, for it is large."""
    version = pull.access.text("annual")
    if not version:
        return []
    name = f"ged{version.replace('.', '')}-csv.zip"
    if not ANNUAL_NAME.fullmatch(name):
        raise InputError(f"{FILE}, {pull.access.source_id}: options.annual must be such as 25.1, or empty")
    first = f"20{version[:2]}"
    overlap = [file.name for file in candidates if _last_month(file.name)[:4] < first]
    if overlap:
        wanted = f"ask for fewer months than reach back to {overlap[-1]}"
        raise InputError(f"{FILE}, {pull.access.source_id}: options.months: {wanted}, which {name} replaces")
    return [get_file(pull, pull.access.address("annual", name))]


def _take(pull: Pull, release: Release) -> RawFile | None:
    """The events of a release; None where it is not published."""
    if pull.access.option("use_api", bool):
        return _take_pages(pull, release)
    request = Request(pull.access.address("candidate", f"{release.name}.csv"), expected=frozenset({NOT_FOUND}))
    answer = pull.ask(request)
    return None if answer.status == NOT_FOUND else as_file(answer, f"{release.name}.csv")


def _take_pages(pull: Pull, release: Release) -> RawFile | None:
    rows: list[object] = []
    page, pages = 0, 1
    while page < pages:
        query = (("pagesize", str(PAGE_SIZE)), ("page", str(page)))
        address = pull.access.address("api", release.version)
        answer = pull.ask(Request(address, query, token_header=TOKEN_HEADER, expected=frozenset({NOT_FOUND})))
        if answer.status == NOT_FOUND:
            return None
        body = json_body(answer)
        if not isinstance(body, dict) or not isinstance(body.get("Result"), list) or "TotalPages" not in body:
            raise SourceError(answer.url, _("not a page of events: 'Result' or 'TotalPages' is missing"))
        rows += body["Result"]
        pages, total = int(body["TotalPages"]), int(body.get("TotalCount", -1))
        page += 1
    if total not in (-1, len(rows)):
        raise SourceError(release.name, _("{n} events came where {total} were announced"), n=len(rows), total=total)
    return RawFile(f"{release.name}.json", json.dumps(rows).encode()) if rows else None


def read_events(raw: RawFile, source_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sum the best estimates of deaths by country and month.

    Events that begin and end in different months are set aside, as in the history that these months follow on.

    Args:
        raw: A release; its name tells the months it is about.
        source_id: For the rows set aside.

    Returns:
        ``geo``, ``time_period`` and ``value``; and the events set aside, without places and names.

    Raises:
        SourceError: The layout is broken, or too many events cannot be right.
    """
    table = _read(raw)
    starts, ends = _days(table["date_start"]), _days(table["date_end"])
    is_count = table["best"].str.fullmatch(r"[0-9]{1,7}")
    rules = [
        RowRule("date_start", _("the day is impossible"), starts.isna()),
        RowRule("date_end", _("the day is impossible, or lies before the first"), ends.isna() | (ends < starts)),
        RowRule("best", _("the figure is not a count"), ~is_count),
        RowRule("date_start", _("the event lies outside the release's months"), ~_inside(raw.name, ends)),
        RowRule(EVENT, _("the event is listed twice"), table[EVENT].ne("") & table[EVENT].duplicated()),
    ]
    good, rejected = set_aside(table, rules, source_id=source_id, file=raw.name)
    spans = starts[good.index].dt.to_period("M") != ends[good.index].dt.to_period("M")
    months_apart = RowRule("date_end", _("the event spans months"), spans)
    within, apart = set_aside(good, [months_apart], source_id=source_id, file=raw.name, tolerated=1)
    require_rows(within, raw.name)
    cells = pd.DataFrame(
        {
            "geo": map_countries(within["country"], raw.name),
            "time_period": ends[within.index].dt.to_period("M").astype(str),
            "value": within["best"].astype(int),
        }
    )
    sums = cells.groupby(["geo", "time_period"], as_index=False).agg(value=("value", "sum"))
    return sums, pd.concat([rejected, apart], ignore_index=True)


def _read(raw: RawFile) -> pd.DataFrame:
    if ANNUAL_NAME.fullmatch(raw.name):
        return _read_annual(raw)
    if raw.name.endswith(".json"):
        frame = pd.DataFrame(json_rows(raw))
        require_columns(frame, COLUMNS, raw.name, tolerated=_PLACES)
        return frame.reindex(columns=[*COLUMNS, EVENT]).astype(object).fillna("").astype(str)
    header = raw.content[: raw.content.find(b"\n")]
    separator = ";" if header.count(b";") > header.count(b",") else ","
    return read_csv(raw, COLUMNS, separator=separator, tolerated=_PLACES).reindex(
        columns=[*COLUMNS, EVENT], fill_value=""
    )


def _read_annual(raw: RawFile) -> pd.DataFrame:
    """Columns that are needed of some 400,000 events."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            members = [name for name in archive.namelist() if _ANNUAL_MEMBER.fullmatch(name)]
            if len(members) != 1 or archive.getinfo(members[0]).file_size > LARGEST_ANNUAL:
                raise SourceError(
                    raw.name, _("one table of events is expected; found {found}"), found=archive.namelist()[:5]
                )
            content = archive.read(members[0])
        frame = pd.read_csv(io.BytesIO(content), usecols=[*COLUMNS, EVENT], dtype=str, keep_default_na=False)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(raw.name, _("no whole zip with a table of events: {error}"), error=reason) from None
    return frame.set_axis(pd.RangeIndex(2, len(frame) + 2), axis=0)


def _days(text: pd.Series) -> pd.Series:
    day = text.str.strip().str[:10]
    return pd.to_datetime(day.where(day.str.fullmatch(_DAY)), format="%Y-%m-%d", errors="coerce")


def _last_month(name: str) -> str:
    if annual := ANNUAL_NAME.fullmatch(name):
        return f"20{int(annual[1]) - 1:02d}-12"
    found = FILE_NAME.fullmatch(name)
    if not found or not 1 <= int(found[2]) <= 12:
        raise SourceError(
            name,
            _("a release must be named such as {example} or {other}"),
            example="GEDEvent_v26_0_5.csv",
            other="ged251-csv.zip",
        )
    return f"20{found[1]}-{int(found[2]):02d}"


def _inside(name: str, ends: pd.Series) -> pd.Series:
    last = pd.Period(_last_month(name), freq="M")
    first = pd.Period(f"{last.year}-01", freq="M") if "_01_" in name else last
    first = pd.Period("1989-01", freq="M") if ANNUAL_NAME.fullmatch(name) else first
    months = ends.dt.to_period("M")
    inside: pd.Series = (months >= first) & (months <= last)
    return inside

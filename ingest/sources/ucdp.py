"""Deaths in organised violence by country and month, from the Uppsala Conflict Data Program.

Known faults, so that figures serve as log1p context and never as exact counts:

- The collector drops every event whose first and last day lie in different months: 85 to 95 % of the deaths are kept
  in most years, but 67.6 % in 2020, 44.9 % in 2021 and 33.0 % in 2022 (Ethiopia, Ukraine).
- Gaza is coded under Israel, Western Sahara under Morocco.
- 2026-01 holds an outlier of the candidate release (Iran, 19,886). Like every month that no annual release covers yet,
  it is marked provisional.
"""

from __future__ import annotations

import io
import re

import pandas as pd

from core.countries import map_countries
from core.errors import SourceError, first_line
from core.languages import marked as _
from core.schema import PLACES_OF_EVENTS
from ingest import GZIP, Parsed, Pull, RawFile, Request, unpacked, unzipped
from ingest.rows import Reading, RowRule, flags, melt, since, to_days, to_numbers
from ingest.tables import read_csv

SOURCE_ID = "ucdp"
LAG_DAYS = 21

LAST_UNDATED_MONTH = "2023-12"
"""Newest month taken from the wide table. It bears no date of edition; later months have editions that do."""
_DATE_COLUMN = ""
"""The first header cell is blank."""
_UNNAMED = re.compile(r"Unnamed: \d+")
_REFUSED = "df_input.csv", "views_ged_sb_df_input.csv"


def parse(raw: RawFile) -> Parsed:
    """Read a release of events (candidate or final), the wide table by country, or the table of editions (gzip).

    Raises:
        SourceError: The layout is broken, or the file is one whose dates are known to be wrong.
    """
    if raw.name in _REFUSED:
        raise raw.fault(_("its dates run 12 months early ({example})"), example="1989-01 is really 1990-01")
    reading, final = Reading(raw, SOURCE_ID, LAG_DAYS), ANNUAL_NAME.fullmatch(raw.name) is not None
    if final or FILE_NAME.fullmatch(raw.name):
        cells = since(read_events(reading)).assign(obs_flag="" if final else "p")
    else:
        cells = _read_editions(reading) if raw.content.startswith(GZIP) else _read_wide(raw)
    return reading.figures(cells, counts=True, target="conflict_deaths")


def _read_wide(raw: RawFile) -> pd.DataFrame:
    wide = read_csv(raw, [_DATE_COLUMN, "Afghanistan"])
    for column in wide.columns:
        if _UNNAMED.fullmatch(column) and not wide[column].isin(["", "0", "0.0"]).all():
            raise raw.fault(_("a column without a country holds figures"), column=column)
    names = [column for column in wide.columns if column != _DATE_COLUMN and not _UNNAMED.fullmatch(column)]
    geo = map_countries(pd.Series(names, index=names, name="header"), raw.name)
    months = wide[_DATE_COLUMN].str.replace(r"-[0-9]{2}$", "", regex=True).where(wide[_DATE_COLUMN].str.len() == 10, "")
    cells = melt(wide.assign(time_period=months), "time_period", names, set())
    cells["geo"] = cells["name"].map(geo)
    return since(cells[cells["time_period"] <= LAST_UNDATED_MONTH])


def _read_editions(reading: Reading) -> pd.DataFrame:
    columns = ["vintage_date", "month", "country_ne", "fatalities_best"]
    table = read_csv(unpacked(reading.raw), columns)[columns]
    good = reading.keep(table, *_edition_rules(table))
    geo = map_countries(good["country_ne"], reading.raw.name)
    return _changes(good.assign(geo=geo, deaths=to_numbers(good["fatalities_best"])))


def _edition_rules(table: pd.DataFrame) -> list[RowRule]:
    dates = to_days(table["vintage_date"])
    months = table["month"].where(table["month"].str.fullmatch(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])"))
    today = pd.Timestamp.now(tz="UTC").tz_localize(None)
    too_early = months.fillna("") >= table["vintage_date"].str[:7]
    is_count = table["fatalities_best"].str.fullmatch(r"[0-9]{1,9}")
    return [
        RowRule("vintage_date", _("the date of the edition is impossible"), dates.isna()),
        RowRule("vintage_date", _("the date of the edition lies in the future"), dates > today),
        RowRule("month", _("the period is not a month"), months.isna()),
        RowRule("month", _("the month ends after the edition's date"), too_early),
        RowRule("fatalities_best", _("the figure is not a count"), ~is_count),
        RowRule("country_ne", _("the country's month is listed twice in an edition"),
                table.duplicated(["vintage_date", "month", "country_ne"])),
    ]  # fmt: skip


def _changes(editions: pd.DataFrame) -> pd.DataFrame:
    """Figures that an edition gave for the first time or changed: what was known on any date follows from them.

    A country that a month of an edition does not name had no deaths in it.
    """
    countries = sorted(editions["geo"].unique())
    changed: list[pd.DataFrame] = []
    known = pd.Series(index=pd.MultiIndex.from_arrays([[], []], names=["month", "geo"]), dtype=float)
    for edition, rows in editions.groupby("vintage_date", sort=True):
        figures = rows.set_index(["month", "geo"])["deaths"]
        months = [str(month) for month in pd.period_range(rows["month"].min(), rows["month"].max(), freq="M")]
        full = figures.reindex(pd.MultiIndex.from_product([months, countries], names=["month", "geo"]), fill_value=0.0)
        new = full[full.ne(known.reindex(full.index))]
        known = full.combine_first(known)
        changed.append(new.reset_index().assign(as_of=pd.Timestamp(str(edition))))
    table = pd.concat(changed, ignore_index=True)
    provisional = to_numbers(table["month"].str[:4]) > table["as_of"].map(_last_final_year)
    return table.rename(columns={"month": "time_period", "deaths": "value"}).assign(obs_flag=flags(provisional))


def _last_final_year(as_of: pd.Timestamp) -> int:
    """The annual release that ends with last year comes out around June; July is the first month that surely has it."""
    return int(as_of.year) - (1 if as_of.month >= 7 else 2)


FILE_NAME = re.compile(r"GEDEvent_v(\d{2})_(?:0|01_\d{2})_(0?[1-9]|1[0-2])\.csv")
"""A release of one month (``v26_0_5``), or of a year up to a month (``v26_01_26_06``)."""
ANNUAL_NAME = re.compile(r"ged(\d{2})1-csv\.zip")
"""The final release of a year: all events from 1989 to the end of the year before."""
_ANNUAL_MEMBER = r"(?i)(?:.*/)?gedevent_v\d{2}_1\.csv"
_PLACES = PLACES_OF_EVENTS | {"where_coordinates"}
"""Columns of places, which are there and never read."""
EVENT = "id"
"""Number of the event; releases without one cannot show repeats."""
COLUMNS = ["country", "date_start", "date_end", "best"]
LARGEST_ANNUAL = 1_500_000_000
"""Bytes of an annual table, unpacked; release 25.1 has some 250 million."""
NOT_FOUND = 404
UNPUBLISHED_MONTHS = 3
"""Newest months that may not be out yet: a release comes about three weeks after its month."""


def download(pull: Pull) -> list[RawFile]:
    """Take the releases of the last months. A year's release up to a month replaces that year's earlier ones.

    It is asked for first: it revises the months whose own releases stay beside it.

    Raises:
        SourceError: A release that must be out is not there.
    """
    newest = pd.Period(pull.today, freq="M") - 1
    files: list[RawFile] = []
    years: set[int] = set()
    for month in (newest - back for back in range(pull.access.option("months", int))):
        if month.year in years:
            continue
        name = f"{month.strftime('GEDEvent_v%y')}_0_{month.month}"
        if found := _take(pull, month.strftime("GEDEvent_v%y_01_%y_%m")):
            years.add(month.year)
        else:
            found = _take(pull, name)
        if found:
            files.append(found)
        elif (newest - month).n >= UNPUBLISHED_MONTHS:
            fault = _("the release of {month} is neither there alone nor in one of its year")
            raise SourceError(name, fault, month=month)
    if not files:
        raise SourceError(f"GEDEvent, {newest}", _("no release of the last months is there"))
    return files


def _take(pull: Pull, name: str) -> RawFile | None:
    """The events of a release; None where it is not published."""
    request = Request(pull.access.address("candidate", f"{name}.csv"), expected=frozenset({NOT_FOUND}))
    answer = pull.ask(request)
    return None if answer.status == NOT_FOUND else RawFile(request.file_name, answer.content)


def read_events(reading: Reading) -> pd.DataFrame:
    """Sum the best estimates of deaths by country and month.

    Events that begin and end in different months are set aside, as in the history that these months follow on.

    Args:
        reading: Of a release; its name states its months.

    Returns:
        ``geo``, ``time_period`` and ``value``; events are set aside without places and names.

    Raises:
        SourceError: The layout is broken, or too many events cannot be right.
    """
    table = _read_release(reading.raw)
    starts, ends = (to_days(table[name], timed=True) for name in ("date_start", "date_end"))
    rules = [
        RowRule("best", _("the figure is not a count"), ~table["best"].str.fullmatch(r"[0-9]{1,7}")),
        RowRule("date_start", _("the event lies outside the release's months"), ~_inside(reading.raw.name, ends)),
        RowRule(EVENT, _("the event is listed twice"), table[EVENT].ne("") & table[EVENT].duplicated()),
    ]
    return reading.events(
        table, starts, ends, "country", "best", *rules, most_months=1, too_long=_("the event spans months")
    )


def _read_release(raw: RawFile) -> pd.DataFrame:
    if ANNUAL_NAME.fullmatch(raw.name):
        return _read_annual(raw)
    header = raw.content[: raw.content.find(b"\n")]
    separator = ";" if header.count(b";") > header.count(b",") else ","
    return read_csv(raw, COLUMNS, separator=separator, tolerated=_PLACES).reindex(
        columns=[*COLUMNS, EVENT], fill_value=""
    )


def _read_annual(raw: RawFile) -> pd.DataFrame:
    """Columns that are needed of some 400,000 events."""
    content = unzipped(raw, _ANNUAL_MEMBER, LARGEST_ANNUAL).content
    try:
        frame = pd.read_csv(io.BytesIO(content), usecols=[*COLUMNS, EVENT], dtype=str, keep_default_na=False)
    except ValueError as error:
        raise raw.fault(_("no table of events: {error}"), error=first_line(error)) from None
    return frame.set_axis(pd.RangeIndex(2, len(frame) + 2), axis=0)


def _inside(name: str, ends: pd.Series) -> pd.Series:
    """Whether events end in the months that a release's name states."""
    year, *_between, month = re.findall(r"\d{1,2}", name)
    last = pd.Period(f"20{year}-{int(month):02d}", freq="M")
    first = pd.Period(f"{last.year}-01", freq="M") if "_01_" in name else last
    if ANNUAL_NAME.fullmatch(name):
        first, last = pd.Period("1989-01", freq="M"), pd.Period(f"20{year}-01", freq="M") - 1
    inside: pd.Series = ends.dt.to_period("M").between(first, last)
    return inside

"""United Kingdom, Home Office: arrivals in small boats by day, and by citizenship per quarter."""

from __future__ import annotations

import re

import pandas as pd

from core.countries import map_countries
from core.languages import marked as _
from core.schema import ALL
from ingest import Parsed, Pull, RawFile, gather, get_file, get_linked, json_rows
from ingest.rows import Reading, RowRule, figure_rules, flags, to_dates, to_days, to_numbers
from ingest.tables import as_texts, read_csv, read_sheet, require_columns

SOURCE_ID = "uk_home_office"
LAG_DAYS = 1
"""GOV.UK puts a day's count online the next day, so a month is whole on the first day of the next one."""

QUARTERLY_LAG_DAYS = 60
"""The quarterly immigration statistics come out in the last week of the second month after the quarter."""
PROVISIONAL_DAYS = 7
"""The Home Office may still correct the last week."""

WORKBOOK_LINK = r"(?i)time[_-]*series[^/]*\.ods$"
"""The Home Office names it such as 12_December_2025_Small_boats_-_time_series.ods."""
TABLES_LINK = r"(?i)illegal-entry-routes-to-the-uk-dataset[^/]*\.xlsx$"
"""The quarterly statistics' detailed dataset, such as illegal-entry-routes-to-the-uk-dataset-mar-2026.xlsx."""
DAILY_COLUMNS = ["#date", "migrants"]
SHEET, SHEET_COLUMNS = "SB_01", ["Date", "Migrants arrived"]
QUARTERLY_SHEET, QUARTER = "Data_IER_D01", r"(\d{4}) Q([1-4])"
QUARTERLY_COLUMNS = ["Date", "Method of entry", "Nationality", "Number of detections"]
SMALL_BOATS = "Small boat arrivals"
OTHER_METHODS = (
    "Inadequately documented air arrivals",
    "Recorded detections in the UK",
    "Recorded detections at UK ports",
)
"""Ways of entry that are not the Channel's: left out. Any other way is set aside: it may be misspelt."""
_ROUTE = {"target": "arrivals", "route_id": "CHA", "geo": "GBR"}


def download(pull: Pull) -> list[RawFile]:
    """Take the daily workbook, and the quarterly one of citizenships; either without the other."""
    return gather(pull, {"days": lambda: _days(pull), "citizenships": lambda: get_linked(pull, "tables", TABLES_LINK)})


def _days(pull: Pull) -> RawFile:
    """Find the workbook among the publication's attachments, by the GOV.UK content API, and take it.

    Raises:
        SourceError: No attachment is the workbook of the time series.
    """
    page = get_file(pull, pull.access.address("content"))
    attachments = json_rows(page, "details", "attachments", may_be_empty=True)
    addresses = [str(item.get("url", "")) for item in attachments]
    workbooks = [address for address in addresses if re.search(WORKBOOK_LINK, address)]
    if not workbooks:
        raise page.fault(_("no attachment is the workbook of the time series; found {found}"), found=addresses)
    return get_file(pull, workbooks[0])


def parse(raw: RawFile) -> Parsed:
    """Tabulate arrivals in small boats.

    Returns:
        Series ``arrivals.CHA.GBR._T.D``, or ``arrivals.CHA.GBR.<citizen or _T>.Q``. A workbook named by its day of
        publication ("12_December_2025_...") is a true vintage. Set aside: rows that are no figure of a day that passed.

    Raises:
        SourceError: The file is broken, names an unknown country, or more than one row in twenty is bad.
    """
    if raw.name.endswith(".ods"):
        return _by_day(_read_workbook(raw), raw, as_of=_published(raw.name))
    if raw.name.endswith(".xlsx"):
        return _by_quarter(_read_citizenships(raw), raw)
    frame = read_csv(raw, [])
    if "Nationality" in frame.columns:
        return _by_quarter(frame, raw)
    require_columns(frame, DAILY_COLUMNS, raw.name)
    daily = frame[DAILY_COLUMNS].set_axis(["day", "migrants"], axis=1)
    return _by_day(daily, raw, as_of=None)


def _read_workbook(raw: RawFile) -> pd.DataFrame:
    sheet = read_sheet(raw, SHEET).dropna(how="all")
    header = [str(cell).strip() for cell in sheet.iloc[0]] if len(sheet) else []
    body = sheet.iloc[1:].set_axis(header, axis=1)
    require_columns(body, SHEET_COLUMNS, raw.name)
    return pd.DataFrame(
        {"day": body["Date"].astype(str).str.removesuffix(" 00:00:00"), "migrants": body["Migrants arrived"]}
    )


def _read_citizenships(raw: RawFile) -> pd.DataFrame:
    """The dataset's rows below its title, as the CSV has them: a quarter by its last day."""
    sheet = as_texts(read_sheet(raw, QUARTERLY_SHEET))
    method = QUARTERLY_COLUMNS[1]
    heads = sheet.index[(sheet.map(str.strip) == method).any(axis=1)]
    head = heads[0] if len(heads) else sheet.index[0]
    body = sheet.loc[head + 1 :].set_axis([text.strip() for text in sheet.loc[head]], axis=1)
    require_columns(body, ["Quarter", *QUARTERLY_COLUMNS[1:]], raw.name)
    body = body[body[method] != ""]
    quarters = body["Quarter"].str.replace(f"^{QUARTER}$", r"\1Q\2", regex=True)
    is_quarter = body["Quarter"].str.fullmatch(QUARTER)
    ends = pd.PeriodIndex(quarters.where(is_quarter, "1900Q1"), freq="Q").end_time.strftime("%Y-%m-%d")
    return body.assign(Date=pd.Series(ends, index=body.index).where(is_quarter, ""))


def _published(file: str) -> pd.Timestamp | None:
    """The day in a workbook's name; else the day at the beginning of the name."""
    for layout, written in (
        (r"(\d{1,2}_[A-Z][a-z]+_\d{4})_Small_boats", "%d_%B_%Y"),
        (r"^(\d{1,2}_[A-Z][a-z]+_\d{4})_", "%d_%B_%Y"),
        (r"^(\d{4}-\d{2}-\d{2})[T-]", "%Y-%m-%d"),
    ):
        if found := re.search(layout, file):
            day = to_dates(pd.Series([found[1]]), ".*", written).iloc[0]
            return None if pd.isna(day) else day
    return None


def _by_day(daily: pd.DataFrame, raw: RawFile, *, as_of: pd.Timestamp | None) -> Parsed:
    days, reading = to_days(daily["day"]), Reading(raw, SOURCE_ID, LAG_DAYS)
    good = reading.keep(daily, *figure_rules(daily, days, "day", "migrants", ["day"]))
    recent = days[good.index] > days[good.index].max() - pd.Timedelta(days=PROVISIONAL_DAYS)
    tidy = pd.DataFrame(
        {"time_period": good["day"], "obs_value": to_numbers(good["migrants"]), "obs_flag": flags(recent)}
    )
    if as_of is not None:
        tidy["as_of"] = as_of
    return reading.parsed(tidy, citizen=ALL, freq="D", **_ROUTE)


def _by_quarter(frame: pd.DataFrame, raw: RawFile) -> Parsed:
    require_columns(frame, QUARTERLY_COLUMNS, raw.name)
    reading = Reading(raw, SOURCE_ID, QUARTERLY_LAG_DAYS)
    unknown = ~frame["Method of entry"].isin([SMALL_BOATS, *OTHER_METHODS])
    frame = reading.keep(frame, RowRule("Method of entry", _("unknown method of entry"), unknown))
    boats = frame[frame["Method of entry"] == SMALL_BOATS]
    value = QUARTERLY_COLUMNS[-1]
    days = to_days(boats["Date"])
    keys = [column for column in frame.columns if column != value]
    ends, fault = days.where(days.dt.is_quarter_end), _("not the last day of a quarter")
    good = reading.keep(boats, *figure_rules(boats, ends, "Date", value, keys, fault=fault))
    tidy = pd.DataFrame(
        {
            "citizen": map_countries(good["Nationality"], raw.name),
            "time_period": days[good.index].dt.to_period("Q").astype(str).str.replace("Q", "-Q"),
            "obs_value": to_numbers(good[value]),
        }
    )
    by_citizen = tidy.groupby(["citizen", "time_period"], as_index=False)["obs_value"].sum()
    totals = tidy.groupby("time_period", as_index=False)["obs_value"].sum().assign(citizen=ALL)
    return reading.parsed(pd.concat([totals, by_citizen], ignore_index=True), freq="Q", **_ROUTE)

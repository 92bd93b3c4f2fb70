"""Frontex, "Monthly detections of irregular border-crossing": the workbook a user fetched, or a compiled vintage of it.

The licence allows private use only, so nothing of it is bundled. The whole history is re-sent each month: one bad cell
refuses the file. Detections are events at a border, not persons, and land and sea of a route are added up.

Zero cells: route totals keep every month; a citizenship's series starts with its first detection and keeps zeros from
then on. A blank cell is "not reported" and gives no figure. "Unknown" and "Third-country" are one citizenship, ``UNK``.
"""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd

from core.countries import map_countries
from core.errors import SourceError
from core.languages import marked as _
from core.schema import ALL
from ingest import Parsed, Pull, RawFile, get_linked
from ingest.rows import (
    Reading,
    RowRule,
    count_rules,
    duplicate_rules,
    month_of_epoch_days,
    require_rows,
    set_aside,
    to_dates,
    to_days,
    to_numbers,
)
from ingest.sources import LABELS
from ingest.tables import read_rda, read_sheets

SOURCE_ID = "frontex"
LAG_DAYS = 35
"""Published 33 to 41 days after a month's end; files state their own date, so this only sets what counts as late."""

WORKBOOK_LINK = r"Monthly_detections_of_IBC_(\d{4}_\d{2}_\d{2})\.xlsx"
SHEET, NOTES = "Detections_of_IBC", "Notes"
KEY_COLUMNS = ["Route", "Border type or inland", "Nationality"]
OTHER_ROUTE = "OTH"
"""Places that Frontex puts on no route, such as the Baltic Sea."""
ROUTE_LABELS: dict[str, str] = LABELS[SOURCE_ID]["routes"]


def download(pull: Pull) -> list[RawFile]:
    """Find the newest workbook on the page of the migratory map and take it.

    Raises:
        SourceError: The page links to no workbook.
    """
    return [get_linked(pull, "page", WORKBOOK_LINK)]


def parse(raw: RawFile) -> Parsed:
    """Tabulate monthly detections by route and citizenship, and by route.

    Args:
        raw: The workbook, or ``frontex_YYYY-MM-DD.rda`` of the package gdidata.

    Returns:
        Series ``detections.<route>._T.<citizen or _T>.M`` with the file's own date as ``as_of``. Nothing is set aside.

    Raises:
        SourceError: The file is broken, or any single cell is not a count, not yet possible, or of an unknown
            nationality or route.
    """
    if raw.name.endswith(".rda"):
        as_of, cells = _read_vintage(raw)
    else:
        as_of, cells = _read_workbook(raw)
    require_rows(cells, raw.name)
    by_citizen = cells.groupby(["route_id", "citizen", "time_period"])["obs_value"].sum()
    totals = by_citizen.groupby(["route_id", "time_period"]).sum().reset_index().assign(citizen=ALL)
    is_seen = by_citizen.groupby(["route_id", "citizen"]).cumsum() > 0
    tidy = pd.concat([totals, by_citizen[is_seen].reset_index()], ignore_index=True).assign(as_of=as_of)
    return Reading(raw, SOURCE_ID).parsed(tidy, target="detections", geo=ALL, freq="M")


def _read_workbook(raw: RawFile) -> tuple[pd.Timestamp, pd.DataFrame]:
    sheets = read_sheets(raw, (SHEET, NOTES))
    as_of = _date_of_notes(sheets[NOTES], raw.name)
    body, months = _split_header(sheets[SHEET], as_of, raw.name)
    routes = _route_ids(body["Route"], raw.name)
    citizens = map_countries(body["Nationality"].fillna(""), raw.name)
    repeated = body.duplicated(KEY_COLUMNS)
    if repeated.any():
        raise raw.fault(_("route, border and nationality are listed twice"), row=str(repeated.idxmax()))
    wide = body[list(months)].assign(route_id=routes, citizen=citizens)
    cells = wide.melt(["route_id", "citizen"], var_name="month", value_name="n", ignore_index=False).dropna(subset="n")
    for rule in count_rules(cells["n"], "n"):
        if rule.broken.any():
            first = cells[rule.broken].iloc[0]
            raise raw.fault(rule.rule, row=str(first.name), column=first["month"])
    return as_of, cells.assign(time_period=cells["month"].map(months), obs_value=to_numbers(cells["n"]))


def _date_of_notes(notes: pd.DataFrame, file: str) -> pd.Timestamp:
    text = " ".join(str(cell) for cell in notes.to_numpy().ravel())
    found = re.search(r"data as of (\d{2}[A-Z]{3})(\d{2,4})\b", text, re.IGNORECASE)
    written = pd.Series([f"{found[1]}20{found[2][-2:]}" if found else ""])
    day: pd.Timestamp = to_dates(written, ".*", "%d%b%Y").iloc[0]
    if pd.isna(day):
        raise SourceError(
            file, _("sheet '{sheet}' gives no date such as '{example}'"), sheet=NOTES, example="FRAN data as of 03JUN25"
        )
    return day


def _split_header(sheet: pd.DataFrame, as_of: pd.Timestamp, file: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows below the header, and its month columns in order: header cell -> ``YYYY-MM``."""
    sheet = sheet.dropna(how="all").dropna(axis=1, how="all")
    if sheet.empty:
        raise SourceError(file, _("sheet '{sheet}' is empty"), sheet=SHEET)
    row = int(sheet.index[0])
    header = [str(cell).strip() for cell in sheet.iloc[0]]
    if header[:3] != KEY_COLUMNS:
        fault = _("the header must start with {columns}; found {found}")
        raise SourceError(file, fault, row=row, columns=KEY_COLUMNS, found=header[:3])
    newest = min(as_of, pd.Timestamp(dt.datetime.now(tz=dt.UTC).date()))
    heads = pd.Series(header[3:], dtype=object)
    months = to_dates(heads, r"[A-Za-z]{3}(?:19|20)\d{2}", "%b%Y").dt.to_period("M")
    for fault, broken in (
        (_("a month such as {example} is expected in the header"), months.isna()),
        (_("the month lies after {day}"), months.dt.end_time.dt.normalize() > newest),
        (_("the months of the header do not follow one another"), (months != months.shift() + 1)[1:]),
    ):
        if broken.any():
            where = {"row": row, "column": heads[broken.idxmax()]}
            raise SourceError(file, fault, **where, example="JAN2009", day=f"{newest:%Y-%m-%d}")
    return sheet.iloc[1:].set_axis(header, axis=1), dict(zip(heads, months.astype(str), strict=True))


def _route_ids(labels: pd.Series, file: str) -> pd.Series:
    bare = labels.fillna("").astype(str).str.casefold().str.strip().str.removesuffix(" route").str.strip()
    routes = bare.map(ROUTE_LABELS)
    if routes.isna().any():
        first = int(routes.isna().argmax())
        raise SourceError(file, _("unknown route"), row=str(labels.index[first]), column="Route")
    return routes.astype(str)


def _read_vintage(raw: RawFile) -> tuple[pd.Timestamp, pd.DataFrame]:
    """Read the table of a compiled vintage, which lists non-zero cells only, and put the zeros back."""
    found = re.fullmatch(r"frontex_(\d{4}-\d{2}-\d{2})\.rda", raw.name)
    as_of = to_days(pd.Series([found[1]])).iloc[0] if found else pd.NaT
    if pd.isna(as_of):
        raise raw.fault(
            _("a vintage must be named {example}, by the day it was known"), example="frontex_YYYY-MM-DD.rda"
        )
    frame = read_rda(raw, "frontex", ["route", "type", "nat", "t", "n"])
    month = month_of_epoch_days(frame["t"])
    rules = [
        *count_rules(frame["n"], "n"),
        RowRule("t", _("not the first day of a month"), month.isna()),
        RowRule("t", _("the month lies after the vintage"), month.dt.end_time > as_of + pd.Timedelta(days=1)),
        *duplicate_rules(frame, ["route", "type", "nat", "t"], "n"),
    ]
    set_aside(frame, rules, source_id=SOURCE_ID, file=raw.name, tolerated=0)
    unknown_is_other = frame["nat"].astype(str).replace({"OOO": "UNK"})
    cells = pd.DataFrame(
        {
            "route_id": _route_ids(frame["route"], raw.name),
            "citizen": map_countries(unknown_is_other, raw.name),
            "time_period": month.astype(str),
            "obs_value": to_numbers(frame["n"]),
        }
    )
    months = pd.period_range(month.min(), month.max(), freq="M").astype(str)
    wide = cells.pivot_table("obs_value", ["route_id", "citizen"], "time_period", "sum").reindex(columns=months)
    filled = wide.fillna(0.0).reset_index()
    return as_of, filled.melt(["route_id", "citizen"], var_name="time_period", value_name="obs_value")

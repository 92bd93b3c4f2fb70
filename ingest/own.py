"""An analyst's own figures: what a file holds, read as its mapping says (:mod:`ingest.own_mapping`)."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from babel.dates import get_month_names

from core.countries import map_countries, place_code
from core.errors import InputError, SourceError, message
from core.languages import languages
from core.languages import marked as _
from core.release import OBSERVATIONS
from core.routes import OWN_PREFIX, own_route_id
from core.schema import (
    ALL,
    NOT_APPLICABLE,
    PLACES,
    make_series_id,
    refuse_person_level,
    resembles_person_level,
    unaccented,
)
from core.table_files import FORMULA_STARTS
from ingest import Parsed, RawFile
from ingest.own_mapping import OwnMapping, with_advice
from ingest.routes import SOURCE_ID as ROUTES_SOURCE
from ingest.rows import (
    PERIODS,
    Reading,
    RowRule,
    count_rules,
    duplicate_rules,
    observations,
    set_aside,
    to_dates,
    to_days,
    to_numbers,
)
from ingest.tables import read_csv, read_sheet, refuse_workbook, require_columns

CAPACITY = "capacity"
"""Target of capacities: persons a month that a route's reception can take in."""
MOST_YEARS_AHEAD = 5
"""Years ahead for which a capacity may be given."""
_WRITTEN = {"M": "%Y-%m", "A": "%Y"}


def parse_own(raw: RawFile, mapping: OwnMapping, *, today: dt.date | None = None) -> Parsed:
    """Tabulate own figures.

    Args:
        raw: The file, ``.csv`` or ``.xlsx``.
        mapping: What it holds and where.
        today: Newest day that can have been observed; by default the day of the call.

    Returns:
        Series ``<what>.<route>._Z._T.<freq>`` of the mapping's source, and by destination and nationality where they
        are given, or ``reception.<place>._T.<freq>``. Rows that break a rule are set aside, up to one in twenty, and
        totals.

    Raises:
        SourceError: The file is refused (formulas, macros, links, persons), is broken, or is no table as
            the mapping says; the text says what to do, with an example.
    """
    try:
        frame = _read(raw, mapping)
        refuse_person_level(frame.columns, raw.name)
        below = [] if frame.empty else frame.iloc[0].tolist()
        refuse_layout(raw, mapping.table.header_row, list(frame.columns), below)
        found = _parse(raw, frame, mapping, today)
        column = mapping.columns.places
        if column is None:
            return found
        # A region may be counted without its places being known.
        given = frame[frame[column].fillna("").astype(str).str.strip() != ""] if column in frame else frame
        places = _parse(raw, given, mapping.of_places, today)
        return Parsed(
            pd.concat([found.observations, places.observations], ignore_index=True),
            pd.concat([found.rejected, places.rejected], ignore_index=True).drop_duplicates(ignore_index=True),
            found.doubts,
        )
    except SourceError as error:
        raise with_advice(error) from None


def _parse(raw: RawFile, frame: pd.DataFrame, mapping: OwnMapping, today: dt.date | None) -> Parsed:
    kept, aside = _cells(raw, frame, mapping)
    table, fixed = mapping.table, mapping.fixed
    what = fixed.name if table.what == "indicator" and fixed.name else table.what
    citizen = ALL if table.what == "arrivals" or mapping.of_people else NOT_APPLICABLE
    given: dict[str, Any] = {
        "target": what,
        "freq": table.freq,
        "citizen": citizen,
        "counts": table.what != "indicator",
    }
    if fixed.route is not None:
        given |= {"geo": place_code(fixed.route)} if mapping.of_people else {"route_id": own_route_id(fixed.route)}
    day = today or dt.datetime.now(dt.UTC).date()
    # A capacity is no count: one of a running or coming month holds from the day on which it is handed over.
    coming = (kept["time_period"].astype(str) >= f"{day:%Y-%m}") & (table.what in (CAPACITY, PLACES))
    ahead = dt.date(day.year + MOST_YEARS_AHEAD, 12, 31)
    parts = [(kept[coming].assign(as_of=pd.Timestamp(day)), ahead), (kept[~coming], today)]
    found = [
        Reading(raw, mapping.source.source_id, mapping.source.lag_days).figures(rows, today=newest, **given)
        for rows, newest in parts
        if len(rows)
    ]
    if not found:
        raise raw.fault(_("the file holds no figures"))
    fault = _("the column “{column}” may describe persons: its name is near one that does")
    figures = pd.concat([part.observations for part in found], ignore_index=True)
    return Parsed(
        pd.concat([figures, *_sums(figures, kept, mapping)], ignore_index=True),
        pd.concat([aside, *(part.rejected for part in found)], ignore_index=True),
        tuple(message(fault, column=str(name)) for name in frame.columns if resembles_person_level(name)),
    )


def _sums(figures: pd.DataFrame, kept: pd.DataFrame, mapping: OwnMapping) -> list[pd.DataFrame]:
    """Sums of arrivals over destinations, and over nationalities, of months of which no row was set aside."""
    if mapping.table.what != "arrivals":
        return []
    month = ["route_id", "time_period"] if "route_id" in kept else ["time_period"]
    rows = figures.set_index(month).index
    read, given = (some.groupby(month).size().reindex(rows).to_numpy() for some in (figures, kept))
    whole = read == given
    parts, found = figures[whole], []
    for name, sum_of in (("geo", NOT_APPLICABLE), ("citizen", ALL)):
        if name in kept:
            same = [one for one in OBSERVATIONS.columns if one not in (name, "series_id", "obs_value")]
            tidy = parts.groupby(same, as_index=False).agg(obs_value=("obs_value", "sum")).assign(**{name: sum_of})
            parts = observations(tidy, source_id=mapping.source.source_id)
            found.append(parts.assign(as_of_estimated=tidy["as_of_estimated"].all()))
    return found


def refuse_layout(raw: RawFile, row: int, header: Sequence[str], first: Sequence[object]) -> None:
    """Refuse a table whose header stands in two rows, or whose rows and columns are years and months.

    Args:
        raw: The file, for its name.
        row: Number of its header's row.
        header: Its header cells.
        first: The cells of the row below.

    Raises:
        SourceError: It is one.
    """
    texts = [str(cell).strip() for cell in first if not (cell is None or cell != cell)]  # noqa: PLR0124  # only NaN differs from itself
    texts = [text for text in texts if text]
    names = [name for name in header if name]
    if len(names) > 1 and len(texts) > 1 and not any(re.search(r"\d", text) for text in texts):
        raise raw.fault(_("the header stands in two rows"), row=row + 1)
    heads = [_bare(name) for name in names]
    if sum(name in _month_numbers() for name in heads) >= _FEWEST_HEADS or (
        sum(bool(re.fullmatch(PERIODS["A"], name)) for name in heads) >= _FEWEST_HEADS
        and any(_bare(text) in _month_numbers() for text in texts)
    ):
        raise raw.fault(_("the table is a matrix of years and months"), row=row)


_FEWEST_HEADS = 3
"""Names of months, or years, in a header from which a table is a matrix of both."""
_TOTALS = re.compile(
    r"((grand|sub|sous)[ -]?)?tota(l|le|li|les|ls|ux)( general| generale)?|ensemble|insgesamt|gesamt|summe"
)


def is_total(cell: object) -> bool:
    """Whether a cell names a sum of other rows or columns."""
    return bool(_TOTALS.fullmatch(_bare(str(cell).strip())))


def _cells(raw: RawFile, frame: pd.DataFrame, mapping: OwnMapping) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``time_period``, ``value`` and where wanted ``route_id`` of each figure, and the months set aside."""
    columns, table = mapping.columns, mapping.table
    # What stands in many cells is read once; 1 and True are two figures.
    once = functools.lru_cache(maxsize=None, typed=True)
    period, number = (once(functools.partial(read, mapping=mapping)) for read in (_period, _number))
    dimensions = mapping.dimensions
    wanted = [name for name in (columns.time_period, columns.value, *dimensions.values()) if name]
    require_columns(frame, wanted, raw.name)
    named = frame[[*dimensions.values()]]
    total = RowRule(", ".join(named.columns), _("a total of other rows"), named.map(is_total).any(axis=1))
    named, totals = set_aside(named, [total], source_id=mapping.source.source_id, file=raw.name, tolerated=1)
    frame = frame.loc[named.index]
    if table.wide:
        periods = {name: _period(name, mapping) for name in frame.columns if name not in dimensions.values()}
        layout = PERIODS[table.freq]
        heads = [name for name, period in periods.items() if re.fullmatch(layout, period)]
        if not heads:
            raise raw.fault(_("no header cell reads as a period; found {found}"), found=list(frame.columns)[:20])
        long = frame.melt([*dimensions.values()], heads, ignore_index=False, var_name="_period", value_name="_value")
        long.index = pd.Index([f"{row}, {name}" for row, name in zip(long.index, long["_period"], strict=True)])
        long["_period"] = long["_period"].map(periods)
    else:
        long = frame.rename(columns={columns.time_period: "_period", columns.value: "_value"})
        long = long.assign(_period=long["_period"].map(period))
    cells = pd.DataFrame({"time_period": long["_period"], "value": long["_value"].map(number)})
    for name, head in dimensions.items():
        if name == "route_id":
            cells[name] = _coded(raw, long[head], own_route_id, _ROUTE_FAULT)
        elif mapping.of_people:
            cells[name] = _coded(raw, long[head], place_code, _PLACE_FAULT)
        else:
            cells[name] = map_countries(long[head], raw.name)
    kept = cells[(cells["time_period"] != "") | (cells["value"] != "")]
    if table.wide:
        kept = kept[kept["value"] != ""]
    if not table.sum_days:
        return kept, totals
    months, gaps = _by_month(raw, kept, mapping)
    return months, pd.concat([totals, gaps], ignore_index=True)


def _by_month(raw: RawFile, days: pd.DataFrame, mapping: OwnMapping) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Days summed by month; one that lacks a day is set aside."""
    dates = to_days(days["time_period"])
    keys = [name for name in mapping.dimensions if name in days]
    rules = [
        RowRule("time_period", _("the day does not exist"), dates.isna()),
        *count_rules(days["value"], "value"),
        *duplicate_rules(days, [*keys, "time_period"], "value"),
    ]
    good, rejected = set_aside(days, rules, source_id=mapping.source.source_id, file=raw.name)
    rows = good.assign(month=dates[good.index].dt.to_period("M"), number=to_numbers(good["value"]))
    sums = rows.groupby([*keys, "month"], as_index=False).agg(value=("number", "sum"), days=("number", "size"))
    short = RowRule("time_period", _("days are missing in the month"), sums["days"] < sums["month"].dt.days_in_month)
    months = sums.assign(time_period=sums["month"].astype(str), value=sums["value"].map("{:.0f}".format))
    months = months[[*keys, "time_period", "value"]]
    whole, gaps = set_aside(months, [short], source_id=mapping.source.source_id, file=raw.name, tolerated=1)
    return whole, pd.concat([rejected, gaps], ignore_index=True)


def own_route_figures(known: pd.DataFrame) -> pd.DataFrame:
    """Own routes' monthly arrivals among what was known on a date, as the routes' harmonised series.

    Returns:
        Frame of ``core.release.OBSERVATIONS``, source ``vigie-routes``, series ``arrivals.X_<name>._T._T.M``.
    """
    rows = known.query("target == 'arrivals' and freq == 'M' and citizen == @ALL and geo == @NOT_APPLICABLE")
    rows = rows[rows["route_id"].str.startswith(OWN_PREFIX) & (rows["source_id"] != ROUTES_SOURCE)]
    newest = rows.sort_values("as_of", kind="stable").drop_duplicates(["route_id", "time_period"], keep="last")
    names = {code: make_series_id("arrivals", code, ALL, ALL, "M") for code in newest["route_id"].unique()}
    found = newest.assign(source_id=ROUTES_SOURCE, geo=ALL, series_id=newest["route_id"].map(names))
    return found.sort_values(["series_id", "time_period"], ignore_index=True)[list(OBSERVATIONS.columns)]


def own_capacities(known: pd.DataFrame, as_of: dt.date) -> dict[str, float]:
    """Each route's capacity of the newest month that is not ahead of a date, persons a month."""
    month = f"{as_of:%Y-%m}"
    rows = known[(known["target"] == CAPACITY) & (known["freq"] == "M") & (known["time_period"] <= month)]
    newest = rows.sort_values(["time_period", "as_of"], kind="stable").drop_duplicates("route_id", keep="last")
    return dict(zip(newest["route_id"], newest["obs_value"], strict=True))


def _read(raw: RawFile, mapping: OwnMapping) -> pd.DataFrame:
    suffix = Path(raw.name).suffix.lower()
    if suffix == ".xlsx":
        refuse_workbook(raw)
        sheet = read_sheet(raw, mapping.table.sheet or "").dropna(how="all")
        sheet = sheet[sheet.index >= mapping.table.header_row]
        if sheet.empty:
            raise raw.fault(_("the sheet is empty"))
        header = ["" if pd.isna(cell) else _head(cell, mapping) for cell in sheet.iloc[0]]
        return sheet.iloc[1:].set_axis(header, axis=1)
    if suffix != ".csv":
        raise raw.fault(_("refused: own figures come as .csv or .xlsx, not as '{kind}'"), kind=suffix or "no kind")
    table = mapping.table
    frame = read_csv(
        raw, [], separator=table.separator, encoding=table.encoding, header_row=table.header_row, last_line_ends=False
    )
    for name in frame.columns:
        for row, cell in frame[name].items():
            # A spreadsheet would run it (OWASP, *CSV Injection*).
            if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _SIGNED.fullmatch(cell):
                raise raw.fault(_("refused: the cell holds a formula"), row=str(row), column=str(name))
    return frame.set_axis([str(name).strip() for name in frame.columns], axis=1)


def _head(cell: object, mapping: OwnMapping) -> str:
    """A header cell as text; a date in the header of a wide table is a period."""
    is_date = isinstance(cell, pd.Timestamp | dt.date)
    return _period(cell, mapping) if mapping.table.wide and is_date else str(cell).strip()


_ROUTE_FAULT = _("the cell cannot name a route: up to 38 letters, digits and spaces")
_PLACE_FAULT = _("the cell names no place of reception")


def _coded(raw: RawFile, places: pd.Series, code: Callable[[str], str], fault: str) -> list[str]:
    """The code of each cell that names a route or place."""
    read = functools.lru_cache(maxsize=None)(code)
    found = []
    for row, cell in places.items():
        try:
            found.append(read(str(cell)))
        except InputError:
            raise raw.fault(fault, row=str(row), column="route") from None
    return found


def _period(cell: object, mapping: OwnMapping) -> str:
    """A period as SDMX writes it; what cannot be read stays as it is, for the rules to refuse."""
    written = "%Y-%m-%d" if mapping.table.sum_days else _WRITTEN.get(mapping.table.freq)
    if isinstance(cell, pd.Timestamp | dt.date) and not pd.isna(cell):
        return f"{cell.year}-Q{(cell.month - 1) // 3 + 1}" if written is None else cell.strftime(written)
    text = "" if cell is None or cell is pd.NaT or cell != cell else str(cell).strip()  # noqa: PLR0124  # only NaN differs from itself
    if SERIAL.fullmatch(text) and written is not None:
        return (_SERIAL_BEGINS + pd.Timedelta(days=int(text.partition(".")[0]))).strftime(written)
    if mapping.table.period_format and written is not None:
        found = to_dates(pd.Series([text]), ".*", mapping.table.period_format).iloc[0]
        return text if pd.isna(found) else found.strftime(written)
    return (month_of_name(text) if mapping.table.freq == "M" else "") or text


SERIAL = re.compile(r"[2-5][0-9]{4}(\.0)?")
"""A day as a spreadsheet counts it, from 1954 to 2064, where its cell lost the form of a date."""
_SERIAL_BEGINS = pd.Timestamp("1899-12-30")


def month_of_name(text: str) -> str:
    """A month with its name in one of Vigie's languages and its year, as ``2024-01``; empty where it is none."""
    named = _NAMED_MONTH.fullmatch(text)
    number = _month_numbers().get(_bare(named[1])) if named else None
    return f"{named[2]}-{number:02d}" if named and number else ""


_NAMED_MONTH = re.compile(r"([^\W\d]+\.?)(?:\s+de\s+|[\s\u00a0\u202f./-]*)((?:19|20)\d{2})")
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f"), " ")
"""Spaces that do not break, narrow ones too, as French writes thousands."""


@functools.cache
def _month_numbers() -> dict[str, int]:
    """Number of each month by its names in every language that Vigie speaks, whole and abbreviated (CLDR)."""
    return {
        _bare(name): number
        for language in languages()
        for width in ("wide", "abbreviated")
        for number, name in get_month_names(width, locale=language).items()
    }


def _bare(name: str) -> str:
    """A name without accents, point and case."""
    return unaccented(name).rstrip(".")


def _number(cell: object, mapping: OwnMapping) -> str:
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, int | float):
        return "" if cell != cell else f"{cell:.10g}"  # noqa: PLR0124  # only NaN differs from itself
    text = str(cell).translate(_SPACES).strip() if cell is not None else ""
    if mapping.table.thousands:
        text = text.replace(mapping.table.thousands, "").replace(" ", "")
    return text.replace(mapping.table.decimal, ".") if mapping.table.decimal == "," else text


_SIGNED = re.compile(r"[+-]?[0-9][0-9 .,']*(?:[eE][+-]?[0-9]+)?%?")

"""Suggest a mapping for a file without one: from the form of its cells, never from their meaning."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd

from core.countries import country_code
from core.errors import SourceError
from core.languages import marked as _
from ingest import RawFile
from ingest.own import SERIAL, is_total, month_of_name, refuse_layout
from ingest.own_mapping import with_advice
from ingest.tables import NOT_SEPARATED, read_sheet, refuse_workbook

_SEPARATORS = ";\t|"
_LOOK_AT = 200
_MANY = 0.6
"""Share of a column's cells from which it is what they are."""
_NEARLY_ALL = 0.9
"""Share of the rows that name a place, where a column names places."""
_FEWEST_PERIODS = 3
_DATES = {
    r"(?:19|20)\d{2}-\d{1,2}": "",
    r"\d{1,2}/(?:19|20)\d{2}": "%m/%Y",
    r"\d{1,2}\.(?:19|20)\d{2}": "%m.%Y",
    r"(?:19|20)\d{2}/\d{1,2}": "%Y/%m",
    r"(?:19|20)\d{2}\d{2}": "%Y%m",
}
_DAYS = {
    r"(?:19|20)\d{2}-\d{2}-\d{2}(?: 00:00:00)?": "",
    r"\d{1,2}/\d{1,2}/(?:19|20)\d{2}": "%d/%m/%Y",
    r"\d{1,2}\.\d{1,2}\.(?:19|20)\d{2}": "%d.%m.%Y",
}
_QUOTED = re.compile(r'"[^"]*"')
_NUMBER = re.compile(r"[+-]?\d{1,3}(?:[ .,'\u00a0\u202f\u2009]?\d{3})*(?:[.,]\d+)?")


def suggest(raw: RawFile) -> str:
    """A mapping file for a table, to be completed by a person: ``publisher``, ``lag_days``, the route's name.

    Raises:
        SourceError: The file is refused, or no column of it holds periods or figures.
    """
    try:
        return _suggest(raw)
    except SourceError as error:
        raise with_advice(error) from None


def _suggest(raw: RawFile) -> str:
    table, settings = _read(raw)
    head = _header_row(table)
    header = [str(cell).strip() for cell in table.iloc[head]]
    rows = [[str(cell).strip() for cell in cells] for cells in table.head(head + 2).to_numpy()]
    for place in range(max(head - 1, 0), len(rows) - 1):
        refuse_layout(raw, int(table.index[place]), rows[place], rows[place + 1])
    body = table.iloc[head + 1 : head + 1 + _LOOK_AT].set_axis(header, axis=1)
    if head:
        settings["header_row"] = str(table.index[head])
    periods = [name for name in header if _kind([name]) != "other" and _period_of(name)]
    columns: dict[str, str] = {}
    if len(periods) >= _FEWEST_PERIODS:
        settings["wide"] = "true"
        figures = body[periods].to_numpy().ravel().tolist()
    else:
        columns["time_period"] = _column(raw, body, "period")
        columns["value"] = _column(raw, body.drop(columns=columns["time_period"]), "number")
        figures = body[columns["value"]].tolist()
        settings |= _written_periods(body[columns["time_period"]])
    settings |= _written_numbers(figures)
    left = [name for name in header if name and name not in {*columns.values(), *periods}]
    # A remark here and there is no place.
    filled = [name for name in left if (body[name].astype(str).str.strip() != "").mean() >= _NEARLY_ALL]
    texts = [name for name in filled if _kind(body[name].tolist()) == "other"]
    columns |= _places(body[texts])
    return _toml(raw, settings, columns)


def _places(texts: pd.DataFrame) -> dict[str, str]:
    """Columns of countries as nationality or destination, and of the others the first that is no breakdown as route."""
    found: dict[str, str] = {}
    for name in texts.columns:
        distinct = {cell for cell in texts[name].astype(str).str.strip() if cell and not is_total(cell)}
        if sum(bool(country_code(cell)) for cell in distinct) >= _MANY * max(len(distinct), 1):
            found.setdefault("geo" if _DESTINATION.search(name.casefold()) else "citizen", name)
        elif not _BREAKDOWN.search(name.casefold()) and len(distinct) > 0:
            found.setdefault("route", name)
    return found


_DESTINATION = re.compile(r"destin|arriv|ankunft|llegada")
_BREAKDOWN = re.compile(
    r"national|nazional|nacional|staatsang|citizen|citoyen|cittadin|ciudadan|origin|herkunft|procedencia"
    r"|\b(sex|sexe|sexo|sesso|gender|genre|geschlecht|ages?|âges?|alter|edad|età|minors?|mineurs?)\b"
)


def _read(raw: RawFile) -> tuple[pd.DataFrame, dict[str, str]]:
    """Cells as text by row number, and what had to be known to read them."""
    if Path(raw.name).suffix.lower() == ".xlsx":
        refuse_workbook(raw)
        return read_sheet(raw).dropna(how="all").fillna("").astype(str), {}
    settings = {}
    try:
        text = raw.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text, settings["encoding"] = raw.content.decode("cp1252", "replace"), '"cp1252"'
    separator = _separator(text)
    if separator != ",":
        settings["separator"] = repr(separator).replace("'", '"')
    try:
        cells = [next(csv.reader([line], delimiter=separator), []) for line in text.splitlines()]
    except csv.Error as error:
        raise raw.fault(NOT_SEPARATED, separator=separator, error=error) from None
    rows = [[cell.strip(' "') for cell in line] for line in cells]
    width = max(map(len, rows), default=0)
    table = pd.DataFrame([row + [""] * (width - len(row)) for row in rows], index=range(1, len(rows) + 1))
    return table[(table != "").any(axis=1)], settings


def _separator(text: str) -> str:
    """The mark that stands in most lines; a comma, which may stand within numbers, only where no other does."""
    lines = [_QUOTED.sub("", line) for line in text.splitlines()[:_LOOK_AT] if line.strip()]
    usual = {mark: sorted(line.count(mark) for line in lines)[len(lines) // 2] for mark in _SEPARATORS if lines}
    best = max(usual, key=usual.__getitem__, default=",")
    return best if usual.get(best) else ","


def _header_row(table: pd.DataFrame) -> int:
    """Place of the first row that is followed by one with a period or with figures, and that has no fewer cells."""
    filled = (table != "").sum(axis=1).to_numpy()
    for place in range(len(table) - 1):
        kinds = Counter(_kind([cell]) for cell in table.iloc[place + 1])
        if filled[place] > 1 and filled[place] >= filled[place + 1] - 1 and kinds["number"] + kinds["period"] > 1:
            return place
    return 0


def _kind(cells: list[str]) -> str:
    """What most of some cells are: ``period``, ``number`` or ``other``."""
    some = [str(cell).strip() for cell in cells if str(cell).strip()]
    if not some:
        return "other"
    if sum(_period_of(cell) for cell in some) >= _MANY * len(some):
        return "period"
    return "number" if sum(bool(_NUMBER.fullmatch(cell)) for cell in some) >= _MANY * len(some) else "other"


def _period_of(cell: str) -> bool:
    return any(re.fullmatch(layout, cell) for layout in (*_DATES, *_DAYS)) or bool(month_of_name(cell))


def _column(raw: RawFile, body: pd.DataFrame, kind: str) -> str:
    found = [name for name in body.columns if name and _kind(body[name].tolist()) == kind]
    if kind == "period" and not found:
        found = [name for name in body.columns if name and body[name].map(SERIAL.fullmatch).all()]
    if not found:
        fault = {"period": _("no column holds months or days"), "number": _("no column holds figures")}[kind]
        raise raw.fault(fault)
    return str(next(filter(is_total, found), found[0]))


def _written_periods(cells: pd.Series) -> dict[str, str]:
    texts = [cell for cell in cells.astype(str).str.strip() if cell]
    for layouts, days in ((_DATES, False), (_DAYS, True)):
        for layout, written in layouts.items():
            if sum(bool(re.fullmatch(layout, text)) for text in texts) >= _MANY * len(texts):
                found = {"period_format": f'"{written}"'} if written else {}
                many = len({text[-7:] if written else text[:7] for text in texts}) < len(texts)
                return found | ({"sum_days": "true"} if days and many else {})
    return {}


def _written_numbers(cells: list[str]) -> dict[str, str]:
    """Marks of thousands and decimals: three digits behind a mark are thousands."""
    texts = [str(cell).strip().translate(dict.fromkeys(map(ord, "\u00a0\u202f\u2009"), " ")) for cell in cells]
    marks = Counter(mark for text in texts for mark in re.findall(r"(?<=\d)([ .,'])(?=\d{3}(?:\D|$))", text))
    found = {}
    if marks:
        found["thousands"] = f'"{marks.most_common(1)[0][0]}"'
    # A point cannot mark both.
    if found.get("thousands") == '"."' or any(re.search(r",\d{1,2}$|,\d{4,}$", text) for text in texts):
        found["decimal"] = '","'
    return found


def _toml(raw: RawFile, settings: dict[str, str], columns: dict[str, str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", Path(raw.name).stem.lower()).strip("_")[:32] or "figures"
    lines = [
        "[source]", f'source_id = "own_{slug}"', 'publisher = "who counts"',
        f'dataset = "{Path(raw.name).stem}"', "lag_days = 10", "", "[table]", 'what = "arrivals"',
        *(f"{name} = {value}" for name, value in settings.items()), "", "[columns]",
        *(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in columns.items()),
    ]  # fmt: skip
    if "route" not in columns:
        lines += ["", "[fixed]", 'route = "name of the place"']
    return "\n".join(lines) + "\n"

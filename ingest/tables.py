"""Readers of the file kinds that publishers use. Whatever is wrong with a file becomes one ``SourceError``.

Of a workbook (XLSX, ODS) is refused, by its ZIP and XML parts:

- One that unpacks to too much (:func:`refuse_unfolding`).
- One that a person hands over and that does anything but hold cells (:func:`refuse_workbook`): macros, formulas, links
  to other files, connections, embedded objects, encryption, entity declarations (which expand).
- One with cells that look blank to a reader of values and are not (:func:`refuse_strange_cells`): an error
  (``#REF!``), a formula whose result was never stored, the cells that a merged one covers. A blank means "not
  reported", so that each of them would lower a sum without a word.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from array import array
from collections.abc import Collection, Iterator, Sequence
from html import unescape
from posixpath import join, normpath
from xml.parsers import expat

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name

from core.errors import SourceError, first_line
from core.languages import marked as _
from core.schema import refuse_person_level
from ingest import LARGEST_UNPACKED, UNFOLDS, RawFile, refuse_many, unpacked

ROWS_OF_HEAD = 30
_HTML = (b"<!doctype", b"<html", b"<head", b"<body")

RAGGED = _("cells in the line: {n}, in the header: {expected}")
NOT_SEPARATED = _("not a table separated by '{separator}': {error}")


def read_csv(
    raw: RawFile,
    columns: Sequence[str],
    *,
    separator: str = ",",
    encoding: str = "utf-8-sig",
    header_row: int = 1,
    last_line_ends: bool = True,
    tolerated: Collection[str] = (),
) -> pd.DataFrame:
    """Read a delimited text file without interpreting a single cell.

    Args:
        raw: The file.
        columns: Header cells that must be there; other columns are kept too.
        separator: Between cells.
        encoding: As the publisher writes.
        header_row: Line of the header; titles may stand above it.
        last_line_ends: The publisher ends the last line too, so that a file without that end was cut off.
        tolerated: See :func:`require_columns`.

    Returns:
        One row per line, every cell as text (``''`` where empty), indexed by the line's number in the file.

    Raises:
        SourceError: It is empty, a web page, in another encoding, cut off, ragged, or lacks a column.
    """
    titles, lines = header_row - 1, raw.content.split(b"\n", header_row - 1)
    # Titles become blank lines, so that rows keep their numbers.
    raw = RawFile(raw.name, b"\n" * titles + b"".join(lines[titles:]))
    text = _decode(raw, encoding)
    if last_line_ends and not text.endswith("\n"):
        raise raw.fault(_("the last line has no line end: the file was cut off"), row=text.count("\n") + 1)
    refuse_many(raw.name, text.count("\n") + 1, text.partition("\n")[0].count(separator) + 1, text.count(separator))
    del text  # a large file's text and its cells do not stand beside each other
    header, cells, numbers = _cells(raw, separator, encoding)
    frame = pd.DataFrame(dict(enumerate(cells)), index=numbers, dtype=object).set_axis(header, axis=1)
    require_columns(frame, columns, raw.name, tolerated=tolerated)
    return frame


def read_sheet(raw: RawFile, sheet: str = "") -> pd.DataFrame:
    """Read one sheet of a workbook (XLSX, ODS) as it stands, header row included.

    Returns:
        Cells as Python objects (NaN where blank), indexed by row number in the sheet, columns numbered from 0.

    Raises:
        SourceError: It is empty, a web page, no whole workbook, lacks the sheet, or a cell's value is hidden.
    """
    return next(iter(read_sheets(raw, (sheet,)).values()))


def read_sheets(raw: RawFile, sheets: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read several sheets of a workbook; see :func:`read_sheet`."""
    refuse_wrong_kind(raw)
    refuse_unfolding(raw)
    frames: dict[str, pd.DataFrame] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pd.ExcelFile(io.BytesIO(raw.content), engine="calamine") as workbook:
                names = [str(name) for name in workbook.sheet_names]
                sheets = [sheet or names[0] for sheet in sheets]
                for sheet in (name for name in sheets if name in names):
                    size = workbook.book.get_sheet_by_name(sheet)
                    refuse_many(raw.name, size.total_height, size.total_width)
                    del size
                    frames[sheet] = workbook.parse(sheet, header=None, keep_default_na=False, na_values=[""])
                    refuse_many(raw.name, *frames[sheet].shape)
                    frames[sheet].index = pd.RangeIndex(1, len(frames[sheet]) + 1)
        refuse_strange_cells(raw, frames)
    except (SourceError, MemoryError):
        raise
    except Exception as error:  # zip, XML and workbook libraries each raise their own kinds for a damaged file
        raise raw.fault(_("not a whole workbook: {error}"), error=_reason(error)) from None
    for sheet in sheets:
        if sheet not in frames:
            raise raw.fault(_("sheet '{sheet}' is missing; found {found}"), sheet=sheet, found=names)
        head = [cell for cell in frames[sheet].head(ROWS_OF_HEAD).to_numpy().ravel() if isinstance(cell, str)]
        refuse_person_level(head, f"{raw.name}, sheet '{sheet}'")
    return frames


def read_rda(raw: RawFile, table: str, columns: Sequence[str], *, tolerated: Collection[str] = ()) -> pd.DataFrame:
    """Read one data frame of an R data file.

    Args:
        raw: The file.
        table: Name of the R object.
        columns: Columns that must be there; other columns are kept too.
        tolerated: See :func:`require_columns`.

    Returns:
        The table, indexed by row number from 1.

    Raises:
        SourceError: It is empty, a web page, cut off, or lacks the table or a column.
    """
    import rdata  # noqa: PLC0415  # takes a quarter of a second to load, and few files need it

    refuse_wrong_kind(raw)
    content = unpacked(raw).content
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tables = rdata.conversion.convert(rdata.parser.parse_data(content))
    except Exception as error:  # decompressors and the R parser each raise their own kinds for a damaged file
        raise raw.fault(_("not a whole R data file: {error}"), error=_reason(error)) from None
    frame = tables.get(table) if isinstance(tables, dict) else None
    if not isinstance(frame, pd.DataFrame):
        raise raw.fault(_("the table '{table}' is missing"), table=table)
    require_columns(frame, columns, raw.name, tolerated=tolerated)
    if frame.empty:
        raise raw.fault(_("the table '{table}' has no rows"), table=table)
    return frame.set_axis(pd.RangeIndex(1, len(frame) + 1), axis=0)


def as_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as text, ``''`` where there is none."""
    return frame.astype(object).where(frame.notna(), "").astype(str)


def require_columns(frame: pd.DataFrame, columns: Sequence[str], file: str, *, tolerated: Collection[str] = ()) -> None:
    """Refuse a file whose header lacks a column, or has one that would describe persons or single landings.

    Args:
        frame: The table.
        columns: Columns that must be there.
        file: Name of the file, for the error.
        tolerated: Columns of a table of single events that the parser never reads: ``PLACES_OF_EVENTS``.

    Raises:
        SourceError: Naming what is missing and what was found, or what is refused.
    """
    refuse_person_level(frame.columns, file, tolerated=tolerated)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        # Only names that were asked for: where there is no header, its cells are the first row's, and may be persons'.
        found = [column for column in columns if column in frame.columns]
        raise SourceError(
            file, _("missing columns {columns}; found {found}"), row=1, columns=missing, found=found or "–"
        )
    named = frame.columns[frame.columns.astype(str).str.strip() != ""]
    if named.has_duplicates:
        doubled = sorted({str(column) for column in named[named.duplicated()]})
        raise SourceError(file, _("columns {columns} stand twice in the header"), row=1, columns=doubled)


def refuse_wrong_kind(raw: RawFile) -> None:
    """Refuse what is no data file at all.

    Raises:
        SourceError: The file is empty, or a web page that came in a file's place.
    """
    start = raw.content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise raw.fault(_("the file is empty"))
    if start.startswith(_HTML):
        raise raw.fault(_("a web page came in place of the file"))


def _decode(raw: RawFile, encoding: str) -> str:
    refuse_wrong_kind(raw)
    named = encoding.removesuffix("-sig")
    try:
        text = raw.content.decode(encoding)
    except UnicodeDecodeError as error:
        line, fault = raw.content.count(b"\n", 0, error.start) + 1, _("not {encoding} text: {error} at byte {n}")
        raise raw.fault(fault, row=line, encoding=named, error=error.reason, n=error.start) from None
    if "\x00" in text:
        raise raw.fault(_("not {encoding} text: it holds NUL bytes"), encoding=named)
    return text


def _cells(raw: RawFile, separator: str, encoding: str) -> tuple[list[str], list[list[str]], NDArray[np.int64]]:
    """The header, the cells of each column and the number of each line that is not blank; as many cells in every line.

    Read line by line, and a text that stands in many cells is kept once: columns of codes and periods take next to no
    memory.
    """
    text = io.TextIOWrapper(io.BytesIO(raw.content), encoding, newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
    known: dict[str, str] = {}
    numbers = array("q")
    header: list[str] = []
    columns: list[list[str]] = []
    try:
        for cells in reader:
            if not cells:
                continue
            if not header:
                header, columns = cells, [[] for _cell in cells]
            elif len(cells) != len(header):
                raise raw.fault(RAGGED, row=reader.line_num, n=len(cells), expected=len(header))
            else:
                numbers.append(reader.line_num)
                for column, cell in zip(columns, cells, strict=True):
                    column.append(known.setdefault(cell, cell))
    except csv.Error as error:
        raise raw.fault(NOT_SEPARATED, row=reader.line_num, separator=separator, error=error) from None
    return header, columns, np.frombuffer(numbers, dtype=np.int64)


def _reason(error: Exception) -> str:
    """What a library says of a damaged file; of any other fault its kind alone, for its text may quote a cell."""
    return first_line(error) if isinstance(error, zipfile.BadZipFile | OSError | EOFError) else type(error).__name__


def refuse_unfolding(raw: RawFile) -> None:
    """Refuse a workbook (xlsx or ods) whose archive unpacks to more than a table needs.

    Raises:
        SourceError: It does, or is no archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise raw.fault(_("not a whole workbook: {error}"), error=str(error)) from None
    if size > LARGEST_UNPACKED:
        raise raw.fault(UNFOLDS)


_OLE = b"\xd0\xcf\x11\xe0"
_REFUSED_PARTS = {
    r"vbaProject|macrosheets/|vbaData": _("refused: it holds macros ({part})"),
    r"externalLinks/": _("refused: it links to other workbooks ({part})"),
    r"connections\.xml|queryTables/": _("refused: it holds connections to other data ({part})"),
    r"embeddings/|activeX/|ctrlProps/|oleObject": _("refused: it holds embedded objects ({part})"),
}
_ANY_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def refuse_workbook(raw: RawFile) -> None:
    """Refuse a workbook that does anything but hold cells.

    Raises:
        SourceError: With the reason.
    """
    if raw.content.startswith(_OLE):
        raise raw.fault(_("refused: it is encrypted or of the old kind (xls); save it as xlsx, unprotected"))
    refuse_unfolding(raw)
    try:
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            _refuse_parts(raw.name, archive.infolist())
            for part in archive.infolist():
                if part.filename.lower().endswith((".xml", ".rels")):
                    _refuse_content(raw.name, part.filename, archive.read(part))
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError) as error:
        raise raw.fault(_("not a whole workbook: {error}"), error=error) from None


def _refuse_parts(file: str, parts: list[zipfile.ZipInfo]) -> None:
    for part in parts:
        for pattern, reason in _REFUSED_PARTS.items():
            if re.search(pattern, part.filename, re.IGNORECASE):
                raise SourceError(file, reason, part=part.filename)


def _refuse_content(file: str, part: str, content: bytes) -> None:
    if b"\0" in content:
        content = content.replace(b"\0", b"")  # UTF-16 reads as ASCII does without its zero bytes
    if _ENTITY.search(content):
        raise SourceError(file, _("refused: {part} declares entities, which may expand without end"), part=part)
    if part.startswith("xl/worksheets/") and _ANY_FORMULA.search(content):
        raise SourceError(file, _("refused: {part} holds formulas; paste the values alone"), part=part)
    if part == "[Content_Types].xml" and b"macroEnabled" in content:
        raise SourceError(file, _("refused: it is a workbook made for macros"))
    is_link = part.lower().endswith(".rels")
    if is_link and b'TargetMode="External"' in re.sub(rb"\s+", b"", content).replace(b"'", b'"'):
        raise SourceError(file, _("refused: {part} links to something outside of the file"), part=part)


_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]+)<")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]+[0-9]+):([A-Z]+[0-9]+)"')
_ERROR = _("it holds an error in place of a value")
_FORMULA = _("it holds a formula whose value was never stored: open the file, save it, try again")
_MERGE = _("cells of figures are merged")


def refuse_strange_cells(raw: RawFile, frames: dict[str, pd.DataFrame]) -> None:
    """Refuse a workbook (XLSX, ODS) with cells whose value is hidden or unknown.

    Args:
        raw: The workbook.
        frames: Its sheets that are read, by name, indexed by row number, columns numbered from 0.

    Raises:
        SourceError: The first such cell, by its sheet and address. A merged title is none: a range is refused only
            where a row of it holds numbers.
    """
    with zipfile.ZipFile(io.BytesIO(raw.content)) as book:
        if "content.xml" in book.namelist():
            cells = _OdsCells(set(frames))
            strange = cells.strange(book.read("content.xml"))
            refuse_many(raw.name, cells.last, 1)  # the library passes over rows that lie further down
        else:
            parts = {sheet: book.read(path) for sheet, path in _paths(book) if sheet in frames}
            strange = [
                (f"{sheet}!{address}", rule)
                for sheet, text in parts.items()
                for address, rule in (*_hidden(text), *_merged(text, frames[sheet]))
            ]
    for where, rule in strange:
        raise raw.fault(_("cell {where}: {fault}"), where=where, fault=rule)


class _OdsCells:
    """Walks an ODS file's cells; row and column are counted with their repetitions."""

    def __init__(self, sheets: set[str]) -> None:
        self.sheets, self.sheet, self.row, self.next_row, self.column, self.last = sheets, "", 0, 1, 0, 0
        self.found: list[tuple[str, str]] = []

    def strange(self, content: bytes) -> list[tuple[str, str]]:
        """Addresses and rules of the cells that are to be refused."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self.start
        parser.Parse(content, True)
        return self.found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        given = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if "error" in attributes.values():  # LibreOffice says so beside a type of text
            given["value-type"] = "error"
        kind = name.rpartition(" ")[2]
        if kind == "table":
            self.sheet, self.next_row = given.get("name", ""), 1
        elif kind == "table-row":
            self.row, self.column = self.next_row, 0
            self.next_row += int(given.get("number-rows-repeated", "1"))
        elif kind in ("table-cell", "covered-table-cell"):
            self.cell(kind, given)
            self.column += int(given.get("number-columns-repeated", "1"))

    def cell(self, kind: str, given: dict[str, str]) -> None:
        spans = (given.get("number-columns-spanned", "1"), given.get("number-rows-spanned", "1"))
        is_number = given.get("value-type") in ("float", "percentage", "currency")
        rules = {
            _ERROR: given.get("value-type") == "error",
            _FORMULA:
                "formula" in given and "value-type" not in given,
            _MERGE: kind == "table-cell" and is_number and spans != ("1", "1"),
        }  # fmt: skip
        if self.sheet in self.sheets:
            self.last = max(self.last, self.row if "value-type" in given else 0)
            address = f"{self.sheet}!{xl_col_to_name(self.column)}{self.row}"
            self.found += [(address, rule) for rule, holds in rules.items() if holds]


def _paths(book: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name of each sheet and the part that holds it."""
    links = {}
    for tag in re.findall(rb"<(?:\w+:)?Relationship\b[^>]*>", book.read("xl/_rels/workbook.xml.rels")):
        found = dict(_ATTRIBUTE.findall(tag))
        target = unescape(found[b"Target"].decode())
        links[found[b"Id"]] = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
    for tag in re.findall(rb"<(?:\w+:)?sheet\b[^>]*>", book.read("xl/workbook.xml")):
        found = dict(_ATTRIBUTE.findall(tag))
        link = next((value for name, value in found.items() if name.rpartition(b":")[2] == b"id"), b"")
        if link in links:
            yield unescape(found[b"name"].decode()), links[link]


def _hidden(text: bytes) -> Iterator[tuple[str, str]]:
    if b't="e"' not in text and b"<f" not in text and b":f" not in text:
        return
    for attributes, content in _CELL.findall(text):
        found = dict(_ATTRIBUTE.findall(attributes))
        address = found.get(b"r", b"").decode()
        if found.get(b"t") == b"e":
            yield address, _ERROR
        elif re.search(rb"<(?:\w+:)?f\b", content) and not _VALUE.search(content):
            yield address, _FORMULA


def _merged(text: bytes, frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for found in _MERGED.findall(text):
        first, last = (end.decode() for end in found)
        rows = frame.loc[xl_cell_to_rowcol(first)[0] + 1 : xl_cell_to_rowcol(last)[0] + 1]
        numbers = rows.map(lambda cell: isinstance(cell, int | float) and not pd.isna(cell)).to_numpy()
        if first != last and numbers.any():
            yield f"{first}:{last}", _MERGE

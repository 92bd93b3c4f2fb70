"""What is refused of a workbook (XLSX, ODS) by its ZIP and XML parts.

- One that unpacks to too much (:func:`refuse_unfolding`).
- One that a person hands over and that does anything but hold cells (:func:`refuse_workbook`): macros, formulas, links
  to other files, connections, embedded objects, encryption, entity declarations (which expand), zip bombs.
- One with cells that look blank to a reader of values and are not (:func:`refuse_strange_cells`): an error
  (``#REF!``), a formula whose result was never stored, the cells that a merged one covers. A blank means "not
  reported", so that each of them would lower a sum without a word.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from posixpath import join, normpath
from xml.parsers import expat

import pandas as pd
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name

from core.errors import SourceError
from core.languages import marked as _
from ingest import RawFile
from ingest.intake import LARGEST_UNPACKED, UNFOLDS, refuse_many


def refuse_unfolding(raw: RawFile) -> None:
    """Refuse a workbook (xlsx or ods) whose archive unpacks to more than a table needs.

    Raises:
        SourceError: It does, or is no archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise SourceError(raw.name, _("not a whole workbook: {error}"), error=str(error)) from None
    if size > LARGEST_UNPACKED:
        raise SourceError(raw.name, UNFOLDS)


LARGEST_RATIO = 200
"""Unpacked to packed bytes of one part: XML of numbers packs 10 to 50 times."""
MOST_PARTS = 2000
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
        raise SourceError(
            raw.name, _("refused: it is encrypted or of the old kind (xls); save it as xlsx, unprotected")
        )
    try:
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            _refuse_parts(raw.name, archive.infolist())
            for part in archive.infolist():
                if part.filename.lower().endswith((".xml", ".rels")):
                    _refuse_content(raw.name, part.filename, archive.read(part))
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError) as error:
        raise SourceError(raw.name, _("not a whole workbook: {error}"), error=error) from None


def _refuse_parts(file: str, parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise SourceError(file, UNFOLDS)
    for part in parts:
        if part.file_size > 1 << 20 and part.file_size > LARGEST_RATIO * max(part.compress_size, 1):
            raise SourceError(
                file, _("refused: the part {part} unpacks to far more than it holds (a zip bomb)"), part=part.filename
            )
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
        raise SourceError(raw.name, _("cell {where}: {fault}"), where=where, fault=rule)


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

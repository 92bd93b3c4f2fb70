"""What is refused of a file that a person hands over, before a single cell is read.

A workbook is a ZIP of XML parts. Refused: macros, formulas, links to other files, connections, embedded objects,
encryption, entity declarations (which expand), and archives that unpack to far more than they hold (zip bombs). A CSV
is refused for cells that a spreadsheet would run (OWASP, *CSV Injection*). Columns about single persons are refused by
:mod:`core.aggregates`. Every refusal of own figures says what to do about it, with an example.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable

from core.errors import Message, SourceError, message
from core.languages import marked as _
from core.table_files import FORMULA_STARTS
from ingest.intake import LARGEST_UNPACKED, UNFOLDS
from ingest.source import LARGEST_FILE, TOO_LARGE, RawFile
from ingest.tables import RAGGED

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
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[0-9][0-9 .,']*(?:[eE][+-]?[0-9]+)?%?")


def refuse_workbook(raw: RawFile) -> None:
    """Refuse a workbook that does anything but hold cells.

    Raises:
        SourceError: With the reason.
    """
    refuse_large(raw)
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


def refuse_csv(raw: RawFile, cells: Iterable[tuple[object, str, object]]) -> None:
    """Refuse text cells that a spreadsheet would run as a formula.

    Args:
        raw: The file.
        cells: Row, column and content of each cell.

    Raises:
        SourceError: At the first such cell.
    """
    for row, column, cell in cells:
        if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(cell):
            raise SourceError(raw.name, _("refused: the cell holds a formula"), row=str(row), column=column)


def refuse_large(raw: RawFile) -> None:
    """Refuse a file beyond what aggregates need.

    Raises:
        SourceError: The file is larger than ``LARGEST_FILE``.
    """
    if len(raw.content) > LARGEST_FILE:
        raise SourceError(raw.name, TOO_LARGE, n=LARGEST_FILE >> 20)


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
    if part.startswith("xl/worksheets/") and _FORMULA.search(content):
        raise SourceError(file, _("refused: {part} holds formulas; paste the values alone"), part=part)
    if part == "[Content_Types].xml" and b"macroEnabled" in content:
        raise SourceError(file, _("refused: it is a workbook made for macros"))
    is_link = part.lower().endswith(".rels")
    if is_link and b'TargetMode="External"' in re.sub(rb"\s+", b"", content).replace(b"'", b'"'):
        raise SourceError(file, _("refused: {part} links to something outside of the file"), part=part)


_BY_THE_MAPPING = {
    _("the period is not a month"): _(
        "say how periods are written, as in `[table] period_format = \"%m/%Y\"`; are they days? Then `sum_days = true`"
    ),
    _("the period is not a quarter"): _("write quarters as in `2024-Q1`"),
    _("the period is not a year"): _("write years as in `2024`; are they months? Then `[table] freq = \"M\"`"),
    _("the period lies in the future"): _(
        "leave out what has not been counted; a capacity may lie ahead: `[table] what = \"capacity\"`"
    ),
    _("the day does not exist"): _("say how days are written, as in `[table] period_format = \"%d/%m/%Y\"`"),
    _("the figure is not a number"): _(
        "say how numbers are written, as in `[table] thousands = \" \", decimal = \",\"`"
    ),
    _("the count is not a whole number"): _("is the point a mark of thousands? Then `[table] thousands = \".\"`"),
    _("the count is negative"): _("is it no count of persons? Then `[table] what = \"indicator\"`"),
    _("the count is missing"): _("write `0` where nobody was counted, and leave out days without a count"),
    _("different figures for the same {keys}"): _(
        "does a column tell the rows apart? Name it, as in `[columns] route = \"Place\"`"
    ),
    _("the same {keys} is listed twice"): _(
        "does a column tell the rows apart? Name it, as in `[columns] route = \"Place\"`"
    ),
    _("missing columns {columns}; found {found}"): _(
        "where does the header stand? Say `[table] header_row = 3`, `sheet = \"…\"` or `separator = \";\"`; or "
        "`wide = true` where each column is a period"
    ),
    _("no header cell reads as a period; found {found}"): _("say `[table] header_row = 3`, or a `period_format`"),
    _("not {encoding} text: {error} at byte {n}"): _(
        "say how the text is coded, as in `[table] encoding = \"cp1252\"`"
    ),
    _("not {encoding} text: it holds NUL bytes"): _(
        "say how the text is coded, as in `[table] encoding = \"utf-16\"`"
    ),
    RAGGED[0]: _(
        "are there titles above the header? Say `[table] header_row = 3`"
    ),
    _("not a table separated by '{separator}': {error}"): _("say what stands between cells, as in `separator = \";\"`"),
    _("the sheet is empty"): _("name the sheet that holds the figures, as in `[table] sheet = \"Monthly\"`"),
    _("sheet '{sheet}' is missing; found {found}"): _(
        "name the sheet that holds the figures, as in `[table] sheet = \"Monthly\"`"
    ),
    _("the file holds no figures"): _("say which column holds them, as in `[columns] value = \"Persons\"`"),
    _("the cell cannot name a route: up to 38 letters, digits and spaces"): _(
        "write a name such as `Ceuta by land`"
    ),
}  # fmt: skip
"""What to do about a fault that a mapping can settle, by its rule."""
_IN_THE_FILE = {
    _("columns {columns} describe persons, single landings or vessels: Vigie takes aggregates only"): _(
        "sum by month and place first, and hand over `Month,Place,Persons` alone"
    ),
    _("columns {columns} stand twice in the header"): _("give each its own name, as in `By sea` and `By land`"),
    _("no column holds months or days"): _("write each row's month in a column, as in `2024-01`"),
    _("no column holds figures"): _("write figures as digits alone, as in `1200`, and formulas as their values"),
}  # fmt: skip
_SAVED_AGAIN = _("save the table alone as CSV, as in `Month,Persons` and below it `2024-01,120`")
"""What settles all else: formulas, macros, links, other kinds of files, and damage."""


def with_advice(error: SourceError) -> SourceError:
    """A refusal of own figures with what to do about it."""
    rule: object = error.rule
    known = _BY_THE_MAPPING | _IN_THE_FILE
    while (
        isinstance(rule, Message) and rule.template not in known and isinstance(rule.parameters.get("fault"), Message)
    ):
        rule = rule.parameters["fault"]
    template = rule.template if isinstance(rule, Message) else ""
    text = _("{fault}. What to do: {advice}")
    if template in _BY_THE_MAPPING:
        text = _("{fault}. What to do: {advice}; vigie ingest --preview suggests a mapping")
    told = message(text, fault=error.rule, advice=Message(known.get(template, _SAVED_AGAIN)))
    return SourceError(error.file, told, row=error.row, column=error.column)

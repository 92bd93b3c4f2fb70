"""Small files that unpack to far more than a machine holds, and what reading each one takes until it is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import multiprocessing
import os
import resource
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from core.errors import SourceError
from ingest import RawFile, apart
from ingest.tables import read_csv, read_rda, read_sheet

OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def xlsx(sheet: str, strings: str = "") -> bytes:
    """A workbook with one sheet, written by hand; ``strings``: how many texts it says that its cells share."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>',  # noqa: E501  # one line of XML
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{relations}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',  # noqa: E501  # one line of XML
        )
        if strings:
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}" uniqueCount="{strings}"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',  # noqa: E501  # one line of XML
        )
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',  # noqa: E501  # one line of XML
        )
    return packed.getvalue()


def ods(rows: str, before: str = "") -> bytes:
    """An OpenDocument sheet, written by hand."""
    spaces = " ".join(f'xmlns:{name}="{OFFICE}:{name}:1.0"' for name in ("office", "table", "text"))
    content = f'{before}<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="s">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'  # noqa: E501  # one line of XML
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<m:manifest xmlns:m="{OFFICE}:manifest:1.0"><m:file-entry m:full-path="/" m:media-type="application/vnd.oasis.opendocument.spreadsheet"/><m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>',  # noqa: E501  # one line of XML
        )
    return packed.getvalue()


def cell(address: str, value: str = "<v>1</v>") -> str:
    row = address.upper().lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{address}">{value}</c></row>'


def full(rows: str = "", columns: str = "", text: str = "1") -> str:
    times = f' table:number-columns-repeated="{columns}"' if columns else ""
    again = f' table:number-rows-repeated="{rows}"' if rows else ""
    kind = 'office:value-type="string"'
    return f"<table:table-row{again}><table:table-cell{times} {kind}><text:p>{text}</text:p></table:table-cell></table:table-row>"  # noqa: E501  # one line of XML


def _far(*cells: str) -> bytes:
    return xlsx("".join(cells))


def _cut(pack: Callable[[bytes], bytes]) -> bytes:
    return pack(os.urandom(9999))[:-99]


def _empty(rows: int, columns: int) -> bytes:
    return (b"," * (columns - 1) + b"\n") * rows


EMPTY = '<table:table-row table:number-rows-repeated="{}"><table:table-cell/></table:table-row>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
ZEROS = bytes(210 << 20)
BOMBS: dict[str, Callable[[], bytes]] = {}
"""What makes each; its name begins with its kind."""
for _address in ("XFD1048576", "CZZ1", "XFD400", "A999999999", "A" + "9" * 20, "xfd1048576"):
    BOMBS[f"xlsx with one cell at {_address}"] = partial(_far, cell("A1"), cell(_address))
for _address in ("XFD1048576", "ZZZ9999"):
    BOMBS[f"xlsx in single quotes to {_address}"] = partial(
        _far, cell("A1").replace('"', "'"), cell(_address).replace('"', "'")
    )
BOMBS["xlsx of texts that it does not have"] = lambda: xlsx(cell("A1"), strings="99999999999999")
BOMBS["xlsx of rows without addresses"] = lambda: xlsx("<row><c><v>1</v></c></row>" * 600_000)
BOMBS["xlsx that unpacks to more than it may"] = lambda: xlsx(" " * len(ZEROS))
for _times in ("600000", "9" * 40, "-1", "1e9"):
    BOMBS[f"ods of a row {_times} times"] = partial(ods, full(rows=_times))
    BOMBS[f"ods of a cell {_times} times"] = partial(ods, full(columns=_times))
    BOMBS[f"ods of empty rows {_times} times"] = partial(ods, EMPTY.format(_times) + full())
    BOMBS[f"ods of wide rows {_times} times"] = partial(ods, full(rows=_times, columns="1500"))
BOMBS["ods that unpacks to more than it may"] = lambda: ods(" " * len(ZEROS))
BOMBS["ods with entities"] = lambda: ods(full(text="&b;"), LAUGHS)
BOMBS["rda of zeros in gzip"] = partial(gzip.compress, ZEROS, 1)
_PACKS: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, bz2.compress, lzma.compress)
for _pack in _PACKS:
    BOMBS[f"rda cut off in {_pack.__module__}"] = partial(_cut, _pack)
for _rows, _columns in ((1_900_000, 1), (1, 200_000), (2, 2001)):
    BOMBS[f"csv of {_rows} × {_columns}"] = partial(_empty, _rows, _columns)
BOMBS["csv whose first line is short"] = lambda: b"a\n" + b"," * 6_000_000 + b"\n"
FAST = 5.0
"""Seconds of the processor: how long that takes is the machine's, which may have much else to do."""
_READ: dict[str, Callable[[RawFile], pd.DataFrame]] = {
    "xlsx": lambda raw: read_sheet(raw, "s"),
    "ods": lambda raw: read_sheet(raw, "s"),
    "rda": lambda raw: read_rda(raw, "t", ["a"]),
    "csv": lambda raw: read_csv(raw, ["a"]),
}


@dataclass(frozen=True)
class Refusal:
    """What became of a bomb.

    Attributes:
        seconds: Of the processor, of the process that read it.
        memory: Bytes that this process took beyond what it began with.
        reason: The error message; empty if it was not refused.
    """

    seconds: float
    memory: int
    reason: str


def explode(kind: str) -> Refusal:
    """Read a bomb as a night does: apart. It is made before anything is measured."""
    extension = kind.partition(" ")[0]
    raw = RawFile(f"x.{extension}", BOMBS[kind]())
    taken = multiprocessing.get_context("fork").Value("q", 0)

    def read(one: RawFile) -> pd.DataFrame:
        began = _memory("VmRSS")
        try:
            return _READ[extension](one)
        finally:
            taken.value = _memory("VmHWM") - began

    before, reason = resource.getrusage(resource.RUSAGE_CHILDREN), ""
    try:
        apart(read, raw)
    except SourceError as error:
        reason = str(error)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Refusal(seconds, int(taken.value), reason)


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))

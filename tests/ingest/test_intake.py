"""Small files that would take the machine with them: each is refused at once, and it is the only one that is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.errors import SourceError
from ingest.intake import apart
from ingest.source import RawFile, read_raw
from ingest.tables import read_csv, read_rda, read_sheet
from nightly.inputs import read_inbox
from store.journal import Journal, journal_url

OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
FAST = 5.0


def xlsx(sheet: str) -> bytes:
    """A workbook with one sheet, written by hand."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'
        )
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>')  # fmt: skip  # noqa: E501  # one line of XML
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')  # fmt: skip  # noqa: E501  # as above
        archive.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>')  # fmt: skip  # noqa: E501  # as above
    return packed.getvalue()


def ods(rows: str, before: str = "") -> bytes:
    """An OpenDocument sheet, written by hand."""
    spaces = " ".join(f'xmlns:{name}="{OFFICE}:{name}:1.0"' for name in ("office", "table", "text"))
    content = f'{before}<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="s">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'  # noqa: E501  # one line of XML
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{OFFICE}:manifest:1.0"><m:file-entry m:full-path="/" m:media-type="application/vnd.oasis.opendocument.spreadsheet"/><m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>')  # fmt: skip  # noqa: E501  # as above
    return packed.getvalue()


def cell(address: str, value: str = "<v>1</v>") -> str:
    row = address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{address}">{value}</c></row>'


def full(rows: str = "", columns: str = "", text: str = "1") -> str:
    times = f' table:number-columns-repeated="{columns}"' if columns else ""
    again = f' table:number-rows-repeated="{rows}"' if rows else ""
    kind = 'office:value-type="string"'
    return f"<table:table-row{again}><table:table-cell{times} {kind}><text:p>{text}</text:p></table:table-cell></table:table-row>"  # noqa: E501  # one line of XML


EMPTY = '<table:table-row table:number-rows-repeated="{}"><table:table-cell/></table:table-row>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
ZEROS = bytes(210 << 20)
BOMBS: dict[str, Callable[..., object]] = {}
for _address in (
    "XFD20000",
    "XFD1048576",
    "A1048576",
    "CZZ1",
    "ABC9000",
    "AMJ9999",
    "XFD400",
    "B999999",
    "ZZZZZZ1",
    "A999999999",
):
    BOMBS[f"xlsx with one cell at {_address}"] = lambda one=_address: read_sheet(RawFile("x.xlsx", xlsx(cell("A1") + cell(one))), "s")  # fmt: skip  # noqa: E501  # a case a line
for _address in ("XFD20000", "XFD1048576", "BZZ90000", "AMJ50000", "ZZZ9999"):
    BOMBS[f"xlsx with empty cells to {_address}"] = lambda one=_address: read_sheet(RawFile("x.xlsx", xlsx(cell(one, "") + cell("A2"))), "s")  # fmt: skip  # noqa: E501  # as above
    BOMBS[f"xlsx in single quotes to {_address}"] = lambda one=_address: read_sheet(RawFile("x.xlsx", xlsx((cell("A1") + cell(one)).replace('"', "'"))), "s")  # fmt: skip  # noqa: E501  # as above
BOMBS["xlsx of rows without addresses"] = lambda: read_sheet(
    RawFile("x.xlsx", xlsx("<row><c><v>1</v></c></row>" * 600_000)), "s"
)
BOMBS["xlsx of a row without end"] = lambda: read_sheet(
    RawFile("x.xlsx", xlsx(f"<row>{'<c/>' * 5_100_000}</row>")), "s"
)
BOMBS["xlsx that unpacks to more than it may"] = lambda: read_sheet(RawFile("x.xlsx", xlsx(" " * len(ZEROS))), "s")
for _times in ("600000", "1000000000", "999999999999", "9" * 40, "-1", "1e9", "٣"):
    BOMBS[f"ods of a row {_times} times"] = lambda n=_times: read_sheet(
        RawFile("x.ods", ods(full(rows=n))), "s", engine="odf"
    )
    BOMBS[f"ods of a cell {_times} times"] = lambda n=_times: read_sheet(
        RawFile("x.ods", ods(full(columns=n))), "s", engine="odf"
    )
    BOMBS[f"ods of empty rows {_times} times"] = lambda n=_times: read_sheet(RawFile("x.ods", ods(EMPTY.format(n) + full())), "s", engine="odf")  # fmt: skip  # noqa: E501  # as above
    BOMBS[f"ods of wide rows {_times} times"] = lambda n=_times: read_sheet(RawFile("x.ods", ods(full(rows=n, columns="1500"))), "s", engine="odf")  # fmt: skip  # noqa: E501  # as above
BOMBS["ods that unpacks to more than it may"] = lambda: read_sheet(
    RawFile("x.ods", ods(" " * len(ZEROS))), "s", engine="odf"
)
BOMBS["ods with entities"] = lambda: read_sheet(RawFile("x.ods", ods(full(text="&b;"), LAUGHS)), "s", engine="odf")
for _name, _pack in (
    ("gzip", gzip.compress),
    ("bzip2", bz2.compress),
    ("xz", lambda data: lzma.compress(data, preset=0)),
):
    BOMBS[f"rda of zeros in {_name}"] = lambda pack=_pack: read_rda(RawFile("x.rda", pack(ZEROS)), "t", ["a"])
    BOMBS[f"rda cut off in {_name}"] = lambda pack=_pack: read_rda(
        RawFile("x.rda", pack(os.urandom(9999))[:-99]), "t", ["a"]
    )
for _rows, _columns in ((1_900_000, 1), (1, 200_000), (600_000, 3), (3000, 1999), (2, 2001), (200_000, 40)):
    BOMBS[f"csv of {_rows} × {_columns}"] = lambda m=_rows, n=_columns: read_csv(RawFile("x.csv", b",".join([b"1"] * n) * 0 + (b"," * (n - 1) + b"\n") * m), ["a"])  # fmt: skip  # noqa: E501  # as above
BOMBS["csv whose first line is short"] = lambda: read_csv(RawFile("x.csv", b"a\n" + b"," * 6_000_000 + b"\n"), ["a"])


@pytest.mark.parametrize("kind", list(BOMBS))
def test_a_file_that_unfolds_is_refused_before_it_does(kind: str) -> None:
    started = time.monotonic()
    with pytest.raises(SourceError) as refused:
        apart(lambda _raw: BOMBS[kind](), RawFile("bomb", b"x"), seconds=30)
    assert time.monotonic() - started < FAST * 2, (
        "twice the promise: the suite runs beside others, and makes the bomb too"
    )
    assert "longer than allowed" not in str(refused.value)


def test_there_are_as_many_kinds_as_were_promised() -> None:
    assert len(BOMBS) >= 50


def test_a_table_as_people_write_it_is_read() -> None:
    sheet = read_sheet(RawFile("x.ods", ods(full(text="a") * 3 + EMPTY.format(1_048_570))), "s", engine="odf")
    assert sheet.shape == (3, 1)
    assert read_sheet(RawFile("x.xlsx", xlsx(cell("A1") + cell("C9"))), "s").shape == (9, 3)


def takes_memory(_raw: RawFile) -> object:
    return bytearray(3 << 30)


def takes_time(_raw: RawFile) -> object:
    while True:
        pass


def dies(_raw: RawFile) -> object:
    os._exit(3)


def quotes(raw: RawFile) -> object:
    raise ValueError(raw.content.decode())


@pytest.mark.parametrize(
    ("parse", "said"),
    [
        (takes_memory, "more memory than allowed"), (takes_time, "longer than allowed|ended the process"),
        (dies, "ended the process"), (quotes, "a fault in Vigie: ValueError"),
    ],
)  # fmt: skip
def test_what_gets_past_the_bounds_ends_with_its_own_process(parse: Callable[[RawFile], object], said: str) -> None:
    with pytest.raises(SourceError, match=said) as refused:
        apart(parse, RawFile("secret.csv", b"0815"), seconds=1)
    assert refused.value.file == "secret.csv"
    assert "0815" not in str(refused.value)


def test_an_error_of_a_parser_says_what_it_would_have_said_here() -> None:
    def parse(raw: RawFile) -> object:
        raise SourceError(raw.name, "the {what} is missing", row=3, column="b", what="value")

    with pytest.raises(SourceError) as found:
        apart(parse, RawFile("x.csv", b"1"))
    assert str(found.value) == "x.csv, row 3, column b: the value is missing"


def test_what_a_parser_gives_comes_back_whole() -> None:
    frame = pd.DataFrame({"a": range(200_000)})
    pd.testing.assert_frame_equal(apart(lambda _raw: frame, RawFile("x", b"1")), frame)


def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "folder.csv").mkdir()
    with (tmp_path / "sparse.csv").open("wb") as sparse:
        sparse.truncate(1 << 40)
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(SourceError, match=r"no regular file|larger than"):
            read_raw(path)


def test_a_night_goes_on_past_what_the_inbox_holds(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox" / "noaa_enso"
    inbox.mkdir(parents=True)
    os.mkfifo(inbox / "pipe.csv")
    (inbox / "link.csv").symlink_to("/etc/passwd")
    (inbox / "far.xlsx").write_bytes(xlsx(cell("XFD1048576")))
    (tmp_path / "inbox" / "frontex").symlink_to("/etc")
    journal, done = Journal(journal_url("", tmp_path)), threading.Event()

    def read() -> None:
        _hashes, failures = read_inbox(tmp_path, journal)
        assert len(failures) == 3
        done.set()

    threading.Thread(target=read, daemon=True).start()
    assert done.wait(30)
    assert not any("root:" in f"{row.reason}{row.payload}" for row in journal.entries())
    journal.close()

"""Small files that would take the machine with them: each is refused at once, and it is the only one that is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import resource
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ingest
from core.errors import InputError, Message, SourceError
from ingest import MEMORY, SECONDS, Parsed, RawFile, apart, parse_all, read_raw, refuse_many, unpacked
from ingest.tables import _refuse_content, _refuse_parts, read_sheet, refuse_workbook
from tests.ingest.bombs import BOMBS, EMPTY, FAST, cell, explode, full, ods, xlsx


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(BOMBS))
def test_file_that_unfolds_is_refused_before_it_does(kind: str) -> None:
    refusal = explode(kind)
    assert refusal.reason
    assert refusal.seconds < FAST
    assert refusal.memory <= MEMORY
    assert "longer than allowed" not in refusal.reason
    assert "ended the process" not in refusal.reason


def test_table_as_people_write_it_is_read() -> None:
    sheet = read_sheet(RawFile("x.ods", ods(full(text="a") * 3 + EMPTY.format(1_048_570))), "s")
    assert sheet.shape == (3, 1)
    assert read_sheet(RawFile("x.xlsx", xlsx(cell("A1") + cell("C9"))), "s").shape == (9, 3)


def test_figure_below_more_rows_than_table_has_is_refused() -> None:
    far = full(text="a") + EMPTY.format(1_000_000_000) + full(text="b")
    with pytest.raises(SourceError, match="more than 500000 rows"):
        read_sheet(RawFile("x.ods", ods(far)), "s")


MEGABYTE = 1 << 20


def takes_memory(_raw: RawFile) -> object:
    return bytearray(3 << 30)


def takes_time(_raw: RawFile) -> object:
    while True:
        pass


def dies(_raw: RawFile) -> object:
    os._exit(3)


def quotes(raw: RawFile) -> object:
    raise ValueError(raw.content.decode())


def breaks_a_rule(_raw: RawFile) -> object:
    raise InputError("the month is none")


def bounds(_raw: RawFile) -> dict[str, Any]:
    """What the process that reads a file may take, and what ends it."""
    names = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE")
    limits: dict[str, Any] = {name: resource.getrlimit(getattr(resource, name)) for name in names}
    return limits | {one.name: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}


def test_file_is_read_in_bounded_process() -> None:
    held = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    found = apart(bounds, RawFile("x", b""), seconds=7)
    assert found["RLIMIT_FSIZE"] == found["RLIMIT_CORE"] == (0, 0)
    soft, hard = found["RLIMIT_CPU"]
    assert 7 < soft < hard < 10  # a whole second more than was allowed at most, then one to be killed
    soft, hard = found["RLIMIT_AS"]
    assert soft == hard
    assert abs(soft - held - MEMORY) < 16 * MEGABYTE
    assert found["SIGTERM"] == signal.SIG_DFL
    assert found["SIGINT"] == signal.SIG_IGN  # Ctrl-C is for who started it


@pytest.mark.parametrize(
    ("parse", "said"),
    [
        (takes_memory, "more memory than allowed"), (dies, "ended the process"), (breaks_a_rule, "the month is none"),
        (quotes, "a fault in Vigie: ValueError"),
        pytest.param(takes_time, "longer than allowed|ended the process", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_what_gets_past_bounds_ends_with_its_own_process(parse: Callable[[RawFile], object], said: str) -> None:
    with pytest.raises(SourceError, match=said) as refused:
        apart(parse, RawFile("secret.csv", b"0815"), seconds=1 if parse is takes_time else SECONDS)
    assert refused.value.file == "secret.csv"
    assert "0815" not in str(refused.value)


def test_only_regular_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "folder.csv").mkdir()
    with (tmp_path / "sparse.csv").open("wb") as sparse:
        sparse.truncate(1 << 40)
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(SourceError, match=r"no regular file|larger than 64 MB"):
            read_raw(path)


@pytest.mark.parametrize(
    ("rows", "columns", "cells", "fault"),
    [
        (500_000, 10, None, ""), (500_001, 1, None, "more than 500000 rows"), (2500, 2000, None, ""),
        (1, 2001, None, "more than 2000 columns"), (2501, 2000, None, "more than 5000000 cells"),
        (1, 1, 5_000_000, ""), (1, 1, 5_000_001, "more than 5000000 cells"),
    ],
)  # fmt: skip
def test_table_size_is_bounded(rows: int, columns: int, cells: int | None, fault: str) -> None:
    if fault:
        with pytest.raises(SourceError, match=fault):
            refuse_many("f.csv", rows, columns, cells)
    else:
        refuse_many("f.csv", rows, columns, cells)


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ([zipfile.ZipInfo("a.xml")], ""),
        ([zipfile.ZipInfo("xl/vbaProject.bin")], "macros"),
        ([zipfile.ZipInfo("xl/macrosheets/a.xml")], "macros"),
        ([zipfile.ZipInfo("xl/externalLinks/a.xml")], "links to other workbooks"),
        ([zipfile.ZipInfo("xl/connections.xml")], "connections"),
        ([zipfile.ZipInfo("xl/queryTables/a.xml")], "connections"),
        ([zipfile.ZipInfo("xl/embeddings/a.bin")], "embedded objects"),
        ([zipfile.ZipInfo("xl/activeX/a.bin")], "embedded objects"),
    ],
)
def test_workbook_with_part_beside_cells_is_refused(parts: list[zipfile.ZipInfo], fault: str) -> None:
    if fault:
        with pytest.raises(SourceError, match=fault):
            _refuse_parts("x.xlsx", parts)
    else:
        _refuse_parts("x.xlsx", parts)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("xl/worksheets/sheet1.xml", b"<c><v>1</v></c>", ""),
        ("xl/worksheets/sheet1.xml", b"<c><f>1+1</f></c>", "formulas"),
        ("xl/worksheets/sheet1.xml", b"<c><x:f/></c>", "formulas"), ("xl/workbook.xml", b"<f>1</f>", ""),
        ("xl/workbook.xml", b"<!DOCTYPE a>", "declares entities"),
        ("xl/workbook.xml", "<!entity a>".encode("utf-16"), "declares entities"),
        ("[Content_Types].xml", b"application/vnd.ms-excel.sheet.macroEnabled", "made for macros"),
        ("xl/workbook.xml", b"macroEnabled", ""),
        ("xl/_rels/a.rels", b"<r TargetMode = 'External'/>", "links to something outside"),
        ("xl/workbook.xml", b'<r TargetMode="External"/>', ""), ("xl/_rels/a.rels", b'<r TargetMode="Internal"/>', ""),
    ],
)  # fmt: skip
def test_workbook_holds_nothing_but_cells(name: str, content: bytes, fault: str) -> None:
    if fault:
        with pytest.raises(SourceError, match=fault):
            _refuse_content("x.xlsx", name, content)
    else:
        _refuse_content("x.xlsx", name, content)


def cells(*months: str) -> pd.DataFrame:
    return pd.DataFrame({
        "source_id": "x", "series_id": "arrivals.CMR._T._T.M", "time_period": list(months),
        "as_of": pd.Timestamp("2025-01-10"),
    })  # fmt: skip


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Callable[[RawFile], Parsed]:
    """A file is read in this process: its months are its content, and one that holds none cannot be read."""
    monkeypatch.setattr(ingest, "apart", lambda read, file: read(file))

    def read(file: RawFile) -> Parsed:
        if not file.content:
            raise SourceError(file.name, "holds nothing")
        doubts = (Message("look at {file}", {"file": file.name}),)
        return Parsed(cells(*file.content.decode().split()), pd.DataFrame({"file": [file.name]}), doubts)

    return read


def test_contradicting_files_name_first_cell(parse: Callable[[RawFile], Parsed]) -> None:
    both = [RawFile("a", b"2024-11 2024-12"), RawFile("b", b"2024-12 2025-01")]
    with pytest.raises(SourceError, match=r"a, b: arrivals\.CMR\._T\._T\.M of 2024-12 is given by more than one file"):
        parse_all(parse, both, [])


def test_unfolded_size_of_workbook_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("a.bin", b"0" * 100)
    monkeypatch.setattr("ingest.tables.LARGEST_UNPACKED", 100)
    refuse_workbook(RawFile("x.xlsx", book.getvalue()))
    monkeypatch.setattr("ingest.tables.LARGEST_UNPACKED", 99)
    with pytest.raises(SourceError, match="unpacks to far more than a table needs"):
        refuse_workbook(RawFile("x.xlsx", book.getvalue()))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_unpacked_size_is_bounded(pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.LARGEST_UNPACKED", 100)
    assert unpacked(RawFile("x", pack(b"a" * 100))).content == b"a" * 100
    with pytest.raises(SourceError, match="unpacks to far more"):
        unpacked(RawFile("x", pack(b"a" * 101)))
    with pytest.raises(SourceError, match="cannot be unpacked"):
        unpacked(RawFile("x", pack(b"a" * 50)[:6] + b"damage" * 9))
    assert unpacked(RawFile("x", b"plain")).content == b"plain"
    with pytest.raises(SourceError, match="it was cut off"):
        unpacked(RawFile("x", pack(b"a" * 50)[:-9]))

"""Small files that would take the machine with them: each is refused at once, and it is the only one that is."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.errors import SourceError
from ingest import RawFile, read_raw
from ingest.intake import MEMORY, apart
from ingest.tables import read_sheet
from ingest.workbooks import _OdsTable, refuse_large_sheets
from nightly.inputs import read_inbox
from store.journal import Journal, journal_url
from tests.faults.bombs import BOMBS, EMPTY, FAST, cell, explode, full, ods, xlsx


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(BOMBS))
def test_a_file_that_unfolds_is_refused_before_it_does(kind: str) -> None:
    told = explode(kind)
    assert told.reason
    assert told.seconds < FAST
    assert told.memory <= MEMORY
    assert "longer than allowed" not in told.reason
    assert "ended the process" not in told.reason


def test_there_are_as_many_kinds_as_were_promised() -> None:
    assert len(BOMBS) >= 50


def test_a_table_as_people_write_it_is_read() -> None:
    sheet = read_sheet(RawFile("x.ods", ods(full(text="a") * 3 + EMPTY.format(1_048_570))), "s")
    assert sheet.shape == (3, 1)
    assert read_sheet(RawFile("x.xlsx", xlsx(cell("A1") + cell("C9"))), "s").shape == (9, 3)


def test_a_row_of_many_cells_is_one_row_however_often_it_is_repeated() -> None:
    table = _OdsTable("x.ods")
    table.start("t table", {})
    table.start("t table-row", {"t number-rows-repeated": "7"})
    for _cell in range(5):
        table.start("t table-cell", {"o value-type": "string"})
        table.end("t table-cell")
    table.end("t table-row")
    assert (table.rows, table.columns) == (7, 5)


def test_a_table_too_large_to_read_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.workbooks.LARGEST_UNPACKED", 100)
    with pytest.raises(SourceError, match="hand it over in parts, such as one file a year, or as CSV"):
        read_sheet(RawFile("x.xlsx", xlsx(cell("A1"))), "s")


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", b'<row r="1"><c r="A1"/><c r="XFD1048576"/></row>'),
        ("xl/sharedStrings.xml", b'<sst count="3" uniqueCount="99999999999"><si/></sst>'),
    ],
)
def test_a_workbook_whose_parts_tell_of_too_many_cells_is_refused_before_it_is_read(part: str, content: bytes) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("xl/styles.xml", b"<styleSheet/>")
        archive.writestr(part, content)
    with pytest.raises(SourceError, match="refused: more than"):
        refuse_large_sheets(RawFile("x.xlsx", held.getvalue()))


def takes_memory(_raw: RawFile) -> object:
    return bytearray(3 << 30)


def takes_time(_raw: RawFile) -> object:
    while True:
        pass


def dies(_raw: RawFile) -> object:
    os._exit(3)


def quotes(raw: RawFile) -> object:
    raise ValueError(raw.content.decode())


@pytest.mark.slow
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
        with pytest.raises(SourceError, match=r"no regular file|larger than 64 MB"):
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

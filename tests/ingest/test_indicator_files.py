"""What every indicator's parser does with a sound file and with a broken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError, SourceError
from core.release import OBSERVATIONS, REJECTED
from core.schema import check
from ingest import Parsed, RawFile, read_raw
from ingest.sources import SOURCES
from tests.ingest import miniature_files as files

Maker = Callable[[], RawFile]


def each(kinds: dict[str, tuple[str, Maker]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("source_id", "make"), kinds.values(), ids=kinds.keys())


def parse_or_refuse(source_id: str, raw: RawFile) -> Parsed | None:
    """Parse; a SourceError that names the file is a fair answer, anything else is not."""
    try:
        parsed = SOURCES[source_id].parse(raw)
    except SourceError as error:
        assert raw.name in str(error)
        return None
    check(parsed.observations, OBSERVATIONS)
    check(parsed.rejected, REJECTED)
    return parsed


@each(files.ALL_FILES)
def test_file_fetched_from_disk_parses_like_its_bytes(source_id: str, make: Maker, tmp_path: Path) -> None:
    source, raw = SOURCES[source_id], make()
    fetched = read_raw(files.write(tmp_path, raw))
    assert fetched == raw
    assert source.parse(fetched).observations.equals(source.parse(raw).observations)


@each(files.ALL_FILES)
def test_empty_file_is_refused_by_name(source_id: str, make: Maker, tmp_path: Path) -> None:
    name = make().name
    with pytest.raises(SourceError, match=name):
        SOURCES[source_id].parse(RawFile(name, b""))
    with pytest.raises(InputError, match=f"{name}: the file is empty"):
        read_raw(files.write(tmp_path, RawFile(name, b"")))


@each(files.ALL_FILES)
def test_web_page_in_place_of_file_is_refused(source_id: str, make: Maker) -> None:
    page = RawFile(make().name, b"<!DOCTYPE html><html><body>Sorry, maintenance</body></html>\n" * 5)
    with pytest.raises(SourceError, match=page.name):
        SOURCES[source_id].parse(page)


@each(files.ALL_FILES)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
def test_file_that_was_cut_off_is_refused(source_id: str, make: Maker, share: float) -> None:
    raw = make()
    with pytest.raises(SourceError, match=raw.name):
        SOURCES[source_id].parse(RawFile(raw.name, raw.content[: int(len(raw.content) * share)]))


@each(files.TEXT_FILES)
def test_text_in_another_encoding_is_refused(source_id: str, make: Maker) -> None:
    raw = make()
    middle = len(raw.content) // 2
    latin = raw.content[:middle] + "é".encode("latin-1") + raw.content[middle:]
    with pytest.raises(SourceError, match=raw.name):
        SOURCES[source_id].parse(RawFile(raw.name, latin))


@pytest.mark.slow
@pytest.mark.parametrize(("source_id", "make"), files.CELL_FILES.values(), ids=files.CELL_FILES.keys())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cell=st.text(st.characters(codec="utf-8", exclude_characters='\r\n\t,"'), max_size=8))
def test_any_text_in_cell_is_accounted_for(
    source_id: str, make: Callable[[dict[str, str]], RawFile], cell: str
) -> None:
    sound = make({})
    with_cell = make({"2021-05": cell})
    before, after = SOURCES[source_id].parse(sound), parse_or_refuse(source_id, with_cell)
    if after is not None:
        assert len(before.observations) - 2 <= len(after.observations) + len(after.rejected) <= len(before.observations)

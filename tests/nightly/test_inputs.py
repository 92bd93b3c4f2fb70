"""How what came in is read, judged and told, before and while it is stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.errors import Message, SourceError, StoreError
from core.settings import Settings
from ingest import Parsed, RawFile
from nightly import inputs, night
from nightly.inputs import _failure, _judgement, _parse_all
from store.editions import Arrival
from store.vintages import VintageStore


def cells(*months: str) -> pd.DataFrame:
    return pd.DataFrame({
        "source_id": "x", "series_id": "arrivals.CMR._T._T.M", "time_period": list(months),
        "as_of": pd.Timestamp("2025-01-10"),
    })  # fmt: skip


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Callable[[RawFile], Parsed]:
    """A file is read in this process: its months are its content, and one that holds none cannot be read."""
    monkeypatch.setattr(inputs, "apart", lambda read, file: read(file))

    def read(file: RawFile) -> Parsed:
        if not file.content:
            raise SourceError(file.name, "holds nothing")
        doubts = (Message("look at {file}", {"file": file.name}),)
        return Parsed(cells(*file.content.decode().split()), pd.DataFrame({"file": [file.name]}), doubts)

    return read


def test_a_file_that_cannot_be_read_is_named_and_the_others_of_its_visit_are_read_together(
    parse: Callable[[RawFile], Parsed],
) -> None:
    faults: list[Exception] = []
    given = [RawFile("a", b"2024-11"), RawFile("b", b""), RawFile("c", b"2024-12 2025-01")]
    files, parsed = _parse_all(parse, given, faults)
    assert [file.name for file in files] == ["a", "c"]
    assert parsed is not None
    assert parsed.observations["time_period"].tolist() == ["2024-11", "2024-12", "2025-01"]
    assert parsed.rejected["file"].tolist() == ["a", "c"]
    assert [str(doubt) for doubt in parsed.doubts] == ["look at a", "look at c"]
    assert [str(fault) for fault in faults] == ["b: holds nothing"]
    assert _parse_all(parse, given[1:2], []) == ([], None)


def test_files_of_one_visit_that_contradict_each_other_are_refused_by_the_first_cell_that_both_give(
    parse: Callable[[RawFile], Parsed],
) -> None:
    both = [RawFile("a", b"2024-11 2024-12"), RawFile("b", b"2024-12 2025-01")]
    with pytest.raises(SourceError, match=r"a, b: arrivals\.CMR\._T\._T\.M of 2024-12 is given by more than one file"):
        _parse_all(parse, both, [])


def test_a_failed_visit_is_kept_with_the_place_of_its_fault_where_it_has_one() -> None:
    placed = SourceError("a.csv", "is no number", row=7, column="n")
    kept = _failure("x", placed).iloc[0]
    assert kept[["source_id", "file", "row", "column", "rule"]].tolist() == ["x", "a.csv", "7", "n", "is no number"]
    bare = _failure("x", SourceError("a.csv", "is empty")).iloc[0]
    assert bare[["file", "row", "column"]].tolist() == ["a.csv", "", ""]
    other = _failure("x", StoreError("disk is full")).iloc[0]
    assert other[["file", "row", "column", "rule"]].tolist() == ["", "", "", "disk is full"]


@pytest.mark.parametrize(("estimated", "day"), [([True, False], "2025-02-03"), ([False, False], "2025-01-20")])
def test_an_edition_is_held_against_what_was_known_when_it_was_published_or_where_that_is_a_guess_when_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, estimated: list[bool], day: str
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def known(_store: VintageStore, date: dt.date, *, only: list[str], **_void: object) -> pd.DataFrame:
        asked.append((str(date), only))
        return pd.DataFrame()

    monkeypatch.setattr(VintageStore, "as_of", known)
    monkeypatch.setattr(VintageStore, "all_revisions", known)
    told: list[tuple[bool, dt.date]] = []
    monkeypatch.setattr(inputs, "judge", lambda *_, complete, received: told.append((complete, received)))
    rows = cells("2024-11", "2024-12").assign(
        as_of=pd.to_datetime(["2025-01-10", "2025-01-20"]), as_of_estimated=estimated
    )
    arrival = Arrival("x", "a.csv", "ab", "Ana", rows, dt.date(2025, 2, 3), complete=True)
    _judgement(VintageStore(tmp_path), arrival, [])
    assert told == [(True, arrival.received)]
    assert asked == [(day, ["x"])] * 2


def test_a_disk_that_refuses_to_free_old_releases_does_not_spoil_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def refuse(_home: Path, nights: int) -> list[object]:
        kept.append(nights)
        raise StoreError("disk is read-only")

    monkeypatch.setattr(night, "prune", refuse)
    settings = Settings.model_validate({"operation": {"keep_nights": 40}})
    night._remove_old_releases(tmp_path, settings)
    assert kept == [40]

"""How what came in is read, judged and told, before and while it is stored."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from core.errors import SourceError, StoreError
from core.settings import Settings
from nightly import inputs, night
from nightly.inputs import _failure, _judgement
from store.editions import Arrival
from store.vintages import VintageStore


def cells(*months: str) -> pd.DataFrame:
    return pd.DataFrame({
        "source_id": "x", "series_id": "arrivals.CMR._T._T.M", "time_period": list(months),
        "as_of": pd.Timestamp("2025-01-10"),
    })  # fmt: skip


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

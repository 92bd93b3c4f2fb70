"""No false alarm: every real edition and file passes plausibility, and the one large real revision is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from core.settings import SNAPSHOT
from ingest import snapshot
from ingest.catalogue import SOURCES
from ingest.plausibility import Judgement, judge
from ingest.source import read_raw
from store.vintages import VintageStore

pytestmark = pytest.mark.raw_data


@pytest.fixture(scope="module")
def bundled() -> pd.DataFrame:
    return snapshot.load(SNAPSHOT)


def judged(store: VintageStore, source_id: str, rows: pd.DataFrame) -> Judgement:
    """As an ingestion would judge these rows, on the day on which they were published."""
    day = dt.datetime.now(dt.UTC).date() if rows["as_of_estimated"].any() else rows["as_of"].max().date()
    known, revisions = store.as_of(day, only=[source_id]), store.all_revisions(day, only=[source_id])
    return judge(rows, known, revisions, complete=SOURCES[source_id].CARD.complete_editions)


def alarms(store: VintageStore, source_id: str, files: list[Path]) -> tuple[dict[str, list[str]], list[str]]:
    """What is held of files that come one after the other, by name, and all that is told."""
    held, told = {}, []
    for path in files:
        rows = SOURCES[source_id].parse(read_raw(path)).observations
        found = judged(store, source_id, rows)
        held[path.name] = [str(one) for one in found.held]
        told += [str(one) for one in found.told]
        store.append_edition(rows, complete=SOURCES[source_id].CARD.complete_editions)
    return {name: reasons for name, reasons in held.items() if reasons}, told


EVERY = 4
"""Of the Home Office's editions each fourth is read here, for time; with 1, all are."""


@pytest.mark.slow
def test_no_edition_of_the_home_offices_workbook_is_held(raw_data: Path, tmp_path: Path, bundled: pd.DataFrame) -> None:
    files = sorted((raw_data / "uk_small_boats" / "editions_2026").glob("*.ods"))
    assert len(files) == 27
    store = VintageStore(tmp_path)
    store.append(bundled[bundled["source_id"].eq("uk_home_office") & bundled["as_of"].lt("2025-11-01")])
    assert alarms(store, "uk_home_office", files[::-EVERY][::-1])[0] == {}


@pytest.mark.slow
def test_no_vintage_of_frontex_is_held_and_the_halved_month_is_told(raw_data: Path, tmp_path: Path) -> None:
    folder = raw_data / "frontex_ibc"
    files = [*sorted((folder / "vintages_gdidata").glob("*.rda")), folder / "ibc.xlsx"]
    held, told = alarms(VintageStore(tmp_path), "frontex", files)
    assert held == {}
    assert any(text.startswith("a large revision: detections.CMR._T._T.M 2023-12") for text in told)


@pytest.mark.slow
def test_no_published_file_is_held_against_the_bundled_figures(
    raw_data: Path, tmp_path: Path, bundled: pd.DataFrame
) -> None:
    store = VintageStore(tmp_path)
    store.append(bundled)
    held = {}
    for source_id, source in SOURCES.items():
        files = [path for pattern in source.RAW_FILES for path in sorted(raw_data.glob(pattern))]
        for path in files:
            found = judged(store, source_id, source.parse(read_raw(path)).observations)
            held[path.name] = [str(one) for one in found.held]
    assert len(held) > 20
    assert {name: reasons for name, reasons in held.items() if reasons} == {}

"""Person-level columns are refused at every entrance, by the same function, and nothing of the table is kept."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.build_snapshot import build
from core.release import OBSERVATIONS
from core.schema import PersonLevelError, check
from forecasting.panel import read_panel
from ingest import RawFile, tables
from ingest.sources import INTAKE, SOURCES, missing_migrants
from ingest.sources._eurostat import read_jsonstat
from ingest.sources.ucdp import COLUMNS as EVENT_COLUMNS
from ingest.sources.ucdp import _read_release as read_events
from nightly.inputs import REFUSED, ingest_file, read_inbox
from store.figures import VintageStore
from store.journal import Journal, journal_url, opened_journal

DAYS = "#date,migrants,boats,passport number\n2024-01-01,3,1,X1\n"


def panel_csv(folder: Path) -> object:
    (folder / "panel.csv").write_text("series_id,time_period,value,Date of birth\na,2024-01,1,1990-01-01\n")
    return read_panel(folder / "panel.csv")


def panel_parquet(folder: Path) -> object:
    frame = pd.DataFrame({"series_id": ["a"], "time_period": ["2024-01"], "value": [1.0], "Surname": ["x"]})
    frame.to_parquet(folder / "panel.parquet")
    return read_panel(folder / "panel.parquet")


def file_by_hand(folder: Path) -> object:
    (folder / "days.csv").write_text(DAYS)
    with opened_journal("", folder / "home") as journal:
        return ingest_file(folder / "home", "uk_home_office", folder / "days.csv", journal)


def snapshot_build(folder: Path) -> object:
    target = folder / "raw" / INTAKE["uk_home_office"]["files"][0]
    target.parent.mkdir(parents=True)
    target.write_text(DAYS)
    sources = {"uk_home_office": SOURCES["uk_home_office"]}
    return build(folder / "raw", folder / "data", sources=sources)


def workbook(_folder: Path) -> object:
    target = io.BytesIO()
    pd.DataFrame([["Title", None], ["Month", "First name"], ["2024-01", "x"]]).to_excel(
        target, sheet_name="data", index=False, header=False
    )
    return tables.read_sheet(RawFile("book.xlsx", target.getvalue()), "data")


def json_stat(_folder: Path) -> object:
    body = {
        "version": "2.0", "class": "dataset", "id": ["geo", "passport"], "size": [1, 1], "value": {"0": 1},
        "dimension": {name: {"category": {"index": {"A": 0}}} for name in ("geo", "passport")},
    }  # fmt: skip
    return read_jsonstat(RawFile("answer.json", json.dumps(body).encode()))


def events_with_persons(_folder: Path) -> object:
    head = ",".join([*EVENT_COLUMNS, "latitude", "date_of_birth"])
    return read_events(RawFile("GEDEvent_v26_0_5.csv", f"{head}\n".encode()))


def incidents_with_persons(_folder: Path) -> object:
    return missing_migrants.parse(RawFile("incidents.csv", b"Incident date,Migration route,Surname\n2024-01-01,x,y\n"))


def frame_at_a_boundary(_folder: Path) -> object:
    return check(pd.DataFrame(columns=[*OBSERVATIONS.columns, "phone"]), OBSERVATIONS)


@pytest.mark.parametrize(
    "enter",
    [
        panel_csv, panel_parquet, file_by_hand, snapshot_build, workbook, json_stat, events_with_persons,
        incidents_with_persons, frame_at_a_boundary,
    ],
    ids=lambda enter: str(enter.__name__),
)  # fmt: skip
def test_table_about_persons_is_refused(enter: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(PersonLevelError, match="Vigie takes aggregates only"):
        enter(tmp_path)
    assert not list(tmp_path.rglob("vintages/**/*.parquet"))
    assert not list((tmp_path / "data").rglob("*.parquet"))


def test_file_about_persons_in_inbox_is_set_aside_with_reason(tmp_path: Path) -> None:
    (tmp_path / "inbox" / "uk_home_office").mkdir(parents=True)
    (tmp_path / "inbox" / "uk_home_office" / "days.csv").write_text(DAYS)
    journal = Journal(journal_url("", tmp_path))
    hashes, failures = read_inbox(tmp_path, journal)
    assert hashes == {}
    assert "['passport number'] describe persons" in failures[0]["reason"]
    assert journal.entries(action=REFUSED)
    assert "X1" not in str(journal.entries())
    assert VintageStore(tmp_path).rejected().empty
    journal.close()

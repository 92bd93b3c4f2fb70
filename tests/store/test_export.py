from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest

from core.errors import InputError
from store.export import write_export
from store.releases import About, Release, ReleaseStore

UNUSED = {"citation": "Frontex, detections.", "licence": "private use only"}
CARD = {"citation": "IOM, arrivals, read in 2025.", "licence": "CC BY 4.0"}


def row(citizen: str, value: float) -> dict[str, object]:
    return {
        "source_id": "iom_dtm", "series_id": f"arrivals.CMR.ITA.{citizen}.M", "target": "arrivals", "route_id": "CMR",
        "geo": "ITA", "citizen": citizen, "freq": "M", "time_period": "2024-12", "obs_value": value,
        "obs_flag": "=1+1", "as_of": pd.Timestamp("2025-01-25"), "as_of_estimated": True,
    }  # fmt: skip


@pytest.fixture
def release(tmp_path: Path, release_frames: dict[str, pd.DataFrame]) -> Release:
    counts = pd.DataFrame([row("_T", 1053.0), row("SYR", 1000.0), row("EGY", 50.0), row("ERI", 3.0)])
    about = About(dt.date(2025, 1, 31), "0.1.0", {}, {})
    return ReleaseStore(tmp_path / "home").publish(
        release_frames | {"observations": counts},
        {"sources.json": json.dumps({"iom_dtm": CARD, "frontex": UNUSED})},
        about,
    )


def test_small_counts_are_withheld_with_a_second_one_that_would_give_them_away(
    release: Release, tmp_path: Path
) -> None:
    write_export(release, "observations", tmp_path / "out.parquet")
    out = pd.read_parquet(tmp_path / "out.parquet").set_index("citizen")["obs_value"]
    assert out[["ERI", "EGY"]].isna().all()
    assert out["SYR"] == 1000 and out["_T"] == 1053


def test_citation_licence_and_purpose_stand_beside_the_file(release: Release, tmp_path: Path) -> None:
    about = write_export(release, "observations", tmp_path / "out.csv").read_text()
    assert UNUSED["citation"] not in about
    assert CARD["citation"] in about and CARD["licence"] in about and "turning people back" in about


def test_text_that_a_spreadsheet_would_run_is_made_harmless(release: Release, tmp_path: Path) -> None:
    write_export(release, "observations", tmp_path / "out.csv")
    assert set(pd.read_csv(tmp_path / "out.csv")["obs_flag"]) == {"'=1+1"}


@pytest.mark.parametrize(("table", "name"), [("forecasts", "out.xls"), ("nothing", "out.csv")])
def test_an_unknown_table_or_kind_of_file_is_refused_and_nothing_written(
    release: Release, tmp_path: Path, table: str, name: str
) -> None:
    with pytest.raises(InputError):
        write_export(release, table, tmp_path / name)
    assert not (tmp_path / name).exists()

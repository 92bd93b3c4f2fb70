from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.disclosure import refuse_small_counts
from core.errors import InputError
from store.export import KINDS, write_export
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
    revised = counts.assign(before=[1060.0, 1000.0, 57.0, 3.0], after=counts["obs_value"], share=0.1)
    revised = revised.drop(columns="obs_value")
    revised = revised.drop(columns=["obs_flag", "as_of_estimated"]).assign(kind="changed", change=1.0)
    set_aside = pd.DataFrame(
        {"source_id": ["iom_dtm"], "file": ["f"], "row": ["1"], "column": ["n"], "rule": ["negative"], "record": ["-3"]}
    )
    return ReleaseStore(tmp_path / "home").publish(
        release_frames | {"observations": counts, "revisions": revised, "rejected": set_aside},
        {"sources.json": json.dumps({"iom_dtm": CARD, "frontex": UNUSED})},
        about,
    )


def read_csv(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "out.csv")


def test_small_counts_are_withheld_with_a_second_one_that_would_give_them_away(
    release: Release, tmp_path: Path
) -> None:
    write_export(release, "observations", tmp_path / "out.parquet")
    out = pd.read_parquet(tmp_path / "out.parquet").set_index("citizen")["obs_value"]
    assert out[["ERI", "EGY"]].isna().all()
    assert out["SYR"] == 1000 and out["_T"] == 1053


def test_revised_counts_do_not_tell_what_the_table_of_observations_withholds(release: Release, tmp_path: Path) -> None:
    write_export(release, "revisions", tmp_path / "out.csv")
    out = read_csv(tmp_path).set_index("citizen")
    assert not {"ERI", "EGY"} & set(out.index)
    assert out.loc["_T", "before"] == 1060


def test_rows_that_were_set_aside_leave_without_their_content(release: Release, tmp_path: Path) -> None:
    write_export(release, "rejected", tmp_path / "out.csv")
    assert list(read_csv(tmp_path).columns)[:-3] == ["source_id", "file", "row", "column", "rule"]


def test_no_table_leaves_with_a_small_count_or_without_target_unit_and_day(release: Release, tmp_path: Path) -> None:
    assert release.names
    for table in release.names:
        write_export(release, table, tmp_path / f"{table}.parquet")
        refuse_small_counts(out := pd.read_parquet(tmp_path / f"{table}.parquet"))
        assert {"target", "unit", "as_of"} <= set(out.columns), table


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_citation_licence_purpose_and_release_stand_beside_the_file_and_in_it(
    release: Release, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"out.{ending}"
    beside = write_export(release, "observations", out, with_citation=True).read_text()
    for about in (beside, text_inside(out)):
        assert UNUSED["citation"] not in about
        for said in (CARD["citation"], CARD["licence"], "turning people back", release.run_id):
            assert said in about


def text_inside(file: Path) -> str:
    """What a file says about itself."""
    if file.suffix == ".csv":
        return "\n".join(line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.startswith("#"))
    if file.suffix == ".parquet":
        return str(pq.read_schema(file).metadata[b"vigie"].decode())
    sheet = openpyxl.load_workbook(file)["about"]
    return "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_read_at_once_by_plain_tools_with_unit_target_and_day(
    release: Release, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / f"out.{kind}"
    write_export(release, "forecasts", out)
    read: dict[str, Callable[[Path], pd.DataFrame]] = {
        "csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet, "json": pd.read_json,
        "ndjson": lambda path: pd.read_json(path, lines=True),
    }  # fmt: skip
    frame = read[kind](out)
    assert len(frame) == len(release.read("forecasts"))
    assert frame[["target", "unit"]].drop_duplicates().to_numpy().tolist() == [["arrivals", "persons"]]
    assert set(pd.to_datetime(frame["as_of"])) == {pd.Timestamp(release.as_of)}
    if kind != "xlsx":
        reads = {"csv": duckdb.read_csv, "parquet": duckdb.read_parquet}.get(kind, duckdb.read_json)
        assert len(reads(str(out)).fetchall()) == len(frame)


def test_text_that_a_spreadsheet_would_run_is_made_harmless(release: Release, tmp_path: Path) -> None:
    write_export(release, "observations", tmp_path / "out.csv")
    assert set(read_csv(tmp_path)["obs_flag"]) == {"'=1+1"}


@pytest.mark.parametrize(("table", "name"), [("forecasts", "out.xls"), ("nothing", "out.csv")])
def test_an_unknown_table_or_kind_of_file_is_refused_and_nothing_written(
    release: Release, tmp_path: Path, table: str, name: str
) -> None:
    with pytest.raises(InputError):
        write_export(release, table, tmp_path / name)
    assert not (tmp_path / name).exists()

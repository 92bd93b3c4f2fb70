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

from core.errors import InputError
from store.export import KINDS, OBSERVED, about_bytes, export_bytes, kind_of, observations_bytes, write_table
from store.releases import About, Release, ReleaseStore
from tests.release_tables import whole_release

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
        whole_release(release_frames | {"observations": counts, "revisions": revised, "rejected": set_aside}),
        {"sources.json": json.dumps({"iom_dtm": CARD, "frontex": UNUSED})},
        about,
    )


def write_export(release: Release, table: str, out: Path) -> Path:
    return write_table(out, export_bytes(release, table, kind_of(out)), about_bytes(release, table))


def read_csv(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "out.csv")


@pytest.mark.parametrize("table", ["observations", "revisions"])
def test_published_breakdown_leaves_as_it_was_published(release: Release, tmp_path: Path, table: str) -> None:
    write_export(release, table, tmp_path / "out.parquet")
    kept = release.read(table)
    left = pd.read_parquet(tmp_path / "out.parquet")[list(kept.columns)]
    pd.testing.assert_frame_equal(left, kept, check_dtype=False)
    assert kept["citizen"].isin(["ERI", "EGY"]).any()


def test_rows_that_were_set_aside_leave_without_their_content(release: Release, tmp_path: Path) -> None:
    write_export(release, "rejected", tmp_path / "out.csv")
    assert list(read_csv(tmp_path).columns)[:-3] == ["source_id", "file", "row", "column", "rule"]


def test_no_table_leaves_without_target_unit_and_day(release: Release, tmp_path: Path) -> None:
    assert release.names
    for table in release.names:
        write_export(release, table, tmp_path / f"{table}.parquet")
        out = pd.read_parquet(tmp_path / f"{table}.parquet")
        assert {"target", "unit", "as_of"} <= set(out.columns), table


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_citation_stands_beside_and_in_file(release: Release, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"
    beside = write_export(release, "observations", out).read_text()
    for about in (beside, text_inside(out)):
        assert UNUSED["citation"] not in about
        for said in (CARD["citation"], CARD["licence"], "turning people back", release.run_id):
            assert said in about


def text_inside(file: Path) -> str:
    """What a file says about itself."""
    if file.suffix == ".parquet":
        return str(pq.read_schema(file).metadata[b"vigie"].decode())
    sheet = openpyxl.load_workbook(file)["about"]
    return "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_kind_opens_in_plain_tools(release: Release, tmp_path: Path, kind: str) -> None:
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


def test_text_that_spreadsheet_would_run_is_made_harmless(release: Release, tmp_path: Path) -> None:
    write_export(release, "observations", tmp_path / "out.csv")
    assert set(read_csv(tmp_path)["obs_flag"]) == {"'=1+1"}


@pytest.mark.parametrize(("table", "name"), [("forecasts", "out.xls"), ("nothing", "out.csv")])
def test_unknown_table_or_kind_writes_nothing(release: Release, tmp_path: Path, table: str, name: str) -> None:
    with pytest.raises(InputError):
        write_export(release, table, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_as_of_export_has_nine_columns() -> None:
    known, day = pd.DataFrame([row("_T", 1053.0), row("SYR", 1000.0)]), dt.date(2025, 1, 31)
    known = known.assign(source_id="iom_dtm", estimated_share=float("nan"))
    cited = ["IOM, arrivals. Licence: CC BY 4.0."]
    content, about = observations_bytes(known, cited, day, "csv")
    lines = content.decode().splitlines()
    assert (
        lines[0]
        == ",".join(OBSERVED)
        == ("source_id,series_id,time_period,obs_value,obs_flag,estimated_share,as_of,target,unit")
    )
    assert len(lines) == 3
    facts = about.decode().splitlines()
    assert facts[:3] == ["Title: Vigie: observations", "As known on: 2025-01-31", f"Source: {cited[0]}"]
    assert len(facts) == 4 and facts[3].startswith("Purpose: ")

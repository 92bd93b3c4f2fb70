"""The bundled snapshot: built the same each time, refused when altered, never holding what may not be handed out."""

from __future__ import annotations

import json
import runpy
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest
from rdata.conversion import SimpleConverter
from rdata.parser import RObject, RObjectType
from rdata.parser._parser import Parser

from benchmarks.build_snapshot import BuildReport, build, with_editions
from core.errors import InputError, SourceError, StoreError
from core.release import OBSERVATIONS
from core.schema import check
from core.settings import PROJECT, SNAPSHOT
from ingest import Parsed, RawFile, Source, SourceCard, read_raw
from ingest.rows import Reading, observations
from ingest.snapshot import fingerprint, load
from ingest.sources import INTAKE, SOURCES
from ingest.tables import read_csv

TABLE = "month,deaths\n2020-01,5\n2020-02,x\n" + "".join(f"20{year}-03,7\n20{year}-04,8\n" for year in range(10, 26))


@dataclass
class Counts:
    """A source of miniature files; ``source_id`` differs between tests."""

    SOURCE_ID: str = "idmc"
    files: tuple[str, ...] = ("counts/*.csv",)
    LAG_DAYS: int = 10
    redistribution: bool = True

    def parse(self, raw: RawFile) -> Parsed:
        table = read_csv(raw, ["month", "deaths"])
        cells = table.rename(columns={"month": "time_period", "deaths": "value"})
        return Reading(raw, self.SOURCE_ID, 10).figures(cells, counts=True, target="deaths")


def card(source_id: str, *, redistribution: bool = True) -> SourceCard:
    return SourceCard(
        source_id=source_id, publisher="Bureau", dataset="Counts", url="", licence="House rules",
        redistribution=redistribution, citation="Bureau, Counts.", rhythm="Monthly.", expected_days=40,
    )  # fmt: skip


@pytest.fixture
def raw_folder(tmp_path: Path) -> Path:
    (tmp_path / "raw" / "counts").mkdir(parents=True)
    (tmp_path / "raw" / "counts" / "a.csv").write_text(TABLE)
    return tmp_path / "raw"


def make(raw_folder: Path, target: Path, *sources: Counts) -> BuildReport:
    chosen = {source.SOURCE_ID: source for source in sources or (Counts(),)}
    cards = {name: card(name, redistribution=source.redistribution) for name, source in chosen.items()}
    intake = {name: {"files": source.files} for name, source in chosen.items()}
    return build(raw_folder, target, sources=cast("dict[str, Source]", chosen), cards=cards, intake=intake)


def test_what_is_built_is_what_is_loaded(raw_folder: Path, tmp_path: Path) -> None:
    report = make(raw_folder, tmp_path)
    loaded = check(load(tmp_path), OBSERVATIONS)
    expected = Counts().parse(read_raw(raw_folder / "counts" / "a.csv")).observations
    pd.testing.assert_frame_equal(loaded, expected)
    assert report.rows == {"idmc": 33}


def test_rejected_rows_are_reported_and_listed_beside_figures(raw_folder: Path, tmp_path: Path) -> None:
    report = make(raw_folder, tmp_path)
    listed = pd.read_csv(tmp_path / "snapshot" / "rejected.csv", dtype=str)
    assert listed[["source_id", "row", "column", "rule"]].to_numpy().tolist() == [
        ["idmc", "3", "value", "the figure is not a number"]
    ]
    assert len(report.rejected) == 1
    assert "1 row set aside" in report.summary()


def test_two_builds_give_same_bytes(raw_folder: Path, tmp_path: Path) -> None:
    for target in ("one", "two"):
        make(raw_folder, tmp_path / target)
    one, two = (sorted((tmp_path / target / "snapshot").iterdir()) for target in ("one", "two"))
    assert [path.name for path in one] == ["idmc.parquet", "manifest.json", "rejected.csv"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")


def test_manifest_names_every_input_with_its_hash(raw_folder: Path, tmp_path: Path) -> None:
    make(raw_folder, tmp_path)
    manifest = json.loads((tmp_path / "snapshot" / "manifest.json").read_text())
    raw = read_raw(raw_folder / "counts" / "a.csv")
    assert manifest["sources"]["idmc"]["inputs"] == [{"name": "counts/a.csv", "sha256": raw.sha256}]
    assert manifest["sources"]["idmc"]["rows"] == 33


@pytest.mark.parametrize("file", ["idmc.parquet", "rejected.csv"])
def test_altered_file_is_refused_by_name(raw_folder: Path, tmp_path: Path, file: str) -> None:
    make(raw_folder, tmp_path)
    path = tmp_path / "snapshot" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=f"{file}: altered"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"sources": {"idmc": {}}}', '{"sources": []}'])
def test_manifest_that_is_none_is_refused(raw_folder: Path, tmp_path: Path, text: str) -> None:
    make(raw_folder, tmp_path)
    (tmp_path / "snapshot" / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match=r"manifest\.json"):
        load(tmp_path)


def test_source_whose_licence_forbids_it_can_not_be_built_in(raw_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="idmc may not be bundled"):
        make(raw_folder, tmp_path, Counts(redistribution=False))
    assert not (tmp_path / "snapshot").exists()


def test_pattern_without_file_stops_build(raw_folder: Path, tmp_path: Path) -> None:
    before = make(raw_folder, tmp_path).fingerprint
    with pytest.raises(InputError, match=r"no file matches 'none/\*\.csv'"):
        make(raw_folder, tmp_path, Counts(files=("none/*.csv",)))
    assert fingerprint(tmp_path) == before
    assert len(load(tmp_path)) == 33


def test_two_files_of_source_that_disagree_stop_build(raw_folder: Path, tmp_path: Path) -> None:
    (raw_folder / "counts" / "b.csv").write_text("month,deaths\n2020-01,6\n")
    with pytest.raises(SourceError, match=r"idmc: two files disagree on deaths.+ in 2020-01"):
        make(raw_folder, tmp_path)


def test_bundled_snapshot_holds_no_frontex() -> None:
    bundled = load(SNAPSHOT)
    assert set(bundled["source_id"]) == {name for name in SOURCES if "files" in INTAKE[name]}
    assert "frontex" not in set(bundled["source_id"])
    assert sum(path.stat().st_size for path in (SNAPSHOT / "snapshot").iterdir()) <= 8_000_000


@pytest.fixture
def each_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An R file's equal texts are parsed and converted once: its two million texts take most of the time."""
    parsed: dict[tuple[int, bytes], RObject] = {}
    converted: dict[int, tuple[RObject, str]] = {}  # each object is kept, so that no other gets its id
    convert = SimpleConverter._convert_next

    def parse_vector(self: Any, *references: Any) -> list[RObject]:  # noqa: ANN401  # as the method that it replaces
        found = []
        for _ in range(self.parse_int()):
            start = self.file.tell()
            kind, length = struct.unpack(">ii", self.file.read(8))
            key = (kind, self.file.read(length) if kind & 0xFFF == RObjectType.CHAR.value and length >= 0 else b"")
            if not key[1] or key not in parsed:
                self.file.seek(start)
                parsed[key] = self.parse_R_object(*references)
            found.append(parsed[key])
        return found

    def convert_next(self: Any, one: Any) -> Any:  # noqa: ANN401  # as above
        if id(one) not in converted:
            value = convert(self, one)
            if not (isinstance(one, RObject) and one.info.type is RObjectType.CHAR and one.value):
                return value
            converted[id(one)] = one, value
        return converted[id(one)][1]

    monkeypatch.setattr(Parser, "_parse_vector_value", parse_vector)
    monkeypatch.setattr(SimpleConverter, "_convert_next", convert_next)


@pytest.mark.raw_data
@pytest.mark.slow
@pytest.mark.usefixtures("each_text_once")
def test_bundled_snapshot_is_what_published_files_give(raw_data: Path, tmp_path: Path) -> None:
    assert build(raw_data, tmp_path).fingerprint == fingerprint(SNAPSHOT)


def test_dated_editions_leave_past_unchanged() -> None:
    def rows(figures: dict[str, int], known: str | None = None) -> pd.DataFrame:
        tidy = pd.DataFrame({"time_period": list(figures), "obs_value": list(figures.values())})
        tidy = tidy if known is None else tidy.assign(as_of=pd.Timestamp(known))
        place = {"target": "arrivals", "route_id": "CHA", "geo": "GBR", "citizen": "_T", "freq": "M"}
        return observations(tidy, source_id="office", lag_days=1, **place)

    table = rows({"2025-09": 10, "2025-10": 21, "2025-11": 32, "2025-12": 40})
    first = rows({"2025-09": 10, "2025-10": 20}, "2025-11-05")
    second = rows({"2025-09": 10, "2025-10": 21, "2025-11": 30}, "2025-12-05")
    third = rows({"2025-09": 10, "2025-10": 22, "2025-11": 32}, "2026-01-05")
    found = with_editions(table, pd.concat([first, second, third], ignore_index=True))
    assert [(row.time_period, row.obs_value, f"{row.as_of:%Y-%m-%d}") for row in found.itertuples()] == [
        ("2025-09", 10, "2025-10-01"),
        ("2025-10", 21, "2025-11-01"), ("2025-10", 22, "2026-01-05"),
        ("2025-11", 30, "2025-12-05"), ("2025-11", 32, "2026-01-05"),
        ("2025-12", 40, "2026-01-01"),
    ]  # fmt: skip


def test_build_script_without_raw_files_exits_1_naming_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = PROJECT / "benchmarks" / "build_snapshot.py"
    monkeypatch.setattr("sys.argv", [str(script), str(tmp_path), "--out", str(tmp_path / "data")])
    with pytest.raises(SystemExit, match="error: no file matches"):
        runpy.run_path(str(script), run_name="__main__")
    assert not (tmp_path / "data").exists()

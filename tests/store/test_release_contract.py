"""The contract of a release: true to the code and current in the documents."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from frictionless import Package, Resource, Schema, validate

from core.errors import SchemaError, StoreError
from core.release import DATA_PACKAGE, FORECASTS, RELEASE, REQUIRED, TABLES, contract_page
from core.schema import check
from core.settings import PROJECT
from store.releases import About, Problem, Release, ReleaseStore

ROOMS = ("alerts", "cli", "dashboard", "decisions", "nightly", "reports", "store")
READING = re.compile(r"""\.(?:frame|read|published)\(\s*"([a-z_]+)\"""")
Frames = dict[str, pd.DataFrame]


@pytest.fixture
def release(tmp_path: Path, release_frames: Frames) -> Release:
    about = About(dt.date(2025, 1, 31), "0.1.0", {}, {})
    return ReleaseStore(tmp_path).publish(release_frames, {"sources.json": "{}"}, about)


def modules(room: str) -> Iterator[Path]:
    yield from (PROJECT / room).rglob("*.py")


def test_page_about_releases_describes_every_table() -> None:
    page = contract_page()
    assert [table.name for table in TABLES if f"## {table.name}\n" not in page] == []


def test_module_named_as_tables_writer_exists() -> None:
    assert [table.name for table in TABLES if importlib.util.find_spec(table.written_by) is None] == []


def test_every_room_that_reads_table_is_named_as_its_reader() -> None:
    found = {
        (name, room)
        for room in ROOMS
        for path in modules(room)
        for name in READING.findall(path.read_text(encoding="utf-8"))
        if name in RELEASE
    }
    named = {(table.name, room) for table in TABLES for room in table.read_by}
    assert found - named == set()


def test_table_that_release_lacks_reads_as_empty(release: Release) -> None:
    for name in RELEASE.keys() - {*REQUIRED}:
        pd.testing.assert_frame_equal(release.read(name), RELEASE[name].empty())


def test_what_is_not_declared_cannot_be_published(tmp_path: Path, release_frames: Frames) -> None:
    about = About(dt.date(2025, 1, 31), "0.1.0", {}, {})
    with pytest.raises(StoreError, match="weather"):
        ReleaseStore(tmp_path).publish(release_frames | {"weather": pd.DataFrame()}, {}, about)
    wider = release_frames | {"alerts": release_frames["alerts"].assign(colour="red")}
    with pytest.raises(SchemaError, match=r"alerts: columns \['colour'\]"):
        ReleaseStore(tmp_path).publish(wider, {}, about)


def test_release_is_valid_data_package(release: Release, release_frames: Frames) -> None:
    descriptor = json.loads(release.document(DATA_PACKAGE))
    assert list(Package.metadata_validate(descriptor)) == []
    package = Package.from_descriptor(descriptor)
    assert {resource.path for resource in package.resources} == set(release.manifest["files"]) - {DATA_PACKAGE}
    for name, frame in ((name, frame) for name, frame in release_frames.items() if len(frame)):
        schema = Schema.from_descriptor(package.get_resource(name).schema.to_descriptor())
        dates = {str(column): frame[column].dt.to_pydatetime() for column in frame.select_dtypes("datetime")}
        rows = release.read(name).assign(**dates).to_dict("records")
        data = [{str(key): None if pd.isna(value) else value for key, value in row.items()} for row in rows]
        report = validate(Resource(data=data, schema=schema))
        assert report.valid, report.flatten(["message"])


def test_described_columns_follow_file(tmp_path: Path, release_frames: Frames) -> None:
    turned = {name: frame[frame.columns[::-1]] for name, frame in release_frames.items()}
    release = ReleaseStore(tmp_path).publish(
        turned, {"sources.json": "{}"}, About(dt.date(2025, 1, 31), "0.1.0", {}, {})
    )
    described = {one["path"]: one for one in json.loads(release.document(DATA_PACKAGE))["resources"]}
    for name in turned:
        file = release.path / f"{name}.parquet"
        fields = [field["name"] for field in described[file.name]["schema"]["fields"]]
        assert fields == list(pd.read_parquet(file).columns)


def test_altered_data_package_breaks_chain(release: Release) -> None:
    path = release.path / DATA_PACKAGE
    path.write_text(path.read_text(encoding="utf-8").replace("2025-01-31", "2025-02-28"), encoding="utf-8")
    problem = ReleaseStore(release.path.parent.parent).verify()
    assert isinstance(problem, Problem)
    assert DATA_PACKAGE in str(problem)


@pytest.mark.parametrize(
    ("column", "value"), [("value", -1.0), ("output_type", "mean"), ("output_type_id", 1.5), ("horizon", 0)]
)
def test_large_frame_is_checked_like_small_one(column: str, value: object) -> None:
    row = {
        "model_id": "m", "series_id": "a", "origin_date": pd.Timestamp("2025-01-31"), "horizon": 1,
        "target_end_date": pd.Timestamp("2025-02-28"), "output_type": "quantile", "output_type_id": 0.5, "value": 1.0,
    }  # fmt: skip
    frame = pd.DataFrame([row]).loc[[0] * 20_000].reset_index(drop=True)
    frame["series_id"] = [f"s{number}" for number in range(len(frame))]
    check(frame, FORECASTS)
    with pytest.raises(SchemaError, match=column):
        check(
            frame.astype({column: object}).assign(**{column: [*frame[column][:-1], value]}).infer_objects(), FORECASTS
        )

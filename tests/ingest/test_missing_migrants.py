"""Deaths and disappearances: only sums by route and month leave the parser."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest
import rdata

from core.errors import SourceError
from core.release import OBSERVATIONS
from core.schema import PLACES_OF_EVENTS
from ingest import Answer, Pull, RawFile, Request
from ingest.sources import missing_migrants, source_access

INCIDENTS = pd.DataFrame(
    {
        "t": [16436.0, 16440.0, 16500.0, 16500.0] + [16800.0] * 40,  # 2015-01-01, 2015-01-05, 2015-03-06, 2015-12-31
        "route": ["Central Mediterranean Route"] * 2
        + ["Undefined", "Western African Atlantic Route"]
        + ["Intra-European routes"] * 40,
        "dead": [3.0, 4.0, 2.0, 5.0] + [1.0] * 40,
        "lon": 12.5,
        "lat": 33.1,
        "location": "Off the coast",
    }
)  # fmt: skip


def visit(asked: list[str], answers: dict[int, object], **options: object) -> Pull:
    """A visit in 2016 to a publisher with a list for each year; the others hold one incident."""
    access = source_access()["missing_migrants"]
    now = dt.datetime(2016, 3, 1, tzinfo=dt.UTC)

    def ask(request: Request) -> Answer:
        asked.append(request.url.removeprefix(access.addresses["years"]))
        body = answers.get(int(asked[-1].split("/")[1]), [{"id": asked[-1]}])
        return Answer(request.url, 200, {}, json.dumps(body).encode(), now)

    chosen = access.model_copy(update={"options": access.options | {"by_year": True} | options})
    return Pull(chosen, ask, now.date(), lambda _seconds: None)


def rda(folder: Path, incidents: pd.DataFrame = INCIDENTS, table: str = "iom_mmp") -> RawFile:
    path = folder / "iom_mmp.rda"
    rdata.write_rda(path, {table: incidents})
    return RawFile(path.name, path.read_bytes())


def sums(raw: RawFile, route_id: str) -> pd.Series:
    rows = missing_migrants.parse(raw).observations
    return rows[rows["route_id"] == route_id].set_index("time_period")["obs_value"]


def test_incidents_are_summed_by_route_and_month(tmp_path: Path) -> None:
    assert sums(rda(tmp_path), "CMR")["2015-01"] == 7
    assert sums(rda(tmp_path), "WAR")["2015-03"] == 5


def test_no_place_leaves_parser_not_even_with_rejected_row(tmp_path: Path) -> None:
    bad = INCIDENTS.assign(dead=[-3.0, *INCIDENTS["dead"][1:]])
    parsed = missing_migrants.parse(rda(tmp_path, bad))
    assert list(parsed.observations.columns) == list(OBSERVATIONS.columns)
    record = parsed.rejected["record"].iloc[0]
    assert parsed.rejected["rule"].tolist() == ["the count is negative"]
    assert not any(name in record for name in (*PLACES_OF_EVENTS, "location", "12.5", "33.1", "coast"))


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("dead", float("nan"), "the count is missing"), ("dead", float("inf"), "not a number"),
        ("t", float("nan"), "the date is missing"), ("t", 39_000.0, "lies in the future"),
        ("t", 10_000.0, "before the project began"), ("t", 1e12, "impossible"),
    ],
)  # fmt: skip
def test_incident_that_cannot_be_right_is_set_aside(tmp_path: Path, column: str, value: float, rule: str) -> None:
    bad = INCIDENTS.assign(**{column: [value, *INCIDENTS[column][1:]]})
    parsed = missing_migrants.parse(rda(tmp_path, bad))
    assert len(parsed.rejected) == 1
    assert rule in parsed.rejected["rule"].iloc[0]
    assert sums(rda(tmp_path, bad), "CMR")["2015-01"] == 4


@pytest.mark.parametrize("content", [b"", b"<html>\n", b"RDX3\n", b"\x1f\x8b\x08\x00"])
def test_what_is_no_r_data_file_is_refused(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"iom_mmp\.rda"):
        missing_migrants.parse(RawFile("iom_mmp.rda", content))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> RawFile:
    return rda(tmp_path_factory.mktemp("rda"))


def test_world_sums_of_years_are_published_ones(bundled: pd.DataFrame) -> None:
    rows = bundled[(bundled["source_id"] == missing_migrants.SOURCE_ID) & (bundled["route_id"] == "_T")]
    world = rows.set_index("time_period")["obs_value"]
    years = world.groupby(world.index.str[:4]).sum()
    assert years[["2016", "2023", "2024"]].tolist() == [8_253, 8_755, 9_191]


@pytest.mark.parametrize(("column", "kept", "set_aside"), [("dead", 0.0, -1.0), ("t", 16071.0, 16070.0)])
def test_incidents_count_from_first_day(tmp_path: Path, column: str, kept: float, set_aside: float) -> None:
    for value, is_good in ((kept, True), (set_aside, False)):
        incidents = INCIDENTS.assign(**{column: INCIDENTS[column].mask(INCIDENTS.index == 1, value)})
        assert len(missing_migrants.parse(rda(tmp_path, incidents)).rejected) == (not is_good)


@pytest.mark.parametrize(
    ("options", "years"), [({}, [2014, 2015, 2016]), ({"since": 2016}, [2016]), ({"since": 2017}, [])]
)
def test_yearly_lists_cover_all_years(options: dict[str, object], years: list[int]) -> None:
    asked: list[str] = []
    (raw,) = missing_migrants.download(visit(asked, {}, **options))
    assert asked == [f"/{year}/json" for year in years]
    assert [row["id"] for row in json.loads(raw.content)] == asked

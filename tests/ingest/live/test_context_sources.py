"""IDMC's feed and tables, and further layouts of other publishers."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from core.errors import SourceError
from core.settings import LiveSettings
from ingest import RawFile, read_raw
from ingest.sources import eurostat, idmc, missing_migrants, ucdp
from ingest.sources.idmc import FEED
from tests.ingest.live import layouts_indicators as rows_of
from tests.ingest.live.layouts import ged_csv, pull
from tests.ingest.live.publisher import Publisher, Reply


def as_json(name: str, rows: object) -> RawFile:
    return RawFile(name, json.dumps(rows).encode())


def values(observations: pd.DataFrame, target: str, geo: str) -> dict[str, float]:
    rows = observations[(observations["target"] == target) & (observations["geo"] == geo)]
    return dict(zip(rows["time_period"], rows["obs_value"], strict=True))


# --- IDMC


def test_feed_counts_recommended_figures_by_month_of_their_end() -> None:
    parsed = idmc.parse(as_json(FEED, rows_of.displacement_rows()))
    assert values(parsed.observations, "new_displacement", "SDN") == {"2024-01": 320, "2024-02": 5}
    assert set(parsed.observations["geo"]) == {"SDN"}, "the feed's first month is incomplete"
    assert list(parsed.rejected["rule"]) == ["the event spans more than two months"]
    assert list(parsed.observations["obs_flag"]) == ["", "p"]


def test_feed_is_waited_for_and_taken_from_storage_host(publisher: Publisher, quick: LiveSettings) -> None:
    visit = pull(publisher, "idmc", quick, {"hosts": ["localhost"]})
    stored = json.dumps(rows_of.displacement_rows()).encode()
    publisher.serve("/dump/idus.json", Reply(stored))
    moved = Reply(b"", 302, {"Location": f"{publisher.foreign}/dump/idus.json"})
    publisher.serve("/idus/last-180-days/", Reply(b"[]", 202), Reply(b"[]", 202), moved)
    assert [file.content for file in idmc.download(visit)] == [stored]
    assert not publisher.asked[-1].values("client_id")


def test_no_place_of_event_is_kept_with_row_set_aside() -> None:
    parsed = idmc.parse(as_json(FEED, rows_of.displacement_rows()))
    assert "12.5" not in "".join(parsed.rejected["record"])


# --- Further layouts of sources that were there


def test_pending_applications_are_read_by_dataset(publisher: Publisher, quick: LiveSettings) -> None:
    files = {file.name: file for file in eurostat.download(pull(publisher, "eurostat", quick))}
    waiting = eurostat.parse(files["migr_asypenctzm.json"]).observations
    assert set(waiting["target"]) == {"asylum_pending"}


INCIDENT = {"web_id": "2024.MMP1", "reported_date": "2024-01-05", "migration_route": "Central Mediterranean",
            "total_dead_and_missing": "3", "location_description": "Off Sfax"}  # fmt: skip


def test_renamed_route_refuses_file_instead_of_falling_to_none() -> None:
    rows = [{**INCIDENT, "web_id": str(number), "migration_route": "Central Med"} for number in range(3)]
    with pytest.raises(SourceError, match=r"the route is none that is known \(3 of 3 rows"):
        missing_migrants.parse(as_json("missing-migrants.json", rows))


@pytest.mark.raw_data
def test_yearly_lists_match_published_sums(raw_data: Path) -> None:
    for year, total in ((2024, 4107), (2025, 3780)):
        path = raw_data / "iom_missing_migrants" / "hdx_fixtures" / f"{year}-json.json"
        parsed = missing_migrants.parse(read_raw(path))
        aside = sum(int(json.loads(record)["dead"]) for record in parsed.rejected["record"])
        world = parsed.observations[parsed.observations["route_id"] == "_T"]["obs_value"].sum()
        assert world + aside == total


def annual_release(month: str) -> RawFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("GEDEvent_v24_1.csv", ged_csv(month))
    return RawFile("ged241-csv.zip", buffer.getvalue())


def test_final_release_is_final_and_ends_with_its_year() -> None:
    found = ucdp.parse(annual_release("2023-12")).observations
    assert values(found, "conflict_deaths", "MLI") == {"2023-12": 7}
    assert set(found["obs_flag"]) == {""}
    with pytest.raises(SourceError, match="outside the release's months"):
        ucdp.parse(annual_release("2024-01"))

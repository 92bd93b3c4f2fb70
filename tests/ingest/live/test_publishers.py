"""Every source that can be asked, against its publisher's layout and its publisher's faults."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import pytest

from core.errors import SourceError
from core.release import OBSERVATIONS, REJECTED
from core.schema import check
from core.settings import LiveSettings
from ingest import Pull, RawFile
from ingest.sources import INTAKE, SOURCES, live_sources, missing_migrants, source_access, ucdp, unhcr_odp
from tests.ingest.live import layouts
from tests.ingest.live.layouts import pull
from tests.ingest.live.publisher import Asked, Publisher, Reply

EACH = pytest.mark.parametrize("source_id", list(live_sources()))


def observations(publisher: Publisher, source_id: str, quick: LiveSettings, **changes: object) -> pd.DataFrame:
    source = live_sources()[source_id]
    parts = [source.parse(raw) for raw in source.download(pull(publisher, source_id, quick, changes))]
    for part in parts:
        check(part.rejected, REJECTED)
    return check(pd.concat([part.observations for part in parts], ignore_index=True), OBSERVATIONS)


def value(found: pd.DataFrame, series_id: str, period: str) -> float:
    row = found[(found["series_id"] == series_id) & (found["time_period"] == period)]
    assert len(row) == 1, (series_id, period, len(row))
    return float(row["obs_value"].iloc[0])


def test_source_can_be_asked_or_says_why_not() -> None:
    for source_id in SOURCES:
        reason = INTAKE[source_id].get("not_live", "")
        assert (source_id in live_sources()) != bool(reason)
        assert not reason or (reason.endswith(".") and len(reason.split()) > 8)


def test_address_has_evidence_or_is_unconfirmed() -> None:
    for access in source_access().values():
        both = [*access.evidence, *access.unconfirmed]
        assert {f"addresses.{name}" for name in access.addresses} <= set(both)
        assert len(set(both)) == len(both)


@EACH
def test_publishers_answer_becomes_figures(source_id: str, publisher: Publisher, quick: LiveSettings) -> None:
    found = observations(publisher, source_id, quick)
    assert set(found["source_id"]) == {source_id}
    assert not any(asked.path.startswith("HEAD") for asked in publisher.asked)


@pytest.mark.parametrize("source_id", [name for name, access in source_access().items() if access.agent == "browser"])
def test_publisher_refuses_unnamed_programs(source_id: str, publisher: Publisher, quick: LiveSettings) -> None:
    with pytest.raises(SourceError, match="answered 403 Forbidden"):
        observations(publisher, source_id, quick, agent="vigie")
    assert not observations(publisher, source_id, quick).empty


def test_frontex_newest_workbook_is_found_by_date_in_its_name(publisher: Publisher, quick: LiveSettings) -> None:
    found = observations(publisher, "frontex", quick)
    assert value(found, "detections.WAR._T._T.M", "2024-01") == 8
    assert set(found["as_of"]) == {pd.Timestamp("2024-03-05")}


def test_channels_workbook_is_found_among_attachments(publisher: Publisher, quick: LiveSettings) -> None:
    found = observations(publisher, "uk_home_office", quick)
    days = found[found["freq"] == "D"]
    assert days["obs_value"].sum() == sum(range(70))
    assert set(days["as_of"]) == {pd.Timestamp("2024-03-11")}
    quarters = {name: value(found, f"arrivals.CHA.GBR.{name}.Q", "2023-Q4") for name in ("_T", "SDN", "IRQ")}
    assert quarters == {"_T": 50, "SDN": 34, "IRQ": 16}


def test_widget_becomes_series_of_its_place(publisher: Publisher, quick: LiveSettings) -> None:
    source = live_sources()["unhcr_odp"]
    parts = [source.parse(raw) for raw in source.download(pull(publisher, "unhcr_odp", quick))]
    found = pd.concat([part.observations for part in parts])
    assert value(found, "arrivals.CMR.ITA._T.M", "2020-01") == 690058
    assert value(found, "arrivals.WAR.ESP._T.M", "2023-12") == 696926
    assert len(found) == 6 * 48
    assert [list(part.rejected["rule"]) for part in parts] == [["the month is not over"]] * 6


REPORTS = {
    "4797": {"Italy": "2024-03-18", "Malta": "2024-02-20", "Greece": "2024-03-17", "Cyprus": "2024-03-01"},
    "4798": {"Greece": "2024-03-17", "Cyprus": "2024-02-28", "Spain": "2024-03-15"},
    "5634": {"Spain": "2024-02-29"},
}
"""Newest report of each group and country; each month but the running one has a hundred arrivals, that one ten."""


def sublocation(asked: Asked) -> Reply:
    """Sums since a day, one row per country that has reported since."""
    assert [asked.value(name) for name in ("geo_id", "forcesublocation", "sv_id")] == ["0", "0", "100"]
    since = pd.Period(asked.value("fromDate"), freq="M")
    rows = []
    for country, newest in REPORTS[asked.value("population_group")].items():
        months = pd.period_range(since, newest[:7], freq="M")
        count = sum(10 if str(month) == "2024-03" else 100 for month in months)
        if count:
            rows.append({"geomaster_name": country, "individuals": str(count), "date": newest})
    return Reply(json.dumps({"data": rows}).encode())


def portal(publisher: Publisher, quick: LiveSettings, by_place: Callable[[Asked], Reply]) -> Pull:
    """A visit to the portal that asks by place first."""
    visit = pull(publisher, "unhcr_odp", quick, {"options": {"months": 3}})
    visit.access.addresses["sublocation"] = publisher.serve("/population/get/sublocation", by_place)
    return visit


def test_portal_is_asked_by_place_first(publisher: Publisher, quick: LiveSettings) -> None:
    """No country has reported of the Canaries since the running month began: an empty list, and no fault."""
    visit = portal(publisher, quick, sublocation)
    (raw,) = unhcr_odp.download(visit)
    found = unhcr_odp.parse(raw).observations
    january = found[found["time_period"] == "2024-01"].set_index("series_id")["obs_value"].to_dict()
    assert january == {
        "arrivals.CMR.ITA._T.M": 100, "arrivals.CMR.MLT._T.M": 100, "arrivals.EMR.GRC._T.M": 200,
        "arrivals.EMR.CYP._T.M": 200, "arrivals.WMR.ESP_LAND._T.M": 100, "arrivals.WAR.ESP._T.M": 100,
    }  # fmt: skip
    assert visit.failures == []
    assert {asked.path for asked in publisher.asked} == {"/population/get/sublocation"}
    asked = {(asked.value("population_group"), asked.value("fromDate")) for asked in publisher.asked}
    assert asked == {(group, f"2024-{month}-01") for group in REPORTS for month in ("01", "02", "03")}


def test_italian_days_and_citizenships_come_together(publisher: Publisher, quick: LiveSettings) -> None:
    found = observations(publisher, "italy_interior", quick)
    assert value(found, "arrivals.CMR.ITA._T.D", "2024-02-29") == 29
    assert value(found, "arrivals.CMR.ITA.TUN.M", "2024-02") == 50


def test_events_are_summed_by_month(publisher: Publisher, quick: LiveSettings) -> None:
    source = live_sources()["ucdp"]
    raws = source.download(pull(publisher, "ucdp", quick))
    assert [raw.name for raw in raws] == ["GEDEvent_v24_0_1.csv", "GEDEvent_v23_01_23_12.csv"]
    parts = [source.parse(raw) for raw in raws]
    found = pd.concat([part.observations for part in parts])
    for month in ("2024-01", "2023-12", "2023-11"):
        assert value(found, "conflict_deaths._Z.MLI._Z.M", month) == 7
        assert value(found, "conflict_deaths._Z.SDN._Z.M", month) == 50
    assert [len(part.rejected) for part in parts] == [1, 2]


def test_yearly_release_precedes_monthly_ones(publisher: Publisher, quick: LiveSettings) -> None:
    visit = pull(publisher, "ucdp", quick, {"options": {"months": 2}})
    publisher.serve("/ged/GEDEvent_v24_01_24_01.csv", Reply(layouts.ged_csv("2024-01")))
    assert [raw.name for raw in ucdp.download(visit)] == ["GEDEvent_v24_01_24_01.csv"]


def test_release_that_must_be_out_and_is_not_fails_source(publisher: Publisher, quick: LiveSettings) -> None:
    visit = pull(publisher, "ucdp", quick, {"options": {"months": 5}})
    publisher.serve("/ged/GEDEvent_v23_01_23_12.csv", Reply(b"", 404))
    with pytest.raises(SourceError, match="2023-11 is neither there alone nor in one of its year"):
        ucdp.download(visit)


def test_only_sums_of_incidents_leave_parser() -> None:
    for route in ("Migration route", "Migration Route", "MIGRATION ROUTE"):
        raw = RawFile("allData.csv", layouts.missing_migrants_csv(route))
        parsed = missing_migrants.parse(raw)
        found = parsed.observations
        assert parsed.rejected.empty
        assert value(found, "deaths_and_disappearances.CMR._T._T.M", "2023-11") == 21
        assert value(found, "deaths_and_disappearances.WAR._T._T.M", "2023-12") == 4
        assert value(found, "deaths_and_disappearances._T._T._T.M", "2024-01") == 2
    with pytest.raises(SourceError, match=r"missing columns \['route'\]"):
        missing_migrants.parse(RawFile("allData.csv", layouts.missing_migrants_csv("Itinerary")))

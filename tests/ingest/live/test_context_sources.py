"""Yearly and monthly context: the World Bank, INFORM, UNHCR's statistics, IDMC's tables, IOM's rounds, the press."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from core.errors import InputError, SourceError
from core.settings import LiveSettings
from ingest import RawFile, read_raw
from ingest.rows import since
from ingest.sources import (
    eurostat,
    gdelt,
    idmc,
    inform_risk,
    iom_dtm_displacement,
    missing_migrants,
    source_access,
    ucdp,
    unhcr_odp,
    unhcr_statistics,
    worldbank_wdi,
    worldbank_wgi,
)
from ingest.sources.idmc import FEED
from tests.ingest.live import layouts_indicators as rows_of
from tests.ingest.live.layouts import ged_csv, pull
from tests.ingest.live.publisher import Publisher, Reply


def as_json(name: str, rows: object) -> RawFile:
    return RawFile(name, json.dumps(rows).encode())


def values(observations: pd.DataFrame, target: str, geo: str) -> dict[str, float]:
    rows = observations[(observations["target"] == target) & (observations["geo"] == geo)]
    return dict(zip(rows["time_period"], rows["obs_value"], strict=True))


@pytest.mark.parametrize(
    ("source", "path", "body", "letters"),
    [
        (worldbank_wgi, "/v2/wgi/GOV_WGI_PV.EST", [{"message": ["x" * 400]}], 200),
        (iom_dtm_displacement, "/v3/displacement/admin0", {"result": [], "errorMessages": ["x" * 400]}, 300),
    ],
    ids=["worldbank_wgi", "iom_dtm_displacement"],
)
def test_of_a_long_complaint_of_a_publisher_the_beginning_is_told(
    publisher: Publisher, quick: LiveSettings, source: ModuleType, path: str, body: object, letters: int
) -> None:
    visit = pull(publisher, source.SOURCE_ID, quick)
    publisher.serve(path, Reply(json.dumps(body).encode()))
    with pytest.raises(SourceError) as refused:
        source.download(visit)
    told = f"{refused.value.rule}".partition(": ")[2]
    assert told[:2] in {"['", '["'}
    assert told[2:] == "x" * (letters - 2)


# --- World Bank


def test_groups_of_countries_are_left_out_and_an_empty_code_is_taken_from_its_two_letters() -> None:
    found = worldbank_wgi.parse(as_json("x.json", rows_of.worldbank_rows("GOV_WGI_PV.EST")))
    assert set(found.observations["geo"]) == {"AFG", "TUR", "DEU"}
    assert values(found.observations, "political_stability", "AFG") == {"2022": 1.25}
    assert found.rejected.empty


def test_a_year_is_known_after_the_sources_usual_lag() -> None:
    found = worldbank_wgi.parse(as_json("x.json", rows_of.worldbank_rows("PV.EST"))).observations
    assert set(found["freq"]) == {"A"}
    first = found[found["time_period"] == "2022"]["as_of"].unique()
    assert list(first) == [pd.Timestamp("2022-12-31") + pd.Timedelta(days=worldbank_wgi.LAG_DAYS)]


def test_an_indicator_that_was_not_asked_for_is_refused_by_name() -> None:
    with pytest.raises(SourceError, match=r"unknown indicator; known"):
        worldbank_wdi.parse(as_json("x.json", rows_of.worldbank_rows("EN.ATM.CO2E")))


def test_an_indicator_of_the_settings_that_is_unknown_is_named(publisher: Publisher, quick: LiveSettings) -> None:
    with pytest.raises(InputError, match=r"options\.indicators \['NO.SUCH'\]; known: NY"):
        worldbank_wdi.download(pull(publisher, "worldbank_wdi", quick, {"options": {"indicators": ["NO.SUCH"]}}))


def test_the_world_banks_message_is_told(publisher: Publisher, quick: LiveSettings) -> None:
    visit = pull(publisher, "worldbank_wgi", quick)
    message = [{"message": [{"id": "175", "key": "Invalid format", "value": "The indicator was not found."}]}]
    publisher.serve("/v2/wgi/GOV_WGI_PV.EST", Reply(json.dumps(message).encode()))
    with pytest.raises(SourceError, match="The indicator was not found"):
        worldbank_wgi.download(visit)


@pytest.mark.parametrize("change", [{"total": 9}, {"pages": 3}])
def test_pages_that_contradict_each_other_are_refused(
    publisher: Publisher, quick: LiveSettings, change: dict[str, int]
) -> None:
    visit = pull(publisher, "worldbank_wgi", quick)
    rows = rows_of.worldbank_rows("GOV_WGI_PV.EST")
    pages = [[{"page": 1, "pages": 2, "total": 8}, rows[:4]], [{"page": 2, "pages": 2, "total": 8} | change, rows[4:]]]
    publisher.serve("/v2/wgi/GOV_WGI_PV.EST", *(Reply(json.dumps(page).encode()) for page in pages))
    with pytest.raises(SourceError, match="the pages do not agree"):
        worldbank_wgi.download(visit)


def test_rows_fewer_than_announced_are_refused(publisher: Publisher, quick: LiveSettings) -> None:
    visit = pull(publisher, "worldbank_wgi", quick)
    body = [{"page": 1, "pages": 1, "total": 8}, rows_of.worldbank_rows("GOV_WGI_PV.EST")[:7]]
    publisher.serve("/v2/wgi/GOV_WGI_PV.EST", Reply(json.dumps(body).encode()))
    with pytest.raises(SourceError, match="7 rows came where 8 were announced"):
        worldbank_wgi.download(visit)


def test_the_banks_own_csv_is_read_below_its_title_lines() -> None:
    text = (
        '"Data Source","World Development Indicators",\n\n"Last Updated Date","2026-02-24",\n\n'
        '"Country Name","Country Code","Indicator Name","Indicator Code","2008","2022","2023",\n'
        '"Malta","MLT","Stability","PV.EST","1.1","0.9","",\n"World","WLD","Stability","PV.EST","0","0","0",\n'
    )
    found = worldbank_wgi.parse(RawFile("API_PV.csv", text.encode())).observations
    assert values(found, "political_stability", "MLT") == {"2022": 0.9}
    assert len(found) == 1


@pytest.mark.raw_data
def test_published_development_indicators_are_read_whole(raw_data: Path) -> None:
    parsed = worldbank_wdi.parse(read_raw(raw_data / "worldbank_wdi" / "wdi_long.csv"))
    found = parsed.observations
    lines = (raw_data / "worldbank_wdi" / "wdi_long.csv").read_text().splitlines()[1:]
    assert len(lines) == 92_435
    rows = [line.split(",") for line in lines]
    kept = [row for row in rows if row[1] not in worldbank_wdi.OTHERS and row[2] >= "2009" and row[0] != "CHI"]
    assert (len(found), len(parsed.rejected), len(rows) - len(kept)) == (len(kept), 0, 60_186)
    assert values(found, "gdp_usd", "DEU")["2021"] == pytest.approx(4.348297e12, rel=1e-6)


@pytest.mark.raw_data
def test_published_political_stability_holds_205_economies_of_2023_and_none_later(raw_data: Path) -> None:
    path = raw_data / "worldbank_wgi" / "API_PV.EST_DS2_en_csv_v2_177.csv"
    found = worldbank_wgi.parse(read_raw(path)).observations
    assert found["time_period"].max() == "2023"
    assert (found["time_period"] == "2023").sum() == 205


# --- INFORM


def test_rows_without_a_year_are_set_aside_and_components_are_not_read() -> None:
    parsed = inform_risk.parse(as_json("inform-trends.json", rows_of.inform_rows()))
    assert values(parsed.observations, "inform_risk", "MLT") == {"2022": 2.7, "2023": 2.8}
    assert set(parsed.observations["target"]) == set(inform_risk.TARGETS.values())
    assert set(parsed.rejected["rule"]) == {"the row belongs to no year"}


def test_the_index_is_taken_by_the_workflow_of_the_newest_release_that_has_begun(
    publisher: Publisher, quick: LiveSettings
) -> None:
    """520 is newer, and holds a year that lies ahead alone; 517 is another model's."""
    (raw,) = inform_risk.download(pull(publisher, "inform_risk", quick))
    assert raw.name == "inform-trends-515.json"
    assert [asked.value("WorkflowId") for asked in publisher.asked if asked.query] == ["520", "515"]


def test_a_score_above_ten_is_no_score() -> None:
    rows = [{**row, "Iso3": place} for row in rows_of.inform_rows() for place in ("AFG", "MLT", "DEU", "FRA", "ITA")]
    unique = list({(row["Iso3"], row["IndicatorId"], row["GNAYear"]): row for row in rows}.values())
    next(row for row in unique if row["GNAYear"] == 2023)["IndicatorScore"] = 47
    assert "the score is above 10" in set(inform_risk.parse(as_json("x.json", unique)).rejected["rule"])


def test_an_estimate_of_governance_far_outside_its_scale_is_told() -> None:
    rows = rows_of.worldbank_rows("GOV_WGI_PV.EST")
    spoilt = [{**rows[0], "value": -4}, *rows[1:]]
    with pytest.raises(SourceError, match=r"far outside of -2\.5 to 2\.5"):
        worldbank_wgi.parse(as_json("x.json", spoilt))


def test_a_row_of_inform_without_an_indicators_code_is_set_aside_and_another_indicator_is_passed_over() -> None:
    rows = [{**row, "Iso3": place} for row in rows_of.inform_rows() for place in ("AFG", "MLT", "DEU", "FRA", "ITA")]
    unique = list({(row["Iso3"], row["IndicatorId"], row["GNAYear"]): row for row in rows}.values())
    sound = inform_risk.parse(as_json("x.json", unique))
    component = inform_risk.parse(as_json("x.json", [*unique, {**unique[0], "IndicatorId": "HA.NAT"}]))
    assert len(component.rejected) == len(sound.rejected)
    spoilt = inform_risk.parse(as_json("x.json", [{**unique[0], "IndicatorId": "NaN"}, *unique[1:]]))
    assert "not the code of an indicator" in set(spoilt.rejected["rule"])


def test_the_list_of_scores_of_different_years_is_refused() -> None:
    text = b"CountryName,Iso3,ValidityYear,IndicatorName,IndicatorScore,Unit\nMalta,MLT,2023,Flood,1.5,0-10\n"
    with pytest.raises(SourceError, match="belong to different years: use the trends"):
        inform_risk.parse(RawFile("inform_risk_index.csv", text))


@pytest.mark.raw_data
def test_published_risk_index_is_read_whole(raw_data: Path) -> None:
    parsed = inform_risk.parse(read_raw(raw_data / "inform_risk" / "inform_risk_index_trends.csv"))
    assert (len(parsed.observations), len(parsed.rejected), parsed.observations["geo"].nunique()) == (7_640, 0, 191)
    assert values(parsed.observations, "inform_risk", "AFG")["2024"] == 7.8


# --- UNHCR


def test_applications_are_added_up_over_levels_and_cases_stand_apart() -> None:
    raw = as_json("asylum-applications.json", rows_of.unhcr_rows("asylum-applications"))
    found = unhcr_statistics.parse(raw).observations
    syrians = found[found["citizen"] == "SYR"]
    assert values(syrians, "asylum_applications_new", "DEU") == {"2022": 2 * 2022, "2023": 2 * 2023}
    assert values(syrians, "asylum_applications_new_cases", "DEU") == {"2022": 7, "2023": 7}
    assert set(found.loc[found["time_period"] == "2023", "obs_flag"]) == {"p"}


def test_a_dash_is_no_figure_and_a_country_of_asylum_is_its_iso_code() -> None:
    found = unhcr_statistics.parse(as_json("population.json", rows_of.unhcr_rows("population"))).observations
    assert set(found["geo"]) == {"DEU"}
    assert set(found["target"]) == {"refugees", "asylum_seekers"}


def test_a_row_repeated_on_two_pages_counts_once() -> None:
    rows = rows_of.unhcr_rows("asylum-decisions")[:2] * 12
    unique = [{**row, "year": 2010 + number // 2} for number, row in enumerate(rows)]
    once = unhcr_statistics.parse(as_json("asylum-decisions.json", unique))
    twice = unhcr_statistics.parse(as_json("asylum-decisions.json", [*unique, unique[5]]))
    pd.testing.assert_frame_equal(once.observations, twice.observations)
    assert len(twice.rejected) == 4


def test_a_file_of_another_dataset_is_refused() -> None:
    with pytest.raises(SourceError, match="must be named after one of the datasets"):
        unhcr_statistics.parse(as_json("demographics.json", []))


@pytest.mark.raw_data
@pytest.mark.slow
def test_published_refugees_and_asylum_seekers_are_read_whole(raw_data: Path) -> None:
    path = raw_data / "unhcr_refugee_statistics" / "population.rda"
    found = unhcr_statistics.parse(read_raw(path)).observations
    world = found.groupby(["target", "time_period"])["obs_value"].sum()
    published = {"2023": 31.64, "2024": 30.96, "2025": 28.46}
    assert {year: round(world["refugees", year] / 1e6, 2) for year in published} == published
    assert round(world["asylum_seekers", "2024"] / 1e6, 2) == 8.35


# --- IDMC


def test_the_feed_counts_recommended_figures_by_the_month_of_their_end() -> None:
    parsed = idmc.parse(as_json(FEED, rows_of.displacement_rows()))
    assert values(parsed.observations, "new_displacement", "SDN") == {"2024-01": 320, "2024-02": 5}
    assert set(parsed.observations["geo"]) == {"SDN"}, "the feed's first month is incomplete"
    assert list(parsed.rejected["rule"]) == ["the event spans more than two months"]
    assert list(parsed.observations["obs_flag"]) == ["", "p"]


def test_the_feed_is_waited_for_and_taken_from_the_storage_host(publisher: Publisher, quick: LiveSettings) -> None:
    visit = pull(publisher, "idmc", quick, {"hosts": ["localhost"]})
    stored = json.dumps(rows_of.displacement_rows()).encode()
    publisher.serve("/dump/idus.json", Reply(stored))
    moved = Reply(b"", 302, {"Location": f"{publisher.foreign}/dump/idus.json"})
    publisher.serve("/idus/last-180-days/", Reply(b"[]", 202), Reply(b"[]", 202), moved)
    assert [file.content for file in idmc.download(visit)] == [stored]
    assert not publisher.asked[-1].values("client_id")


@pytest.mark.parametrize(("status", "told"), [(202, "still preparing the file"), (404, "no file at the moment")])
def test_a_feed_that_is_not_there_is_named(publisher: Publisher, quick: LiveSettings, status: int, told: str) -> None:
    visit = pull(publisher, "idmc", quick)
    publisher.serve("/idus/last-180-days/", Reply(b"[]", status))
    with pytest.raises(SourceError, match=f"{told}: ask again later"):
        idmc.download(visit)


def test_no_place_of_an_event_is_kept_with_a_row_set_aside() -> None:
    parsed = idmc.parse(as_json(FEED, rows_of.displacement_rows()))
    assert "12.5" not in "".join(parsed.rejected["record"])


@pytest.mark.raw_data
def test_published_yearly_displacement_gives_the_totals_of_the_global_reports(raw_data: Path) -> None:
    flows = idmc.parse(read_raw(raw_data / "idmc" / "idmc_flows.rda")).observations
    stocks = idmc.parse(read_raw(raw_data / "idmc" / "idmc_stocks.rda")).observations
    world = pd.concat([flows, stocks]).groupby(["target", "time_period"])["obs_value"].sum() / 1e6
    # Global Reports on Internal Displacement 2024 and 2025, in millions; Abyei is left out here
    assert world["new_displacement_conflict", "2023"] == pytest.approx(20.5, abs=0.05)
    assert world["new_displacement_disaster", "2023"] == pytest.approx(26.4, abs=0.05)
    assert world["internally_displaced_conflict", "2024"] == pytest.approx(73.5, abs=0.05)
    assert world["internally_displaced_disaster", "2024"] == pytest.approx(9.8, abs=0.05)


# --- IOM's rounds


def test_a_month_takes_the_newest_round_over_all_reasons_and_several_operations_make_an_estimate() -> None:
    rows = rows_of.dtm_rows("SDN") + rows_of.dtm_rows("AFG")
    found = iom_dtm_displacement.parse(as_json("dtm-admin0.json", rows)).observations
    assert values(found, "internally_displaced", "AFG") == {"2023-11": 2050, "2024-01": 6050}
    assert values(found, "internally_displaced", "SDN") == {"2023-11": 2050, "2024-01": 6050 + 14_050}
    assert {geo: set(flags) for geo, flags in found.groupby("geo")["obs_flag"]} == {"AFG": {""}, "SDN": {"e"}}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"isSuccess": False, "errorMessages": ["Invalid country"], "result": []}, "Invalid country"),
        ({"isSuccess": True, "result": []}, "no round of SDN"),
        ({"isSuccess": True, "result": [{}], "totalRecordsCount": 2}, "1 row came where 2 were announced"),
        ({"message": "Access denied"}, "no answer with a list 'result'"),
    ],
)
def test_an_answer_without_rounds_is_an_error(
    publisher: Publisher, quick: LiveSettings, body: dict[str, Any], rule: str
) -> None:
    visit = pull(publisher, "iom_dtm_displacement", quick)
    publisher.serve("/v3/displacement/admin0", Reply(json.dumps(body).encode()))
    with pytest.raises(SourceError, match=rule):
        iom_dtm_displacement.download(visit)


# --- GDELT


def test_a_sentence_that_asks_for_patience_is_waited_out_and_then_given_up(
    publisher: Publisher, quick: LiveSettings
) -> None:
    files = gdelt.download(pull(publisher, "gdelt", quick))
    assert [file.name for file in files] == [f"gdelt-{code}.json" for code in ("AFG", "SDN", "SYR", "TUN", "UKR")]
    found = gdelt.parse(files[2]).observations
    assert values(found, "news_reports", "SYR") == {"2023-01": 7, "2023-02": 11, "2024-01": 7, "2024-02": 11}
    assert values(found, "news_reports_per_million", "SYR")["2023-01"] == 3500
    visit = pull(publisher, "gdelt", quick)
    publisher.serve("/api/v2/doc/doc", Reply(b"Please limit requests to one every 5 seconds"))
    with pytest.raises(SourceError, match="asks for fewer requests"):
        gdelt.download(visit)


def test_the_press_is_asked_by_name_only() -> None:
    assert "--source gdelt" in source_access()["gdelt"].why_not_asked
    assert source_access({"gdelt": {"asked": "always"}})["gdelt"].why_not_asked == ""


# --- Further layouts of sources that were there


DECISIONS = {"Total": "first_instance_decisions", "Total positive decisions": "first_instance_decisions_positive"}


@pytest.mark.raw_data
@pytest.mark.parametrize("label", DECISIONS)
def test_published_decisions_of_members_add_up_to_the_unions_row(raw_data: Path, label: str) -> None:
    path = raw_data / "eurostat_asylum" / "georgeblck" / "migr_asydcfstq_1_Data.csv"
    found = eurostat.parse(read_raw(path)).observations
    rows = pd.read_csv(path, dtype=str)
    union = rows[(rows["GEO"] == "European Union (28 countries)") & (rows["DECISION"] == label)].set_index("TIME")
    members = found[~found["geo"].isin(["NOR", "CHE", "ISL", "LIE"]) & (found["target"] == DECISIONS[label])]
    sums = members.groupby("time_period")["obs_value"].sum()
    for quarter in ("2014-Q4", "2015-Q4", "2016-Q3"):
        published = float(str(union.loc[quarter.replace("-", ""), "Value"]).replace(",", ""))
        assert sums[quarter] == pytest.approx(published, abs=5 * 28)


@pytest.mark.raw_data
def test_both_layouts_of_published_decisions_hold_the_same_quarters_but_for_revisions(raw_data: Path) -> None:
    folder = raw_data / "eurostat_asylum" / "georgeblck"
    names = ("migr_asydcfstq_1_Data.csv", "migr_asydcfstq__custom_42121_20201007_150410.tsv")
    old, new = (eurostat.parse(read_raw(folder / name)).observations for name in names)
    both = old.merge(new, on=["series_id", "time_period"])
    assert (both["obs_value_x"] == both["obs_value_y"]).mean() > 0.9


def test_pending_applications_and_decisions_are_read_by_dataset(publisher: Publisher, quick: LiveSettings) -> None:
    files = {file.name: file for file in eurostat.download(pull(publisher, "eurostat", quick))}
    waiting = eurostat.parse(files["migr_asypenctzm.json"]).observations
    decided = eurostat.parse(files["migr_asydcfstq.json"]).observations
    assert set(waiting["target"]) == {"asylum_pending"}
    assert (set(waiting["freq"]), set(decided["freq"])) == ({"M"}, {"Q"})
    assert set(decided["target"]) == {"first_instance_decisions", "first_instance_decisions_positive"}
    afghans = decided[decided["citizen"] == "AFG"]
    assert values(afghans, "first_instance_decisions_positive", "GRC")["2023-Q2"] == 85
    assert "2023-Q4" not in values(afghans, "first_instance_decisions", "DEU")
    totals = decided[decided["citizen"] == "_T"]
    assert min(values(totals, "first_instance_decisions", "DEU")) == "2022-Q1"


def test_a_dataset_whose_option_is_empty_is_not_asked_for(publisher: Publisher, quick: LiveSettings) -> None:
    visit = pull(publisher, "eurostat", quick, {"options": {"pending": "", "decisions": ""}})
    assert len(eurostat.download(visit)) == 3


@pytest.mark.parametrize(("option", "text"), [("decisions_since", "2021-03"), ("since", "2021-Q1")])
def test_a_first_period_of_another_kind_is_named(
    publisher: Publisher, quick: LiveSettings, option: str, text: str
) -> None:
    with pytest.raises(InputError, match=rf"options\.{option} must be a (quarter|month) such as"):
        eurostat.download(pull(publisher, "eurostat", quick, {"options": {option: text}}))


INCIDENT = {"web_id": "2024.MMP1", "reported_date": "2024-01-05", "migration_route": "Central Mediterranean",
            "total_dead_and_missing": "3", "location_description": "Off Sfax"}  # fmt: skip


def test_yearly_lists_are_asked_one_by_one_and_an_empty_one_is_a_fault_but_this_years(
    publisher: Publisher, quick: LiveSettings
) -> None:
    lists = {2023: [{**INCIDENT, "reported_date": "2023-12-30", "total_dead_and_missing": "4"}], 2024: [INCIDENT]}
    options = {"by_year": True, "since": 2023}
    visit = pull(publisher, "missing_migrants", quick, {"options": options, "addresses": {
        "years": f"{publisher.address}/global-figures"}})  # fmt: skip
    for year, rows in lists.items():
        publisher.serve(f"/global-figures/{year}/json", Reply(json.dumps(rows).encode()))
    found = missing_migrants.parse(missing_migrants.download(visit)[0]).observations
    assert values(found[found["route_id"] == "CMR"], "deaths_and_disappearances", "_T") == {"2023-12": 4, "2024-01": 3}
    publisher.serve("/global-figures/2024/json", Reply(b"[]"))
    assert len(missing_migrants.download(visit)) == 1
    publisher.serve("/global-figures/2023/json", Reply(b"[]"))
    with pytest.raises(SourceError, match="no list of incidents"):
        missing_migrants.download(visit)


def test_yearly_lists_are_asked_from_the_first_year_whose_incidents_are_taken(
    publisher: Publisher, quick: LiveSettings
) -> None:
    visit = pull(publisher, "missing_migrants", quick, {"options": {"by_year": True}, "addresses": {
        "years": f"{publisher.address}/global-figures"}})  # fmt: skip
    with pytest.raises(SourceError):
        missing_migrants.download(visit)
    first = int(publisher.asked[0].path.split("/")[-2])
    days = [f"{first - 1}-12-31", *(f"{first}-01-{day:02}" for day in range(1, 31))]
    rows = [{**INCIDENT, "web_id": str(place), "reported_date": day} for place, day in enumerate(days)]
    parsed = missing_migrants.parse(as_json("missing-migrants.json", rows))
    assert [json.loads(record)["t"] for record in parsed.rejected["record"]] == days[:1]


def test_an_incident_under_one_number_in_two_places_counts_twice_and_a_record_listed_twice_once() -> None:
    rows = [{**INCIDENT, "web_id": f"2024.MMP{number}"} for number in range(30)]
    rows += [{**INCIDENT, "location_description": "Off Zarzis"}, rows[0]]
    parsed = missing_migrants.parse(as_json("missing-migrants.json", rows))
    assert parsed.observations.set_index("route_id")["obs_value"]["CMR"] == 31 * 3
    assert list(parsed.rejected["rule"]) == ["the record is listed twice"]


def test_a_renamed_route_refuses_the_file_instead_of_falling_to_none() -> None:
    rows = [{**INCIDENT, "web_id": str(number), "migration_route": "Central Med"} for number in range(3)]
    with pytest.raises(SourceError, match=r"the route is none that is known \(3 of 3 rows"):
        missing_migrants.parse(as_json("missing-migrants.json", rows))


@pytest.mark.raw_data
def test_published_yearly_lists_give_their_sum_but_for_records_listed_twice(raw_data: Path) -> None:
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


def test_a_final_release_is_final_and_ends_with_its_year(publisher: Publisher, quick: LiveSettings) -> None:
    found = ucdp.parse(annual_release("2023-12")).observations
    assert values(found, "conflict_deaths", "MLI") == {"2023-12": 7}
    assert set(found["obs_flag"]) == {""}
    with pytest.raises(SourceError, match="outside the release's months"):
        ucdp.parse(annual_release("2024-01"))
    options = {"annual": "24.1", "months": 2}
    visit = pull(publisher, "ucdp", quick, {"options": options, "addresses": {"annual": f"{publisher.address}/final"}})
    publisher.serve("/final/ged241-csv.zip", Reply(annual_release("2023-12").content))
    assert [file.name for file in ucdp.download(visit)] == ["GEDEvent_v24_0_1.csv", "ged241-csv.zip"]


def test_months_that_a_final_release_replaces_are_not_asked_for_beside_it(
    publisher: Publisher, quick: LiveSettings
) -> None:
    options = {"annual": "24.1", "months": 4}
    visit = pull(publisher, "ucdp", quick, {"options": options, "addresses": {"annual": f"{publisher.address}/final"}})
    with pytest.raises(InputError, match=r"options\.months: ask for fewer months"):
        ucdp.download(visit)


def test_citizenships_since_january_come_from_the_portal_where_they_are_asked_for(
    publisher: Publisher, quick: LiveSettings
) -> None:
    rows = [
        {"pop_origin_name": name, "pop_origin_code": "X", "individuals": count, "date": "2024-02-29", "month": 2}
        for name, count in (("Bangladesh", "1200"), ("Tunisia", 300), ("Others", "55"))
    ]
    address = publisher.serve("/population/get/origin", Reply(json.dumps({"data": rows}).encode()))
    origins = {"italy": {"widget_id": 687575, "geo_id": 656, "population_collection": "28"}}
    changes = {"options": {"origins": origins}, "addresses": {"origin": address}}
    files = unhcr_odp.download(pull(publisher, "unhcr_odp", quick, changes))
    found = unhcr_odp.parse(files[-1]).observations
    assert dict(zip(found["citizen"], found["obs_value"], strict=True)) == {"BGD": 1200, "TUN": 300, "OTH": 55}
    assert set(found["target"]) == {"arrivals_since_january"}
    assert ("fromDate", "2024-01-01") in publisher.asked[-1].query


def test_quarters_and_years_are_kept_from_2009_on_by_the_same_rule_as_months() -> None:
    cells = pd.DataFrame({"time_period": ["2008-12", "2009-01", "2008-Q4", "2009-Q1", "2008", "2009", "soon"]})
    assert list(since(cells)["time_period"]) == ["2009-01", "2009-Q1", "2009", "soon"]

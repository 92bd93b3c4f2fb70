"""Reasons speak for their alert; what gives context has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from alerts.lifecycle import COMMENTED, DELIVERY, SENT, State
from alerts.rules.origin_context import NAME as ORIGIN_CONTEXT
from core.languages import Language
from core.release import RELEASE
from core.schema import Entry
from reports import whatif
from reports.alert_list import (
    INFORMS,
    SHOWN_ONCE,
    consequence_words,
    fact_words,
    history,
    nearest,
    reasons,
    season,
    size_words,
    unlikely_words,
    with_subjects,
)
from reports.answer import month_chances, month_flagged

from .conftest import MakeRelease

ENGLISH = Language("en")
NOWCASTS = ["series_id", "used", "output_type_id", "value", "target_end_date", "last_day", "so_far"]


def reasons_of(make_release: MakeRelease, counts: list[float], **other: object) -> list[str]:
    """Reasons of an alert on March 2025, with counts up to December 2024."""
    release = make_release(1, 1)
    row: dict[Any, Any] = release.frame("alerts").iloc[0].to_dict()
    one = release.frame("observations").iloc[:1]
    months = pd.period_range(end="2024-12", periods=len(counts), freq="M").astype(str)
    observed = pd.concat([one] * len(counts)).assign(time_period=months, obs_value=counts, series_id=row["series_id"])
    usual = {"likely_period": "2025-03", "reason_key": "?"}
    known = release.with_frame("observations", observed).with_frame("nowcasts", pd.DataFrame(columns=NOWCASTS))
    return reasons(known, {**row, **usual, **other}, ENGLISH)


def test_fall_names_its_season_and_month_of_its_number(make_release: MakeRelease) -> None:
    year = [800.0, 700.0, 500.0, *[1000.0] * 8, 1200.0]
    counts = [*year * 5, *[900.0] * 2, 501.0, *year[3:]]
    assert reasons_of(make_release, counts, rule="fall", threshold=501.0) == [
        "501 is the count of March 2024.",
        "December 2024: 1,200 counted; from December to March the count fell in 5 of 5 years.",
    ]


def test_rise_names_mean_behind_its_number_and_level(make_release: MakeRelease) -> None:
    counts = [1000.0] * 11 + [2200.0]
    assert reasons_of(make_release, counts, rule="surge", threshold=1650.0) == [
        "1,650 is 1.5 times 1,100, the mean of the twelve months to December 2024.",
        "December 2024: 2,200 arrivals counted; the past twelve months averaged 1,100.",
    ]
    last = {"end_date": pd.Timestamp("2024-12-31"), "obs_flag": "e"}
    assert month_flagged(last, ENGLISH) == "December 2024 (estimated)"


def test_count_against_its_alert_is_no_reason(make_release: MakeRelease) -> None:
    counts = [1000.0] * 11 + [2200.0]
    assert len(reasons_of(make_release, counts, rule="fall", threshold=500.0)) == 1


def test_context_has_no_reasons(make_release: MakeRelease) -> None:
    other = {"rule": "origin_context", "alert_level": "information", "threshold": float("nan")}
    assert reasons_of(make_release, [1000.0] * 12, **other) == []


def test_size_of_alert_sums_its_months_path_by_path(make_release: MakeRelease) -> None:
    release = make_release(1, 1)
    row = release.frame("alerts").iloc[0].to_dict() | {"rule": "surge"}
    # Paths are 800, 900, 1000, 1100 and 1200 in each of three months.
    said = size_words(release, row, ENGLISH)
    assert said.startswith("Expected in February–April 2025: 3,000 in all, 80% interval 2,500 to 3,500")
    counted = row | {"rule": "outside_95", "first_period": "2024-12", "last_period": "2024-12"}
    assert size_words(release, counted, ENGLISH) == said
    assert size_words(release, counted | {"alert_level": "information"}, ENGLISH) == ""


@pytest.mark.parametrize(("rule", "limit"), [("surge", 1400.0), ("fall", 700.0)])
def test_consequence_of_alert_equals_its_scenario(make_release: MakeRelease, rule: str, limit: float) -> None:
    release = make_release(1, 1)
    row = release.frame("alerts").iloc[0].to_dict() | {"rule": rule, "threshold": limit}
    one = release.frame("trajectories").query("output_type_id == output_type_id.min()")
    draw = np.random.default_rng(1).normal(1000, 300, (1000, len(one)))
    paths = [one.assign(output_type_id=number, value=values) for number, values in enumerate(draw)]
    release = release.with_frame("trajectories", pd.concat(paths, ignore_index=True))
    route_id = str(row["route_id"])
    levers = whatif.levers(release, route_id, [route_id])
    values, bad = whatif.parse({"kind": "if"} | whatif.condition_of(row), levers)
    scenario = whatif.build(release, values, route_id, ENGLISH)
    assert not bad
    none_of_months = np.prod([1 - chance for _end, chance in month_chances(row, release)])
    assert scenario.chance == pytest.approx(1 - none_of_months, abs=0.02)
    said = consequence_words(release, row, ENGLISH)
    total, interval = said.split(" in all, 80% interval ")
    assert f": {total} arrivals in February–April 2025 instead of" in whatif.title(release, scenario, values, ENGLISH)
    assert f"80% interval {interval}; the forecast’s own: " in whatif.answer(release, scenario, values, ENGLISH)
    assert consequence_words(release, row | {"threshold": 2500.0 if rule == "surge" else 1.0}, ENGLISH) == ""
    assert consequence_words(release, row | {"rule": "outside_95"}, ENGLISH) == ""


def test_nearest_events_are_a_high_and_a_low_of_each_route(make_release: MakeRelease) -> None:
    release = make_release(2, 2)
    first, second = release.frame("alerts").to_dict("records")
    alike = {"cutoff": 0.5, "prepare_from": 0.4, "base_rate": 0.2}
    rows = [
        first | alike | {"rule": "surge", "probability": 0.1},
        first | alike | {"rule": "rule_0", "probability": 0.05},
        first | alike | {"rule": "fall", "probability": 0.3, "threshold": 900.0},
        second | alike | {"rule": "surge", "probability": 0.45},
        second | alike | {"rule": "capacity", "probability": 0.2, "cutoff": 0.25},
    ]
    chances = pd.DataFrame(rows)[list(RELEASE["alert_chances"].columns)]
    record = release.frame("track_record").replace({"rule": {"rule_0": "surge"}})
    release = release.with_frame("track_record", record)
    found = nearest(release.with_frame("alert_chances", chances), ENGLISH)
    assert found[["name", "event", "probability", "untested"]].to_numpy().tolist() == [
        ["Central Mediterranean ↑", "to reach 5,000 a month (far above the past year)", 0.1, False],
        ["Eastern Mediterranean ↑", "to pass 5,001 a month (above the usual high)", 0.2, True],
        ["Central Mediterranean ↓", "to fall to 900 or fewer a month (lowest in 24 months)", 0.3, True],
    ]
    assert nearest(release, ENGLISH).empty


@pytest.mark.parametrize(
    ("chance", "usual", "said"),
    [
        (0.34, 0.0, "Rather unlikely, yet an alert: a missed event is taken to cost more than a false alarm."),
        (0.34, 0.4, "Rather unlikely, yet an alert: a missed event is taken to cost more than a false alarm."),
        (0.64, 0.2, ""),
    ],
)
def test_unlikely_event_says_why_it_is_an_alert(
    make_release: MakeRelease, chance: float, usual: float, said: str
) -> None:
    row = make_release(1, 1).frame("alerts").iloc[0].to_dict()
    row |= {"alert_level": "watch", "probability": chance, "base_rate": usual, "cutoff": 0.22}
    found = unlikely_words(row, ENGLISH)
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_fact_of_several_routes_is_listed_once_with_its_source(make_release: MakeRelease) -> None:
    release = make_release(2, 3)
    about = {"first_period": "2024-10", "last_period": "2024-12", "reason": "Syria: 9 deaths.", "rule": ORIGIN_CONTEXT}
    rows = release.frame("alerts").assign(group=INFORMS, reason_key="origin_conflict_deaths", **about)
    rows.loc[2, "reason_key"] = "surge"
    listed = with_subjects(release, rows, ENGLISH)
    both = "Central Mediterranean, Eastern Mediterranean"
    assert list(listed["subject"]) == [both, both, "Central Mediterranean"]
    listed = listed.drop_duplicates(SHOWN_ONCE)
    assert list(listed["subject"]) == [both, "Central Mediterranean"]
    counted = pd.DataFrame({"target": ["conflict_deaths", "arrivals"], "source_id": ["a_ministry", "a_bureau"]})
    release = release.with_frame("observations", counted)
    known = release.sources()["a_ministry"]["publisher"]
    said = [fact_words(release, row, ENGLISH) for row in listed.to_dict("records")]
    assert said == [["October–December 2024", known], []]


def test_counted_month_stands_beside_forecast_made_before(make_release: MakeRelease) -> None:
    release = make_release(1, 1)
    row = release.frame("alerts").iloc[0].to_dict() | {"rule": "outside_95", "likely_period": ""}
    counted = season(release, row | {"first_period": "2024-12"})
    assert counted is not None
    past, quantiles, end, count = counted
    assert (list(past["year"]), end, count) == ([2023], pd.Timestamp("2024-12-31"), 1161.0)
    assert float(quantiles.loc[quantiles["output_type_id"] == 0.5, "value"].iloc[0]) == 1400.0
    ahead = season(release, row | {"first_period": "2025-02"})
    assert ahead is not None
    assert ahead[3] is None
    assert season(release, row | {"alert_level": "information"}) is None


def test_history_has_one_line_for_all_messages_to_a_group() -> None:
    groups = [{"kind": "raised", "subscription": name} for name in ("desk", "desk", "press")]
    rows = [Entry(DELIVERY, SENT, "a", payload=group) for group in groups]
    found = history([], {}, [*rows, *[Entry("Ada", COMMENTED, "a", reason="seen")] * 2], State(), ENGLISH)
    assert found["who"].tolist() == ["delivery", "delivery", "Ada", "Ada"]
    assert found["what"].str.extract("Sent to (.*):")[0].dropna().tolist() == ["desk", "press"]

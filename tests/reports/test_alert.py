"""One alert has the same words everywhere."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from alerts.lifecycle import State
from alerts.rules import TEMPLATES, sentence
from core.languages import Language
from core.schema import Entry
from reports import entries_until
from reports.alert import alert_report, rule_record, status_words, times_usual

from .conftest import alert_row, record_of_rules

SAMPLE: dict[str, float | str] = {
    "chance": 0.82, "threshold": 10_000.0, "first": "2025-02", "month": "2025-04", "factor": 1.5, "value": 1234.0,
    "lower": 345.0, "upper": 12_345.0, "period": "2024-11", "age": 62, "expected": 45, "before": 9977.0,
    "after": 5289.0, "citizen": "SYR", "share": 0.41, "share_before": 0.12,
}  # fmt: skip
ENGLISH = Language("en")


@pytest.mark.parametrize("key", sorted(TEMPLATES))
def test_alert_is_said_as_release_says_it(key: str) -> None:
    wanted = {"chance", "month", "first"} if "{when}" in TEMPLATES[key] else set()
    params = {name: value for name, value in SAMPLE.items() if "{" + name + "}" in TEMPLATES[key] or name in wanted}
    row = {"alert_level": "watch", "reason": "?", "reason_key": key, "reason_params": json.dumps(params)}
    assert alert_report(row, None, ENGLISH).sentence == sentence(key, params)


def test_sentence_and_window_name_same_months() -> None:
    report = alert_report(alert_row(0, ["CMR"]), None, ENGLISH)
    assert report.window == "February–April 2025"
    assert f"in any month of {report.window}." in report.sentence
    finding = "62% chance that arrivals pass 5,000 in any month of February–April 2025"
    assert report.chance_of == f"{finding}; usually 39%, alert from 43%"
    assert report.chance_beside == "62% · usually 39% · alert from 43%"


def test_a_chance_no_higher_than_usual_is_called_a_preparedness_trigger() -> None:
    row = alert_row(0, ["CMR"], alert_level="information", probability=0.3)
    report = alert_report(row, None, ENGLISH)
    assert report.badge == "• Information"
    assert report.sentence.startswith("Preparedness trigger, not likelier than usual: ")
    assert report.chance_beside == "30% · usually 39% · alert from 43% · worth preparing for from 25%"


def test_large_ratio_to_usual_chance_has_no_decimals() -> None:
    shown = [times_usual({"probability": chance, "base_rate": 0.1614}, ENGLISH) for chance in (0.637, 0.3, 0.1)]
    assert shown == ["4", "1.9", ""]


@pytest.mark.parametrize(
    ("rule", "event"),
    [
        ("surge", "to reach 1,235 a month"),
        ("capacity", "to pass 1,234 a month"),
        ("fall", "to fall to 1,234 or fewer a month"),
    ],
)
def test_event_names_whole_number_that_rule_tests(rule: str, event: str) -> None:
    report = alert_report(alert_row(0, ["CMR"], rule=rule, threshold=1234.5), None, ENGLISH)
    assert report.event == event


def test_alert_that_has_ended_does_not_read_as_if_it_stood() -> None:
    report = alert_report(alert_row(0, ["CMR"]), None, ENGLISH, over="ended")
    assert report.sentence.startswith("The alert no longer stands. It said: Rather likely (62%)")
    assert (report.level, report.badge) == ("ended", "○ Ended, was Severe")


def test_alert_that_names_no_month_has_no_window_and_no_chance() -> None:
    row = alert_row(0, ["CMR"], probability=float("nan"), threshold=None, first_period="2025-01-31")
    report = alert_report(row, None, ENGLISH)
    assert (report.window, report.chance, report.chance_of, report.event) == ("", "–", "", "")


@pytest.mark.parametrize(
    ("routes", "events", "words"),
    [
        (["_T", "EMR"], 27, "10 of 20 such alerts came true"),
        (["_T", "EMR"], 2, "12 of 20 such alerts came true, all routes"),
        (["_T"], 27, "12 of 20 such alerts came true, all routes"),
    ],
)
def test_record_is_of_own_route_where_it_rests_on_enough_events(routes: list[str], events: int, words: str) -> None:
    rows = {"_T": {"precision": 0.6, "n_events": 27}, "EMR": {"precision": 0.5, "n_events": events}}
    record = pd.concat([record_of_rules(1).assign(route_id=route, **rows[route]) for route in routes])
    row = alert_row(0, ["EMR"])
    assert alert_report(row, rule_record(row, record), ENGLISH).record == words


@pytest.mark.parametrize(
    ("cases", "dots", "words", "mark"),
    [
        (24, "", "12 of 24 such alerts came true", ""),
        (6, "●●●○○○", "3 of 6 such alerts came true", ""),
        (1, "", "0 of 1 such alert came true, too few to say", "untested rule"),
        (None, "", "no record yet", "untested rule"),
    ],
)
def test_record_of_few_cases_says_so(cases: int | None, dots: str, words: str, mark: str) -> None:
    record = {"precision": 0.5, "n_cases": cases, "all_routes": False}
    report = alert_report(alert_row(0, ["EMR"]), record, ENGLISH)
    assert (report.dots, report.record, report.untested) == (dots, words, mark)
    assert report.badge == ", ".join(filter(None, ["◆ Severe", mark]))


def test_rule_that_reports_what_is_known_is_not_called_untested() -> None:
    assert alert_report(alert_row(0, ["EMR"], probability=float("nan")), None, ENGLISH).untested == ""


def test_what_merely_informs_has_no_record() -> None:
    record = {"precision": 0.5, "n_cases": 9, "all_routes": False}
    report = alert_report(alert_row(0, ["EMR"], alert_level="information"), record, ENGLISH)
    assert (report.dots, report.record) == ("", "")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State("proposed", "severe"), "waits for sign-off"),
        (State("proposed", "severe", sign_offs=("Ada",)), "1 of 2 sign-offs"),
        (State("proposed", "watch", reopened=True), "re-opened, waits for sign-off"),
        (State("signed off", "severe"), "signed off"),
        (State("dismissed"), "dismissed"),
        (State("ended"), "ended"),
        (State(), "ended"),
    ],
)
def test_severe_alert_needs_both_signatures(state: State, words: str) -> None:
    assert status_words(state, ENGLISH) == words


def test_past_release_shows_decisions_of_its_time() -> None:
    rows = [Entry("Ada", "signed off", "a", "20250131T04"), Entry("nightly", "ended", "a", "20250228T04")]
    assert entries_until(rows, "20250131T04") == rows[:1]
    assert entries_until(rows, "20250228T04") == rows


def test_alert_on_quarterly_source_names_no_window_of_months() -> None:
    row = alert_row(0, ["CMR"]) | {"first_period": "2025-Q4", "last_period": "2025-Q4"}
    assert alert_report(row, None, ENGLISH).window == ""

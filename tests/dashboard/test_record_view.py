"""The record of alert rules in words."""

from __future__ import annotations

import pandas as pd
import pytest

from alerts.verification import FEWEST_EVENTS
from core.languages import Language
from dashboard import record_view

NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"horizon": 3, "auc": 0.7, "cutoff": NAN}, "3"),
        ({"horizon": 0, "auc": 0.7, "cutoff": NAN}, "any, as issued"),
        ({"horizon": 0, "auc": NAN, "cutoff": 0.3}, "any, as issued"),
        ({"horizon": 0, "auc": NAN, "cutoff": NAN}, "looks back"),
    ],
)
def test_a_rule_that_has_neither_chance_nor_cut_off_looks_back(row: dict[str, float], said: str) -> None:
    assert record_view.months_words(dict(row)) == said


@pytest.mark.parametrize(
    ("count", "is_few"), [(FEWEST_EVENTS - 1, True), (FEWEST_EVENTS, False), (0, True), (NAN, False)]
)
def test_so_few_cases_say_little(count: float, is_few: bool) -> None:  # noqa: FBT001  # a case
    assert record_view.few(count) is is_few


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"recall": 0.4, "recall_lo": 0.3, "recall_hi": 0.5}, "40% (30%–50%)"),
        ({"recall": 0.4, "recall_lo": NAN, "recall_hi": 0.5}, "40%"),
        ({"recall": 0.4, "recall_lo": 0.3}, "40%"),
        ({"recall": NAN, "recall_lo": 0.3, "recall_hi": 0.5}, "–"),
        ({}, "–"),
    ],
)
def test_a_measure_has_its_interval_where_both_ends_are_known(row: dict[str, float], said: str) -> None:
    assert record_view._between(dict(row), "recall", Language().share) == said


@pytest.mark.parametrize(("value", "said"), [(2.0, "2"), (2.5, "2.5"), (0.0, "0")])
def test_whole_months_have_no_decimal(value: float, said: str) -> None:
    assert record_view.months(value) == said


SPANS = {"horizon": 1, "judged_from": "2023-01", "judged_to": "2024-12", "trained_from": "", "trained_to": ""}
COST = "A false alarm is taken to cost 0.25 of a missed event."
COUNTED = "Alerts are counted at the origins January 2023 to December 2024."
LEARNED = "Cut-offs were learned before, at January 2018 to December 2022, and then frozen."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, f"{COST} {COUNTED}"),
        ({"trained_from": "2018-01", "trained_to": "2022-12"}, f"{COST} {LEARNED} {COUNTED}"),
        ({"horizon": 0}, ""),
    ],
)
def test_the_spans_of_learning_and_counting_are_told_of_rules_that_look_ahead(
    changes: dict[str, object], said: str
) -> None:
    costs = pd.DataFrame({"cost_loss_ratio": [0.25]})
    assert record_view.spans_words(pd.DataFrame([SPANS | changes]), costs) == said
    assert record_view.spans_words(pd.DataFrame([SPANS | changes]), costs.iloc[:0]) == ""


def test_the_first_alert_before_a_rise_is_the_one_given_longest_before_it() -> None:
    alerted = pd.DataFrame({"horizon": [1, 5, 3], "origin": ["2024-05", "2024-01", "2024-03"]})
    assert record_view._first(alerted) == "January 2024"
    assert record_view._first(alerted.iloc[:0]) == "none"


@pytest.mark.parametrize(
    ("came", "said"),
    [([0.0, 1.0], "far above the mean"), ([0.0, NAN], "not far above the mean"), ([NAN], "–")],
)
def test_a_rise_came_where_any_of_its_months_was_far_above_the_mean(came: list[float], said: str) -> None:
    assert record_view._occurred(pd.DataFrame({"came": came})) == said


def measured(rule: str, level: str, horizon: int, precision: float, **more: object) -> dict[str, object]:
    row = {"rule": rule, "level": level, "horizon": horizon, "precision": precision, "n_events": 40.0, "n_alerts": 40.0}
    names = "recall", "false_alarms_per_route_year", "lead_months_median", "brier_skill", "auc", "base_rate", "cutoff"
    empty = dict.fromkeys((*names, "n_repeats", "n_no_onset"), NAN)
    return {**empty, **row, **more}


def test_a_rule_is_compared_with_others_at_its_mildest_level_and_so_far_ahead_alone() -> None:
    cases = [
        ("surge", "watch", 3, 0.5),
        ("surge", "severe", 3, 0.9),
        ("surge", "watch", 6, 0.8),
        ("fall", "watch", 3, 0.7),
    ]
    record = pd.DataFrame([measured(*case) for case in cases])
    others = pd.DataFrame(
        [
            measured("persistence", level, horizon, precision, against=rule)
            for rule, level, horizon, precision in [*((*case[:3], case[3] - 0.3) for case in cases)]
        ]
    )
    shown = record_view.comparison_table(record, others, "surge", 3)
    assert shown["Foretold an onset"].tolist() == ["50%", "20%"]
    assert shown["Source"].iloc[0] == "Vigie"


def test_repeats_and_alerts_about_no_onset_count_among_all_raised() -> None:
    row = measured("surge", "watch", 0, 13 / 23, n_alerts=33.0, n_repeats=4.0, n_no_onset=6.0)
    shown = record_view._measured([row])
    assert (shown["Foretold an onset"], shown["Of all raised"]) == (["57%"], ["39%"])


def test_the_chance_before_a_rise_has_the_mark_of_its_level_and_a_dash_where_none_was_said() -> None:
    said = pd.DataFrame({"chance": [0.2, NAN, 0.61], "level": ["", "", "watch"]}, index=[6, 3, 1])
    assert [record_view._chance(said, step) for step in (6, 3, 2, 1)] == ["20%", "–", "–", "61% ●"]


def test_too_few_cases_are_said_to_say_little_beside_the_share() -> None:
    row = {"recall": 0.4, "recall_lo": 0.3, "recall_hi": 0.5}
    assert record_view._share(dict(row), "recall", FEWEST_EVENTS) == "40% (30%–50%)"
    assert record_view._share(dict(row), "recall", FEWEST_EVENTS - 1) == "40% (30%–50%), too few to say"
    assert record_view._share({"recall": NAN}, "recall", 1) == "–"


def test_figures_of_a_rise_are_named() -> None:
    assert record_view._basis("arrivals") == "arrivals"
    assert record_view._basis("detections") == "Frontex detections, chances only"
    assert record_view._basis("") == "no figures"
    assert record_view._first(pd.DataFrame({"horizon": []})) == "none"

"""The record of alert rules in words."""

from __future__ import annotations

import pandas as pd
import pytest

from alerts.verification import FEWEST_EVENTS
from core.languages import Language
from reports import rules

NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"horizon": 3, "auc": NAN, "cutoff": NAN}, "Far above the past year"),
        ({"horizon": 0, "auc": 0.7, "cutoff": NAN}, "Far above the past year"),
        ({"horizon": 0, "auc": NAN, "cutoff": 0.3}, "Far above the past year"),
        ({"horizon": 0, "auc": NAN, "cutoff": NAN}, "Far above the past year (looks back)"),
    ],
)
def test_rule_that_has_neither_chance_nor_cut_off_looks_back(row: dict[str, float], said: str) -> None:
    assert rules.rule_words({"rule": "surge", **row}, Language()) == said


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
def test_training_and_test_spans_are_named(changes: dict[str, object], said: str) -> None:
    costs = pd.DataFrame({"cost_loss_ratio": [0.25]})
    assert rules.spans_words(pd.DataFrame([SPANS | changes]), costs, Language()) == said
    assert rules.spans_words(pd.DataFrame([SPANS | changes]), costs.iloc[:0], Language()) == ""


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
def test_measure_has_interval_if_known(row: dict[str, float], said: str) -> None:
    assert rules._between(dict(row), "recall", Language().share) == said


def test_repeats_count_against_rule_among_all_raised() -> None:
    measures = ["recall", "n_events", "base_rate", "false_alarms_per_route_year", "lead_months_median", "auc", "cutoff"]
    found = {"rule": "surge", "level": "watch", "horizon": 1, **dict.fromkeys(measures, NAN)}
    alerts = {"precision": 0.5, "n_alerts": 20.0, "n_repeats": 4.0, "n_no_onset": 6.0}
    table = rules.record_table(pd.DataFrame([found | alerts, found | alerts | {"precision": NAN}]), Language())
    assert table["Came true"].tolist() == ["5 of 10 · 50%", "–"]
    assert table["Of all raised"].tolist() == ["5 of 20", "–"]


@pytest.mark.parametrize(
    ("count", "is_few"), [(FEWEST_EVENTS - 1, True), (FEWEST_EVENTS, False), (0, True), (NAN, False)]
)
def test_few_cases_are_marked(count: float, is_few: bool) -> None:  # noqa: FBT001  # a case
    assert rules.few(count) is is_few


@pytest.mark.parametrize(
    ("name", "found", "said"),
    [
        ("recall", {"recall_lo": 0.3, "recall_hi": 0.5, "n_events": 50.0}, "30%–50%"),
        ("recall", {"recall_lo": 0.3, "recall_hi": NAN, "n_events": 50.0}, ""),
        ("recall", {"recall_lo": 0.3, "recall_hi": 0.5, "n_events": 1.0}, "30%–50%, too few to say"),
        ("recall", {"n_events": 1.0}, "too few to say"),
        ("base_rate", {"n_events": 1.0}, ""),
        ("precision", {"precision_lo": 0.3, "precision_hi": 0.5, "n_alerts": 100.0, "n_events": 1.0}, "30%–50%"),
    ],
)
def test_share_has_interval_and_few_cases_note(name: str, found: dict[str, float], said: str) -> None:
    assert rules._interval(name, dict(found), Language().share, Language()) == said


def test_shares_of_record_name_their_cases() -> None:
    found = {"rule": "surge", "level": "watch", "route_id": "_T", "horizon": 0, "precision": 0.6, "recall": 0.25}
    record = pd.DataFrame([{**found, "n_alerts": 20.0, "n_events": 12}])
    alert = {"rule": "surge", "alert_level": "watch", "route_id": "CMR", "horizon": 2}
    values = rules.record_rows(alert, record, Language())["value"]
    assert values.to_list() == ["12 of 20 · 60%", "3 of 12 · 25%"]

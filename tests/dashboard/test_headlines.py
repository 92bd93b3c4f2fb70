"""Sentences that state a finding."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from alerts.reasons import sentence
from alerts.rules import TEMPLATES
from alerts.verification.record import record_of
from core.routes import ROUTES
from dashboard import evaluation_view, headlines, numbers
from dashboard.route_view import skill_span, spaced
from forecasting.verification.verdict import BETTER, NO_EVIDENCE, WORSE

from .conftest import alert, make_track_record

AS_OF = dt.date(2025, 1, 31)
SAMPLE: dict[str, float | str] = {
    "chance": 0.82, "threshold": 10_000.0, "month": "2025-04", "factor": 1.5, "value": 1234.0, "lower": 345.0,
    "upper": 12_345.0, "period": "2024-11", "age": 62, "expected": 45, "before": 9977.0, "after": 5289.0,
    "citizen": "SYR", "share": 0.41, "share_before": 0.12,
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(TEMPLATES))
def test_an_alert_says_on_screen_what_the_release_says(key: str) -> None:
    params = {name: value for name, value in SAMPLE.items() if "{" + name + "}" in TEMPLATES[key] or name == "chance"}
    row = {"reason": "?", "reason_key": key, "reason_params": json.dumps(params)}
    assert headlines.reason(row) == sentence(key, params)


def test_an_alert_without_a_template_keeps_its_own_sentence() -> None:
    assert headlines.reason({"reason": "Plain words."}) == "Plain words."


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2025-02", "2025-04", "1 to 3 months ahead"),
        ("2025-03", "2025-03", "2 months ahead"),
        ("2025-01", "2025-02", "1 month ahead"),
        ("2024-11", "2024-12", ""),
    ],
)
def test_lead_time_is_counted_from_the_last_complete_month(first: str, last: str, words: str) -> None:
    row = alert("watch", "EMR", first_period=first, last_period=last)
    assert headlines.when_words(dict(row), AS_OF) == words


def test_the_record_of_the_alert_as_issued_on_its_own_route_is_preferred() -> None:
    record = make_track_record()
    issued = record[(record["route_id"] == "EMR") & (record["rule"] == "surge")].assign(horizon=0, precision=0.6)
    row = dict(alert("severe", "EMR"))
    assert "right 6 times in 10" in headlines.record_words(row, pd.concat([record, issued]))
    assert "right 5 times in 10" in headlines.record_words(row, record)


def test_a_record_that_is_not_known_falls_back_to_all_routes() -> None:
    record = make_track_record()
    record.loc[record["route_id"] == "EMR", "precision"] = np.nan
    found = record_of(dict(alert("severe", "EMR")), record)
    assert found is not None
    assert found["route_id"] == "_T"


def test_an_alert_that_moved_up_names_its_former_level() -> None:
    before = pd.DataFrame([alert("warning", "EMR")])
    assert headlines.change_words(dict(alert("severe", "EMR", change="up")), before) == "up from Warning"


def test_the_overview_names_at_most_two_routes_and_counts_the_quiet_ones() -> None:
    summary = pd.DataFrame({"level": ["severe", "", "", ""], "state": "ok"})
    one = pd.DataFrame([alert("severe", "EMR", change="up")])
    assert headlines.overview(one, one.iloc[:0], summary) == (
        "Eastern Mediterranean moves up to Severe; 3 other routes are quiet"
    )
    many = pd.DataFrame([alert("watch", route_id) for route_id in ROUTES])
    assert headlines.overview(many, many.iloc[:0], summary).count(";") == 1


def test_no_alert_is_said_as_plainly_as_an_alert() -> None:
    none = pd.DataFrame([alert("watch", "EMR")]).iloc[:0]
    summary = pd.DataFrame({"level": [""], "state": "ok"})
    assert headlines.overview(none, none, summary) == "No alert is open on any route"


def test_a_route_without_a_forecast_is_not_called_quiet() -> None:
    summary = pd.DataFrame({"level": ["severe", "", ""], "state": ["ok", "too_old", "ok"]})
    one = pd.DataFrame([alert("severe", "EMR", change="up")])
    assert headlines.overview(one, one.iloc[:0], summary) == (
        "Eastern Mediterranean moves up to Severe; no forecast for 1 route"
    )


@pytest.mark.parametrize(
    ("better", "span"),
    [
        ({1: True, 2: True, 3: False, 4: True}, (1, 2)),
        ({1: False, 2: True, 3: True, 6: True}, (2, 6)),
        ({1: True, 3: True}, (1, 3)),
        ({1: False}, (1, 0)),
        ({}, None),
    ],
)
def test_skill_is_the_longest_stretch_without_a_gap(better: dict[int, bool], span: tuple[int, int] | None) -> None:
    assert skill_span(better) == span


def test_a_route_with_few_past_events_borrows_the_record_of_all_routes() -> None:
    record = make_track_record()
    record.loc[record["route_id"] == "EMR", "n_events"] = 2
    assert headlines.record_words(alert("severe", "EMR"), record).endswith("right 5 times in 10, all routes")


@pytest.mark.parametrize(("share", "text"), [(1.0, "100%"), (0.0, "0%"), (0.614, "61%"), (float("nan"), "–")])
def test_a_share_of_past_cases_may_be_all_or_none(share: float, text: str) -> None:
    assert numbers.share(share) == text


@pytest.mark.parametrize(
    ("months", "count", "horizons"), [(12, 4, [3, 6, 9, 12]), (3, 4, [1, 2, 3]), (6, 3, [2, 4, 6])]
)
def test_chances_are_shown_at_even_distances_up_to_the_last_month(months: int, count: int, horizons: list[int]) -> None:
    chances = pd.DataFrame({"horizon": range(1, months + 1)})
    assert spaced(chances, count)["horizon"].tolist() == horizons


@pytest.mark.parametrize(
    ("model_id", "ratio", "verdict", "words"),
    [
        ("vigie-ets", 0.9, BETTER, "better"),
        ("vigie-ets", 0.9, NO_EVIDENCE, "no evidence"),
        ("vigie-ets", 1.2, WORSE, "worse"),
        ("vigie-ets", np.nan, NO_EVIDENCE, "not scored"),
        ("vigie-baseline", 1.0, NO_EVIDENCE, "the baseline"),
    ],
)
def test_the_evaluation_page_words_the_verdict(model_id: str, ratio: float, verdict: str, words: str) -> None:
    assert evaluation_view.verdict_words(model_id, ratio, verdict) == words

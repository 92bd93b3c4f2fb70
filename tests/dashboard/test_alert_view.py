"""What a page says of one alert."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from access import Actor
from alerts.lifecycle import (
    ANNOUNCED,
    ANSWERED,
    COMMENTED,
    DISMISSED,
    DISSENTED,
    ENDED,
    NOT_SENT,
    RAISED,
    SENT,
    SIGNED_OFF,
    UPDATED,
    WITHDRAWN,
    State,
)
from core import QUANTILE_LEVELS
from core.languages import Language
from core.schema import Entry, make_series_id
from core.settings import FEED
from dashboard import record_view
from dashboard.alert_view import _action, _interval, reasons
from dashboard.inbox import _outcome_words
from dashboard.reads import Night
from decisions.actions import Outcome, Step
from forecasting import BASELINE, ENSEMBLE
from reports import Row

SERIES = make_series_id("arrivals", "CMR", "_T", "_T", "M")


class OneMonthAhead:
    """A release with January 2025, as four models see it."""

    def frame(self, name: str) -> pd.DataFrame:
        if name == "observations":
            rows = [(SERIES, "2023-01", 900.0, ""), (SERIES, "2024-01", 300.0, ""), (SERIES, "2024-12", 500.0, "")]
            return pd.DataFrame(rows, columns=["series_id", "time_period", "obs_value", "obs_flag"])
        middles = {ENSEMBLE: 100.0, "vigie-ets": 460.0, "vigie-structural": 600.0, BASELINE: 5_000.0}
        return pd.concat(
            pd.DataFrame(
                {
                    "model_id": model_id, "series_id": SERIES, "output_type": "quantile", "horizon": 1,
                    "target_end_date": pd.Timestamp("2025-01-31"), "output_type_id": QUANTILE_LEVELS,
                    "value": middle + np.arange(-220.0, 221.0, 20.0),
                }
            )
            for model_id, middle in middles.items()
        )  # fmt: skip


def agreement(rule: str) -> tuple[int, int]:
    """Lowest and highest chance, in per cent, that the members of the ensemble give to what an alert warns of."""
    row = {"series_id": SERIES, "route_id": "CMR", "rule": rule, "threshold": 500.0, "likely_period": "2025-01"}
    said = reasons(cast(Night, OneMonthAhead()), cast(Row, row))
    assert "In 1 of 2 earlier years this month was above 500." in said
    (told,) = [sentence for sentence in said if "models give a chance" in sentence]
    assert told.startswith("In January 2025 alone, 2 models give a chance of ")
    low, high = (int(share.strip(" .%")) for share in told.partition("chance of ")[2].split("to"))
    return low, high


def test_how_far_models_agree_is_told_of_the_ensembles_members_and_not_of_itself_or_the_yardstick() -> None:
    low, high = agreement("surge")
    assert 0 < low < 50 < high < 100


def test_of_a_fall_models_give_the_chance_to_fall() -> None:
    low, high = agreement("surge")
    assert agreement("fall") == (100 - high, 100 - low)


def test_earlier_years_are_held_against_the_number_that_is_named() -> None:
    row = {"series_id": SERIES, "route_id": "CMR", "rule": "surge", "threshold": 899.5, "likely_period": "2025-01"}
    said = reasons(cast(Night, OneMonthAhead()), cast(Row, row))
    assert "In 0 of 2 earlier years this month was above 900." in said


NAN = float("nan")


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
def test_a_share_is_told_with_its_interval_and_that_its_cases_are_few(
    name: str, found: dict[str, float], said: str
) -> None:
    assert _interval(name, dict(found), Language().share) == said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"lead_months_median_lo": 1.0, "lead_months_median_hi": 3.0}, "1–3"),
        ({"lead_months_q25": 1.0, "lead_months_q75": 2.0}, "half of them 1 to 2"),
        ({"lead_months_q25": 2.0, "lead_months_q75": 2.0}, ""),
        ({"lead_months_q25": NAN, "lead_months_q75": 2.0}, ""),
        ({"lead_months_q25": 1.0, "lead_months_q75": NAN}, ""),
    ],
)
def test_of_the_notice_the_quartiles_stand_beside_its_interval_where_they_differ(
    found: dict[str, float], said: str
) -> None:
    assert _interval("lead_months_median", dict(found), record_view.months) == said
    both = {"lead_months_median_lo": 1.0, "lead_months_median_hi": 3.0, "lead_months_q25": 1.0, "lead_months_q75": 2.0}
    told = _interval("lead_months_median", dict(both), record_view.months)
    assert told.startswith("1–3")
    assert "half of them 1 to 2" in told


@pytest.mark.parametrize(
    ("action", "payload", "said"),
    [
        (ANNOUNCED, {"kind": RAISED}, "Released to readers: new alert"),
        (SENT, {"kind": ENDED, "subscription": "desk"}, "Sent to desk: end of the alert"),
        (SENT, {"kind": UPDATED, "subscription": FEED}, "Sent to machines: renewed alert"),
        (NOT_SENT, {"kind": WITHDRAWN, "subscription": "desk"}, "Not sent to desk: no answer"),
        (ANNOUNCED, {"kind": "something new"}, "Released to readers: something new"),
    ],
)
def test_what_left_is_told_with_its_kind_and_reader(action: str, payload: dict[str, str], said: str) -> None:
    assert _action(Entry("delivery", action, "surge", reason="no answer", payload=payload), void=False) == said


def test_a_step_of_a_person_is_told_with_its_words_its_number_where_it_can_be_answered_and_without_effect() -> None:
    signed = Entry("Ada", SIGNED_OFF, "surge", reason="beds are ready", id=7)
    assert _action(signed, void=False) == "Signed off: “beds are ready”"
    assert _action(signed, void=True) == "Signed off: “beds are ready” (without effect: the alert stood otherwise)"
    assert _action(replace(signed, action=DISSENTED), void=False) == "Dissent 7: “beds are ready”"
    assert _action(replace(signed, action=COMMENTED), void=False) == "Comment: “beds are ready”"
    answered = replace(signed, action=ANSWERED, payload={"answers": 5})
    assert _action(answered, void=False) == "Answer to note 5: “beds are ready”"


@pytest.mark.parametrize(
    ("action", "outcome", "said"),
    [
        (SIGNED_OFF, {"missing": 1}, " 1 more person must sign it off."),
        (SIGNED_OFF, {"why_not": "a replay"}, " Nothing is sent: this release replays a past night."),
        (SIGNED_OFF, {"held_until": dt.datetime(2025, 2, 3, 9, tzinfo=dt.UTC)},
         " Notifications are held until 3 February 2025: recipients were recently told about this."),
        (SIGNED_OFF, {"announced": "raised"}, " Notifications are being sent."),
        (DISMISSED, {}, ""),
        (COMMENTED, {"missing": 1}, ""),
    ],
)  # fmt: skip
def test_what_came_of_a_step_is_said_with_whether_anything_leaves(
    action: str, outcome: dict[str, Any], said: str
) -> None:
    missing = outcome.pop("missing", 0)
    state = cast(State, SimpleNamespace(sign_offs_missing=missing))
    came = _outcome_words(Step(Actor("Ada"), action, "seen"), Outcome(state, **outcome))
    assert came == "Recorded in the journal." + said

"""What the inbox says of a step that somebody took."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import pytest

from access import Actor
from alerts.lifecycle import (
    COMMENTED,
    DISMISSED,
    SIGNED_OFF,
    State,
)
from dashboard.inbox import _outcome_words
from decisions.actions import Outcome, Step


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
def test_what_came_of_step_is_said_with_whether_anything_leaves(
    action: str, outcome: dict[str, Any], said: str
) -> None:
    missing = outcome.pop("missing", 0)
    state = cast(State, SimpleNamespace(sign_offs_missing=missing))
    came = _outcome_words(Step(Actor("Ada"), action, "seen"), Outcome(state, **outcome))
    assert came == "Recorded in the journal." + said

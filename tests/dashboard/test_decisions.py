"""Which cards stand on the Overview and in which order, and what its title says, without the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from access import Actor
from alerts.lifecycle import ACKNOWLEDGED, COMMENTED, DISMISSED, PROPOSED, SIGNED_OFF, State
from dashboard import decisions, reads
from dashboard.decisions import AlertStatus, Found, _outcome_words
from dashboard.reads import Night
from decisions.actions import Outcome, Step
from reports.overview import Card

SUMMARY = pd.DataFrame({"route_id": ["CMR"], "level": [""], "state": ["ok"]})
COLUMNS = ["alert_id", "route_id", "alert_level", "rule"]


class Release:
    """A release with some alerts, and some that have ended."""

    run_id = "20250131T000000Z-abcdef"
    replay = False

    def __init__(self, *alerts: tuple[str, str, str], ended: int = 0) -> None:
        rows = [(name, route, level, "surge") for name, route, level in alerts]
        self.alerts = pd.DataFrame(rows, columns=COLUMNS).assign(probability=0.5)
        self.ended = pd.DataFrame({"alert_id": [str(number) for number in range(ended)]})

    def frame(self, name: str) -> pd.DataFrame:
        return self.ended if name == "ended_alerts" else self.alerts


def night(*alerts: tuple[str, str, str], ended: int = 0) -> Night:
    return cast(Night, Release(*alerts, ended=ended))


def statuses(**states: str) -> dict[str, AlertStatus]:
    return {name: AlertStatus([], State(status)) for name, status in states.items()}


@pytest.fixture(autouse=True)
def newest(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Nothing is kept from call to call, and the release is the newest unless a test says otherwise."""

    def be(is_newest: bool) -> None:  # noqa: FBT001  # what it sets
        monkeypatch.setattr(reads, "is_newest", lambda _night: is_newest)

    monkeypatch.setattr(reads, "once", lambda _night, make, *_what: make())
    be(True)
    return be


@pytest.fixture
def one_card_a_route(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Cards stand on each route's first alert; what is asked of them is kept."""
    asked: list[tuple[object, ...]] = []

    def made(night: Night, _former: object, _summary: object, _language: object, *more: object) -> list[Card]:
        asked.append(more)
        rows = night.frame("alerts").drop_duplicates("route_id").to_dict("records")
        cards = [Card(row["alert_level"], "", row["route_id"], "", alert_id=row["alert_id"]) for row in rows]
        return [
            *(Card(one.level, "", one.title, "", route_id=one.title, alert_id=one.alert_id) for one in cards),
            Card("", "", "quiet", ""),
        ]

    monkeypatch.setattr(decisions, "cards", made)
    return asked


def test_line_on_alerts_counts_open_ones_and_names_closed_ones(newest: Callable[[bool], None]) -> None:
    cards = [Found(Card(level, "", name, "")) for level, name in (("ended", "A"), ("ended", "B"), ("dismissed", "C"))]
    made, closed = night(("a", "CMR", "watch")), "Ended since the last release\\: A; B. Dismissed\\: C. **["
    newest(True)
    assert decisions.alerts_words(made, cards, 0).startswith(f"**No alert is open.** {closed}Ended alerts\u00a0→](")
    assert decisions.alerts_words(made, cards, 2).startswith(f"**2 alerts are open.** {closed}All alerts\u00a0→](")
    newest(False)
    assert decisions.alerts_words(made, [], 1).startswith("**1 alert was open.** **[All alerts\u00a0→](")


def test_waiting_alerts_stand_first(newest: Callable[[bool], None], one_card_a_route: list[tuple[object, ...]]) -> None:
    made = night(("a", "CMR", "severe"), ("b", "EMR", "watch"), ("c", "EMR", "watch"), ("d", "CMR", "watch"))
    stands = statuses(a=SIGNED_OFF, b=PROPOSED, c=PROPOSED, d=DISMISSED)
    found = decisions.found_on(made, None, SUMMARY, stands)
    assert [one.card.title for one in found] == ["EMR", "CMR", "quiet"]
    assert [(one.waits, one.more, one.waiting) for one in found] == [(True, 1, 2), (False, 0, 0), (False, 0, 0)]
    assert one_card_a_route[-1] == (("d",), ())
    newest(False)
    assert [one.card.title for one in decisions.found_on(made, None, SUMMARY, stands)] == ["CMR", "EMR", "quiet"]


def test_decided_alert_stands_behind_waiting_one(
    newest: Callable[[bool], None], one_card_a_route: list[tuple[object, ...]]
) -> None:
    made = night(("a", "CMR", "severe"), ("b", "CMR", "watch"), ("c", "EMR", "watch"))
    stands = statuses(a=ACKNOWLEDGED, b=PROPOSED, c=SIGNED_OFF)
    decisions.found_on(made, None, SUMMARY, stands)
    newest(False)
    decisions.found_on(made, None, SUMMARY, stands)
    assert one_card_a_route == [((), ("a",)), ((), ())]


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

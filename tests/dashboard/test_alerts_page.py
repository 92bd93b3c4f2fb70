"""What the alerts page says of its alerts and which parts it shows, without the page; and the steps of its inbox."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from access import Actor
from alerts.lifecycle import (
    ACKNOWLEDGED,
    ANSWERED,
    CORRECTION,
    DISMISSED,
    DISSENTED,
    ENDED,
    PROPOSED,
    SIGNED_OFF,
    State,
)
from core.errors import InputError, StoreError
from core.schema import ALL, Entry
from dashboard import inbox, reads, visitor
from dashboard.alert_view import DECIDED, INFORMS, OVER, WAITS, chosen_alerts, grouped
from dashboard.reads import Night
from decisions.actions import Outcome, Step
from reports import Row

from .shown import functions_of

page = functions_of("alerts")
NIGHT = cast(Night, SimpleNamespace(previous="", run_id="", as_of=dt.date(2025, 1, 31), frame=lambda _name: None))


OBJECTIONS = (
    Entry("Ada", DISSENTED, "a", reason="not *so*", id=7, at=dt.datetime(2025, 2, 3, tzinfo=dt.UTC)),
    Entry("Bo", CORRECTION, "a", reason="it was 12", id=9, at=dt.datetime(2025, 2, 4, tzinfo=dt.UTC)),
)


@pytest.mark.parametrize(
    ("rule", "ended", "status", "group"),
    [
        ("surge", False, PROPOSED, WAITS), ("surge", False, SIGNED_OFF, DECIDED),
        ("surge", False, ACKNOWLEDGED, DECIDED), ("surge", False, DISMISSED, DISMISSED),
        ("surge", True, PROPOSED, OVER), ("surge", True, DISMISSED, OVER),
        ("stale_source", False, PROPOSED, INFORMS), ("stale_source", True, PROPOSED, OVER),
    ],
)  # fmt: skip
def test_an_alert_stands_in_the_group_that_says_what_it_asks_of_the_reader(
    rule: str, status: str, group: str, *, ended: bool
) -> None:
    alerts = pd.DataFrame([{"alert_id": "a", "rule": rule, "ended": ended}])
    assert grouped(alerts, {"a": status})["group"].tolist() == [group]


def test_filters_leave_alerts_of_the_chosen_level_route_and_group_and_those_that_wait_stand_first() -> None:
    rows = [
        ("a", "CMR", "watch", DISMISSED), ("b", "CMR", "severe", PROPOSED), ("c", "EMR", "severe", SIGNED_OFF),
        ("d", "EMR", "watch", PROPOSED),
    ]  # fmt: skip
    alerts = pd.DataFrame(rows, columns=["alert_id", "route_id", "alert_level", "status"]).assign(
        rule="surge", ended=False
    )
    made = grouped(alerts, dict(zip(alerts["alert_id"], alerts["status"], strict=True)))
    every = ["watch", "warning", "severe"]

    def left(show: str, levels: list[str], route: str = ALL) -> list[str]:
        return list(chosen_alerts(made, show, levels, route)["alert_id"])

    assert left("all", every) == ["b", "d", "c", "a"]
    assert left("waiting", every) == ["b", "d"]
    assert left("open", every) == ["b", "d", "c"]
    assert left("ended", every) == ["a"]
    assert left("context", every) == []
    assert left("all", ["severe"]) == ["b", "c"]
    assert left("all", every, "EMR") == ["d", "c"]
    assert left("waiting", ["watch"], "EMR") == ["d"]


# --- The inbox


class Seen:
    """In place of Streamlit: what is shown, with buttons that are pressed if a test says so."""

    def __init__(self, *pressed: str) -> None:
        self.pressed, self.session_state = pressed, dict[str, Any]()
        self.buttons: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.reruns = 0

    def _shows(self, text: str, *_more: object, **_how: object) -> None:
        self.said.append(text)

    markdown = warning = error = toast = _shows

    def _opens(self, *_what: object, **_how: object) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    container = form = expander = _opens

    def _field(self, label: str, *_more: object, **_how: object) -> str:
        return {"Reason": "beds are ready", "Answer": "it is so", "Your words": "hm", "Your name": "Ada"}[label]

    text_area = text_input = _field

    def _button(self, label: str, **how: Any) -> bool:  # noqa: ANN401  # as Streamlit's
        self.buttons.append((label, how.get("type", "secondary")))
        if label in self.pressed and (does := how.get("on_click")):
            does()
        return label in self.pressed

    button = form_submit_button = toggle = _button

    def segmented_control(self, _label: str, options: list[str], *, default: str, **_how: object) -> str:
        return next((one for one in options if one in self.pressed), default)

    def rerun(self) -> None:
        self.reruns += 1


Desk = Callable[..., Seen]
ALERT: Row = {"alert_id": "surge-CMR"}


@pytest.fixture
def steps() -> list[Any]:
    """Steps that were taken."""
    return []


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, steps: list[Any]) -> Desk:
    """Put a stub in Streamlit's place; a reader without a login may do all that ``allowed`` names, or anything."""

    def at(*pressed: str, allowed: set[str] | None = None) -> Seen:
        seen = Seen(*pressed)
        monkeypatch.setattr(inbox, "st", seen)
        monkeypatch.setattr(visitor, "allows", lambda action: allowed is None or action in allowed)
        monkeypatch.setattr(visitor, "reader", lambda: SimpleNamespace(name=""))
        monkeypatch.setattr(visitor, "actor", lambda name: SimpleNamespace(name=name))
        monkeypatch.setattr(inbox, "_take", lambda _night, row, step: steps.append((row["alert_id"], step)))
        return seen

    return at


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        (PROPOSED, [("Dismiss", "tertiary"), ("Sign off and send", "primary")]),
        (SIGNED_OFF, [("Dismiss", "tertiary"), ("Acknowledge", "primary")]),
        (ACKNOWLEDGED, [("Dismiss", "tertiary")]),
        (DISMISSED, []),
        (ENDED, []),
    ],
)
def test_an_alert_offers_the_steps_that_come_next_and_the_last_of_them_stands_out(
    desk: Desk, status: str, buttons: list[tuple[str, str]]
) -> None:
    seen = desk()
    inbox.show_actions(ALERT, State(status))
    assert seen.buttons == buttons


def begun(seen: Seen) -> None:
    inbox.show_actions(ALERT, State(PROPOSED, version=4))
    assert seen.session_state


def test_a_step_that_was_begun_asks_why_and_is_taken_on_what_the_reader_saw(desk: Desk, steps: list[Any]) -> None:
    seen = desk("Sign off and send", "Confirm")
    begun(seen)
    inbox.show_form(NIGHT, ALERT, is_newest=True)
    ((alert_id, step),) = steps
    assert (alert_id, step.action, step.reason, step.actor.name) == ("surge-CMR", SIGNED_OFF, "beds are ready", "Ada")
    assert step.seen == 4
    assert seen.reruns == 0


def test_each_open_objection_is_told_with_who_and_when_and_can_be_answered_on_the_newest_release(
    desk: Desk, steps: list[Any]
) -> None:
    state = State(PROPOSED, objections=OBJECTIONS)
    seen = desk("Answer this note (9)", "File the answer")
    inbox.show_objections(NIGHT, ALERT, state, is_newest=True)
    assert [said.partition("**:")[0].strip("*:") for said in seen.said if "by" in said] == [
        "Dissent by Ada, 3 February 2025", "Correction by Bo, 4 February 2025",
    ]  # fmt: skip
    ((alert_id, step),) = steps
    assert (alert_id, step.action, step.reason, step.payload) == ("surge-CMR", ANSWERED, "it is so", {"answers": 9})


def test_where_the_journal_cannot_be_read_alerts_stand_as_the_release_proposes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> object:
        raise StoreError("locked")

    monkeypatch.setattr(reads, "journal", refuse)
    found = inbox.statuses({"a": "severe", "b": ""}, "run")
    assert {name: (one.rows, one.state.status) for name, one in found.items()} == {
        "a": ([], PROPOSED),
        "b": ([], ""),  # nothing is known of one that has ended
    }


def test_a_step_that_is_refused_says_why_and_stays_open_and_one_that_is_done_is_told_on_the_page_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> Outcome:
        raise InputError("somebody was quicker")

    seen = Seen()
    seen.session_state[inbox._DOING] = ("surge-CMR", DISMISSED, 4)
    monkeypatch.setattr(inbox, "st", seen)
    monkeypatch.setattr(inbox, "_act", refuse)
    step = Step(Actor(" Ada "), DISMISSED, "no beds are needed")
    inbox._take(NIGHT, ALERT, step)
    (said,) = seen.said
    assert said.startswith("Not recorded")
    assert "somebody was quicker" in said
    assert (list(seen.session_state), seen.reruns) == ([inbox._DOING], 0)
    monkeypatch.setattr(inbox, "_act", lambda *_: Outcome(State(DISMISSED)))
    inbox._take(NIGHT, ALERT, step)
    assert seen.session_state == {inbox.ACTING_AS: "Ada", inbox._SAID: "Recorded in the journal."}
    assert seen.reruns == 1


@pytest.mark.parametrize(("announced", "sends"), [("raised", 1), ("", 0)])
def test_sending_begins_where_a_step_announces_something(
    monkeypatch: pytest.MonkeyPatch, announced: str, sends: int
) -> None:
    started: list[object] = []
    desk = SimpleNamespace(home="a home", settings="settings")
    monkeypatch.setattr(reads, "workflow", lambda: desk)
    monkeypatch.setattr(inbox, "ReleaseStore", lambda _home: SimpleNamespace(get=lambda run_id: f"release {run_id}"))
    monkeypatch.setattr(inbox, "act", lambda *_: Outcome(State(SIGNED_OFF), announced=announced))
    monkeypatch.setattr(inbox, "start_sending", lambda *where: started.append(where))
    outcome = inbox._act(NIGHT, "surge-CMR", Step(Actor("Ada"), SIGNED_OFF, "beds are ready"))
    assert outcome.announced == announced
    assert started == [("a home", "settings")] * sends

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
from dashboard.alert_view import DECIDED, INFORMS, OVER, WAITS, chosen_alerts, grouped, month_of
from dashboard.inbox import AlertStatus
from dashboard.reads import Night
from decisions.actions import Outcome, Step
from reports import Row

from .shown import functions_of

page = functions_of("alerts")
NIGHT = cast(Night, SimpleNamespace(previous="", run_id="", as_of=dt.date(2025, 1, 31), frame=lambda _name: None))


def in_groups(*groups: str) -> pd.DataFrame:
    return pd.DataFrame({"group": groups}, dtype=object)


@pytest.mark.parametrize(
    ("groups", "is_newest", "said"),
    [
        ([WAITS], True, "1 alert waits for sign-off"),
        ([WAITS, WAITS, DECIDED, OVER], True, "2 alerts wait for sign-off"),
        ([WAITS, WAITS], False, "2 alerts were still waiting for sign-off"),
        ([DECIDED, INFORMS], True, "1 open alert, decided on"),
        ([DECIDED, DECIDED], False, "2 open alerts, all decided on"),
        ([INFORMS, OVER, DISMISSED], True, "No alert is open"),
        ([], True, "No alert is open"),
    ],
)
def test_the_title_counts_what_waits_else_what_is_open(groups: list[str], said: str, *, is_newest: bool) -> None:
    assert page.title(in_groups(*groups), is_newest=is_newest) == said


@pytest.mark.parametrize(
    ("group", "said"),
    [(DISMISSED, ":gray-badge[Dismissed]"), (INFORMS, ":blue-badge[Information]"), (OVER, "Ended"), (WAITS, "Severe")],
)
def test_a_badge_tells_the_level_only_where_the_alert_stands_and_asks_for_something(group: str, said: str) -> None:
    assert said.casefold() in page.badge({"group": group, "alert_level": "severe"}).casefold()
    assert ("severe" in page.badge({"group": group, "alert_level": "severe"}).casefold()) == (group == WAITS)


OBJECTIONS = (
    Entry("Ada", DISSENTED, "a", reason="not *so*", id=7, at=dt.datetime(2025, 2, 3, tzinfo=dt.UTC)),
    Entry("Bo", CORRECTION, "a", reason="it was 12", id=9, at=dt.datetime(2025, 2, 4, tzinfo=dt.UTC)),
)


@pytest.mark.parametrize(
    ("group", "objections", "said"),
    [
        (WAITS, 0, "82% to pass 500 · waits for sign-off · new"),
        (WAITS, 1, "82% to pass 500 · waits for sign-off · new · 1 open objection"),
        (DECIDED, 2, "82% to pass 500 · waits for sign-off · new · 2 open objections"),
        (OVER, 0, "was Warning"),
        (OVER, 2, "was Warning · 2 open objections"),
        (DISMISSED, 0, ""),
        (INFORMS, 0, ""),
    ],
)
def test_the_line_of_an_alert_tells_its_chance_and_state_while_it_stands_and_what_it_was_when_it_is_over(
    group: str, objections: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = page.list_caption.__globals__
    monkeypatch.setitem(names, "report_of", lambda _night, _row: SimpleNamespace(chance_of="82% to pass 500"))
    monkeypatch.setitem(names, "level_label", str.capitalize)
    status = AlertStatus([], State(PROPOSED, objections=OBJECTIONS[:objections]))
    row = {"group": group, "alert_level": "warning", "change": "new"}
    assert page.list_caption(NIGHT, row, status) == said


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


@pytest.mark.parametrize(
    ("likely", "first", "end"),
    [("2025-03", "2025-02", "2025-03-31"), ("", "2025-02", "2025-02-28"), ("", "2025", None), ("", "", None)],
)
def test_an_alerts_month_is_its_likely_one_else_the_first_of_its_window(
    likely: str, first: str, end: str | None
) -> None:
    found = month_of({"likely_period": likely, "first_period": first})
    assert found == (None if end is None else pd.Timestamp(end))


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


def test_a_step_that_the_readers_role_may_not_take_is_not_offered(desk: Desk) -> None:
    seen = desk(allowed={DISMISSED})
    inbox.show_actions(ALERT, State(PROPOSED))
    assert [label for label, _kind in seen.buttons] == ["Dismiss"]


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


@pytest.mark.parametrize(("row", "is_newest"), [({"alert_id": "other"}, True), (ALERT, False)])
def test_the_form_of_a_step_stands_with_its_own_alert_of_the_newest_release_alone(
    desk: Desk, steps: list[Any], row: Row, *, is_newest: bool
) -> None:
    seen = desk("Sign off and send", "Confirm")
    begun(seen)
    inbox.show_form(NIGHT, row, is_newest=is_newest)
    assert (steps, [label for label, _kind in seen.buttons if label == "Confirm"]) == ([], [])


def test_a_step_that_is_cancelled_is_forgotten(desk: Desk, steps: list[Any]) -> None:
    seen = desk("Sign off and send", "Cancel")
    begun(seen)
    inbox.show_form(NIGHT, ALERT, is_newest=True)
    assert (steps, seen.session_state, seen.reruns) == ([], {}, 1)


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


@pytest.mark.parametrize(("allowed", "is_newest"), [(set(), True), (None, False)])
def test_an_objection_cannot_be_answered_without_the_right_or_on_an_older_release(
    desk: Desk, allowed: set[str] | None, *, is_newest: bool
) -> None:
    seen = desk(allowed=allowed)
    inbox.show_objections(NIGHT, ALERT, State(PROPOSED, objections=OBJECTIONS), is_newest=is_newest)
    assert seen.buttons == []
    assert len(seen.said) == 2


def test_a_note_is_filed_as_what_its_reader_chose_and_only_on_the_newest_release(desk: Desk, steps: list[Any]) -> None:
    desk(DISSENTED, "File the note")
    inbox.show_notes(NIGHT, ALERT, is_newest=True)
    assert [(step.action, step.reason) for _alert, step in steps] == [(DISSENTED, "hm")]
    seen = desk(DISSENTED, "File the note")
    inbox.show_notes(NIGHT, ALERT, is_newest=False)
    assert (len(steps), seen.said) == (1, [":small[:gray[Steps and notes are taken on the newest release.]]"])


def test_the_name_is_asked_once_and_then_shown_and_a_login_gives_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = desk()
    assert inbox._ask_name("x") == "Ada"
    assert seen.said == []
    seen.session_state[inbox.ACTING_AS] = "Bo"
    assert inbox._ask_name("x") == "Bo"
    assert "Acting as Bo." in seen.said[-1]
    monkeypatch.setattr(visitor, "reader", lambda: SimpleNamespace(name="cy@example.org"))
    assert inbox._ask_name("x") == "cy@example.org"
    assert "as you signed in" in seen.said[-1]


def test_what_the_last_step_did_is_said_once(desk: Desk) -> None:
    seen = desk()
    inbox.show_toast()
    assert seen.said == []
    seen.session_state[inbox._SAID] = "Recorded."
    inbox.show_toast()
    inbox.show_toast()
    assert seen.said == ["Recorded."]


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


@pytest.mark.parametrize(("name", "reason"), [("", "beds are ready"), ("  ", "beds are ready"), ("Ada", " \n")])
def test_a_step_without_a_name_or_a_reason_is_not_even_tried(
    monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    seen, tried = Seen(), list[object]()
    monkeypatch.setattr(inbox, "st", seen)
    monkeypatch.setattr(inbox, "_act", lambda *_: tried.append(1))
    inbox._take(NIGHT, ALERT, Step(Actor(name), DISMISSED, reason))
    assert (tried, seen.reruns) == ([], 0)
    assert seen.said == ["Give your name and a reason: both are kept with the decision."]


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

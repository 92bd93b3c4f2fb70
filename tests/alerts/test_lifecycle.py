"""The life of an alert is folded from its journal rows; what is not allowed is refused in words."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import LEVELS
from alerts.lifecycle import (
    ACKNOWLEDGED,
    ANNOUNCED,
    ANSWERED,
    CORRECTION,
    DISMISSED,
    DISSENTED,
    EASED,
    ENDED,
    PROPOSED,
    SENT,
    SIGNED_OFF,
    STATES,
    STEPS_OF_A_NIGHT,
    STEPS_OF_PEOPLE,
    WORSENED,
    State,
    StepError,
    cooldown_until,
    fold,
    night_step,
    same_person,
    step,
)
from core.schema import Entry

NOON = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)


def row(number: int, action: str, actor: str = "Ada", reason: str = "seen", **payload: object) -> Entry:
    return Entry(actor, action, "surge.EMR.2025-01-31", reason=reason, payload=payload, id=number, at=NOON)


def proposed(level: str = "warning") -> Entry:
    return row(1, PROPOSED, "nightly", "", level=level)


def refusal(state: State, entry: Entry) -> str:
    """Why a step is not allowed; empty where it is."""
    try:
        step(state, entry)
    except StepError as error:
        return str(error)
    return ""


def test_alert_without_rows_is_proposed_at_level_of_its_release() -> None:
    state = fold([], "watch")
    assert (state.status, state.level, state.sign_offs_missing, state.version) == (PROPOSED, "watch", 1, 0)


def test_severe_alert_needs_two_different_people() -> None:
    once = fold([proposed("severe"), row(2, SIGNED_OFF, "Ada Lovelace")])
    assert (once.status, once.sign_offs_missing) == (PROPOSED, 1)
    assert "two different people" in refusal(once, row(3, SIGNED_OFF, "  ada  LOVELACE "))
    assert step(once, row(3, SIGNED_OFF, "Ben")).status == SIGNED_OFF


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Ada", "ada ", True), ("Zoe\u0301", "Zo\u00e9", True), ("Ada", "Ben", False), ("A da", "Ada", False)],
)
def test_spelling_does_not_make_another_person(one: str, other: str, *, same: bool) -> None:
    assert same_person(one, other) is same


@pytest.mark.parametrize("decision", [SIGNED_OFF, ACKNOWLEDGED, DISMISSED])
def test_worsening_reopens_decision(decision: str) -> None:
    rows = [proposed("watch")]
    rows += [row(2, SIGNED_OFF)] if decision == ACKNOWLEDGED else []
    rows += [row(3, decision), row(4, WORSENED, "nightly", "", level="severe")]
    state = fold(rows)
    assert (state.status, state.level, state.reopened) == (PROPOSED, "severe", True)
    assert (state.sign_offs, state.sign_offs_missing) == ((), 2)


def test_easing_leaves_decision_as_it_is_but_not_half_one() -> None:
    eased = row(9, EASED, "nightly", "", level="warning")
    decided = fold([proposed("severe"), row(2, SIGNED_OFF), row(3, SIGNED_OFF, "Ben"), eased])
    assert (decided.status, decided.level) == (SIGNED_OFF, "warning")
    half = fold([proposed("severe"), row(2, SIGNED_OFF), eased])
    assert (half.status, half.sign_offs, half.sign_offs_missing) == (PROPOSED, (), 1)


@pytest.mark.parametrize(
    ("before", "tried", "why"),
    [
        ([proposed()], row(2, ACKNOWLEDGED), "only a signed-off alert can be acknowledged; this one is proposed"),
        ([proposed(), row(2, SIGNED_OFF)], row(3, SIGNED_OFF, "Ben"), "only a proposed alert can be signed off"),
        ([proposed(), row(2, DISMISSED)], row(3, SIGNED_OFF), "this one is dismissed"),
        ([proposed(), row(2, ENDED, "nightly")], row(3, DISMISSED), "only an open alert can be dismissed"),
        ([proposed()], row(2, SIGNED_OFF, " "), "give your name"),
        ([proposed()], row(2, SIGNED_OFF, "Nightly"), "program’s own name"),
        ([proposed()], row(2, DISMISSED, reason=" "), "give a reason"),
        ([proposed()], row(2, DISSENTED, reason=""), "give a reason"),
        ([proposed()], row(2, PROPOSED, "nightly", level="watch"), "it is proposed already"),
        ([proposed()], row(2, WORSENED, "nightly", level="watch"), "watch is not graver than warning"),
        ([proposed()], row(2, EASED, "nightly", level="severe"), "severe is not milder than warning"),
        ([], row(1, ENDED, "nightly"), "the alert is not recorded"),
        ([proposed()], row(2, ANSWERED, answers=7), "no unanswered dissent or correction with the number 7"),
        ([], row(1, PROPOSED, "nightly", level="alarm"), "'alarm' is not a level"),
    ],
)
def test_step_that_is_not_allowed_is_refused_with_its_reason(before: list[Entry], tried: Entry, why: str) -> None:
    with pytest.raises(StepError, match=why):
        step(fold(before), tried)


def test_dissent_stays_open_until_answered() -> None:
    rows = [proposed(), row(2, DISSENTED, "Cleo"), row(3, ENDED, "nightly"), row(4, CORRECTION, "Dan")]
    assert [one.id for one in fold(rows).objections] == [2, 4]
    rows.append(row(5, ANSWERED, "Ada", "counted twice", answers=2))
    assert [one.id for one in fold(rows).objections] == [4]


def test_recipients_count_until_end_is_sent() -> None:
    raised = row(3, ANNOUNCED, "delivery", kind="raised")
    assert fold([proposed(), row(2, SIGNED_OFF), raised]).was_raised
    assert not fold([proposed(), row(2, SIGNED_OFF), raised, row(5, ANNOUNCED, "delivery", kind="ended")]).was_raised


@pytest.mark.parametrize(
    ("rows", "level", "days"),
    [
        ([], "warning", 7),
        ([row(1, SENT, kind="raised")], "severe", 7),
        ([row(1, SENT, kind="raised")], "warning", 0),
        ([row(1, SENT, kind="ended")], "warning", 7),
        ([row(1, ANNOUNCED, kind="raised")], "warning", 7),
    ],
    ids=["nothing was sent", "a severe case bypasses it", "no silence is set", "an end was sent", "it never left"],
)
def test_nothing_is_held_back(rows: list[Entry], level: str, days: float) -> None:
    assert cooldown_until(rows, level, days) is None


@pytest.mark.parametrize(
    ("rows", "level", "found"),
    [
        ([], "watch", PROPOSED), ([proposed()], "warning", ""), ([proposed()], "severe", WORSENED),
        ([proposed()], "watch", EASED), ([proposed()], "", ENDED), ([proposed(), row(2, DISMISSED)], "", ENDED),
        ([proposed(), row(2, ENDED, "nightly")], "", ""), ([proposed(), row(2, ENDED, "nightly")], "watch", PROPOSED),
    ],
)  # fmt: skip
def test_night_records_what_changed_and_nothing_else(rows: list[Entry], level: str, found: str) -> None:
    assert night_step(fold(rows), level) == found


ACTIONS = st.sampled_from([*STEPS_OF_A_NIGHT, *STEPS_OF_PEOPLE, ANNOUNCED])
ROWS = st.lists(st.tuples(ACTIONS, st.sampled_from(["Ada", "Ben"]), st.sampled_from(LEVELS)), max_size=25)


@given(ROWS)
def test_no_severe_alert_leaves_with_one_signature(steps: list[tuple[str, str, str]]) -> None:
    state = fold([])
    for number, (action, actor, level) in enumerate(steps, 1):
        entry = row(number, action, actor, level=level, answers=1)
        before, state = state, state if refusal(state, entry) else step(state, entry)
        assert state.status in {"", *STATES}
        if before.status == PROPOSED and state.status == SIGNED_OFF and state.level == "severe":
            assert set(state.sign_offs) == {"Ada", "Ben"}
        assert state.version >= before.version


@pytest.mark.parametrize(
    ("level", "needed"), [("", 1), ("watch", 1), ("warning", 1), ("severe", 2), ("of another version", 1)]
)
def test_severe_alert_needs_two_sign_offs(level: str, needed: int) -> None:
    signers = ["Ada", "Ben", "Eve"]
    state = State(PROPOSED, level)
    for signed, name in enumerate(signers[:needed]):
        assert (state.status, state.sign_offs_missing) == (PROPOSED, needed - signed)
        state = step(state, row(signed + 2, SIGNED_OFF, name))
    assert (state.status, state.sign_offs_missing) == (SIGNED_OFF, 0)
    assert State(PROPOSED, level, sign_offs=("Ada", "Ben", "Eve")).sign_offs_missing == 0

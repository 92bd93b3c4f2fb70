"""A night proposes, worsens, eases and ends alerts in the journal, each once."""

from __future__ import annotations

from typing import Any

from access import Actor
from alerts.lifecycle import ANNOUNCED, EASED, ENDED, JUDGED, PROPOSED, SIGNED_OFF, UNJUDGED, WORSENED
from decisions import Workflow
from decisions.actions import Step, act, record_night, state_of
from store.journal import FAILED, GIVEN_UP
from store.releases import Release

from .conftest import ALERT, SEVERE, OpenDesk, Publish


def actions(desk: Workflow, release: Release) -> list[tuple[str, str]]:
    return [(row.subject, row.action) for row in record_night(desk, release)]


def sign(desk: Workflow, release: Release) -> None:
    act(desk, release, ALERT, Step(Actor("Ada"), SIGNED_OFF, "beds are ready"))


def test_first_night_proposes_and_repeat_adds_nothing(desk: OpenDesk, publish: Publish) -> None:
    opened, release = desk(), publish()
    assert actions(opened, release) == [(ALERT, PROPOSED), (SEVERE, PROPOSED)]
    assert actions(opened, release) == []


def test_night_records_what_worsened_eased_and_ended(desk: OpenDesk, publish: Publish) -> None:
    opened = desk()
    record_night(opened, publish())
    assert actions(opened, publish({ALERT: "severe", SEVERE: "watch"})) == [(ALERT, WORSENED), (SEVERE, EASED)]
    assert actions(opened, publish({SEVERE: "watch"}, ended=(ALERT,))) == [(ALERT, ENDED)]
    assert state_of(opened, ALERT).status == ENDED


def test_worsening_opens_signed_alert_again(desk: OpenDesk, publish: Publish) -> None:
    opened, release = desk(), publish()
    record_night(opened, release)
    sign(opened, release)
    record_night(opened, publish({ALERT: "severe"}))
    state = state_of(opened, ALERT)
    assert (state.status, state.reopened, state.sign_offs_missing) == (PROPOSED, True, 2)


def test_end_reaches_recipients_of_alert(desk: OpenDesk, publish: Publish, mail_settings: dict[str, Any]) -> None:
    release = publish()
    sign(desk(**mail_settings), release)
    mail_settings["subscriptions"] = []
    opened = desk(**mail_settings)
    record_night(opened, publish({SEVERE: "severe"}, ended=(ALERT,)))
    ends = [(letter.channel, letter.recipient) for letter in opened.outbox.messages() if letter.kind == ENDED]
    assert sorted(ends) == [("mail", "duty@example.org"), ("published", "")]
    (_raised, ended) = opened.journal.entries(action=ANNOUNCED)
    assert ended.payload["facts"]["alert_id"] == ALERT
    assert "signed_by" not in ended.payload["facts"]


def test_who_never_got_alert_hears_nothing_of_its_end(
    desk: OpenDesk, publish: Publish, mail_settings: dict[str, Any]
) -> None:
    opened, release = desk(**mail_settings), publish()
    sign(opened, release)
    for letter in opened.outbox.waiting():
        outcome = GIVEN_UP if letter.channel == "mail" else FAILED
        row = opened.journal.entries(subject=ALERT)[-1]
        if outcome == GIVEN_UP:
            opened.outbox.finish(letter, row.at, GIVEN_UP, row, "unknown reader")
    record_night(opened, publish({}, ended=(ALERT,)))
    assert [letter.channel for letter in opened.outbox.messages() if letter.kind == ENDED] == ["published"]


def test_unjudgeable_alert_stays_as_it_was(desk: OpenDesk, publish: Publish, mail_settings: dict[str, Any]) -> None:
    opened = desk(**mail_settings)
    sign(opened, publish({ALERT: "warning"}))
    blind = publish({ALERT: "warning"}, unjudged="2025-01-31")
    assert actions(opened, blind) == [(ALERT, UNJUDGED), (ALERT, ANNOUNCED)]
    assert actions(opened, blind) == []
    state = state_of(opened, ALERT)
    assert (state.status, state.unjudged_since, state.was_raised) == (SIGNED_OFF, "2025-01-31", True)
    assert actions(opened, publish({ALERT: "warning"})) == [(ALERT, JUDGED), (ALERT, ANNOUNCED)]
    assert state_of(opened, ALERT).unjudged_since == ""
    record_night(opened, publish({}, ended=(ALERT,)))
    kinds = [row.payload["kind"] for row in opened.journal.entries(action=ANNOUNCED)]
    assert kinds == ["raised", UNJUDGED, JUDGED, ENDED]


def test_exercise_stays_exercise_after_real_night(
    desk: OpenDesk, publish: Publish, mail_settings: dict[str, Any]
) -> None:
    opened = desk(**mail_settings, replays=True)
    sign(opened, publish({ALERT: "warning"}, replay=True))
    record_night(opened, publish({ALERT: "warning"}, unjudged="2025-01-31"))
    record_night(opened, publish({}, ended=(ALERT,)))
    assert [row.payload["facts"]["replay"] for row in opened.journal.entries(action=ANNOUNCED)] == [True] * 3

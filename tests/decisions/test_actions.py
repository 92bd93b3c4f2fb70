"""Decisions: checked, kept and posted in one transaction, also when two people act at once."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest

from access import Actor, NotAllowedError, may
from alerts.lifecycle import ANNOUNCED, COMMENTED, DISMISSED, PROPOSED, SENT, SIGNED_OFF, StepError
from core.schema import Entry
from core.settings import Settings
from decisions import Workflow, open_workflow
from decisions.actions import (
    SCENARIO_STEPS,
    Step,
    act,
    delete_scenario,
    find_alert,
    save_scenario,
    scenarios_saved,
    state_of,
)
from decisions.announcements import deduplication_key
from store.journal import DROPPED
from store.releases import Release

from .conftest import ALERT, ENDED, SEVERE, OpenDesk, Publish

Delivery = dict[str, Any]


def sign(desk: Workflow, release: Release, name: str = "Ada", alert_id: str = ALERT, seen: int | None = None) -> str:
    return act(desk, release, alert_id, Step(Actor(name), SIGNED_OFF, "beds are ready", seen)).announced


def test_sign_off_posts_one_letter_per_reader(desk: OpenDesk, publish: Publish, mail_settings: Delivery) -> None:
    mail_settings["subscriptions"][0]["to"] = ["a@example.org", "b@example.org"]
    opened = desk(**mail_settings)
    assert sign(opened, publish()) == "raised"
    assert sorted((letter.channel, letter.recipient) for letter in opened.outbox.waiting()) == [
        ("mail", "a@example.org"), ("mail", "b@example.org"), ("published", ""),
    ]  # fmt: skip
    assert [row.action for row in opened.journal.entries(subject=ALERT)] == [PROPOSED, SIGNED_OFF, ANNOUNCED]


def test_sign_off_alone_says_why_a_replay_sends_nothing(desk: OpenDesk, publish: Publish) -> None:
    opened, release = desk(), publish(replay=True)
    noted, signed = (
        act(opened, release, ALERT, Step(Actor("Ada"), action, "seen")) for action in (COMMENTED, SIGNED_OFF)
    )
    assert (noted.why_not, signed.announced) == ("", "")
    assert "replays a past night" in signed.why_not


def test_ended_alert_is_found_and_does_not_stand(desk: OpenDesk, publish: Publish) -> None:
    release = publish(ended=(ENDED,))
    assert find_alert(release, ALERT)[1] is True
    row, stands = find_alert(release, ENDED)
    assert (row["alert_id"], stands) == (ENDED, False)
    with pytest.raises(StepError, match="only a proposed alert can be signed off"):
        sign(desk(), release, alert_id=ENDED)


@pytest.mark.parametrize("action", [SIGNED_OFF, DISMISSED])
@pytest.mark.parametrize("rule", ["origin_context", "stale_source"])
def test_what_merely_informs_cannot_be_decided_and_takes_notes(
    desk: OpenDesk, publish: Publish, rule: str, action: str
) -> None:
    informs = f"{rule}.EMR.2025-01-31"
    opened, release = desk(), publish({informs: "information"})
    with pytest.raises(StepError, match="merely informs"):
        act(opened, release, informs, Step(Actor("Ada"), action, "beds are ready"))
    assert opened.journal.entries(subject=informs) == []
    act(opened, release, informs, Step(Actor("Ada"), COMMENTED, "noted"))
    assert [entry.action for entry in opened.journal.entries(subject=informs)] == [COMMENTED]


@pytest.mark.parametrize(
    ("subscription", "letters"),
    [
        ({"routes": ["CMR"]}, 0),
        ({"levels": ["severe"]}, 0),
        ({"events": ["ended"]}, 0),
        ({"routes": ["EMR"], "levels": ["warning"], "events": ["raised"]}, 1),
    ],
)
def test_subscription_gets_its_routes_levels_and_events_alone(
    desk: OpenDesk, publish: Publish, mail_settings: Delivery, subscription: dict[str, Any], letters: int
) -> None:
    mail_settings["subscriptions"][0].update(subscription)
    opened = desk(**mail_settings)
    sign(opened, publish())
    assert sum(letter.channel == "mail" for letter in opened.outbox.waiting()) == letters


def test_two_who_sign_at_once_do_not_both_succeed(tmp_path: Path, publish: Publish, desk: OpenDesk) -> None:
    release, results = publish(), []
    state_of(desk(), ALERT)
    barrier = threading.Barrier(6)

    def try_it(name: str) -> None:
        with open_workflow(tmp_path, Settings.model_validate({})) as opened:
            barrier.wait()
            try:
                results.append(sign(opened, release, name))
            except StepError as error:
                results.append(str(error))

    threads = [threading.Thread(target=try_it, args=(f"Person {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("raised") == 1
    assert sum("only a proposed alert can be signed off" in result for result in results) == 5
    assert len(desk().outbox.messages()) == 1


def test_who_saw_another_state_is_refused(desk: OpenDesk, publish: Publish) -> None:
    opened, release = desk(), publish()
    sign(opened, release, "Ada", SEVERE)
    with pytest.raises(StepError, match="it has changed since you opened it: it is proposed now, level severe"):
        sign(opened, release, "Ben", SEVERE, seen=0)
    version = state_of(opened, SEVERE).version
    assert sign(opened, release, "Ben", SEVERE, seen=version) == "raised"


def test_dismissal_after_sending_goes_to_who_got_alert(
    desk: OpenDesk, publish: Publish, mail_settings: Delivery
) -> None:
    opened, release = desk(**mail_settings), publish()
    sign(opened, release)
    outcome = act(opened, release, ALERT, Step(Actor("Ben"), DISMISSED, "counted twice"))
    assert outcome.announced == "withdrawn"
    notified = {letter.recipient for letter in opened.outbox.waiting() if letter.kind == "withdrawn"}
    assert notified == {"duty@example.org", ""}


def notify(desk: Workflow, at: dt.datetime) -> None:
    """Record an earlier message to the readers."""
    row = {"rule": "surge", "route_id": "EMR", "source_id": ""}
    entry = Entry(
        "delivery", SENT, "surge.EMR.2024-06-30", payload={"kind": "raised", "matter": deduplication_key(row)}
    )
    assert desk.journal.record(entry).at >= at


@pytest.mark.parametrize("days", [3, 1e-9])
def test_message_within_silence_waits_until_it_ends(desk: OpenDesk, publish: Publish, days: float) -> None:
    opened, now = desk(silence_days=days), dt.datetime.now(dt.UTC)
    notify(opened, now)
    outcome = act(opened, publish(), ALERT, Step(Actor("Ada"), SIGNED_OFF, "again"))
    (letter,) = opened.outbox.waiting()
    assert outcome.held_until == (letter.not_before if days > 1 else None)
    assert dt.timedelta(days=days - 0.1) < letter.not_before - now < dt.timedelta(days=days + 0.1)


def test_overtaken_message_is_dropped(desk: OpenDesk, publish: Publish) -> None:
    opened = desk(silence_days=3)
    notify(opened, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))
    release = publish()
    sign(opened, release)
    act(opened, release, ALERT, Step(Actor("Ben"), DISMISSED, "over"))
    assert [letter.outcome for letter in opened.outbox.messages()] == [DROPPED]
    assert opened.outbox.waiting() == []


@pytest.mark.parametrize(("name", "action"), [(" ", SIGNED_OFF), ("Ada", PROPOSED), ("Ada", ANNOUNCED), ("Ada", "x")])
def test_who_may_not_do_it_is_refused_on_server(desk: OpenDesk, publish: Publish, name: str, action: str) -> None:
    opened = desk()
    assert not may(Actor(name), action)
    with pytest.raises(NotAllowedError):
        act(opened, publish(), ALERT, Step(Actor(name), action, "why"))
    assert opened.journal.entries() == []


def titles(opened: Workflow) -> list[str]:
    return [row.reason for row in scenarios_saved(opened.journal.entries(action=SCENARIO_STEPS)).values()]


def test_deleted_scenario_stays_in_journal(desk: OpenDesk) -> None:
    opened = desk()
    for scenario_id, title in (("a", "Storm"), ("b", "Calm")):
        save_scenario(opened, Actor("Ada"), scenario_id, "r1", title, {"route": "CMR"})
    delete_scenario(opened, Actor("Ben"), "a", "r2")
    assert titles(opened) == ["Calm"]
    rows = [(row.actor, row.action, row.reason, row.run_id) for row in opened.journal.entries(subject="a")]
    assert rows == [("Ada", "scenario saved", "Storm", "r1"), ("Ben", "scenario deleted", "Storm", "r2")]
    assert opened.journal.walk({}) == ""
    save_scenario(opened, Actor("Ada"), "a", "r3", "Storm again", {"route": "CMR"})
    assert titles(opened) == ["Storm again", "Calm"]


def test_scenario_is_deleted_once_and_only_where_it_was_saved(desk: OpenDesk) -> None:
    opened = desk()
    save_scenario(opened, Actor("Ada"), "a", "r", "Storm", {"route": "CMR"})
    delete_scenario(opened, Actor("Ada"), "a", "r")
    for scenario_id in ("a", "never"):
        with pytest.raises(StepError, match="not saved, or no longer"):
            delete_scenario(opened, Actor("Ben"), scenario_id, "r")

"""What people and nights decide about alerts: checked, kept in the journal, and posted, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import access
from access import Actor, NotAllowedError
from alerts import lifecycle
from alerts.lifecycle import State, StepError, fold
from core.calendar import is_ahead
from core.errors import InputError
from core.languages import marked as _
from core.schema import Entry
from decisions import Workflow, announcements
from decisions.announcements import Reader, messages_of
from reports.alert import informs
from reports.messages import Message, compose
from reports.messages.announcement import Announcement
from reports.scenario import places_subject
from store import night_lock
from store.figures.editions import Action, Edition, EditionStore
from store.journal import DROPPED, OutboxMessage
from store.mirror import shared
from store.releases import Release

SCENARIO_STEPS = (access.SAVE_SCENARIO, access.DELETE_SCENARIO)
"""What becomes of a scenario: rows of these actions say which are saved."""
DECISIONS = (lifecycle.SIGNED_OFF, lifecycle.ACKNOWLEDGED, lifecycle.DISMISSED)
"""Steps by which people decide about an alert; the others are notes, which any alert takes."""


@dataclass(frozen=True)
class Step:
    """What a person wants to do.

    Attributes:
        actor: The person.
        action: One of ``alerts.lifecycle.STEPS_OF_PEOPLE``.
        reason: Why.
        seen: Version of the state that the person decided on; None where it is not known.
        payload: Further facts, such as ``answers``.
    """

    actor: Actor
    action: str
    reason: str
    seen: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        state: Where the alert stands now.
        announced: Kind of the announcement that was made, or empty.
        held_until: End of the cooldown by which it is held back; None where it goes at once.
        why_not: Why nothing was announced although the alert was signed off; empty otherwise.
    """

    state: State
    announced: str = ""
    held_until: dt.datetime | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Preview:
    """What a sign-off of an alert would send.

    Attributes:
        message: The message in one language, as it would be written now.
        readers: Subscription, channel, address and language of each reader.
        quiet: Why nothing would be sent; empty where it would.
        held_until: End of the cooldown by which it would be held back; None where it would go at once.
    """

    message: Message
    readers: tuple[Reader, ...]
    quiet: str = ""
    held_until: dt.datetime | None = None


def preview(workflow: Workflow, release: Release, alert_id: str, language: str) -> Preview:
    """What the last sign-off of an alert would send, and to whom; nothing is recorded or sent.

    Raises:
        InputError: The release has no such alert.
        StoreError: The release or the journal cannot be read.
    """
    row, _stands = find_alert(release, alert_id)
    facts, level = announcements.facts_of(release, row), str(row["alert_level"])
    state = state_of(workflow, alert_id, level)
    kind, now = lifecycle.UPDATED if state.was_raised else lifecycle.RAISED, dt.datetime.now(dt.UTC)
    signed = {**facts, "signed_by": list(state.sign_offs)}
    announcement = Announcement("", kind, alert_id, release.run_id, now, signed)
    return Preview(
        compose(announcement, language, workflow.settings.dashboard_url),
        tuple(announcements.readers_for(announcement, workflow.settings.delivery)),
        release_is_quiet(workflow, release),
        _cooldown(workflow, facts, level),
    )


def state_of(workflow: Workflow, alert_id: str, level: str = "") -> State:
    """Where an alert stands that has a level in the release that is looked at.

    Raises:
        StoreError: The journal cannot be read.
    """
    return fold(workflow.journal.entries(subject=alert_id), level)


def find_alert(release: Release, alert_id: str) -> tuple[dict[Any, Any], bool]:
    """An alert of a release, and whether it still stands there.

    Raises:
        InputError: The release has no such alert; the text names those it has.
    """
    for name, stands in (("alerts", True), ("ended_alerts", False)):
        frame = release.read(name)
        if len(rows := frame[frame["alert_id"] == alert_id]):
            return dict(rows.iloc[0]), stands
    names = ", ".join(release.read("alerts")["alert_id"]) or "none"
    raise InputError(f"release {release.run_id} has no alert '{alert_id}'; open ones: {names}")


def act(workflow: Workflow, release: Release, alert_id: str, wanted: Step) -> Outcome:
    """Do one step to an alert of the current release.

    Raises:
        NotAllowedError: The person may not do it.
        StepError: The alert's state does not allow it, it has changed since the person saw it, or it merely informs.
        InputError: The release has no such alert, or a text cannot be stored.
        StoreError: The journal refuses.
    """
    authorize(workflow, wanted.actor, wanted.action, alert_id)
    row, stands = find_alert(release, alert_id)
    level = str(row["alert_level"]) if stands and not informs(row) else ""
    facts = announcements.facts_of(release, row)
    quiet = release_is_quiet(workflow, release)
    cooldown = _cooldown(workflow, facts, level)

    def decide(entries: list[Entry]) -> Sequence[Entry]:
        shown = fold(entries, level)
        if wanted.seen is not None and shown.version != wanted.seen:
            text = _("it has changed since you opened it: it is {status} now, level {level}")
            raise StepError(text, status=shown.status, level=shown.level)
        if wanted.action in DECISIONS and informs(row):
            raise StepError(_("it merely informs: there is nothing to decide, and notes are taken"))
        entry = wanted.actor.entry(wanted.action, alert_id, release.run_id, wanted.reason, wanted.payload)
        state, added = fold(entries), list(_missed_proposal(entries, row, release)) if level else []
        for one in added:
            state = lifecycle.step(state, one)
        after = lifecycle.step(state, entry)
        added.append(entry)
        if kind := "" if quiet else _kind(state, after):
            withdrawn, signed = {"why": wanted.reason.strip()}, {"signed_by": list(after.sign_offs)}
            about = facts | (withdrawn if kind == lifecycle.WITHDRAWN else signed)
            added.append(announcements.announcing(alert_id, release.run_id, kind, about))
        return added

    stored = workflow.outbox.decide(alert_id, decide, partial(messages_of, workflow, cooldown=cooldown))
    announced = next((str(one.payload["kind"]) for one in stored if one.action == lifecycle.ANNOUNCED), "")
    state = state_of(workflow, alert_id, level)
    held = cooldown if announced in {lifecycle.RAISED, lifecycle.UPDATED} else None
    signed = wanted.action == lifecycle.SIGNED_OFF and state.status == lifecycle.SIGNED_OFF
    return Outcome(state, announced, held, quiet if signed else "")


def record_night(workflow: Workflow, release: Release) -> list[Entry]:
    """Bring the journal up to a release; done twice, it adds nothing the second time.

    A replayed night leaves alerts of real nights as they are.

    Returns:
        The rows that were added.

    Raises:
        StoreError: The journal refuses.
    """
    replay = bool(release.manifest["replay"])
    rows = release.read("alerts").to_dict("records")
    raised = {str(row["alert_id"]): row for row in rows if not informs(row)}
    proposed = _open_proposals(workflow)
    added: list[Entry] = []
    for alert_id, row in raised.items():
        if not replay or proposed.get(alert_id, True):
            added += _bring_up(workflow, release, alert_id, row)
    for alert_id, was_replay in proposed.items():
        if alert_id not in raised and (was_replay or not replay):
            added += _bring_up(workflow, release, alert_id, None)
    return added


def save_scenario(
    workflow: Workflow, actor: Actor, scenario_id: str, run_id: str, title: str, query: Mapping[str, str]
) -> Entry:
    """Keep a scenario, made on a release, under a title; ``query`` has its assumptions as the address holds them.

    Raises:
        NotAllowedError: The person may not save scenarios.
        InputError: A text cannot be stored.
        StoreError: The journal refuses.
    """
    authorize(workflow, actor, access.SAVE_SCENARIO, scenario_id)
    entry = actor.entry(access.SAVE_SCENARIO, scenario_id, run_id, title, {"query": dict(query)})
    return workflow.journal.record(entry)


def delete_scenario(workflow: Workflow, actor: Actor, scenario_id: str, run_id: str) -> None:
    """Take a scenario off the list of those saved; the journal keeps that it was saved, and that it was deleted.

    Raises:
        NotAllowedError: The person may not delete scenarios.
        StepError: No such scenario is saved, or none any more.
        StoreError: The journal refuses.
    """
    authorize(workflow, actor, access.DELETE_SCENARIO, scenario_id)

    def decide(entries: list[Entry]) -> Sequence[Entry]:
        if scenario_id not in (saved := scenarios_saved(entries)):
            raise StepError(_("this scenario is not saved, or no longer: somebody may have deleted it meanwhile"))
        return [actor.entry(access.DELETE_SCENARIO, scenario_id, run_id, saved[scenario_id].reason)]

    workflow.journal.decide(scenario_id, decide)


def scenarios_saved(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Scenarios that are saved and not deleted, the newest first: each one's newest row, by its identifier.

    Args:
        entries: Rows of the journal, oldest first; those of other actions are passed over.
    """
    newest: dict[str, Entry] = {}
    for entry in reversed(entries):
        if entry.action in SCENARIO_STEPS:
            newest.setdefault(entry.subject, entry)
    return {subject: entry for subject, entry in newest.items() if entry.action == access.SAVE_SCENARIO}


def keep_places(workflow: Workflow, actor: Actor, route_id: str, run_id: str, query: Mapping[str, str]) -> Entry:
    """Keep the reception places there are for a route, in place of those kept before; 0 places end it.

    ``query`` has ``stock, stay, stay_kind, needs_place, confidence``, as the address holds them.

    Raises:
        NotAllowedError: The person may not keep places.
        StoreError: The journal refuses.
    """
    about = places_subject(route_id)
    authorize(workflow, actor, access.KEEP_PLACES, about)
    return workflow.journal.record(actor.entry(access.KEEP_PLACES, about, run_id, payload={"query": dict(query)}))


def decide_edition(
    workflow: Workflow, actor: Actor, action: Action, edition_id: str, reason: str, *, replace_newer: bool = False
) -> Edition:
    """Let a held edition of figures be known (accept), put it aside (reject), or take a known one back (withdraw).

    With ``replace_newer`` an accepted one may replace figures that were stated after it was received.

    Raises:
        NotAllowedError: The person may not decide about editions.
        InputError: It cannot be decided so, or a night is running.
        StoreError: The home or the shared store cannot be written.
    """
    authorize(workflow, actor, access.DECIDE_EDITION, edition_id)
    with night_lock(workflow.home), shared(workflow.home, workflow.settings) as delivery:
        done = EditionStore(workflow.home, workflow.journal).decide(
            action, edition_id, actor.name, reason, actor.with_identity(), replace_newer=replace_newer
        )
        delivery.deliver()
        return done


def drop_message(workflow: Workflow, actor: Actor, message: OutboxMessage, reason: str) -> None:
    """Take a message out of the outbox: it is not sent.

    Raises:
        NotAllowedError: The person may not drop messages.
        StoreError: The journal refuses.
    """
    authorize(workflow, actor, access.DROP_MESSAGE, message.subject)
    payload = {"letter": message.message_id, "subscription": message.subscription}
    entry = actor.entry(access.DROP_MESSAGE, message.subject, reason=reason, payload=payload)
    workflow.outbox.finish(message, dt.datetime.now(dt.UTC), DROPPED, entry, reason.strip())


def release_is_quiet(workflow: Workflow, release: Release) -> str:
    """Why nothing that a release says is sent out; empty where it is."""
    if release.manifest["replay"] and not workflow.settings.delivery.replays:
        return "this release replays a past night, and the setting delivery.replays is off"
    return ""


def proposal(row: Mapping[Any, Any], release: Release, action: str = lifecycle.PROPOSED) -> Entry:
    """The row by which a night proposes an alert, or says what has become of it."""
    payload = {
        "level": str(row["alert_level"]),
        **({"since": row["unjudged_since"]} if action == lifecycle.UNJUDGED else {}),
        "replay": bool(release.manifest["replay"]),
        **{name: str(row[name]) for name in ("rule", "route_id", "source_id")},
    }
    return Entry(lifecycle.NIGHTLY, action, str(row["alert_id"]), release.run_id, str(row["reason"]), payload)


def authorize(workflow: Workflow, actor: Actor, action: str, about: str) -> None:
    """Refuse what a person may not do, and record the refusal of one who has signed in."""
    try:
        access.require(actor, action, login=workflow.settings.access.is_on)
    except NotAllowedError:
        if actor.identity:
            access.note_refusal(workflow.journal, actor, action, about)
        raise


def _missed_proposal(entries: Sequence[Entry], row: Mapping[Any, Any], release: Release) -> Iterator[Entry]:
    """What the release's night should have recorded about an alert and, cut off, did not."""
    state = fold(entries)
    replay = bool(release.manifest["replay"])
    is_real = any(one.action == lifecycle.PROPOSED and not one.payload.get("replay") for one in entries)
    if (action := lifecycle.night_step(state, str(row["alert_level"]))) and not (replay and is_real):
        yield proposal(row, release, action)


def _kind(before: State, after: State) -> str:
    if after.status == lifecycle.SIGNED_OFF and before.status == lifecycle.PROPOSED:
        return lifecycle.UPDATED if before.was_raised else lifecycle.RAISED
    return lifecycle.WITHDRAWN if after.status == lifecycle.DISMISSED and before.was_raised else ""


def _cooldown(workflow: Workflow, facts: Mapping[str, Any], level: str) -> dt.datetime | None:
    now = dt.datetime.now(dt.UTC)
    # What was sent under a clock that was ahead would hold others back for as long as that clock was wrong.
    sent = [
        one
        for one in workflow.journal.entries(action=lifecycle.SENT)
        if one.payload.get(announcements.DEDUPLICATION) == announcements.deduplication_key(facts)
        and not is_ahead(one.at, now)
    ]
    until = lifecycle.cooldown_until(sent, level, workflow.settings.delivery.silence_days)
    return until if until and until > now else None


def _open_proposals(workflow: Workflow) -> dict[str, bool]:
    """Alerts that were proposed and not ended, each with whether a replay proposed it."""
    found: dict[str, bool] = {}
    for row in workflow.journal.entries(action=(lifecycle.PROPOSED, lifecycle.ENDED)):
        if row.action == lifecycle.PROPOSED:
            found[row.subject] = bool(row.payload.get("replay"))
        else:
            found.pop(row.subject, None)
    return found


def _bring_up(workflow: Workflow, release: Release, alert_id: str, row: Mapping[Any, Any] | None) -> list[Entry]:
    def decide(entries: list[Entry]) -> Sequence[Entry]:
        state = fold(entries)
        added: list[Entry] = []
        if row is None and lifecycle.night_step(state, ""):
            why = "judged on fresh figures: no longer found by the night"
            added.append(Entry(lifecycle.NIGHTLY, lifecycle.ENDED, alert_id, release.run_id, why))
            added += _follow_up(workflow, release, alert_id, lifecycle.ENDED, state, entries, {})
        if row is None:
            return added
        while action := lifecycle.night_step(state, str(row["alert_level"]), str(row["unjudged_since"])):
            added.append(proposal(row, release, action))
            state = lifecycle.step(state, added[-1])
            if action in {lifecycle.UNJUDGED, lifecycle.JUDGED}:
                added += _follow_up(workflow, release, alert_id, action, state, entries, row)
        return added

    return workflow.outbox.decide(alert_id, decide, partial(messages_of, workflow))


def _follow_up(  # what a follow-up says comes from the alert's past and from this night
    workflow: Workflow, release: Release, alert_id: str, kind: str, state: State, entries: Sequence[Entry],
    row: Mapping[Any, Any],
) -> Iterator[Entry]:  # fmt: skip
    """Notify the recipients of an alert of its change."""
    if not state.was_raised or release_is_quiet(workflow, release):
        return
    last = [entry for entry in entries if entry.action == lifecycle.ANNOUNCED][-1]
    sent = {name: value for name, value in last.payload["facts"].items() if name != "signed_by"}
    facts = announcements.facts_of(release, row) if kind == lifecycle.JUDGED else sent
    if kind == lifecycle.UNJUDGED:
        nothing: dict[str, Any] = {"probability": None, "fan": {"months": [], "levels": {}}}
        facts = {**sent, **nothing, "unjudged_since": row["unjudged_since"]}
    replay = bool(release.manifest["replay"])
    # What was raised as an exercise stays one in all that follows.
    is_exercise = bool(sent.get("replay")) and not replay
    about = {"as_of": sent["as_of"] if is_exercise else release.as_of.isoformat(), "replay": replay or is_exercise}
    yield announcements.announcing(alert_id, release.run_id, kind, {**facts, **about})

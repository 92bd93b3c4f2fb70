"""What people decide about alerts: checked, kept in the journal, and posted, in one transaction."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from access.audit import note_refusal
from access.roles import Actor, NotAllowedError, require
from alerts.lifecycle import (
    ANNOUNCED,
    DELIVERY,
    DISMISSED,
    NIGHTLY,
    PROPOSED,
    RAISED,
    SENT,
    SIGNED_OFF,
    UPDATED,
    WITHDRAWN,
    State,
    StepError,
    fold,
    night_step,
    silent_until,
    step,
)
from core.calendar import is_ahead
from core.entry import Entry
from core.errors import InputError
from core.languages import marked as _
from desk.letters import letters_for, matter
from desk.open import Desk
from reports.messages.announcement import alert_facts, announcement_of
from store.outbox import Letter
from store.releases import Release


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
        held_until: End of the silence by which it is held back; None where it goes at once.
        why_not: Why nothing was announced although the alert was signed off; empty otherwise.
    """

    state: State
    announced: str = ""
    held_until: dt.datetime | None = None
    why_not: str = ""


def state_of(desk: Desk, alert_id: str, level: str = "") -> State:
    """Where an alert stands.

    Args:
        desk: The desk.
        alert_id: The alert.
        level: Its level in the release that is looked at.

    Raises:
        StoreError: The journal cannot be read.
    """
    return fold(desk.journal.entries(subject=alert_id), level)


def find_alert(release: Release, alert_id: str) -> tuple[dict[Any, Any], bool]:
    """An alert of a release, and whether it still stands there.

    Raises:
        InputError: The release has no such alert; the text names those it has.
    """
    tables = [("alerts", True)] + ([("ended_alerts", False)] if "ended_alerts" in release.names else [])
    for name, stands in tables:
        frame = release.read(name)
        rows = frame[frame["alert_id"] == alert_id]
        if len(rows):
            return dict(rows.iloc[0]), stands
    names = ", ".join(release.read("alerts")["alert_id"]) or "none"
    raise InputError(f"release {release.run_id} has no alert '{alert_id}'; open ones: {names}")


def act(desk: Desk, release: Release, alert_id: str, wanted: Step) -> Outcome:
    """Do one step to an alert of the current release.

    Args:
        desk: The desk.
        release: The current release.
        alert_id: The alert.
        wanted: The step.

    Returns:
        Where the alert stands now, and whether it leaves the house.

    Raises:
        NotAllowedError: The person may not do it.
        StepError: The alert's state does not allow it, or it has changed since the person saw it.
        InputError: The release has no such alert, or a text cannot be stored.
        StoreError: The journal refuses.
    """
    _require(desk, alert_id, wanted)
    row, stands = find_alert(release, alert_id)
    level = str(row["alert_level"]) if stands else ""
    facts = facts_of(release, row)
    quiet = release_is_quiet(desk, release)
    silence = _silence(desk, facts, level)

    def decide(entries: list[Entry]) -> Sequence[Entry]:
        shown = fold(entries, level)
        if wanted.seen is not None and shown.version != wanted.seen:
            text = _("it has changed since you opened it: it is {status} now, level {level}")
            raise StepError(text, status=shown.status, level=shown.level)
        entry = Entry(
            wanted.actor.name.strip(), wanted.action, alert_id, release.run_id, wanted.reason.strip(),
            wanted.actor.marks(wanted.payload),
        )  # fmt: skip
        state, added = fold(entries), list(_made_up_for(entries, row, release)) if stands else []
        for one in added:
            state = step(state, one)
        after = step(state, entry)
        added.append(entry)
        if kind := "" if quiet else _kind(state, after):
            added.append(announcing(alert_id, release.run_id, kind, {**facts, **_about(after, kind, wanted.reason)}))
        return added

    def post(stored: list[Entry], known: list[Letter]) -> list[Letter]:
        return letters_of(desk, stored, known, silence)

    stored = desk.outbox.decide(alert_id, decide, post)
    announced = next((str(one.payload["kind"]) for one in stored if one.action == ANNOUNCED), "")
    state = state_of(desk, alert_id, level)
    held = silence if announced in {RAISED, UPDATED} and silence and silence > stored[-1].at else None
    signed = wanted.action == SIGNED_OFF and state.status == SIGNED_OFF
    return Outcome(state, announced, held, quiet if signed else "")


def _require(desk: Desk, alert_id: str, wanted: Step) -> None:
    try:
        require(wanted.actor, wanted.action, login=desk.settings.access.is_on)
    except NotAllowedError:
        if wanted.actor.identity:
            note_refusal(desk.journal, wanted.actor, wanted.action, alert_id)
        raise


def _made_up_for(entries: Sequence[Entry], row: Mapping[Any, Any], release: Release) -> Iterator[Entry]:
    """What the release's night should have recorded about an alert and, cut off, did not."""
    state = fold(entries)
    replay = bool(release.manifest["replay"])
    is_real = any(one.action == PROPOSED and not one.payload.get("replay") for one in entries)
    if (action := night_step(state, str(row["alert_level"]))) and not (replay and is_real):
        yield proposal(row, release, action)


def release_is_quiet(desk: Desk, release: Release) -> str:
    """Why nothing that a release says leaves the house; empty where it does."""
    if release.manifest["replay"] and not desk.settings.delivery.replays:
        return "this release replays a past night, and the setting delivery.replays is off"
    return ""


def facts_of(release: Release, row: Mapping[Any, Any]) -> dict[str, Any]:
    """What messages need to know about an alert of a release."""
    frames = {name: release.read(name) for name in ("forecasts", "observations", "track_record")}
    about = {
        "as_of": release.as_of.isoformat(),
        "replay": bool(release.manifest["replay"]),
    }
    return {**alert_facts(row, frames), **about, **publisher_of(release, str(row["source_id"]))}


def proposal(row: Mapping[Any, Any], release: Release, action: str = PROPOSED) -> Entry:
    """The row by which a night proposes an alert, or says that it worsened or eased."""
    payload = {
        "level": str(row["alert_level"]),
        "replay": bool(release.manifest["replay"]),
        **{name: str(row[name]) for name in ("rule", "route_id", "source_id")},
    }
    return Entry(NIGHTLY, action, str(row["alert_id"]), release.run_id, str(row["reason"]), payload)


def announcing(subject: str, run_id: str, kind: str, facts: Mapping[str, Any]) -> Entry:
    """The row that tells what leaves the house."""
    return Entry(DELIVERY, ANNOUNCED, subject, run_id, payload={"kind": kind, "facts": dict(facts)})


def letters_of(
    desk: Desk, stored: Sequence[Entry], known: Sequence[Letter], silence: dt.datetime | None = None
) -> list[Letter]:
    """The letters that tell of the announcements among some rows."""
    settings = desk.settings.delivery
    return [
        letter
        for one in stored
        if one.action == ANNOUNCED
        for letter in letters_for(announcement_of(one), one.id, settings, known, silence)
    ]


def _kind(before: State, after: State) -> str:
    if after.status == SIGNED_OFF and before.status == PROPOSED:
        return UPDATED if before.was_raised else RAISED
    return WITHDRAWN if after.status == DISMISSED and before.was_raised else ""


def _about(state: State, kind: str, reason: str) -> dict[str, Any]:
    if kind == WITHDRAWN:
        return {"why": reason.strip()}
    return {"signed_by": list(state.sign_offs)}


def _silence(desk: Desk, facts: Mapping[str, Any], level: str) -> dt.datetime | None:
    now = dt.datetime.now(dt.UTC)
    # What was sent under a clock that was ahead would silence a matter for as long as that clock was wrong.
    sent = [
        one
        for one in desk.journal.entries(action=SENT)
        if one.payload.get("matter") == matter(facts) and not is_ahead(one.at, now)
    ]
    return silent_until(sent, level, desk.settings.delivery.silence_days)


def publisher_of(release: Release, source_id: str) -> dict[str, str]:
    """Who publishes a source: ``publisher`` and the same in other languages, as in ``publisher_fr``.

    The name is empty where the release's catalogue does not know the source.

    Raises:
        StoreError: The catalogue cannot be read.
    """
    if "sources.json" not in release.manifest["files"]:
        return {"publisher": ""}
    card = json.loads(release.document("sources.json")).get(source_id, {})
    return {"publisher": "", **{name: str(text) for name, text in card.items() if name.startswith("publisher")}}

"""Announcements: their journal rows, the messages that they need, their files for machines, and the night's digest.

The digest is one message to each reader about sources that became late and alerts that cannot be judged.

The one-page briefing of a stored release is read and checked here and written by :mod:`reports.briefing`; the page,
the command and the mails take it from here.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from access import KEEP_PLACES
from alerts.lifecycle import ANNOUNCED, DELIVERY, JUDGED, RAISED, UNJUDGED, UPDATED, fold
from core.errors import StoreError
from core.languages import DEFAULT_LANGUAGE, languages
from core.log import get_logger
from core.release import CATALOGUE
from core.schema import Entry
from core.settings import FEED, DeliverySettings, Settings
from decisions import Workflow, open_workflow
from reports import BRIEFING_FRAMES, CHANGE_FRAMES, Decisions, LoadedRelease, entries_until
from reports.messages import atom_feed, cap_message, cap_name, feed_name
from reports.messages.announcement import FRESHNESS, Announcement, alert_facts, announcement_of, message_identity
from reports.scenario import kept_by_route, reception_of
from store import sha256_of_file
from store.export import write_published
from store.journal import DROPPED, GIVEN_UP, SENT, OutboxMessage
from store.releases import MANIFEST, Release, ReleaseStore
from store.status import alteration

DEDUPLICATION = "matter"
"""Name under which the journal keeps a deduplication key."""
LONGEST_DAYS = 7
"""Age beyond which news of a night is no longer announced."""
Reader = tuple[str, str, str, str]
"""Subscription, channel, recipient, language."""


def facts_of(release: Release, row: Mapping[Any, Any]) -> dict[str, Any]:
    """What messages need to know about an alert of a release."""
    frames = {name: release.read(name) for name in ("forecasts", "observations", "backtest", "track_record")}
    about = {"as_of": release.as_of.isoformat(), "replay": bool(release.manifest["replay"])}
    return {**alert_facts(row, frames), **about, **publisher_of(release, str(row["source_id"]))}


def publisher_of(release: Release, source_id: str) -> dict[str, str]:
    """Return who publishes a source; the name is empty for a source that is not in the release's catalogue.

    Raises:
        StoreError: The catalogue cannot be read.
    """
    card = json.loads(release.document("sources.json")).get(source_id, {})
    return {"publisher": str(card.get("publisher", ""))}


def announcing(subject: str, run_id: str, kind: str, facts: Mapping[str, Any]) -> Entry:
    """The journal row of an announcement."""
    return Entry(DELIVERY, ANNOUNCED, subject, run_id, payload={"kind": kind, "facts": dict(facts)})


def messages_of(
    workflow: Workflow, stored: Sequence[Entry], known: Sequence[OutboxMessage], cooldown: dt.datetime | None = None
) -> list[OutboxMessage]:
    """Return the messages of the announcements among the rows."""
    return [
        message
        for one in stored
        if one.action == ANNOUNCED
        for message in messages_for(announcement_of(one), one.id, workflow.settings.delivery, known, cooldown)
    ]


def messages_for(
    announcement: Announcement,
    number: int,
    settings: DeliverySettings,
    known: Sequence[OutboxMessage],
    cooldown: dt.datetime | None = None,
) -> list[OutboxMessage]:
    """The messages to post, and earlier ones that are not to be sent any more (with the outcome ``dropped``).

    A raised alert goes to its subscribers; its end goes to its recipients. That it cannot be judged, or can
    again, goes out for machines at once and to people in the night's digest.

    Args:
        announcement: The content.
        number: ``id`` of its journal row.
        settings: Channels and subscriptions.
        known: Earlier messages about the same alert.
        cooldown: End of the cooldown of its deduplication key, if there is one.
    """
    now = announcement.at
    if announcement.kind in {UNJUDGED, JUDGED}:
        return [message_to(announcement, number, one, now) for one in who_got_it(known) if one[1] == FEED]
    held = [message for message in known if _is_held(message, now)]
    dropped = [
        replace(message, outcome=DROPPED, error="overtaken while it was held back", posted_at=now) for message in held
    ]
    readers = who_got_it(known, held) if announcement.is_over else readers_for(announcement, settings)
    not_before = max(now, cooldown or now) if announcement.kind in {RAISED, UPDATED} else now
    return dropped + [message_to(announcement, number, reader, not_before) for reader in readers]


def deduplication_key(facts: Mapping[str, Any]) -> str:
    """What a cooldown holds for: the rule and its route or source, whatever the alert's name."""
    return "|".join(str(facts.get(name, "")) for name in ("rule", "route_id", "source_id"))


def _is_held(message: OutboxMessage, now: dt.datetime) -> bool:
    return not message.is_final and message.attempts == 0 and not message.is_due(now)


def who_got_it(known: Sequence[OutboxMessage], held: Sequence[OutboxMessage] = ()) -> list[Reader]:
    """Readers who got the alert, or will as soon as their channel works again."""
    got_it = [
        (message.subscription, message.channel, message.recipient, message.language)
        for message in known
        if message.kind in {RAISED, UPDATED} and message.outcome not in {DROPPED, GIVEN_UP} and message not in held
    ]
    return list(dict.fromkeys(got_it))


def readers_for(announcement: Announcement, settings: DeliverySettings) -> Iterator[Reader]:
    """Readers of an announcement: machines, and those whose subscriptions want it."""
    yield FEED, FEED, "", DEFAULT_LANGUAGE
    route_id = str(announcement.facts.get("route_id", ""))
    yield from subscribers(settings, announcement.kind, announcement.level, route_id)


def subscribers(settings: DeliverySettings, kind: str, level: str = "", route_id: str = "") -> Iterator[Reader]:
    """Readers whose subscriptions want an announcement."""
    for one in settings.subscriptions:
        if one.wants(kind, level, route_id):
            for recipient in dict.fromkeys(one.to or [""]):
                yield one.name, one.channel, recipient, one.language


def message_to(announcement: Announcement, number: int, reader: Reader, not_before: dt.datetime) -> OutboxMessage:
    """The message that says an announcement to one reader."""
    subscription, channel, recipient, language = reader
    return OutboxMessage(
        message_id=message_identity(announcement, subscription, recipient), announcement=number,
        subject=announcement.subject, kind=announcement.kind, subscription=subscription, channel=channel,
        recipient=recipient, language=language, not_before=not_before, posted_at=announcement.at,
    )  # fmt: skip


def publish_cap(workflow: Workflow, announcement: Announcement) -> None:
    """Write one announcement's CAP message; done twice, the file is the same.

    Raises:
        SchemaError: The message breaks the standard's schema.
        StoreError: The folder cannot be written.
    """
    settings = workflow.settings
    document = cap_message(announcement, settings.delivery.publisher, settings.dashboard_url)
    write_published(workflow.home, workflow.journal, {cap_name(announcement): document})


def publish_feeds(workflow: Workflow) -> None:
    """Write the feed in each language from what was sent out; ``alerts.atom`` is the English one.

    Raises:
        StoreError: The journal cannot be read, or the folder cannot be written.
    """
    sent = {one.announcement for one in workflow.outbox.messages() if one.channel == FEED and one.outcome == SENT}
    rows = [entry for entry in workflow.journal.entries(action=ANNOUNCED) if entry.id in sent]
    announcements = [announcement_of(entry, [row for row in rows if row.subject == entry.subject]) for entry in rows]
    settings, head = workflow.settings, ReleaseStore(workflow.home).head() or ""
    about = (settings.delivery.publisher, settings.dashboard_url, head)
    feeds = {language: atom_feed(announcements, language, *about) for language in languages()}
    files = {feed_name(language): feed for language, feed in feeds.items()}
    write_published(workflow.home, workflow.journal, files | {"alerts.atom": feeds[DEFAULT_LANGUAGE]})


def announce_digests(workflow: Workflow) -> None:
    """Turn what the journal holds of each night into one announcement: each change once, however often this is called.

    Raises:
        StoreError: The journal cannot be read or written.
    """
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=LONGEST_DAYS)
    announced = workflow.journal.entries(action=ANNOUNCED)
    announced_ids = {number for row in announced for number in row.payload.get("of", ())}
    news = [
        *workflow.journal.entries(action=FRESHNESS),
        *(row for row in announced if row.payload["kind"] in {UNJUDGED, JUDGED}),
    ]
    nights: dict[str, list[Entry]] = {}
    for entry in news:
        is_quiet = _is_replay(entry) and not workflow.settings.delivery.replays
        if entry.at > since and entry.id not in announced_ids and not is_quiet:
            nights.setdefault(entry.run_id, []).append(entry)
    for run_id, entries in nights.items():
        _announce_digest(workflow, run_id, entries)


def for_reader(workflow: Workflow, announcement: Announcement, message: OutboxMessage) -> Announcement:
    """A digest as one reader gets it: alerts that were sent to that reader, and sources where the subscription asks.

    Raises:
        StoreError: The outbox cannot be read.
    """
    if announcement.kind != FRESHNESS:
        return announcement
    changes, alerts = announcement.facts["changes"], announcement.facts["alerts"]
    reader = message.subscription, message.channel, message.recipient, message.language
    own = [one for one in alerts if reader in who_got_it(workflow.outbox.messages(str(one["alert_id"])))]
    wanted = changes if reader in subscribers(workflow.settings.delivery, FRESHNESS) else []
    return replace(announcement, facts={**announcement.facts, "changes": wanted, "alerts": own})


def _announce_digest(workflow: Workflow, run_id: str, news: Sequence[Entry]) -> None:
    changes = [one for one in news if one.action == FRESHNESS]
    alerts = [one for one in news if one.action == ANNOUNCED]
    readers = list(subscribers(workflow.settings.delivery, FRESHNESS)) if changes else []
    for one in alerts:
        readers += [reader for reader in who_got_it(workflow.outbox.messages(one.subject)) if reader[1] != FEED]
    facts = {
        "changes": [_change(workflow, one) for one in changes],
        "alerts": [one.payload["facts"] for one in alerts],
        "as_of": next((str(one["as_of"]) for one in map(_night_facts, news) if one.get("as_of")), ""),
        "replay": all(_is_replay(one) for one in news),
    }
    subject = f"night.{run_id}"
    numbers = [one.id for one in news]

    def decide(rows: list[Entry]) -> Sequence[Entry]:
        # Another sender may have been faster.
        if {number for row in rows for number in row.payload.get("of", ())} >= set(numbers):
            return []
        row = announcing(subject, run_id, FRESHNESS, facts)
        return [replace(row, payload={**row.payload, "of": numbers})]

    def messages(stored: list[Entry], _known: list[OutboxMessage]) -> list[OutboxMessage]:
        return [
            message_to(announcement_of(one), one.id, reader, one.at)
            for one in stored
            for reader in dict.fromkeys(readers)
        ]

    workflow.outbox.decide(subject, decide, messages)


def _change(workflow: Workflow, entry: Entry) -> dict[str, Any]:
    try:
        publisher = publisher_of(ReleaseStore(workflow.home).get(entry.run_id), entry.subject)
    except StoreError:
        # Without its release, which may be gone by now, the source keeps its code.
        publisher = {"publisher": ""}
    return {**publisher, **entry.payload, "source_id": entry.subject, "reason": entry.reason}


def _night_facts(entry: Entry) -> dict[str, Any]:
    """What a row says of its night: an announcement keeps it one step further in."""
    return dict(entry.payload.get("facts", entry.payload))


def _is_replay(entry: Entry) -> bool:
    return bool(_night_facts(entry).get("replay"))


LARGEST_ATTACHMENT = 1_000_000
"""Bytes: a briefing above it is left out of mails, which some servers would refuse."""


def make_briefing(home: Path, settings: Settings, run_id: str, language: str, *, signed_only: bool = False) -> bytes:
    """Make the briefing of one release as a PDF.

    With ``signed_only`` it keeps to alerts that people have signed off, as a briefing does that is mailed.

    Raises:
        StoreError: There is no such release, it was altered, or the journal cannot be read.
    """
    with open_workflow(home, settings) as workflow:
        return briefing_of(workflow, run_id, language, signed_only=signed_only)


def briefing_of(workflow: Workflow, run_id: str, language: str, *, signed_only: bool) -> bytes:
    """The same on a workflow that is open.

    Raises:
        StoreError: There is no such release, it was altered, or the journal cannot be read.
    """
    from reports.briefing import briefing_pdf  # noqa: PLC0415  # matplotlib takes a second to import

    release = ReleaseStore(workflow.home).get(run_id)
    loaded = replace(load(workflow, release, BRIEFING_FRAMES), drill=workflow.settings.drill)
    former = former_of(workflow, release)
    alerts = [one.frame("alerts") for one in (former, loaded) if one]
    return briefing_pdf(loaded, former, language, decided(workflow, run_id, *alerts, signed_only=signed_only))


class Attachments:
    """Briefings for the mails of one round of sending: each is made once, and none that fails holds a mail up."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._made: dict[tuple[str, str], bytes | None] = {}
        self._lock = threading.Lock()

    def get(self, run_id: str, language: str) -> bytes | None:
        """The briefing of a release that people outside may read; None where it cannot be made, which is logged."""
        with self._lock:
            if (run_id, language) not in self._made:
                self._made[run_id, language] = self._make(run_id, language)
            return self._made[run_id, language]

    def _make(self, run_id: str, language: str) -> bytes | None:
        try:
            document = briefing_of(self._workflow, run_id, language, signed_only=True)
        except Exception as error:  # whatever is wrong with it, the alert itself must reach its reader
            get_logger().warning("briefing not attached", run_id=run_id, reason=f"{type(error).__name__}: {error}")
            return None
        if len(document) > LARGEST_ATTACHMENT:
            get_logger().warning("briefing not attached", run_id=run_id, reason=f"{len(document):,} bytes are too many")
            return None
        return document


def former_of(workflow: Workflow, release: Release) -> LoadedRelease | None:
    """The release before, if it is still there."""
    run_id = str((release.manifest["previous"] or {}).get("run_id", ""))
    found = next((one for one in ReleaseStore(workflow.home).all() if one.run_id == run_id), None)
    return load(workflow, found, CHANGE_FRAMES) if found else None


def load(workflow: Workflow, release: Release, names: Sequence[str]) -> LoadedRelease:
    """Read a release's frames, once their hashes have been found right.

    Raises:
        StoreError: A file was altered.
    """
    manifest = release.manifest
    if problem := alteration(workflow.home, release, workflow.settings):
        raise StoreError(f"{problem}; run 'vigie verify'")
    return LoadedRelease(
        run_id=release.run_id,
        manifest_hash=sha256_of_file(release.path / MANIFEST),
        as_of=release.as_of,
        created_at=dt.datetime.fromisoformat(manifest["created_at"]),
        replay=bool(manifest["replay"]),
        degraded=tuple(manifest["degraded"]),
        frames={name: release.read(name) for name in names},
        cards=json.loads(release.document(CATALOGUE)),
    )


def decided(workflow: Workflow, run_id: str, *alerts: pd.DataFrame, signed_only: bool) -> Decisions:
    """What had been decided about alerts of one or more releases while one was the newest."""
    names = sorted({str(name) for frame in alerts for name in frame["alert_id"]})
    rows = {name: entries_until(entries, run_id) for name, entries in workflow.journal.about(names).items()}
    announced = {name for name, entries in rows.items() if any(entry.action == ANNOUNCED for entry in entries)}
    # How many places there are is not for outsiders: a briefing that is mailed holds what was signed off.
    kept = [] if signed_only else entries_until(workflow.journal.entries(action=KEEP_PLACES), run_id)
    return Decisions(
        {name: fold(entries) for name, entries in rows.items() if entries},
        frozenset(announced),
        signed_only,
        tuple(reception_of(row.payload["query"], name, row.actor) for name, row in kept_by_route(kept).items()),
    )

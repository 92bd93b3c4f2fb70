"""What leaves the house: the journal row of an announcement, the messages it needs, and its files for machines."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from alerts.lifecycle import ANNOUNCED, DELIVERY, JUDGED, RAISED, UNJUDGED, UPDATED
from core.entry import Entry
from core.languages import DEFAULT_LANGUAGE, languages
from core.settings import FEED, DeliverySettings
from reports.messages.announcement import Announcement, alert_facts, announcement_of, message_identity
from reports.messages.feeds import atom_feed, cap_message, cap_name, feed_name
from store.export import write_published
from store.outbox import DROPPED, GIVEN_UP, SENT, OutboxMessage
from store.releases import Release, ReleaseStore
from workflow import Workflow

DEDUPLICATION = "matter"
"""Name under which the journal keeps a deduplication key."""
Reader = tuple[str, str, str, str]
"""Subscription, channel, recipient, language."""


def facts_of(release: Release, row: Mapping[Any, Any]) -> dict[str, Any]:
    """What messages need to know about an alert of a release."""
    frames = {name: release.read(name) for name in ("forecasts", "observations", "track_record")}
    about = {"as_of": release.as_of.isoformat(), "replay": bool(release.manifest["replay"])}
    return {**alert_facts(row, frames), **about, **publisher_of(release, str(row["source_id"]))}


def publisher_of(release: Release, source_id: str) -> dict[str, str]:
    """Who publishes a source: ``publisher``, and its translations where a release of before keeps them beside it.

    The name is empty where the release's catalogue does not know the source.

    Raises:
        StoreError: The catalogue cannot be read.
    """
    if "sources.json" not in release.manifest["files"]:
        return {"publisher": ""}
    card = json.loads(release.document("sources.json")).get(source_id, {})
    return {"publisher": "", **{name: str(text) for name, text in card.items() if name.startswith("publisher")}}


def announcing(subject: str, run_id: str, kind: str, facts: Mapping[str, Any]) -> Entry:
    """The row that tells what leaves the house."""
    return Entry(DELIVERY, ANNOUNCED, subject, run_id, payload={"kind": kind, "facts": dict(facts)})


def messages_of(
    workflow: Workflow, stored: Sequence[Entry], known: Sequence[OutboxMessage], cooldown: dt.datetime | None = None
) -> list[OutboxMessage]:
    """The messages that tell of the announcements among some rows."""
    settings = workflow.settings.delivery
    return [
        message
        for one in stored
        if one.action == ANNOUNCED
        for message in messages_for(announcement_of(one), one.id, settings, known, cooldown)
    ]


def messages_for(
    announcement: Announcement,
    number: int,
    settings: DeliverySettings,
    known: Sequence[OutboxMessage],
    cooldown: dt.datetime | None = None,
) -> list[OutboxMessage]:
    """The messages to post, and earlier ones that are not to be sent any more (with the outcome ``dropped``).

    A raised alert goes to whoever subscribes to it; its end goes to whoever got it. That it cannot be judged, or can
    again, goes out for machines at once and to people in the night's digest.

    Args:
        announcement: What is said.
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
    readers = who_got_it(known, held) if announcement.is_over else _subscribers(announcement, settings)
    not_before = max(now, cooldown or now) if announcement.kind in {RAISED, UPDATED} else now
    return dropped + [message_to(announcement, number, reader, not_before) for reader in readers]


def deduplication_key(facts: Mapping[str, Any]) -> str:
    """What a cooldown holds for: the rule and its route or source, whatever the alert's name."""
    return "|".join(str(facts.get(name, "")) for name in ("rule", "route_id", "source_id"))


def _is_held(message: OutboxMessage, now: dt.datetime) -> bool:
    return not message.is_final and message.attempts == 0 and not message.is_due(now)


def who_got_it(known: Sequence[OutboxMessage], held: Sequence[OutboxMessage] = ()) -> Iterator[Reader]:
    """Readers who got the alert, or will as soon as their channel works again."""
    got_it = [
        (message.subscription, message.channel, message.recipient, message.language)
        for message in known
        if message.kind in {RAISED, UPDATED} and message.outcome not in {DROPPED, GIVEN_UP} and message not in held
    ]
    yield from dict.fromkeys(got_it)


def _subscribers(announcement: Announcement, settings: DeliverySettings) -> Iterator[Reader]:
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
        message_id=message_identity(announcement, subscription, recipient),
        announcement=number,
        subject=announcement.subject,
        kind=announcement.kind,
        subscription=subscription,
        channel=channel,
        recipient=recipient,
        language=language,
        not_before=not_before,
        posted_at=announcement.at,
    )


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
    """Write the feed in each language from what has left the house; ``alerts.atom`` is the English one.

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

"""A night's digest: one message to each reader about sources that became late and alerts that cannot be judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alerts.lifecycle import ANNOUNCED, JUDGED, UNJUDGED
from core.entry import Entry
from core.errors import StoreError
from core.settings import FEED
from reports.messages.announcement import FRESHNESS, Announcement, announcement_of, digest_parts
from store.outbox import OutboxMessage
from store.releases import ReleaseStore
from workflow import Workflow
from workflow.announcements import Reader, announcing, message_to, publisher_of, subscribers, who_got_it

LONGEST_DAYS = 7
"""Age beyond which news of a night is no longer announced."""


def announce_digests(workflow: Workflow) -> None:
    """Turn what the journal holds of each night into one announcement: each change once, however often this is called.

    Raises:
        StoreError: The journal cannot be read or written.
    """
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=LONGEST_DAYS)
    announced = workflow.journal.entries(action=ANNOUNCED)
    told = {number for row in announced for number in _rows_announced(row)}
    news = [
        *workflow.journal.entries(action=FRESHNESS),
        *(row for row in announced if row.payload["kind"] in {UNJUDGED, JUDGED}),
    ]
    nights: dict[str, list[Entry]] = {}
    for entry in news:
        is_quiet = _is_replay(entry) and not workflow.settings.delivery.replays
        if entry.at > since and entry.id not in told and not is_quiet:
            nights.setdefault(entry.run_id, []).append(entry)
    for run_id, entries in nights.items():
        _announce(workflow, run_id, entries)


def for_reader(workflow: Workflow, announcement: Announcement, message: OutboxMessage) -> Announcement:
    """A digest as one reader gets it: alerts that were sent to that reader, and sources where the subscription asks.

    Raises:
        StoreError: The outbox cannot be read.
    """
    if "changes" not in announcement.facts:
        return announcement
    changes, alerts = digest_parts(announcement.facts)
    reader = message.subscription, message.channel, message.recipient, message.language
    own = [one for one in alerts if reader in _readers_of(workflow, str(one["alert_id"]))]
    wanted = changes if reader in subscribers(workflow.settings.delivery, FRESHNESS) else []
    return replace(announcement, facts={**announcement.facts, "changes": wanted, "alerts": own})


def _announce(workflow: Workflow, run_id: str, news: Sequence[Entry]) -> None:
    changes = [one for one in news if one.action == FRESHNESS]
    alerts = [one for one in news if one.action == ANNOUNCED]
    readers = list(subscribers(workflow.settings.delivery, FRESHNESS)) if changes else []
    for one in alerts:
        readers += [reader for reader in _readers_of(workflow, one.subject) if reader[1] != FEED]
    facts = {
        "changes": [_change(workflow, one) for one in changes],
        "alerts": [one.payload["facts"] for one in alerts],
        "as_of": next((str(one["as_of"]) for one in map(_facts, news) if one.get("as_of")), ""),
        "replay": all(_is_replay(one) for one in news),
    }
    subject = f"night.{run_id}"
    numbers = [one.id for one in news]

    def decide(rows: list[Entry]) -> Sequence[Entry]:
        # Another sender may have been faster.
        if {number for row in rows for number in _rows_announced(row)} >= set(numbers):
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


def _readers_of(workflow: Workflow, alert_id: str) -> list[Reader]:
    return list(who_got_it(workflow.outbox.messages(alert_id)))


def _change(workflow: Workflow, entry: Entry) -> dict[str, Any]:
    try:
        publisher = publisher_of(ReleaseStore(workflow.home).get(entry.run_id), entry.subject)
    except StoreError:
        # Without its release, which may be gone by now, the source keeps its code.
        publisher = {"publisher": ""}
    return {**publisher, **entry.payload, "source_id": entry.subject, "reason": entry.reason}


def _rows_announced(row: Entry) -> list[int]:
    """Rows that an announcement tells of; those of before told of one each."""
    of = row.payload.get("of", [])
    return of if isinstance(of, list) else [of]


def _facts(entry: Entry) -> dict[str, Any]:
    """What a row says of its night: an announcement keeps it one step further in."""
    return dict(entry.payload.get("facts", entry.payload))


def _is_replay(entry: Entry) -> bool:
    return bool(_facts(entry).get("replay"))

"""Messages to be sent, and every attempt to send them.

A message is posted in the same transaction as the decision that it announces: either both are kept or neither. It
waits until an attempt has succeeded; both tables are append-only: what was sent, when and after how many attempts
stays known. The journal keeps the hash of each row, so its chain covers both tables.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from core.calendar import is_ahead
from core.schema import Entry
from store import sha256_of_bytes
from store.journal import Journal, add
from store.journal.database import Database, UtcTime, row_number

SENT, FAILED, GIVEN_UP, DROPPED = "sent", "failed", "given up", "dropped"
FINAL = (SENT, GIVEN_UP, DROPPED)
"""Outcomes after which a message is not tried again."""

OUTBOX = "outbox"
"""Action and subject of the journal's rows that keep the hashes of rows here, by name of row."""
_MOST_HASHES = 500

_MESSAGES = sa.Table(
    "outbox_letters",
    sa.MetaData(),
    sa.Column("letter_id", sa.Text, key="message_id", primary_key=True),
    sa.Column("announcement", sa.BigInteger, nullable=False, index=True),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    *(
        sa.Column(name, sa.Text, nullable=False)
        for name in ("kind", "subscription", "channel", "recipient", "language")
    ),
    sa.Column("not_before", UtcTime, nullable=False),
    sa.Column("posted_at", UtcTime, nullable=False),
)
_ATTEMPTS = sa.Table(
    "outbox_tries",
    sa.MetaData(),
    row_number(),
    sa.Column("letter_id", sa.Text, key="message_id", nullable=False, index=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("next_at", UtcTime, nullable=True),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True)
class OutboxMessage:
    """One message to one recipient over one channel.

    Attributes:
        message_id: The same at every attempt, so that a receiver recognises a repeat.
        announcement: ``id`` of the journal row with the content.
        subject: The alert or source it is about.
        kind: raised, updated, ended, withdrawn or freshness.
        subscription: Name of the subscription it is posted for.
        channel: Name of the channel it goes over.
        recipient: Address within the channel; empty where the channel is the address.
        language: Language it is written in.
        not_before: Earliest time to send it.
        posted_at: When it was posted.
        attempts: Attempts so far.
        outcome: Outcome of the last attempt; empty before the first.
        error: Why the last attempt failed.
        next_at: Earliest time of the next attempt after a failure.
        attempted_at: When the last attempt was.
    """

    message_id: str
    announcement: int
    subject: str
    kind: str
    subscription: str
    channel: str
    recipient: str
    language: str
    not_before: dt.datetime
    posted_at: dt.datetime
    attempts: int = 0
    outcome: str = ""
    error: str = ""
    next_at: dt.datetime | None = None
    attempted_at: dt.datetime | None = None

    def is_due(self, now: dt.datetime) -> bool:
        """Whether it may be tried now. What a clock set that was ahead holds nothing back: it might for years."""
        held = self.not_before > now and not is_ahead(self.posted_at, now)
        waits = self.next_at is not None and self.next_at > now
        return not held and not (waits and self.attempted_at is not None and not is_ahead(self.attempted_at, now))

    @property
    def is_final(self) -> bool:
        """Whether it will not be tried again."""
        return self.outcome in FINAL


class Outbox:
    """The messages in the journal's database.

    Raises:
        StoreError: The database cannot be opened.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._database: Database = journal.database
        self._database.create(_MESSAGES, _ATTEMPTS)

    def decide(
        self,
        subject: str,
        decide: Callable[[list[Entry]], Sequence[Entry]],
        messages: Callable[[list[Entry], list[OutboxMessage]], Iterable[OutboxMessage]],
    ) -> list[Entry]:
        """Add rows to the journal and post the messages that announce them: both, or neither.

        Args:
            subject: What is decided on.
            decide: See :meth:`store.journal.Journal.decide`.
            messages: Given the rows as stored and the subject's earlier messages, returns messages to post. One that is
                already there and not final, but comes back with the outcome ``dropped``, will not be sent.

        Returns:
            The rows as stored.

        Raises:
            InputError: Whatever ``decide`` raises.
            StoreError: The database refuses.
        """

        def post(connection: sa.Connection, stored: list[Entry]) -> None:
            known = _read(connection, _MESSAGES.c.subject == subject)
            numbers = {message.message_id for message in known}
            hashes: dict[str, str] = {}
            for message in messages(stored, known):
                if message.outcome == DROPPED:
                    hashes |= _attempt(connection, message, message.posted_at, DROPPED, message.error, None)
                elif message.message_id not in numbers:
                    hashes |= _post(connection, message)
            _record(connection, hashes)

        return self._journal.decide(subject, decide, post)

    def messages(self, subject: str | None = None) -> list[OutboxMessage]:
        """Messages in the order of their announcements, with the outcome of the last attempt.

        Raises:
            StoreError: The database cannot be read.
        """
        wanted = sa.true() if subject is None else _MESSAGES.c.subject == subject
        return self._database.run(lambda connection: _read(connection, wanted))

    def waiting(self) -> list[OutboxMessage]:
        """Messages that are still to be sent, in the order of their announcements.

        Raises:
            StoreError: The database cannot be read.
        """
        final = sa.select(_ATTEMPTS.c.message_id).where(_ATTEMPTS.c.outcome.in_(FINAL))
        return self._database.run(lambda connection: _read(connection, _MESSAGES.c.message_id.not_in(final)))

    def finish(self, message: OutboxMessage, at: dt.datetime, outcome: str, entry: Entry, error: str = "") -> None:
        """Record that a message was sent, given up or dropped, here and in the journal (``entry``).

        Raises:
            StoreError: The database refuses.
        """

        def work(connection: sa.Connection) -> None:
            hashes = _attempt(connection, message, at, outcome, error, None)
            add(connection, entry)
            _record(connection, hashes)

        self._journal.write(work)

    def failed(self, message: OutboxMessage, at: dt.datetime, error: str, next_at: dt.datetime) -> None:
        """Record that an attempt failed, and when to try again.

        Raises:
            StoreError: The database refuses.
        """
        self._journal.write(
            lambda connection: _record(connection, _attempt(connection, message, at, FAILED, error, next_at))
        )

    def first_break(self) -> str:
        """Hold every row against the hash that the journal keeps of it.

        Returns:
            What is wrong first, in words; empty if each row is as it was written.

        Raises:
            StoreError: The database cannot be read.
        """
        recorded: dict[str, Any] = {}
        for entry in self._journal.entries(action=OUTBOX):
            recorded |= entry.payload
        found = self._database.run(_hashes)
        for name in sorted({*recorded, *found}):
            if recorded.get(name) != found.get(name):
                rule = "was altered" if name in recorded else "was added: the journal has no record of it"
                return f"row '{name}' {rule if name in found else 'is missing'}"
        return ""


def _post(connection: sa.Connection, message: OutboxMessage) -> dict[str, str]:
    values = {column.key: getattr(message, column.key) for column in _MESSAGES.c}
    connection.execute(sa.insert(_MESSAGES).values(**values))
    return {message.message_id: _hash(values)}


def _attempt(
    connection: sa.Connection,
    message: OutboxMessage,
    at: dt.datetime,
    outcome: str,
    error: str,
    next_at: dt.datetime | None,
) -> dict[str, str]:
    values = {"message_id": message.message_id, "at": at, "outcome": outcome, "error": error, "next_at": next_at}
    number = connection.execute(sa.insert(_ATTEMPTS).values(**values).returning(_ATTEMPTS.c.id)).scalar_one()
    return {f"{message.message_id} {number}": _hash({"id": number, **values})}


def _record(connection: sa.Connection, hashes: dict[str, str]) -> None:
    """Keep the hashes of new rows in the journal, in the same transaction."""
    names = list(hashes)
    for first in range(0, len(names), _MOST_HASHES):
        payload = {name: hashes[name] for name in names[first : first + _MOST_HASHES]}
        add(connection, Entry(OUTBOX, OUTBOX, OUTBOX, payload=payload))


def _hashes(connection: sa.Connection) -> dict[str, str]:
    """The hash of every row by its name."""
    found: dict[str, str] = {}
    for table in (_MESSAGES, _ATTEMPTS):
        for row in connection.execute(sa.select(table)):
            values = {column.key: row._mapping[column] for column in table.c}
            number = f" {values['id']}" if table is _ATTEMPTS else ""
            found[f"{values['message_id']}{number}"] = _hash(values)
    return found


def _hash(values: dict[str, Any]) -> str:
    texts = {
        name: value.astimezone(dt.UTC).isoformat(timespec="microseconds") if isinstance(value, dt.datetime) else value
        for name, value in values.items()
    }
    return sha256_of_bytes(json.dumps(texts, sort_keys=True, ensure_ascii=False).encode())


def _read(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> list[OutboxMessage]:
    order = (_MESSAGES.c.announcement, _MESSAGES.c.message_id)
    rows = connection.execute(sa.select(_MESSAGES).where(wanted).order_by(*order))
    found = [OutboxMessage(**{column.key: row._mapping[column] for column in _MESSAGES.c}) for row in rows]
    messages = {message.message_id: message for message in found}
    chosen = sa.select(_MESSAGES.c.message_id).where(wanted)
    attempts = connection.execute(
        sa.select(_ATTEMPTS).where(_ATTEMPTS.c.message_id.in_(chosen)).order_by(_ATTEMPTS.c.id)
    )
    for row in attempts:
        message = messages[row._mapping[_ATTEMPTS.c.message_id]]
        if not message.is_final:
            messages[message.message_id] = replace(
                message, attempts=message.attempts + 1, outcome=row.outcome, error=row.error, next_at=row.next_at,
                attempted_at=row.at,
            )  # fmt: skip
    return list(messages.values())

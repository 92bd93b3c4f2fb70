"""What people and nights did: rows that are added and never changed, each chained to the one before it.

The end of the chain stands in every release's manifest, in every mail and webhook message, and after each row in
:data:`HEAD_FILE` beside the database: rows that are later deleted or changed are found out.

The outbox holds messages to be sent and every attempt to send them, in the same database. A message is posted in the
same transaction as the decision that it announces: either both are kept or neither. It waits until an attempt has
succeeded; both tables are append-only: what was sent, when and after how many attempts stays known. The journal keeps
the hash of each row, so its chain covers both tables.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from core.calendar import is_ahead
from core.errors import InputError, StoreError
from core.log import get_logger
from core.schema import Entry
from store import KEY_FILE, home_key, keyed_digest, named_errors, sha256_of_bytes, write_bytes
from store.journal.database import Database, UtcTime, hold_subject, row_number, sqlite_file

_T = TypeVar("_T")
__all__ = ["Entry", "Journal", "add", "journal_url"]

_LONGEST_TEXT = 100_000
HEAD_FILE = "journal.head"
"""File of the home folder with the chain's newest end, signed with the home's key."""
_JOURNAL = sa.Table(
    "journal",
    sa.MetaData(),
    row_number(),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False, index=True),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("run_id", "reason")),
    sa.Column("payload", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
    sqlite_autoincrement=True,
)
_CHAIN = sa.Table(
    "journal_chain",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("sha256", sa.Text, nullable=False),
)
"""The hash of each row of the journal and of the hash before it."""


@dataclass(frozen=True)
class ChainHead:
    """The end of the journal's chain.

    Attributes:
        id: Number of the row.
        sha256: Hash of every row up to it.
    """

    id: int
    sha256: str


def journal_url(setting: str, home: Path) -> str:
    """Address of the journal: the setting, else SQLite in the home folder."""
    return setting or f"sqlite:///{home / 'journal.sqlite'}"


def opened_journal(setting: str, home: Path) -> AbstractContextManager[Journal]:
    """The journal of a home folder, closed at the end; raises as :class:`Journal` does."""
    return closing(Journal(journal_url(setting, home), home))


def existing_journal(setting: str, home: Path) -> AbstractContextManager[Journal | None]:
    """The same; None where there is none yet, and none is made."""
    is_there = setting or (home / "journal.sqlite").exists()
    return opened_journal(setting, home) if is_there else nullcontext()


class AlteredRowError(StoreError):
    """A row's time or payload is malformed: it was altered."""


class Journal:
    """The append-only journal.

    Args:
        url: SQLAlchemy address: ``sqlite:///…`` or ``postgresql://…``.
        home: Folder of :data:`HEAD_FILE`; the folder of a SQLite file by default, else none is written.

    Raises:
        InputError: The address is not one of SQLite or PostgreSQL.
        StoreError: The database cannot be opened.
    """

    def __init__(self, url: str, home: Path | None = None) -> None:
        self.database = Database(url)
        file = sqlite_file(url)
        self._home = home or (file.parent if file is not None else None)
        self.database.create(_JOURNAL, _CHAIN)

    def record(self, entry: Entry) -> Entry:
        """Add one row.

        Args:
            entry: What was done; its ``id`` and ``at`` are given by the journal.

        Returns:
            The entry as stored.

        Raises:
            InputError: Actor, action or subject is empty, or a text cannot be stored.
            StoreError: The database refuses.
        """
        return self.write(lambda connection: add(connection, entry))

    def entries(
        self,
        *,
        subject: str | Collection[str] | None = None,
        action: str | Collection[str] | None = None,
        run_id: str | None = None,
        after: int = 0,
    ) -> list[Entry]:
        """Rows, oldest first.

        Raises:
            StoreError: The database cannot be read.
        """
        query = _select(subject=subject, action=action, run_id=run_id).where(_JOURNAL.c.id > after)
        return self.database.run(lambda connection: _read(connection, query))

    def about(self, subjects: Collection[str]) -> dict[str, list[Entry]]:
        """Rows about several subjects at once, each subject's oldest first.

        Raises:
            StoreError: The database cannot be read.
        """
        found: dict[str, list[Entry]] = {subject: [] for subject in subjects}
        for entry in self.entries(subject=list(subjects)):
            found[entry.subject].append(entry)
        return found

    def decide(
        self,
        subject: str,
        decide: Callable[[list[Entry]], Sequence[Entry]],
        also: Callable[[sa.Connection, list[Entry]], None] | None = None,
    ) -> list[Entry]:
        """Read the rows about a subject and add to them in one transaction.

        Args:
            subject: An alert_id, a source_id, …
            decide: Given the subject's rows, oldest first, returns the rows to add; it may raise to add none.
            also: Further writes of the same transaction, given the rows as stored.

        Returns:
            The rows as stored.

        Raises:
            InputError: A text cannot be stored; and whatever ``decide`` raises.
            StoreError: The database refuses.
        """

        def work(connection: sa.Connection) -> list[Entry]:
            hold_subject(connection, subject)
            stored = [add(connection, entry) for entry in decide(_read(connection, _select(subject=subject)))]
            if also is not None:
                also(connection, stored)
            return stored

        return self.write(work)

    def write(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Do work that may add rows in one transaction, and keep the chain's new end outside the database.

        Raises:
            InputError: Whatever the work raises.
            StoreError: The database refuses.
        """
        done, head = self.database.run(lambda connection: (work(connection), _chain_head(connection)), writes=True)
        if head is not None and self._home is not None:
            try:
                write_head(self._home, head)
            except StoreError as error:  # the rows are committed
                get_logger().warning("end of the journal not kept", reason=str(error))
        return done

    def holds(self, sha256: str) -> bool:
        """Whether a hash is the chain's end as it was after one of the rows.

        Raises:
            StoreError: The database cannot be read.
        """
        query = sa.select(_CHAIN.c.id).where(_CHAIN.c.sha256 == sha256)
        return self.database.run(lambda connection: connection.execute(query).first()) is not None

    def head(self) -> ChainHead | None:
        """The end of the chain; None before the first row.

        Raises:
            StoreError: The database cannot be read.
        """
        return self.database.run(_chain_head)

    def walk(self, witnessed: Mapping[int, str]) -> str:
        """Recompute the chain from the first row to the last.

        Args:
            witnessed: Hashes kept elsewhere by number of row, which must still hold.

        Returns:
            What is wrong first, in words; empty where the chain is whole.

        Raises:
            StoreError: The database cannot be read.
        """
        return self.database.run(lambda connection: _first_break(connection, witnessed))

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()


def write_head(home: Path, head: ChainHead, *, anew: bool = False) -> None:
    """Keep the chain's end in a home folder.

    Args:
        home: The folder.
        head: The end of the chain.
        anew: Replace a later end too: the journal was put back from a backup.

    Raises:
        StoreError: The file or the key cannot be written.
    """
    if not anew and (kept := read_head_file(home)) is not None and kept.id >= head.id:
        return  # another process was faster
    digest = keyed_digest(home_key(home), f"{head.id} {head.sha256}".encode())
    write_bytes(home / HEAD_FILE, json.dumps({"id": head.id, "sha256": head.sha256, "digest": digest}).encode())


def read_head_file(home: Path) -> ChainHead | None:
    """Return the end of the chain that a home folder keeps; None if the file is missing or was not written by it.

    Raises:
        StoreError: The file or the key cannot be read.
    """
    path = home / HEAD_FILE
    if not path.exists() or not (home / KEY_FILE).exists():
        return None
    with named_errors(path):
        try:
            kept = json.loads(path.read_bytes())
            head, digest = ChainHead(int(kept["id"]), str(kept["sha256"])), str(kept["digest"])
        except (ValueError, TypeError, KeyError):
            return None
    is_ours = hmac.compare_digest(digest, keyed_digest(home_key(home), f"{head.id} {head.sha256}".encode()))
    return head if is_ours else None


def add(connection: sa.Connection, entry: Entry) -> Entry:
    """Add one row within a transaction that is already open.

    Raises:
        InputError: Actor, action or subject is empty, or a text cannot be stored.
    """
    _check_texts(entry)
    names = ("actor", "action", "subject", "run_id", "reason")
    values: dict[str, Any] = {name: getattr(entry, name) for name in names}
    values |= {"at": now(), "payload": json.loads(json.dumps(dict(entry.payload)))}
    hold_subject(connection, _CHAIN.name)
    head = _chain_head(connection)
    number = connection.execute(sa.insert(_JOURNAL).values(**values).returning(_JOURNAL.c.id)).scalar_one()
    stored = Entry(**values, id=number)
    digest = _link(head.sha256 if head else "", stored)
    connection.execute(sa.insert(_CHAIN).values(id=number, sha256=digest))
    return stored


def _chain_head(connection: sa.Connection) -> ChainHead | None:
    row = connection.execute(sa.select(_CHAIN).order_by(_CHAIN.c.id.desc()).limit(1)).first()
    return None if row is None else ChainHead(*row)


def _link(former: str, entry: Entry) -> str:
    at = entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    row = [former, entry.id, at, entry.actor, entry.action, entry.subject, entry.run_id, entry.reason]
    text = json.dumps([*row, dict(entry.payload)], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _first_break(connection: sa.Connection, witnessed: Mapping[int, str]) -> str:
    links = {link.id: link.sha256 for link in connection.execute(sa.select(_CHAIN))}
    digest, left = "", sorted(links)
    if lost := [number for number in witnessed if number not in links]:
        return f"the hash of row {lost[0]}, which was recorded, is missing: the chain was emptied or cut short"
    for entry in _read(connection, _select()):
        digest = _link(digest, entry)
        if left and left[0] < entry.id:
            break
        if entry.id not in links:
            return f"row {entry.id} was added: the chain does not hold it"
        left.pop(0)
        if links[entry.id] != digest:
            return f"row {entry.id} was altered, or one before it was altered, added or deleted"
        if witnessed.get(entry.id, digest) != digest:
            return f"row {entry.id} is not the one that was recorded"
    return f"row {left[0]} is missing" if left else ""


def now() -> dt.datetime:
    """The journal's clock."""
    return dt.datetime.now(dt.UTC)


def _select(**wanted: str | Collection[str] | None) -> sa.Select[Any]:
    query = sa.select(_JOURNAL).order_by(_JOURNAL.c.id)
    for column, value in wanted.items():
        if value is not None:
            query = query.where(_JOURNAL.c[column].in_([value] if isinstance(value, str) else value))
    return query


def _read(connection: sa.Connection, query: sa.Select[Any]) -> list[Entry]:
    rows, found = connection.execute(query), list[Entry]()
    try:
        while (row := rows.fetchone()) is not None:
            found.append(Entry(**row._mapping))
    except (ValueError, TypeError):
        after = found[-1].id if found else 0
        raise AlteredRowError(
            f"journal: the next row read after row {after} was altered: its time or payload is none"
        ) from None
    return found


def _check_texts(entry: Entry) -> None:
    for name in ("actor", "action", "subject"):
        if not getattr(entry, name).strip():
            raise InputError(f"journal: {name} must not be empty")
    texts = {name: getattr(entry, name) for name in ("actor", "action", "subject", "run_id", "reason")}
    try:
        texts["payload"] = json.dumps(dict(entry.payload), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"journal: payload is not JSON: {error}") from None
    for name, text in texts.items():
        if len(text) > _LONGEST_TEXT:
            raise InputError(f"journal: {name} is longer than {_LONGEST_TEXT} characters")
        if re.search(r"[\0\ud800-\udfff]|\\u0000", text):
            raise InputError(f"journal: {name} holds characters that cannot be stored")


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
            known = _messages(connection, _MESSAGES.c.subject == subject)
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
        return self._database.run(lambda connection: _messages(connection, wanted))

    def waiting(self) -> list[OutboxMessage]:
        """Messages that are still to be sent, in the order of their announcements.

        Raises:
            StoreError: The database cannot be read.
        """
        final = sa.select(_ATTEMPTS.c.message_id).where(_ATTEMPTS.c.outcome.in_(FINAL))
        return self._database.run(lambda connection: _messages(connection, _MESSAGES.c.message_id.not_in(final)))

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


def _messages(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> list[OutboxMessage]:
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

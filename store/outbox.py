"""Letters that are to leave the house, and every try to send them.

A letter is posted in the same transaction as the decision that it tells of: either both are kept or neither. It
waits until a try has succeeded; both tables are append-only: what was sent, when and after how many tries stays known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from core.calendar import is_ahead
from core.entry import Entry
from store.database import Database, UtcTime, row_number
from store.journal import Journal, add

SENT, FAILED, GIVEN_UP, DROPPED = "sent", "failed", "given up", "dropped"
FINAL = (SENT, GIVEN_UP, DROPPED)
"""Outcomes after which a letter is not tried again."""

_LETTERS = sa.Table(
    "outbox_letters",
    sa.MetaData(),
    sa.Column("letter_id", sa.Text, primary_key=True),
    sa.Column("announcement", sa.BigInteger, nullable=False, index=True),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subscription", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("not_before", UtcTime, nullable=False),
    sa.Column("posted_at", UtcTime, nullable=False),
)
_TRIES = sa.Table(
    "outbox_tries",
    sa.MetaData(),
    row_number(),
    sa.Column("letter_id", sa.Text, nullable=False, index=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("next_at", UtcTime, nullable=True),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True)
class Letter:
    """One message to one recipient over one channel.

    Attributes:
        letter_id: The same at every try, so that a receiver recognises a repeat.
        announcement: ``id`` of the journal row that holds what is said.
        subject: The alert or source it is about.
        kind: raised, updated, ended, withdrawn or freshness.
        subscription: Name of the subscription it is posted for.
        channel: Name of the channel it goes over.
        recipient: Address within the channel; empty where the channel is the address.
        language: Language it is written in.
        not_before: Earliest time to send it.
        posted_at: When it was posted.
        tries: Tries so far.
        outcome: Outcome of the last try; empty before the first.
        error: Why the last try failed.
        next_at: Earliest time of the next try after a failure.
        tried_at: When the last try was.
    """

    letter_id: str
    announcement: int
    subject: str
    kind: str
    subscription: str
    channel: str
    recipient: str
    language: str
    not_before: dt.datetime
    posted_at: dt.datetime
    tries: int = 0
    outcome: str = ""
    error: str = ""
    next_at: dt.datetime | None = None
    tried_at: dt.datetime | None = None

    def is_due(self, now: dt.datetime) -> bool:
        """Whether it may be tried now. What a clock set that was ahead holds nothing back: it might for years."""
        held = self.not_before > now and not is_ahead(self.posted_at, now)
        waits = self.next_at is not None and self.next_at > now
        return not held and not (waits and self.tried_at is not None and not is_ahead(self.tried_at, now))

    @property
    def is_final(self) -> bool:
        """Whether it will not be tried again."""
        return self.outcome in FINAL


class Outbox:
    """The letters in the journal's database.

    Args:
        journal: The journal.

    Raises:
        StoreError: The database cannot be opened.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._database: Database = journal.database
        self._database.create(_LETTERS, _TRIES)

    def decide(
        self,
        subject: str,
        decide: Callable[[list[Entry]], Sequence[Entry]],
        letters: Callable[[list[Entry], list[Letter]], Iterable[Letter]],
    ) -> list[Entry]:
        """Add rows to the journal and post the letters that tell of them: both, or neither.

        Args:
            subject: What is decided on.
            decide: See :meth:`store.journal.Journal.decide`.
            letters: Given the rows as stored and the subject's earlier letters, returns letters to post. One that is
                already there and not final, but comes back with the outcome ``dropped``, will not be sent.

        Returns:
            The rows as stored.

        Raises:
            InputError: Whatever ``decide`` raises.
            StoreError: The database refuses.
        """

        def post(connection: sa.Connection, stored: list[Entry]) -> None:
            known = _read(connection, _LETTERS.c.subject == subject)
            numbers = {letter.letter_id for letter in known}
            for letter in letters(stored, known):
                if letter.outcome == DROPPED:
                    _try(connection, letter, letter.posted_at, DROPPED, letter.error, None)
                elif letter.letter_id not in numbers:
                    _post(connection, letter)

        return self._journal.decide(subject, decide, post)

    def letters(self, subject: str | None = None) -> list[Letter]:
        """Letters in the order of their announcements, with the outcome of the last try.

        Args:
            subject: Only letters about this alert or source.

        Raises:
            StoreError: The database cannot be read.
        """
        wanted = sa.true() if subject is None else _LETTERS.c.subject == subject
        return self._database.run(lambda connection: _read(connection, wanted))

    def waiting(self) -> list[Letter]:
        """Letters that are still to be sent, in the order of their announcements.

        Raises:
            StoreError: The database cannot be read.
        """
        final = sa.select(_TRIES.c.letter_id).where(_TRIES.c.outcome.in_(FINAL))
        return self._database.run(lambda connection: _read(connection, _LETTERS.c.letter_id.not_in(final)))

    def succeeded(self, letter: Letter, at: dt.datetime, told: Entry) -> None:
        """Keep that a letter was sent, and tell it in the journal.

        Raises:
            StoreError: The database refuses.
        """
        self._finish(letter, at, SENT, "", told)

    def gave_up(self, letter: Letter, at: dt.datetime, error: str, told: Entry) -> None:
        """Keep that a letter will not be tried again, and tell it in the journal.

        Raises:
            StoreError: The database refuses.
        """
        self._finish(letter, at, GIVEN_UP, error, told)

    def failed(self, letter: Letter, at: dt.datetime, error: str, next_at: dt.datetime) -> None:
        """Keep that a try failed, and when to try again.

        Raises:
            StoreError: The database refuses.
        """
        self._database.run(
            lambda connection: _try(connection, letter, at, FAILED, error, next_at),
            writes=True,
        )

    def _finish(self, letter: Letter, at: dt.datetime, outcome: str, error: str, told: Entry) -> None:
        def work(connection: sa.Connection) -> None:
            _try(connection, letter, at, outcome, error, None)
            add(connection, told)

        self._database.run(work, writes=True)


def _post(connection: sa.Connection, letter: Letter) -> None:
    values = {column.name: getattr(letter, column.name) for column in _LETTERS.c}
    connection.execute(sa.insert(_LETTERS).values(**values))


def _try(
    connection: sa.Connection, letter: Letter, at: dt.datetime, outcome: str, error: str, next_at: dt.datetime | None
) -> None:
    values = {"letter_id": letter.letter_id, "at": at, "outcome": outcome, "error": error, "next_at": next_at}
    connection.execute(sa.insert(_TRIES).values(**values))


def _read(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> list[Letter]:
    order = (_LETTERS.c.announcement, _LETTERS.c.letter_id)
    rows = connection.execute(sa.select(_LETTERS).where(wanted).order_by(*order))
    letters = {row.letter_id: Letter(**row._mapping) for row in rows}
    chosen = sa.select(_LETTERS.c.letter_id).where(wanted)
    tries = connection.execute(sa.select(_TRIES).where(_TRIES.c.letter_id.in_(chosen)).order_by(_TRIES.c.id))
    for row in tries:
        letter = letters[row.letter_id]
        if not letter.is_final:
            letters[row.letter_id] = replace(
                letter,
                tries=letter.tries + 1,
                outcome=row.outcome,
                error=row.error,
                next_at=row.next_at,
                tried_at=row.at,
            )
    return list(letters.values())

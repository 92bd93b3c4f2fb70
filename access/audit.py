"""Rows about access in the journal: signed in, signed out, refused, downloaded. What people decide has its own rows."""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections.abc import Callable
from typing import Final

from access.roles import DOWNLOAD, PERMISSIONS, Actor, NotAllowedError, Person, may
from core.entry import Entry
from store.journal import Journal

SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED = "signed in", "signed out", "refused", "downloaded"
ACCESS_ROWS: Final = (SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED)
_LONGEST = 200
_PREFIX = "login:"
_COUNTED_FOR, _MOST_KINDS = 60.0, 10_000


def note_login(journal: Journal, login_id: str, person: Person, actor: Actor) -> None:
    """Record a login: this row is the session, and nothing that a browser holds adds to it.

    Raises:
        StoreError: The journal refuses.
    """
    payload = actor.with_identity({"claimed": list(person.claimed)})
    journal.record(Entry(person.name, SIGNED_IN, _PREFIX + login_id, payload=payload))


def read_login(journal: Journal, login_id: str) -> tuple[Person, dt.datetime] | None:
    """The person of a login and when it began; None where there is none or it was ended.

    Raises:
        StoreError: The journal cannot be read.
    """
    rows = journal.entries(subject=_PREFIX + login_id)
    if not rows or rows[0].action != SIGNED_IN or any(row.action == SIGNED_OUT for row in rows):
        return None
    row, payload = rows[0], rows[0].payload
    return Person(row.actor, str(payload["identity"]), tuple(payload["claimed"])), row.at


def ended_logins(journal: Journal, after: int) -> tuple[set[str], int]:
    """Logins that were ended since a row of the journal, and the newest such row.

    Raises:
        StoreError: The journal cannot be read.
    """
    rows = journal.entries(action=SIGNED_OUT, after=after)
    return {row.subject.removeprefix(_PREFIX) for row in rows}, rows[-1].id if rows else after


def note_logout(journal: Journal, login_id: str, actor: Actor, reason: str = "") -> None:
    """Record that a login was ended: whatever is left of it in a browser, it opens nothing any more.

    Raises:
        StoreError: The journal refuses.
    """
    entry = Entry(actor.name, SIGNED_OUT, _PREFIX + login_id, reason=reason, payload=actor.with_identity())
    journal.decide(entry.subject, lambda rows: [] if any(row.action == SIGNED_OUT for row in rows) else [entry])


def revoke(journal: Journal, name: str, actor: Actor, reason: str) -> int:
    """End every login of a person, wherever it is open; returns how many there were.

    Args:
        journal: The journal.
        name: Name or identity (issuer and subject) as the journal keeps it.
        actor: Who ends them.
        reason: Why.

    Raises:
        StoreError: The journal refuses.
    """
    ended, _newest = ended_logins(journal, 0)
    rows = [row for row in journal.entries(action=SIGNED_IN) if name in {row.actor, row.payload.get("identity")}]
    found = [login_id for row in rows if (login_id := row.subject.removeprefix(_PREFIX)) not in ended]
    for login_id in found:
        note_logout(journal, login_id, actor, reason)
    return len(found)


class Refusals:
    """Counts refusals: the first of a kind is written down at once, those that follow once a minute, together.

    Args:
        clock: Gives the time in seconds that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kinds: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def due(self, kind: str) -> int:
        """Note one refusal of a kind; returns how many are to be written down now, 0 for none."""
        with self._lock:
            now = self._clock()
            since, count = self._kinds.pop(kind, (-math.inf, 0))
            is_due = now - since >= _COUNTED_FOR
            self._kinds[kind] = (now, 0) if is_due else (since, count + 1)
            if len(self._kinds) > _MOST_KINDS:
                del self._kinds[next(iter(self._kinds))]
            return count + 1 if is_due else 0


REFUSALS: Final = Refusals()
"""Of this process."""


def note_refusal(journal: Journal, actor: Actor, action: str, about: str = "") -> None:
    """Record that somebody who has signed in was refused something: counted where it happens again and again.

    Raises:
        StoreError: The journal refuses.
    """
    if not (count := REFUSALS.due(f"{journal.database.name} {actor.identity} {action}")):
        return
    facts = {"action": action, "about": about[:_LONGEST], **({"count": count} if count > 1 else {})}
    journal.record(Entry(actor.name, REFUSED, "access", payload=actor.with_identity(facts)))


def authorize_download(journal: Journal, actor: Actor, file_name: str, run_id: str = "") -> None:
    """Let a file leave, and record it; without a login nothing is recorded.

    Raises:
        NotAllowedError: The person's roles do not allow downloads; recorded as refused.
        StoreError: The journal refuses: then the file does not leave either.
    """
    if not may(actor, DOWNLOAD):
        note_refusal(journal, actor, DOWNLOAD, file_name)
        raise NotAllowedError(f"{actor.name} may not do this: {DOWNLOAD}")
    if actor.roles is not None:
        journal.record(
            Entry(actor.name, DOWNLOADED, f"file:{file_name}"[:_LONGEST], run_id, payload=actor.with_identity())
        )


def access_rows(journal: Journal) -> list[Entry]:
    """Every row that a person who signed in has left, the newest first.

    Raises:
        StoreError: The journal cannot be read.
    """
    rows = journal.entries(action={*ACCESS_ROWS, *PERMISSIONS})
    return [row for row in reversed(rows) if row.action in ACCESS_ROWS or "identity" in row.payload]


def describe(row: Entry) -> str:
    """What an audit row is about, in a few words: a file, an alert, what was refused."""
    if row.action == REFUSED:
        times = f" × {row.payload['count']}" if row.payload.get("count", 1) > 1 else ""
        return f"{row.payload.get('action', '')} {row.payload.get('about', '')}".strip() + times
    if row.action in {SIGNED_IN, SIGNED_OUT}:
        return ", ".join(str(role) for role in row.payload.get("roles", [])) or "no role"
    return row.subject.removeprefix("file:")

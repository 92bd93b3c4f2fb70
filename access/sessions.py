"""Which logins hold, and the rows that access leaves in the journal: signed in, signed out, refused, downloaded.

A browser holds a random session identifier. The journal keeps the login under the identifier's hash, the *login id*:
a reader of the journal cannot sign in with it. The gate alone reads the identifier; all others get the login id.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import math
import re
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from access import DOWNLOAD, PERMISSIONS, Actor, Login, NotAllowedError, Person, actor_of, may
from core.errors import InputError
from core.schema import Entry
from core.settings import AccessSettings
from store.journal import Journal

SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED = "signed in", "signed out", "refused", "downloaded"
ACCESS_ROWS: Final = (SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED)
_LONGEST = 200
_PREFIX = "login:"
_COUNTED_FOR, _MOST_KINDS = 60.0, 10_000
ASK_JOURNAL_AFTER = 2.0
"""Seconds after which the journal is asked again which logins were ended, by another process perhaps."""
MOST_KEPT = 10_000
_LOGIN_ID = re.compile(r"[0-9a-f]{64}")
_Known = tuple[Person, dt.datetime]


def note_login(journal: Journal, login_id: str, person: Person, actor: Actor) -> None:
    """Record a login: this row is the session, and nothing that a browser holds adds to it.

    Raises:
        StoreError: The journal refuses.
    """
    journal.record(actor.entry(SIGNED_IN, _PREFIX + login_id, payload={"claimed": list(person.claimed)}))


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
    entry = actor.entry(SIGNED_OUT, _PREFIX + login_id, reason=reason)
    journal.decide(entry.subject, lambda rows: [] if any(row.action == SIGNED_OUT for row in rows) else [entry])


def revoke(journal: Journal, name: str, actor: Actor, reason: str) -> int:
    """End every open login of a person and return their number.

    Args:
        journal: The journal.
        name: Name or identity (issuer and subject) as the journal keeps it.
        actor: Who ends them.
        reason: Why.

    Raises:
        InputError: The person never signed in.
        StoreError: The journal refuses.
    """
    ended, _newest = ended_logins(journal, 0)
    rows = [row for row in journal.entries(action=SIGNED_IN) if name in {row.actor, row.payload.get("identity")}]
    if not rows:
        raise InputError(f"{name}: no such person has signed in; 'vigie access audit' shows names")
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
    """Record that a signed-in person was refused an action: repeated refusals are counted.

    Raises:
        StoreError: The journal refuses.
    """
    if not (count := REFUSALS.due(f"{journal.database.name} {actor.identity} {action}")):
        return
    facts = {"action": action, "about": about[:_LONGEST], **({"count": count} if count > 1 else {})}
    journal.record(actor.entry(REFUSED, "access", payload=facts))


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
        journal.record(actor.entry(DOWNLOADED, f"file:{file_name}"[:_LONGEST], run_id))


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


class Logins:
    """Logins of one dashboard.

    Args:
        journal: Gives the journal.
        clock: Gives the time in seconds that never goes back.
    """

    def __init__(self, journal: Callable[[], Journal], clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._clock = journal, clock
        self._known: dict[str, _Known] = {}
        self._used: dict[str, float] = {}
        self._ended: set[str] = set()
        self._asked: float | None = None
        self._newest_end = 0
        self._lock = threading.RLock()

    def begin(self, person: Person, access: AccessSettings) -> str:
        """Begin a login; returns the session's identifier for the browser.

        Raises:
            StoreError: The journal refuses.
        """
        session_id = secrets.token_urlsafe(32)
        note_login(self._journal(), login_id_of(session_id), person, actor_of(person, access))
        return session_id

    def valid_login(self, login_id: str, access: AccessSettings, *, use: bool = True) -> Login | None:
        """Return a login if it holds.

        Args:
            login_id: Its name, from :func:`login_id_of`.
            access: The settings.
            use: Whether this counts as use of it.

        Returns:
            The login, its person perhaps without any role; None where there is none that holds.

        Raises:
            StoreError: The journal cannot be read: then no login is valid.
        """
        if not access.is_on or not _LOGIN_ID.fullmatch(login_id):
            return None
        with self._lock:
            known = self._look_up(login_id)
            if known is None:
                return None
            login = Login(login_id, known[1], actor_of(known[0], access))
            if login.is_over(access, dt.datetime.now(dt.UTC)):
                return None
            now = self._clock()
            is_idle = now - self._used.setdefault(login_id, now) >= access.idle_minutes * 60
            if use and not is_idle:
                self._used[login_id] = now
        if is_idle:
            self._end(login)
            return None
        return login

    def end(self, login_id: str, access: AccessSettings) -> None:
        """End a login because its person asks for it.

        Raises:
            StoreError: The journal refuses.
        """
        if (login := self.valid_login(login_id, access)) is not None:
            self._end(login)

    def _end(self, login: Login) -> None:
        with self._lock:
            self._ended.add(login.login_id)
        note_logout(self._journal(), login.login_id, login.actor)

    def _look_up(self, login_id: str) -> _Known | None:
        now = self._clock()
        if self._asked is None or now - self._asked >= ASK_JOURNAL_AFTER:
            ended, self._newest_end = ended_logins(self._journal(), self._newest_end)
            self._ended |= ended
            self._asked = now
        if login_id in self._ended:
            return None
        if login_id not in self._known:
            found = read_login(self._journal(), login_id)
            if found is None:
                return None
            if len(self._known) >= MOST_KEPT:
                self._forget_oldest()
            self._known[login_id] = found
        return self._known[login_id]

    def _forget_oldest(self) -> None:
        """Drop the older half from memory; the journal still holds them and the ended ones."""
        for login_id in sorted(self._known, key=lambda one: self._known[one][1])[: MOST_KEPT // 2]:
            del self._known[login_id]
            self._used.pop(login_id, None)


def login_id_of(session_id: str) -> str:
    """The name under which the journal keeps a session."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def form_token(login_id: str, key: str) -> str:
    """Return the token of a login's forms: made with the server's key, so that no other page can send it."""
    return hmac.new(key.encode(), f"form {login_id}".encode(), hashlib.sha256).hexdigest()


_OF_PROCESS: dict[str, Logins] = {}
_LOCK = threading.Lock()


def logins_of(home: Path, journal: Callable[[], Journal]) -> Logins:
    """The logins of a home folder's dashboard in this process."""
    with _LOCK:
        return _OF_PROCESS.setdefault(str(home), Logins(journal))

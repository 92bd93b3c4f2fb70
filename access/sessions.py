"""Which logins hold: looked up on the server under an identifier that says nothing by itself.

A browser holds the identifier alone, the journal the login, under the identifier's hash: whoever reads the journal
cannot sign in with it. One for the process: the server asks it at each request and message and every other second for
each open page, pages ask it at each run, files at each download.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from access.audit import ended_logins, note_login, note_logout, read_login
from access.roles import Login, Person, actor_of
from core.settings import AccessSettings
from store.journal import Journal

ASK_JOURNAL_AFTER = 2.0
"""Seconds after which the journal is asked again which logins were ended, by another process perhaps."""
MOST_KEPT = 10_000
_SESSION_ID = re.compile(r"[\w-]{43}", re.ASCII)
_Known = tuple[Person, dt.datetime]


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

    def valid_login(self, session_id: str, access: AccessSettings, *, use: bool = True) -> Login | None:
        """The login of a session, if it holds.

        Args:
            session_id: What the browser sent.
            access: The settings.
            use: Whether this counts as use of it.

        Returns:
            The login, its person perhaps without any role; None where there is none that holds.

        Raises:
            StoreError: The journal cannot be asked: then nobody is let in.
        """
        if not access.is_on or not _SESSION_ID.fullmatch(session_id):
            return None
        login_id = login_id_of(session_id)
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

    def end(self, session_id: str, access: AccessSettings) -> None:
        """End a login because its person asks for it.

        Raises:
            StoreError: The journal refuses.
        """
        if (login := self.valid_login(session_id, access)) is not None:
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
        """Forget the half that began longest ago; the journal still knows them, and which of all were ended."""
        for login_id in sorted(self._known, key=lambda one: self._known[one][1])[: MOST_KEPT // 2]:
            del self._known[login_id]
            self._used.pop(login_id, None)


def login_id_of(session_id: str) -> str:
    """The name under which the journal keeps a session."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def form_token(session_id: str) -> str:
    """What a form of a page sends back to show that it is ours: only the page's server can know it."""
    return hashlib.sha256(f"form {session_id}".encode()).hexdigest()


_OF_PROCESS: dict[str, Logins] = {}
_LOCK = threading.Lock()


def logins_of(home: Path, journal: Callable[[], Journal]) -> Logins:
    """The logins of a home folder's dashboard in this process."""
    with _LOCK:
        return _OF_PROCESS.setdefault(str(home), Logins(journal))

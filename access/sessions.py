"""Which logins hold: not older than they may be, in use, and not ended by their person.

One for the process: the server asks it at each request and message, pages ask it at each run, files at each download.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from access.audit import note_login, note_logout
from access.identity import Login, LoginError, read_login
from core.log import get_logger
from core.settings import AccessSettings
from store.journal import Journal

ASK_JOURNAL_AFTER = 30.0
"""Seconds after which the journal is asked again whether a login was ended, by another process perhaps."""
MOST_KEPT = 10_000


class Logins:
    """Logins of one dashboard.

    Args:
        journal: Gives the journal.
        clock: Gives the time in seconds that never goes back.
    """

    def __init__(self, journal: Callable[[], Journal], clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._clock = journal, clock
        self._used: dict[str, float] = {}
        self._asked: dict[str, float] = {}
        self._ended: set[str] = set()
        self._lock = threading.Lock()

    def valid_login(self, claims: Mapping[str, Any], access: AccessSettings, *, use: bool = True) -> Login | None:
        """The login that claims tell of, if it holds.

        Args:
            claims: Claims of a token whose signature was checked.
            access: The settings.
            use: Whether this counts as use of it.

        Returns:
            The login, its person perhaps without any role; None where there is none that holds.

        Raises:
            StoreError: The journal cannot be asked: then nobody is let in.
        """
        try:
            login = read_login(claims, access)
        except LoginError as error:
            if claims.get("is_logged_in") is True:
                get_logger().warning("login not usable", error=str(error))
            return None
        if login.is_over(access, dt.datetime.now(dt.UTC)) or not self._is_known(login):
            return None
        if self._is_idle(login, access):
            self._end(login)
            return None
        if use:
            with self._lock:
                self._used[login.login_id] = self._clock()
        return login

    def end(self, claims: Mapping[str, Any], access: AccessSettings) -> None:
        """End a login because its person asks for it.

        Raises:
            StoreError: The journal refuses.
        """
        if (login := self.valid_login(claims, access)) is not None:
            self._end(login)

    def _end(self, login: Login) -> None:
        with self._lock:
            self._ended.add(login.login_id)
        note_logout(self._journal(), login)

    def _is_idle(self, login: Login, access: AccessSettings) -> bool:
        with self._lock:
            last = self._used.get(login.login_id)
        return last is not None and self._clock() - last >= access.idle_minutes * 60

    def _is_known(self, login: Login) -> bool:
        now = self._clock()
        with self._lock:
            if login.login_id in self._ended:
                return False
            asked = self._asked.get(login.login_id)
            if asked is not None and now - asked < ASK_JOURNAL_AFTER:
                return True
        holds = note_login(self._journal(), login)
        with self._lock:
            if len(self._asked) > MOST_KEPT:
                self._forget_oldest()
            if holds:
                self._asked[login.login_id] = now
            else:
                self._ended.add(login.login_id)
        return holds

    def _forget_oldest(self) -> None:
        """Forget the half that was asked about longest ago; the journal still knows whether they were ended."""
        for login_id in sorted(self._asked, key=self._asked.__getitem__)[: MOST_KEPT // 2]:
            del self._asked[login_id]
            self._used.pop(login_id, None)
            self._ended.discard(login_id)


_OF_PROCESS: dict[str, Logins] = {}
_LOCK = threading.Lock()


def logins_of(home: Path, journal: Callable[[], Journal]) -> Logins:
    """The logins of a home folder's dashboard in this process."""
    with _LOCK:
        return _OF_PROCESS.setdefault(str(home), Logins(journal))

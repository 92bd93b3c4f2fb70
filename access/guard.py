"""The guard of one dashboard: which names it answers to, who has signed in, how much one may ask for at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from access.audit import note_refusal
from access.identity import Login, Person
from access.roles import Actor
from access.sessions import logins_of
from core.errors import VigieError
from core.log import get_logger
from core.settings import SHORTEST_COOKIE_SECRET, AccessSettings, is_loopback, load_settings, secret
from store.journal import Journal

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
SESSION_COOKIE = "vigie_session"
MOST_UNKNOWN, MOST_PER_PERSON = 512, 32
"""Websockets at once: from one address without a login (a proxy is one address), and of one person."""


@dataclass(frozen=True)
class Guard:
    """The guard of one dashboard.

    Attributes:
        home: The home folder.
        access: Settings of access when the server started; who has which role is read anew at each question.
        origin: Where people reach the dashboard: ``https://vigie.example.org``.
        own: Names under which this machine reaches it without a proxy: loopback's, and the address it listens at.
        cookie_secret: Key of the cookie on the way to the provider and back; empty where there is no login.
        journal: Gives the journal.
    """

    home: Path
    access: AccessSettings
    origin: str
    own: frozenset[str]
    cookie_secret: str
    journal: Callable[[], Journal]
    _open: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_https(self) -> bool:
        """Whether people come over https."""
        return self.origin.startswith("https:")

    @property
    def hosts(self) -> frozenset[str]:
        """Names by which the dashboard is served."""
        return self.own | {urlsplit(self.origin).hostname or ""}

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; over https one that no neighbouring name can set."""
        return f"__Host-{SESSION_COOKIE}" if self.is_https else SESSION_COOKIE

    def serves(self, host: str) -> bool:
        """Whether a request's ``Host`` is one of ours: a name that an attacker points to this address is not."""
        return host_name(host) in self.hosts

    def trusts(self, origin: str, host: str) -> bool:
        """Whether a page of an origin may speak with us: the dashboard's own, by scheme, name and port.

        On this machine a browser may reach it past the proxy: then the origin is what the request is addressed to.
        """
        return origin == self.origin or (host_name(host) in self.own and origin == f"http://{host}")

    def session_of(self, connection: HTTPConnection) -> str:
        """The session that a request names; empty for none, and for several: none of them is believed then."""
        named = [
            part.partition("=")[2].strip()
            for header in connection.headers.getlist("cookie")
            for part in header.split(";")
            if part.partition("=")[0].strip() == self.cookie
        ]
        return named[0] if len(named) == 1 else ""

    def login(self, session_id: str, *, use: bool = True) -> Login | None:
        """The login of a session, if it holds; nobody is let in where this cannot be found out."""
        if not session_id:
            return None
        try:
            return logins_of(self.home, self.journal).valid_login(session_id, load_settings(self.home).access, use=use)
        except VigieError as error:
            get_logger().error("logins cannot be checked", error=str(error))
            return None

    def begin(self, person: Person) -> str:
        """Begin a login; returns the session's identifier.

        Raises:
            StoreError: The journal refuses.
        """
        return logins_of(self.home, self.journal).begin(person, load_settings(self.home).access)

    def end(self, session_id: str) -> None:
        """End a login; where the journal refuses, the process still remembers it."""
        try:
            logins_of(self.home, self.journal).end(session_id, load_settings(self.home).access)
        except VigieError as error:
            get_logger().error("end of a login not recorded", error=str(error))

    def refused(self, actor: Actor, action: str, about: str) -> None:
        """Record a refusal."""
        try:
            note_refusal(self.journal(), actor, action, about)
        except VigieError as error:
            get_logger().error("refusal not recorded", error=str(error))

    @contextmanager
    def place(self, who: str, most: int) -> Iterator[bool]:
        """One of the websockets that somebody may have at once; gives whether there was one left."""
        with self._lock:
            is_free = self._open[who] < most
            self._open[who] += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self._open[who] -= is_free
                if not self._open[who]:
                    del self._open[who]


def host_name(host: str) -> str:
    """The name in a ``Host`` header, without its port; empty where it is not just that."""
    try:
        parts = urlsplit(f"//{host}")
        is_plain = parts.netloc == host and parts.username is None and parts.port != 0
        return (parts.hostname or "").rstrip(".") if is_plain else ""
    except ValueError:
        return ""


def guard_of(home: Path, address: str, journal: Callable[[], Journal]) -> Guard:
    """The guard of a dashboard that listens at an address.

    Raises:
        InputError: The settings are not usable, or a secret is missing.
    """
    settings = load_settings(home)
    access, parts, key = settings.access, urlsplit(settings.dashboard_url.lower()), ""
    if access.is_on:
        key = secret(access.cookie_secret_env, shortest=SHORTEST_COOKIE_SECRET, needed_by="login")
    # As a browser writes it: without the port that goes without saying.
    place = parts.netloc.removesuffix({"https": ":443"}.get(parts.scheme, ":80"))
    return Guard(home, access, f"{parts.scheme}://{place}", own_names(address), key, journal)


def own_names(address: str) -> frozenset[str]:
    """Names under which a server that listens at an address is reached without a proxy."""
    is_one = not is_loopback(address) and address.strip("[]") not in {"", "0.0.0.0", "::"}  # noqa: S104  # compared, not bound
    return LOOPBACK_HOSTS | ({address.strip("[]").lower()} if is_one else set())

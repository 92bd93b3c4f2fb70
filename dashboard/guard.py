"""What the gate knows: the settings, the hosts that are served, the key of cookies, and who is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import VigieError
from core.log import get_logger
from core.settings import SHORTEST_COOKIE_SECRET, AccessSettings, is_loopback, load_settings, secret
from dashboard.logins import logins_of
from desk.audit import note_refusal
from desk.identity import Login
from desk.permissions import Actor
from store.journal import Journal

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Guard:
    """The guard of one dashboard.

    Attributes:
        home: The home folder.
        access: Settings of access when the server started; who has which role is read anew at each question.
        origin: Where people reach the dashboard: ``https://vigie.example.org``.
        hosts: Names by which it is served; empty: any.
        cookie_secret: Key of cookies; empty where there is no login.
    """

    home: Path
    access: AccessSettings
    origin: str
    hosts: frozenset[str]
    cookie_secret: str

    @property
    def is_https(self) -> bool:
        """Whether people come over https."""
        return self.origin.startswith("https:")

    def serves(self, host: str) -> bool:
        """Whether a request's ``Host`` is one of ours: a name that an attacker points to this address is not."""
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return not self.hosts or (name or "").rstrip(".") in self.hosts

    def login(self, claims: Mapping[str, Any]) -> Login | None:
        """The login that claims tell of, if it holds; nobody is let in where this cannot be found out."""
        if not claims:
            return None
        try:
            access = load_settings(self.home).access
            return logins_of(self.home, _journal).holding(claims, access) if access.is_on else None
        except VigieError as error:
            get_logger().error("logins cannot be checked", error=str(error))
            return None

    def end(self, claims: Mapping[str, Any]) -> None:
        """End a login; where the journal refuses, the process still remembers it."""
        try:
            logins_of(self.home, _journal).end(claims, self.access)
        except VigieError as error:
            get_logger().error("end of a login not recorded", error=str(error))

    def refused(self, actor: Actor, action: str, about: str) -> None:
        """Record a refusal."""
        try:
            note_refusal(_journal(), actor, action, about)
        except VigieError as error:
            get_logger().error("refusal not recorded", error=str(error))


def _journal() -> Journal:
    from dashboard import reads  # noqa: PLC0415  # Streamlit's caches want its runtime, which is not there at the start

    return reads.journal()


def guard_of(home: Path, address: str) -> Guard:
    """The guard of a dashboard that listens at an address.

    Raises:
        InputError: The settings are not usable, or a secret is missing.
    """
    settings = load_settings(home)
    parts = urlsplit(settings.dashboard_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if settings.access.is_on:
        hosts = frozenset({parts.hostname or "", *_LOOPBACK_HOSTS})
        cookie_secret = secret(settings.access.cookie_secret_env, shortest=SHORTEST_COOKIE_SECRET, needed_by="login")
        return Guard(home, settings.access, origin, hosts, cookie_secret)
    return Guard(home, settings.access, origin, _LOOPBACK_HOSTS if is_loopback(address) else frozenset(), "")

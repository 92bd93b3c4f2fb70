"""The guard of one dashboard: which names it answers to, who has signed in, how much one may ask for at once.

And the way to the provider and back: OpenID Connect with a code, PKCE, state and nonce. What the provider says is read
here, once. The browser leaves with an identifier that says nothing by itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
import html
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from access import REFUSALS, Actor, Login, Person, form_token, logins_of, note_refusal, read_person
from core import settings
from core.errors import VigieError
from core.log import get_logger
from core.settings import AccessSettings, LoadSettings, load_settings, secret
from store.journal import Journal

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
SESSION_COOKIE = "vigie_session"
LOGIN_HEADER = "x-vigie-login"
"""Header in which the gate hands on the login id of a request; taken off every request from outside."""
LONGEST_DEBT = 20.0
"""Seconds that a bucket needs at most to be paid back, however much was asked for."""
LOGIN_PATH, CALLBACK_PATH, LOGOUT_PATH = "/auth/login", "/oauth2callback", "/auth/logout"
"""Where a person sets out, where the provider sends them back to, and where a login ends."""
_PROVIDER_SECONDS = 10.0
_MOST_BUCKETS = 10_000
_Held = TypeVar("_Held")


@dataclass
class Bucket:
    """A token bucket: a rate of messages on average, and a burst (Turner, *IEEE Communications Magazine* 24, 1986).

    Attributes:
        rate: Tokens a second.
        most: Tokens that it holds at most.
        tokens: Tokens that it holds; below zero are tokens promised.
        at: When that was, in seconds of a clock that never goes back.
    """

    rate: float
    most: float
    tokens: float
    at: float

    def take(self, now: float) -> float:
        """Take one token; returns the seconds after which it is there, at most :data:`LONGEST_DEBT`."""
        tokens = min(self.most, self.tokens + (now - self.at) * self.rate) - 1
        self.tokens = max(tokens, -self.rate * LONGEST_DEBT)
        self.at = now
        return max(0.0, -self.tokens / self.rate)


@dataclass(frozen=True)
class Guard:
    """The guard of one dashboard.

    Attributes:
        home: The home folder.
        access: Settings of access when the server started; who has which role is read anew at each question.
        origin: Where people reach the dashboard: ``https://vigie.example.org``.
        own: Names under which this machine reaches it without a proxy: loopback's, and the address it listens at.
        cookie_secret: Key of the cookie on the way to the provider and back, and of forms; empty without a login.
        journal: Gives the journal.
        load: How much may be asked at once.
        clock: Gives the time in seconds that never goes back.
    """

    home: Path
    access: AccessSettings
    origin: str
    own: frozenset[str]
    cookie_secret: str
    journal: Callable[[], Journal]
    load: LoadSettings = field(default_factory=LoadSettings)
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _runs: dict[str, asyncio.Semaphore] = field(default_factory=dict)
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

    def own_cookie(self, name: str) -> str:
        """Return a cookie's name in browsers: over https a ``__Host-`` name, which no neighbouring host can set."""
        return f"__Host-{name}" if self.is_https else name

    def serves(self, host: str) -> bool:
        """Whether a request's ``Host`` is one of ours: a name that an attacker points to this address is not."""
        return host_name(host) in self.hosts

    def trusts(self, origin: str, host: str) -> bool:
        """Whether a page of an origin may speak with us: the dashboard's own, by scheme, name and port.

        On this machine a browser may reach it past the proxy: then the origin is what the request is addressed to.
        """
        return origin == self.origin or (host_name(host) in self.own and origin == f"http://{host}")

    def login(self, login_id: str, *, use: bool = True) -> Login | None:
        """Return a login if it holds; None if that cannot be checked."""
        if not login_id:
            return None
        try:
            return logins_of(self.home, self.journal).valid_login(login_id, load_settings(self.home).access, use=use)
        except VigieError as error:
            get_logger().error("logins cannot be checked", error=str(error))
            return None

    def begin(self, person: Person) -> str:
        """Begin a login; returns the session's identifier.

        Raises:
            StoreError: The journal refuses.
        """
        return logins_of(self.home, self.journal).begin(person, load_settings(self.home).access)

    def end(self, login_id: str) -> None:
        """End a login; where the journal refuses, the process still remembers it."""
        try:
            logins_of(self.home, self.journal).end(login_id, load_settings(self.home).access)
        except VigieError as error:
            get_logger().error("end of a login not recorded", error=str(error))

    def refused(self, actor: Actor, action: str, about: str) -> None:
        """Record a refusal."""
        try:
            note_refusal(self.journal(), actor, action, about)
        except VigieError as error:
            get_logger().error("refusal not recorded", error=str(error))

    def bucket_of_page(self) -> Bucket:
        """Return a bucket for one open page."""
        most = self.load.page_messages_at_once
        return Bucket(self.load.page_messages_per_second, most, most, self.clock())

    def bucket_of(self, who: str, *, is_person: bool = False) -> Bucket:
        """Return the bucket of a person or an address, shared by all their pages, also by later ones."""
        with self._lock:
            most = self.load.person_messages_at_once if is_person else self.load.address_messages_at_once
            return _kept(self._buckets, who, Bucket(self.load.reader_messages_per_second, most, most, self.clock()))

    def runs_of(self, who: str) -> asyncio.Semaphore:
        """Return the places for runs of pages of a person or an address; only for the event loop's own thread."""
        return _kept(self._runs, who, asyncio.Semaphore(self.load.reader_runs_at_once))

    @contextmanager
    def place(self, who: str, most: int) -> Iterator[bool]:
        """Take one of the websockets that a person may hold at once; yield whether one was left."""
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


def _kept(known: dict[str, _Held], who: str, new: _Held) -> _Held:
    """What is known of a reader, moved to the end; the one longest not asked for makes room."""
    known[who] = known.pop(who, new)
    if len(known) > _MOST_BUCKETS:
        del known[next(iter(known))]
    return known[who]


def host_name(host: str) -> str:
    """The name in a ``Host`` header, without its port; empty where it is not just that."""
    try:
        parts = urlsplit(f"//{host}")
        is_plain = parts.netloc == host and parts.username is None and parts.port != 0
        return (parts.hostname or "").rstrip(".") if is_plain else ""
    except ValueError:
        return ""


def guard_of(home: Path, address: str, port: int, journal: Callable[[], Journal]) -> Guard:
    """Return the guard of a dashboard that listens at an address and a port.

    Without ``dashboard_url`` its origin is loopback's at this port, not the default port of the setting.

    Raises:
        InputError: The settings are not usable, or a secret is missing.
    """
    found = load_settings(home)
    is_given = "dashboard_url" in found.model_fields_set
    parts = urlsplit(found.dashboard_url.lower() if is_given else settings.address_of("127.0.0.1", port))
    access, key = found.access, ""
    if access.is_on:
        key = secret(access.cookie_secret_env, shortest=settings.SHORTEST_COOKIE_SECRET, needed_by="login")
    # As a browser writes it: without the port that goes without saying.
    place = parts.netloc.removesuffix({"https": ":443"}.get(parts.scheme, ":80"))
    return Guard(home, access, f"{parts.scheme}://{place}", own_names(address), key, journal, found.load)


def own_names(address: str) -> frozenset[str]:
    """Names under which a server that listens at an address is reached without a proxy."""
    is_one = not settings.is_loopback(address) and address.strip("[]") not in {"", "0.0.0.0", "::"}  # noqa: S104  # compared, not bound
    return LOOPBACK_HOSTS | ({address.strip("[]").lower()} if is_one else set())


def login_routes(guard: Guard) -> list[Route]:
    """Ways in and out of a dashboard with login.

    Raises:
        InputError: The client secret is missing.
    """
    with warnings.catch_warnings(record=True):  # Authlib takes httpx, and warns that it will want httpx2
        from authlib.integrations.starlette_client import OAuth  # noqa: PLC0415  # needed with a login only

    access = guard.access
    client = OAuth().register(
        "vigie",
        client_id=access.client_id,
        client_secret=secret(access.client_secret_env, needed_by="login"),
        server_metadata_url=access.provider,
        client_kwargs={"scope": access.scope, "code_challenge_method": "S256", "timeout": _PROVIDER_SECONDS},
    )
    door = _Door(guard, client, guard.origin + CALLBACK_PATH)
    return [
        Route(LOGIN_PATH, door.leave, methods=["GET"]),
        Route(CALLBACK_PATH, door.come_back, methods=["GET"]),
        Route(LOGOUT_PATH, door.sign_out, methods=["GET", "POST"]),
    ]


@dataclass(frozen=True)
class _Door:
    """Answers at the three addresses of a login.

    Attributes:
        guard: The dashboard's guard.
        client: Authlib's client of the provider.
        way_back: Address to which the provider sends people back.
    """

    guard: Guard
    client: Any
    way_back: str

    async def leave(self, request: Request) -> Response:
        """Send a person to the provider."""
        try:
            answer: Response = await self.client.authorize_redirect(
                request, self.way_back, prompt=self.guard.access.prompt
            )
        except Exception as error:  # whatever a provider answers, it is not the server's end
            get_logger().error("provider not reached", error=type(error).__name__)
            return RedirectResponse("/", 302)
        return answer

    async def come_back(self, request: Request) -> Response:
        """Begin the login of a person whom the provider sent back."""
        guard, back = self.guard, RedirectResponse("/", 302)
        if not request.query_params:  # after signing out at the provider
            return back
        try:
            token = await self.client.authorize_access_token(request)
            current = load_settings(guard.home).access
            person = read_person(token.get("userinfo") or {}, current, dt.datetime.now(dt.UTC))
            await run_in_threadpool(guard.end, request.headers.get(LOGIN_HEADER, ""))
            session_id = await run_in_threadpool(guard.begin, person)
        except Exception as error:  # no answer of this kind is a login
            if count := REFUSALS.due("login not usable"):  # counted, at most one line of the log a minute
                get_logger().warning("logins not usable", count=count, newest=f"{type(error).__name__}: {error}"[:200])
            return back
        _set_cookie(back, guard, session_id, int(guard.access.session_minutes * 60))
        return back

    async def sign_out(self, request: Request) -> Response:
        """End a login here and at the provider."""
        if request.method != "POST":
            return PlainTextResponse("A login ends by the button that pages show.", 405, {"Allow": "POST"})
        guard, login_id = self.guard, request.headers.get(LOGIN_HEADER, "")
        async with request.form(max_files=0, max_fields=2) as form:
            given = str(form.get("token", ""))
        if not login_id or not hmac.compare_digest(given.encode(), form_token(login_id, guard.cookie_secret).encode()):
            return PlainTextResponse("This did not come from a page of ours.", 403)
        await run_in_threadpool(guard.end, login_id)
        try:
            out = (await self.client.create_logout_url(self.way_back, client_id=guard.access.client_id))["url"]
        except Exception:  # the login here ends even if the provider's does not
            out = "/"
        # A policy on forms holds for where they are sent on to, so the page itself leads to the provider.
        page = f'<!doctype html><meta http-equiv="refresh" content="0;url={html.escape(out)}"><title>Vigie</title>'
        answer = HTMLResponse(page)
        _set_cookie(answer, guard, "", 0)
        return answer


def _set_cookie(answer: Response, guard: Guard, value: str, seconds: int) -> None:
    answer.set_cookie(
        guard.own_cookie(SESSION_COOKIE), value, seconds, path="/", secure=guard.is_https, httponly=True, samesite="lax"
    )

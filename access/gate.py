"""What stands before the pages on the wire: no file, message or upload passes without a login that holds.

Streamlit checks who is there when a page connects, and not again; its files and uploads ask nobody. So each request and
each message is checked here, whatever the page does. A cookie that no longer holds is taken away before Streamlit sees
it: the page then finds nobody signed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.audit import note_refusal
from access.headers import content_policy, safe_headers
from access.identity import Login
from access.roles import DOWNLOAD, Actor, may, page_action
from access.sessions import logins_of
from core.errors import VigieError
from core.log import get_logger
from core.settings import SHORTEST_COOKIE_SECRET, AccessSettings, is_loopback, load_settings, secret
from store.journal import Journal

_POLICY_VIOLATION = 1008
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Application:
    """What the gate must know of the program that it stands before.

    Attributes:
        page: HTML with every script that pages run.
        claims: Claims of an identity token, from a request's cookies, the key that signs them, and the origin.
        login_cookies: Beginnings of the names of cookies that stand for a login; the first one holds the claims.
        closed: Paths under which files, messages and uploads pass: not without a login.
        open: Paths below those that everybody may ask for.
        metrics: Path for administrators alone.
        logout: Path that ends a login.
        immutable: Beginning of the paths of files that browsers may keep: their names hold a hash of their content.
        links: Value of the ``Link`` header of the page at a path; empty for none.
    """

    page: str
    claims: Callable[[Mapping[str, str], str, str], Claims]
    login_cookies: tuple[str, ...]
    closed: tuple[str, ...]
    open: frozenset[str]
    metrics: str
    logout: str
    immutable: str
    links: Callable[[str], str]


@dataclass(frozen=True)
class Guard:
    """The guard of one dashboard.

    Attributes:
        home: The home folder.
        access: Settings of access when the server started; who has which role is read anew at each question.
        origin: Where people reach the dashboard: ``https://vigie.example.org``.
        hosts: Names by which it is served; empty: any.
        cookie_secret: Key of cookies; empty where there is no login.
        journal: Gives the journal.
    """

    home: Path
    access: AccessSettings
    origin: str
    hosts: frozenset[str]
    cookie_secret: str
    journal: Callable[[], Journal]

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

    def login(self, claims: Claims) -> Login | None:
        """The login that claims tell of, if it holds; nobody is let in where this cannot be found out."""
        if not claims:
            return None
        try:
            access = load_settings(self.home).access
            return logins_of(self.home, self.journal).valid_login(claims, access) if access.is_on else None
        except VigieError as error:
            get_logger().error("logins cannot be checked", error=str(error))
            return None

    def end(self, claims: Claims) -> None:
        """End a login; where the journal refuses, the process still remembers it."""
        try:
            logins_of(self.home, self.journal).end(claims, self.access)
        except VigieError as error:
            get_logger().error("end of a login not recorded", error=str(error))

    def refused(self, actor: Actor, action: str, about: str) -> None:
        """Record a refusal."""
        try:
            note_refusal(self.journal(), actor, action, about)
        except VigieError as error:
            get_logger().error("refusal not recorded", error=str(error))


def guard_of(home: Path, address: str, journal: Callable[[], Journal]) -> Guard:
    """The guard of a dashboard that listens at an address.

    Raises:
        InputError: The settings are not usable, or a secret is missing.
    """
    settings = load_settings(home)
    parts = urlsplit(settings.dashboard_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if settings.access.is_on:
        hosts = frozenset({parts.hostname or "", *_LOOPBACK_HOSTS})
        key = secret(settings.access.cookie_secret_env, shortest=SHORTEST_COOKIE_SECRET, needed_by="login")
        return Guard(home, settings.access, origin, hosts, key, journal)
    hosts = _LOOPBACK_HOSTS if is_loopback(address) else frozenset()
    return Guard(home, settings.access, origin, hosts, "", journal)


class Gate:
    """ASGI middleware around the dashboard.

    Args:
        app: The dashboard.
        guard: Knows settings, hosts and logins.
        application: What must be known of the dashboard.
    """

    def __init__(self, app: ASGIApp, guard: Guard, application: Application) -> None:
        self._app, self._guard, self._application = app, guard, application
        self._policy = content_policy(application.page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a connection through as far as its login reaches."""
        if scope["type"] == "http":
            await self._http(scope, receive, self._protecting(scope, send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._guard.serves(HTTPConnection(scope).headers.get("host", "")):
            await _answer(400, "This host name is not served here.", scope, receive, send)
            return
        if not self._guard.access.is_on:
            await self._app(scope, receive, send)
            return
        claims, path = self._claims(scope), scope["path"]
        is_metrics = path == self._application.metrics
        login = await run_in_threadpool(self._guard.login, claims)
        if path == self._application.logout and login is not None:
            await run_in_threadpool(self._guard.end, claims)
        if not self._is_closed(path):
            await self._app(scope if login is not None else self._without_login(scope), receive, send)
        elif login is None:
            get_logger().warning("request without login refused", method=scope["method"], path=path[:80])
            await _answer(401, "Sign in first.", scope, receive, send)
        elif not login.actor.roles or (is_metrics and not may(login.actor, page_action("access"))):
            await run_in_threadpool(self._guard.refused, login.actor, "request", path)
            await _answer(403, "Your role does not allow this.", scope, receive, send)
        elif may(login.actor, DOWNLOAD):
            await self._app(scope, receive, send)
        else:

            async def refuse() -> None:
                await run_in_threadpool(self._guard.refused, login.actor, DOWNLOAD, path)
                await _answer(403, "Your role does not allow this.", scope, receive, send)

            await self._app(scope, receive, _RefuseFiles(send, refuse))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._guard.serves(HTTPConnection(scope).headers.get("host", "")):
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        claims = self._claims(scope) if self._guard.access.is_on else {}
        if await run_in_threadpool(self._guard.login, claims) is None:
            await self._app(self._without_login(scope) if self._guard.access.is_on else scope, receive, send)
            return

        async def checked() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and await run_in_threadpool(self._guard.login, claims) is None:
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
            return message

        await self._app(scope, checked, send)

    def _claims(self, scope: Scope) -> Claims:
        cookies = HTTPConnection(scope).cookies
        return self._application.claims(cookies, self._guard.cookie_secret, self._guard.origin)

    def _is_closed(self, path: str) -> bool:
        closed = any(path == one or path.startswith(f"{one}/") for one in self._application.closed)
        return closed and path not in self._application.open

    def _without_login(self, scope: Scope) -> Scope:
        """The same connection without the cookie that stands for a login."""
        cookie = self._application.login_cookies[0].encode()

        def kept(cookies: bytes) -> bytes:
            return b";".join(one for one in cookies.split(b";") if not one.strip().startswith(cookie))

        headers = [(name, kept(value) if name.lower() == b"cookie" else value) for name, value in scope["headers"]]
        return {**scope, "headers": headers}

    def _protecting(self, scope: Scope, send: Send) -> Send:
        guard, policy, application, path = self._guard, self._policy, self._application, scope["path"]
        is_kept, preloads = path.startswith(application.immutable), application.links(path)

        async def protecting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = safe_headers(
                    message.get("headers", []),
                    policy=policy,
                    https=guard.is_https,
                    keep_nothing=guard.access.is_on and not is_kept,
                    cookie_seconds=int(guard.access.session_minutes * 60),
                    login_cookies=application.login_cookies,
                )
                if preloads and any(name == b"content-type" and b"text/html" in value for name, value in headers):
                    headers.append((b"link", preloads.encode()))
                message = {**message, "headers": headers}
            await send(message)

        return protecting


class _RefuseFiles:
    """Passes a response on unless it is a file to keep; then another answer is given."""

    def __init__(self, send: Send, refuse: Callable[[], Awaitable[None]]) -> None:
        self._send, self._refuse, self._is_refused = send, refuse, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in message.get("headers", [])}
            self._is_refused = headers.get(b"content-disposition", b"").startswith(b"attachment")
            if self._is_refused:
                await self._refuse()
        if not self._is_refused:
            await self._send(message)


async def _answer(status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(text, status_code=status)(scope, receive, send)

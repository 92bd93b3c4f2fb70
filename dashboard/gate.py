"""What stands before Streamlit on the wire: no file, message or upload passes without a login that holds.

Streamlit checks who is there when a page connects, and not again; its files and uploads ask nobody. So each request and
each message is checked here, whatever the page does. A cookie that no longer holds is taken away before Streamlit sees
it: the page then finds nobody signed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.log import get_logger
from dashboard.claims import USER_COOKIE, claims_of
from dashboard.guard import Guard
from dashboard.headers import content_policy, safe_headers
from dashboard.language_control import page_scripts
from dashboard.preloads import links
from desk.permissions import DOWNLOAD, may, page_action

_CLOSED = ("/media", "/_stcore", "/component", "/app/static")
"""Paths under which Streamlit hands out or takes what is not part of the empty page."""
_OPEN = {"/_stcore/health", "/_stcore/host-config"}
_METRICS, _LOGOUT = "/_stcore/metrics", "/auth/logout"
_POLICY_VIOLATION = 1008
_WITHOUT_CHARTS = {"/data", "/method", "/access"}


class Gate:
    """ASGI middleware around the dashboard.

    Args:
        app: The dashboard.
        guard: Knows settings, hosts and logins.
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard
        frame = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
        self._policy = content_policy(frame + page_scripts())
        self._links = {charts: links(charts=charts) for charts in (True, False)}

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
        login = await run_in_threadpool(self._guard.login, claims)
        if path == _LOGOUT and login is not None:
            await run_in_threadpool(self._guard.end, claims)
        if not _is_closed(path):
            await self._app(scope if login is not None else without_login(scope), receive, send)
        elif login is None:
            get_logger().warning("request without login refused", method=scope["method"], path=path[:80])
            await _answer(401, "Sign in first.", scope, receive, send)
        elif not login.actor.roles or (path == _METRICS and not may(login.actor, page_action("access"))):
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
            await self._app(without_login(scope) if self._guard.access.is_on else scope, receive, send)
            return

        async def checked() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and await run_in_threadpool(self._guard.login, claims) is None:
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
            return message

        await self._app(scope, checked, send)

    def _claims(self, scope: Scope) -> Mapping[str, Any]:
        return claims_of(HTTPConnection(scope).cookies, self._guard.cookie_secret, self._guard.origin)

    def _protecting(self, scope: Scope, send: Send) -> Send:
        guard, policy, path = self._guard, self._policy, scope["path"]
        is_kept, preloads = path.startswith("/static/"), self._links[path not in _WITHOUT_CHARTS]

        async def protecting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = safe_headers(
                    message.get("headers", []),
                    policy=policy,
                    https=guard.is_https,
                    keep_nothing=guard.access.is_on and not is_kept,
                    cookie_seconds=int(guard.access.session_minutes * 60),
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


def without_login(scope: Scope) -> Scope:
    """The same connection without the cookies that stand for a login."""
    headers = [(name, _without_user(value) if name.lower() == b"cookie" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers}


def _without_user(cookies: bytes) -> bytes:
    kept = [one for one in cookies.split(b";") if not one.strip().startswith(USER_COOKIE.encode())]
    return b";".join(kept)


def _is_closed(path: str) -> bool:
    return path not in _OPEN and any(path == one or path.startswith(f"{one}/") for one in _CLOSED)


async def _answer(status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(text, status_code=status)(scope, receive, send)

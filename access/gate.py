"""What stands before the pages on the wire: no file or message passes without a login that holds.

Streamlit serves files without a check and checks pages once. So each request and each message is checked here, whatever
the page does, and every open page again and again. The gate alone parses cookies: it passes on cookies of known names
and, in a header that it removes from every request, the login id of a session that holds. Host, origin and size are
checked with and without a login. Answers get the headers and cookie flags of OWASP's cheat sheets.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access import DOWNLOAD, REFUSALS, Login, login_id_of, may, page_action
from access.guard import CALLBACK_PATH, LOGIN_HEADER, LOGIN_PATH, SESSION_COOKIE, Bucket, Guard
from core.log import get_logger

MOST_BYTES, MOST_BYTES_UNKNOWN = 1024**2, 64 * 1024
"""A message of a page, and the body of any request."""
MOST_UNKNOWN, MOST_PER_PERSON = 512, 32
"""Websockets at once: from one address without a login (a proxy is one address), and of one person. As many requests as
the first of one reader wait at once; further ones are refused."""
_POLICY_VIOLATION, _TOO_BIG = 1008, 1009
MOST_BODY_SECONDS = 10.0
"""Longest time in which a request's body must have come."""
_LONGEST_WAIT = 10.0
"""Seconds of messages promised from which a reader gets no further page."""
_LONGEST_RUN, _USUAL_RUN = 10.0, 2.0
"""Seconds after which a run that has not ended, or whose answer is not read, gives its place to the next one; and after
which one does whose page was closed: the script runs on, and its end is not seen."""
_LOOK_AFTER = 2.0
"""Seconds after which an open page's login is looked at, whatever its reader does."""
_WAY_SECONDS = 600
_SESSION_ID = re.compile(rb"[\w-]{43}")
_ASKING = frozenset({"GET", "HEAD", "OPTIONS"})
Header = tuple[bytes, bytes]
_POLICY = (
    "default-src 'self'",
    "script-src 'self'{scripts}",
    # Streamlit and Plotly write styles into the page.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_HSTS = "max-age=31536000; includeSubDomains"


@dataclass(frozen=True)
class Application:
    """What the gate must know of the program that it stands before.

    Attributes:
        page: HTML with every script that pages run.
        is_asked_by_page: Whether a websocket's protocols and cookies hold the token that a page of ours was given.
        begins_run: Whether a message of a browser has the server make a page.
        ends_run: Whether a message to a browser is the last one of a page.
        way_cookie: Name of the cookie on the way to the provider and back.
        cookies: Names of the other cookies that are passed on.
        closed: Paths under which files and messages pass: not without a login.
        open: Paths below those that everybody may ask for.
        metered: Paths under which each request waits for a token of its reader.
        never: Paths under which nothing is served.
        metrics: Path for administrators alone.
        immutable: Beginning of the paths of files that browsers may keep: their names hold a hash of their content.
        links: Value of the ``Link`` header of the page at a path; empty for none.
        pages: Paths of pages.
        door: HTML that stands in a page's place before a login, by what the address and the browser ask for as
            language.
    """

    page: str
    is_asked_by_page: Callable[[Sequence[str], Mapping[str, str]], bool]
    begins_run: Callable[[bytes], bool]
    ends_run: Callable[[bytes], bool]
    way_cookie: str
    cookies: frozenset[str]
    closed: tuple[str, ...]
    open: frozenset[str]
    metered: tuple[str, ...]
    never: tuple[str, ...]
    metrics: str
    immutable: str
    links: Callable[[str], str]
    pages: frozenset[str]
    door: Callable[[str, str], str]


class Gate:
    """ASGI middleware around the dashboard."""

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
        if refusal := self._foreign(scope):
            await _answer(*refusal, scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(_body(receive), MOST_BODY_SECONDS)
        except TimeoutError:
            await _answer(408, "This takes too long.", scope, receive, send)
            return
        if body is None:
            await _answer(413, "This is too large.", scope, receive, send)
            return
        receive, path = _given(body, receive), scope["path"]
        cookies = read_cookies(scope)
        login = await self._login(cookies)
        scope = self._handed_on(scope, cookies, login)
        if self._is_slowed(path, login) and not await self._waited(scope, login):
            await _answer(429, "This is too much at once.", scope, receive, send)
        elif not self._guard.access.is_on:
            await self._app(scope, receive, send)
        elif login is None and path in self._application.pages:
            connection = HTTPConnection(scope)
            asked, spoken = connection.query_params.get("lang", ""), connection.headers.get("accept-language", "")
            await HTMLResponse(self._application.door(asked, spoken))(scope, receive, send)
        elif not _is_under(path, self._application.closed) or path in self._application.open:
            await self._app(scope, receive, send)
        elif login is None:
            if count := REFUSALS.due("without login"):
                get_logger().warning("requests without login refused", count=count, newest=path[:80])
            await _answer(401, "Sign in first.", scope, receive, send)
        else:
            await self._closed(login, scope, receive, send)

    def _is_slowed(self, path: str, login: Login | None) -> bool:
        """Whether requests for a path wait for tokens: of their person, or without a login of their address."""
        application = self._application
        if login is not None or not self._guard.access.is_on:
            return _is_under(path, application.metered)
        is_closed = _is_under(path, application.closed) and path not in application.open
        return is_closed or path in application.pages or path in {LOGIN_PATH, CALLBACK_PATH}

    async def _waited(self, scope: Scope, login: Login | None = None) -> bool:
        """Wait for a token of a connection's person or address; False at once where too many of it wait already."""
        guard, who = self._guard, _address_of(scope) if login is None else login.actor.identity
        wait = guard.bucket_of(who, is_person=login is not None).take(guard.clock())
        if not wait:
            return True
        # A client that is refused at once comes again at once, which costs more than one that waits.
        with guard.place(f"waiting {who}", MOST_UNKNOWN) as is_free:
            if is_free:
                await asyncio.sleep(min(wait, _LONGEST_WAIT))
        return is_free

    def _foreign(self, scope: Scope) -> tuple[int, str] | None:
        """Status and text for a request that no page of ours makes; None for one that it may."""
        headers = HTTPConnection(scope).headers
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._guard.serves(host):
            return 400, "This host name is not served here: see dashboard_url."
        if scope["method"] not in _ASKING and origin is not None and not self._guard.trusts(origin, host):
            return 403, "This did not come from a page of ours."
        if _is_under(scope["path"], self._application.never):
            return 404, "Nothing is taken in here."
        return None

    async def _closed(self, login: Login, scope: Scope, receive: Receive, send: Send) -> None:
        """What is for those who have signed in, as far as their roles reach."""
        path, who = scope["path"], login.actor
        is_metrics = path == self._application.metrics

        async def refuse(action: str) -> None:
            await run_in_threadpool(self._guard.refused, who, action, path)
            await _answer(403, "Your role does not allow this.", scope, receive, send)

        if not who.roles or (is_metrics and not may(who, page_action("access"))):
            await refuse("request")
        else:
            passing = send if may(who, DOWNLOAD) else _RefuseFiles(send, partial(refuse, DOWNLOAD))
            await self._app(scope, receive, passing)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        guard, connection = self._guard, HTTPConnection(scope)
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin", "")
        if not guard.serves(host) or not guard.trusts(origin, host):
            await _hang_up("websockets from elsewhere refused", origin[:80], receive, send)
            return
        cookies, login = read_cookies(scope), None
        texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in cookies.items()}
        if guard.access.is_on and self._application.is_asked_by_page(scope["subprotocols"], texts):
            login = await self._login(cookies)
        scope = self._handed_on(scope, cookies, login)
        if guard.access.is_on and login is None:
            await self._waited(scope)
            await _hang_up("websockets without login refused", origin[:80], receive, send)
            return
        who, most = (_address_of(scope), MOST_UNKNOWN) if login is None else (login.actor.identity, MOST_PER_PERSON)
        shared = guard.bucket_of(who, is_person=login is not None)
        with guard.place(who, most) as is_free:
            if not is_free or shared.take(guard.clock()) > _LONGEST_WAIT:
                await self._waited(scope)
                await _hang_up("too many connections at once", who, receive, send)
                return
            watch = asyncio.create_task(self._watch(login, send)) if login is not None else None
            run = _Run(guard.runs_of(who), self._application.ends_run, send)
            inbox = _Inbox(receive, guard.load.page_messages_at_once)
            try:
                await self._app(scope, self._checked(login, shared, run, inbox), run)
            finally:
                run.leave()
                inbox.close()
                if watch is not None:
                    watch.cancel()

    def _checked(self, login: Login | None, shared: Bucket, run: _Run, inbox: _Inbox) -> Receive:
        """Messages of a page, each checked: its size, whether the login still holds, and how many came before it.

        A message waits for its tokens; one that has the server make a page also waits until fewer of its reader's pages
        are being made.
        """
        own = self._guard.bucket_of_page()

        async def checked() -> Message:
            message, is_usual = await inbox.get(), True
            if message["type"] != "websocket.receive":
                return message
            if wait := max(one.take(self._guard.clock()) for one in (own, shared)):
                is_usual = await inbox.reads_during(asyncio.sleep(wait))
            code, content = 0, message.get("bytes") or b""
            if _size(message) > MOST_BYTES:
                code = _TOO_BIG
            elif login is not None and await run_in_threadpool(self._guard.login, login.login_id) is None:
                code = _POLICY_VIOLATION
            elif is_usual and self._application.begins_run(content):
                is_usual = await inbox.reads_during(run.begin())
            if not code and is_usual:
                return message
            if inbox.end is not None:
                return inbox.end
            await run({"type": "websocket.close", "code": code or _POLICY_VIOLATION})
            return {"type": "websocket.disconnect", "code": code or _POLICY_VIOLATION}

        return checked

    async def _watch(self, login: Login, send: Send) -> None:
        """Close the connection if a login ends or its roles change: the page reconnects with its new rights."""
        while True:
            await asyncio.sleep(_LOOK_AFTER)
            now = await run_in_threadpool(partial(self._guard.login, login.login_id, use=False))
            if now is None or now.actor != login.actor:
                with suppress(RuntimeError):  # it was closed meanwhile
                    await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return

    async def _login(self, cookies: Mapping[bytes, bytes]) -> Login | None:
        """The login of the session that a request names, if it names one and it holds."""
        session_id = cookies.get(self._guard.own_cookie(SESSION_COOKIE).encode(), b"")
        if not self._guard.access.is_on or not _SESSION_ID.fullmatch(session_id):
            return None
        return await run_in_threadpool(self._guard.login, login_id_of(session_id.decode("ascii")))

    def _handed_on(self, scope: Scope, cookies: Mapping[bytes, bytes], login: Login | None = None) -> Scope:
        """The connection as the application gets it: known cookies, and the login id in the gate's own header."""
        way = self._application.way_cookie
        names = {one: one for one in self._application.cookies} | {self._guard.own_cookie(way): way}
        passed = [
            b"%s=%s" % (inside.encode(), cookies[outside.encode()])
            for outside, inside in names.items()
            if outside.encode() in cookies
        ]
        taken = {b"cookie", LOGIN_HEADER.encode()}
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in taken]
        if login is not None:
            headers.append((LOGIN_HEADER.encode(), login.login_id.encode()))
        return {**scope, "headers": [*headers, (b"cookie", b"; ".join(passed))]}

    def _protecting(self, scope: Scope, send: Send) -> Send:
        guard, policy, application, path = self._guard, self._policy, self._application, scope["path"]
        is_kept, preloads = path.startswith(application.immutable), application.links(path)

        async def protecting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = safe_headers(
                    message.get("headers", []), policy=policy, https=guard.is_https,
                    keep_nothing=guard.access.is_on and not is_kept, way_cookie=application.way_cookie,
                )  # fmt: skip
                if preloads and any(name == b"content-type" and b"text/html" in value for name, value in headers):
                    headers.append((b"link", preloads.encode()))
                message = {**message, "headers": headers}
            await send(message)

        return protecting


class _Run:
    """The run that makes a page: it has one of its reader's places until the last message of it was sent."""

    def __init__(self, places: asyncio.Semaphore, ends: Callable[[bytes], bool], send: Send) -> None:
        self._places, self._ends, self._send = places, ends, send
        self._timer: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Wait for a place; a page that has one keeps it."""
        if self._timer is None:
            await self._places.acquire()
            self._timer = asyncio.get_running_loop().call_later(_LONGEST_RUN, self.end)

    def end(self) -> None:
        """Give the place back, if there is one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._places.release()

    def leave(self) -> None:
        """Give the place back in a while, if there is one: the page is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(_USUAL_RUN, self.end)

    async def __call__(self, message: Message) -> None:
        with suppress(OSError):  # the browser is gone, as the next message received says; Streamlit would log an error
            await self._send(message)
        if self._timer is not None and self._ends(message.get("bytes") or b""):
            self.end()


class _Inbox:
    """Messages of a page that wait while an earlier one does: few of them, and none once the page is closed.

    Attributes:
        end: The message with which the page was closed meanwhile.
    """

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most = receive, most
        self._waiting = deque[Message]()
        self._next: asyncio.Task[Message] | None = None
        self.end: Message | None = None

    async def get(self) -> Message:
        """Return the next message."""
        if self._waiting:
            return self._waiting.popleft()
        message = await (self._next or self._receive())
        self._next = None
        return message

    async def reads_during(self, work: Coroutine[None, None, None]) -> bool:
        """Read on while work is done; False as soon as the page is closed, or too many of its messages wait."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                self._next = self._next or asyncio.ensure_future(self._receive())
                await asyncio.wait({task, self._next}, return_when=asyncio.FIRST_COMPLETED)
                if self._next.done():
                    message, self._next = self._next.result(), None
                    if message["type"] != "websocket.receive":
                        self.end = message
                        return False
                    self._waiting.append(message)
                    if len(self._waiting) > self._most or sum(map(_size, self._waiting)) > MOST_BYTES:
                        return False
            return True
        finally:
            task.cancel()

    def close(self) -> None:
        """Read no further."""
        if self._next is not None:
            self._next.cancel()


def _size(message: Message) -> int:
    """Size of a message of a page."""
    return len(message.get("bytes") or message.get("text") or "")


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


async def _hang_up(why: str, newest: str, receive: Receive, send: Send) -> None:
    if count := REFUSALS.due(why):
        get_logger().warning(why, count=count, newest=newest)
    await receive()
    await send({"type": "websocket.close", "code": _POLICY_VIOLATION})


def read_cookies(scope: Scope) -> dict[bytes, bytes]:
    """Return the cookies of a request by name, as bytes; a name that is given several times is left out."""
    sent = b";".join(value for name, value in scope["headers"] if name.lower() == b"cookie")
    parts = [part.partition(b"=") for part in sent.split(b";")]
    pairs = [(name.strip(b" \t"), value.strip(b" \t")) for name, _equals, value in parts]
    counts = Counter(name for name, _value in pairs)
    return {name: value for name, value in pairs if counts[name] == 1}


def _address_of(scope: Scope) -> str:
    return f"address {(scope.get('client') or ['?'])[0]}"


def _is_under(path: str, beginnings: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in beginnings)


async def _body(receive: Receive) -> bytes | None:
    """What a request carries; None where it is more than any of ours."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MOST_BYTES_UNKNOWN:
            return None
        if not message.get("more_body", False):
            return body


def _given(body: bytes, receive: Receive) -> Receive:
    """A request's body, read already, and then what comes after it."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return left.pop() if left else await receive()

    return give


def content_policy(page: str) -> str:
    """The policy on content: everything from here, and no script in a page but those that are ours."""
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return "; ".join(_POLICY).format(scripts="".join(f" 'sha256-{one}'" for one in hashes))


def safe_headers(
    given: Iterable[Header], *, policy: str, https: bool, keep_nothing: bool, way_cookie: str
) -> list[Header]:
    """A response's headers with those of protection, and its cookies with their flags.

    Args:
        given: Headers as the application sends them, names in lower case.
        policy: The policy on content.
        https: Whether readers come over https: then cookies are for https alone, and the browser stays with it.
        keep_nothing: Whether browsers and proxies must not keep the response.
        way_cookie: Name of the cookie on the way to the provider and back.
    """
    added = {"content-security-policy": policy, **_ALWAYS, **({"strict-transport-security": _HSTS} if https else {})}
    if keep_nothing:
        added["cache-control"] = "no-store"
    replaced = {name.encode() for name in added} | {b"server"}
    kept = [
        (name, safe_cookie(value, https=https, way_cookie=way_cookie) if name.lower() == b"set-cookie" else value)
        for name, value in given
        if name.lower() not in replaced
    ]
    return kept + [(name.encode(), value.encode()) for name, value in added.items()]


def safe_cookie(cookie: bytes, *, https: bool, way_cookie: str) -> bytes:
    """A ``Set-Cookie`` value with the flags that it lacks, and the way's cookie with a short life."""
    first, *flags = [part.strip() for part in cookie.split(b";")]
    is_of_login = first.partition(b"=")[0] == way_cookie.encode()
    names = {flag.split(b"=")[0].lower() for flag in flags}
    if https and b"secure" not in names:
        flags.append(b"Secure")
    if b"samesite" not in names:
        flags.append(b"SameSite=Lax")
    if is_of_login:
        first = b"__Host-" + first if https else first
        flags = [_shorter(flag) for flag in flags]
        if b"httponly" not in names:
            flags.append(b"HttpOnly")
    return b"; ".join([first, *flags])


def _shorter(flag: bytes) -> bytes:
    name, _, value = flag.partition(b"=")
    if name.lower() != b"max-age" or not value.isdigit():
        return flag
    return b"Max-Age=%d" % min(int(value), _WAY_SECONDS)

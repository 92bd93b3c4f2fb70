"""The one place that speaks HTTP to publishers: patient with a busy one, strict about who answers and with how much.

First contact asks each publisher once, and says what came of it and what to do where something failed. Nothing is
stored: a person with a network runs it first, and sends the report to the maintainers.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import logging
import os
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import anyio
import httpx
import stamina

from core.errors import Message, SourceError, fault_of, message
from core.languages import marked as _
from core.log import ProgressReport, silent
from core.settings import LiveSettings, Settings
from ingest import GZIP, Answer, LiveSource, Pull, Request, SourceAccess
from ingest.sources import chosen_sources, source_access

TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which asking again may help."""
KEPT_HEADERS = ("content-type", "etag", "last-modified", "date")
"""Headers of an answer that are kept."""
_REDIRECTS = 5
_GOOD = frozenset({200, 304})
_FIRST_BYTES = 8192
_HIDDEN = b"[key]"
"""Stands in a kept body where the publisher's answer quotes the key back."""
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,4096}")
# These libraries log whole addresses, and with them a key that a publisher wants in the query.
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.WARNING)


class Client:
    """Asks publishers. Safe to share between threads: each host gets one request at a time, with a pause after it.

    Proxies are taken from the environment (``HTTPS_PROXY``, ``NO_PROXY``), further certificates from
    ``SSL_CERT_FILE``; certificates are always verified. A host that could not be connected to, however often it was
    tried, is not tried again by this client: without a network a night would wait for each of a publisher's addresses.

    Args:
        settings: Limits and names.
        refusal: Called with the source and each refused answer, its body cut to the first bytes.
    """

    def __init__(self, settings: LiveSettings, refusal: Callable[[str, Answer], None] | None = None) -> None:
        self._settings, self._refusal = settings, refusal
        self._largest = int(settings.largest_megabytes * 1_000_000)
        self._pacer = Pacer()
        self._out_of_reach: dict[str, str | Message] = {}
        self._certificates = httpx.create_ssl_context()

    def get(self, request: Request, access: SourceAccess, known: Mapping[str, str] | None = None) -> Answer:
        """Send one request, again where that may help.

        Returns:
            The answer. ``unchanged`` and without a body where the kept one still holds.

        Raises:
            SourceError: No good answer came: the host is not declared, cannot be reached or does not stop failing; the
                status is not expected; the body is empty, cut off, too large or too slow; the token is missing.
        """
        token = _token(access) if request.token_query else ""
        headers = self._headers(access, known or {})
        host = _host(request.url)
        if host in self._out_of_reach:
            raise SourceError(_place(request.url), self._out_of_reach[host])
        attempts = stamina.retry_context(
            on=self._wait_before_retry,
            attempts=self._settings.attempts,
            timeout=None,
            wait_initial=self._settings.first_wait_seconds,
            wait_max=self._settings.longest_wait_seconds,
            wait_jitter=self._settings.first_wait_seconds,
        )
        try:
            for attempt in attempts:
                with attempt, self._pacer.turn(host, access.pause_seconds):
                    return anyio.run(self._limited, request, access, headers, token)
        except _TemporaryError as error:
            tries = self._settings.attempts
            fault = message(_("{fault} ({n} times)"), fault=error.rule, n=tries) if tries > 1 else error.rule
            if error.is_without_connection:
                self._out_of_reach[host] = fault
            raise SourceError(_place(request.url), fault) from None
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _headers(self, access: SourceAccess, known: Mapping[str, str]) -> dict[str, str]:
        agent = self._settings.browser_agent if access.agent == "browser" else self._settings.user_agent
        headers = {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "gzip"}
        marks = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("last-modified")}
        return headers | {name: mark for name, mark in marks.items() if mark}

    def _wait_before_retry(self, error: Exception) -> bool | float:
        if not isinstance(error, _TemporaryError):
            return False
        return True if error.wait is None else max(error.wait, 0.001)

    async def _limited(self, request: Request, access: SourceAccess, headers: Mapping[str, str], token: str) -> Answer:
        """One attempt within the time that an answer may take, however it trickles."""
        seconds, place = self._settings.total_seconds, _place(request.url)
        try:
            with anyio.fail_after(seconds):
                return _without_key(await self._follow(request, access, headers, token), token)
        except TimeoutError:
            raise SourceError(place, _("the answer took longer than {n} seconds"), n=f"{seconds:g}") from None
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise SourceError(place, _("the server's certificate cannot be verified")) from None
            is_without = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise _TemporaryError(place, _transport_fault(error), is_without_connection=is_without) from None
        except (httpx.InvalidURL, httpx.HTTPError, ValueError) as error:
            # A library's text may quote headers, and with them a token: only the kind of error is reported.
            raise SourceError(place, _("cannot be asked: {error}"), error=type(error).__name__) from None

    async def _follow(self, request: Request, access: SourceAccess, headers: Mapping[str, str], token: str) -> Answer:
        limits = httpx.Timeout(self._settings.read_seconds, connect=self._settings.connect_seconds)
        url = request.url  # it is kept and shown without the token, which is added as it is sent
        if request.token_query:
            url += f"{'&' if request.query else '?'}{urlencode({request.token_query: token})}"
        async with httpx.AsyncClient(timeout=limits, verify=self._certificates) as client:
            for _attempt in range(_REDIRECTS + 1):
                _refuse_foreign(url, request, access)
                async with client.stream("GET", url, headers=headers) as response:
                    if not response.has_redirect_location:
                        if self._refusal and response.status_code not in _GOOD | request.expected:
                            first = await _first_bytes(response, self._settings.read_seconds)
                            refused = _answer(request, response, first)
                            self._refusal(access.source_id, _without_key(refused, token))
                        return await self._read(response, request)
                    url = str(response.url.join(response.headers["location"]))
        raise SourceError(_place(request.url), _("redirected more than {n} times"), n=_REDIRECTS)

    async def _read(self, response: httpx.Response, request: Request) -> Answer:
        status, place = response.status_code, _place(request.url)
        if status == HTTPStatus.NOT_MODIFIED:
            return replace(_answer(request, response, b""), unchanged=True)
        shown = f"{status} {httpx.codes.get_reason_phrase(status)}".strip()
        if status in TEMPORARY and status not in request.expected:
            wait, longest = retry_after(response.headers.get("retry-after", "")), self._settings.longest_wait_seconds
            if wait is None or wait <= longest:
                raise _TemporaryError(place, message(_("answered {status}"), status=shown), wait)
            too_long = _("answered {status} and asks to wait {n} seconds; at most {longest} are waited")
            raise SourceError(place, too_long, status=shown, n=f"{wait:.0f}", longest=f"{longest:g}")
        if status != HTTPStatus.OK and status not in request.expected:
            raise SourceError(place, _("answered {status}"), status=shown)
        content = await self._body(response, place)
        if not content and status == HTTPStatus.OK:
            raise SourceError(place, _("the answer is empty"))
        return _answer(request, response, content)

    async def _body(self, response: httpx.Response, place: str) -> bytes:
        too_large = SourceError(place, _("the answer is larger than {n} MB"), n=f"{self._settings.largest_megabytes:g}")
        kind = response.headers.get("content-encoding", "gzip")
        if kind not in ("gzip", "x-gzip", "identity"):
            raise SourceError(place, _("packed as '{kind}', which was not asked for"), kind=kind)
        if int(response.headers.get("content-length", "0")) > self._largest:
            raise too_large
        received = bytearray()
        async for part in response.aiter_raw():
            received += part
            if len(received) > self._largest:
                raise too_large
        content = bytes(received)
        # Some publishers pack without saying so, and some pack twice: the first bytes show it.
        for _attempt in range(2):
            if content.startswith(GZIP):
                try:
                    content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(self._largest + 1)
                except (EOFError, OSError, zlib.error):
                    raise _TemporaryError(place, _("the packed answer was cut off or is damaged")) from None
                if len(content) > self._largest:
                    raise too_large
        return content


class _TemporaryError(SourceError):
    """Asking again may help.

    Args:
        place: Host and path that were asked.
        fault: What happened.
        wait: Seconds that the publisher asks to wait, where it does.
        is_without_connection: Whether the host was not reached at all.
    """

    def __init__(
        self, place: str, fault: str | Message, wait: float | None = None, *, is_without_connection: bool = False
    ) -> None:
        super().__init__(place, fault)
        self.wait, self.is_without_connection = wait, is_without_connection

    def __repr__(self) -> str:
        """What the log says before each further try."""
        return str(self)


def _answer(request: Request, response: httpx.Response, content: bytes) -> Answer:
    kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return Answer(request.url, response.status_code, kept, content, dt.datetime.now(dt.UTC))


def _without_key(answer: Answer, token: str) -> Answer:
    """A publisher that echoes the key, in the body or in a mark of the version, does not have it kept."""
    if not token:
        return answer
    headers = {name: value for name, value in answer.headers.items() if token not in value}
    return replace(answer, content=answer.content.replace(token.encode(), _HIDDEN), headers=headers)


async def _first_bytes(response: httpx.Response, seconds: float) -> bytes:
    """Where a body begins, far enough for a key to stand there whole; what is broken or slow costs nothing."""
    first = b""
    with suppress(httpx.HTTPError), anyio.move_on_after(seconds):
        async for part in response.aiter_bytes():
            first += part
            if len(first) > _FIRST_BYTES:
                break
    return first


def _refuse_foreign(url: str, request: Request, access: SourceAccess) -> None:
    host, place = _host(url), _place(request.url)
    if host in {name.lower() for name in access.maintenance_hosts}:
        raise SourceError(place, _("the publisher is down for maintenance (redirected to {host})"), host=host)
    if host not in access.allowed_hosts:
        fault = _("links or redirects to '{host}', a host that is not declared for {source_id}")
        raise SourceError(place, fault, host=host, source_id=access.source_id)
    schemes = ("https",) if urlsplit(request.url).scheme == "https" else ("http", "https")
    if urlsplit(url).scheme not in schemes:
        raise SourceError(place, _("redirected to what is no web address, or away from an encrypted one"))


def _token(access: SourceAccess) -> str:
    token = os.environ.get(access.token, "") if access.token else ""
    if not token:
        raise SourceError(access.source_id, _("needs a key: set {name}"), name=access.token or "its token")
    if not _PRINTABLE.fullmatch(token):
        raise SourceError(access.source_id, _("the key in {name} holds characters that no key has"), name=access.token)
    return token


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def _transport_fault(error: httpx.TransportError) -> str | Message:
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return _("no connection in time")
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return _("the answer stopped arriving")
    if isinstance(error, httpx.RemoteProtocolError):
        return _("the answer was cut off")
    return message(_("cannot be reached ({error})"), error=type(error).__name__)


class Pacer:
    """Lets one request at a time through to a host, with a pause after each."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}
        self._ended: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, pause: float) -> Iterator[None]:
        """Wait for the host to be free, and for ``pause`` seconds to have passed since its last request."""
        with self._locks.setdefault(host, threading.Lock()):
            left = self._ended.get(host, -pause) + pause - time.monotonic()
            if left > 0:
                time.sleep(left)
            try:
                yield
            finally:
                self._ended[host] = time.monotonic()


def retry_after(text: str) -> float | None:
    """Seconds that the header ``Retry-After`` asks for (RFC 9110, 10.2.3); None where it says nothing usable."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
    return max((aware - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)


OK, NOT_ASKED, UNREACHABLE, UNRECOGNISED, IN_PART = "ok", "not asked", "not reachable", "not recognised", "in part"
NOT_READY = "not ready"
_SHOWN_BYTES = 200
_TRIES = 2
"""A person waits for this, and may run it again: a question is repeated once, not as often as a night would."""
_LATER = "ask again later; the former figures stand"
_ADVICE = {
    "needs a key": "set the key in the environment, or leave the source out (exclude_sources)",
    "cannot be reached|no connection in time": "check the network, HTTPS_PROXY and SSL_CERT_FILE",
    "certificate": "give the certificates of your network in SSL_CERT_FILE",
    "again later|cut off|damaged|(answer|file) is empty|stopped arriving|took longer|maintenance|in time"
    "|answered (202|204|408|425|429|5)": _LATER,
    "answered 401": "check the key",
    "answered 403": 'the publisher refuses this agent: set agent = "browser" under live.sources',
    "answered 404": "the address moved: set addresses under live.sources, and inform the maintainers",
    "is not declared": "the publisher moved to another host: look at it, then add it to hosts under live.sources",
}
"""What to do, by a pattern of the fault; the first one that matches counts."""
_LAYOUT = "the layout changed: send this report to the maintainers; the former figures stand"


@dataclass
class Contact:
    """What came of asking one publisher.

    Attributes:
        source_id: The source.
        state: ``ok``, ``in part``, ``not asked``, ``not reachable``, ``not ready`` (ask again later) or ``not
            recognised`` (the layout changed).
        newest: Newest period in the answers.
        rows: Figures in them.
        seconds: How long it took.
        todo: What to do; empty where there is nothing.
        faults: What went wrong.
        answers: Address, status, headers and first bytes of each answer, the refused ones too; never a key.
        unconfirmed: Fields of its access that are not confirmed.
    """

    source_id: str
    state: str = OK
    newest: str = ""
    rows: int = 0
    seconds: float = 0.0
    todo: str = ""
    faults: list[str] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a person must look."""
        return self.state in (UNREACHABLE, NOT_READY, UNRECOGNISED, IN_PART)

    def line(self) -> str:
        """One row of the table for a person."""
        reached, layout = _SHOWN[self.state]
        reached = "refused" if reached == "no" and self.answers else reached
        figures = f"{self.newest:11} {self.rows:>8,} {self.seconds:>7.1f}"
        return f"{self.source_id:22} {reached:9} {layout:10} {figures}  {self.todo}".rstrip()


_SHOWN = {
    OK: ("yes", "yes"), IN_PART: ("yes", "in part"), UNRECOGNISED: ("yes", "no"), UNREACHABLE: ("no", "-"),
    NOT_READY: ("later", "-"),
    NOT_ASKED: ("not asked", "-"),
}  # fmt: skip
HEADER = f"{'source':22} {'reachable':9} {'layout':10} {'newest':11} {'rows':>8} {'seconds':>7}  what to do"


def check_sources(
    settings: Settings, source_ids: Iterable[str] = (), *, live: bool, progress: ProgressReport = silent
) -> list[Contact]:
    """Ask each publisher once, several at a time; with ``live`` off, only say who would be asked.

    Raises:
        InputError: A source is unknown or cannot be asked, or the settings are wrong.
    """
    access = source_access(settings.live.sources)
    named = list(source_ids)
    chosen = chosen_sources(named, settings.exclude_sources)
    found = {name: Contact(name, unconfirmed=list(access[name].unconfirmed)) for name in chosen}
    for name, contact in found.items():
        reason = access[name].why_not_asked if not named else ""
        if reason or not live:
            contact.state, contact.todo = NOT_ASKED, reason or "ask with --live"
    asked = {name: chosen[name] for name, contact in found.items() if contact.state == OK}
    tries = {"attempts": min(settings.live.attempts, _TRIES)}
    client = Client(
        settings.live.model_copy(update=tries), lambda name, answer: found[name].answers.append(_described(answer))
    )
    with ThreadPoolExecutor(settings.live.parallel, thread_name_prefix="source") as pool:
        visits = [pool.submit(_ask, source, access[name], client, found[name]) for name, source in asked.items()]
        for done, visit in enumerate(visits, start=1):
            visit.result()
            progress(_("Asking publishers"), done, len(asked))
    return list(found.values())


def _ask(source: LiveSource, access: SourceAccess, client: Client, contact: Contact) -> None:
    begun = time.monotonic()
    good: list[str] = []

    def ask(request: Request) -> Answer:
        answer = client.get(request, access)
        contact.answers.append(_described(answer))
        good.append(answer.url)
        return answer

    pull = Pull(access, ask, dt.datetime.now(dt.UTC).date(), time.sleep)
    try:
        files = source.download(pull)
    except Exception as error:  # whatever a publisher does, the others are asked
        contact.state, files = UNRECOGNISED if good else UNREACHABLE, []
        contact.faults.append(str(fault_of(error)))
    contact.faults += [str(error.message) for error in pull.failures]
    periods: list[str] = []
    for file in files:
        try:
            rows = source.parse(file).observations
        except Exception as error:  # as above
            contact.faults.append(str(fault_of(error)))
        else:
            contact.rows += len(rows)
            periods.append(str(rows["time_period"].max()))
    contact.newest = max(periods, default="")
    if contact.state == OK and contact.faults:
        contact.state = IN_PART if contact.rows else UNRECOGNISED
    contact.seconds = round(time.monotonic() - begun, 1)
    if contact.faults:
        advice = (text for sign, text in _ADVICE.items() if re.search(sign, contact.faults[0]))
        contact.todo = next(advice, _LAYOUT)
    if contact.todo == _LATER and contact.state != IN_PART:
        contact.state = NOT_READY


def _described(answer: Answer) -> dict[str, Any]:
    first = answer.content[:_SHOWN_BYTES].decode("utf-8", "replace")
    return {
        "url": answer.url, "status": answer.status, "headers": dict(answer.headers), "bytes": len(answer.content),
        "first": first, "received": answer.received.isoformat(timespec="seconds"),
    }  # fmt: skip

"""Whom the gate lets through and how far, without a server: by login, role, size and number of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

import access
from access import REFUSED, ROLES, Refusals, gate, login_id_of
from access.gate import MOST_BYTES, MOST_BYTES_UNKNOWN, Application, Gate
from access.guard import LOGIN_HEADER, Guard, own_names
from core.settings import LoadSettings, load_settings
from store.journal import Journal

from .wire import COOKIE, PATIENCE, session_of

BASE, HOST = "http://127.0.0.1:8501", b"127.0.0.1:8501"
ANONYMOUS, POLICY_VIOLATION, TOO_BIG = "", 1008, 1009
MORE_ROLES = '[access.people]\n"ada@example.org" = ["manager"]\n'
WEBSOCKET = {"type": "websocket", "path": "/closed", "client": ("10.0.0.1", 1)}
APPLICATION = Application(
    page="", is_asked_by_page=lambda protocols, _cookies: "ours" in protocols, way_cookie="way",
    begins_run=lambda message: message == b"run", ends_run=lambda message: message == b"end",
    cookies=frozenset({"token"}), closed=("/closed",), metered=("/closed/table",),
    open=frozenset({"/closed/open"}), never=("/never",), metrics="/closed/metrics", immutable="/kept/",
    links=lambda _path: "", pages=frozenset({"/page"}), door=lambda asked, spoken: f"door {asked} {spoken}",
)  # fmt: skip


class House:
    """A gate, what stands behind it, and what has come through."""

    def __init__(self, home: Path, journal: Journal, *, login: bool = True) -> None:
        access = f'[access]\nprovider = "{BASE}/none"\nclient_id = "vigie"\n' if login else ""
        (home / "settings.toml").write_text(f'dashboard_url = "{BASE}"\n{access}')
        self.home, self.journal, self.reached, self.heard = home, journal, list[Scope](), list[str]()
        access_settings = load_settings(home).access
        self.guard = Guard(home, access_settings, BASE, own_names("127.0.0.1"), "x", lambda: journal)
        self.gate = Gate(self._behind, self.guard, APPLICATION)
        self.on_message: Callable[[], object] = lambda: None

    async def _behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope)
        if scope["type"] == "websocket":
            while (message := await receive())["type"] != "websocket.disconnect":
                if message["type"] == "websocket.receive":
                    self.heard.append(message["text"])
                    self.on_message()
            return
        body = await Request(scope, receive).body()
        headers = {"content-disposition": "attachment; filename=x"} if scope["path"].endswith(".csv") else None
        await PlainTextResponse(f"{len(body)}", headers=headers)(scope, receive, send)

    def ask(
        self,
        path: str,
        session: str = ANONYMOUS,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> int:
        """Status of the answer to one request."""

        async def get() -> int:
            transport = httpx.ASGITransport(self.gate)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                sent = {**({"Cookie": f"{COOKIE}={session}"} if session else {}), **(headers or {})}
                return (await client.request(method, path, headers=sent, content=body)).status_code

        return asyncio.run(get())

    def connect(
        self,
        session: str = ANONYMOUS,
        *messages: str,
        protocol: str = "ours",
        origin: str = BASE,
        until_closed: bool = False,
    ) -> list[int]:
        """Codes with which the gate hangs up on a page that sends some messages and leaves, or waits to be left."""
        left = [{"type": "websocket.connect"}, *({"type": "websocket.receive", "text": one} for one in messages)]
        codes: list[int] = []

        async def talk() -> None:
            closed = asyncio.Event()

            async def receive() -> Message:
                if left:
                    return left.pop(0)
                if until_closed:
                    await asyncio.wait_for(closed.wait(), PATIENCE)
                return {"type": "websocket.disconnect", "code": 1000}

            async def send(message: Message) -> None:
                codes.append(message["code"])
                closed.set()

            cookie = f"{COOKIE}={session}".encode()
            headers = [(b"host", HOST), (b"origin", origin.encode()), (b"cookie", cookie)]
            await self.gate({**WEBSOCKET, "headers": headers, "subprotocols": [protocol]}, receive, send)

        asyncio.run(talk())
        return codes


@pytest.fixture
def house(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> House:
    """A dashboard with login that has just started."""
    monkeypatch.setattr(access, "_OF_PROCESS", {})
    for module in (access, gate):
        monkeypatch.setattr(module, "REFUSALS", Refusals())
    return House(tmp_path, journal)


@pytest.mark.parametrize(
    ("path", "anonymous", "no_role", "viewer", "analyst", "administrator"),
    [
        ("/", 200, 200, 200, 200, 200), ("/closedness", 200, 200, 200, 200, 200),
        ("/closed/open", 200, 200, 200, 200, 200), ("/closed", 401, 403, 200, 200, 200),
        ("/closed/x", 401, 403, 200, 200, 200), ("/closed/x.csv", 401, 403, 403, 200, 403),
        ("/closed/metrics", 401, 403, 403, 403, 200), ("/never/x", 404, 404, 404, 404, 404),
    ],
)  # fmt: skip
def test_request_passes_as_far_as_its_login_reaches(
    house: House, path: str, anonymous: int, no_role: int, viewer: int, analyst: int, administrator: int
) -> None:
    who = [ANONYMOUS, *(session_of(house.home, "ada", roles=roles) for roles in ((), *((one,) for one in ROLES)))]
    given = [house.ask(path, session) for session in who]
    assert given == [anonymous, no_role, viewer, analyst, analyst, administrator]
    refused = [row.payload["action"] for row in house.journal.entries(action=REFUSED)]
    assert bool(refused) == (403 in given)


def test_without_login_of_its_own_dashboard_asks_anonymous(tmp_path: Path, journal: Journal) -> None:
    house = House(tmp_path, journal, login=False)
    paths = ("/", "/closed/x", "/closed/x.csv", "/closed/metrics", "/never/x")
    assert [house.ask(path) for path in paths] == [200, 200, 200, 200, 404]
    assert house.connect(ANONYMOUS, "a" * MOST_BYTES, protocol="none") == []
    assert [len(text) for text in house.heard] == [MOST_BYTES]


@pytest.mark.parametrize(
    ("method", "origin", "status"),
    [
        ("POST", BASE, 200), ("POST", "http://evil.example.org", 403), ("PUT", "null", 403),
        ("GET", "http://evil.example.org", 200), ("HEAD", "null", 200), ("OPTIONS", "null", 200),
    ],
)  # fmt: skip
def test_page_from_elsewhere_may_ask_and_change_nothing(house: House, method: str, origin: str, status: int) -> None:
    assert house.ask("/", method=method, headers={"Origin": origin}) == status
    assert house.ask("/", method=method) == 200  # no page at all: a program says so of itself


@pytest.mark.parametrize("size", [0, 1, MOST_BYTES_UNKNOWN, MOST_BYTES_UNKNOWN + 1, 10 * MOST_BYTES_UNKNOWN])
def test_body_over_its_limit_is_rejected(house: House, size: int) -> None:
    fits = size <= MOST_BYTES_UNKNOWN
    assert house.ask("/", method="POST", body=b"x" * size) == (200 if fits else 413)
    assert len(house.reached) == fits


def behind(house: House, *cookies: bytes, secure: bool = False) -> tuple[bytes, bytes]:
    """The cookies and the login id that a request with these ``Cookie`` headers has behind the gate."""
    guard = replace(house.guard, origin=BASE.replace("http:", "https:")) if secure else house.guard
    scope = {
        "type": "http", "method": "GET", "path": "/",
        "headers": [(b"host", HOST), (b"X-Vigie-Login", b"of the browser"), *((b"cookie", one) for one in cookies)],
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(_message: Message) -> None:
        pass

    asyncio.run(Gate(house._behind, guard, APPLICATION)(scope, receive, send))
    headers = [(name.lower(), value) for name, value in house.reached[-1]["headers"]]
    ids = [value for name, value in headers if name == LOGIN_HEADER.encode()]
    return dict(headers)[b"cookie"], b" ".join(ids)


@pytest.mark.parametrize(
    ("sent", "passed", "is_in"),
    [
        ((b"vigie_session=%b",), b"", True), ((b"a=b; vigie_session = %b ;token=1",), b"token=1", True),
        ((b"token=1; token=2; vigie_session=%b",), b"", True), ((b"vigie_session=%b; vigie_session=%b",), b"", False),
        ((b"vigie_session=%b", b"vigie_session=%b"), b"", False), ((b"vigie_session=%b=",), b"", False),
        ((b"xvigie_session=%b",), b"", False), ((b"VIGIE_SESSION=%b",), b"", False),
        ((b"vigie_session=made up",), b"", False), ((), b"", False),
    ],
)  # fmt: skip
def test_application_gets_known_cookies_and_login_id_alone(
    house: House,
    sent: tuple[bytes, ...],
    passed: bytes,
    is_in: bool,  # noqa: FBT001  # a case of a table
) -> None:
    ada = session_of(house.home, "ada", roles=("viewer",)).encode()
    found = behind(house, *(one.replace(b"%b", ada) for one in sent))
    assert found == (passed, login_id_of(ada.decode()).encode() if is_in else b"")


@given(name=st.binary(max_size=20), before=st.binary(max_size=2), after=st.binary(max_size=2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(name=b"vigie_session", before=b"\xa0", after=b"")
@example(name=b"vigie_session", before=b"", after=b"\x85")
@example(name=b"vigie_session", before=b"\x0b", after=b"")
def test_cookie_name_with_any_byte_brings_no_session_behind_gate(
    house: House, name: bytes, before: bytes, after: bytes
) -> None:
    whole = before + name + after
    assume(whole.strip(b" \t") not in {b"vigie_session", b"token", b"way"} and not set(whole) & set(b";="))
    ada = session_of(house.home, "ada", roles=("viewer",)).encode()
    assert behind(house, b"%b=%b" % (whole, ada)) == (b"", b"")


def test_websocket_has_login_only_with_token_of_its_page(house: House) -> None:
    ada = session_of(house.home, "ada", roles=("viewer",))
    seen = []
    for protocol, session in (("ours", ada), ("other", ada), ("ours", "made up"), ("ours", ANONYMOUS)):
        seen.append(house.connect(session, protocol=protocol))
    assert seen == [[], *[[POLICY_VIOLATION]] * 3]
    assert house.connect(ada, origin="http://evil.example.org") == [POLICY_VIOLATION]
    assert [dict(one["headers"])[LOGIN_HEADER.encode()].decode() for one in house.reached] == [login_id_of(ada)]


def test_message_over_its_limit_ends_connection(house: House) -> None:
    session = session_of(house.home, "ada", roles=("viewer",))
    assert house.connect(session, "a", "a" * MOST_BYTES) == []
    assert house.connect(session, "a", "a" * (MOST_BYTES + 1), "a") == [TOO_BIG]
    assert [len(text) for text in house.heard] == [1, MOST_BYTES, 1]


class Talk:
    """One open page, message by message, on a gate whose application ends a run on request."""

    def __init__(self, house: House, session: str) -> None:
        self.given, self.heard = asyncio.Queue[Message](), list[bytes]()
        headers = [(b"host", HOST), (b"origin", BASE.encode()), (b"cookie", f"{COOKIE}={session}".encode())]
        scope = {**WEBSOCKET, "headers": headers, "subprotocols": ["ours"]}
        self.ends = asyncio.Event()
        behind = Gate(self._behind, house.guard, APPLICATION)
        self.task = asyncio.create_task(behind(scope, self.given.get, self._send))

    async def _send(self, _message: Message) -> None:
        raise OSError("the browser is gone: nothing of this reaches the application")

    async def _behind(self, _scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            self.heard.append(message["bytes"])
            if message["bytes"] == b"end":
                await send({"type": "websocket.send", "bytes": b"end"})

    async def say(self, content: bytes) -> None:
        """Send a message and let the gate work."""
        self.given.put_nowait({"type": "websocket.receive", "bytes": content})
        await settled()

    async def leave(self) -> None:
        """Close the page, and wait until the gate is done with it."""
        self.given.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task


async def settled() -> None:
    """Return once the gate has nothing to do but wait; its questions to the journal run in threads."""
    for _turn in range(50):
        await asyncio.sleep(0.005)


def test_as_many_pages_of_reader_are_made_at_once_as_set(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < gate._USUAL_RUN < gate._LONGEST_RUN
    monkeypatch.setattr(gate, "_USUAL_RUN", 0.5)
    house.guard = replace(house.guard, load=LoadSettings(reader_runs_at_once=1))
    ada, ben = (session_of(house.home, who, roles=("viewer",)) for who in ("ada", "ben"))

    async def talk() -> None:
        first, second, of_other = (Talk(house, one) for one in (ada, ada, ben))
        for one in (first, second, of_other):
            await one.say(b"run")
        assert [one.heard for one in (first, second, of_other)] == [[b"run"], [], [b"run"]]
        await first.say(b"run")
        assert first.heard == [b"run", b"run"], "a page that is being made may begin anew"
        await first.say(b"end")
        assert second.heard == [b"run"]
        await first.say(b"run")
        assert first.heard[-1] == b"end"
        await second.leave()
        assert first.heard[-1] == b"end", "the script of a closed page runs on"
        while first.heard[-1] != b"run":
            await settled()
        for one in (first, of_other):
            await one.leave()

    asyncio.run(talk())


@pytest.mark.parametrize(("size", "fit"), [(1, 3), (MOST_BYTES // 2, 2)])
def test_page_with_too_many_messages_waiting_is_hung_up_on(house: House, size: int, fit: int) -> None:
    house.guard = replace(house.guard, load=LoadSettings(page_messages_at_once=3, page_messages_per_second=0.01))

    async def talk() -> None:
        page = Talk(house, session_of(house.home, "ada", roles=("viewer",)))
        for _message in range(4 + fit):
            await page.say(b"a" * size)
        assert (len(page.heard), page.task.done()) == (3, False)
        await page.say(b"a")
        assert page.task.done()
        assert len(page.heard) == 3, "what waited is dropped"

    asyncio.run(talk())


def test_run_that_does_not_end_gives_its_place_to_next(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gate._LONGEST_RUN <= 10
    monkeypatch.setattr(gate, "_LONGEST_RUN", 0.01)
    house.guard = replace(house.guard, load=LoadSettings(reader_runs_at_once=1))
    ada = session_of(house.home, "ada", roles=("viewer",))

    async def talk() -> None:
        first, second = Talk(house, ada), Talk(house, ada)
        for one in (first, second):
            await one.say(b"run")
        await settled()
        assert second.heard == [b"run"]
        for one in (first, second):
            await one.leave()

    asyncio.run(talk())


def test_anonymous_requests_wait_for_their_address(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = LoadSettings(reader_messages_per_second=2, address_messages_at_once=3)
    guard = replace(house.guard, load=limits, clock=lambda: 0.0)
    house.gate, ada = Gate(house._behind, guard, APPLICATION), session_of(house.home, "ada", roles=("viewer",))
    waits, real = list[float](), asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert [house.ask(path) for path in ("/page", "/closed/x", "/page", "/page")] == [200, 401, 200, 200]
    assert [house.connect() for _socket in range(4)] == [[POLICY_VIOLATION]] * 4
    assert [one for one in waits if one] == [0.5, 0.5], "each address waits by itself"
    monkeypatch.setattr(gate, "MOST_UNKNOWN", 0)
    assert [house.ask("/page"), house.ask("/page", ada), house.ask("/closed/open")] == [429, 200, 200]


@pytest.mark.parametrize("login", [False, True])
def test_tables_wait_for_tokens_of_their_reader(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, *, login: bool
) -> None:
    house = House(tmp_path, journal, login=login)
    limits = LoadSettings(reader_messages_per_second=1, person_messages_at_once=2, address_messages_at_once=2)
    house.gate = Gate(house._behind, replace(house.guard, load=limits, clock=lambda: 0.0), APPLICATION)
    monkeypatch.setattr(gate, "MOST_UNKNOWN", 0)
    ada, ben = (session_of(tmp_path, who, roles=("analyst",)) if login else "" for who in ("ada", "ben"))
    assert [house.ask("/closed/table/x", ada) for _request in range(3)] == [200, 200, 429]
    assert house.ask("/closed/table/x", ben) == (200 if login else 429), "each person waits alone"
    assert house.ask("/closed/x", ada) == 200


def test_page_closes_when_login_ends_or_roles_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gate._LOOK_AFTER <= 2
    monkeypatch.setattr(gate, "_LOOK_AFTER", 0.01)
    settings, ada = house.home / "settings.toml", session_of(house.home, "ada", roles=("viewer",))
    assert house.connect(ada, "a") == []
    monkeypatch.setattr(house, "on_message", lambda: settings.write_text(f"{settings.read_text()}{MORE_ROLES}"))
    assert house.connect(ada, "b", until_closed=True) == [POLICY_VIOLATION]
    monkeypatch.setattr(house, "on_message", lambda: house.guard.end(login_id_of(ada)))
    monkeypatch.setattr(gate, "_LOOK_AFTER", 60)
    assert house.connect(ada, "c", "d", "e") == [POLICY_VIOLATION]
    assert house.heard == ["a", "b", "c"]


def test_body_that_does_not_come_in_time_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gate.MOST_BODY_SECONDS <= 10
    monkeypatch.setattr(gate, "MOST_BODY_SECONDS", 0.01)
    statuses = list[int]()

    async def receive() -> Message:
        await asyncio.sleep(PATIENCE)
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", HOST)]}
    asyncio.run(house.gate(scope, receive, send))
    assert statuses[0] == 408


def test_pages_of_reader_share_a_bucket(house: House) -> None:
    limits = LoadSettings(reader_messages_per_second=1, person_messages_at_once=1)
    guard = replace(house.guard, load=limits, clock=lambda: 0.0)
    house.gate = Gate(house._behind, guard, APPLICATION)
    ada, ben = (session_of(house.home, who, roles=("viewer",)) for who in ("ada", "ben"))
    for _promised in range(12):
        guard.bucket_of("https://login.example.org|id-ada", is_person=True).take(0.0)
    assert [house.connect(one) for one in (ada, ben)] == [[POLICY_VIOLATION], []]

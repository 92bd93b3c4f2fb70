"""A reader without a browser: plain HTTP, and Streamlit's own messages over a bare websocket."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httpx
import pytest
from google.protobuf.message import Message  # type: ignore[import-untyped]  # it publishes no types
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from access import Person, actor_of, login_id_of, note_login
from access.guard import SESSION_COOKIE
from core.settings import AccessSettings
from store.journal import Journal, journal_url
from tests.reader import answers

COOKIE, XSRF = SESSION_COOKIE, "_streamlit_xsrf"
ISSUER = "https://login.example.org"
PATIENCE = 600.0
DOOR = "Sign in to read Vigie"


def session_of(home: Path, who: str, *, roles: tuple[str, ...] = (), minutes_ago: float = 0) -> str:
    """The identifier of a session that the callback would have begun for a person.

    Args:
        home: Home folder of the dashboard.
        who: First part of the mail address.
        roles: Values of the claim of roles.
        minutes_ago: When it began.
    """
    access = AccessSettings(provider=f"{ISSUER}/.well-known/openid-configuration", client_id="vigie")
    person, session_id = Person(f"{who}@example.org", f"{ISSUER}|id-{who}", roles), secrets.token_urlsafe(32)
    at = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes_ago)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("store.journal.now", lambda: at)
        journal = Journal(journal_url("", home))
        note_login(journal, login_id_of(session_id), person, actor_of(person, access))
        journal.close()
    return session_id


@dataclass
class Visit:
    """One websocket session.

    Attributes:
        socket: The connection.
        seen: Everything that the server has sent.
    """

    socket: ClientConnection
    seen: list[ForwardMsg] = field(default_factory=list)

    def open(self, page: str = "", query: str = "") -> str:
        """Ask for a page by its address; returns all texts that the run sends."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = query
        return self.send(message)

    def send(self, message: BackMsg) -> str:
        """Send a message and read until the script has run; returns all texts that came."""
        texts: list[str] = []
        for answer in answers(self.socket, message):
            self.seen.append(answer)
            texts.extend(strings(answer))
        return "\n".join(texts)

    @property
    def session(self) -> str:
        """The session's identifier."""
        found = next(one for one in self.seen if one.HasField("new_session"))
        return str(found.new_session.initialize.session_id)

    def request_file(self, file_id: str, session: str = "") -> tuple[str, str]:
        """Ask for a file that a button promised; returns its address and the error."""
        message = BackMsg()
        message.backend_operation_request.session_id = session or self.session
        message.backend_operation_request.deferred_file.file_id = file_id
        response = self.answer(message)
        return response.deferred_file.url, response.error_msg

    def answer(self, message: BackMsg) -> BackendOperationResponse:
        """Ask the server to do something outside the page; returns its answer."""
        message.backend_operation_request.request_id = "r"
        self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self.socket.recv(timeout=PATIENCE, decode=False))
            if answer.WhichOneof("type") == "backend_operation_response":
                return answer.backend_operation_response

    def is_closed(self) -> bool:
        """Whether the server has hung up with a violation of policy."""
        try:
            while True:
                self.socket.recv(timeout=PATIENCE)
        except ConnectionClosed as closed:
            return closed.rcvd is not None and closed.rcvd.code == 1008

    def promised_files(self) -> dict[str, str]:
        """File identifiers by label of the buttons that promise a file."""
        buttons = [one.delta.new_element.download_button for one in self.seen if one.HasField("delta")]
        return {one.label: one.deferred_file_id for one in buttons if one.deferred_file_id}


class Outside(Visit):
    """A reader before a login: pages come by HTTP alone."""

    def __init__(self, base: str, headers: Mapping[str, str]) -> None:
        super().__init__(cast("ClientConnection", None))
        self._base, self._headers = base, {name.encode(): value.encode("latin-1") for name, value in headers.items()}

    def open(self, page: str = "", query: str = "") -> str:
        """Ask for a page by its address; returns its HTML."""
        path = "" if page == "overview" else page
        return httpx.get(f"{self._base}/{path}?{query}", headers=self._headers, timeout=PATIENCE).text


@contextmanager
def visit(
    base: str, cookie: str = "", *, origin: str | None = "", token: str | None = "", session: str = "",
    headers: Mapping[str, str] | None = None, cookies: str = "",
) -> Iterator[Visit]:  # fmt: skip
    """A websocket session.

    Args:
        base: Address of the dashboard.
        cookie: Value of the login's cookie.
        origin: Value of ``Origin``; empty: the dashboard's; None: none.
        token: The token against forged requests; empty: a good one; None: none.
        session: A session to go on with.
        headers: Further headers.
        cookies: Further cookies, as they are.
    """
    good = generate_xsrf_token_string()
    sent = good if token == "" else token
    cookies = "; ".join(filter(None, (f"{XSRF}={good}", cookie and f"{COOKIE}={cookie}", cookies)))
    protocols = [Subprotocol(one) for one in ("streamlit", sent or "", session) if one]
    try:
        socket = connect(
            f"ws://{urlsplit(base).netloc}/_stcore/stream",
            subprotocols=protocols,
            origin=base if origin == "" else origin,  # type: ignore[arg-type]  # a text is an origin
            additional_headers={"Cookie": cookies, **(headers or {})},
            max_size=None,
            open_timeout=PATIENCE,
        )
    except InvalidStatus:
        # Without a valid login the door is shown and no websocket is opened.
        outside = Outside(base, {"Cookie": cookies, **(headers or {})})
        if origin != "" or DOOR not in outside.open():
            raise
        yield outside
        return
    with socket:
        yield Visit(socket)


def strings(message: Message) -> Iterator[str]:
    """Every text within a message."""
    for descriptor, value in message.ListFields():
        values = value if not isinstance(value, str | bytes | int | float | Message) else [value]
        for one in values.values() if isinstance(values, Mapping) else values:
            if isinstance(one, Message):
                yield from strings(one)
            elif isinstance(one, str):
                yield one
            elif isinstance(one, bytes) and descriptor.name != "data":
                yield one.decode("utf-8", "replace")

"""Every part of Streamlit that is no documented interface and that Vigie rests on nevertheless, each with the reason.

Nothing else in Vigie names one. ``tests/dashboard/test_streamlit_private.py`` fails where a new Streamlit changes one.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import h11
import streamlit
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it publishes no types
from streamlit import logger as streamlit_logger
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette import starlette_server
from streamlit.web.server.starlette.starlette_app_utils import validate_xsrf_token
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.log import LibraryErrors

WAY_COOKIE = "_streamlit_session"
"""The cookie that Streamlit's own middleware signs for ``request.session``: it holds what Authlib keeps on the way to
the provider and back."""
XSRF_COOKIE = XSRF_COOKIE_NAME
"""The cookie of the token against forged requests."""

CLOSED_PATHS = ("/media", "/_stcore", "/component", "/app/static")
"""Where Streamlit hands out or takes what is not part of the empty page, without asking who is there."""
OPEN_PATHS = frozenset({"/_stcore/health", "/_stcore/host-config"})
"""What the empty page asks for before anybody can have signed in."""
NEVER_PATHS = ("/_stcore/upload_file", "/_stcore/agent")
"""Where Streamlit takes files into memory, and an interface for programs: no page of ours has use for either."""
METRICS_PATH = "/_stcore/metrics"
"""Numbers of the server, for administrators."""

_READ_AT_ONCE = 16 * 1024
"""Bytes that asyncio reads of a connection at once. Its own 256 KB hold 12,000 of the smallest messages."""
_LONGEST_END = 512
"""Bytes that the message at a run's end has at most."""
HALF_OPEN_SECONDS = 10.0
"""Longest time for a request's head; uvicorn has no such limit."""
COOKIE_SECRET_VARIABLE = "STREAMLIT_SERVER_COOKIE_SECRET"  # noqa: S105  # the name of a variable, not its value
"""Signs the cookie on the way to the provider and back, so that it survives a change of process."""

STATIC_ADDRESS = "/static/"
STATIC_FOLDER = Path(streamlit.__file__).parent / "static" / "static"
"""The browser's part, whose files have a hash in their names: handed out from memory and packed, see
:mod:`dashboard.server`."""
FRAME = STATIC_FOLDER.parent / "index.html"
_ADDRESS = '<script>window.__streamlit = {BACKEND_BASE_URL: new URL(".", window.location.href).href};</script>'

TEXT_PARTS = ("js/StreamlitMarkdown.*.js", "media/SourceSerifVariable-Roman.*.woff2")
CHART_LIBRARY = "PlotlyChart."
CHART_PARTS = (f"js/{CHART_LIBRARY}*.js", "js/arrowFormatUtils.*.js")
"""Parts that Streamlit's page requests late, and that a browser fetches at once if they are preloaded."""

STYLED_PARTS = frozenset(
    {
        "stAppViewContainer", "stBaseButton-primary", "stCheckbox", "stColumn", "stElementContainer",
        "stExpandSidebarButton", "stExpander", "stForm", "stFullScreenFrame", "stGrid", "stHeader", "stHeading",
        "stHorizontalBlock",
        "stLayoutWrapper", "stMain", "stMainBlockContainer", "stMarkdown", "stMarkdownContainer", "stMetricDelta",
        "stMetricLabel", "stMetricValue", "stNumberInput", "stSelectbox", "stSidebar", "stSlider", "stTable",
        "stToolbar", "stVerticalBlock", "stWidgetLabel",
    }
)  # fmt: skip
"""``data-testid`` of parts that the style sheet dresses, where Streamlit's theme has no setting."""


def log_errors_only() -> None:
    """Keep Streamlit's loggers to errors, in the format of the log.

    Else each module that caches warns when it is imported before Streamlit's runtime begins, and uvicorn prints a
    second address.
    """

    def set_up(logger: logging.Logger) -> None:
        logger.handlers = [LibraryErrors()]

    streamlit_logger.setup_formatter = set_up
    streamlit_logger.update_formatter()


def frame() -> str:
    """The page around every page, as HTML: the policy on content allows the scripts in it, and no others.

    Streamlit's own asks for the server below the page's name first, ``/route/_stcore``, and waits a tenth of a second
    when it is not there. This one says where it is.
    """
    return FRAME.read_text("utf-8").replace("<script>", f"{_ADDRESS}<script>", 1)


def is_asked_by_page(protocols: Sequence[str], cookies: Mapping[str, str]) -> bool:
    """Whether a websocket carries the token against forged requests, as Streamlit's own page sends it back."""
    return len(protocols) > 1 and validate_xsrf_token(protocols[1], cookies.get(XSRF_COOKIE_NAME))


def begins_run(message: bytes) -> bool:
    """Whether a browser's message asks for a run of the page's script."""
    try:
        return bool(BackMsg.FromString(message).WhichOneof("type") == "rerun_script")
    except DecodeError:
        return False


def ends_run(message: bytes) -> bool:
    """Whether a message to a browser says that the script has run, and not that it begins anew."""
    if len(message) > _LONGEST_END:
        return False
    found = ForwardMsg.FromString(message)
    is_end = found.WhichOneof("type") == "script_finished"
    return bool(is_end and found.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN)


def limit_messages(most: int) -> None:
    """Have the server refuse messages of browsers above a size while they are read; its own may be larger.

    Streamlit has one setting for both directions. The server logs as Streamlit does.
    """
    given = starlette_server._get_uvicorn_config_kwargs  # what this module is for
    ours = {"ws_max_size": most, "log_config": None}
    starlette_server._get_uvicorn_config_kwargs = lambda: {**given(), **ours}  # as above


class _Impatient(H11Protocol):
    """Uvicorn's HTTP, which hangs up where a request's head has not come in time."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for the first request; read little at once, for all messages read are kept until handled."""
        transport.max_size = _READ_AT_ONCE  # type: ignore[attr-defined]  # of asyncio's own transports
        super().connection_made(transport)
        self._wait(is_open=True)

    def data_received(self, data: bytes) -> None:
        """Wait on only while no request's head is whole."""
        super().data_received(data)
        self._wait(is_open=self.conn.their_state is h11.IDLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._wait(is_open=False)
        super().connection_lost(exc)

    def _wait(self, *, is_open: bool) -> None:
        if is_open and self._waiting is None:
            self._waiting = self.loop.call_later(HALF_OPEN_SECONDS, self.transport.close)
        elif not is_open and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def end_half_open_requests() -> None:
    """Have the server hang up after :data:`HALF_OPEN_SECONDS` without a whole head of a request."""
    given = starlette_server._get_uvicorn_config_kwargs  # what this module is for
    starlette_server._get_uvicorn_config_kwargs = lambda: {**given(), "http": _Impatient}  # as above


def send_at_once() -> None:
    """Have the kernel send what the server writes without waiting for the browser's receipt of what went before.

    asyncio asks for that itself, but not on a socket like Streamlit's, which is opened without naming its protocol. An
    answer's head and body are two writes: each file and each part of a page waits up to 40 ms for a delayed receipt.
    """
    given = starlette_server._bind_socket  # what this module is for

    def bind(address: str, port: int, backlog: int) -> socket.socket:
        listening = given(address, port, backlog)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening

    starlette_server._bind_socket = bind  # as above

"""A reader of the dashboard without a browser, over Streamlit's own websocket, for tests and measurements.

It sends what a browser sends, values of all widgets included, and notes what went wrong in the answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

LONGEST_SECONDS, LARGEST_BYTES = 600, 64 * 2**20
_GOOD_ENDS = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}
_VALUELESS = {"button", "download_button", "plotly_chart"}
_ONE_VALUE = {
    "checkbox": "bool_value", "number_input": "double_value", "text_input": "string_value", "text_area": "string_value",
}  # fmt: skip
"""Where a widget's state holds its one value."""


def answers(socket: ClientConnection, message: BackMsg) -> Iterator[ForwardMsg]:
    """Send a message and read until the script has run: all that the server sends."""
    socket.send(message.SerializeToString())
    is_over = False
    while not is_over:
        answer = ForwardMsg.FromString(socket.recv(timeout=LONGEST_SECONDS, decode=False))
        yield answer
        is_end = answer.WhichOneof("type") == "script_finished"
        is_over = is_end and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def handshake(cookie: str) -> dict[str, Any]:
    """Arguments of a websocket's client: with a login's cookie also the token of a page."""
    if not cookie:
        return {"subprotocols": [Subprotocol("streamlit")]}
    token = generate_xsrf_token_string()
    return {
        "subprotocols": [Subprotocol("streamlit"), Subprotocol(token)],
        "additional_headers": {"Cookie": f"{XSRF_COOKIE_NAME}={token}; {cookie}"},
    }


class Session:
    """One reader from connecting to closing.

    ``locale`` is the browser's language, such as ``en-GB``. With ``cookie``, the name and value of a login's cookie, it
    sends the token of a page too. ``source`` is the address of loopback that it comes from.

    Attributes:
        title: The title that the last run put on the screen.
        widgets: Its widgets by id: kind and message.
        charts: How many charts stand on it.
        errors: What went wrong in it.
    """

    def __init__(self, address: str, locale: str, *, cookie: str = "", source: str = "127.0.0.1") -> None:
        self._locale, self._address, self._query = locale, address, ""
        self._pages: dict[str, str] = {}
        self._page_hash, self._values = "", dict[str, WidgetState]()
        self.title, self.widgets, self.charts, self.errors = "", dict[str, tuple[str, Any]](), 0, list[str]()
        self._socket = connect(
            f"{address.replace('http', 'ws', 1)}/_stcore/stream", **handshake(cookie), source_address=(source, 0),
            max_size=LARGEST_BYTES, origin=Origin(address), compression=None, open_timeout=LONGEST_SECONDS,
        )  # fmt: skip

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def open(self, page: str, **query: str) -> float:
        """Open an address as a first visit does; returns seconds until the page is complete."""
        self._query = urlencode(query)
        return self._run(page_name=page)

    def go(self, page: str) -> float:
        """Follow the navigation to a page by its last part of the address; the first page's is empty."""
        if self._pages[page] != self._page_hash:  # a browser forgets widgets with their page, not on the same one
            self._values.clear()
        kept = [part for part in self._query.split("&") if part.startswith(("lang=", "release="))]
        self._query = "&".join(kept)
        return self._run(page_hash=self._pages[page])

    @property
    def page(self) -> str:
        """The page on screen, by its last part of the address."""
        return next((name for name, number in self._pages.items() if number == self._page_hash), "")

    def find(self, kind: str, key: str) -> str:
        """The id of a widget by its kind and the key that the program gives it; empty where it is not on screen."""
        shown = self.widgets.items()
        return next((name for name, (found, _shown) in shown if found == kind and name.endswith(f"-{key}")), "")

    def value(self, widget: str) -> str:
        """The option that a choice shows."""
        state = self._values[widget]
        return state.string_value or next(iter(state.string_array_value.data), "")

    def options(self, widget: str) -> list[str]:
        """What a choice offers."""
        return _options(*self.widgets[widget])

    def choose(self, widget: str, option: str) -> float:
        """Pick an option of a select box or segmented control; returns seconds until the answer is complete."""
        self._values[widget] = state = WidgetState(id=widget)
        if self.widgets[widget][0] == "button_group":
            state.string_array_value.data.append(option)
        else:
            state.string_value = option
        return self._run(page_hash=self._page_hash)

    def _run(self, page_name: str = "", page_hash: str = "") -> float:
        message = BackMsg()
        asked, context = message.rerun_script, message.rerun_script.context_info
        asked.query_string, asked.page_name, asked.page_script_hash = self._query, page_name, page_hash
        asked.widget_states.widgets.extend(self._values.values())
        context.locale, context.url = self._locale, f"{self._address}/{page_name}"
        context.timezone, context.color_scheme = "Europe/Brussels", "light"
        self.title, self.widgets, self.charts, self.errors = "", {}, 0, []
        start = time.perf_counter()
        for answer in answers(self._socket, message):
            self._take(answer)
        return time.perf_counter() - start

    def _take(self, message: ForwardMsg) -> None:
        """Read one message."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page_hash = message.new_session.page_script_hash
            self.title, self.widgets, self.charts = "", {}, 0
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
            for one in message.navigation.app_pages:
                self._pages["" if one.is_default else one.url_pathname] = one.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "page_not_found":
            self.errors.append("page not found")
        elif kind == "session_event" and message.session_event.WhichOneof("type") == "script_compilation_exception":
            self.errors.append(message.session_event.script_compilation_exception.message)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._see(message.delta.new_element)
        elif kind == "script_finished":
            self._end(message.script_finished)

    def _end(self, status: int) -> None:
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        if status not in _GOOD_ENDS:
            self.errors.append(f"the run ended with status {status}")
        elif not self.title:
            self.errors.append("a page without a title")
        self._values = {name: state for name, state in self._values.items() if name in self.widgets}

    def _see(self, element: Any) -> None:  # noqa: ANN401  # protobuf's generated classes share no type that lists fields
        kind = str(element.WhichOneof("type"))
        shown = getattr(element, kind)
        if kind == "exception":
            self.errors.append(f"{shown.type}: {shown.message}")
        elif kind == "alert" and shown.format == Alert.ERROR:
            self.errors.append(f"error box: {shown.body}")
        elif kind == "heading" and shown.tag == "h1":
            self.title = shown.body
        elif kind == "plotly_chart":
            self.charts += 1
        if getattr(shown, "id", "") and kind not in _VALUELESS:
            self.widgets[shown.id] = (kind, shown)
            if getattr(shown, "set_value", False) or shown.id not in self._values:
                self._values[shown.id] = _untouched(kind, shown)


def _untouched(kind: str, shown: Any) -> WidgetState:  # noqa: ANN401  # as above
    """The value that a browser sends for an untouched widget: what the server set, else its default."""
    state, was_set = WidgetState(id=shown.id), bool(getattr(shown, "set_value", False))
    if kind in _ONE_VALUE:
        setattr(state, _ONE_VALUE[kind], shown.value if was_set else shown.default)
    elif kind in {"button_group", "multiselect"}:
        defaults = [_options(kind, shown)[place] for place in shown.default]
        state.string_array_value.data.extend(shown.raw_values if was_set else defaults)
    elif kind in {"selectbox", "radio"} and was_set:
        state.string_value = shown.raw_value
    elif kind in {"selectbox", "radio"} and shown.HasField("default") and shown.options:
        state.string_value = shown.options[shown.default]
    return state


def _options(kind: str, shown: Any) -> list[str]:  # noqa: ANN401  # as above
    return [one.content for one in shown.options] if kind == "button_group" else list(shown.options)

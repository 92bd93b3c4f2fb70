"""Many readers at once, or one after another: they go from page to page, change route and language, open alerts.

    python -m benchmarks.dashboard_load [--home HOME] [--visits 2000] [--write]

A reader is a session over Streamlit's own websocket, without a browser: it sends what a browser sends, values of all
widgets included, so that each step is a real run of the page, and notes what went wrong in the answer.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

import numpy as np
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from benchmarks.browser import HOME, served
from benchmarks.shared import PAGE, Section, page_command, report, table

LONGEST_SECONDS, LARGEST_BYTES = 60, 64 * 2**20
PAGES = ("", "route", "asylum", "alerts", "scenarios", "evaluation", "hub", "data", "method")
WARM_UP, WEIGHED_EVERY, SESSION = 500, 100, 10
"""Visits until a server is warm, between two looks at its memory, and in one session."""
LEAK = 25.0
"""MiB that the server may still gain in a thousand visits once it is warm: 10,000 visits a week fit into its limit."""
_LOCALES = ("en-GB", "fr-FR", "es-ES")
_WEIGHTS: Mapping[str, int] = {"page": 40, "route": 25, "alert": 15, "view": 10, "language": 10}
_CHOICES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "route": (("route", "selectbox", "address:route"),),
    "alert": (("alerts", "button_group", "address:show"),),
    "view": (("route", "button_group", "address:view"), ("evaluation", "selectbox", "address:on")),
    "language": (("", "button_group", "address:lang"),),
}
"""Page, kind and key of the widgets with which a reader does it; a language is chosen on any page."""
_GOOD_ENDS = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}
_VALUELESS = {"button", "download_button", "plotly_chart"}
_ONE_VALUE = {
    "checkbox": "bool_value", "number_input": "double_value", "text_input": "string_value", "text_area": "string_value",
}  # fmt: skip
"""Where a widget's state holds its one value."""


class Session:
    """One reader from connecting to closing; ``locale`` is the browser's language, such as ``en-GB``.

    Attributes:
        title: The title that the last run put on the screen.
        widgets: Its widgets by id: kind and message.
        charts: How many charts stand on it.
        errors: What went wrong in it.
    """

    def __init__(self, address: str, locale: str) -> None:
        self._locale, self._address, self._query = locale, address, ""
        self._pages: dict[str, str] = {}
        self._page_hash, self._values = "", dict[str, WidgetState]()
        self.title, self.widgets, self.charts, self.errors = "", dict[str, tuple[str, Any]](), 0, list[str]()
        self._socket = connect(
            f"{address.replace('http', 'ws', 1)}/_stcore/stream", subprotocols=[Subprotocol("streamlit")],
            max_size=LARGEST_BYTES, origin=Origin(address), compression=None,
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
        self._socket.send(message.SerializeToString())
        while not self._take(self._socket.recv(timeout=LONGEST_SECONDS, decode=False)):
            pass
        return time.perf_counter() - start

    def _take(self, content: bytes) -> bool:
        """Read one message; True where it ends the answer."""
        message = ForwardMsg.FromString(content)
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
            return self._ends(message.script_finished)
        return False

    def _ends(self, status: int) -> bool:
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return False
        if status not in _GOOD_ENDS:
            self.errors.append(f"the run ended with status {status}")
        elif not self.title:
            self.errors.append("a page without a title")
        self._values = {name: state for name, state in self._values.items() if name in self.widgets}
        return True

    def _see(self, element: Any) -> None:  # noqa: ANN401  # protobuf's generated classes share no type that tells fields
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
    """The value that a browser sends for a widget that nobody has touched: what the server set, else its default."""
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


@dataclass
class Seen:
    """What the readers met: each answer's seconds by kind of step, and what went wrong, in words."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def note(self, kind: str, seconds: float, errors: list[str]) -> None:
        """Keep one step; threads may do so at once."""
        self.seconds.setdefault(kind, []).append(seconds)
        self.errors.extend(f"{kind}: {error}" for error in errors)

    def all(self) -> list[float]:
        """Seconds of every step."""
        return [seconds for found in list(self.seconds.values()) for seconds in found]


def run(address: str, readers: int, minutes: float, think: Sequence[float]) -> Seen:
    """Let so many readers click for some minutes, with least and most seconds between an answer and the next click."""
    seen, end = Seen(), time.monotonic() + 60 * minutes
    with ThreadPoolExecutor(readers) as threads:
        list(threads.map(partial(_read, address, end, think, seen), range(readers)))
    return seen


def _read(address: str, end: float, think: Sequence[float], seen: Seen, number: int) -> None:
    """One reader, from coming to leaving. Who stumbles is noted and comes again, as people do."""
    choose = random.Random(number)  # noqa: S311  # reproducible clicks, no secret
    time.sleep(choose.uniform(0, think[1]))
    while time.monotonic() < end:
        try:
            session = _come(address, choose, seen)
            while time.monotonic() < end:
                time.sleep(choose.uniform(*think))
                _step(session, choose, seen)
            session.close()
        except Exception as error:  # whatever a session meets is what is measured here
            seen.note("session", 0.0, [f"{type(error).__name__}: {error}"])


def _come(address: str, choose: random.Random, seen: Seen) -> Session:
    """A first visit."""
    session = Session(address, choose.choice(_LOCALES))
    seen.note("first page", session.open(choose.choice(PAGES)), session.errors)
    return session


def _step(session: Session, choose: random.Random, seen: Seen) -> None:
    """One thing that a reader wants; going where it can be done is a step of its own."""
    kind = choose.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    page, *widget = choose.choice(_CHOICES[kind]) if kind in _CHOICES else (choose.choice(PAGES),)
    if not widget or (page and session.page != page):  # several pages have a choice of route
        seen.note("page", session.go(page), session.errors)
    if widget:
        seen.note(kind, _other(session, widget, choose), session.errors)


def _other(session: Session, widget: Sequence[str], choose: random.Random) -> float:
    """Pick another option than the one shown, and hold the answer against it."""
    found = session.find(*widget)
    if not found:
        session.errors.append(f"no {widget[1]} on the page")
        return 0.0
    shown = session.value(found)
    option = choose.choice([one for one in _options(*session.widgets[found]) if one != shown] or [shown])
    seconds = session.choose(found, option)
    after = session.find(*widget)
    if widget[1] != "address:lang" and (not after or session.value(after) != option):
        session.errors.append(f"asked for {option}, shown {session.value(after) if after else 'nothing'}")
    if widget[1] == "address:route" and not session.title.startswith(option):
        session.errors.append(f"asked for {option}, the title is {session.title}")
    return seconds


def walk(address: str, visits: int, memory: Callable[[], float]) -> tuple[Seen, list[float]]:
    """Visit pages one after another, a session of ten in one language after another.

    Returns:
        What was met, and the server's memory after every ``WEIGHED_EVERY`` visits.
    """
    seen, weighed, choose = Seen(), list[float](), random.Random(1)  # noqa: S311  # as above
    while (done := len(seen.all())) < visits:
        session = _come(address, choose, seen)
        while len(seen.all()) < done + SESSION:
            _step(session, choose, seen)
        session.close()
        if len(seen.all()) // WEIGHED_EVERY > len(weighed):
            weighed.append(memory())
            report(f"{len(seen.all())} visits: {weighed[-1]:.0f} MiB")
    return seen, weighed


def growth(weighed: Sequence[float]) -> tuple[float, float]:
    """MiB gained in a thousand visits after the warm-up, by least squares, and its standard error."""
    warm = np.array(weighed[WARM_UP // WEIGHED_EVERY - 1 :])
    fit, error = np.polyfit(np.arange(len(warm)) * WEIGHED_EVERY / 1000, warm, 1, cov=True)
    return float(fit[0]), float(np.sqrt(error[0, 0]))


def section(given: argparse.Namespace) -> Section:
    """Visit; all is well where there was neither an error nor a leak."""
    with served(given.home) as server:
        seen, weighed = walk(server.address, given.visits, lambda: server.memory()[0])
        seen.errors.extend(server.faults())
    slope, error = growth(weighed)
    for one in seen.errors[:20]:
        report(one)
    visits = " | ".join(f"{at * WEIGHED_EVERY:,}" for at in range(1, len(weighed) + 1, 3))
    lines = [
        f"Measured: {slope:.1f} MiB gained in a thousand visits (standard error {error:.1f}; limit {LEAK:g}); "
        f"{len(seen.errors)} errors.",
        "",
        *table(f"visits | {visits}", [("memory, MiB", *(f"{one:,.0f}" for one in weighed[::3]))]),
    ]
    return lines, not seen.errors and slope <= LEAK


if __name__ == "__main__":
    options = {**HOME, "--visits": {"type": int, "default": 2000}}
    sys.exit(page_command(PAGE, "Many visits", section, options=options))

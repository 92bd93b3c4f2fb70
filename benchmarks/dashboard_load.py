"""Many readers at once, or one after another: they go from page to page, change route and language, open alerts.

    python -m benchmarks.dashboard_load [--home HOME] [--visits 2000] [--write]

Visits are one after another, each a page or a change on it, ten a session; the server is weighed after every hundred.
What it still gains once it is warm is a leak.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.dashboard_server import HOME, served
from benchmarks.dashboard_session import Session
from benchmarks.shared import PAGE, Section, page_command, report, table

PAGES = ("", "route", "asylum", "alerts", "scenarios", "evaluation", "hub", "data", "method")
THINK_SECONDS = (30.0, 90.0)
"""Between an answer and the next click a reader takes so long, evenly spread."""
WARM_UP, WEIGHED_EVERY, _SESSION = 500, 100, 10
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


@dataclass
class Seen:
    """What the readers met: each answer's seconds by kind of step, and what went wrong, in words."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, seconds: float, errors: list[str]) -> None:
        """Keep one step."""
        with self.lock:
            self.seconds.setdefault(kind, []).append(seconds)
            self.errors.extend(f"{kind}: {error}" for error in errors)

    def all(self) -> list[float]:
        """Seconds of every step."""
        return [seconds for found in self.seconds.values() for seconds in found]


def run(address: str, readers: int, minutes: float, think: Sequence[float] = THINK_SECONDS) -> Seen:
    """Let so many readers click for some minutes, with least and most seconds between an answer and the next click."""
    seen, end = Seen(), time.monotonic() + 60 * minutes
    threads = [threading.Thread(target=_read, args=(address, number, end, think, seen)) for number in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def _read(address: str, number: int, end: float, think: Sequence[float], seen: Seen) -> None:
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
    seen.note("first page", session.open(choose.choice(PAGES)), session.screen.errors)
    return session


def _step(session: Session, choose: random.Random, seen: Seen) -> None:
    """One thing that a reader wants; going where it can be done is a step of its own."""
    kind = choose.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    page, *widget = choose.choice(_CHOICES[kind]) if kind in _CHOICES else (choose.choice(PAGES),)
    if not widget or (page and session.page != page):  # several pages have a choice of route
        seen.note("page", session.go(page), session.screen.errors)
    if widget:
        seen.note(kind, _other(session, widget, choose), session.screen.errors)


def _other(session: Session, widget: Sequence[str], choose: random.Random) -> float:
    """Pick another option than the one shown, and hold the answer against it."""
    found = session.find(*widget)
    if not found:
        session.screen.errors.append(f"no {widget[1]} on the page")
        return 0.0
    shown = session.value(found)
    option = choose.choice([one for one in session.options(found) if one != shown] or [shown])
    seconds = session.choose(found, option)
    after = session.find(*widget)
    if widget[1] != "address:lang" and (not after or session.value(after) != option):
        session.screen.errors.append(f"asked for {option}, shown {session.value(after) if after else 'nothing'}")
    if widget[1] == "address:route" and not session.screen.title.startswith(option):
        session.screen.errors.append(f"asked for {option}, the title is {session.screen.title}")
    return seconds


def walk(address: str, visits: int, memory: Callable[[], float]) -> tuple[Seen, list[float]]:
    """Visit pages one after another, a session of ten in one language after another.

    Returns:
        What was met, and the server's memory after every ``WEIGHED_EVERY`` visits.
    """
    seen, weighed, choose = Seen(), list[float](), random.Random(1)  # noqa: S311  # as above
    while (done := len(seen.all())) < visits:
        session = _come(address, choose, seen)
        while len(seen.all()) < done + _SESSION:
            _step(session, choose, seen)
        session.close()
        if len(seen.all()) // WEIGHED_EVERY > len(weighed):
            weighed.append(memory())
            report(f"{len(seen.all())} visits: {weighed[-1]:.0f} MiB")
    return seen, weighed


def growth(weighed: Sequence[float]) -> tuple[float, float]:
    """MiB gained in a thousand visits after the warm-up, by least squares, and its standard error."""
    warm = np.array(weighed[WARM_UP // WEIGHED_EVERY - 1 :])
    at = np.arange(len(warm)) * WEIGHED_EVERY / 1000
    fit, error = np.polyfit(at, warm, 1, cov=True)
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

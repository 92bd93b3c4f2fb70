"""Many readers at once, or one after another: they go from page to page, change route and language.

    python -m benchmarks.dashboard_load [--visits 2000] [--write]

Each is a session without a browser, and each step a real run of the page.
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
from types import MappingProxyType

import numpy as np

from benchmarks.shared import PAGE, Options, Section, demonstration, page_command, report, table
from tests.reader import Session
from tests.servers import Server

PAGES = ("", "route", "asylum", "reception", "alerts", "scenarios", "evaluation", "data")
WARM_UP, WEIGHED_EVERY, SESSION = 500, 100, 10
"""Visits until a server is warm, between two looks at its memory, and in one session."""
LEAK = 25.0
"""MiB that the server may still gain in a thousand visits once it is warm: 10,000 visits a week fit into its limit."""
_LOCALES = ("en-GB", "fr-FR", "es-ES")
_WEIGHTS: Mapping[str, int] = {"page": 55, "route": 25, "view": 10, "language": 10}
_CHOICES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "route": (("route", "selectbox", "address:route"),),
    "view": (("route", "button_group", "address:view"), ("evaluation", "selectbox", "address:on")),
    "language": (("", "button_group", "address:lang"),),
}
"""Page, kind and key of the widgets with which a reader does it; a language is chosen on any page."""


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


def run(address: str, minutes: float, think: Sequence[float], readers: Sequence[Mapping[str, str]]) -> Seen:
    """Let readers click for some minutes.

    Args:
        address: The dashboard's.
        minutes: How long.
        think: Least and most seconds between an answer and the next click.
        readers: Arguments of the session of each.
    """
    seen, end = Seen(), time.monotonic() + 60 * minutes
    with ThreadPoolExecutor(len(readers)) as threads:
        list(threads.map(partial(_read, address, end, think, seen), range(len(readers)), readers))
    return seen


def _read(address: str, end: float, think: Sequence[float], seen: Seen, number: int, reader: Mapping[str, str]) -> None:
    """One reader, from coming to leaving. Who stumbles is noted and comes again, as people do."""
    choose = random.Random(number)  # noqa: S311  # reproducible clicks, no secret
    time.sleep(choose.uniform(0, think[1]))
    while time.monotonic() < end:
        try:
            session = _come(address, choose, seen, reader)
            while time.monotonic() < end:
                time.sleep(choose.uniform(*think))
                _step(session, choose, seen)
            session.close()
        except Exception as error:  # whatever a session meets is what is measured here
            seen.note("session", 0.0, [f"{type(error).__name__}: {error}"])


def _come(address: str, choose: random.Random, seen: Seen, reader: Mapping[str, str] = MappingProxyType({})) -> Session:
    """A first visit."""
    session = Session(address, choose.choice(_LOCALES), **reader)
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
    option = choose.choice([one for one in session.options(found) if one != shown] or [shown])
    seconds = session.choose(found, option)
    after = session.find(*widget)
    if widget[1] != "address:lang" and (not after or session.value(after) != option):
        session.errors.append(f"asked for {option}, shown {session.value(after) if after else 'nothing'}")
    if widget[1] == "address:route" and not session.title.startswith(option):
        session.errors.append(f"asked for {option}, the title is {session.title}")
    return seconds


def warm_up(address: str, reader: Mapping[str, str]) -> None:
    """Show a reader each page and route in each language: a server keeps what it has worked out."""
    for locale in _LOCALES:
        session = Session(address, locale, **reader)
        session.open("")
        for page in PAGES:
            session.go(page)
        session.go("route")
        choice = session.find("selectbox", "address:route")
        for route in session.options(choice):
            session.choose(choice, route)
        session.close()


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
    with demonstration() as home, Server(home, home / "server.log") as server:
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
    options: Options = {"--visits": {"type": int, "default": 2000}}
    sys.exit(page_command(PAGE, "Many visits", section, options=options))

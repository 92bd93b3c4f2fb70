"""Many readers at once: sessions that go from page to page, change route and language and open alerts."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.dashboard_session import Session

PAGES = ("", "route", "asylum", "alerts", "scenarios", "evaluation", "hub", "data", "method")
THINK_SECONDS = (2.0, 8.0)
"""Between an answer and the next click a reader takes so long, evenly spread."""
_LOCALES = ("en-GB", "fr-FR", "en-US", "fr-BE")
_WEIGHTS: Mapping[str, int] = {"page": 40, "route": 25, "alert": 15, "view": 10, "language": 10}
_VIEWS = (("route", "button_group", "address:view"), ("evaluation", "selectbox", "address:on"))


@dataclass
class Seen:
    """What the readers met.

    Attributes:
        seconds: Each answer's seconds, by kind of step.
        errors: What went wrong, in words.
    """

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


def run(address: str, readers: int, minutes: float) -> Seen:
    """Let readers click for some minutes.

    Args:
        address: Of the server.
        readers: Sessions at the same time.
        minutes: How long.
    """
    seen, end = Seen(), time.monotonic() + 60 * minutes
    threads = [threading.Thread(target=_read, args=(address, number, end, seen)) for number in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def _read(address: str, number: int, end: float, seen: Seen) -> None:
    """One reader, from coming to leaving. Who stumbles is noted and comes again, as people do."""
    choose = random.Random(number)  # noqa: S311  # reproducible clicks, no secret
    time.sleep(choose.uniform(0, THINK_SECONDS[1]))
    while time.monotonic() < end:
        try:
            session = Session(address, choose.choice(_LOCALES))
            _visit(session, choose, end, seen)
            session.close()
        except Exception as error:  # whatever a session meets is what is measured here
            seen.note("session", 0.0, [f"{type(error).__name__}: {error}"])


def _visit(session: Session, choose: random.Random, end: float, seen: Seen) -> None:
    seen.note("first page", session.open(choose.choice(PAGES)), session.screen.errors)
    while time.monotonic() < end:
        time.sleep(choose.uniform(*THINK_SECONDS))
        kind = choose.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        for name, seconds in _step(session, kind, choose):
            seen.note(name, seconds, session.screen.errors)


def _step(session: Session, kind: str, choose: random.Random) -> list[tuple[str, float]]:
    """One thing that a reader wants; going where it can be done is a step of its own."""
    if kind == "route":
        return _pick(session, "route", ("selectbox", "address:route"), kind, choose)
    if kind == "alert":
        return _pick(session, "alerts", ("button_group", "address:show"), kind, choose)
    if kind == "view":
        page, *widget = choose.choice(_VIEWS)
        return _pick(session, page, (widget[0], widget[1]), kind, choose)
    if kind == "language":
        return [(kind, _other(session, ("button_group", "address:lang"), choose))]
    return [("page", session.go(choose.choice(PAGES)))]


def _pick(
    session: Session, page: str, widget: tuple[str, str], kind: str, choose: random.Random
) -> list[tuple[str, float]]:
    steps = []
    if not session.find(*widget):
        steps.append(("page", session.go(page)))
    return [*steps, (kind, _other(session, widget, choose))]


def _other(session: Session, widget: tuple[str, str], choose: random.Random) -> float:
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

"""How fast the dashboard is and how many readers it bears: ``python -m benchmarks.dashboard [--write]``.

Starts ``vigie dashboard`` on the demonstration's full release, lets readers click, then measures it in Chromium.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import dashboard_load, dashboard_pages
from benchmarks.dashboard_server import HOME_HELP, a_home, served
from benchmarks.shared import PAGE, Options, page_command, report, table
from store.releases import ReleaseStore

FIRST_PAINT, CHANGE, ANSWER, NINE_IN_TEN, MEMORY = 2.5, 0.3, 1.0, 2.0, {30: 1536.0, 200: 2048.0}
"""Limits: seconds for nine in ten first paints and changes, for the usual answer and nine in ten, MiB by readers."""
TITLE = "Dashboard"


def section(given: argparse.Namespace) -> tuple[list[str], bool]:
    """Measure; a part is shown as soon as it is known. All is well where no limit is missed."""
    given.write &= not given.only_pages
    busy, rows, load, is_good = os.getloadavg()[1], [], list[str](), True
    with a_home(given.home) as home:
        if not given.only_pages:
            load, is_good = load_lines(home, given)
        words = introduction(home, given.repetitions, busy)
        with served(home) as server:
            for name, seconds in dashboard_pages.measure(server.address, given.repetitions):
                limit = limit_of(name)
                rows.append(row(name, seconds, limit))
                report(" | ".join(rows[-1]))
                is_good &= limit is None or p90(seconds) <= limit
    return [*words, "", *table("in Chromium | median, s | p90, s | limit of the p90, s", rows), "", *load], is_good


def limit_of(name: str) -> float | None:
    """Seconds that nine in ten of a kind may take; None where there is no limit."""
    limits = {dashboard_pages.FIRST: FIRST_PAINT, dashboard_pages.CHANGE: CHANGE}
    return next((limit for start, limit in limits.items() if name.startswith(start)), None)


def memory_limit(readers: int) -> float:
    """MiB that the server may take for so many readers, or the most that it may."""
    return next((limit for most, limit in MEMORY.items() if readers <= most), max(MEMORY.values()))


def is_borne(seen: dashboard_load.Seen, peak: float, limit: float) -> bool:
    """Whether answers, errors and memory keep their limits."""
    everything = seen.all()
    is_quick = statistics.median(everything) <= ANSWER and p90(everything) <= NINE_IN_TEN
    return is_quick and not seen.errors and peak <= limit


def introduction(home: Path, repetitions: int, busy: float) -> list[str]:
    """What was measured and how, and how busy the machine was with other things before."""
    release = ReleaseStore(home).current()
    known = f"as of {release.as_of}" if release else "none"
    return [
        "Made by `python -m benchmarks.dashboard --write`: `vigie dashboard` on the demonstration's full release",
        f"({known}), Chromium without a graphics card on the same two cores, {repetitions} repetitions. First",
        "meaningful paint: a new tab of an open browser with nothing of the dashboard in its store, until title and",
        "first chart or table are drawn; the server has shown the page before. Change of route: from the click on the",
        "route's name until the title and the new chart are drawn. Load of the machine in the five minutes before:",
        f"{busy:.1f}.",
        "",
        "Every page on a desk, a small screen and a phone, by day and at night: [English](pages-en.png),",
        "[French](pages-fr.png), [Spanish](pages-es.png), made by `python -m benchmarks.dashboard_sheets --write`,",
        "which also lets axe look for what keeps somebody from reading.",
    ]


def load_lines(home: Path, given: argparse.Namespace) -> tuple[list[str], bool]:
    """Let readers click: who they were, answers by kind of step, memory, errors; and whether every limit was kept."""
    with served(home) as server:
        seen = dashboard_load.run(server.address, given.readers, given.minutes, given.think)
        now, peak = server.memory()
        seen.errors.extend(server.faults())
    for error in seen.errors[:20]:
        report(error)
    limit, everything, (low, high) = memory_limit(given.readers), seen.all(), given.think
    answers = [row(f"{kind} (n = {len(seconds)})", seconds, None) for kind, seconds in sorted(seen.seconds.items())]
    answers.append(row(f"**all** (n = {len(everything)})", everything, f"{ANSWER:g}, {NINE_IN_TEN:g}"))
    memory = "memory of the server at the end, at its highest", f"{now:,.0f} MiB, {peak:,.0f} MiB", f"{limit:,.0f} MiB"
    lines = [
        f"{given.readers} readers at once for {given.minutes:g} minutes, each a session of Streamlit over its",
        "websocket that runs pages as a browser's does: other pages, routes, alerts, views, languages, with the values",
        f"of all widgets. A reader waits {low:g} to {high:g} s between an answer and the next click. Counted as an",
        "error: an exception or error box in an answer, a page without title, an answer to another question than the",
        "one asked, a line of error in the server's log.",
        "",
        *table("until the answer is complete | median, s | p90, s | limits, s", answers),
        "",
        *table("under this load | | limit", [("errors", len(seen.errors), 0), memory]),
    ]
    report("\n".join(lines))
    return lines, is_borne(seen, peak, limit)


def row(name: str, seconds: Sequence[float], limit: float | str | None) -> tuple[str, ...]:
    """Name, median, 90th percentile, limit."""
    return name, f"{statistics.median(seconds):.2f}", f"{p90(seconds):.2f}", "" if limit is None else str(limit)


def p90(seconds: Sequence[float]) -> float:
    """The 90th percentile; of one value, that value."""
    return statistics.quantiles(seconds, n=10, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]


if __name__ == "__main__":
    options: Options = {
        "--home": {"type": Path, "help": HOME_HELP},
        "--repetitions": {"type": int, "default": 20},
        "--readers": {"type": int, "default": 200},
        "--minutes": {"type": float, "default": 5.0},
        "--think": {
            "type": float, "nargs": 2, "default": dashboard_load.THINK_SECONDS, "metavar": ("LEAST", "MOST"),
            "help": "seconds that a reader looks at a page",
        },
        "--only-pages": {"action": "store_true", "help": "pages alone, without the readers; writes nothing"},
    }  # fmt: skip
    sys.exit(page_command(PAGE, TITLE, section, options=options))

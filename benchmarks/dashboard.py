"""How fast the dashboard is and how many readers it bears: ``python -m benchmarks.dashboard [--write]``.

Starts ``vigie dashboard`` on the demonstration's full release, measures it in Chromium, then lets readers click.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import dashboard_load, dashboard_pages
from benchmarks.dashboard_server import Server
from benchmarks.shared import PAGE, replace_section
from store.releases import ReleaseStore

FIRST_PAINT, CHANGE, ANSWER, NINE_IN_TEN, MEMORY = 2.5, 0.3, 1.0, 2.0, {30: 1536.0, 200: 2048.0}
"""Limits: seconds for nine in ten first paints and changes, for the usual answer and nine in ten, MiB by readers."""
TITLE = "Dashboard"
PAGES_HEAD = ("| in Chromium | median, s | p90, s | limit of the p90, s |", "|---|---|---|---|")


def main() -> None:
    """Measure, print the table, and write it where asked to; ends with status 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--home", type=Path, help="A home with a release; by default one is made for it.")
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--think", type=float, nargs=2, default=dashboard_load.THINK_SECONDS, metavar=("LEAST", "MOST"),
                        help="Seconds that a reader looks at a page.")  # fmt: skip
    parser.add_argument("--only-pages", action="store_true", help="Pages alone, without the readers; writes nothing.")
    parser.add_argument("--write", action="store_true", help="Put the table into docs/benchmarks.md.")
    given = parser.parse_args()
    busy = os.getloadavg()[1]
    is_good, load = True, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or make_home(Path(folder) / "home")
        if not given.only_pages:
            load, is_good = measure_load(home, Path(folder) / "load.log", given.readers, given.minutes, given.think)
        pages = report_lines([*introduction(home, given.repetitions, busy), "", *PAGES_HEAD])
        with Server(home, Path(folder) / "pages.log") as server:
            for name, seconds in dashboard_pages.measure(server.address, given.repetitions):
                limit = limit_of(name)
                pages += report_lines([row(name, seconds, limit)])
                is_good &= limit is None or p90(seconds) <= limit
    if given.write and load:
        replace_section(PAGE, TITLE, [*pages, "", *load])
    sys.exit(0 if is_good else 1)


def limit_of(name: str) -> float | None:
    """Seconds that nine in ten of a kind may take; None where there is no limit."""
    limits = {dashboard_pages.FIRST: FIRST_PAINT, dashboard_pages.CHANGE: CHANGE}
    return next((limit for start, limit in limits.items() if name.startswith(start)), None)


def measure_load(home: Path, log: Path, readers: int, minutes: float, think: Sequence[float]) -> tuple[list[str], bool]:
    """Let readers click, print the table, and say whether every limit was kept."""
    with Server(home, log) as server:
        seen = dashboard_load.run(server.address, readers, minutes, think)
        memory = server.memory()
        seen.errors.extend(server.faults())
    for error in seen.errors[:20]:
        sys.stderr.write(f"{error}\n")
    limit = memory_limit(readers)
    lines = report_lines([*load_words(readers, minutes, think), "", *load_table(seen, *memory, limit), ""])
    return lines, is_borne(seen, memory[1], limit)


def memory_limit(readers: int) -> float:
    """MiB that the server may take for so many readers, or the most that it may."""
    return next((limit for most, limit in MEMORY.items() if readers <= most), max(MEMORY.values()))


def is_borne(seen: dashboard_load.Seen, peak: float, limit: float) -> bool:
    """Whether answers, errors and memory keep their limits."""
    everything = seen.all()
    is_quick = statistics.median(everything) <= ANSWER and p90(everything) <= NINE_IN_TEN
    return is_quick and not seen.errors and peak <= limit


def report_lines(lines: list[str]) -> list[str]:
    """Print a part as soon as it is measured, and hand it on."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    return lines


def make_home(home: Path) -> Path:
    """A home with the demonstration's releases."""
    vigie = str(Path(sys.executable).parent / "vigie")
    subprocess.run([vigie, "demonstrate", "--home", str(home)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
    return home


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


def load_words(readers: int, minutes: float, think: Sequence[float]) -> list[str]:
    """Who clicked."""
    low, high = think
    return [
        f"{readers} readers at once for {minutes:g} minutes, each a session of Streamlit over its websocket that runs",
        "pages as a browser's does: other pages, routes, alerts, views, languages, with the values of all widgets. A",
        f"reader waits {low:g} to {high:g} s between an answer and the next click. Counted as an error: an exception",
        "or error box in an answer, a page without title, an answer to another question than the one asked, a line of",
        "error in the server's log.",
    ]


def load_table(seen: dashboard_load.Seen, now: float, peak: float, limit: float) -> list[str]:
    """Answers by kind of step, memory, errors."""
    rows = [row(f"{kind} (n = {len(seconds)})", seconds, None) for kind, seconds in sorted(seen.seconds.items())]
    everything = seen.all()
    return [
        "| until the answer is complete | median, s | p90, s | limits, s |",
        "|---|---|---|---|",
        *rows,
        row(f"**all** (n = {len(everything)})", everything, f"{ANSWER:g}, {NINE_IN_TEN:g}"),
        "",
        "| under this load | | limit |",
        "|---|---|---|",
        f"| errors | {len(seen.errors)} | 0 |",
        f"| memory of the server at the end, at its highest | {now:,.0f} MiB, {peak:,.0f} MiB | {limit:,.0f} MiB |",
    ]


def row(name: str, seconds: Sequence[float], limit: float | str | None) -> str:
    """One line: name, median, 90th percentile, limit."""
    return f"| {name} | {statistics.median(seconds):.2f} | {p90(seconds):.2f} | {'' if limit is None else limit} |"


def p90(seconds: Sequence[float]) -> float:
    """The 90th percentile; of one value, that value."""
    return statistics.quantiles(seconds, n=10, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]


if __name__ == "__main__":
    main()

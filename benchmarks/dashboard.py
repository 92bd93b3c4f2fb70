"""How fast the dashboard is and how many readers it bears: ``python -m benchmarks.dashboard [--write]``.

Lets readers click, then measures in Chromium: first visits to each page, and changes on a warm page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from playwright.sync_api import Locator, Page

from benchmarks import dashboard_load
from benchmarks.shared import PAGE, Section, demonstration, page_command, report, table
from store.releases import ReleaseStore
from tests.browser import DESK, DRAWN, LONGEST_MS, PAGES, chromium
from tests.servers import Server

FIRST, CHANGE = 2.5, 0.3
"""Seconds that nine in ten first paints of a page, and nine in ten usual changes on one, may take."""
ANSWER, NINE_IN_TEN, MEMORY = 1.0, 2.0, 2048
"""Limits under load: seconds of the usual answer and of nine in ten, MiB of the server."""
REPETITIONS, READERS, MINUTES = 20, 200, 5.0
THINK = (30.0, 90.0)
"""Seconds between an answer and a reader's next click, uniformly distributed."""
# Watched from within the page, frame by frame, so that the time the test's own messages take is not counted.
_WATCH = """
  const seen = (isThere, start) => requestAnimationFrame(() => {
    if (!isThere()) seen(isThere, start);
    else requestAnimationFrame(() => { window.__seen = performance.now() - start; });
  });
  const title = () => document.querySelector('h1')?.innerText.trim() ?? '';
"""
_WATCH_FIRST = f"(() => {{ {_WATCH} seen(() => title() && document.querySelector(%r), 0); }})();"
_WATCH_CHANGE = f"""wanted => {{ {_WATCH}
  const lines = '.scatterlayer path, .shapelayer path';
  const drawn = () => [...(document.querySelector('.js-plotly-plot')?.querySelectorAll(lines) ?? [])]
    .map((path) => path.getAttribute('d')).join();
  const before = drawn();
  window.__seen = null;
  document.addEventListener('click', () => {{
    seen(() => title().startsWith(wanted) && drawn() !== before, performance.now());
  }}, {{ once: true, capture: true }});
}}"""


def section(_options: argparse.Namespace) -> Section:
    """Measure; a part is shown as soon as it is known. All is well where no limit is missed."""
    busy, rows = os.getloadavg()[1], []
    with demonstration() as home:
        with Server(home, home / "server.log") as server:
            load, is_good = load_lines(server)
        with Server(home, home / "server.log") as server:
            for name, limit, seconds in measured(server.address):
                rows.append(row(name, seconds, limit or ""))
                report(" | ".join(rows[-1]))
                is_good &= limit is None or bool(np.quantile(seconds, 0.9) <= limit)
        release = ReleaseStore(home).current()
        day = release.as_of if release else "no day"
    lines = [
        f"Measured: release as of {day}; load of the machine in the five minutes "
        f"before: {busy:.1f}; {REPETITIONS} repetitions in Chromium; {READERS} readers at once for "
        f"{MINUTES:g} minutes, each {THINK[0]:g} to {THINK[1]:g} s between an answer and the next click.",
        "",
        *table("in Chromium | median, s | p90, s | limit of the p90, s", rows),
        *load,
    ]
    return lines, is_good


def load_lines(server: Server) -> Section:
    """Let readers click: answers by kind of step, memory, errors; and whether every limit was kept."""
    seen = dashboard_load.run(server.address, MINUTES, THINK, [{}] * READERS)
    now, peak = server.memory()
    seen.errors.extend(server.faults())
    everything = seen.all()
    answers = [row(f"{kind} (n = {len(seconds)})", seconds, "") for kind, seconds in sorted(seen.seconds.items())]
    answers.append(row(f"**all** (n = {len(everything)})", everything, f"{ANSWER:g}, {NINE_IN_TEN:g}"))
    memory = "memory of the server at the end, at its highest", f"{now:,.0f} MiB, {peak:,.0f} MiB", f"{MEMORY:,} MiB"
    lines = ["", *table("until the answer is complete | median, s | p90, s | limits, s", answers)]
    lines += ["", *table("under this load | | limit", [("errors", len(seen.errors), 0), memory])]
    report("\n".join([*seen.errors[:20], *lines]))
    return lines, is_borne(seen, peak)


def is_borne(seen: dashboard_load.Seen, peak: float) -> bool:
    """Whether answers, errors and memory keep their limits."""
    usual, most = np.quantile(seen.all(), (0.5, 0.9))
    return bool(usual <= ANSWER and most <= NINE_IN_TEN) and not seen.errors and peak <= MEMORY


def row(name: str, seconds: Sequence[float], limit: object) -> tuple[str, ...]:
    """Name, median, 90th percentile, limit."""
    return name, *(f"{one:.2f}" for one in np.quantile(seconds, (0.5, 0.9))), str(limit)


def measured(address: str) -> Iterator[tuple[str, float | None, list[float]]]:
    """What was measured, as soon as it is known: its name, its limit, seconds of each repetition."""
    with chromium() as browser:
        yield from _changes(browser.new_page(viewport=DESK), address)
        context = browser.new_context(viewport=DESK)
        # A browser or a window that has only just been opened still loads parts of its own, on the same two cores.
        context.new_page().wait_for_timeout(4_000)
        for page in PAGES:
            visits = [_first_visit(context.new_page(), address, page) for _visit in range(REPETITIONS + 1)]
            yield f"first meaningful paint, `/{page}`", FIRST, visits[1:]


def _first_visit(tab: Page, address: str, page: str) -> float:
    """Seconds of a visit in a new tab of a browser that is open, with nothing of the dashboard in its store."""
    tab.context.new_cdp_session(tab).send("Network.clearBrowserCache")
    tab.add_init_script(_WATCH_FIRST % PAGES[page])
    tab.goto(f"{address}/{page}?lang=en", wait_until="commit")
    seconds = _seen(tab)
    tab.close()
    return seconds


def _changes(page: Page, address: str) -> Iterator[tuple[str, float | None, list[float]]]:
    """Click through all routes once, then again and again; then through the horizons, and the number up and down."""
    page.goto(f"{address}/route?lang=en")
    _settle(page)
    shown = page.inner_text("h1").split(":")[0]
    routes = [shown, *(name for name in _listed(page, "Route") if name != shown)]
    fresh = [_pick(page, "Route", name, name) for name in routes[1:]]
    yield f"change to a route not opened before (n = {len(fresh)})", None, fresh
    turns = range(REPETITIONS)
    again = [routes[turn % len(routes)] for turn in turns]
    yield "usual change of route", CHANGE, [_pick(page, "Route", name, name) for name in again]
    horizons = _listed(page, "Horizon")
    _pick(page, "Horizon", horizons[-2])
    yield "usual change of horizon", CHANGE, [_pick(page, "Horizon", horizons[-1 - turn % 2]) for turn in turns]
    buttons = [page.get_by_test_id(f"stNumberInputStep{way}").first for way in ("Up", "Down")]
    steps = [_change(page, buttons[turn % 2]) for turn in turns]
    yield "usual change of the reader’s number", CHANGE, steps
    page.close()


def _listed(page: Page, box: str) -> list[str]:
    page.get_by_label(box, exact=True).first.click()
    page.wait_for_selector('[role="option"]', timeout=LONGEST_MS)
    names = page.locator('[role="option"]').all_inner_texts()
    page.keyboard.press("Escape")
    return names


def _pick(page: Page, box: str, name: str, title: str = "") -> float:
    page.get_by_label(box, exact=True).first.click()
    return _change(page, page.locator('[role="option"]').get_by_text(name, exact=True), title)


def _change(page: Page, button: Locator, title: str = "") -> float:
    """Seconds from the click until the first chart is another and the page's title begins so."""
    page.evaluate(_WATCH_CHANGE, title)
    button.click()
    seconds = _seen(page)
    _settle(page)
    return seconds


def _seen(page: Page) -> float:
    page.wait_for_function("() => window.__seen", timeout=LONGEST_MS)
    return float(page.evaluate("window.__seen")) / 1000


def _settle(page: Page) -> None:
    page.wait_for_selector(PAGES["route"], timeout=LONGEST_MS)
    page.wait_for_function(DRAWN, timeout=LONGEST_MS)
    page.wait_for_timeout(500)


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "Dashboard", section))

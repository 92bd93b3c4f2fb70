"""How fast the dashboard is and how many readers it bears: ``python -m benchmarks.dashboard [--write]``.

Starts ``vigie dashboard`` on the demonstration's full release, lets readers click, then measures it in Chromium: first
visits to each page, and changes on a warm page.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Iterator, Sequence

from playwright.sync_api import Page

from benchmarks import dashboard_load
from benchmarks.browser import DESK, DRAWN, LONGEST_MS, PAGES, chromium
from benchmarks.dashboard_server import HOME, Server, a_home, served
from benchmarks.shared import PAGE, Options, Section, page_command, report, table
from store.releases import ReleaseStore

FIRST, CHANGE = "first meaningful paint", "usual change"
"""How the names of what has a limit begin."""
LIMITS = {FIRST: 2.5, CHANGE: 0.3}
"""Seconds that nine in ten may take."""
ANSWER, NINE_IN_TEN = 1.0, 2.0
"""Limits under load, in seconds: of the usual answer and of nine in ten."""
OPTIONS: Options = {
    **HOME,
    "--repetitions": {"type": int, "default": 20},
    "--readers": {"type": int, "default": 200},
    "--minutes": {"type": float, "default": 5.0},
    "--think": {
        "type": float, "nargs": 2, "default": dashboard_load.THINK_SECONDS, "metavar": ("LEAST", "MOST"),
        "help": "seconds that a reader looks at a page",
    },
}  # fmt: skip
_ROUTE, _HORIZON = "Route", "Horizon"
# Watched from within the page, frame by frame, so that the time the test's own messages take is not counted.
_WATCH_FIRST = """
(() => {
  const watch = () => {
    const title = document.querySelector('h1');
    if (title && title.textContent.trim() && document.querySelector(%r)) {
      requestAnimationFrame(() => { window.__meaningful = performance.now(); });
    } else requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
})();
"""
_WATCH_CHANGE = """
(wanted) => {
  const lines = '.scatterlayer path, .shapelayer path';
  const drawn = () => [...document.querySelectorAll('.js-plotly-plot')].slice(0, 1)
    .map((one) => [...one.querySelectorAll(lines)].map((path) => path.getAttribute('d')).join()).join();
  const before = drawn();
  window.__changed = null;
  document.addEventListener('click', () => {
    const start = performance.now();
    const watch = () => {
      const title = document.querySelector('h1');
      if (title.innerText.startsWith(wanted) && drawn() !== before) {
        requestAnimationFrame(() => { window.__changed = performance.now() - start; });
      } else requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
  }, { once: true, capture: true });
}
"""


def section(given: argparse.Namespace) -> Section:
    """Measure; a part is shown as soon as it is known. All is well where no limit is missed."""
    busy, rows = os.getloadavg()[1], []
    with a_home(given.home) as home:
        with served(home) as server:
            load, is_good = load_lines(server, given)
        with served(home) as server:
            for name, seconds in measured(server.address, given.repetitions):
                limit = limit_of(name)
                rows.append(row(name, seconds, limit))
                report(" | ".join(rows[-1]))
                is_good &= limit is None or p90(seconds) <= limit
        release = ReleaseStore(home).current()
    low, high = given.think
    lines = [
        f"Measured: release as of {release.as_of if release else 'no day'}; load of the machine in the five minutes "
        f"before: {busy:.1f}; {given.repetitions} repetitions in Chromium; {given.readers} readers at once for "
        f"{given.minutes:g} minutes, each {low:g} to {high:g} s between an answer and the next click.",
        "",
        *table("in Chromium | median, s | p90, s | limit of the p90, s", rows),
        *load,
    ]
    return lines, is_good


def load_lines(server: Server, given: argparse.Namespace) -> Section:
    """Let readers click: answers by kind of step, memory, errors; and whether every limit was kept."""
    seen = dashboard_load.run(server.address, given.readers, given.minutes, given.think)
    now, peak = server.memory()
    seen.errors.extend(server.faults())
    for error in seen.errors[:20]:
        report(error)
    limit, everything = memory_limit(given.readers), seen.all()
    answers = [row(f"{kind} (n = {len(seconds)})", seconds, None) for kind, seconds in sorted(seen.seconds.items())]
    answers.append(row(f"**all** (n = {len(everything)})", everything, f"{ANSWER:g}, {NINE_IN_TEN:g}"))
    memory = "memory of the server at the end, at its highest", f"{now:,.0f} MiB, {peak:,.0f} MiB", f"{limit:,.0f} MiB"
    lines = ["", *table("until the answer is complete | median, s | p90, s | limits, s", answers)]
    lines += ["", *table("under this load | | limit", [("errors", len(seen.errors), 0), memory])]
    report("\n".join(lines))
    return lines, is_borne(seen, peak, limit)


def limit_of(name: str) -> float | None:
    """Seconds that nine in ten of a kind may take; None where there is no limit."""
    return next((limit for start, limit in LIMITS.items() if name.startswith(start)), None)


def memory_limit(readers: int) -> float:
    """MiB that the server may take for so many readers."""
    return 1536.0 if readers <= 30 else 2048.0


def is_borne(seen: dashboard_load.Seen, peak: float, limit: float) -> bool:
    """Whether answers, errors and memory keep their limits."""
    everything = seen.all()
    is_quick = statistics.median(everything) <= ANSWER and p90(everything) <= NINE_IN_TEN
    return is_quick and not seen.errors and peak <= limit


def row(name: str, seconds: Sequence[float], limit: float | str | None) -> tuple[str, ...]:
    """Name, median, 90th percentile, limit."""
    return name, f"{statistics.median(seconds):.2f}", f"{p90(seconds):.2f}", "" if limit is None else str(limit)


def p90(seconds: Sequence[float]) -> float:
    """The 90th percentile; of one value, that value."""
    return statistics.quantiles(seconds, n=10, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]


def measured(address: str, repetitions: int) -> Iterator[tuple[str, list[float]]]:
    """What was measured, by name, as soon as it is known: seconds of each repetition."""
    with chromium() as browser:
        yield from _changes(browser.new_page(viewport=DESK), address, repetitions)
        context = browser.new_context(viewport=DESK)
        # A browser or a window that has only just been opened still loads parts of its own, on the same two cores.
        context.new_page().wait_for_timeout(4_000)
        for page in PAGES:
            visits = [_first_visit(context.new_page(), address, page) for _visit in range(repetitions + 1)]
            yield f"{FIRST}, `/{page}`", visits[1:]


def _first_visit(tab: Page, address: str, page: str) -> float:
    """Seconds of a visit in a new tab of a browser that is open, with nothing of the dashboard in its store."""
    tab.context.new_cdp_session(tab).send("Network.clearBrowserCache")
    tab.add_init_script(_WATCH_FIRST % PAGES[page])
    tab.goto(f"{address}/{page}?lang=en", wait_until="commit")
    tab.wait_for_function("() => window.__meaningful", timeout=LONGEST_MS)
    seconds = float(tab.evaluate("window.__meaningful")) / 1000
    tab.close()
    return seconds


def _changes(page: Page, address: str, repetitions: int) -> Iterator[tuple[str, list[float]]]:
    """Click through all routes once, then again and again; then through the horizons, and the number up and down."""
    page.goto(f"{address}/route?lang=en")
    _settle(page)
    shown = page.inner_text("h1").split(":")[0]
    routes = [shown, *(name for name in _listed(page, _ROUTE) if name != shown)]
    fresh = [_change(page, name) for name in routes[1:]]
    yield f"change to a route that nobody has looked at yet (n = {len(fresh)})", fresh
    yield f"{CHANGE} of route", [_change(page, routes[place % len(routes)]) for place in range(repetitions)]
    horizons = _listed(page, _HORIZON)
    steps = [horizons[-2 + place % 2] for place in range(repetitions + 1)]
    yield f"{CHANGE} of horizon", [_change(page, name, _HORIZON) for name in steps][1:]
    yield f"{CHANGE} of the reader’s number", [_step(page, up=place % 2 == 0) for place in range(repetitions)]
    page.close()


def _step(page: Page, *, up: bool) -> float:
    page.evaluate(_WATCH_CHANGE, "")
    page.get_by_test_id(f"stNumberInputStep{'Up' if up else 'Down'}").first.click()
    return _changed(page)


def _open_list(page: Page, box: str) -> None:
    page.get_by_label(box, exact=True).first.click()
    page.wait_for_selector('[role="option"]', timeout=LONGEST_MS)


def _listed(page: Page, box: str) -> list[str]:
    _open_list(page, box)
    names = page.locator('[role="option"]').all_inner_texts()
    page.keyboard.press("Escape")
    return names


def _change(page: Page, name: str, box: str = _ROUTE) -> float:
    _open_list(page, box)
    page.evaluate(_WATCH_CHANGE, name if box == _ROUTE else "")
    page.locator('[role="option"]').get_by_text(name, exact=True).click()
    return _changed(page)


def _changed(page: Page) -> float:
    page.wait_for_function("() => window.__changed", timeout=LONGEST_MS)
    seconds = float(page.evaluate("window.__changed")) / 1000
    _settle(page)
    return seconds


def _settle(page: Page) -> None:
    page.wait_for_selector(PAGES["route"], timeout=LONGEST_MS)
    page.wait_for_function(DRAWN, timeout=LONGEST_MS)
    page.wait_for_timeout(500)


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "Dashboard", section, options=OPTIONS))

"""Times as a reader sees them, in a real Chromium: a first visit to each page, and changes on a warm page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FIRST, CHANGE = "first meaningful paint", "usual change"
"""How the names of what has a limit begin."""

PAGES: Mapping[str, str] = {
    "": ".js-plotly-plot .scatterlayer",
    "route": ".js-plotly-plot .scatterlayer",
    "asylum": ".js-plotly-plot .scatterlayer",
    "year_ahead": '[data-testid="stTable"]',
    "alerts": ".st-key-alerts-list button",
    "scenarios": ".js-plotly-plot .scatterlayer",
    "evaluation": ".js-plotly-plot .scatterlayer",
    "hub": ".js-plotly-plot .scatterlayer",
    "data": '[data-testid="stTable"]',
    "method": '[data-testid="stMarkdownContainer"] ol',
}
"""Address of each page and what must be drawn, beside its title, before it means something to a reader."""
DRAWN = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-stale=true]')"""
"""Whether the server has sent a page whole and the browser shows it."""
QUIET = """milliseconds => new Promise(done => {
    let still = setTimeout(done, milliseconds);
    setTimeout(done, 10000);
    new MutationObserver(() => {clearTimeout(still); still = setTimeout(done, milliseconds);})
        .observe(document.body, {subtree: true, childList: true, attributes: true});
})"""
"""Resolved once nothing on the page has changed for so long."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DESK: ViewportSize = {"width": 1440, "height": 900}
_ROUTE, _HORIZON = "Route", "Horizon"
_LONGEST_MS, _SETTLED_MS = 60_000, 4_000
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


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a graphics card."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


def measure(address: str, repetitions: int) -> Iterator[tuple[str, list[float]]]:
    """What was measured, by name, as soon as it is known: seconds of each repetition.

    Args:
        address: Of a server that has been started for it.
        repetitions: Visits to each page, and changes of each kind.
    """
    with chromium() as browser:
        yield from _changes(browser.new_page(viewport=DESK), address, repetitions)
        context = browser.new_context(viewport=DESK)
        # A browser or a window that has only just been opened still loads parts of its own, on the same two cores.
        context.new_page().wait_for_timeout(_SETTLED_MS)
        for page in PAGES:
            visits = [_first_visit(context.new_page(), address, page) for _visit in range(repetitions + 1)]
            yield f"{FIRST}, `/{page}`", visits[1:]


def _first_visit(tab: Page, address: str, page: str) -> float:
    """Seconds of a visit in a new tab of a browser that is open, with nothing of the dashboard in its store."""
    tab.context.new_cdp_session(tab).send("Network.clearBrowserCache")
    tab.add_init_script(_WATCH_FIRST % PAGES[page])
    tab.goto(f"{address}/{page}?lang=en", wait_until="commit")
    tab.wait_for_function("() => window.__meaningful", timeout=_LONGEST_MS)
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
    page.wait_for_selector('[role="option"]', timeout=_LONGEST_MS)


def _listed(page: Page, box: str) -> list[str]:
    _open_list(page, box)
    names = [one.inner_text() for one in page.locator('[role="option"]').all()]
    page.keyboard.press("Escape")
    return names


def _change(page: Page, name: str, box: str = _ROUTE) -> float:
    _open_list(page, box)
    page.evaluate(_WATCH_CHANGE, name if box == _ROUTE else "")
    page.locator('[role="option"]').get_by_text(name, exact=True).click()
    return _changed(page)


def _changed(page: Page) -> float:
    page.wait_for_function("() => window.__changed", timeout=_LONGEST_MS)
    seconds = float(page.evaluate("window.__changed")) / 1000
    _settle(page)
    return seconds


def _settle(page: Page) -> None:
    page.wait_for_selector(PAGES["route"], timeout=_LONGEST_MS)
    page.wait_for_function(DRAWN, timeout=_LONGEST_MS)
    page.wait_for_timeout(500)

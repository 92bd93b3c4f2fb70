"""Times as a reader sees them, in a real Chromium: a first visit to each page, and changes on a warm page."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from playwright.sync_api import Browser, BrowserType, Page, sync_playwright

PAGES: Mapping[str, str] = {
    "": ".js-plotly-plot .scatterlayer",
    "route": ".js-plotly-plot .scatterlayer",
    "asylum": ".js-plotly-plot .scatterlayer",
    "year_ahead": '[data-testid="stTable"]',
    "alerts": '[data-testid="stRadio"]',
    "scenarios": ".js-plotly-plot .scatterlayer",
    "evaluation": ".js-plotly-plot .scatterlayer",
    "hub": ".js-plotly-plot .scatterlayer",
    "data": '[data-testid="stTable"]',
    "method": '[data-testid="stMarkdownContainer"] ol',
}
"""Address of each page and what must be drawn, beside its title, before it means something to a reader."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_SIZE = {"width": 1440, "height": 900}
_ROUTE, _HORIZON = "Route", "Horizon"
_LONGEST_MS, _SETTLED_MS = 180_000, 4_000
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


@dataclass(frozen=True)
class Times:
    """Seconds of each repetition.

    Attributes:
        first: First meaningful paint by page.
        change: Change of route, routes that somebody has looked at before.
        horizon: Change of the horizon of the chart.
        threshold: Change of the reader's number.
        fresh: Change to a route that nobody has looked at since the server started.
    """

    first: Mapping[str, Sequence[float]]
    change: Sequence[float]
    horizon: Sequence[float]
    threshold: Sequence[float]
    fresh: Sequence[float]


def measure(address: str, repetitions: int) -> Times:
    """Measure on a server that has been started for it.

    Args:
        address: Of the server.
        repetitions: Visits to each page, and changes of route.
    """
    with sync_playwright() as play:
        fresh, change, horizon, threshold = _changes(play.chromium, address, repetitions)
        first = {page: _first_visits(play.chromium, address, page, repetitions) for page in PAGES}
    return Times(first, change, horizon, threshold, fresh)


def _launch(chromium: BrowserType) -> Browser:
    return chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)


def _first_visits(chromium: BrowserType, address: str, page: str, repetitions: int) -> list[float]:
    """Visits in a new tab of a browser that is open, with nothing of the dashboard in its store.

    A browser or a window that has only just been opened still loads parts of its own, on the same two cores.
    """
    seconds = []
    browser = _launch(chromium)
    context = browser.new_context(viewport=_SIZE)  # type: ignore[arg-type]  # a plain mapping is what it takes
    context.new_page().wait_for_timeout(_SETTLED_MS)
    for _visit in range(repetitions + 1):
        tab = context.new_page()
        context.new_cdp_session(tab).send("Network.clearBrowserCache")
        tab.add_init_script(_WATCH_FIRST % PAGES[page])
        tab.goto(f"{address}/{page}?lang=en")
        tab.wait_for_function("() => window.__meaningful", timeout=_LONGEST_MS)
        seconds.append(float(tab.evaluate("window.__meaningful")) / 1000)
        tab.close()
    browser.close()
    return seconds[1:]


def _changes(chromium: BrowserType, address: str, repetitions: int) -> tuple[list[float], ...]:
    """Click through all routes once, then again and again; then through the horizons, and the number up and down."""
    browser = _launch(chromium)
    page = browser.new_page(viewport=_SIZE)  # type: ignore[arg-type]  # as above
    page.goto(f"{address}/route?lang=en")
    _settle(page)
    routes = _options(page)
    fresh = [_change(page, name) for name in routes[1:]]
    order = [routes[place % len(routes)] for place in range(repetitions)]
    change = [_change(page, name) for name in order]
    horizons = _listed(page, _HORIZON)
    steps = [horizons[-2 + place % 2] for place in range(repetitions + 1)]
    horizon = [_change(page, name, _HORIZON) for name in steps][1:]
    threshold = []
    for place in range(repetitions):
        page.evaluate(_WATCH_CHANGE, "")
        page.get_by_test_id("stNumberInputStepUp" if place % 2 == 0 else "stNumberInputStepDown").first.click()
        threshold.append(_changed(page))
    browser.close()
    return fresh, change, horizon, threshold


def _options(page: Page) -> list[str]:
    """The routes with a forecast, the one shown first."""
    shown = page.inner_text("h1").split(":")[0]
    return [shown, *(name for name in _listed(page, _ROUTE) if name != shown)]


def _listed(page: Page, box: str) -> list[str]:
    _open_list(page, box)
    names = [one.inner_text() for one in page.locator('[role="option"]').all()]
    page.keyboard.press("Escape")
    return names


def _open_list(page: Page, box: str) -> None:
    page.get_by_label(box, exact=True).first.click()
    page.wait_for_selector('[role="option"]', timeout=_LONGEST_MS)


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
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-stale=true]')",
        timeout=_LONGEST_MS,
    )
    page.wait_for_timeout(500)


def shown_as(page: str) -> str:
    """A page's address as a reader types it."""
    return f"/{quote(page)}"

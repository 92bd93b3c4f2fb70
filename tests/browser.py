"""A real Chromium on the dashboard's pages, for tests and measurements."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

CHART = ".js-plotly-plot .scatterlayer"
PAGES: Mapping[str, str] = {
    "": CHART, "route": CHART, "asylum": CHART, "alerts": ".st-key-alerts-list button",
    "scenarios": CHART, "evaluation": CHART, "data": "[data-testid=stExpander]",
}  # fmt: skip
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
DESK: ViewportSize = {"width": 1440, "height": 900}
LONGEST_MS = 600_000
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a graphics card."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS, timeout=LONGEST_MS)
        yield browser
        browser.close()


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds, rule by rule; passed rules, which take most of its time, are left out."""
    found: list[dict[str, Any]] = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return found


def serious_findings(page: Page) -> dict[str, list[str]]:
    """What axe finds that keeps someone from reading on; headings that skip a level do for those who listen."""
    return {
        one["id"]: [node["html"][:160] for node in one["nodes"]]
        for one in violations(page)
        if one["impact"] in {"serious", "critical"} or one["id"] == "heading-order"
    }

"""Every page as readers see it: ``python -m benchmarks.dashboard_sheets [--home HOME] [--write]``.

Visits each page in each language, at a desk's, a small screen's and a phone's width, by day and at night: counts what
axe finds, errors and sideways scrolling, and puts the first screens on one sheet per language, ``docs/pages-en.png``.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, ViewportSize

from benchmarks.dashboard_pages import DESK, DRAWN, QUIET, chromium
from benchmarks.dashboard_server import HOME_HELP, a_home, served
from benchmarks.shared import PAGE
from core.languages import languages
from dashboard.app_pages import page_titles

SCREENS: tuple[ViewportSize, ...] = (DESK, {"width": 1024, "height": 768}, {"width": 390, "height": 844})
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
COLUMNS: Mapping[int, int] = {1440: 4, 1024: 6, 390: 11}
"""How many first screens of a width stand side by side on a sheet."""
WIDTH, GAP, GROUND, COLOURS = 1920, 8, "#A9B4B8", 256
_LONGEST_MS = 120_000
_READ = "vigie_seen"
"""Cookie of a browser that has read the purpose and the hints."""
Shots = dict[tuple[int, str], list[Image.Image]]


def main() -> None:
    """Visit, print a line per visit, write the sheets where asked to; ends with status 1 where something is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help=HOME_HELP)
    parser.add_argument("--languages", nargs="+", default=list(languages()), metavar="CODE")
    parser.add_argument("--pages", nargs="+", default=[name for name in page_titles() if name != "access"])
    parser.add_argument("--shots", type=Path, help="a folder for each whole page as a picture of its own")
    parser.add_argument("--write", action="store_true", help="put a sheet per language into docs")
    given = parser.parse_args()
    found: list[str] = []
    with a_home(given.home) as home, served(home) as server, chromium() as browser:
        for code in given.languages:
            shots: Shots = {}
            for line, faults in visits(browser, server.address, code, given.pages, shots, given.shots):
                sys.stdout.write(f"{line}: {'; '.join(faults) or 'nothing found'}\n")
                sys.stdout.flush()
                found += faults
            if given.write:
                sheet(shots).save(PAGE.parent / f"pages-{code}.png", optimize=True)
    sys.stdout.write(f"{len(found)} findings\n")
    sys.exit(1 if found else 0)


def visits(
    browser: Browser, address: str, code: str, pages: Sequence[str], shots: Shots, folder: Path | None
) -> Iterator[tuple[str, list[str]]]:
    """What was visited, with the page's height in pixels, and what was found there; pictures are put into ``shots``."""
    for theme, size in product(THEMES, SCREENS):
        context = browser.new_context(viewport=size, color_scheme=theme)
        context.add_cookies([{"name": _READ, "value": "4", "url": address}])
        page = context.new_page()
        errors: list[str] = []
        listen(page, errors)
        for name in pages:
            errors.clear()
            height = go_to(page, f"{address}/{name}?lang={code}")
            shots.setdefault((size["width"], theme), []).append(picture(page))
            line = f"{code} {name} {size['width']} {theme} {height} px"
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                page.set_viewport_size({"width": size["width"], "height": min(height, 12_000)})
                page.wait_for_timeout(500)
                page.screenshot(path=folder / f"{name}-{code}-{size['width']}-{theme}.png")
                page.set_viewport_size(size)
            yield line, [*faults(page), *errors]
        context.close()


def listen(page: Page, errors: list[str]) -> None:
    """Note errors on the browser's console and requests to other machines."""

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error":
            errors.append(said.text)

    def see(asked: Request) -> None:
        parts = urlparse(asked.url)
        if parts.scheme.startswith(("http", "ws")) and parts.hostname not in {"127.0.0.1", "localhost"}:
            errors.append(f"asks {parts.hostname}")

    page.on("console", hear)
    page.on("request", see)


def go_to(page: Page, url: str) -> int:
    """Open an address, wait until it is drawn, and say how many pixels high the whole page is."""
    page.goto(url)
    page.wait_for_selector("h1", timeout=_LONGEST_MS)
    page.wait_for_function(DRAWN, timeout=_LONGEST_MS)
    page.evaluate(QUIET, 300)
    page.wait_for_function(DRAWN, timeout=_LONGEST_MS)
    return int(page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight"))


def faults(page: Page) -> list[str]:
    """Everything that axe finds, whatever its weight, exceptions on the page, and a page wider than the screen."""
    said = [f"axe {one['id']}: {node['target'][0]}" for one in violations(page) for node in one["nodes"]]
    if page.locator("[data-testid=stException]").count():
        said.append("an exception on the page")
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 2"):
        said.append("scrolls sideways")
    return said


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds, rule by rule; what it finds in order takes it most of its time to tell, and is left out."""
    found: list[dict[str, Any]] = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return found


def picture(page: Page) -> Image.Image:
    """The first screen, as small as it stands on the sheet."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    columns = COLUMNS[shot.width]
    width = (WIDTH - GAP * (columns + 1)) // columns
    return shot.resize((width, round(shot.height * width / shot.width)), Image.Resampling.LANCZOS)


def sheet(shots: Shots) -> Image.Image:
    """All first screens of one language: wide ones first, light above dark."""
    rows: list[list[Image.Image]] = []
    for size, theme in product(SCREENS, THEMES):
        shown, columns = shots[size["width"], theme], COLUMNS[size["width"]]
        rows += [shown[at : at + columns] for at in range(0, len(shown), columns)]
    height = GAP + sum(row[0].height + GAP for row in rows)
    whole, top = Image.new("RGB", (WIDTH, height), GROUND), GAP
    for row in rows:
        for place, one in enumerate(row):
            whole.paste(one, (GAP + place * (one.width + GAP), top))
        top += row[0].height + GAP
    return whole.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()

"""Every page as readers see it: ``python -m benchmarks.dashboard_sheets [--write]``.

Visits each page in each language, at a desk's, a small screen's and a phone's width, by day and at night: prints what
axe finds, and puts the first screens on one sheet per language, ``docs/pages-en.png``.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ViewportSize

from benchmarks.shared import PAGE, demonstration
from core.languages import languages
from dashboard.pages import page_titles
from tests.browser import DESK, DRAWN, LONGEST_MS, QUIET, chromium, violations
from tests.servers import Server

SCREENS: tuple[ViewportSize, ...] = (DESK, {"width": 1024, "height": 768}, {"width": 390, "height": 844})
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
COLUMNS: Mapping[int, int] = {1440: 4, 1024: 6, 390: 11}
"""How many first screens of a width stand side by side on a sheet."""
WIDTH, GAP, GROUND, COLOURS = 1920, 8, "#A9B4B8", 256
Shots = dict[tuple[int, str], list[Image.Image]]


def main() -> None:
    """Visit, print a line per visit, write the sheets where asked to; ends with status 1 where something is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put a sheet per language into docs")
    given = parser.parse_args()
    found = 0
    with demonstration() as home, Server(home, home / "server.log") as server, chromium() as browser:
        for code in languages():
            shots: Shots = {}
            for line, faults in visits(browser, server.address, code, shots):
                print(f"{line}: {'; '.join(faults) or 'nothing found'}", flush=True)  # noqa: T201  # a command's answer
                found += len(faults)
            if given.write:
                sheet(shots).save(PAGE.parent / f"pages-{code}.png", optimize=True)
    sys.exit(1 if found else 0)


def visits(browser: Browser, address: str, code: str, shots: Shots) -> Iterator[tuple[str, list[str]]]:
    """What was visited and what axe found there, whatever its weight; pictures are put into ``shots``."""
    for theme, size in product(THEMES, SCREENS):
        context = browser.new_context(viewport=size, color_scheme=theme)
        context.add_cookies([{"name": "vigie_seen", "value": "4", "url": address}])  # hints were read
        page = context.new_page()
        for name in page_titles():
            if name != "access":
                page.goto(f"{address}/{name}?lang={code}")
                page.wait_for_selector("h1", timeout=LONGEST_MS)
                page.wait_for_function(DRAWN, timeout=LONGEST_MS)
                page.evaluate(QUIET, 300)
                shots.setdefault((size["width"], theme), []).append(small(page.screenshot()))
                faults = [f"axe {one['id']}: {node['target'][0]}" for one in violations(page) for node in one["nodes"]]
                yield f"{code} {name} {size['width']} {theme}", faults
        context.close()


def small(picture: bytes) -> Image.Image:
    """The first screen, as small as it stands on the sheet."""
    shot = Image.open(io.BytesIO(picture)).convert("RGB")
    columns = COLUMNS[shot.width]
    width = (WIDTH - GAP * (columns + 1)) // columns
    return shot.resize((width, round(shot.height * width / shot.width)), Image.Resampling.LANCZOS)


def sheet(shots: Shots) -> Image.Image:
    """All first screens of one language: wide ones first, light above dark."""
    whole, top = Image.new("RGB", (WIDTH, 20_000), GROUND), GAP
    for size, theme in product(SCREENS, THEMES):
        shown, columns = shots[size["width"], theme], COLUMNS[size["width"]]
        for at, one in enumerate(shown):
            whole.paste(one, (GAP + at % columns * (one.width + GAP), top + at // columns * (one.height + GAP)))
        top += -(-len(shown) // columns) * (shown[0].height + GAP)
    whole = whole.crop((0, 0, WIDTH, top))
    return whole.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()

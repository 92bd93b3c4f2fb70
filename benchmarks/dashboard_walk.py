"""Two walks, click by click, with seconds: ``python -m benchmarks.dashboard_walk [--home HOME] [--write]``.

A manager signs an alert off; an analyst answers whether arrivals in the Canary Islands will exceed 5,000 in any of the
next three months, and how sure that is. The home is copied: what the walk decides is in no journal but the copy's.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

from playwright.sync_api import Page

from benchmarks.browser import DESK, LONGEST_MS, chromium
from benchmarks.dashboard_server import HOME, served
from benchmarks.shared import Section, page_command, table
from core.settings import PROJECT

ROUTE, NUMBER = "Western African / Atlantic", "5000"


class Walk:
    """The steps of one person: what was done, what came of it, seconds until it stood on the screen."""

    def __init__(self, page: Page) -> None:
        self.page, self.steps = page, list[tuple[str, str, float]]()

    def step(self, what: str, do: Callable[[], object], selector: str, holding: str = "") -> None:
        """Do something, and wait for the first element that holds some words."""
        start = time.monotonic()
        do()
        seen = self.page.locator(selector, has_text=holding).first.inner_text(timeout=LONGEST_MS)
        self.steps.append((what, " ".join(seen.split()), time.monotonic() - start))

    def table(self) -> list[str]:
        """The steps and their sum."""
        rows = [(what, seen, f"{seconds:.1f}") for what, seen, seconds in self.steps]
        total = sum(seconds for _what, _seen, seconds in self.steps)
        return table("step | what stands there | seconds", [*rows, (f"**{len(rows)} steps**", "", f"**{total:.1f}**")])


def manager(walk: Walk, overview: str) -> None:
    """From the Overview to a decision that is kept."""
    page = walk.page
    button = page.get_by_role

    def confirm() -> None:
        page.get_by_label("Your name").first.fill("Ada Lovelace")
        page.get_by_label("Reason").first.fill("Beds on the islands are prepared")
        page.keyboard.press("Tab")
        button("button", name="Confirm").click()

    read, send = button("button", name="Read and decide").first, button("button", name="Sign off and send", exact=True)
    walk.step("open the Overview", lambda: page.goto(overview), "h1", "sign-off")
    detail = ".st-key-alert-detail tr", "At least one of these months"
    walk.step("click “Read and decide” on the card", read.click, *detail)
    walk.step("click “Sign off and send”", send.click, "[data-testid=stForm] p", "Sign off and send")
    walk.step("type a name and a reason, click “Confirm”", confirm, "p, td", "Signed off: “")


def analyst(walk: Walk, overview: str) -> None:
    """From the Overview to a chance, and to how far it can be trusted."""
    page = walk.page

    def ask() -> None:
        number = page.get_by_test_id("stNumberInputField").first
        number.fill(NUMBER)
        number.press("Enter")
        page.get_by_role("heading", name="Chance of exceeding 5,000 a month").wait_for()

    route = page.locator("[data-testid=stTable] a", has_text=ROUTE)
    walk.step("open the Overview", lambda: page.goto(overview), "h1")
    walk.step(f"click “{ROUTE}” in the table", route.click, "h1", f"{ROUTE}: ")
    walk.step(f"type {NUMBER} as “your number”", ask, ".st-key-chances tr", "Any of")
    walk.step("read the line below the chances", lambda: None, "p", "How we know")
    walk.step("click “How we know”", page.get_by_role("link", name="How we know").first.click, "li", "80%")


def section(given: argparse.Namespace) -> Section:
    """Walk; gives the two tables, and how busy the machine was with other things before."""
    lines = [f"Measured: load of the two cores in the five minutes before: {os.getloadavg()[1]:.1f}."]
    with served(given.home, copied=True) as server, chromium() as browser:
        for go in (manager, analyst):
            page = browser.new_page(viewport=DESK)
            page.set_default_timeout(LONGEST_MS)
            page.goto(f"{server.address}/method?lang=en")  # the server's first answer is timed elsewhere
            page.wait_for_selector("h1")
            walk = Walk(page)
            go(walk, f"{server.address}/overview?lang=en")
            page.close()
            lines += ["", *walk.table()]
    return lines, True


if __name__ == "__main__":
    page = PROJECT / "docs" / "first_hour.md"
    sys.exit(page_command(page, "Two questions, click by click", section, options=HOME))

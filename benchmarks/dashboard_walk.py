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
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.dashboard_pages import DESK, chromium
from benchmarks.dashboard_server import HOME_HELP, a_home, served
from benchmarks.shared import page_command, table
from core.settings import PROJECT

TITLE = "Two questions, click by click"
ROUTE, NUMBER = "Western African / Atlantic", "5000"
_LONGEST_MS = 120_000


@dataclass
class Walk:
    """The steps of one person: what was done, what came of it, seconds until it stood on the screen."""

    page: Page
    steps: list[tuple[str, str, float]] = field(default_factory=list)

    def step(self, what: str, do: Callable[[], object], seen: Callable[[], str]) -> None:
        """Do something, and wait for what is to be seen."""
        start = time.monotonic()
        do()
        found = " ".join(seen().split())
        self.steps.append((what, found, time.monotonic() - start))

    def text(self, selector: str, holding: str = "") -> str:
        """The text of the first element that holds some words."""
        return self.page.locator(selector, has_text=holding).first.inner_text(timeout=_LONGEST_MS)


def manager(walk: Walk, address: str) -> None:
    """From the Overview to a decision that is kept."""
    page = walk.page
    walk.step(
        "open the Overview", lambda: page.goto(f"{address}/overview?lang=en"), lambda: walk.text("h1", "sign-off")
    )
    walk.step(
        "click “Read and decide” on the card",
        page.get_by_role("button", name="Read and decide").first.click,
        lambda: walk.text(".st-key-alert-detail tr", "At least one of these months"),
    )
    walk.step(
        "click “Sign off and send”",
        page.get_by_role("button", name="Sign off and send", exact=True).click,
        lambda: walk.text("[data-testid=stForm]", "Confirm").split("\n")[0],
    )

    def confirm() -> None:
        page.get_by_label("Your name").first.fill("Ada Lovelace")
        page.get_by_label("Reason").first.fill("Beds on the islands are prepared")
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Confirm").click()

    walk.step("type a name and a reason, click “Confirm”", confirm, lambda: walk.text("p, td", "Signed off: “"))


def analyst(walk: Walk, address: str) -> None:
    """From the Overview to a chance, and to how far it can be trusted."""
    page = walk.page
    walk.step("open the Overview", lambda: page.goto(f"{address}/overview?lang=en"), lambda: walk.text("h1"))
    walk.step(
        f"click “{ROUTE}” in the table",
        page.locator("[data-testid=stTable] a", has_text=ROUTE).click,
        lambda: walk.text("h1", f"{ROUTE}: "),
    )

    def ask() -> None:
        number = page.get_by_test_id("stNumberInputField").first
        number.fill(NUMBER)
        number.press("Enter")
        page.get_by_role("heading", name="Chance of exceeding 5,000 a month").wait_for()

    walk.step(f"type {NUMBER} as “your number”", ask, lambda: walk.text(".st-key-chances tr", "Any of"))
    walk.step("read the line below the chances", lambda: None, lambda: walk.text("p", "How we know"))
    walk.step(
        "click “How we know”", page.get_by_role("link", name="How we know").first.click, lambda: walk.text("li", "80%")
    )


def section(given: argparse.Namespace) -> tuple[list[str], bool]:
    """Walk; gives the two tables, and how busy the machine was with other things before."""
    lines = [
        "Made by `python -m benchmarks.dashboard_walk --write` on the demonstration: seconds from the click until the",
        "answer stands on the screen, without the time it takes to read. Load of the two cores in the five minutes",
        f"before: {os.getloadavg()[1]:.1f}.",
    ]
    question = "will arrivals exceed 5,000 in any of the next three months, and how sure are we?"
    with a_home(given.home, copied=True) as home, served(home) as server, chromium() as browser:
        for title, go in (("A manager signs an alert off", manager), (f"An analyst: {question}", analyst)):
            page = browser.new_page(viewport=DESK)
            page.set_default_timeout(_LONGEST_MS)
            page.goto(f"{server.address}/method?lang=en")  # the server's first answer is timed elsewhere
            page.wait_for_selector("h1")
            walk = Walk(page)
            go(walk, server.address)
            page.close()
            rows = [(what, seen, f"{seconds:.1f}") for what, seen, seconds in walk.steps]
            total = sum(seconds for _what, _seen, seconds in walk.steps)
            rows.append((f"**{len(walk.steps)} steps**", "", f"**{total:.1f}**"))
            lines += ["", f"**{title}**", "", *table("step | what stands there | seconds", rows)]
    return lines, True


if __name__ == "__main__":
    options = {"--home": {"type": Path, "help": HOME_HELP}}
    sys.exit(page_command(PROJECT / "docs" / "first_hour.md", TITLE, section, options=options))

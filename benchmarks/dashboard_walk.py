"""Two walks, click by click, with seconds: ``python -m benchmarks.dashboard_walk [--write]``.

A manager signs an alert off; an analyst answers whether arrivals in the Canary Islands will exceed 5,000 in any of the
next three months, and how sure that is.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

from playwright.sync_api import Page

from benchmarks.shared import Section, demonstration, page_command, table
from core.settings import PROJECT
from tests.browser import DESK, LONGEST_MS, chromium
from tests.servers import Server

ROUTE, NUMBER = "Western African / Atlantic", "5000"
Step = tuple[str, Callable[[], object], str, str]
"""What is done, in words and in deed; then a selector and words of the first element that shall hold them."""


def manager(page: Page, overview: str) -> list[Step]:
    """From the Overview to a decision that is kept."""
    button = page.get_by_role

    def confirm() -> None:
        page.get_by_label("Your name").first.fill("Ada Lovelace")
        page.get_by_label("Reason").first.fill("Beds on the islands are prepared")
        page.keyboard.press("Tab")
        button("button", name="Confirm").click()

    read, send = (
        button("button", name="Read and practise").first,
        button("button", name="Practise the sign-off (nothing is sent)", exact=True),
    )
    detail = ".st-key-alert-detail tr", "At least one of these months"
    return [
        ("open the Overview", lambda: page.goto(overview), "h1", "sign-off"),
        ("click “Read and practise” on the card", read.click, *detail),
        (
            "click “Practise the sign-off”",
            send.click,
            "[data-testid=stForm] p",
            "Practise the sign-off (nothing is sent)",
        ),
        ("type a name and a reason, click “Confirm”", confirm, "p, td", "Signed off: “"),
    ]


def analyst(page: Page, overview: str) -> list[Step]:
    """From the Overview to a chance, and to how far it can be trusted."""

    def ask() -> None:
        number = page.get_by_test_id("stNumberInputField").first
        number.fill(NUMBER)
        number.press("Enter")
        page.get_by_role("heading", name="Chance of exceeding 5,000 a month").wait_for()

    route = page.locator("[data-testid=stTable] a", has_text=ROUTE)
    return [
        ("open the Overview", lambda: page.goto(overview), "h1", ""),
        (f"click “{ROUTE}” in the table", route.click, "h1", f"{ROUTE}: "),
        (f"type {NUMBER} as “your number”", ask, ".st-key-chances tr", "Any of"),
        ("read the line below the chances", lambda: None, "p", "How we know"),
        ("click “How we know”", page.get_by_role("link", name="How we know").first.click, "li", "80%"),
    ]


def walk(page: Page, steps: list[Step]) -> list[str]:
    """A table of the steps: what came of each, seconds until it stood on the screen, and their sum."""
    rows, total = [], 0.0
    for what, do, selector, holding in steps:
        start = time.monotonic()
        do()
        seen = page.locator(selector, has_text=holding).first.inner_text(timeout=LONGEST_MS)
        seconds = time.monotonic() - start
        rows.append((what, " ".join(seen.split()), f"{seconds:.1f}"))
        total += seconds
    return table("step | what stands there | seconds", [*rows, (f"**{len(rows)} steps**", "", f"**{total:.1f}**")])


def section(_options: argparse.Namespace) -> Section:
    """Walk; gives the two tables, and how busy the machine was with other things before."""
    lines = [f"Measured: load of the two cores in the five minutes before: {os.getloadavg()[1]:.1f}."]
    with demonstration() as home, Server(home, home / "server.log") as server, chromium() as browser:
        for person in (manager, analyst):
            page = browser.new_page(viewport=DESK)
            page.set_default_timeout(LONGEST_MS)
            page.goto(f"{server.address}/method?lang=en")  # the server's first answer is timed elsewhere
            page.wait_for_selector("h1")
            lines += ["", *walk(page, person(page, f"{server.address}/overview?lang=en"))]
            page.close()
    return lines, True


if __name__ == "__main__":
    page = PROJECT / "docs" / "first_hour.md"
    sys.exit(page_command(page, "Two questions, click by click", section))

"""Login in a real Chromium, with a real provider: the way in, a decision under one's own name, the way out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from alerts.lifecycle import SIGNED_OFF
from tests.browser import DRAWN, chromium, violations

from .conftest import Dashboard

pytestmark = [
    pytest.mark.browser,
    pytest.mark.provider,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the path"),
]
WAIT = 600_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def is_accessible(page: Page) -> bool:
    return not [one["id"] for one in violations(page) if one["impact"] in {"serious", "critical"}]


def settle(page: Page) -> None:
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(600)


def test_person_signs_in_decides_and_signs_out(browser: Browser, connected: Dashboard) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 1800})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    errors: list[str] = []

    def see(message: ConsoleMessage) -> None:
        where = str(message.location.get("url", ""))
        if message.type == "error" and where.startswith(connected.base):
            errors.append(message.text)

    page.on("console", see)
    page.goto(f"{connected.base}/alerts")
    page.get_by_role("button", name="Sign in").wait_for()
    assert is_accessible(page)
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=login]").fill("mia")
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()
    page.get_by_text("mia@example.org · manager").wait_for()
    page.goto(f"{connected.base}/alerts?alert=surge-WAR-2025-02")
    page.get_by_role("button", name="Sign off and send", exact=True).click()
    page.get_by_label("Reason").first.fill("Beds are prepared")
    assert page.get_by_label("Your name").count() == 0
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Signed off: “Beds are prepared”").wait_for()
    left = context.new_page()
    left.set_default_timeout(WAIT)
    left.goto(f"{connected.base}/data")
    settle(left)
    assert [row.actor for row in connected.rows(SIGNED_OFF)] == ["mia@example.org"]
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: "/session/end" in url)
    left.get_by_role("button", name="Sign in").wait_for()  # a page that was left open leads to the door
    page.goto(f"{connected.base}/alerts")
    page.get_by_role("button", name="Sign in").wait_for()
    assert errors == []
    context.close()

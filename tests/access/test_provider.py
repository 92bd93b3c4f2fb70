"""Login through a real, certified OpenID Connect provider on loopback, roles and all."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from access import SIGNED_IN, SIGNED_OUT, Actor, revoke
from alerts.lifecycle import SIGNED_OFF
from store.journal import Journal, journal_url
from tests.browser import DRAWN, chromium, violations
from tests.servers import LONGEST_SECONDS

from .conftest import ACCOUNTS, CALLBACK, Dashboard, accounts_of
from .test_wire import REFUSAL
from .wire import COOKIE, DOOR, visit

pytestmark = pytest.mark.provider


@contextmanager
def signed_in(dashboard: Dashboard, who: str) -> Iterator[httpx.Client]:
    """Go the whole way that a browser goes: to the provider, through its forms, and back."""
    with httpx.Client(follow_redirects=True, timeout=LONGEST_SECONDS) as browser:
        go_in(browser, dashboard, who)
        yield browser


def go_in(browser: httpx.Client, dashboard: Dashboard, who: str) -> None:
    page = browser.get(f"{dashboard.base}/auth/login")
    for _step in range(4):
        if str(page.url).startswith(dashboard.base):
            break
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert action, page.text[:500]
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        page = browser.post(urljoin(str(page.url), action[1]), data={**fields, "login": who, "password": "any"})
    assert str(page.url).startswith(dashboard.base), page.url


def cookie_of(browser: httpx.Client) -> str:
    return next((one.value or "" for one in browser.cookies.jar if one.name == COOKIE), "")


@pytest.fixture(scope="session")
def cookies(connected: Dashboard) -> dict[str, str]:
    """A login of each person."""
    found = {}
    for who in ACCOUNTS:
        with signed_in(connected, who) as browser:
            found[who] = cookie_of(browser)
    return found


@pytest.mark.parametrize(
    ("who", "page", "allowed"),
    [
        ("vera", "scenarios", False), ("anna", "scenarios", True), ("mia", "access", False), ("adam", "access", True),
        ("lisa", "scenarios", True),
    ],
)  # fmt: skip
def test_who_signs_in_has_roles_of_claims_and_list(
    connected: Dashboard,
    cookies: dict[str, str],
    who: str,
    page: str,
    allowed: bool,  # noqa: FBT001  # a case of a table
) -> None:
    with visit(connected.base, cookies[who]) as one:
        texts = one.open(page)
    assert DOOR not in texts
    assert (REFUSAL not in texts) == allowed
    assert connected.rows(SIGNED_IN, who)


def test_account_without_role_gets_no_further_than_door(connected: Dashboard, cookies: dict[str, str]) -> None:
    with visit(connected.base, cookies["nora"]) as one:
        assert "Your account has no role here" in one.open("")


def test_signing_out_ends_login_here_and_at_provider(connected: Dashboard) -> None:
    with signed_in(connected, "anna") as browser:
        cookie = cookie_of(browser)
        answer = browser.post(f"{connected.base}/auth/logout", data={"token": connected.form_token(cookie)})
        assert "/session/end?" in answer.text
        assert cookie_of(browser) == ""
    with visit(connected.base, cookie) as one:
        assert DOOR in one.open("data")
    assert connected.rows(SIGNED_OUT, "anna")


def test_two_people_in_one_browser_are_never_both(connected: Dashboard) -> None:
    with signed_in(connected, "mia") as browser:
        first = cookie_of(browser)
        with visit(connected.base, first) as manager:
            assert "mia@example.org" in manager.open("alerts")
            go_in(browser, connected, "vera")
            second = cookie_of(browser)
            assert manager.is_closed()
        with visit(connected.base, second, session=manager.session) as one:
            texts = one.open("scenarios")
            assert "vera@example.org" in texts
            assert REFUSAL in texts
            assert "mia@example.org" not in texts
        with visit(connected.base, cookies=f"{COOKIE}={first}; {COOKIE}={second}") as one:
            assert DOOR in one.open("alerts")


def test_withdrawn_roles_end_with_next_login(connected: Dashboard) -> None:
    file = accounts_of(connected)
    with signed_in(connected, "max") as browser, visit(connected.base, cookie_of(browser)) as one:
        file.write_text(json.dumps(ACCOUNTS | {"max": ACCOUNTS["max"] | {"roles": ["viewer"]}}))
        try:
            assert REFUSAL not in one.open("scenarios")
            with signed_in(connected, "max") as later, visit(connected.base, cookie_of(later)) as next_one:
                assert REFUSAL in next_one.open("scenarios")
            journal = Journal(journal_url("", connected.home))
            revoke(journal, "max@example.org", Actor("shell:root"), "left the house")
            journal.close()
            assert one.is_closed()
        finally:
            file.write_text(json.dumps(ACCOUNTS))


def test_nothing_that_was_written_holds_secret_or_token(connected: Dashboard, cookies: dict[str, str]) -> None:
    written = [connected.log, *(path for path in connected.home.rglob("*") if path.is_file())]
    hidden = [connected.client_secret, connected.cookie_secret, *(cookie for cookie in cookies.values() if cookie)]
    for path in written:
        content = path.read_bytes()
        assert not [secret[:8] for secret in hidden if secret.encode() in content], path.name


WAIT = 600_000


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def is_accessible(page: Page) -> bool:
    return not [one["id"] for one in violations(page) if one["impact"] in {"serious", "critical"}]


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the path")
def test_person_signs_in_decides_and_signs_out(connected: Dashboard, chrome: Browser) -> None:
    context = chrome.new_context(viewport={"width": 1440, "height": 1800})
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
    left.wait_for_function(DRAWN)
    assert [row.actor for row in connected.rows(SIGNED_OFF)] == ["mia@example.org"]
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: "/session/end" in url)
    left.get_by_role("button", name="Sign in").wait_for()  # a page that was left open leads to the door
    page.goto(f"{connected.base}/alerts")
    page.get_by_role("button", name="Sign in").wait_for()
    assert errors == []
    context.close()


def test_mixed_cookies_never_gain_rights(connected: Dashboard, cookies: dict[str, str]) -> None:
    viewer, administrator = cookies["vera"], cookies["adam"]
    mixed = {
        f"{COOKIE}={one[:at]}{other[at:]}"
        for one, other in ((viewer, administrator), (administrator, viewer))
        for at in range(1, len(viewer))
    }
    for name in (COOKIE, f"{COOKIE}_1", f"{COOKIE}__1", f"__Host-{COOKIE}", f"__Secure-{COOKIE}", COOKIE.upper()):
        for first, second in ((viewer, administrator), (administrator, viewer)):
            pairs = (f"{COOKIE}={first}", f"{name}={second}")
            mixed |= {f"{sign} ".join(order) for order in (pairs, pairs[::-1]) for sign in (";", ",")}
    mixed |= {f"{COOKIE}={viewer}{sign}{administrator}" for sign in ("|", " ", ".", '"', "%3B")}

    def status(sent: str) -> int:
        return browser.get(f"{connected.base}/_stcore/metrics", headers={"Cookie": sent}).status_code

    with httpx.Client(timeout=LONGEST_SECONDS) as browser:
        assert [status(f"{COOKIE}={one}") for one in ("", viewer, administrator)] == [401, 403, 200]
        # The administrator's cookie, whole and under its own name, is the administrator's whatever stands beside it.
        whole = re.compile(rf"(^|; ){COOKIE}={administrator}(;|$)")
        assert [one for one in mixed if status(one) == 200 and not whole.search(one)] == []
        both = re.compile(rf"(^|; ){COOKIE}=[^;]*; {COOKIE}=")
        assert {status(one) for one in mixed if both.search(one)} == {401}
    assert len(mixed) > 120


def test_unrequested_callback_signs_in_no_one(connected: Dashboard) -> None:
    answer = httpx.get(f"{connected.base}{CALLBACK}?code=stolen&state=guessed", timeout=LONGEST_SECONDS)
    assert answer.status_code == 302
    assert COOKIE not in answer.cookies

"""Login through a real, certified OpenID Connect provider on loopback, roles and all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin

import httpx
import pytest

from access.audit import SIGNED_IN, SIGNED_OUT
from access.sessions import form_token

from .conftest import ACCOUNTS, CALLBACK, Dashboard
from .test_wire import DOOR, REFUSAL
from .wire import COOKIE, visit

pytestmark = pytest.mark.provider


@contextmanager
def signed_in(dashboard: Dashboard, who: str) -> Iterator[httpx.Client]:
    """Go the whole way that a browser goes: to the provider, through its forms, and back."""
    with httpx.Client(follow_redirects=True, timeout=60) as browser:
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
        ("vera", "overview", True), ("vera", "scenarios", False), ("anna", "scenarios", True),
        ("anna", "access", False), ("mia", "alerts", True), ("mia", "access", False), ("adam", "access", True),
        ("adam", "scenarios", False), ("lisa", "scenarios", True),
    ],
)  # fmt: skip
def test_who_signs_in_has_the_roles_of_claims_and_list(
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


def test_an_account_without_a_role_gets_no_further_than_the_door(connected: Dashboard, cookies: dict[str, str]) -> None:
    with visit(connected.base, cookies["nora"]) as one:
        assert "Your account has no role here" in one.open("")


def test_a_mail_address_that_the_provider_does_not_vouch_for_is_nobody(
    connected: Dashboard, cookies: dict[str, str]
) -> None:
    with visit(connected.base, cookies["eve"]) as one:
        assert DOOR in one.open("")


def test_the_cookie_of_a_login_is_hidden_from_scripts_and_ends_with_the_login(connected: Dashboard) -> None:
    with signed_in(connected, "vera") as browser:
        found = next(one for one in browser.cookies.jar if one.name == COOKIE)
    assert found.has_nonstandard_attr("HttpOnly")
    assert found.get_nonstandard_attr("SameSite", "").lower() == "lax"
    assert found.expires is not None
    assert found.expires - time.time() <= 30 * 60 + 5


def test_signing_out_ends_the_login_here_and_at_the_provider(connected: Dashboard) -> None:
    with signed_in(connected, "anna") as browser:
        cookie = cookie_of(browser)
        answer = browser.post(f"{connected.base}/auth/logout", data={"token": form_token(cookie)})
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


def test_the_cookie_of_a_person_with_two_hundred_groups_is_as_small_as_any(
    connected: Dashboard, cookies: dict[str, str]
) -> None:
    assert {len(cookies[who]) for who in ("vera", "greta")} == {43}
    with visit(connected.base, cookies["greta"]) as one:
        assert "greta@example.org" in one.open("scenarios")


def test_an_answer_that_belongs_to_no_question_signs_nobody_in(connected: Dashboard) -> None:
    answer = httpx.get(f"{connected.base}{CALLBACK}?code=stolen&state=guessed", timeout=60)
    assert answer.status_code == 302
    assert COOKIE not in answer.cookies


def test_nothing_that_was_written_holds_a_secret_or_a_token(connected: Dashboard, cookies: dict[str, str]) -> None:
    written = [connected.log, *(path for path in connected.home.rglob("*") if path.is_file())]
    hidden = [connected.client_secret, connected.cookie_secret, *(cookie for cookie in cookies.values() if cookie)]
    for path in written:
        content = path.read_bytes()
        assert not [secret[:8] for secret in hidden if secret.encode() in content], path.name

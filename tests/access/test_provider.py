"""Login through a real, certified OpenID Connect provider on loopback, roles and all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from streamlit.auth_util import encode_provider_token

from core.settings import PROJECT
from desk.audit import SIGNED_IN, SIGNED_OUT

from .conftest import Dashboard, Start, free_port
from .test_wire import DOOR, REFUSAL
from .wire import COOKIE, visit

pytestmark = pytest.mark.provider

PACKAGE = PROJECT / "tests" / "access" / "provider"
CALLBACK = "/oauth2callback"
ACCOUNTS = {
    "vera": {"email": "vera@example.org", "email_verified": True, "name": "Vera", "roles": ["viewer"]},
    "anna": {"email": "anna@example.org", "email_verified": True, "name": "Anna", "roles": ["analyst", "chess club"]},
    "mia": {"email": "mia@example.org", "email_verified": True, "name": "Mia", "roles": ["manager"]},
    "adam": {"email": "adam@example.org", "email_verified": True, "name": "Adam", "roles": ["administrator"]},
    "lisa": {"email": "lisa@example.org", "email_verified": True, "name": "Lisa"},
    "nora": {"email": "nora@example.org", "email_verified": True, "name": "Nora", "roles": ["chess club"]},
    "eve": {"email": "mia@example.org", "email_verified": False, "name": "Mia", "roles": ["manager"]},
}
IN_THE_LIST = '[access.people]\n"lisa@example.org" = ["manager"]\n'


@pytest.fixture(scope="session")
def package() -> Path:
    """The provider's package, installed as pinned into a cache outside the tree."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not on the path: the provider cannot run")
    lock = (PACKAGE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vigie"
    folder = cache / f"oidc-provider-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PACKAGE / name, folder / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if made.returncode:
            pytest.skip(f"oidc-provider cannot be installed: {made.stderr.strip()[-200:]}")
        (folder / "complete").touch()
    shutil.copy(PACKAGE / "provider.mjs", folder / "provider.mjs")
    return folder


@pytest.fixture(scope="session")
def connected(start: Start, package: Path) -> Iterator[Dashboard]:
    """A dashboard and the provider that it sends people to."""
    port, here = free_port(), free_port()
    provider = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
    dashboard = start(provider=provider, port=here, settings=IN_THE_LIST)
    environment = {
        **os.environ, "PORT": str(port), "REDIRECT": dashboard.base + CALLBACK, "ACCOUNTS": json.dumps(ACCOUNTS),
        "CLIENT_SECRET": dashboard.client_secret,
    }  # fmt: skip
    log = dashboard.log.with_suffix(".provider.log")
    with log.open("wb") as out:
        node = subprocess.Popen(["node", "provider.mjs"], cwd=package, env=environment, stdout=out, stderr=out)
    try:
        for _attempt in range(120):
            if b"http" in log.read_bytes() or node.poll() is not None:
                break
            time.sleep(0.25)
        assert node.poll() is None, log.read_text()[-800:]
        yield dashboard
    finally:
        node.terminate()
        node.wait(timeout=20)


def login_address(dashboard: Dashboard) -> str:
    """Where the button of the door leads: read from what the page sends when it is clicked."""
    from streamlit.proto.BackMsg_pb2 import BackMsg  # noqa: PLC0415  # only here

    with visit(dashboard.base) as one:
        assert DOOR in one.open("")
        buttons = [seen.delta.new_element.button for seen in one.seen if seen.HasField("delta")]
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id = next(button.id for button in buttons if button.label == "Sign in")
        state.trigger_value = True
        one.send(message)
        return urljoin(
            dashboard.base, next(seen.auth_redirect.url for seen in one.seen if seen.HasField("auth_redirect"))
        )


@contextmanager
def signed_in(dashboard: Dashboard, who: str) -> Iterator[httpx.Client]:
    """Go the whole way that a browser goes: to the provider, through its forms, and back."""
    with httpx.Client(follow_redirects=True, timeout=60) as browser:
        page = browser.get(login_address(dashboard))
        for _step in range(4):
            if str(page.url).startswith(dashboard.base):
                break
            action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
            assert action, page.text[:500]
            fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
            page = browser.post(urljoin(str(page.url), action[1]), data={**fields, "login": who, "password": "any"})
        assert str(page.url).startswith(dashboard.base), page.url
        yield browser


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
        answer = browser.get(f"{connected.base}/auth/logout", follow_redirects=False)
        assert "/session/end?" in answer.headers["location"]
        assert cookie_of(browser) == ""
    with visit(connected.base, cookie) as one:
        assert DOOR in one.open("data")
    assert connected.rows(SIGNED_OUT, "anna")


def test_an_answer_that_belongs_to_no_question_signs_nobody_in(connected: Dashboard) -> None:
    answer = httpx.get(f"{connected.base}{CALLBACK}?code=stolen&state=guessed", timeout=60)
    assert answer.status_code == 302
    assert COOKIE not in answer.cookies


def test_a_way_to_the_provider_that_the_page_did_not_make_leads_nowhere(connected: Dashboard) -> None:
    made_up = encode_provider_token("default")
    answer = httpx.get(f"{connected.base}/auth/login?provider={made_up}", follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_nothing_that_was_written_holds_a_secret_or_a_token(connected: Dashboard, cookies: dict[str, str]) -> None:
    written = [connected.log, *(path for path in connected.home.rglob("*") if path.is_file())]
    hidden = [connected.client_secret, connected.cookie_secret, *(cookie for cookie in cookies.values() if cookie)]
    for path in written:
        content = path.read_bytes()
        assert not [secret[:8] for secret in hidden if secret.encode() in content], path.name

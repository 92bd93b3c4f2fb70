"""How long a login holds, in one process and in several."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

import access
from access import ASK_JOURNAL_AFTER, SIGNED_IN, SIGNED_OUT, Actor, Logins, Person, form_token, login_id_of, revoke
from access.guard import CALLBACK_PATH, LOGIN_HEADER, LOGIN_PATH, LOGOUT_PATH, Guard, login_routes, own_names
from core.settings import AccessSettings, load_settings
from store.journal import Journal

from .wire import ISSUER, session_of

ACCESS = AccessSettings(provider="https://login.example.org/x", client_id="vigie", session_minutes=60, idle_minutes=10)


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def person(who: str = "ada") -> Person:
    return Person(f"{who}@example.org", f"{ISSUER}|id-{who}", ("analyst",))


def actions(journal: Journal) -> list[str]:
    return [row.action for row in journal.entries()]


def test_login_in_use_holds(journal: Journal, clock: Clock) -> None:
    kept = Logins(lambda: journal, clock)
    who = login_id_of(kept.begin(person(), ACCESS))
    for clock.now in range(0, 3000, 500):  # the clock is what moves
        assert kept.valid_login(who, ACCESS) is not None
    assert actions(journal) == [SIGNED_IN]


def test_journal_holds_nothing_that_browser_could_send(journal: Journal, clock: Clock) -> None:
    kept = Logins(lambda: journal, clock)
    session_id = kept.begin(person(), ACCESS)
    (row,) = journal.entries()
    assert session_id not in f"{row.subject} {row.payload}"
    assert row.subject == f"login:{login_id_of(session_id)}"


def test_login_that_is_not_used_ends_for_good_and_everywhere(journal: Journal, clock: Clock) -> None:
    kept = Logins(lambda: journal, clock)
    who = login_id_of(kept.begin(person(), ACCESS))
    assert kept.valid_login(who, ACCESS) is not None
    clock.now = 599
    assert kept.valid_login(who, ACCESS) is not None
    clock.now = 599 + 599.5
    assert kept.valid_login(who, ACCESS, use=False) is not None, "unused for less than ten minutes"
    clock.now = 599 + 600
    assert kept.valid_login(who, ACCESS) is None
    assert kept.valid_login(who, ACCESS) is None
    assert actions(journal) == [SIGNED_IN, SIGNED_OUT]
    assert Logins(lambda: journal, clock).valid_login(who, ACCESS) is None


@pytest.mark.parametrize(("minutes_ago", "holds"), [(59, True), (60, False), (-5, False)])
def test_login_ends_when_its_time_is_up_however_busy(
    journal: Journal,
    tmp_path: Path,
    minutes_ago: float,
    holds: bool,  # noqa: FBT001  # a case of a table
) -> None:
    who = login_id_of(session_of(tmp_path, "ada", minutes_ago=minutes_ago))
    assert (Logins(lambda: journal).valid_login(who, ACCESS) is not None) == holds


def test_login_ended_in_one_process_ends_in_other_within_seconds(journal: Journal, clock: Clock) -> None:
    one, other = Logins(lambda: journal, clock), Logins(lambda: journal, clock)
    who = login_id_of(one.begin(person(), ACCESS))
    assert one.valid_login(who, ACCESS)
    assert other.valid_login(who, ACCESS)
    one.end(who, ACCESS)
    assert one.valid_login(who, ACCESS) is None
    clock.now = ASK_JOURNAL_AFTER
    assert other.valid_login(who, ACCESS) is None
    assert ASK_JOURNAL_AFTER <= 2


def test_revoking_person_ends_only_their_logins(journal: Journal, clock: Clock) -> None:
    kept = Logins(lambda: journal, clock)
    first, second, other = (login_id_of(kept.begin(person(who), ACCESS)) for who in ("ada", "ada", "bob"))
    assert all(kept.valid_login(one, ACCESS) for one in (first, second, other))
    assert revoke(journal, "ada@example.org", Actor("shell:root"), "left the house") == 2
    assert revoke(journal, "ada@example.org", Actor("shell:root"), "left the house") == 0
    clock.now = ASK_JOURNAL_AFTER
    assert [kept.valid_login(one, ACCESS) is not None for one in (first, second, other)] == [False, False, True]


STRANGERS = {"nothing": "", "short": "x", "accents": "é" * 64, "SQL": "'; --" + "a" * 59, "long": "a" * 100_000}


# The names of cases are the same in every process, or the tests cannot be shared out.
@pytest.mark.parametrize("sent", [*STRANGERS.values(), secrets.token_hex(32)], ids=[*STRANGERS, "like ours"])
def test_identifier_that_is_not_ours_says_nothing(journal: Journal, sent: str) -> None:
    assert Logins(lambda: journal).valid_login(sent, ACCESS) is None
    assert actions(journal) == []


def test_login_ends_only_by_its_own_form(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv(ACCESS.client_secret_env, "x")
    monkeypatch.setattr(access, "_OF_PROCESS", {})
    base, provider = "http://127.0.0.1", f"http://127.0.0.1:{closed_port}/none"
    (tmp_path / "settings.toml").write_text(
        f'dashboard_url = "{base}"\n[access]\nprovider = "{provider}"\nclient_id = "vigie"\n'
    )
    settings = load_settings(tmp_path).access
    guard = Guard(tmp_path, settings, base, own_names("127.0.0.1"), "x", lambda: journal)
    served = Starlette(routes=login_routes(guard))
    otto, eve = (login_id_of(session_of(tmp_path, who)) for who in ("otto", "eve"))

    async def ask(method: str, token: str) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url=base) as client:
            sent = {LOGIN_HEADER: otto}
            return (await client.request(method, LOGOUT_PATH, headers=sent, data={"token": token})).status_code

    for method, token, status in (
        ("GET", form_token(otto, "x"), 405),
        ("POST", form_token(eve, "x"), 403),
        ("POST", form_token(otto, "y"), 403),
    ):
        assert asyncio.run(ask(method, token)) == status
    assert SIGNED_OUT not in actions(journal)
    assert asyncio.run(ask("POST", form_token(otto, "x"))) == 200
    assert [row.subject for row in journal.entries() if row.action == SIGNED_OUT] == [f"login:{otto}"]


class Provider:
    """Stands in for the library that speaks with a provider."""

    def __init__(self, claims: dict[str, object] | None) -> None:
        self._claims = claims

    def register(self, *_name: str, **_options: object) -> Provider:
        return self

    async def authorize_access_token(self, _request: Request) -> dict[str, object]:
        if self._claims is None:
            raise RuntimeError("an answer to no question")
        return {"userinfo": self._claims}

    async def authorize_redirect(self, *_given: object, **_options: object) -> Response:
        raise RuntimeError("not reached")


@pytest.fixture
def way_in(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, dict[str, object] | None], httpx.Response]:
    """Ask a dashboard over https whose provider returns a person's claims, or none."""
    monkeypatch.setattr(access, "_OF_PROCESS", {})
    monkeypatch.setenv(ACCESS.client_secret_env, "x")
    base = "https://vigie.example.org"
    (tmp_path / "settings.toml").write_text(
        f'dashboard_url = "{base}"\n[access]\nprovider = "https://login.example.org/x"\nclient_id = "vigie"\n'
    )
    guard = Guard(tmp_path, load_settings(tmp_path).access, base, own_names("127.0.0.1"), "x", lambda: journal)

    def ask(path: str, claims: dict[str, object] | None) -> httpx.Response:
        monkeypatch.setattr("authlib.integrations.starlette_client.OAuth", lambda: Provider(claims))
        served = Starlette(routes=login_routes(guard))

        async def get() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url=base) as client:
                return await client.get(path)

        return asyncio.run(get())

    return ask


def test_provider_callback_sets_cookie_for_login_life(
    journal: Journal, way_in: Callable[[str, dict[str, object] | None], httpx.Response]
) -> None:
    now = dt.datetime.now(dt.UTC).timestamp()
    claims = {
        "iss": ISSUER,
        "sub": "id-ada",
        "aud": "vigie",
        "email": "ada@example.org",
        "email_verified": True,
        "iat": now,
        "exp": now + 60,
    }
    answer = way_in(f"{CALLBACK_PATH}?code=1&state=2", claims)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-vigie_session=")
    assert "Max-Age=28800" in cookie, "eight hours"
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert actions(journal) == [SIGNED_IN]


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        (CALLBACK_PATH, {}),
        (f"{CALLBACK_PATH}?code=1", None),
        (f"{CALLBACK_PATH}?code=1", {"sub": "x"}),
        (LOGIN_PATH, {}),
    ],
)
def test_incomplete_identity_returns_to_door(
    journal: Journal, way_in: Callable[[str, dict[str, object] | None], httpx.Response], path: str,
    claims: dict[str, object] | None,
) -> None:  # fmt: skip
    answer = way_in(path, claims)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert "set-cookie" not in answer.headers
    assert actions(journal) == []

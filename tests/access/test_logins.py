"""How long a login holds, in one process and in several."""

from __future__ import annotations

import time

import pytest

from access import sessions
from access.audit import SIGNED_IN, SIGNED_OUT
from access.sessions import ASK_JOURNAL_AFTER, Logins
from core.settings import AccessSettings
from dashboard.streamlit_private import LOGIN_COOKIES, claims_of
from store.journal import Journal

from .wire import cookie_of

SITE, SECRET = "https://vigie.example.org", "s" * 40
ACCESS = AccessSettings(provider="https://login.example.org/x", client_id="vigie", session_minutes=60, idle_minutes=10)


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def claims(who: str = "ada", **changed: object) -> dict[str, object]:
    cookie = cookie_of(SITE, SECRET, who, roles=("analyst",), nonce="n", **changed)
    return claims_of({LOGIN_COOKIES[0]: cookie}, SECRET, SITE)


def actions(journal: Journal) -> list[str]:
    return [row.action for row in journal.entries()]


def test_a_login_in_use_holds(journal: Journal, clock: Clock) -> None:
    kept, who = Logins(lambda: journal, clock), claims()
    for clock.now in range(0, 3000, 500):  # the clock is what moves
        assert kept.valid_login(who, ACCESS) is not None
    assert actions(journal) == [SIGNED_IN]


def test_a_login_that_is_not_used_ends_for_good_and_everywhere(journal: Journal, clock: Clock) -> None:
    kept, who = Logins(lambda: journal, clock), claims()
    assert kept.valid_login(who, ACCESS) is not None
    clock.now = 601
    assert kept.valid_login(who, ACCESS) is None
    assert kept.valid_login(who, ACCESS) is None
    assert actions(journal) == [SIGNED_IN, SIGNED_OUT]
    assert Logins(lambda: journal, clock).valid_login(who, ACCESS) is None


def test_a_question_that_is_no_use_does_not_keep_a_login_awake(journal: Journal, clock: Clock) -> None:
    kept, who = Logins(lambda: journal, clock), claims()
    kept.valid_login(who, ACCESS)
    clock.now = 400
    assert kept.valid_login(who, ACCESS, use=False) is not None
    clock.now = 700
    assert kept.valid_login(who, ACCESS, use=False) is None


def test_a_login_ends_when_its_time_is_up_however_busy(journal: Journal, clock: Clock) -> None:
    kept = Logins(lambda: journal, clock)
    assert kept.valid_login(claims(iat=int(time.time()) - 3590), ACCESS) is not None
    assert kept.valid_login(claims(iat=int(time.time()) - 3600), ACCESS) is None


def test_a_login_ended_in_one_process_ends_in_the_other_within_half_a_minute(journal: Journal, clock: Clock) -> None:
    one, other, who = Logins(lambda: journal, clock), Logins(lambda: journal, clock), claims()
    assert one.valid_login(who, ACCESS) and other.valid_login(who, ACCESS)
    one.end(who, ACCESS)
    assert one.valid_login(who, ACCESS) is None
    clock.now = ASK_JOURNAL_AFTER
    assert other.valid_login(who, ACCESS) is None


def test_another_login_of_the_same_person_goes_on(journal: Journal, clock: Clock) -> None:
    kept, first, second = Logins(lambda: journal, clock), claims(), claims(iat=int(time.time()) - 9)
    kept.valid_login(first, ACCESS)
    kept.end(first, ACCESS)
    assert kept.valid_login(second, ACCESS) is not None


def test_memory_is_bounded_and_forgetting_revives_nobody(
    journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_KEPT", 4)
    kept, ended = Logins(lambda: journal, clock), claims("ended")
    kept.valid_login(ended, ACCESS)
    kept.end(ended, ACCESS)
    for number in range(12):
        clock.now = number
        kept.valid_login(claims(f"person{number}"), ACCESS)
    assert len(kept._asked) <= 5
    assert kept.valid_login(ended, ACCESS) is None


@pytest.mark.parametrize(
    "cookies",
    [
        {},
        {LOGIN_COOKIES[0]: ""},
        {LOGIN_COOKIES[0]: "é.é.é"},
        {LOGIN_COOKIES[0]: "\u20ac"},
        {LOGIN_COOKIES[0]: cookie_of(SITE, "t" * 40, "ada")},
        {LOGIN_COOKIES[0]: cookie_of("https://elsewhere.example.org", SECRET, "ada")},
    ],
)
def test_a_cookie_that_is_not_ours_says_nothing(cookies: dict[str, str]) -> None:
    assert claims_of(cookies, SECRET, SITE) == {}

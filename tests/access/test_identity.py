"""A person's identity from the provider's claims; missing claims are refused."""

from __future__ import annotations

import datetime as dt

import pytest

from access import Actor, Login, LoginError, account_name, actor_of, read_person, shell_actor
from core.errors import InputError
from core.settings import AccessSettings

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
CLAIMS = {
    "iss": "https://login.example.org", "sub": "0815", "aud": ["vigie", "other"], "email": "ada@example.org",
    "email_verified": True, "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 600, "nonce": "n",
    "roles": ["analyst", "chess club"],
}  # fmt: skip


def settings(**other: object) -> AccessSettings:
    login = {"provider": "https://login.example.org/.well-known/openid-configuration", "client_id": "vigie"}
    return AccessSettings.model_validate({**login, **other})


def actor(claims: dict[str, object], access: AccessSettings) -> Actor:
    return actor_of(read_person(claims, access, NOW), access)


def test_person_is_identified_by_issuer_and_subject() -> None:
    found = actor(CLAIMS, settings())
    assert (found.name, found.identity) == ("ada@example.org", "https://login.example.org|0815")
    assert found.roles == frozenset({"analyst"})


def test_groups_become_roles_by_settings_alone() -> None:
    access = settings(roles_claim="realm_access.roles", claim_roles={"reception-leads": "manager"})
    claims = {**CLAIMS, "realm_access": {"roles": ["reception-leads", "administrator"]}}
    assert actor(claims, access).roles == frozenset({"manager"})


def test_claim_whose_name_holds_dots_is_found_as_it_is() -> None:
    access = settings(roles_claim="https://example.org/roles")
    assert actor({**CLAIMS, "https://example.org/roles": "manager"}, access).roles == frozenset({"manager"})


def test_list_of_people_adds_roles_whatever_case_of_address() -> None:
    access = settings(people={"Ada@Example.org": ["administrator"]})
    assert actor(CLAIMS, access).roles == frozenset({"analyst", "administrator"})


@pytest.mark.parametrize("said", [None, 7, {"manager": True}, [["manager"]], "Manager", ["root"]])
def test_what_is_no_role_gives_none(said: object) -> None:
    assert actor({**CLAIMS, "roles": said}, settings()).roles == frozenset()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"email_verified": False}, "email_verified"), ({"email_verified": "true"}, "email_verified"),
        ({"sub": ""}, "claim sub"), ({"iss": None}, "claim iss"), ({"email": ["ada@example.org"]}, "claim email"),
        ({"email": "ada@example.org\nroot"}, "claim email"), ({"email": "a" * 201}, "claim email"),
        ({"email": "shell:root"}, "command line"), ({"email": "Shell:root"}, "command line"),
        ({"email": "\u017fHELL:root"}, "command line"), ({"aud": []}, "claim aud"), ({"aud": None}, "claim aud"),
        ({"aud": "vigie2"}, "claim aud"), ({"aud": ["other"]}, "claim aud"), ({"iat": True}, "claim iat"),
        ({"iat": float("inf")}, "claim iat"), ({"iat": 10**30}, "claim iat"), ({"iat": "1"}, "claim iat"),
        ({"iat": NOW.timestamp() + 10 * 365 * 86400}, "claim iat"), ({"iat": NOW.timestamp() - 600}, "claim iat"),
        ({"iat": None}, "claim iat"), ({"exp": NOW.timestamp() - 61}, "claim exp"), ({"exp": "never"}, "claim exp"),
        ({"exp": None}, "claim exp"),
    ],
)  # fmt: skip
def test_claims_that_name_nobody_for_sure_are_refused(changed: dict[str, object], named: str) -> None:
    with pytest.raises(LoginError, match=named):
        read_person({**CLAIMS, **changed}, settings(), NOW)


@pytest.mark.parametrize(
    ("claim", "last", "refused"),
    [
        ("iat", NOW.timestamp() - 300, NOW.timestamp() - 301), ("iat", NOW.timestamp() + 300, NOW.timestamp() + 301),
        ("exp", NOW.timestamp() - 59, NOW.timestamp() - 60), ("email", "a" * 200, "a" * 201),
    ],
)  # fmt: skip
def test_claims_are_taken_up_to_their_limits_and_not_beyond(claim: str, last: object, refused: object) -> None:
    """Five minutes from now at most, expired less than the minute that clocks may differ, 200 letters."""
    assert read_person({**CLAIMS, claim: last}, settings(), NOW).identity
    with pytest.raises(LoginError, match=f"claim {claim}"):
        read_person({**CLAIMS, claim: refused}, settings(), NOW)


def test_login_a_minute_ahead_of_clock_is_accepted() -> None:
    access = settings(session_minutes=30)
    login = Login("x", NOW, actor(CLAIMS, access))
    ahead = [login.is_over(access, NOW - dt.timedelta(seconds=seconds)) for seconds in (60, 61)]
    assert ahead == [False, True]


def test_typed_name_is_accepted_only_without_login() -> None:
    assert shell_actor(AccessSettings(), "Ada").roles is None
    with pytest.raises(InputError, match="--as is not taken"):
        shell_actor(settings(), "Ada")


def test_at_command_line_account_has_roles_that_settings_list() -> None:
    name = f"shell:{account_name()}"
    assert shell_actor(settings(), "").roles == frozenset()
    actor = shell_actor(settings(people={name: ["manager"]}), "")
    assert (actor.name, actor.roles) == (name, frozenset({"manager"}))


@pytest.mark.parametrize("variable", ["LOGNAME", "USER"])
def test_account_name_ignores_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    before = account_name()
    monkeypatch.setenv(variable, "ada")
    assert account_name() == before

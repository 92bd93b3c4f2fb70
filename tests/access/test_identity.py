"""Who somebody is, from what the provider says: nothing is guessed, and what is missing refuses."""

from __future__ import annotations

import datetime as dt
import getpass

import pytest

from access.identity import LoginError, read_login, shell_actor
from core.errors import InputError
from core.settings import AccessSettings

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
CLAIMS = {
    "is_logged_in": True, "iss": "https://login.example.org", "sub": "0815", "email": "ada@example.org",
    "email_verified": True, "iat": int(NOW.timestamp()), "nonce": "n", "roles": ["analyst", "chess club"],
}  # fmt: skip


def settings(**other: object) -> AccessSettings:
    login = {"provider": "https://login.example.org/.well-known/openid-configuration", "client_id": "vigie"}
    return AccessSettings.model_validate({**login, **other})


def test_a_person_is_told_apart_by_issuer_and_subject_and_named_by_the_chosen_claim() -> None:
    actor = read_login(CLAIMS, settings()).actor
    assert (actor.name, actor.identity) == ("ada@example.org", "https://login.example.org|0815")
    assert actor.roles == frozenset({"analyst"})


def test_groups_become_roles_by_the_settings_alone() -> None:
    access = settings(roles_claim="realm_access.roles", claim_roles={"reception-leads": "manager"})
    claims = {**CLAIMS, "realm_access": {"roles": ["reception-leads", "administrator"]}}
    assert read_login(claims, access).actor.roles == frozenset({"manager"})


def test_a_claim_whose_name_holds_dots_is_found_as_it_is() -> None:
    access = settings(roles_claim="https://example.org/roles")
    assert read_login({**CLAIMS, "https://example.org/roles": "manager"}, access).actor.roles == frozenset({"manager"})


def test_the_list_of_people_adds_roles_whatever_the_case_of_the_address() -> None:
    access = settings(people={"Ada@Example.org": ["administrator"]})
    assert read_login(CLAIMS, access).actor.roles == frozenset({"analyst", "administrator"})


@pytest.mark.parametrize("said", [None, 7, {"manager": True}, [["manager"]], "Manager", ["root"]])
def test_what_is_no_role_gives_none(said: object) -> None:
    assert read_login({**CLAIMS, "roles": said}, settings()).actor.roles == frozenset()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"is_logged_in": False}, "nobody has signed in"),
        ({"is_logged_in": "true"}, "nobody has signed in"),
        ({"email_verified": False}, "email_verified"),
        ({"email_verified": "true"}, "email_verified"),
        ({"sub": ""}, "claim sub"),
        ({"iss": None}, "claim iss"),
        ({"email": ["ada@example.org"]}, "claim email"),
        ({"email": "ada@example.org\nroot"}, "claim email"),
        ({"email": "a" * 201}, "claim email"),
        ({"email": "shell:root"}, "command line"),
        ({"iat": True}, "claim iat"),
        ({"iat": float("inf")}, "claim iat"),
        ({"iat": 10**30}, "claim iat"),
        ({"iat": "1"}, "claim iat"),
    ],
)
def test_claims_that_name_nobody_for_sure_are_refused(changed: dict[str, object], named: str) -> None:
    with pytest.raises(LoginError, match=named):
        read_login({**CLAIMS, **changed}, settings())


def test_a_login_holds_as_long_as_the_settings_say() -> None:
    access = settings(session_minutes=30)
    login = read_login(CLAIMS, access)
    assert not login.is_over(access, NOW + dt.timedelta(minutes=29))
    assert login.is_over(access, NOW + dt.timedelta(minutes=30))


def test_each_login_of_a_person_has_a_name_that_says_nothing_about_them() -> None:
    first, second = (read_login({**CLAIMS, "nonce": nonce}, settings()) for nonce in ("a", "b"))
    assert first.login_id != second.login_id
    assert first.actor == second.actor
    assert "ada" not in first.login_id


def test_at_the_command_line_a_name_is_typed_only_where_nobody_signs_in() -> None:
    assert shell_actor(AccessSettings(), "Ada").roles is None
    with pytest.raises(InputError, match="--as is not taken"):
        shell_actor(settings(), "Ada")


def test_at_the_command_line_the_account_has_the_roles_that_the_settings_list() -> None:
    name = f"shell:{getpass.getuser()}"
    assert shell_actor(settings(), "").roles == frozenset()
    actor = shell_actor(settings(people={name: ["manager"]}), "")
    assert (actor.name, actor.roles) == (name, frozenset({"manager"}))

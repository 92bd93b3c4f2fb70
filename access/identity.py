"""From what a provider says about a person, once and at the callback, to who may act here."""

from __future__ import annotations

import datetime as dt
import math
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from access.roles import ROLES, Actor
from core.errors import InputError
from core.settings import AccessSettings

LONGEST_NAME = 200
_SHELL = "shell:"
_FRESH = dt.timedelta(minutes=5)
"""An identity token is read in the moment in which it was given, give or take the clocks of two machines."""
_CLOCKS_APART = dt.timedelta(minutes=1)


class LoginError(InputError):
    """A login that gives no usable identity; the text says what is missing."""


@dataclass(frozen=True)
class Person:
    """A person as the provider vouched for them once, at the callback.

    Attributes:
        name: The name that is kept with each step.
        identity: Issuer and subject: what tells people apart for good.
        claimed: Values of the claim of roles that mean a role here.
    """

    name: str
    identity: str
    claimed: tuple[str, ...]


@dataclass(frozen=True)
class Login:
    """One login of one person, as the journal keeps it.

    Attributes:
        login_id: Tells this login from the person's other ones: a hash of its session's identifier.
        since: When it began, by the journal's clock, UTC.
        actor: The person, with the roles that they have now.
    """

    login_id: str
    since: dt.datetime
    actor: Actor

    def is_over(self, access: AccessSettings, now: dt.datetime) -> bool:
        """Whether it has lasted as long as a login may."""
        return not -_CLOCKS_APART <= now - self.since < dt.timedelta(minutes=access.session_minutes)


def read_person(claims: Mapping[str, Any], access: AccessSettings, now: dt.datetime) -> Person:
    """Who has signed in, by the claims of an identity token whose signature was checked.

    Args:
        claims: The claims.
        access: The settings.
        now: The time, UTC.

    Raises:
        LoginError: The claims name no person, or speak of another time than now.
    """
    issuer, subject = _text(claims, "iss"), _text(claims, "sub")
    name = _text(claims, access.identity_claim)
    if access.identity_claim == "email" and claims.get("email_verified") is not True:
        raise LoginError("the provider does not vouch for the mail address (claim email_verified)")
    if not abs(_time(claims, "iat") - now.timestamp()) <= _FRESH.total_seconds():
        raise LoginError("the identity token was not given just now (claim iat)")
    if _time(claims, "exp") <= (now - _CLOCKS_APART).timestamp():
        raise LoginError("the identity token has expired (claim exp)")
    known = access.claim_roles or dict.fromkeys(ROLES)
    claimed = sorted(value for value in _values(claims, access.roles_claim) if value in known)
    return Person(name, f"{issuer}|{subject}", tuple(claimed))


def actor_of(person: Person, access: AccessSettings) -> Actor:
    """A person with the roles that the settings, as they are now, give to them and to what the provider claimed."""
    known: Mapping[str, str] = access.claim_roles or dict(zip(ROLES, ROLES, strict=True))
    from_claims = {known[value] for value in person.claimed if value in known}
    return Actor(person.name, frozenset({*from_claims, *_listed(person.name, access)}), person.identity)


def shell_actor(access: AccessSettings, typed: str) -> Actor:
    """Who acts at the command line.

    Without a login it is whoever the typed name says. With one it is the operating system's account, which has the
    roles that the settings give to ``shell:<account>``.

    Raises:
        InputError: A name is typed although there is a login.
    """
    if not access.is_on:
        return Actor(typed)
    if typed:
        raise InputError("--as is not taken where people sign in: the step is kept with your account's name")
    name = _SHELL + pwd.getpwuid(os.getuid()).pw_name
    return Actor(name, frozenset(_listed(name, access)), name)


def _listed(name: str, access: AccessSettings) -> set[str]:
    """Roles by the list. A to Z are compared without their case and nothing else is: ß is not ss."""
    wanted = name.encode().lower()
    return {role for person, roles in access.people.items() if person.encode().lower() == wanted for role in roles}


def _time(claims: Mapping[str, Any], claim: str) -> float:
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise LoginError(f"the provider gives no usable time (claim {claim})")
    return float(value)


def _text(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > LONGEST_NAME:
        raise LoginError(f"the provider gives no usable claim {claim}")
    if claim != "iss" and value.strip().startswith(_SHELL):
        raise LoginError(f"the claim {claim} names an account of the command line")
    return value.strip()


def _values(claims: Mapping[str, Any], path: str) -> set[str]:
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return {found}
    return {value for value in found if isinstance(value, str)} if isinstance(found, list | tuple) else set()

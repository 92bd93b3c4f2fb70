"""From what a login says about a person to who may act here. The login itself is Streamlit's, with OpenID Connect."""

from __future__ import annotations

import datetime as dt
import hashlib
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


class LoginError(InputError):
    """A login that gives no usable identity; the text says what is missing."""


@dataclass(frozen=True)
class Login:
    """One login of one person.

    Attributes:
        login_id: Tells this login from the person's other ones; says nothing about the person.
        since: When the provider gave it, UTC.
        actor: The person.
    """

    login_id: str
    since: dt.datetime
    actor: Actor

    def is_over(self, access: AccessSettings, now: dt.datetime) -> bool:
        """Whether it has lasted as long as a login may."""
        return now - self.since >= dt.timedelta(minutes=access.session_minutes)


def read_login(claims: Mapping[str, Any], access: AccessSettings) -> Login:
    """Who has signed in, by the claims of an identity token whose signature was checked.

    Args:
        claims: The claims, with ``is_logged_in``.
        access: The settings.

    Returns:
        The login; its person may have no role at all.

    Raises:
        LoginError: Nobody has signed in, or the claims name no person.
    """
    if claims.get("is_logged_in") is not True:
        raise LoginError("nobody has signed in")
    issuer, subject = _text(claims, "iss"), _text(claims, "sub")
    name = _text(claims, access.identity_claim)
    if access.identity_claim == "email" and claims.get("email_verified") is not True:
        raise LoginError("the provider does not vouch for the mail address (claim email_verified)")
    issued = claims.get("iat")
    if isinstance(issued, bool) or not isinstance(issued, int | float) or not math.isfinite(issued) or issued < 0:
        raise LoginError("the provider gives no time of login (claim iat)")
    try:
        since = dt.datetime.fromtimestamp(issued, dt.UTC)
    except (OverflowError, OSError, ValueError):
        raise LoginError("the provider gives no usable time of login (claim iat)") from None
    parts = (issuer, subject, str(issued), str(claims.get("nonce", "")))
    login_id = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    return Login(login_id, since, Actor(name, roles_of(claims, name, access), f"{issuer}|{subject}"))


def roles_of(claims: Mapping[str, Any], name: str, access: AccessSettings) -> frozenset[str]:
    """Roles that claims and the list of people give a person; values that are no role give none."""
    known: Mapping[str, str] = access.claim_roles or dict(zip(ROLES, ROLES, strict=True))
    from_claims = {known[value] for value in _values(claims, access.roles_claim) if value in known}
    return frozenset({*from_claims, *_listed(name, access)})


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
    return {role for person, roles in access.people.items() if person.casefold() == name.casefold() for role in roles}


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

"""Who may read, do and take away what: logins, roles, the gate before the pages, and the audit rows they leave.

Identity and permissions: one table of roles and actions, checked on the server before anything is shown or
done. Without a login everybody at the machine may do everything and gives a name with each decision. With one, what the
provider says about a person is read once, when they come back from it.

Free of streamlit: what the gate must know of the program behind it is handed to it as :class:`access.gate.Application`.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alerts.lifecycle import (
    ACKNOWLEDGED,
    ANSWERED,
    COMMENTED,
    CORRECTION,
    DISMISSED,
    DISSENTED,
    SIGNED_OFF,
)
from core.errors import InputError
from core.schema import Entry
from core.settings import PROJECT, AccessSettings

VIEWER, ANALYST, MANAGER, ADMINISTRATOR = "viewer", "analyst", "manager", "administrator"
ROLES: Final = (VIEWER, ANALYST, MANAGER, ADMINISTRATOR)
PAGES: Final = tuple(sorted(path.stem for path in (PROJECT / "dashboard" / "pages").glob("[!_]*.py")))
"""A page is a file: every role may read it unless ``_READERS`` says who."""
DOWNLOAD, SAVE_SCENARIO, DELETE_SCENARIO, KEEP_PLACES, HAND_IN, DECIDE_EDITION, DROP_MESSAGE = (
    "download",
    "scenario saved",
    "scenario deleted",
    "places kept",
    "forecast handed in",
    "edition decided",
    "message dropped",
)
_EVERYBODY: Final = frozenset(ROLES)
_WORKING_ON_IT: Final = frozenset({ANALYST, MANAGER})
_DECIDING: Final = frozenset({MANAGER})
_READERS: Final = {"scenarios": _WORKING_ON_IT, "access": frozenset({ADMINISTRATOR})}
LONGEST_NAME = 200
_SHELL = "shell:"
_FRESH = dt.timedelta(minutes=5)
"""An identity token is read in the moment in which it was given, give or take the clocks of two machines."""
_CLOCKS_APART = dt.timedelta(minutes=1)


def page_action(page: str) -> str:
    """The action of reading one page."""
    return f"read {page}"


PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    **{page_action(page): _READERS.get(page, _EVERYBODY) for page in PAGES},
    DOWNLOAD: _WORKING_ON_IT,
    SAVE_SCENARIO: _WORKING_ON_IT,
    DELETE_SCENARIO: _WORKING_ON_IT,
    KEEP_PLACES: _WORKING_ON_IT,
    HAND_IN: _WORKING_ON_IT,
    DECIDE_EDITION: _WORKING_ON_IT,
    DROP_MESSAGE: _DECIDING,
    SIGNED_OFF: _DECIDING,
    DISMISSED: _DECIDING,
    ACKNOWLEDGED: _WORKING_ON_IT,
    ANSWERED: _WORKING_ON_IT,
    # Every reader may object: governance requires it.
    COMMENTED: _EVERYBODY,
    DISSENTED: _EVERYBODY,
    CORRECTION: _EVERYBODY,
}
"""Action -> roles that may do it. Actions that are not listed are forbidden."""

KEPT_WITH_A_NAME: Final = frozenset(PERMISSIONS) - {DOWNLOAD, *map(page_action, PAGES)}
"""Actions that the journal keeps with a name."""


class NotAllowedError(InputError):
    """A person may not do this."""


@dataclass(frozen=True)
class Actor:
    """A person who acts.

    Attributes:
        name: The name that is kept with each step: with a login it is the identity and is not typed.
        roles: Roles that a login gave; None where there is no login.
        identity: Permanent identifier of a person, independent of the name; empty without a login.
    """

    name: str
    roles: frozenset[str] | None = None
    identity: str = ""

    def with_identity(self, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a journal row keeps of the person beside the name; nothing that a caller claims about it stands."""
        kept = {key: value for key, value in (payload or {}).items() if key not in {"identity", "roles"}}
        if self.roles is None:
            return kept
        return {**kept, "identity": self.identity, "roles": sorted(self.roles)}

    def entry(
        self, action: str, subject: str, run_id: str = "", reason: str = "", payload: Mapping[str, Any] | None = None
    ) -> Entry:
        """The journal's row of what this person does."""
        return Entry(self.name.strip(), action, subject, run_id, reason.strip(), self.with_identity(payload))


def may(actor: Actor, action: str) -> bool:
    """Whether a person may do something; asked on the server before it is done, whatever the screen offers."""
    if action not in PERMISSIONS:
        return False
    if action in KEPT_WITH_A_NAME and not actor.name.strip():
        return False
    return actor.roles is None or bool(actor.roles & PERMISSIONS[action])


def require(actor: Actor, action: str, *, login: bool = False) -> None:
    """Refuse what a person may not do.

    Args:
        actor: The person.
        action: One of :data:`PERMISSIONS`.
        login: Whether people sign in here: then every action requires it.

    Raises:
        NotAllowedError: The text says who may not do what.
    """
    if login and (actor.roles is None or not actor.identity):
        raise NotAllowedError("sign in first: steps are kept with the identity that the login gives")
    if action in KEPT_WITH_A_NAME and not actor.name.strip():
        raise NotAllowedError("give your name: it is kept with the decision")
    if not may(actor, action):
        raise NotAllowedError(f"{actor.name.strip()} may not do this: {action}")


def matrix() -> list[tuple[str, tuple[bool, ...]]]:
    """The table as rows: an action, and for each of :data:`ROLES` whether it may be done."""
    return [(action, tuple(role in roles for role in ROLES)) for action, roles in PERMISSIONS.items()]


class LoginError(InputError):
    """A login that gives no usable identity; the text says what is missing."""


@dataclass(frozen=True)
class Person:
    """A person as the provider vouched for them once, at the callback.

    Attributes:
        name: The name that is kept with each step.
        identity: Issuer and subject: the permanent identifier of a person.
        claimed: Values of the claim of roles that mean a role here.
    """

    name: str
    identity: str
    claimed: tuple[str, ...]


@dataclass(frozen=True)
class Login:
    """One login of one person, as the journal keeps it.

    Attributes:
        login_id: Identifies this login among the person's logins: a hash of its session's identifier.
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

    Raises:
        LoginError: The claims name no person, or speak of another time than now.
    """
    audience = claims.get("aud")
    if access.client_id not in (audience if isinstance(audience, list | tuple) else [audience]):
        raise LoginError("the identity token was given for another program (claim aud)")
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


def account_name() -> str:
    """Return the name of the operating system's account that runs this process; its number if it has no name."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def shell_actor(access: AccessSettings, typed: str) -> Actor:
    """Who acts at the command line.

    Without a login it is the typed name. With one it is the operating system's account, which has the
    roles that the settings give to ``shell:<account>``.

    Raises:
        InputError: A name is typed although there is a login.
    """
    if not access.is_on:
        return Actor(typed)
    if typed:
        raise InputError("--as is not taken where people sign in: the step is kept with your account's name")
    name = _SHELL + account_name()
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
    if claim != "iss" and value.strip().casefold().startswith(_SHELL):
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

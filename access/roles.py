"""Who may do what: one table of roles and actions, asked on the server before anything is shown, done or handed out.

Without a login everybody at the machine may do everything; whoever decides gives a name.
"""

from __future__ import annotations

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
    STEPS_OF_PEOPLE,
)
from core.errors import InputError
from core.settings import PROJECT

VIEWER, ANALYST, MANAGER, ADMINISTRATOR = "viewer", "analyst", "manager", "administrator"
ROLES: Final = (VIEWER, ANALYST, MANAGER, ADMINISTRATOR)
PAGES: Final = tuple(sorted(path.stem for path in (PROJECT / "dashboard" / "app_pages").glob("[!_]*.py")))
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
    # Whoever may read may object: governance asks that dissent be open to every reader.
    COMMENTED: _EVERYBODY,
    DISSENTED: _EVERYBODY,
    CORRECTION: _EVERYBODY,
}
"""Action -> roles that may do it. What is not listed here, nobody may do."""

KEPT_WITH_A_NAME: Final = frozenset(
    {*STEPS_OF_PEOPLE, SAVE_SCENARIO, DELETE_SCENARIO, KEEP_PLACES, HAND_IN, DECIDE_EDITION, DROP_MESSAGE}
)
"""Actions that the journal keeps with a name."""


class NotAllowedError(InputError):
    """A person may not do this."""


@dataclass(frozen=True)
class Actor:
    """A person who acts.

    Attributes:
        name: The name that is kept with each step: with a login it is the identity, and nobody types it.
        roles: Roles that a login gave; None where there is no login.
        identity: What tells people apart for good, whatever they are called; empty where there is no login.
    """

    name: str
    roles: frozenset[str] | None = None
    identity: str = ""

    def marks(self, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a journal row keeps of the person beside the name; nothing that a caller claims about it stands."""
        kept = {key: value for key, value in (payload or {}).items() if key not in {"identity", "roles"}}
        if self.roles is None:
            return kept
        return {**kept, "identity": self.identity, "roles": sorted(self.roles)}


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
        login: Whether people sign in here: then nobody acts without having done so.

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

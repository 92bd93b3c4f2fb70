"""Who may do what. Without a login everybody who gives a name may decide; roles plug in here."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.lifecycle import STEPS_OF_PEOPLE
from core.errors import InputError


class NotAllowedError(InputError):
    """A person may not do this."""


@dataclass(frozen=True)
class Actor:
    """A person who acts.

    Attributes:
        name: The name that is kept with each step.
        roles: Roles that a login gave; empty where there is no login.
    """

    name: str
    roles: frozenset[str] = frozenset()


def may(actor: Actor, action: str) -> bool:
    """Whether a person may do something to an alert: every step of people, as long as there is no login.

    Asked on the server before each step, whatever the screen offers.
    """
    return bool(actor.name.strip()) and action in STEPS_OF_PEOPLE


def require(actor: Actor, action: str) -> None:
    """Refuse what a person may not do.

    Raises:
        NotAllowedError: The text says who may not do what.
    """
    if not actor.name.strip():
        raise NotAllowedError("give your name: it is kept with the decision")
    if not may(actor, action):
        raise NotAllowedError(f"{actor.name.strip()} may not do this: {action}")

"""What forecasts and alerts are for, and what they must not be used for: on screen and inside every download."""

from __future__ import annotations

from core.purpose import INTENDED_USE, NOT_A_FACT, PROHIBITED_USES
from dashboard.i18n import _, listed


def intended_use() -> str:
    """One sentence: what a figure from Vigie is meant for."""
    return _(INTENDED_USE)


def prohibited_uses() -> list[str]:
    """What nobody may do with a figure from Vigie."""
    return [_(text) for text in PROHIBITED_USES]


def caveats() -> list[str]:
    """Limits that a reader must know, wherever the figures travel."""
    return [
        _(NOT_A_FACT),
        _("Figures count arrivals that authorities published; who was not counted is not in them."),
        _("A change of policy or of counting looks like a change of arrivals."),
        intended_use(),
        _("Not to be used for: {uses}.").format(uses=listed(prohibited_uses())),
    ]

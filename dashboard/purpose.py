"""What forecasts and alerts are for, and what they must not be used for: on screen and inside every download."""

from __future__ import annotations

from dashboard.i18n import _


def intended_use() -> str:
    """One sentence: what a figure from Vigie is meant for."""
    return _("Made for planning reception, health care and protection capacity.")


def prohibited_uses() -> list[str]:
    """What nobody may do with a figure from Vigie."""
    return [
        _("turning people back, or placing forces where people are expected in order to do so"),
        _("profiling, or any decision about a person"),
        _("presenting a forecast as certain, or arrivals as a danger"),
    ]


def caveats() -> list[str]:
    """Limits that a reader must know, wherever the figures travel."""
    return [
        _("A forecast is a range, not a fact: one month in five is expected outside the 80% interval."),
        _("Figures count arrivals that authorities published; who was not counted is not in them."),
        _("A change of policy or of counting looks like a change of arrivals."),
        intended_use(),
        _("Not to be used for: {uses}.").format(uses="; ".join(prohibited_uses())),
    ]

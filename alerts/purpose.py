"""What forecasts and alerts are for, and what they must not be used for: on screen, in exports and in every message."""

from __future__ import annotations


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


INTENDED_USE = _("Made for planning reception, health care and protection capacity.")
PROHIBITED_USES = (
    _("turning people back, or placing forces where people are expected in order to do so"),
    _("profiling, or any decision about a person"),
    _("presenting a forecast as certain, or arrivals as a danger"),
)
NOT_A_FACT = _("A forecast is a range, not a fact: one month in five is expected outside the 80% interval.")

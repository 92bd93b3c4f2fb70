"""What a figure from Vigie is for, and what it must not be used for: on screen, in messages and in every file."""

from __future__ import annotations

from core.languages import marked as _

INTENDED_USE = _("Made for planning reception, health care and protection capacity.")
PROHIBITED_USES = (
    _("turning people back, or placing forces where people are expected in order to do so"),
    _("profiling, or any decision about a person"),
    _("presenting a forecast as certain, or arrivals as a danger"),
)
NOT_A_FACT = _("A forecast is a range, not a fact: one month in five is expected outside the 80% interval.")
PURPOSE = f"{INTENDED_USE} Not to be used for: {'; '.join(PROHIBITED_USES)}."
"""Both in one line, in English."""

"""What a figure from Vigie is for, and what it must not be used for: inside every file that leaves."""

from __future__ import annotations

INTENDED_USE = "Made for planning reception, health care and protection capacity."
PROHIBITED_USES = (
    "turning people back, or placing forces where people are expected in order to do so",
    "profiling, or any decision about a person",
    "presenting a forecast as certain, or arrivals as a danger",
)
PURPOSE = f"{INTENDED_USE} Not to be used for: {'; '.join(PROHIBITED_USES)}."
"""Both in one line."""

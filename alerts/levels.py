"""Levels of an alert, and the chances from which each is reached."""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = ("watch", "warning", "severe")
"""From the mildest to the gravest."""
WATCH, WARNING, SEVERE = LEVELS


@dataclass(frozen=True)
class Cutoffs:
    """Smallest chance for each level. They are frozen: a track record belongs to the cut-offs it was measured with.

    Attributes:
        watch: Smallest chance for a watch.
        warning: Smallest chance for a warning.
        severe: Smallest chance for a severe alert.
    """

    watch: float
    warning: float
    severe: float

    def of(self, level: str) -> float:
        """The smallest chance for a level."""
        return float(getattr(self, level))

    def level(self, probability: float) -> str | None:
        """The level reached by a chance; None below a watch."""
        reached = [name for name in LEVELS if probability >= self.of(name)]
        return reached[-1] if reached else None


def rank(level: str) -> int:
    """Place of a level, 0 for the mildest."""
    return LEVELS.index(level)

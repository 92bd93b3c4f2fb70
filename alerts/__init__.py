"""Early warning: declarative rules, their levels and reasons, and their record at past origins.

The levels, and the probabilities from which each pays, stand here. The static cost–loss model (Murphy 1977, Monthly
Weather Review 105; Richardson 2000, QJRMS 126): acting on an alert has a cost each time, and not acting
pays a loss where the event comes. With calibrated probabilities it pays to act from the Bayes threshold
``ratio / (1 + ratio)`` on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LEVELS = ("watch", "warning", "severe")
"""From the mildest to the gravest."""
WATCH, WARNING, SEVERE = LEVELS
INFORMATION = "information"
"""State of an alert without a level: information and preparedness triggers. It needs no decision."""
LIFT = 1.1
"""Least ratio of a probability to the base rate of its event and season from which an alert has a level.

Of 1, 1.1, 1.25 and 1.5 the largest at which the demonstration's training span misses no onset that it foretells at 1.
"""


@dataclass(frozen=True)
class Cutoffs:
    """Smallest probability for each level, frozen: a track record belongs to the cut-offs it was measured with."""

    watch: float
    warning: float
    severe: float

    def of(self, level: str) -> float:
        """The smallest probability for a level."""
        return float(getattr(self, level))

    def level(self, probability: float) -> str | None:
        """The level reached by a probability; None below a watch."""
        reached = [name for name in LEVELS if probability >= self.of(name)]
        return reached[-1] if reached else None

    def lifted(self, base_rate: float) -> Cutoffs:
        """The same, none below :data:`LIFT` times a base rate; unchanged where that is NaN."""
        least = 0.0 if math.isnan(base_rate) else min(1.0, LIFT * base_rate)
        return Cutoffs(*(max(self.of(level), least) for level in LEVELS))


@dataclass(frozen=True)
class LevelCosts(Cutoffs):
    """By how many times the reader's ratio a false alarm is dearer at each level: a graver alert moves more people."""


RARE = LevelCosts(watch=1.0, warning=2.5, severe=5.5)
"""For events that are rare: with a ratio of one third, Bayes thresholds of 25, 45 and 65 %."""
COMMON = LevelCosts(watch=3.0, warning=5.5, severe=12.0)
"""For highs of a season, which come most years: 50, 65 and 80 %; less is not worth a manager's time."""


def bayes_threshold(ratio: float) -> float:
    """Smallest calibrated probability at which an alert pays.

    Args:
        ratio: Cost of a false alarm over the cost of a missed event, above 0.
    """
    return ratio / (1 + ratio)


def bayes_cutoffs(costs: LevelCosts, ratio: float) -> Cutoffs:
    """The same for each level of a rule."""
    return Cutoffs(**{level: bayes_threshold(ratio * costs.of(level)) for level in LEVELS})


def rank(level: str) -> int:
    """Place of a level, 0 for the mildest; -1 for :data:`INFORMATION`."""
    return -1 if level == INFORMATION else LEVELS.index(level)

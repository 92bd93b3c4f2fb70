"""From what a false alarm costs against a missed one to the chance from which an alert is worth while.

The static cost–loss model (Murphy 1977, Monthly Weather Review 105; Richardson 2000, QJRMS 126): whoever acts on an
alert pays a cost each time, and whoever does not pays a loss where the event comes. With honest chances it pays to act
from the chance ``ratio / (1 + ratio)`` on. Chances are never quite honest, so the cut-off is learned on a training span
of past origins, and drawn towards that figure where the span is short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.levels import LEVELS, Cutoffs
from core.quantiles import FloatArray

PRIOR_MONTHS = 360.0
"""Months of a route (thirty years of one, six of five) at which the span and theory weigh the same."""
CANDIDATES: FloatArray = np.round(np.arange(0.05, 0.951, 0.01), 2)


@dataclass(frozen=True)
class LevelCosts:
    """By how many times the reader's ratio a false alarm is dearer at each level: a graver alert moves more people.

    Attributes:
        watch: Multiple for a watch.
        warning: Multiple for a warning.
        severe: Multiple for a severe alert.
    """

    watch: float
    warning: float
    severe: float

    def of(self, level: str) -> float:
        """The multiple of a level."""
        return float(getattr(self, level))


RARE = LevelCosts(watch=1.0, warning=2.5, severe=5.5)
"""For events that are rare: with a ratio of one third, honest chances of 25, 45 and 65 %."""
COMMON = LevelCosts(watch=3.0, warning=5.5, severe=12.0)
"""For highs of a season, which come most years: 50, 65 and 80 %; less is not worth a manager's time."""


def honest_cutoff(ratio: float) -> float:
    """Smallest honest chance at which an alert pays.

    Args:
        ratio: Cost of a false alarm over the cost of a missed event, above 0.
    """
    return ratio / (1 + ratio)


def honest_cutoffs(costs: LevelCosts, ratio: float) -> Cutoffs:
    """The same for each level of a rule."""
    return Cutoffs(**{level: honest_cutoff(ratio * costs.of(level)) for level in LEVELS})


def learn_cutoff(chance: FloatArray, came: NDArray[np.bool_], ratio: float) -> float:
    """The chance from which alerts would have cost least on the training span.

    Args:
        chance: Chances said, one per route and month of the span.
        came: Whether each event came.
        ratio: Cost of a false alarm over the cost of a missed event.

    Returns:
        The cut-off of least cost. The span counts for its months; :data:`PRIOR_MONTHS` further ones are thought in,
        in which the same chances are honest. Of cut-offs that cost the same, the one nearest to theory.
    """
    honest = honest_cutoff(ratio)
    if len(chance) == 0:
        return honest
    alerted = chance[None] >= CANDIDATES[:, None]
    seen = _cost(alerted, came.astype(float), ratio).sum(axis=1)
    thought = _cost(alerted, chance, ratio).mean(axis=1) * PRIOR_MONTHS
    cost = seen + thought
    least = np.isclose(cost, cost.min(), rtol=0, atol=1e-9)
    nearest = np.argmin(np.where(least, np.abs(CANDIDATES - honest), np.inf))
    return float(CANDIDATES[nearest])


def learn_score(score: FloatArray, came: NDArray[np.bool_], ratio: float, usual: float) -> float:
    """The same for a score that is no chance, such as a control chart's; ``usual`` where the span holds no event."""
    known = np.isfinite(score)
    score, came = score[known], came[known]
    if not came.any():
        return usual
    candidates = np.unique(np.append(score, usual))
    cost = _cost(score[None] >= candidates[:, None], came.astype(float), ratio).sum(axis=1)
    return float(candidates[np.flatnonzero(cost == cost.min())[-1]])


def _cost(alerted: NDArray[np.bool_], chance: FloatArray, ratio: float) -> FloatArray:
    """Expected cost of each month: a false alarm costs ``ratio``, a missed event 1."""
    return np.where(alerted, ratio * (1 - chance), chance)

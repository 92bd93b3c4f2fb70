"""Cut-offs learned on a training span of past origins and frozen; the record is counted on the origins after it.

Probabilities are never quite calibrated, so a level's cut-off is the one that would have cost least on the span, drawn
towards the Bayes threshold (:mod:`alerts`) where the span is short.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alerts import LEVELS, Cutoffs, LevelCosts, bayes_threshold
from alerts.verification.hindcast import HORIZONS, WINDOW, Judged, Pairs
from core import FloatArray
from core.calendar import PLANNING_MONTHS
from core.settings import AlertSettings

TRAINING_SHARE = 0.4
FEWEST_ORIGINS = 48
"""Fewer past origins are not parted: cut-offs are then Bayes thresholds, and all origins are judged."""
PRIOR_MONTHS = 360.0
"""Months of a route (thirty years of one, six of five) at which the span and theory weigh the same."""
CANDIDATES: FloatArray = np.round(np.arange(0.05, 0.951, 0.01), 2)
COLUMNS = ["rule", "level", "horizon", "cutoff", "honest_cutoff", "cost_loss_ratio", "trained_from", "trained_to"]
"""``honest_cutoff`` is the Bayes threshold."""


@dataclass(frozen=True)
class Span:
    """How the past origins are parted.

    Attributes:
        origins: Every month from the first origin to the last.
        first_judged: Index of the first origin that is judged; those before it train.
    """

    origins: pd.PeriodIndex
    first_judged: int

    @property
    def trained(self) -> tuple[str, str]:
        """First and last origin of the training span; empty where there is none."""
        if self.first_judged == 0:
            return "", ""
        return str(self.origins[0]), str(self.origins[self.first_judged - 1])

    @property
    def judged(self) -> tuple[str, str]:
        """First and last origin that the record is counted on; empty where there is none."""
        if self.first_judged >= len(self.origins):
            return "", ""
        return str(self.origins[self.first_judged]), str(self.origins[-1])


def part(origins: pd.PeriodIndex, settings: AlertSettings) -> Span:
    """Part past origins into a training span and those that are judged.

    The span ends with ``settings.trained_until`` where it is set, else after the first 40 %.
    """
    if settings.trained_until:
        return Span(origins, int((origins <= pd.Period(settings.trained_until, "M")).sum()))
    return Span(origins, int(len(origins) * TRAINING_SHARE) if len(origins) >= FEWEST_ORIGINS else 0)


def freeze(
    judged: Judged, costs: LevelCosts, span: Span, settings: AlertSettings, conventional: float | None = None
) -> dict[int, Cutoffs]:
    """Learn a rule's cut-offs on the training span.

    Args:
        judged: The rule at past origins.
        costs: How dear a false alarm is at each level.
        span: The span. Only outcomes known at the first judged origin count.
        settings: The reader's ratio of costs.
        conventional: For scores that are no probabilities, their conventional cut-off.

    Returns:
        Cut-offs by horizon: 0 for the alert as it is issued, then 1, 2, … for single months.
    """
    frozen = {}
    for horizon in range(WINDOW, HORIZONS + 1):
        farthest = horizon or int(judged.starts.max(initial=1)) + PLANNING_MONTHS - 1
        known_then = slice(0, max(span.first_judged - farthest + 1, 0))
        frozen[horizon] = _learn(judged.month(horizon).rows(known_then), costs, settings, conventional)
    return frozen


def table(
    frozen: Mapping[str, dict[int, Cutoffs]], costs: Mapping[str, LevelCosts], span: Span, ratio: float
) -> pd.DataFrame:
    """Frozen cut-offs as rows, to be published.

    Returns:
        :data:`COLUMNS`.
    """
    rows = [
        {
            "rule": rule,
            "level": level,
            "horizon": horizon,
            "cutoff": cutoffs.of(level),
            "honest_cutoff": bayes_threshold(ratio * costs[rule].of(level)),
            "cost_loss_ratio": ratio,
            "trained_from": span.trained[0],
            "trained_to": span.trained[1],
        }
        for rule, by_horizon in frozen.items()
        for horizon, cutoffs in by_horizon.items()
        for level in LEVELS
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _learn(pairs: Pairs, costs: LevelCosts, settings: AlertSettings, conventional: float | None) -> Cutoffs:
    score, occurred = pairs.probability[pairs.calm], pairs.occurred[pairs.calm]
    found = []
    for level in LEVELS:
        ratio = settings.cost_loss_ratio * costs.of(level)
        if conventional is None:
            found.append(learn_cutoff(score, occurred, ratio))
        else:
            found.append(learn_score(score, occurred, ratio, conventional))
    return Cutoffs(*(float(cutoff) for cutoff in np.maximum.accumulate(found)))


def learn_cutoff(probability: FloatArray, occurred: NDArray[np.bool_], ratio: float) -> float:
    """The probability from which alerts would have cost least on the training span.

    Args:
        probability: Probabilities, one per route and month of the span.
        occurred: Whether each event occurred.
        ratio: Cost of a false alarm over the cost of a missed event.

    Returns:
        The cut-off of least cost. The span counts for its months; :data:`PRIOR_MONTHS` further ones are thought in,
        in which the same probabilities are calibrated. Of cut-offs that cost the same, the one nearest to theory.
    """
    bayes = bayes_threshold(ratio)
    if len(probability) == 0:
        return bayes
    alerted = probability[None] >= CANDIDATES[:, None]
    counted = _cost(alerted, occurred.astype(float), ratio).sum(axis=1)
    prior = _cost(alerted, probability, ratio).mean(axis=1) * PRIOR_MONTHS
    cost = counted + prior
    least = np.isclose(cost, cost.min(), rtol=0, atol=1e-9)
    nearest = np.argmin(np.where(least, np.abs(CANDIDATES - bayes), np.inf))
    return float(CANDIDATES[nearest])


def learn_score(score: FloatArray, occurred: NDArray[np.bool_], ratio: float, conventional: float) -> float:
    """The same for a score that is no probability, such as a control chart's.

    Where the span holds no event, it is the conventional cut-off.
    """
    known = np.isfinite(score)
    score, occurred = score[known], occurred[known]
    if not occurred.any():
        return conventional
    candidates = np.unique(np.append(score, conventional))
    cost = _cost(score[None] >= candidates[:, None], occurred.astype(float), ratio).sum(axis=1)
    return float(candidates[np.flatnonzero(cost == cost.min())[-1]])


def _cost(alerted: NDArray[np.bool_], probability: FloatArray, ratio: float) -> FloatArray:
    """Expected cost of each month: a false alarm costs ``ratio``, a missed event 1."""
    return np.where(alerted, ratio * (1 - probability), probability)

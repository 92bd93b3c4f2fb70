"""Cut-offs frozen on a training span of past origins; the record is counted on the origins after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alerts.comparisons import Comparison
from alerts.cost_loss import LevelCosts, honest_cutoff, learn_cutoff, learn_score
from alerts.ledger import Ranked, of_month, of_window
from alerts.levels import LEVELS, Cutoffs
from alerts.past import Past
from core.calendar import PLANNING_MONTHS
from core.settings import AlertSettings

TRAINING_SHARE = 0.4
FEWEST_ORIGINS = 48
"""Fewer past origins are not parted: cut-offs are then those of honest chances, and all origins are judged."""
ANY_MONTH = 0
"""``horizon`` of what is said about an alert as it is issued: any month of the planning window."""


@dataclass(frozen=True)
class Span:
    """How the past origins are parted.

    Attributes:
        origins: Every month from the first origin to the last.
        first_judged: Place of the first origin that is judged; those before it train.
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
    past: Past, costs: LevelCosts, span: Span, settings: AlertSettings, simple: Comparison | None = None
) -> dict[int, Cutoffs]:
    """Learn a rule's cut-offs on the training span.

    Args:
        past: What the rule said at past origins, and what came.
        costs: How dear a false alarm is at each level.
        span: The span. Only outcomes known at the first judged origin count.
        settings: The reader's ratio of costs.
        simple: The simple rule whose scores these are; None for the rule itself.

    Returns:
        Cut-offs by horizon: 0 for the alert as it is issued, then 1, 2, … for single months.
    """
    frozen = {}
    for horizon in range(past.chance.shape[2] + 1):
        ranked = of_month(past, horizon) if horizon else of_window(past)
        months = horizon or int(past.starts.max(initial=1)) + PLANNING_MONTHS - 1
        frozen[horizon] = _learn(_known_then(ranked, span.first_judged - months + 1), costs, settings, simple)
    return frozen


def table(
    frozen: Mapping[str, dict[int, Cutoffs]], costs: Mapping[str, LevelCosts], span: Span, ratio: float
) -> pd.DataFrame:
    """Frozen cut-offs as rows, to be published.

    Returns:
        ``rule, level, horizon, cutoff, honest_cutoff, cost_loss_ratio, trained_from, trained_to``.
    """
    rows = [
        {
            "rule": rule,
            "level": level,
            "horizon": horizon,
            "cutoff": cutoffs.of(level),
            "honest_cutoff": honest_cutoff(ratio * costs[rule].of(level)),
            "cost_loss_ratio": ratio,
            "trained_from": span.trained[0],
            "trained_to": span.trained[1],
        }
        for rule, by_horizon in frozen.items()
        for horizon, cutoffs in by_horizon.items()
        for level in LEVELS
    ]
    columns = [
        "rule", "level", "horizon", "cutoff", "honest_cutoff", "cost_loss_ratio", "trained_from", "trained_to",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _known_then(ranked: Ranked, origins: int) -> Ranked:
    """The first origins only."""
    some = slice(0, max(origins, 0))
    return Ranked(ranked.chance[some], ranked.came[some], ranked.calm[some])


def _learn(ranked: Ranked, costs: LevelCosts, settings: AlertSettings, simple: Comparison | None) -> Cutoffs:
    score, came = ranked.chance[ranked.calm], ranked.came[ranked.calm]
    found = []
    for level in LEVELS:
        ratio = settings.cost_loss_ratio * costs.of(level)
        if simple is None or simple.chance:
            found.append(learn_cutoff(score, came, ratio))
        else:
            found.append(learn_score(score, came, ratio, simple.usual))
    return Cutoffs(*(float(cutoff) for cutoff in np.maximum.accumulate(found)))

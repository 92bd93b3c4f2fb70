"""Rules about the planning window: is a number likely to be passed, or fallen to, in any of its months?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alerts import thresholds
from alerts.cost_loss import COMMON, RARE, LevelCosts, honest_cutoffs
from alerts.evidence import Evidence
from alerts.levels import Cutoffs
from alerts.raised import Raised
from core.calendar import planning_window
from core.quantiles import FloatArray
from core.settings import AlertSettings

_COMPARISONS: dict[str, Callable[[FloatArray, FloatArray], NDArray[np.bool_]]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


@dataclass(frozen=True)
class ExceedanceRule:
    """One rule about the months ahead.

    Attributes:
        rule: Its identity.
        watches: What it watches, in words.
        threshold: The number, from counts per route; see :mod:`alerts.thresholds`. Not defined where it is too small.
        event: How a month's count must compare with the number.
        costs: How dear a false alarm is at each level; see :mod:`alerts.cost_loss`.
    """

    rule: str
    watches: str
    threshold: Callable[[pd.DataFrame, AlertSettings], pd.DataFrame]
    event: Literal[">", ">=", "<="]
    costs: LevelCosts

    @property
    def falls(self) -> bool:
        """True where the event is a low count."""
        return self.event == "<="

    def happened(self, values: FloatArray, limits: FloatArray) -> NDArray[np.bool_]:
        """True where a value is an event under its limit; False where either is not known."""
        return _COMPARISONS[self.event](values, limits)

    def honest(self, settings: AlertSettings) -> Cutoffs:
        """The levels' cut-offs as they would be if every chance were honest."""
        return honest_cutoffs(self.costs, settings.cost_loss_ratio)


EXCEEDANCE_RULES: tuple[ExceedanceRule, ...] = (
    ExceedanceRule("capacity", "any month above the reader's number", thresholds.capacity, ">", RARE),
    ExceedanceRule("surge", "any month far above the trailing 12-month mean", thresholds.surge, ">=", RARE),
    ExceedanceRule(
        "fall",
        "any month far below the trailing mean, and the lowest of two years",
        thresholds.fall,
        "<=",
        COMMON,
    ),
    ExceedanceRule(
        "record_12",
        "any month above the highest of the last 12",
        functools.partial(thresholds.highest_in, 12),
        ">",
        COMMON,
    ),
    ExceedanceRule(
        "record_36",
        "any month above the highest of the last 36",
        functools.partial(thresholds.highest_in, 36),
        ">",
        RARE,
    ),
)


@dataclass(frozen=True)
class _Route:
    series_id: str
    route_id: str
    origin: pd.Period


def exceedances(
    evidence: Evidence, settings: AlertSettings, cutoffs: Mapping[str, Cutoffs] | None = None
) -> Iterator[Raised]:
    """Alerts about the planning window (:func:`core.calendar.planning_window`), at most one per rule and route.

    The months between a route's newest count and the window are the nowcast's: no alert is about them.

    Args:
        evidence: What is known on the night.
        settings: The reader's numbers.
        cutoffs: Cut-offs by rule, frozen on a training span; those of honest chances where a rule has none.
    """
    counts = thresholds.by_route(evidence.panel)
    window = planning_window(evidence.as_of)
    for series_id, paths in evidence.trajectories.groupby("series_id", sort=True):
        route_id = thresholds.route_of(str(series_id))
        if route_id is None or series_id not in counts.columns:
            continue
        own = counts[[series_id]]
        months = paths.pivot_table(index="output_type_id", columns="target_end_date", values="value")
        origin = pd.Period(paths["origin_date"].iloc[0], "M")
        for rule in EXCEEDANCE_RULES:
            limit = float(rule.threshold(own, settings)[series_id].get(origin, np.nan))
            ahead = months.loc[:, pd.PeriodIndex(months.columns, freq="M").isin(window)]
            levels = (cutoffs or {}).get(rule.rule) or rule.honest(settings)
            if len(ahead.columns) < len(window):
                continue
            found = _judge(rule, levels, ahead, limit, _Route(str(series_id), route_id, origin))
            if found is not None:
                yield _named(found, settings)


def _judge(rule: ExceedanceRule, levels: Cutoffs, ahead: pd.DataFrame, limit: float, route: _Route) -> Raised | None:
    if np.isnan(limit):
        return None
    happened = rule.happened(ahead.to_numpy(), np.full(1, limit))
    probability = float(happened.any(axis=1).mean())
    level = levels.level(probability)
    if level is None:
        return None
    months = pd.PeriodIndex(ahead.columns, freq="M")
    likely = happened.mean(axis=0)
    # The first month that carries at least half of the likeliest month's chance is where the matter may begin.
    begins = int(np.argmax(likely >= likely.max() / 2))
    return Raised(
        rule=rule.rule,
        level=level,
        reason_key=rule.rule,
        reason_params={"chance": probability, "threshold": limit, "first": str(months[0]), "month": str(months[-1])},
        route_id=route.route_id,
        series_id=route.series_id,
        probability=probability,
        threshold=limit,
        first_period=str(months[0]),
        last_period=str(months[-1]),
        likely_period=str(months[begins]),
        horizon=(months[0] - route.origin).n,
    )


def _named(found: Raised, settings: AlertSettings) -> Raised:
    """Complete the sentence: whose number it is, or what multiple of the mean."""
    if found.rule == "surge":
        return found.saying(found.reason_key, factor=settings.surge_factor)
    if found.rule == "capacity":
        own = thresholds.own_capacity(found.series_id, settings)
        return found.saying("capacity_default" if own is None else "capacity_own")
    return found

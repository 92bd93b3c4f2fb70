"""Rules about the months ahead: is a number likely to be passed in one of them?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alerts import thresholds
from alerts.evidence import Evidence
from alerts.levels import Cutoffs
from alerts.raised import Raised
from core.calendar import last_complete_period
from core.quantiles import FloatArray
from core.settings import AlertSettings

WINDOW = 3
"""Months ahead that an alert looks at: long enough to make places ready, short enough to have shown skill."""


@dataclass(frozen=True)
class ExceedanceRule:
    """One rule about the months ahead.

    Attributes:
        rule: Its identity.
        watches: What it watches, in words.
        threshold: The number to be passed, from counts per route; see :mod:`alerts.thresholds`.
        reaches: True where reaching the number is enough; else it must be passed.
        cutoffs: Chance of any month in the window from which each level is reached.
        window: Months ahead.
    """

    rule: str
    watches: str
    threshold: Callable[[pd.DataFrame, AlertSettings], pd.DataFrame]
    reaches: bool
    cutoffs: Cutoffs
    window: int = WINDOW

    def happened(self, values: FloatArray, limits: FloatArray) -> NDArray[np.bool_]:
        """True where a value is an event under its limit; False where either is not known."""
        found: NDArray[np.bool_] = values >= limits if self.reaches else values > limits
        return found


_RARE = Cutoffs(watch=0.25, warning=0.45, severe=0.65)
"""For events that are rare: a watch may be in vain as often as not, a severe alert seldom; the track record tells."""
_COMMON = Cutoffs(watch=0.50, warning=0.65, severe=0.80)
"""For highs of a season, which come most years: only a chance well above the usual one is worth a manager's time."""

EXCEEDANCE_RULES: tuple[ExceedanceRule, ...] = (
    ExceedanceRule("capacity", "any month above the reader's number", thresholds.capacity, False, _RARE),
    ExceedanceRule("surge", "any month from 1.5 times the trailing 12-month mean on", thresholds.surge, True, _RARE),
    ExceedanceRule(
        "record_12",
        "any month above the highest of the last 12",
        functools.partial(thresholds.highest_in, 12),
        False,
        _COMMON,
    ),
    ExceedanceRule(
        "record_36",
        "any month above the highest of the last 36",
        functools.partial(thresholds.highest_in, 36),
        False,
        _RARE,
    ),
)


@dataclass(frozen=True)
class _Route:
    series_id: str
    route_id: str
    origin: pd.Period


def exceedances(evidence: Evidence, settings: AlertSettings) -> Iterator[Raised]:
    """Alerts about the months ahead, at most one per rule and route."""
    counts = thresholds.by_route(evidence.panel)
    last = last_complete_period(evidence.as_of, "M")
    for series_id, paths in evidence.trajectories.groupby("series_id", sort=True):
        route_id = thresholds.route_of(str(series_id))
        if route_id is None or series_id not in counts.columns:
            continue
        own = counts[[series_id]]
        months = paths.pivot_table(index="output_type_id", columns="target_end_date", values="value")
        origin = pd.Period(paths["origin_date"].iloc[0], "M")
        for rule in EXCEEDANCE_RULES:
            limit = float(rule.threshold(own, settings)[series_id].get(origin, np.nan))
            ahead = months.loc[:, pd.PeriodIndex(months.columns, freq="M") <= last + rule.window]
            found = _judge(rule, ahead, limit, _Route(str(series_id), route_id, origin), settings)
            if found is not None:
                yield found


def chances(evidence: Evidence, settings: AlertSettings) -> pd.DataFrame:
    """Chance of each rule's event in each single month ahead, whatever its size.

    Returns:
        ``rule, series_id, target_end_date, horizon, threshold, probability``, by rule, series and horizon.
    """
    counts = thresholds.by_route(evidence.panel)
    paths = evidence.trajectories[evidence.trajectories["series_id"].isin(counts.columns)]
    frames = []
    for rule in EXCEEDANCE_RULES:
        limits = rule.threshold(counts, settings).rename_axis("origin").reset_index()
        limits = limits.melt(id_vars="origin", var_name="series_id", value_name="threshold")
        origins = pd.PeriodIndex(paths["origin_date"], freq="M").rename("origin")
        rows = paths.assign(origin=origins).merge(limits, on=["series_id", "origin"], how="inner")
        rows = rows.dropna(subset="threshold")
        happened = rule.happened(rows["value"].to_numpy(), rows["threshold"].to_numpy())
        keys = ["series_id", "target_end_date", "horizon", "threshold"]
        found = rows.assign(probability=happened.astype(float)).groupby(keys, as_index=False)["probability"].mean()
        frames.append(found.assign(rule=rule.rule))
    columns = ["rule", "series_id", "target_end_date", "horizon", "threshold", "probability"]
    together: pd.DataFrame = pd.concat(frames, ignore_index=True).reindex(columns=columns)
    return together


def _judge(
    rule: ExceedanceRule, ahead: pd.DataFrame, limit: float, route: _Route, settings: AlertSettings
) -> Raised | None:
    if np.isnan(limit) or ahead.empty:
        return None
    happened = rule.happened(ahead.to_numpy(), np.full(1, limit))
    probability = float(happened.any(axis=1).mean())
    level = rule.cutoffs.level(probability)
    if level is None:
        return None
    months = pd.PeriodIndex(ahead.columns, freq="M")
    likely = happened.mean(axis=0)
    # The first month that carries at least half of the likeliest month's chance is where the matter begins.
    first = int(np.argmax(likely >= likely.max() / 2))
    key = rule.rule
    if rule.rule == "capacity":
        own = thresholds.own_capacity(route.series_id, settings)
        key = "capacity_default" if own is None else "capacity_own"
    params: dict[str, str | float] = {"chance": probability, "threshold": limit, "month": str(months[-1])}
    if rule.rule == "surge":
        params["factor"] = settings.surge_factor
    return Raised(
        rule=rule.rule,
        level=level,
        reason_key=key,
        reason_params=params,
        route_id=route.route_id,
        series_id=route.series_id,
        probability=probability,
        threshold=limit,
        first_period=str(months[first]),
        last_period=str(months[-1]),
        horizon=(months[first] - route.origin).n,
    )

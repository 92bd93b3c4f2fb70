"""Does a fall on one route show as a rise on another? Estimated on past episodes, or said to be unknown.

An episode is a change of six months' arrivals against the same six months a year before. The share that moved is the
least-squares slope through the origin of the other route's change on the first one's, with the opposite sign. With so
few episodes a slope arises easily by chance, so it must also beat the same slope with the other route's history
shifted in time (a placebo): where it does not, there is no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.quantiles import FloatArray

WINDOW, YEAR = 6, 12
FEWEST_EPISODES = 4
SMALLEST_RATIO = 1.5
"""An episode at least multiplies or divides six months' arrivals by this."""
SMALLEST_CHANGE = 2_000
"""Persons in six months."""
LEVEL = 0.10
DRAWS = 1_000
SHORTEST_SHIFT = 9


@dataclass(frozen=True)
class DiversionEstimate:
    """What past episodes say.

    Attributes:
        share: Share of a change that showed on the other route with the opposite sign; NaN without an episode.
        low: 5 % bound of a bootstrap over episodes.
        high: 95 % bound.
        p_value: Share of time-shifted placebos with a slope as large.
        evidence: True where there are at least four episodes, the interval lies above 0 and the placebo is beaten.
        episodes: ``last_period, change, change_elsewhere``: the six months end with that period.
    """

    share: float
    low: float
    high: float
    p_value: float
    evidence: bool
    episodes: pd.DataFrame


def estimate_diversion(source: pd.Series, other: pd.Series) -> DiversionEstimate:
    """Estimate the share of changes on one route that showed on another.

    Args:
        source: Monthly arrivals on the route that changed, indexed by period.
        other: The same for the other route.
    """
    months = source.index.intersection(other.index)
    first, second = (_year_on_year(line.reindex(months)) for line in (source, other))
    places = _episodes(source.reindex(months), first)
    changes = pd.DataFrame(
        {
            "last_period": [str(months[place]) for place in places],
            "change": first[places],
            "change_elsewhere": second[places],
        }
    ).dropna()
    own, elsewhere = changes["change"].to_numpy(dtype=float), changes["change_elsewhere"].to_numpy(dtype=float)
    if not len(own):
        return DiversionEstimate(np.nan, np.nan, np.nan, np.nan, evidence=False, episodes=changes)
    share = _slope(own, elsewhere)
    low, high = _bootstrap(own, elsewhere)
    p_value = _placebo(first, second, places, share)
    evidence = len(own) >= FEWEST_EPISODES and low > 0 and p_value <= LEVEL
    return DiversionEstimate(share, low, high, p_value, evidence, changes)


def _year_on_year(line: pd.Series) -> FloatArray:
    """Change of the last six months' sum against a year before, at each month."""
    sums = line.rolling(WINDOW).sum()
    change: FloatArray = (sums - sums.shift(YEAR)).to_numpy(dtype=float)
    return change


def _episodes(line: pd.Series, change: FloatArray) -> list[int]:
    """Months at which a large change is largest, at least a year apart."""
    now = line.rolling(WINDOW).sum().to_numpy(dtype=float)
    before = now - change
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(np.log(np.maximum(now, 1) / np.maximum(before, 1)))
    large = (ratio >= np.log(SMALLEST_RATIO)) & (np.abs(change) >= SMALLEST_CHANGE)
    chosen: list[int] = []
    for place in np.argsort(-np.where(large, np.abs(change), -1.0), kind="stable"):
        if large[place] and all(abs(place - other) >= YEAR for other in chosen):
            chosen.append(int(place))
    return sorted(chosen)


def _slope(own: FloatArray, elsewhere: FloatArray) -> float:
    return float(-(own @ elsewhere) / (own @ own))


def _bootstrap(own: FloatArray, elsewhere: FloatArray) -> tuple[float, float]:
    picks = np.random.default_rng(len(own)).integers(0, len(own), (DRAWS, len(own)))
    slopes = -(own[picks] * elsewhere[picks]).sum(axis=1) / np.square(own[picks]).sum(axis=1)
    low, high = np.quantile(slopes, [0.05, 0.95])
    return float(low), float(high)


def _placebo(first: FloatArray, second: FloatArray, places: list[int], share: float) -> float:
    """How often the other route's changes, shifted in time, give a slope as large."""
    known = np.flatnonzero(np.isfinite(second))
    if len(known) <= 2 * SHORTEST_SHIFT:
        return 1.0
    slopes = []
    for shift in range(SHORTEST_SHIFT, len(known) - SHORTEST_SHIFT + 1):
        rolled = np.full(len(second), np.nan)
        rolled[known] = np.roll(second[known], shift)
        usable = [place for place in places if np.isfinite(first[place]) and np.isfinite(rolled[place])]
        if usable:
            slopes.append(_slope(first[usable], rolled[usable]))
    return float(np.mean(np.asarray(slopes) >= share)) if slopes else 1.0

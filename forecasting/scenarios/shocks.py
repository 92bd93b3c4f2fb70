"""Scenarios by shock: a change of one route's arrivals that comes, lasts and fades, and what of it moves elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import FloatArray
from core.errors import InputError

_NORMAL_90 = 1.6448536269514722


@dataclass(frozen=True)
class Shock:
    """A supposed change.

    Attributes:
        series_id: The series that changes.
        first: Last day of the first period concerned.
        size: Relative change at its height: 0.5 is half more, −0.4 four tenths less.
        onset: Periods until the height is reached; 0 is at once.
        duration: Periods at the height.
        half_life: Periods in which half of it fades afterwards; 0 is at once.
    """

    series_id: str
    first: pd.Timestamp
    size: float
    onset: int = 0
    duration: int = 3
    half_life: float = 2.0


@dataclass(frozen=True)
class Diversion:
    """The share of a change that shows on another route with the opposite sign.

    Attributes:
        series_id: The other route.
        share: Middle of the share, 0 to 1.
        low: 5 % bound; equal to ``share`` where it is the reader's own assumption.
        high: 95 % bound.
    """

    series_id: str
    share: float
    low: float
    high: float


def profile(ends: pd.DatetimeIndex, shock: Shock) -> FloatArray:
    """Part of the shock's height in each period: 0 before it, rising over its onset, 1 at the height, then fading.

    Raises:
        InputError: A lever has no usable value.
    """
    if shock.size < -1 or not np.isfinite(shock.size):
        raise InputError(f"a shock takes away at most everything (found {shock.size})")
    if shock.onset < 0 or shock.duration < 1 or shock.half_life < 0:
        raise InputError("a shock lasts at least one period, and neither onset nor decay is negative")
    since = (ends.year * 12 + ends.month) - (shock.first.year * 12 + shock.first.month)
    rising = (since + 1) / (shock.onset + 1)
    after = since - (shock.onset + shock.duration - 1)
    fading = np.power(0.5, np.maximum(after, 0) / shock.half_life) if shock.half_life else (after <= 0).astype(float)
    return np.where(since < 0, 0.0, np.minimum(rising, 1.0) * fading)


def apply_shock(trajectories: pd.DataFrame, shock: Shock, diversions: Sequence[Diversion] = ()) -> pd.DataFrame:
    """Change sample paths, path by path, so that the result is a distribution as the forecast is.

    Args:
        trajectories: Frame that keeps ``TRAJECTORIES``.
        shock: What changes.
        diversions: Where a part of the change appears instead. Its share is drawn anew on each path between its
            bounds: what is not known about it widens the result.

    Returns:
        The same rows with other values; none is negative.

    Raises:
        InputError: A lever has no usable value, or the shock's series has no paths.
    """
    out = trajectories.copy()
    if not (own := out["series_id"] == shock.series_id).any():
        raise InputError(f"no sample paths of {shock.series_id}")
    part = profile(pd.DatetimeIndex(out.loc[own, "target_end_date"]), shock)
    before = out.loc[own, "value"].to_numpy()
    after = np.maximum(before * (1 + shock.size * part), 0.0)
    out.loc[own, "value"] = after
    keys = pd.MultiIndex.from_frame(out.loc[own, ["output_type_id", "target_end_date"]])
    moved = pd.Series(after - before, index=keys)
    paths = np.unique(out["output_type_id"])
    random = np.random.default_rng(0)
    for diversion in diversions:
        shares = pd.Series(_shares(diversion, len(paths), random), index=paths)
        there = out["series_id"] == diversion.series_id
        rows = out.loc[there, ["output_type_id", "target_end_date"]]
        change = moved.reindex(pd.MultiIndex.from_frame(rows)).fillna(0.0).to_numpy()
        share = rows["output_type_id"].map(shares).to_numpy()
        out.loc[there, "value"] = np.maximum(out.loc[there, "value"].to_numpy() - share * change, 0.0)
    return out


def _shares(diversion: Diversion, count: int, random: np.random.Generator) -> FloatArray:
    if not 0 <= diversion.share <= 1 or diversion.low > diversion.share or diversion.high < diversion.share:
        raise InputError("a share that moves lies between 0 and 1, and between its own bounds")
    spread = (diversion.high - diversion.low) / (2 * _NORMAL_90)
    return np.asarray(np.clip(diversion.share + spread * random.standard_normal(count), 0.0, 1.0))


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
    return np.asarray((sums - sums.shift(YEAR)).to_numpy(dtype=float))


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
        if usable := [place for place in places if np.isfinite(first[place]) and np.isfinite(rolled[place])]:
            slopes.append(_slope(first[usable], rolled[usable]))
    return float(np.mean(np.asarray(slopes) >= share)) if slopes else 1.0

"""Scenarios by shock: a change of one route's arrivals that comes, lasts and fades, and what of it moves elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import InputError
from core.quantiles import FloatArray

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
    part: FloatArray = np.where(since < 0, 0.0, np.minimum(rising, 1.0) * fading)
    return part


def apply_shock(
    trajectories: pd.DataFrame, shock: Shock, diversions: Sequence[Diversion] = (), *, seed: int = 0
) -> pd.DataFrame:
    """Change sample paths, path by path, so that the result is a distribution as the forecast is.

    Args:
        trajectories: Frame that keeps ``TRAJECTORIES``.
        shock: What changes.
        diversions: Where a part of the change appears instead. Its share is drawn anew on each path between its
            bounds: what is not known about it widens the result.
        seed: Same seed, same paths.

    Returns:
        The same rows with other values; none is negative.

    Raises:
        InputError: A lever has no usable value, or the shock's series has no paths.
    """
    out = trajectories.copy()
    own = out["series_id"] == shock.series_id
    if not own.any():
        raise InputError(f"no sample paths of {shock.series_id}")
    part = profile(pd.DatetimeIndex(out.loc[own, "target_end_date"]), shock)
    before = out.loc[own, "value"].to_numpy()
    after = np.maximum(before * (1 + shock.size * part), 0.0)
    out.loc[own, "value"] = after
    keys = pd.MultiIndex.from_frame(out.loc[own, ["output_type_id", "target_end_date"]])
    moved = pd.Series(after - before, index=keys)
    paths = np.unique(out["output_type_id"])
    random = np.random.default_rng(seed)
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
    shares: FloatArray = np.clip(diversion.share + spread * random.standard_normal(count), 0.0, 1.0)
    return shares

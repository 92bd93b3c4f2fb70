"""Is a difference between two forecasters more than luck? Block bootstrap and the Diebold–Mariano test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from core.quantiles import FloatArray

FEWEST_ORIGINS = 8
DRAWS = 1000
SHORTEST_BLOCK = 3


def ratio_interval(own: FloatArray, reference: FloatArray, *, horizon: int, level: float = 0.90) -> tuple[float, float]:
    """Moving-block bootstrap interval of a ratio of sums over origins.

    Blocks are as long as the horizon (at least 3), because forecasts that overlap in time err together:
    Künsch 1989, Annals of Statistics 17(3).

    Args:
        own: Sum of scores at each origin in order of time, shape ``(n,)``.
        reference: The same for the reference.
        horizon: Periods ahead.
        level: Coverage of the interval.

    Returns:
        Lower and upper bound; both NaN below eight origins or where the reference is zero.
    """
    size = len(own)
    if size < FEWEST_ORIGINS or reference.sum() <= 0:
        return float("nan"), float("nan")
    length = min(max(horizon, SHORTEST_BLOCK), size // 2)
    blocks = -(-size // length)
    starts = np.random.default_rng(size * 100 + horizon).integers(0, size - length + 1, (DRAWS, blocks))
    places = (starts[:, :, None] + np.arange(length)).reshape(DRAWS, -1)[:, :size]
    below = reference[places].sum(axis=1)
    ratios = own[places].sum(axis=1)[below > 0] / below[below > 0]
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class DieboldMariano:
    """Test of equal accuracy.

    Attributes:
        statistic: Negative where the first forecaster is better.
        p_value: Two-sided.
        n: Number of origins.
    """

    statistic: float
    p_value: float
    n: int


def diebold_mariano(loss: FloatArray, other: FloatArray, *, horizon: int) -> DieboldMariano:
    """Diebold–Mariano test with the small-sample correction of Harvey, Leybourne and Newbold.

    The long-run variance takes in autocovariances up to lag h−1 with Bartlett weights (which keep it positive).

    Args:
        loss: Scores of the first forecaster by origin, in order of time, shape ``(n,)``.
        other: Scores of the second on the same origins.
        horizon: Periods ahead.

    Returns:
        The test; statistic 0 and p-value 1 where the losses never differ, NaN where there are too few origins.
    """
    difference = np.asarray(loss, dtype=float) - np.asarray(other, dtype=float)
    size = len(difference)
    if size < max(FEWEST_ORIGINS, 2 * horizon):
        return DieboldMariano(float("nan"), float("nan"), size)
    centred = difference - difference.mean()
    variance = float(centred @ centred) / size
    for lag in range(1, horizon):
        variance += 2 * (1 - lag / horizon) * float(centred[lag:] @ centred[:-lag]) / size
    if variance <= 0:
        equal = difference.mean() == 0
        return DieboldMariano(0.0, 1.0, size) if equal else DieboldMariano(float("nan"), float("nan"), size)
    correction = (size + 1 - 2 * horizon + horizon * (horizon - 1) / size) / size
    statistic = float(difference.mean() / np.sqrt(variance / size) * np.sqrt(correction))
    return DieboldMariano(statistic, float(2 * stdtr(size - 1, -abs(statistic))), size)


def holm(p_values: FloatArray) -> FloatArray:
    """P-values that hold for several tests together: Holm 1979, Scandinavian Journal of Statistics 6(2).

    Args:
        p_values: One per test, shape ``(n,)``; NaN where a test could not be made, which counts for nothing.

    Returns:
        Adjusted p-values in the same order, NaN where there was none.
    """
    out = np.full(len(p_values), np.nan)
    made = np.flatnonzero(np.isfinite(p_values))
    order = made[np.argsort(p_values[made], kind="stable")]
    steps = np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(p_values[order] * steps), 1.0)
    return out

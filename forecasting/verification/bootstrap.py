"""Is a difference more than luck? The one bootstrap of this house, and tests of equal accuracy.

Origins near each other err together, so blocks of consecutive origins are drawn, running on from the last origin to the
first so that none is drawn less often: the circular block bootstrap of Politis and Romano 1992, in LePage and Billard
(eds), *Exploring the Limits of Bootstrap*.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import betaincinv, gammaincinv, ndtri, stdtr, stdtrit

from core import FloatArray

COVERAGE = 0.90
FEWEST_ORIGINS = 8
DRAWS = 1000
SHORTEST_BLOCK = 3
LONGEST_ALERT = 6
"""Months ahead of the farthest alert whose record is kept."""
_BOUNDS = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)


def block_length(origins: int, horizon: int) -> int:
    """Origins in a block: three times the horizon, but no less than twice and, beyond that, no more than a third."""
    return max(SHORTEST_BLOCK, 2 * horizon, min(3 * horizon, origins // 3))


@lru_cache(maxsize=64)
def block_weights(origins: int, length: int, *, draws: int = DRAWS) -> FloatArray:
    """How often each origin is drawn by blocks of a length, the same at every call, shape ``(draws, origins)``.

    Every row adds up to the number of origins.
    """
    blocks = -(-origins // length)
    starts = np.random.default_rng(0).integers(0, origins, (draws, blocks))
    drawn = ((starts[:, :, None] + np.arange(length)) % origins).reshape(draws, -1)[:, :origins]
    weights = np.zeros((draws, origins))
    np.add.at(weights, (np.arange(draws)[:, None], drawn), 1.0)
    weights.setflags(write=False)
    return weights


def draw_weights(origins: int, *, draws: int = 400) -> FloatArray:
    """How often each origin is drawn, in the sample itself and in resamples of it.

    Returns:
        Shape ``(1 + draws, origins)``. The first row is the sample: each origin once. Without further rows where there
        are fewer than four times the months that alerts look ahead: too few for an interval to mean anything. Blocks
        are twice as long as these.
    """
    sample = np.ones((1, origins))
    if origins < 4 * LONGEST_ALERT:
        return sample
    return np.vstack([sample, block_weights(origins, 2 * LONGEST_ALERT, draws=draws)])


@dataclass(frozen=True)
class RatioInterval:
    """A ratio of two forecasters' scores, and what it is worth.

    Attributes:
        ratio: Sum of own scores over sum of the reference's; NaN where the reference is zero.
        low: Lower bound of the interval; NaN where there is none.
        high: Upper bound.
        p_value: Two-sided, of a true ratio of 1; below .10 exactly where the 90 % interval leaves out 1.
    """

    ratio: float
    low: float
    high: float
    p_value: float


def ratio_interval(own: FloatArray, reference: FloatArray, *, horizon: int) -> RatioInterval:
    """Circular block bootstrap interval of :data:`COVERAGE` of a ratio of sums over origins, on log scale.

    With blocks of two or three times the horizon there are few of them, so percentiles of the resampled ratios are too
    near to each other (a nominal 90 % holds .68 twelve months ahead). Their standard error is therefore freed of the
    bias of Bartlett's weights, to which drawing blocks amounts, at a bandwidth that is the share ``b`` of the sample
    (Kiefer and Vogelsang 2005, Econometric Theory 21(6)), and multiplied by Student's t with the ``1.5 / b`` degrees of
    freedom of these weights (Lazarus, Lewis, Stock and Watson 2018, JBES 36(4)), less one for the ratio itself.

    Args:
        own: Sum of scores at each origin in order of time, shape ``(n,)``.
        reference: The same for the reference.
        horizon: Periods ahead.

    Returns:
        The ratio without bounds where there are fewer than eight origins or than four times the horizon, where the
        reference is zero, or where a forecaster is without any error.
    """
    size, nan = len(own), float("nan")
    if reference.sum() <= 0:
        return RatioInterval(nan, nan, nan, nan)
    ratio = float(own.sum() / reference.sum())
    if size < max(FEWEST_ORIGINS, 4 * horizon) or ratio <= 0:
        return RatioInterval(ratio, nan, nan, nan)
    length = block_length(size, horizon)
    weights = block_weights(size, length)
    above, below = weights @ own, weights @ reference
    usable = (above > 0) & (below > 0)
    if usable.sum() * 2 < len(weights):
        return RatioInterval(ratio, nan, nan, nan)
    share = length / size
    error = float(np.log(above[usable] / below[usable]).std()) / np.sqrt(1 - share + share**2 / 3)
    freedom = max(1.5 / share - 1, 1.0)
    reach = float(stdtrit(freedom, (1 + COVERAGE) / 2)) * error
    away = abs(float(np.log(ratio)))
    if error < 1e-12:  # the forecasters differ by the same factor at every origin
        return RatioInterval(ratio, ratio, ratio, float(away < 1e-12))
    p_value = float(2 * stdtr(freedom, -away / error))
    return RatioInterval(ratio, ratio * float(np.exp(-reach)), ratio * float(np.exp(reach)), p_value)


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


def with_interval(values: FloatArray) -> tuple[float, float, float]:
    """A measure and its 90 % interval from its values in the sample and in the resamples.

    Args:
        values: Shape ``(1 + draws,)``, the sample's first; NaN where the measure is not defined.

    Returns:
        Measure, lower and upper bound; bounds are NaN where fewer than half of the resamples define the measure.
    """
    measure, resampled = float(values[0]), values[1:]
    defined = resampled[np.isfinite(resampled)]
    if not np.isfinite(measure) or len(resampled) == 0 or len(defined) * 2 < len(resampled):
        return measure, float("nan"), float("nan")
    low, high = np.quantile(defined, _BOUNDS)
    return measure, float(low), float(high)


def share_interval(part: float, whole: float) -> tuple[float, float]:
    """Interval of a share by Jeffreys' prior: never of zero width, however few cases (Brown, Cai & DasGupta 2001)."""
    if whole <= 0:
        return float("nan"), float("nan")
    low, high = (float(betaincinv(part + 0.5, whole - part + 0.5, level)) for level in _BOUNDS)
    return (0.0 if part == 0 else low), (1.0 if part == whole else high)


def rate_interval(count: float, exposure: float) -> tuple[float, float]:
    """Interval of a rate of rare events by Jeffreys' prior for a Poisson count."""
    if exposure <= 0:
        return float("nan"), float("nan")
    low, high = (float(gammaincinv(count + 0.5, level)) / exposure for level in _BOUNDS)
    return (0.0 if count == 0 else low), high


def area_interval(area: float, events: int, others: int) -> tuple[float, float]:
    """Interval of an area under the ROC curve from its standard error (Hanley & McNeil 1982, Radiology 143).

    The error is taken at an area drawn in by half a pair, so that a perfect order of few cases is not certain.
    """
    pairs = events * others
    if pairs == 0:
        return float("nan"), float("nan")
    inside = (area * pairs + 0.5) / (pairs + 1)
    twice, both = inside / (2 - inside), 2 * inside**2 / (1 + inside)
    variance = (inside * (1 - inside) + (events - 1) * (twice - inside**2) + (others - 1) * (both - inside**2)) / pairs
    reach = float(ndtri((1 + COVERAGE) / 2) * np.sqrt(max(variance, 0.0)))
    return max(0.0, inside - reach), min(1.0, max(area, inside + reach))


def widened(found: tuple[float, float, float], least: tuple[float, float]) -> tuple[float, float, float]:
    """A bootstrap interval made no narrower than one that knows how few the cases are.

    Where every case went the same way, every resample does too: the bootstrap alone would claim certainty.
    """
    value, low, high = found
    if not np.isfinite(low) or not np.isfinite(least[0]):
        return found
    return value, min(low, least[0]), max(high, least[1])


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Element-wise quotient; NaN where the denominator is zero."""
    quotient: FloatArray = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
    return quotient

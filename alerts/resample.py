"""Moving-block bootstrap over origins: neighbouring months err together, so they are drawn together.

Blocks of consecutive months are drawn with replacement (Künsch 1989, Annals of Statistics 17(3)), and run on from the
last month to the first (Politis & Romano 1992, Exploring the Limits of Bootstrap): no month is drawn less often.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import beta, gamma, norm

from core.quantiles import FloatArray

BLOCK_MONTHS = 12
DRAWS = 400
COVERAGE = 0.90
FEWEST_ORIGINS = 24
_BOUNDS = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)


def draw_weights(origins: int, *, draws: int = DRAWS, seed: int = 0) -> FloatArray:
    """How often each origin is drawn.

    Args:
        origins: Number of origins, in order of time.
        draws: Number of resamples.
        seed: Same seed, same weights.

    Returns:
        Shape ``(1 + draws, origins)``. The first row is the sample itself: each origin once. Without further rows where
        there are too few origins for an interval to mean anything.
    """
    sample = np.ones((1, origins))
    if origins < FEWEST_ORIGINS:
        return sample
    blocks = -(-origins // BLOCK_MONTHS)
    starts = np.random.default_rng(seed).integers(0, origins, (draws, blocks))
    places = ((starts[:, :, None] + np.arange(BLOCK_MONTHS)) % origins).reshape(draws, -1)[:, :origins]
    weights = np.zeros((draws, origins))
    np.add.at(weights, (np.arange(draws)[:, None], places), 1.0)
    return np.vstack([sample, weights])


def with_interval(values: FloatArray) -> tuple[float, float, float]:
    """A measure and its interval from its values in the sample and in the resamples.

    Args:
        values: Shape ``(1 + draws,)``; NaN where the measure is not defined.

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
    low, high = (float(beta.ppf(level, part + 0.5, whole - part + 0.5)) for level in _BOUNDS)
    return (0.0 if part == 0 else low), (1.0 if part == whole else high)


def rate_interval(count: float, exposure: float) -> tuple[float, float]:
    """Interval of a rate of rare events by Jeffreys' prior for a Poisson count."""
    if exposure <= 0:
        return float("nan"), float("nan")
    low, high = (float(gamma.ppf(level, count + 0.5)) / exposure for level in _BOUNDS)
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
    reach = float(norm.ppf((1 + COVERAGE) / 2) * np.sqrt(max(variance, 0.0)))
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

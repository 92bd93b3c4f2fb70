"""Moving-block bootstrap over origins: neighbouring months err together, so they are drawn together.

Blocks of consecutive months are drawn with replacement (Künsch 1989, Annals of Statistics 17(3)), and run on from the
last month to the first (Politis & Romano 1992, Exploring the Limits of Bootstrap): no month is drawn less often.
"""

from __future__ import annotations

import numpy as np

from core.quantiles import FloatArray

BLOCK_MONTHS = 12
DRAWS = 400
COVERAGE = 0.90
FEWEST_ORIGINS = 24


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
    low, high = np.quantile(defined, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return measure, float(low), float(high)


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Element-wise quotient; NaN where the denominator is zero."""
    quotient: FloatArray = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
    return quotient

"""What every room shares: time, frame contracts, settings, errors and logging. Imports no other room.

Here: the 23 quantile levels of the forecasting hubs and what is read from them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

QUANTILE_LEVELS: tuple[float, ...] = (
    0.01, 0.025, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50,
    0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 0.975, 0.99,
)  # fmt: skip
INTERVALS: tuple[float, ...] = (0.50, 0.80, 0.95)


def interval_levels(coverage: float) -> tuple[float, float]:
    """Lower and upper quantile level of the central interval with that coverage."""
    return round((1 - coverage) / 2, 6), round((1 + coverage) / 2, 6)


def whole(paths: FloatArray) -> FloatArray:
    """Counts of whole persons, as they will be published: a fraction of a person on a path passes no number."""
    return np.round(paths)


def probability_above(threshold: float, values: FloatArray, levels: tuple[float, ...] = QUANTILE_LEVELS) -> float:
    """Chance of an outcome above ``threshold``, read from quantiles by interpolation on log1p scale.

    Args:
        threshold: Number to be exceeded, in the unit of the values; at least 0.
        values: Quantiles at ``levels``, ascending, shape ``(len(levels),)``.
        levels: Quantile levels.

    Returns:
        A probability. Beyond the outer quantiles it is half the outer level: more is not known from them.
    """
    below = np.interp(np.log1p(threshold), np.log1p(values), levels, left=levels[0] / 2, right=1 - (1 - levels[-1]) / 2)
    return float(1 - below)

"""Small counts by distribution regression: the chance of at most 0, 1, 2, 3 … persons, each learned by itself.

Where a handful of people come in a month, the logarithm of growth jumps: from one person to two is as far as from ten
thousand to sixteen thousand. Quantile regression of growth then lands between the jumps. Here boosted trees learn the
chance that the outcome is at most k, for a few fixed k, from the levels of the series; together these chances are its
distribution (Foresi and Peracchi 1995, "The Conditional Distribution of Excess Returns", Journal of the American
Statistical Association 90(430)).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np
from scipy.special import ndtri

from core import FloatArray
from forecasting.features import growth_scale, levels, mean_of_season, rounded, value_now

THRESHOLDS: FloatArray = np.asarray((0, 1, 3, 9, 30), dtype=float)
"""Counts whose chance of not being passed is learned; the distribution goes straight on in between."""
MOSTLY, NOT_AT_ALL = float(np.log1p(1.0)), float(np.log1p(20.0))
"""Below the first mean of a season, on log1p scale, the chances have their full share in a forecast; from there to the
second less and less, and beyond it none."""
LARGEST_SHARE = 0.7
"""With the whole of it a lower quantile is often exactly zero, and intervals hold more than they promise."""
FEWEST_EXAMPLES = 2_000
MOST_BROKEN = 0.05
"""Share of outcomes that may be no whole numbers; where there are more, the series are no counts."""
SMALLEST_CHANCE = 1e-4
SLOW_AND_SMALL = {
    "num_leaves": 15,
    "min_data_in_leaf": 60,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.6,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 1,
    "verbose": -1,
}
"""How trees are grown by every model that boosts them: small ones, slowly, and the same on every machine."""
TREES = 60
PARAMETERS = SLOW_AND_SMALL | {"objective": "binary", "learning_rate": 0.06}


def fit(lightgbm: ModuleType, described: FloatArray, growth: FloatArray) -> list[str]:
    """Learn the chances of small counts.

    Args:
        lightgbm: The library.
        described: Features of past origins, shape ``(rows, features)``.
        growth: What followed: log growth by :func:`forecasting.features.growth_scale`, shape ``(rows,)``.

    Returns:
        Trees of every threshold as text; nothing where there are fewer than 2,000 past origins of small counts, or
        outcomes are no whole numbers.
    """
    few = _share(described) > 0
    described, growth = described[few], growth[few]
    outcomes = np.expm1(value_now(described) + growth * growth_scale(described))
    whole = np.round(outcomes)
    if len(whole) < FEWEST_EXAMPLES or (np.abs(outcomes - whole) > 1e-6 * (1 + whole)).mean() > MOST_BROKEN:
        return []
    rows = lightgbm.Dataset(
        rounded(levels(described)), whole, params={"max_bin": 63, "verbose": -1}, free_raw_data=False
    )
    rows.construct()
    texts = []
    for threshold in THRESHOLDS:
        rows.set_label((whole <= threshold).astype(float))
        texts.append(lightgbm.train(PARAMETERS, rows, num_boost_round=TREES).model_to_string())
    return texts


def blended(
    lightgbm: ModuleType, texts: Sequence[str], ahead: FloatArray, growth: FloatArray, at: FloatArray
) -> FloatArray:
    """Put forecasts of small counts in the place of those by growth, the more the smaller the counts.

    Args:
        lightgbm: The library.
        texts: What :func:`fit` made.
        ahead: Features of the origins to be forecast, shape ``(n, features)``.
        growth: Their quantiles of growth, shape ``(n, levels)``.
        at: The quantile levels, ascending.

    Returns:
        Quantiles of growth, ascending, same shape.
    """
    share = _share(ahead)
    few = share > 0
    if not texts or not few.any():
        return growth
    seen = rounded(levels(ahead[few]))
    chances = np.stack([np.asarray(lightgbm.Booster(model_str=one).predict(seen, num_threads=1)) for one in texts], 1)
    now, scale = value_now(ahead[few])[:, None], growth_scale(ahead[few])[:, None]
    counted = (log_quantiles(chances, at, now + growth[few] * scale) - now) / scale
    mixed = growth.copy()
    mixed[few] += share[few, None] * (counted - growth[few])
    return mixed


def log_quantiles(chances: FloatArray, at: FloatArray, beyond: FloatArray) -> FloatArray:
    """Quantiles on log1p scale from the chances of not passing the thresholds.

    A count of k stands for everything from k − ½ to k + ½. Between two thresholds the log1p value is straight in the
    normal score of the chance.

    Args:
        chances: One column per threshold, shape ``(n, thresholds)``; made ascending where they are not.
        at: The quantile levels, ascending.
        beyond: log1p quantiles for levels above the last chance, shape ``(n, levels)``.
    """
    places = np.log1p(THRESHOLDS + 0.5)
    rising = np.clip(np.maximum.accumulate(chances, axis=1), SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
    scores, wanted = ndtri(rising), ndtri(at)
    above = (scores[:, None, :] < wanted[None, :, None]).sum(axis=2)
    right = np.clip(above, 1, len(places) - 1)
    left_score = np.take_along_axis(scores, right - 1, axis=1)
    right_score = np.take_along_axis(scores, right, axis=1)
    gap = right_score - left_score
    # Where a level lies between two chances, they differ; where they do not, what is found here is not taken.
    way = (wanted - left_score) / np.where(gap > 0, gap, 1.0)
    inside = places[right - 1] + way * (places[right] - places[right - 1])
    found = np.where(above == 0, 0.0, np.where(above == len(places), np.maximum(beyond, places[-1]), inside))
    return np.maximum.accumulate(found, axis=1)


def _share(described: FloatArray) -> FloatArray:
    """How much of a forecast is made in this way, from 0 to 1, shape ``(n,)``."""
    way = rounded((NOT_AT_ALL - mean_of_season(described)) / (NOT_AT_ALL - MOSTLY))
    return np.asarray(LARGEST_SHARE * np.clip(np.nan_to_num(way), 0.0, 1.0))

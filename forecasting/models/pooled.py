"""``vigie-pooled``: gradient-boosted quantile regression over all series of a panel at once, and chances of counts.

Where a handful of people come in a month, the logarithm of growth jumps: from one person to two is as far as from ten
thousand to sixteen thousand. Quantile regression of growth then lands between the jumps. Here boosted trees also learn
the chance that the outcome is at most k, for a few fixed k, from the levels of the series; together these chances are
its distribution (Foresi and Peracchi 1995, "The Conditional Distribution of Excess Returns", Journal of the American
Statistical Association 90(430)).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from importlib.metadata import version
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from core import FloatArray
from core.errors import InputError
from forecasting import PooledModel
from forecasting.features import HORIZON, growth_scale, levels, mean_of_season, rounded, value_now

FITTED_LEVELS: FloatArray = np.asarray((0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99))
"""One set of trees each; the 23 levels are read between them."""
ROWS = 2_500
"""Past origins drawn for each horizon. With twice as many, and twice the trees learning half as fast, a fit takes four
times as long for scores that differ by less than another seed makes."""
LONGEST_COUNTED = 0.5
"""Seasons ahead up to which chances of small counts are learned and used."""
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
"""How trees are grown: small ones, slowly, and the same on every machine."""
TREES = 75
PARAMETERS = SLOW_AND_SMALL | {
    "objective": "quantile",
    "learning_rate": 0.1,
    "bagging_fraction": 0.4,
}

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
COUNT_TREES = 60
COUNT_PARAMETERS = SLOW_AND_SMALL | {"objective": "binary", "learning_rate": 0.06}


def fit(described: FloatArray, growth: FloatArray, weights: FloatArray, season: int) -> bytes:
    """Learn how described series grew, at all horizons together.

    Args:
        described: Features of past origins and horizons, shape ``(rows, features)``.
        growth: What followed, in units of :func:`forecasting.features.growth_scale`, shape ``(rows,)``.
        weights: Sampling weight of each row, shape ``(rows,)``.
        season: Periods in a season.

    Returns:
        The trees as compressed text, for :func:`predict`.

    Raises:
        InputError: A system library that LightGBM needs is not installed.
    """
    lightgbm = library()
    of_horizon = [np.flatnonzero(described[:, HORIZON] == step) for step in np.unique(described[:, HORIZON])]
    rows = np.concatenate([own[drawn(weights[own], min(ROWS, len(own)))] for own in of_horizon])
    examples = lightgbm.Dataset(rounded(described[rows]), rounded(growth[rows]), params={"max_bin": 63, "verbose": -1})
    fits = [lightgbm.train(PARAMETERS | {"alpha": level}, examples, TREES) for level in FITTED_LEVELS]
    near = described[:, HORIZON] <= _longest_counted(season)
    whole = {
        "season": season,
        "longest": float(described[:, HORIZON].max()),
        "growth": [one.model_to_string() for one in fits],
        "counts": fit_counts(lightgbm, described[near], growth[near]),
    }
    return zlib.compress(json.dumps(whole).encode(), level=1)


def predict(fitted: bytes, ahead: FloatArray) -> FloatArray:
    """Predict how described series will grow.

    Args:
        fitted: What :func:`fit` made.
        ahead: Features of the origins and horizons to be forecast, shape ``(n, features)``.

    Returns:
        Quantiles of growth at ``FITTED_LEVELS``, ascending, shape ``(n, 7)``; NaN at horizons beyond all that the fit
        has seen.

    Raises:
        InputError: A system library that LightGBM needs is not installed.
    """
    lightgbm = library()
    whole = json.loads(zlib.decompress(fitted))
    fits = [lightgbm.Booster(model_str=text) for text in whole["growth"]]
    growth = np.sort([one.predict(rounded(ahead), num_threads=1) for one in fits], axis=0).T
    near = ahead[:, HORIZON] <= _longest_counted(whole["season"])
    growth[near] = blended(lightgbm, whole["counts"], ahead[near], growth[near], FITTED_LEVELS)
    growth[ahead[:, HORIZON] > whole["longest"]] = np.nan
    return growth


def fit_counts(lightgbm: ModuleType, described: FloatArray, growth: FloatArray) -> list[str]:
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
        texts.append(lightgbm.train(COUNT_PARAMETERS, rows, num_boost_round=COUNT_TREES).model_to_string())
    return texts


def blended(
    lightgbm: ModuleType, texts: Sequence[str], ahead: FloatArray, growth: FloatArray, at: FloatArray
) -> FloatArray:
    """Put forecasts of small counts in the place of those by growth, the more the smaller the counts.

    Args:
        lightgbm: The library.
        texts: What :func:`fit_counts` made.
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


def _longest_counted(season: int) -> float:
    return float(np.log(max(1.0, LONGEST_COUNTED * season)))


def drawn(weights: FloatArray, count: int) -> NDArray[np.intp]:
    """Sample rows in proportion to their weights, systematically along their order.

    Systematic resampling: Kitagawa 1996, Journal of Computational and Graphical Statistics 5(1).

    Args:
        weights: Weight of each row, shape ``(rows,)``.
        count: Number of rows to draw.

    Returns:
        Places, ascending, heavy ones perhaps several times, shape ``(count,)``.
    """
    passed = rounded(np.cumsum(weights) * (count / weights.sum()))
    return np.searchsorted(passed, np.arange(count) + 0.5)


def libraries() -> str:
    """Versions of the libraries on which a fit depends."""
    return " ".join(f"{name} {version(name)}" for name in ("lightgbm", "numpy"))


def library() -> ModuleType:
    """LightGBM.

    Raises:
        InputError: A system library that it needs is not installed.
    """
    try:
        import lightgbm  # noqa: PLC0415  # takes half a second to load and only the pooled model needs it
    except OSError as error:
        raise InputError(f"LightGBM cannot be loaded: {error}; on Debian install the package libgomp1") from None
    module: ModuleType = lightgbm
    return module


POOLED_MODEL = PooledModel(
    model_id="vigie-pooled",
    version="7",
    levels=FITTED_LEVELS,
    libraries=libraries,
    fit=fit,
    predict=predict,
)

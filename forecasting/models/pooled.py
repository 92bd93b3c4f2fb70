"""``vigie-pooled``: gradient-boosted quantile regression over all series of a panel at once, and chances of counts."""

from __future__ import annotations

import json
import zlib
from importlib.metadata import version
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from core import FloatArray
from core.errors import InputError
from forecasting import PooledModel
from forecasting.features import HORIZON, rounded
from forecasting.models import small_counts
from forecasting.models.small_counts import SLOW_AND_SMALL

FITTED_LEVELS: FloatArray = np.asarray((0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99))
"""One set of trees each; the 23 levels are read between them."""
ROWS = 2_500
"""Past origins drawn for each horizon. With twice as many, and twice the trees learning half as fast, a fit takes four
times as long for scores that differ by less than another seed makes."""
LONGEST_COUNTED = 0.5
"""Seasons ahead up to which chances of small counts are learned and used."""
TREES = 75
PARAMETERS = SLOW_AND_SMALL | {
    "objective": "quantile",
    "learning_rate": 0.1,
    "bagging_fraction": 0.4,
}


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
        "counts": small_counts.fit(lightgbm, described[near], growth[near]),
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
    growth[near] = small_counts.blended(lightgbm, whole["counts"], ahead[near], growth[near], FITTED_LEVELS)
    growth[ahead[:, HORIZON] > whole["longest"]] = np.nan
    return growth


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

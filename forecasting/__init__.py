"""Probabilistic forecasts per series: models, backtest, combination, trajectories, scores. Pure: frame to frame.

Here: what a forecasting model is, a function from one series' history to quantiles, and what a card says of it.

Every model works on log1p scale, where counts of very different sizes behave alike, some by day and week on square
roots, and gives the 23 hub quantiles at horizons 1..H. It may raise :class:`FitError`; guarding, fallback and the way
back to counts are the engine's work (:mod:`forecasting.models`), so that every model is treated alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from core import QUANTILE_LEVELS, FloatArray

BoolArray = NDArray[np.bool_]

BASELINE = "vigie-baseline"
ENSEMBLE = "vigie-ensemble"
BOTTOM_UP = "vigie-bottom-up"
STRUCTURAL = "vigie-structural"
LEVELS: FloatArray = np.asarray(QUANTILE_LEVELS)
NORMAL_SCORES: FloatArray = ndtri(LEVELS)
DEGREES_OF_FREEDOM = 5.0
"""Student t with the model's own variance: log changes of arrivals have a sharper peak and longer tails than a normal
distribution. Five was best in WIS and coverage on seven routes' outcomes before 2018 (of 3, 4, 5, 8 and normal)."""
HEAVY_SCORES: FloatArray = stdtrit(DEGREES_OF_FREEDOM, LEVELS) * np.sqrt((DEGREES_OF_FREEDOM - 2) / DEGREES_OF_FREEDOM)


class FitError(Exception):
    """A model cannot say anything about this history; the text is the reason shown with the fallback."""


@dataclass(frozen=True)
class History:
    """What a model may know of one series at one origin.

    Attributes:
        scaled: The series from its first to its last observed period, as log1p or, for a model that works on them, as
            square roots; gaps interpolated on log1p.
        observed: The observed values alone, in order, on the same scale.
        season_length: Periods in a season.
        last_period: The origin's period.
        seed: Seed for models that draw; the same for the same model, series and origin everywhere.
    """

    scaled: FloatArray
    observed: FloatArray
    season_length: int
    last_period: pd.Period
    seed: int


Predict = Callable[[History, int], FloatArray]
"""From a history and the longest horizon H to quantiles on the history's scale, shape ``(H, 23)``."""


@dataclass(frozen=True)
class ModelCard:
    """What a reader must know about a model, from ``data/models/``; printed into a release's ``model_cards/``.

    Attributes:
        title: Name in plain words.
        summary: One paragraph: what it does, what it assumes.
        source: Literature reference.
        weaknesses: When not to trust it.
        recipe: Version and date, on which outcomes it was chosen and among how many variants; empty where nothing was.
    """

    title: str
    summary: str
    source: str
    weaknesses: str
    recipe: str = ""


@dataclass(frozen=True)
class Model:
    """One entry of the registry.

    Attributes:
        model_id: Name in every frame.
        version: Raised whenever its numbers change, so that stored past forecasts are computed anew.
        predict: The model itself.
        slow: True where one fit takes more than about a tenth of a second.
        on_roots: By day and week it is given square roots of counts (:mod:`forecasting.models`).
        longest_season: Longest season, in periods, that it models; a longer one is removed beforehand.
    """

    model_id: str
    version: str
    predict: Predict
    slow: bool = False
    on_roots: bool = False
    longest_season: float = math.inf


Learn = Callable[[FloatArray, FloatArray, FloatArray, int], bytes]
"""From features, growth and weights of past origins, and the periods in a season, to a fit that can be kept."""
PredictGrowth = Callable[[bytes, FloatArray], FloatArray]
"""From a fit and features of other origins to quantiles of growth at the model's levels, ``(n, levels)``."""


@dataclass(frozen=True)
class PooledModel:
    """A model that learns from all series of a panel at once; run by :mod:`forecasting.pooled`.

    Attributes:
        model_id: Name in every frame.
        version: Raised whenever its numbers change: a kept fit serves as long as it stays.
        levels: Quantile levels that it foresees; the 23 are read between them by :func:`between_levels`.
        libraries: Returns the versions of the libraries that fit it.
        fit: Learns from past origins.
        predict: Foresees with what was learned.
    """

    model_id: str
    version: str
    levels: FloatArray
    libraries: Callable[[], str]
    fit: Learn
    predict: PredictGrowth


def between_levels(levels: FloatArray) -> FloatArray:
    """Weights of some levels in each of the 23, on straight lines in the normal score; shape ``(levels, 23)``."""
    scores = ndtri(levels)
    return np.stack([np.interp(NORMAL_SCORES, scores, row) for row in np.eye(len(scores))])


def heavy_tailed_quantiles(mean: FloatArray, spread: FloatArray) -> FloatArray:
    """Quantiles of Student t, shape ``(H, 23)``, from means and standard deviations of shape ``(H,)``.

    Raises:
        FitError: A mean or spread is not finite.
    """
    if not (np.isfinite(mean).all() and np.isfinite(spread).all()):
        raise FitError("the fit is not finite")
    return np.asarray(mean[:, None] + np.maximum(spread, 0.0)[:, None] * HEAVY_SCORES)


def symmetric_errors(centre: float, errors: FloatArray) -> FloatArray:
    """Quantiles of ``centre`` plus or minus past errors, each error counted with both signs; shape ``(23,)``."""
    # Called over a million times by one evaluation: np.quantile takes eight times as long for the same numbers.
    values = np.sort(np.concatenate([errors, -errors]))
    return np.asarray(centre + np.interp((len(values) - 1) * LEVELS, np.arange(len(values)), values))

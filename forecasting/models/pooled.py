"""``vigie-pooled``: gradient-boosted quantile regression over all series of a panel at once, and chances of counts."""

from __future__ import annotations

import json
import sys
import zlib
from importlib.metadata import version
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from core import FloatArray
from core.errors import InputError
from core.languages import marked as _
from forecasting import ModelCard, PooledModel, constants_of
from forecasting.features import LONG_VIEW, rounded
from forecasting.models import small_counts
from forecasting.models.small_counts import SLOW_AND_SMALL

FITTED_LEVELS: FloatArray = np.asarray((0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99))
"""One fit each; the 23 levels are read between them. As good as 23 fits, in a third of the time."""
VIEWS = (slice(None), slice(None, -LONG_VIEW))
"""Features of each of the two fits whose mean is the forecast: with and without the long view."""
GROWTH, COUNTS = "growth", "counts"
"""Parts of a kept fit."""
LONGEST_COUNTED = 0.5
"""Seasons ahead for which chances of small counts are learned: on outcomes before 2018 they helped up to three months
ahead, made no difference at six, and were slightly worse at twelve."""
TREES = 120
PARAMETERS = SLOW_AND_SMALL | {"objective": "quantile", "learning_rate": 0.05}
LONGEST_DRAWN = 0.5
"""Seasons ahead up to which rows are drawn in proportion to their weight: LightGBM sorts all rows for the weighted
quantiles of leaves, so that unweighted ones take half the time. A year ahead drawing cost accuracy, up to six months it
did not."""
OF_DRAWN = {"min_data_in_leaf": 120, "bagging_fraction": 0.4}
"""Where rows are drawn: heavy ones stand there several times, which leaves have to outnumber."""


def fit(described: FloatArray, growth: FloatArray, weights: FloatArray, seasons: float) -> bytes:
    """Learn how described series grew.

    Args:
        described: Features of past origins, shape ``(rows, features)``.
        growth: What followed: log growth over the horizon by volatility, shape ``(rows,)``.
        weights: Weight of each row.
        seasons: The horizon in seasons.

    Returns:
        The trees as compressed text, for :func:`predict`.

    Raises:
        InputError: A system library that LightGBM needs is not installed.
    """
    lightgbm = library()
    weights, is_drawn = rounded(weights), seasons <= LONGEST_DRAWN
    grown = PARAMETERS | (OF_DRAWN if is_drawn else {})
    texts = []
    for place, columns in enumerate(VIEWS):
        rows, weight = (drawn(weights, (place + 0.5) / len(VIEWS)), None) if is_drawn else (slice(None), weights)
        seen, label = rounded(described[rows, columns]), rounded(growth[rows])
        examples = lightgbm.Dataset(seen, label, weight=weight, params={"max_bin": 63, "verbose": -1})
        fits = [lightgbm.train(grown | {"alpha": level}, examples, num_boost_round=TREES) for level in FITTED_LEVELS]
        texts.append([one.model_to_string() for one in fits])
    whole = {GROWTH: texts, COUNTS: small_counts.fit(lightgbm, described, growth) if seasons <= LONGEST_COUNTED else []}
    return zlib.compress(json.dumps(whole).encode(), level=1)


def predict(fitted: bytes, ahead: FloatArray) -> FloatArray:
    """Predict how described series will grow.

    Args:
        fitted: What :func:`fit` made.
        ahead: Features of the origins to be forecast, shape ``(n, features)``.

    Returns:
        Quantiles of growth at ``FITTED_LEVELS``, ascending, shape ``(n, 7)``.

    Raises:
        InputError: A system library that LightGBM needs is not installed.
    """
    lightgbm = library()
    whole = json.loads(zlib.decompress(fitted))
    found = []
    for columns, texts in zip(VIEWS, whole[GROWTH], strict=True):
        fits = [lightgbm.Booster(model_str=text) for text in texts]
        seen = [np.asarray(one.predict(rounded(ahead[:, columns]), num_threads=1)) for one in fits]
        found.append(np.sort(np.stack(seen, axis=1), axis=1))
    growth: FloatArray = np.mean(found, axis=0)
    return small_counts.blended(lightgbm, whole[COUNTS], ahead, growth, FITTED_LEVELS)


def drawn(weights: FloatArray, start: float) -> NDArray[np.intp]:
    """Places of as many rows as there are, each drawn as often as it weighs, evenly along their order.

    Systematic resampling: Kitagawa 1996, Journal of Computational and Graphical Statistics 5(1).

    Args:
        weights: Weight of each row, shape ``(rows,)``.
        start: Where in the first step drawing begins, from 0 to below 1.

    Returns:
        Places, ascending, some several times, shape ``(rows,)``.
    """
    passed = rounded(np.cumsum(weights) * (len(weights) / weights.sum()))
    return np.searchsorted(passed, np.arange(len(weights)) + start)


def parameters() -> str:
    """Constants of this model and of the chances of small counts, and the libraries' versions."""
    versions = " ".join(f"{name} {version(name)}" for name in ("lightgbm", "numpy"))
    return f"{versions}\n{constants_of(sys.modules[__name__], small_counts)}"


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
    version="6",
    levels=FITTED_LEVELS,
    parameters=parameters,
    fit=fit,
    predict=predict,
    card=ModelCard(
        title=_("Pooled model"),
        summary=_(
            "One model for all series of a panel: gradient-boosted quantile regression of log growth, measured in each "
            "series' own volatility, on what was known at the origin (recent changes, distance from usual levels, "
            "volatility, range, what the season brought before). It is fitted anew once per calendar year, apart "
            "for 1, 2, 3, 4, 6, 9 and 12 periods ahead (in between both neighbours answer together), on outcomes that "
            "ended before that year: on the largest series known then and as many spread evenly over the rest. Larger "
            "counts teach more: up to half a season ahead past origins are drawn as often as they weigh, beyond it "
            "they are weighted. It is the mean of two such fits, one of which also sees how far the series strayed "
            "over seven years. Where a series counts but a few persons, boosted trees also learn the chance of at "
            "most 0, 1, 2, 3 and so on: up to a mean of one over the last season this makes seven tenths of the "
            "forecast, then less and less, and from twenty on nothing; beyond half a season ahead it is not used."
        ),
        recipe=_(
            "Version 6, November 2026: version 5 on inputs rounded to five decimals, so that its forecasts are the "
            "same on every machine. Chosen on outcomes before 2018, changed after scores on later ones were known; "
            "what serves small counts was chosen on outcomes since 2018, and so were, among some twenty ways, the past "
            "origins that are drawn."
        ),
        source=(
            "Friedman 2001, Annals of Statistics 29(5); fitted by LightGBM (Ke et al. 2017, NeurIPS 30). Small counts: "
            "Foresi and Peracchi 1995, Journal of the American Statistical Association 90(430)."
        ),
        weaknesses=_(
            "Its intervals are somewhat too narrow on their own, above all in years unlike those it learned from; it "
            "needs many series. In the ensemble its companions make up for that."
        ),
    ),
)

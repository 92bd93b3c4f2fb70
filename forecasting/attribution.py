"""Why a forecast moved: steps from the former forecast to this one that add up to the whole change.

The ladder leads over forecasts that differ in one thing each: revised values of known periods, source by source; each
source's new periods; the fits; the model itself. Data steps keep the former fits, as the "news" of a linear model do
(Bańbura and Modugno 2014, J. of Applied Econometrics 29(1)), and equal them there. Of several sources each gets the
mean of its effect over all orders in which they may come (Shapley 1953, Contributions to the Theory of Games II).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations
from math import comb

import numpy as np

from core import FloatArray

REVISIONS, COUNTS, REFIT, MODEL = "revisions", "counts", "refit", "model"
"""Steps; the first two with a source: ``counts:iom_dtm``."""
Sources = frozenset[str]
Forecast = Callable[[Sources, Sources], FloatArray]
"""Numbers of a forecast with the former fits on former values, but for sources whose revised values, and sources whose
new periods, are known."""


def shapley(value: Callable[[Sources], FloatArray], players: Sequence[str]) -> dict[str, FloatArray]:
    """Each player's mean effect over all orders of players; the effects add up to that of all together."""
    count = len(players)
    return {
        player: sum(
            (
                (value(frozenset({*some, player})) - value(frozenset(some))) / (count * comb(count - 1, size))
                for size in range(count)
                for some in combinations([one for one in players if one != player], size)
            ),
            np.zeros(()),
        )
        for player in players
    }


def ladder(  # two ends, what is between them, and what is the same
    former: FloatArray,
    now: FloatArray,
    forecast: Forecast,
    *,
    revised: Sequence[str],
    new: Sequence[str],
    is_same_model: bool,
) -> dict[str, FloatArray]:
    """Effects of all steps, which add up to ``now - former``.

    Args:
        former: Numbers of the former forecast.
        now: The same numbers of this one.
        forecast: Gives them for the data steps.
        revised: Sources with revised values.
        new: Sources with new periods.
        is_same_model: The model that made both is the same; then the last step is nothing.

    Returns:
        Shape of ``now`` by step. What the data steps leave is the refit's: parameters, calibration and sample paths. A
        data step is nothing where a forecast of it is NaN.
    """
    forecast, nothing, everything = cache(forecast), frozenset[str](), frozenset(revised)
    steps = {f"{REVISIONS}:{name}": one for name, one in shapley(lambda some: forecast(some, nothing), revised).items()}
    steps |= {f"{COUNTS}:{name}": one for name, one in shapley(lambda some: forecast(everything, some), new).items()}
    model = np.zeros_like(now) if is_same_model else np.nan_to_num(forecast(nothing, nothing) - former)
    steps = {name: np.nan_to_num(one) for name, one in steps.items()}
    return steps | {REFIT: now - former - model - sum(steps.values(), np.zeros_like(now)), MODEL: model}

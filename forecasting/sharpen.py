"""Forecasts and joint paths once more is known about the next period, such as a nowcast from daily counts.

In the Gaussian copula of :mod:`forecasting.trajectories` a path's normal score at a later horizon is ``ρ`` times its
score at the first plus noise that knows nothing of the first. A new distribution of the first period therefore moves
each path's first score, and ``ρ`` times that move goes into every later one: the exact conditional law of the later
horizons, with marginals, ranks between routes, and the path's own noise kept (Gaussian conditioning, as in a Kalman
update with an uncertain observation).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from core.quantiles import FloatArray
from forecasting.model import LEVELS
from forecasting.quantiles import QuantileTable, probability_at, to_matrix, to_rows, value_at

_GRID = (np.arange(200) + 0.5) / 200
_FARTHEST = 4.0
"""Normal scores beyond which a nowcast says no more than that the old forecast was wrong."""


def sharpen(
    forecasts: pd.DataFrame, paths: pd.DataFrame, nowcasts: Mapping[str, FloatArray]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put nowcasts in the place of the first horizon and let later horizons follow.

    Args:
        forecasts: Quantile rows of one model, one origin per series.
        paths: Joint sample paths whose marginals are these forecasts (``core.release.TRAJECTORIES``).
        nowcasts: Quantiles at the 23 levels of the first horizon, by series. Parts of a total are not changed: see
            :mod:`forecasting.reconcile`.

    Returns:
        Forecasts and paths, in the order in which they came. Series without a nowcast are as they were.
    """
    table = to_matrix(forecasts)
    quantiles = table.quantiles.copy()
    values = paths["value"].to_numpy(dtype=float).copy()
    for series_id, nowcast in nowcasts.items():
        own = np.flatnonzero(table.keys["series_id"] == series_id)
        order = own[np.argsort(table.keys["horizon"].to_numpy()[own])]
        if not len(order) or table.keys["horizon"].iloc[order[0]] != 1:
            continue
        rows = paths["series_id"].to_numpy() == series_id
        places = paths[rows].reset_index().pivot_table(index="output_type_id", columns="horizon", values="index")
        draws = values[places.to_numpy(dtype=int)]
        new_quantiles, new_draws = _conditioned(table.quantiles[order], draws, nowcast)
        quantiles[order] = new_quantiles
        values[places.to_numpy(dtype=int)] = new_draws
    return to_rows(QuantileTable(table.keys, quantiles)), paths.assign(value=values)


def _conditioned(quantiles: FloatArray, draws: FloatArray, nowcast: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One series: quantiles ``(H, 23)`` and draws ``(n, H)`` given a nowcast of the first horizon."""
    ranks = (rankdata(draws, axis=0, method="ordinal") - 0.5) / len(draws)
    scores = ndtri(ranks)
    first = value_at(ranks[:, 0], nowcast)
    moved = _scores_in(first, quantiles[0])
    grid = _scores_in(value_at(_GRID, nowcast), quantiles[0])
    new_quantiles, new_draws = [np.asarray(nowcast, dtype=float)], [first]
    for later in range(1, len(quantiles)):
        share = float(np.corrcoef(scores[:, 0], scores[:, later])[0, 1])
        noise = np.sqrt(max(1 - share**2, 0.0)) * ndtri(_GRID)
        mixture = value_at(ndtr(np.add.outer(share * grid, noise)), quantiles[later])
        new_quantiles.append(np.quantile(mixture, LEVELS))
        score = scores[:, later] + share * (moved - scores[:, 0])
        new_ranks = (rankdata(score, method="ordinal") - 0.5) / len(score)
        new_draws.append(value_at(new_ranks, new_quantiles[-1]))
    return np.stack(new_quantiles), np.stack(new_draws, axis=1)


def _scores_in(values: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Normal scores of values in a forecast's distribution; the middle where a value has probability of its own."""
    chances = np.asarray([sum(probability_at(float(value), quantiles)) / 2 for value in values])
    scores: FloatArray = np.clip(ndtri(chances), -_FARTHEST, _FARTHEST)
    return scores

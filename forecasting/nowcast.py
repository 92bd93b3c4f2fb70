"""Nowcast of the running month, and the forecast that follows it.

The month is nowcast from daily counts (:mod:`forecasting.days`); where that was better in the past, it takes the place
of the forecast's first month, and later months and paths follow by what they share with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from core import FloatArray
from forecasting import LEVELS
from forecasting.quantiles import QuantileTable, probability_at, to_matrix, to_rows, value_at


@dataclass(frozen=True)
class Nowcast:
    """What a running month is expected to bring.

    Attributes:
        month: The month.
        day: Days of it that are known.
        so_far: Persons counted on these days.
        quantiles: The month's total at the 23 levels, in persons, shape ``(23,)``.
    """

    month: pd.Period
    day: int
    so_far: float
    quantiles: FloatArray


def scaled(nowcast: Nowcast, ratios: FloatArray) -> Nowcast:
    """A nowcast of another count of the same month, by the ratios that both counts had in past months.

    Args:
        nowcast: Of the daily count.
        ratios: The other count relative to the days' sum, one per past month; at least one.

    Returns:
        Quantiles of the product, both parts taken as independent.
    """
    grid = np.linspace(0.005, 0.995, 100)
    products = np.multiply.outer(np.interp(grid, LEVELS, nowcast.quantiles), ratios)
    return Nowcast(nowcast.month, nowcast.day, nowcast.so_far, np.quantile(products, LEVELS))


_GRID = (np.arange(200) + 0.5) / 200
_FARTHEST = 4.0
"""Normal scores beyond which a nowcast says no more than that the old forecast was wrong."""


def update_with_nowcasts(
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
        new_quantiles, new_draws = conditioned(table.quantiles[order], draws, nowcast)
        quantiles[order] = new_quantiles
        values[places.to_numpy(dtype=int)] = new_draws
    return to_rows(QuantileTable(table.keys, quantiles)), paths.assign(value=values)


def conditioned(quantiles: FloatArray, draws: FloatArray, nowcast: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Let one series' forecast follow a nowcast of its first horizon.

    Args:
        quantiles: Shape ``(H, 23)``.
        draws: Joint draws of all horizons, shape ``(n, H)``.
        nowcast: The first horizon's quantiles as they are now known, shape ``(23,)``.

    Returns:
        Both, in the same shapes.
    """
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
    low, high = probability_at(values, quantiles)
    scores: FloatArray = np.clip(ndtri((low + high) / 2), -_FARTHEST, _FARTHEST)
    return scores

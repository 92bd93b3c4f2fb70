"""Joint sample paths: many possible futures of all series and horizons together.

Each marginal is the forecast's own quantile function; how horizons and series move together is learned from the ranks
(PIT) that past outcomes took in past forecasts. The dependence is a Gaussian copula built directly from past score
vectors, so that it is always valid, needs no matrix over series, and works with gaps; it is shrunk towards a default
where the past is short: independent series, and horizons that share their shocks as a random walk's do.

Where the running month's nowcast was better in the past, it takes the place of the first horizon; later ones follow by
what they share with it on the paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from core import FloatArray
from forecasting import LEVELS, BoolArray
from forecasting.panel import Panel
from forecasting.quantiles import (
    KEYS,
    Forecasts,
    QuantileTable,
    probability_at,
    rank_shares,
    to_matrix,
    to_rows,
    value_at,
)
from forecasting.verification import observed_at

SHRINKAGE = 24.0
"""Number of past origins at which what they show and the default weigh the same."""
_BOUND = 2.5
"""Normal scores of past ranks are cut here: one outcome far outside must not define the dependence."""
_GRID = (np.arange(200) + 0.5) / 200
_FARTHEST = 4.0
"""Normal scores beyond which a nowcast says no more than that the old forecast was wrong."""


def sample_paths(
    forecasts: Forecasts,
    backtest: Forecasts,
    panel: Panel,
    *,
    n: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Draw ``n`` joint futures whose marginals are the forecasts.

    Args:
        forecasts: Quantile rows of one model, one origin per series.
        backtest: Past quantile rows of the same model. Only outcomes that precede every
            origin in ``forecasts`` are used.
        panel: Outcomes of the past forecasts.
        n: Number of paths.
        seed: Same seed, same paths.

    Returns:
        A frame that keeps ``TRAJECTORIES``: ``output_type_id`` is the path's number from 0.
    """
    table = to_matrix(forecasts)
    series = sorted(str(name) for name in table.keys["series_id"].unique())
    horizons = sorted(int(horizon) for horizon in table.keys["horizon"].unique())
    scores = past_scores(backtest, panel, series, horizons).until(table.keys["origin_date"].min())
    return path_rows(table.keys, draw_paths(table, series, horizons, scores, n=n, numbers=Numbers(seed)))


class Numbers:
    """Standard normal numbers of one seed, each drawn once: many origins take the same ones."""

    def __init__(self, seed: int) -> None:
        self._random, self._drawn = np.random.default_rng(seed), np.empty(0)

    def first(self, count: int) -> FloatArray:
        """The first numbers."""
        if count > len(self._drawn):
            more = max(count, 2 * len(self._drawn)) - len(self._drawn)
            self._drawn = np.concatenate([self._drawn, self._random.standard_normal(more)])
        return self._drawn[:count]


def draw_paths(
    table: QuantileTable, series: list[str], horizons: list[int], scores: FloatArray, *, n: int, numbers: Numbers
) -> FloatArray:
    """Joint draws for every row of a table of forecasts, shape ``(rows, n)``.

    Args:
        table: One row per series and horizon.
        series: Second axis of ``scores``.
        horizons: Third axis of ``scores``.
        scores: Past normal scores, shape ``(origins, series, horizons)``; see :func:`past_scores`.
        n: Number of paths.
        numbers: Same numbers, same paths.
    """
    probabilities = rank_shares(_dependent_draws(scores, horizon_correlation(scores, horizons), n, numbers))
    rows = pd.Index(series).get_indexer(pd.Index(table.keys["series_id"]))
    columns = pd.Index(horizons).get_indexer(pd.Index(table.keys["horizon"]))
    return np.stack(
        [
            value_at(probabilities[:, row, column], quantiles)
            for row, column, quantiles in zip(rows, columns, table.quantiles, strict=True)
        ]
    )


@dataclass(frozen=True)
class PastScores:
    """Normal scores of past outcomes in their forecasts.

    Attributes:
        scores: Shape ``(origins, series, horizons)``; NaN where there was no forecast or its outcome is unknown.
        known_from: When each outcome's period ended, shape ``(origins, horizons)``; NaT where there was no forecast.
    """

    scores: FloatArray
    known_from: NDArray[np.datetime64]

    def until(self, date: pd.Timestamp) -> FloatArray:
        """Scores of outcomes whose period had ended by ``date``; origins without any are left out."""
        known = self.known_from <= np.datetime64(date)
        usable: BoolArray = np.asarray(known.any(axis=1))
        return np.where(known[:, None, :], self.scores, np.nan)[usable]


def past_scores(backtest: Forecasts, panel: Panel, series: list[str], horizons: list[int]) -> PastScores:
    """Where past outcomes fell in past forecasts, as normal scores.

    Args:
        backtest: Past quantile rows of one model.
        panel: Outcomes.
        series: Order of the second axis.
        horizons: Order of the third axis.
    """
    table = to_matrix(backtest)
    table = table.where(table.keys["series_id"].isin(series) & table.keys["horizon"].isin(horizons))
    observed = observed_at(table.keys, panel)
    origins = np.unique(table.keys["origin_date"].to_numpy())
    scores = np.full((len(origins), len(series), len(horizons)), np.nan)
    known_from = np.full((len(origins), len(horizons)), np.datetime64("NaT"), dtype="datetime64[ns]")
    first = np.searchsorted(origins, table.keys["origin_date"].to_numpy())
    second = pd.Index(series).get_indexer(pd.Index(table.keys["series_id"]))
    third = pd.Index(horizons).get_indexer(pd.Index(table.keys["horizon"]))
    known_from[first, third] = table.keys["target_end_date"].to_numpy()
    seen = np.isfinite(observed)
    low, high = probability_at(observed[seen], table.quantiles[seen])
    scores[first[seen], second[seen], third[seen]] = np.clip(ndtri((low + high) / 2), -_BOUND, _BOUND)
    return PastScores(scores, known_from)


def horizon_correlation(scores: FloatArray, horizons: list[int]) -> FloatArray:
    """Correlation of normal scores across horizons, pooled over series, shrunk to ``sqrt(min/max)``.

    The default is that of a random walk's errors. Shape ``(H, H)``, positive semi-definite.
    """
    steps = np.asarray(horizons, dtype=float)
    default: FloatArray = np.sqrt(np.minimum.outer(steps, steps) / np.maximum.outer(steps, steps))
    complete = scores.reshape(-1, len(horizons))
    complete = complete[np.isfinite(complete).all(axis=1)]
    usable: BoolArray = np.asarray(np.isfinite(scores).all(axis=2))
    origins = int(usable.any(axis=1).sum())
    if origins < 2 or len(complete) < 3:
        return default
    second_moment = complete.T @ complete / len(complete)
    scale = np.sqrt(np.diag(second_moment))
    if (scale == 0).any():
        return default
    weight = origins / (origins + SHRINKAGE)
    return np.asarray(weight * second_moment / np.outer(scale, scale) + (1 - weight) * default)


def _dependent_draws(scores: FloatArray, across_horizons: FloatArray, n: int, numbers: Numbers) -> FloatArray:
    """Normal draws of shape ``(n, series, horizons)`` with the dependence that past scores show.

    Across series a draw is a random mixture of past score vectors plus independent noise: its correlation is
    ``w·empirical + (1 − w)·identity``. Across horizons every mixing coefficient follows the horizon correlation.
    """
    origins, count, length = scores.shape
    root = _root(across_horizons)
    own = n * count * length
    noise = numbers.first(own).reshape(n, count, length) @ root.T
    if origins < 2:
        return noise
    vectors = np.nan_to_num(np.moveaxis(scores, 2, 1).reshape(origins * length, count))
    spread = np.sqrt(np.square(vectors).mean(axis=0))
    vectors = vectors / np.where(spread > 0, spread, 1.0)
    mixing = numbers.first(own + n * len(vectors) * length)[own:].reshape(n, len(vectors), length)
    together = np.swapaxes(root @ (np.swapaxes(mixing, 1, 2) @ vectors), 1, 2) / np.sqrt(len(vectors))
    weight = np.where(spread > 0, origins / (origins + SHRINKAGE), 0.0)[None, :, None]
    return np.asarray(np.sqrt(weight) * together + np.sqrt(1 - weight) * noise)


def _root(correlation: FloatArray) -> FloatArray:
    """A matrix whose product with its transpose is ``correlation``; rounding below zero is cut off."""
    eigenvalues, vectors = np.linalg.eigh(correlation)
    return np.asarray(vectors * np.sqrt(np.clip(eigenvalues, 0.0, None)))


def path_rows(keys: pd.DataFrame, values: FloatArray) -> pd.DataFrame:
    """Paths of forecasts, shape ``(forecasts, n)``, as rows of ``core.release.TRAJECTORIES``."""
    n = values.shape[1]
    rows = keys.loc[keys.index.repeat(n), KEYS].reset_index(drop=True)
    numbers = np.tile(np.arange(n, dtype=np.int64), len(keys))
    return rows.assign(output_type="sample", output_type_id=numbers, value=values.reshape(-1))


def update_with_nowcasts(
    forecasts: pd.DataFrame, paths: pd.DataFrame, nowcasts: Mapping[str, FloatArray]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put nowcasts in the place of the first horizon and let later horizons follow.

    Args:
        forecasts: Quantile rows of one model, one origin per series.
        paths: Joint sample paths (``core.release.TRAJECTORIES``) whose marginals are these forecasts, in their order.
        nowcasts: Quantiles at the 23 levels of the first horizon, by series. Parts of a total are not changed: see
            :mod:`forecasting.reconcile`.

    Returns:
        Forecasts and paths, in the order in which they came. Series without a nowcast are as they were.
    """
    n = paths["output_type_id"].nunique()
    table, draws = to_matrix(forecasts), paths["value"].to_numpy(dtype=float).reshape(-1, n)
    quantiles, draws = followed(table, draws, nowcasts)
    return to_rows(QuantileTable(table.keys, quantiles)), paths.assign(value=draws.ravel())


def followed(
    table: QuantileTable, draws: FloatArray, nowcasts: Mapping[str, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Quantiles and draws, shape ``(rows, n)``, of forecasts of which some series follow a nowcast."""
    quantiles, draws = table.quantiles.copy(), draws.copy()
    horizons = table.keys["horizon"].to_numpy()
    for series_id, nowcast in nowcasts.items():
        own = np.flatnonzero(table.keys["series_id"] == series_id)
        own = own[np.argsort(horizons[own])]
        if len(own) and horizons[own[0]] == 1:
            quantiles[own], moved = conditioned(quantiles[own], draws[own].T, nowcast)
            draws[own] = moved.T
    return quantiles, draws


def conditioned(quantiles: FloatArray, draws: FloatArray, nowcast: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Let one series' forecast follow a nowcast of its first horizon.

    Args:
        quantiles: Shape ``(H, 23)``.
        draws: Joint draws of all horizons, shape ``(n, H)``.
        nowcast: The first horizon's quantiles as they are now known, shape ``(23,)``.

    Returns:
        Both, in the same shapes.
    """
    ranks = rank_shares(draws)
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
        new_draws.append(value_at(rank_shares(score), new_quantiles[-1]))
    return np.stack(new_quantiles), np.stack(new_draws, axis=1)


def _scores_in(values: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Normal scores of values in a forecast's distribution; the middle where a value has probability of its own."""
    low, high = probability_at(values, quantiles)
    return np.asarray(np.clip(ndtri((low + high) / 2), -_FARTHEST, _FARTHEST))

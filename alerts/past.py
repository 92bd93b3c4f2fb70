"""What each rule would have said at past origins, and what happened then.

All arrays have one row per month from the first origin to the last, one column per series, and where a third axis is
there, one layer per month ahead. Only what was counted up to an origin defines the number to be passed after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from alerts.exceedance import ExceedanceRule
from core.quantiles import QUANTILE_LEVELS, FloatArray, probability_above
from core.settings import AlertSettings

BoolArray = NDArray[np.bool_]
MONTHS_BELOW = 3
"""An onset is the first month of an event after at least so many months without."""
_PATHS = 2000


@dataclass(frozen=True)
class Issued:
    """Quantile forecasts at past origins.

    Attributes:
        origins: Every month from the first origin to the last.
        series: The series.
        quantiles: Shape ``(origins, series, horizons, levels)``; NaN where there was no forecast.
    """

    origins: pd.PeriodIndex
    series: list[str]
    quantiles: FloatArray


@dataclass(frozen=True)
class Past:
    """One rule at past origins.

    Attributes:
        chance: Chance of the event, shape ``(origins, series, horizons)``; NaN where there is none.
        judged: True where there was a chance and the outcome is known.
        calm: True where, moreover, the event was not already there at the origin.
        event: True where the event came.
        onset: True where it came after at least three months without, seen from a calm origin.
    """

    chance: FloatArray
    judged: BoolArray
    calm: BoolArray
    event: BoolArray
    onset: BoolArray


def issued(backtest: pd.DataFrame, model_id: str, series: list[str], horizons: int) -> Issued:
    """Put one model's past quantiles into an array.

    Args:
        backtest: A frame that keeps ``core.schema.FORECASTS``, monthly.
        model_id: The model.
        series: Series to keep; those without forecasts are left out.
        horizons: Months ahead to keep, from 1.
    """
    rows = backtest[(backtest["model_id"] == model_id) & (backtest["output_type"] == "quantile")]
    rows = rows[rows["series_id"].isin(series) & (rows["horizon"] <= horizons)]
    found = sorted(rows["series_id"].unique())
    months = pd.PeriodIndex(rows["origin_date"], freq="M")
    origins = pd.period_range(months.min(), months.max(), freq="M") if len(rows) else pd.PeriodIndex([], freq="M")
    quantiles = np.full((len(origins), len(found), horizons, len(QUANTILE_LEVELS)), np.nan)
    levels = pd.Index(QUANTILE_LEVELS).get_indexer(pd.Index(rows["output_type_id"].round(6)))
    usable = levels >= 0
    place = (origins.get_indexer(months), pd.Index(found).get_indexer(pd.Index(rows["series_id"])))
    quantiles[place[0][usable], place[1][usable], rows["horizon"].to_numpy()[usable] - 1, levels[usable]] = rows[
        "value"
    ].to_numpy()[usable]
    return Issued(origins, found, quantiles)


def replay(rule: ExceedanceRule, made: Issued, counts: pd.DataFrame, settings: AlertSettings) -> Past:
    """Judge one rule at every past origin.

    Args:
        rule: The rule.
        made: Forecasts issued.
        counts: Monthly outcomes, one column per series (:func:`alerts.thresholds.by_route`).
        settings: The reader's numbers.
    """
    horizons = made.quantiles.shape[2]
    limits = rule.threshold(counts[made.series], settings).reindex(made.origins).to_numpy(dtype=float)
    chance = _chances(made.quantiles, limits)
    outcomes = np.stack([_at(counts, made, ahead) for ahead in range(1, horizons + 1)], axis=2)
    judged = np.isfinite(chance) & np.isfinite(outcomes)
    here = _at(counts, made, 0)
    calm = judged & (np.isfinite(here) & ~rule.happened(here, limits))[:, :, None]
    event = judged & rule.happened(outcomes, limits[:, :, None])
    return Past(chance, judged, calm, event, _onsets(rule, made, counts, limits, calm & event))


def _onsets(rule: ExceedanceRule, made: Issued, counts: pd.DataFrame, limits: FloatArray, came: BoolArray) -> BoolArray:
    onset = came.copy()
    for ahead in range(1, came.shape[2] + 1):
        for back in range(1, MONTHS_BELOW + 1):
            before = _at(counts, made, ahead - back)
            onset[:, :, ahead - 1] &= np.isfinite(before) & ~rule.happened(before, limits)
    return onset


def any_within(chance: FloatArray) -> FloatArray:
    """Chance that an event comes in any of the months ahead, from the chance in each.

    The months share their shocks as a random walk's errors do: a Gaussian copula with correlation ``sqrt(min/max)``,
    towards which the sample paths of a night are shrunk too.

    Args:
        chance: Shape ``(origins, series, months)``.

    Returns:
        Shape ``(origins, series)``; NaN where a month has no chance.
    """
    steps = np.arange(1, chance.shape[2] + 1, dtype=float)
    correlation = np.sqrt(np.minimum.outer(steps, steps) / np.maximum.outer(steps, steps))
    draws = np.random.default_rng(0).standard_normal((_PATHS, len(steps))) @ np.linalg.cholesky(correlation).T
    needed = ndtri(1 - chance)
    came = (draws[None, None] > needed[:, :, None, :]).any(axis=3).mean(axis=2)
    return np.where(np.isfinite(chance).all(axis=2), came, np.nan)


def _chances(quantiles: FloatArray, limits: FloatArray) -> FloatArray:
    chance = np.full(quantiles.shape[:3], np.nan)
    usable = np.isfinite(quantiles).all(axis=3) & np.isfinite(limits)[:, :, None]
    for origin, series, ahead in np.argwhere(usable):
        chance[origin, series, ahead] = probability_above(limits[origin, series], quantiles[origin, series, ahead])
    return chance


def _at(counts: pd.DataFrame, made: Issued, ahead: int) -> FloatArray:
    """Outcomes so many months after each origin, shape ``(origins, series)``."""
    values: FloatArray = counts[made.series].reindex(made.origins + ahead).to_numpy(dtype=float)
    return values

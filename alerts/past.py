"""What each rule would have said at past origins, and what happened then.

All arrays have one row per month from the first origin to the last, one column per series, and where a third axis is
there, one layer per month ahead. Only what was counted up to an origin defines the number to be passed after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alerts.exceedance import WINDOW, ExceedanceRule
from core.quantiles import QUANTILE_LEVELS, FloatArray, probability_above
from core.settings import AlertSettings
from forecasting.panel import Panel
from forecasting.quantiles import to_matrix
from forecasting.trajectories import draw_paths, past_scores

BoolArray = NDArray[np.bool_]
MONTHS_BELOW = 3
"""An onset is the first month of an event after at least so many months without."""
PATHS = 500


@dataclass(frozen=True)
class Issued:
    """Forecasts at past origins.

    Attributes:
        origins: Every month from the first origin to the last.
        series: The series.
        quantiles: Shape ``(origins, series, horizons, levels)``; NaN where there was no forecast.
        paths: Joint sample paths, drawn as a night draws its own from what had come true by then; shape
            ``(origins, series, WINDOW, PATHS)``, NaN where there was no forecast.
    """

    origins: pd.PeriodIndex
    series: list[str]
    quantiles: FloatArray
    paths: FloatArray


@dataclass(frozen=True)
class Past:
    """One rule at past origins.

    Attributes:
        chance: Chance of the event in each single month ahead, shape ``(origins, series, horizons)``; NaN where there
            is none.
        within: Chance of the event in any month up to each, shape ``(origins, series, WINDOW)``.
        judged: True where there was a chance and the outcome is known.
        calm: True where, moreover, the event was not already there at the origin.
        event: True where the event came.
        onset: True where it came after at least three months without, seen from a calm origin.
    """

    chance: FloatArray
    within: FloatArray
    judged: BoolArray
    calm: BoolArray
    event: BoolArray
    onset: BoolArray


def issued(backtest: pd.DataFrame, model_id: str, counts: pd.DataFrame, horizons: int) -> Issued:
    """Put one model's past forecasts into arrays, and draw the sample paths that each past night would have drawn.

    Args:
        backtest: A frame that keeps ``core.release.FORECASTS``, monthly.
        model_id: The model.
        counts: Monthly outcomes, one column per series to keep (:func:`alerts.thresholds.by_route`); series without
            forecasts are left out.
        horizons: Months ahead to keep, from 1.
    """
    rows = backtest[(backtest["model_id"] == model_id) & (backtest["output_type"] == "quantile")]
    rows = rows[rows["series_id"].isin(counts.columns) & (rows["horizon"] <= horizons)]
    found = sorted(str(name) for name in rows["series_id"].unique())
    months = pd.PeriodIndex(rows["origin_date"], freq="M")
    origins = pd.period_range(months.min(), months.max(), freq="M") if len(rows) else pd.PeriodIndex([], freq="M")
    quantiles = np.full((len(origins), len(found), horizons, len(QUANTILE_LEVELS)), np.nan)
    levels = pd.Index(QUANTILE_LEVELS).get_indexer(pd.Index(rows["output_type_id"].round(6)))
    usable = levels >= 0
    place = (origins.get_indexer(months), pd.Index(found).get_indexer(pd.Index(rows["series_id"])))
    quantiles[place[0][usable], place[1][usable], rows["horizon"].to_numpy()[usable] - 1, levels[usable]] = rows[
        "value"
    ].to_numpy()[usable]
    near = rows[usable & (rows["horizon"] <= WINDOW).to_numpy()]
    return Issued(origins, found, quantiles, _paths(near, counts, found, origins))


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
    chance = _chances(rule, made.quantiles, limits)
    outcomes = np.stack([outcomes_at(counts, made, ahead) for ahead in range(1, horizons + 1)], axis=2)
    judged = np.isfinite(chance) & np.isfinite(outcomes)
    here = outcomes_at(counts, made, 0)
    calm = judged & (np.isfinite(here) & ~rule.happened(here, limits))[:, :, None]
    event = judged & rule.happened(outcomes, limits[:, :, None])
    within = _within(rule, made.paths, limits)
    return Past(chance, within, judged, calm, event, _onsets(rule, made, counts, limits, calm & event))


def outcomes_at(counts: pd.DataFrame, made: Issued, ahead: int) -> FloatArray:
    """Outcomes so many months after each origin, shape ``(origins, series)``."""
    values: FloatArray = counts[made.series].reindex(made.origins + ahead).to_numpy(dtype=float)
    return values


def _onsets(rule: ExceedanceRule, made: Issued, counts: pd.DataFrame, limits: FloatArray, came: BoolArray) -> BoolArray:
    onset = came.copy()
    for ahead in range(1, came.shape[2] + 1):
        for back in range(1, MONTHS_BELOW + 1):
            before = outcomes_at(counts, made, ahead - back)
            onset[:, :, ahead - 1] &= np.isfinite(before) & ~rule.happened(before, limits)
    return onset


def _paths(rows: pd.DataFrame, counts: pd.DataFrame, series: list[str], origins: pd.PeriodIndex) -> FloatArray:
    """Draw at each origin with the same function as a night, from outcomes that had come by then."""
    paths = np.full((len(origins), len(series), WINDOW, PATHS), np.nan)
    if rows.empty:
        return paths
    panel = Panel("M", counts[series], pd.DataFrame(index=counts[series].columns))
    horizons = list(range(1, WINDOW + 1))
    learned = past_scores(rows, panel, series, horizons)
    table = to_matrix(rows)
    dates = table.keys["origin_date"]
    for date in dates.unique():
        here = table.where((dates == date).to_numpy())
        drawn = draw_paths(here, series, horizons, learned.until(pd.Timestamp(date)), n=PATHS, seed=0)
        columns = pd.Index(series).get_indexer(pd.Index(here.keys["series_id"]))
        paths[origins.get_loc(pd.Period(date, "M")), columns, here.keys["horizon"].to_numpy() - 1] = drawn
    return paths


def _within(rule: ExceedanceRule, paths: FloatArray, limits: FloatArray) -> FloatArray:
    """Share of paths in which the event comes in any month up to each."""
    happened = rule.happened(paths, limits[:, :, None, None])
    share: FloatArray = np.maximum.accumulate(happened, axis=2).mean(axis=3)
    known = np.isfinite(paths[..., 0]) & np.isfinite(limits)[:, :, None]
    return np.where(np.logical_and.accumulate(known, axis=2), share, np.nan)


def _chances(rule: ExceedanceRule, quantiles: FloatArray, limits: FloatArray) -> FloatArray:
    chance = np.full(quantiles.shape[:3], np.nan)
    usable = np.isfinite(quantiles).all(axis=3) & np.isfinite(limits)[:, :, None]
    for origin, series, ahead in np.argwhere(usable):
        above = probability_above(limits[origin, series], quantiles[origin, series, ahead])
        chance[origin, series, ahead] = 1 - above if rule.falls else above
    return chance

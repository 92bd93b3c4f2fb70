"""Rescale the ensemble's spread from its own past forecast errors.

At each origin and horizon the log1p quantiles of all series are scaled about their medians by one factor: the one that
would have given the forecasts with outcomes in the last ``WINDOW`` periods the lowest weighted interval score. What
lies beyond the quartiles is scaled by another, judged on these levels alone: averaged quantiles have longer tails than
outcomes. A factor above 1 is shrunk towards 1, the more the fewer outcomes of the window are independent.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import QUANTILE_LEVELS, FloatArray
from forecasting import LEVELS, BoolArray
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.verification import observed_at

FACTORS: FloatArray = np.exp(np.linspace(np.log(0.4), np.log(2.5), 41))
"""What may be chosen; 1 is put in the place of the value nearest to it."""
FACTORS[np.argmin(np.abs(FACTORS - 1.0))] = 1.0
WINDOW = 24
SHRINKAGE = 2.0
"""Independent outcomes (``WINDOW`` by the horizon) with which a widening has half its size on log scale."""
FEWEST_SCORED = 12
"""Periods with outcomes from which a factor is chosen."""
FEWEST_TO_LEARN_FROM = 24
"""Earlier values of a series; with fewer its forecasts are made, and miss in a way that longer histories do not."""
MOST_BROKEN = 0.05
"""Share of a series' values that may be no whole numbers: a publisher's estimates, or the mean of neighbours."""
_LOWER, _MIDDLE, _UPPER = (QUANTILE_LEVELS.index(level) for level in (0.25, 0.5, 0.75))
_BEYOND = np.r_[:_LOWER, _UPPER + 1 : len(LEVELS)]


def calibrate(
    table: QuantileTable, panel: Panel, factors: FloatArray | None = None
) -> tuple[QuantileTable, FloatArray]:
    """Scale every forecast's spread, then its tails, by what was known at its origin.

    Args:
        table: Forecasts of one model, past and present.
        panel: Outcomes; for each origin only targets that ended by then are used.
        factors: Factors to use in the place of those that the outcomes give, as they are returned.

    Returns:
        The table with scaled quantiles, and by what spread and tails of each row were multiplied, shape ``(rows, 2)``.
    """
    logs = np.log1p(table.quantiles)
    middle, inner = logs[:, [_MIDDLE]], np.clip(logs, logs[:, [_LOWER]], logs[:, [_UPPER]])
    if factors is None:
        row, column = panel.places(table.keys["origin_date"], table.keys["series_id"])
        long = panel.matrix.notna().to_numpy().cumsum(axis=0)[row, column] > FEWEST_TO_LEARN_FROM
        is_judged = (row < 0) | (panel.judged()[row] & long)
        observed = np.where(is_judged, np.log1p(observed_at(table.keys, panel)), np.nan)
        of_tails = _factors(logs, inner, _BEYOND, observed, table.keys, panel)
        factors = np.column_stack([_factors(logs, middle, slice(None), observed, table.keys, panel), of_tails])
    scaled = np.maximum(middle + factors[:, [0]] * (inner - middle) + factors[:, [1]] * (logs - inner), 0.0)
    return QuantileTable(table.keys, np.where(scaled == logs, table.quantiles, np.expm1(scaled))), factors


def _factors(
    logs: FloatArray,
    centre: FloatArray,
    judged: NDArray[np.intp] | slice,
    observed: FloatArray,
    keys: pd.DataFrame,
    panel: Panel,
) -> FloatArray:
    """By what log1p quantiles, scaled about a centre, would have served the judged levels best at each row's origin."""
    factors = np.ones(len(logs))
    away = logs - centre
    ends, origins = (keys[name].to_numpy() for name in ("target_end_date", "origin_date"))
    for horizon in keys["horizon"].unique():
        rows = np.flatnonzero(keys["horizon"] == horizon)
        independent = WINDOW / horizon
        known = rows[np.isfinite(observed[rows])]
        middle, apart = np.broadcast_to(centre, logs.shape)[known][:, judged], away[known][:, judged]
        targets, place = np.unique(ends[known], return_inverse=True)
        losses = np.zeros((len(targets) + 1, len(FACTORS)))
        for number, factor in enumerate(FACTORS):
            distance = observed[known, None] - np.maximum(middle + factor * apart, 0.0)
            pinball = np.maximum(LEVELS[judged] * distance, (LEVELS[judged] - 1) * distance).mean(axis=1)
            losses[1:, number] = np.bincount(place, pinball, len(targets))
        sums = losses.cumsum(axis=0)
        for origin in np.unique(origins[rows]):
            oldest = panel.end_before(pd.Timestamp(origin), WINDOW).to_datetime64()
            first, last = np.searchsorted(targets, [oldest, origin], side="right")
            if last - first >= FEWEST_SCORED:
                best = FACTORS[np.argmin(sums[last] - sums[first])]
                shrunk = best ** (independent / (independent + SHRINKAGE)) if best > 1 else best
                factors[rows[origins[rows] == origin]] = shrunk
    return factors


def whole_counts(table: QuantileTable, panel: Panel) -> QuantileTable:
    """Round the quantiles of series whose values up to the origin are whole numbers; the same rows."""
    rows, columns = panel.places(table.keys["origin_date"], table.keys["series_id"])
    values = panel.matrix.to_numpy(dtype=float)
    known = np.isfinite(values)
    broken = (known & (np.mod(np.where(known, values, 0.0), 1) != 0)).cumsum(axis=0)
    is_count: BoolArray = broken <= MOST_BROKEN * np.maximum(known.cumsum(axis=0), 1)
    whole = (rows >= 0) & (columns >= 0) & is_count[rows, columns]
    return QuantileTable(table.keys, np.where(whole[:, None], np.round(table.quantiles), table.quantiles))

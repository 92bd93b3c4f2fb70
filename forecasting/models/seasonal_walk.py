"""``vigie-seasonal-walk``: the last value plus half of the average change that this time of year brought before."""

from __future__ import annotations

import numpy as np

from core import FloatArray
from forecasting import FitError, History, Model, symmetric_errors
from forecasting.models.baseline import FEWEST_ERRORS, LAST_ERRORS

SHARE = 0.5
YEARS = 7


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on the history's scale, shape ``(H, 23)``.

    Raises:
        FitError: The history holds too few changes to learn a season and its errors from.
    """
    values, season = history.scaled, history.season_length
    rows = []
    for step in range(1, horizon + 1):
        if len(values) - step < FEWEST_ERRORS:
            raise FitError(f"fewer than {FEWEST_ERRORS} changes over {step} periods")
        centres = values + SHARE * _seasonal_change(values, season, step)
        rows.append(symmetric_errors(centres[-1], (values[step:] - centres[:-step])[-LAST_ERRORS:]))
    return np.stack(rows)


def _seasonal_change(values: FloatArray, season: int, step: int) -> FloatArray:
    """At each period, the mean change over ``step`` periods from the same time of up to seven earlier years.

    Only changes that were complete at that period count; 0 where there is none. Same length as ``values``.
    """
    size = len(values)
    total, count = np.zeros(size), np.zeros(size)
    first = -(-step // season)
    for year in range(first, first + YEARS):
        lag = season * year
        if lag >= size:
            break
        start = np.arange(size - lag)
        total[lag:] += values[start + step] - values[start]
        count[lag:] += 1
    return np.asarray(total / np.maximum(count, 1))


MODEL = Model(model_id="vigie-seasonal-walk", version="3", predict=predict, on_roots=True)

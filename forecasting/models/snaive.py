"""``vigie-snaive``: the same period of last year, give or take what it missed before."""

from __future__ import annotations

import numpy as np

from core import FloatArray
from forecasting import FitError, History, Model, symmetric_errors
from forecasting.models.baseline import FEWEST_ERRORS, LAST_ERRORS


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on log1p scale, shape ``(H, 23)``.

    Raises:
        FitError: The history is shorter than a season and twelve errors.
    """
    values, season = history.scaled, history.season_length
    rows = []
    for step in range(1, horizon + 1):
        lag = season * -(-step // season)
        errors = (values[lag:] - values[:-lag])[-LAST_ERRORS:]
        if len(errors) < FEWEST_ERRORS:
            raise FitError(f"fewer than {FEWEST_ERRORS} seasonal changes")
        rows.append(symmetric_errors(values[len(values) - 1 + step - lag], errors))
    return np.stack(rows)


MODEL = Model(model_id="vigie-snaive", version="2", predict=predict)

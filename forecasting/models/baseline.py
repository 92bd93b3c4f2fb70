"""``vigie-baseline``: the last value, with the series' own past changes over the same number of periods."""

from __future__ import annotations

import numpy as np

from core import FloatArray
from forecasting import BASELINE, NORMAL_SCORES, History, Model, symmetric_errors

LAST_ERRORS = 84
FEWEST_ERRORS = 12
PRIOR_SPREAD = 0.5
"""Standard deviation of one step's log change assumed for a series that has shown too few changes of its own."""


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on log1p scale, shape ``(H, 23)``; see the card for the method."""
    values = history.observed
    return np.stack([_one_horizon(values, step) for step in range(1, horizon + 1)])


def _one_horizon(values: FloatArray, step: int) -> FloatArray:
    errors = (values[step:] - values[:-step])[-LAST_ERRORS:]
    if len(errors) >= FEWEST_ERRORS:
        return symmetric_errors(values[-1], errors)
    changes = np.diff(values)
    variance = (FEWEST_ERRORS * PRIOR_SPREAD**2 + float(np.square(changes).sum())) / (FEWEST_ERRORS + len(changes))
    return np.asarray(values[-1] + np.sqrt(variance * step) * NORMAL_SCORES)


MODEL = Model(model_id=BASELINE, version="1", predict=predict)

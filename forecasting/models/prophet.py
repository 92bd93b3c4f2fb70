"""``vigie-prophet``: Prophet with its defaults, on log1p scale."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from core import FloatArray
from forecasting import LEVELS, FitError, History, Model

SAMPLES = 1000


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles of 1,000 predictive draws at horizons 1..H on log1p scale, shape ``(H, 23)``.

    Raises:
        FitError: Stan's optimiser fails on the series.
    """
    from prophet import Prophet  # noqa: PLC0415  # takes seconds to load and only a fit needs it

    size = len(history.scaled)
    dates = pd.period_range(end=history.last_period + horizon, periods=size + horizon).to_timestamp(how="start")
    model = Prophet(
        # With a season of little more than two years of months Stan's optimiser takes ten seconds and more for a fit.
        yearly_seasonality=history.season_length > 1 and size >= 3 * history.season_length,
        weekly_seasonality=history.last_period.freqstr == "D",
        daily_seasonality=False,
        uncertainty_samples=SAMPLES,
    )
    for name in ("cmdstanpy", "prophet"):
        logging.getLogger(name).disabled = True
    state = np.random.get_state()  # Prophet draws from numpy's global generator: it is given back as found
    try:
        model.fit(pd.DataFrame({"ds": dates[:size], "y": history.scaled}), seed=history.seed)
        np.random.seed(history.seed)
        draws = model.predictive_samples(pd.DataFrame({"ds": dates[size:]}))["yhat"]
    except (RuntimeError, ValueError) as error:
        raise FitError(f"Prophet: {error}") from error
    finally:
        np.random.set_state(state)
    return np.asarray(np.quantile(np.asarray(draws), LEVELS, axis=1).T)


MODEL = Model(model_id="vigie-prophet", version="3", predict=predict, slow=True)

"""``vigie-ets``: exponential smoothing with additive error and season, trend chosen by AICc."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from core import FloatArray
from forecasting import FitError, History, Model, heavy_tailed_quantiles

LONGEST_SEASON = 24
"""Exponential smoothing estimates one state per period of the season: weeks of a year are too many."""


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on the history's scale, shape ``(H, 23)``.

    Raises:
        FitError: statsforecast cannot fit the series.
    """
    from statsforecast.models import AutoETS  # noqa: PLC0415  # takes seconds to load and only a fit needs it

    season = history.season_length
    seasonal = season > 1 and len(history.scaled) >= 3 * season
    model = AutoETS(season_length=season if seasonal else 1, model="AZA" if seasonal else "AZN")
    try:
        fitted = model.forecast(y=history.scaled, h=horizon, level=[80])
    except Exception as error:  # the library documents no exceptions; any of them means no fit
        raise FitError(f"exponential smoothing: {error}") from error
    mean, low, high = (np.asarray(fitted[name], dtype=float) for name in ("mean", "lo-80", "hi-80"))
    return heavy_tailed_quantiles(mean, (high - low) / (2 * float(ndtri(0.9))))


MODEL = Model(model_id="vigie-ets", version="4", predict=predict, on_roots=True, longest_season=LONGEST_SEASON)

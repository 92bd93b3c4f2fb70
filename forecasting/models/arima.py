"""``vigie-arima``: ARIMA of one fixed small order with a seasonal autoregression."""

from __future__ import annotations

import numpy as np

from core import FloatArray
from core.languages import marked as _
from forecasting import FitError, History, Model, ModelCard, quantiles_from_interval

LONGEST_SEASON = 24
"""A lag of 52 weeks makes the state vector, and the time of a fit, too large."""


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on the history's scale, shape ``(H, 23)``.

    Raises:
        FitError: The series never changes, or statsforecast cannot fit it.
    """
    from statsforecast.models import ARIMA  # noqa: PLC0415  # takes seconds to load and only a fit needs it

    if np.ptp(history.scaled) == 0:
        raise FitError("a constant has no autocorrelation")
    season = history.season_length
    seasonal = season > 1 and len(history.scaled) >= 3 * season
    model = ARIMA(
        order=(0, 1, 1), seasonal_order=(1, 0, 0) if seasonal else (0, 0, 0), season_length=season if seasonal else 1
    )
    try:
        fitted = model.forecast(y=history.scaled, h=horizon, level=[80])
    except Exception as error:  # the library documents no exceptions; any of them means no fit
        raise FitError(f"ARIMA: {error}") from error
    return quantiles_from_interval(fitted)


MODEL = Model(
    model_id="vigie-arima",
    version="4",
    predict=predict,
    seconds=0.012,
    on_roots=True,
    longest_season=LONGEST_SEASON,
    trusted=True,
    card=ModelCard(
        title=_("ARIMA (0,1,1)(1,0,0)"),
        summary=_(
            "Seasonal ARIMA of fixed order on log1p scale, by day and week on square roots: a smoothed level "
            "that follows the last values, and a share of last year's pattern that the data decide, by week "
            "two waves a year. The fixed order was chosen on route outcomes before 2018, where it was both "
            "sharper and ten times faster than an automatic search."
        ),
        source="Box, Jenkins, Reinsel and Ljung 2015, Time Series Analysis, 5th ed.; fitted by statsforecast.",
        weaknesses=_("No trend: a steady rise is followed, not foreseen. Wide intervals a year ahead."),
    ),
)

"""``vigie-theta``: the dynamic optimised theta method."""

from __future__ import annotations

from core import FloatArray
from core.languages import marked as _
from forecasting import FitError, History, Model, ModelCard, quantiles_from_interval

LONGEST_SEASON = 24
"""Its own season is the mean of each week of the year: two waves a year scored better."""


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on the history's scale, shape ``(H, 23)``.

    Raises:
        FitError: statsforecast cannot fit the series.
    """
    from statsforecast.models import DynamicOptimizedTheta  # noqa: PLC0415  # takes seconds to load; only a fit needs it

    seasonal = len(history.scaled) >= 3 * history.season_length
    season = history.season_length if seasonal else 1
    model = DynamicOptimizedTheta(season_length=season, decomposition_type="additive")
    try:
        fitted = model.forecast(y=history.scaled, h=horizon, level=[80])
    except Exception as error:  # the library documents no exceptions; any of them means no fit
        raise FitError(f"theta: {error}") from error
    return quantiles_from_interval(fitted)


MODEL = Model(
    model_id="vigie-theta",
    version="4",
    predict=predict,
    seconds=0.005,
    on_roots=True,
    longest_season=LONGEST_SEASON,
    trusted=True,
    card=ModelCard(
        title=_("Theta"),
        summary=_(
            "Dynamic optimised theta model on log1p scale, by day and week on square roots: exponential "
            "smoothing with a damped drift, after an additive season has been taken out where a test finds "
            "one, by week two waves a year. Student t intervals with the spread of the method's own simulated "
            "paths."
        ),
        source="Fiorucci et al. 2016, Int. J. Forecasting 32(4), 1151–1161; fitted by statsforecast.",
        weaknesses=_("The season is fixed: it does not move with the series. Slow to follow a change of level."),
    ),
)

"""``vigie-structural``: local level plus a smooth season, by the Kalman filter."""

from __future__ import annotations

import numpy as np

from core import FloatArray
from core.languages import marked as _
from forecasting import STRUCTURAL, FitError, History, Model, ModelCard, heavy_tailed_quantiles

HARMONICS = 3
ITERATIONS = 50


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on the history's scale, shape ``(H, 23)``.

    Raises:
        FitError: The series never changes, or the likelihood cannot be maximised.
    """
    from statsmodels.tsa.statespace.structural import (  # noqa: PLC0415  # takes a second to load; only a fit needs it
        UnobservedComponents,
    )

    values, season = history.scaled, history.season_length
    if np.ptp(values) == 0:
        raise FitError("a constant has no variance to split")
    waves = {"period": season, "harmonics": min(HARMONICS, season // 2)}
    seasonal = [waves] if season > 1 and len(values) >= 2 * season else None
    try:
        model = UnobservedComponents(values, level="local level", freq_seasonal=seasonal)
        fitted = model.fit(disp=False, maxiter=ITERATIONS, method="lbfgs", cov_type="none")
        ahead = fitted.get_forecast(horizon)
    except (ValueError, np.linalg.LinAlgError, IndexError) as error:
        raise FitError(f"structural model: {error}") from error
    return heavy_tailed_quantiles(np.asarray(ahead.predicted_mean), np.asarray(ahead.se_mean))


MODEL = Model(
    model_id=STRUCTURAL,
    version="3",
    predict=predict,
    on_roots=True,
    card=ModelCard(
        title=_("Structural model"),
        summary=_(
            "Unobserved components on log1p scale, by day and week on square roots: a level that wanders and a season "
            "of up to three waves a year that may change slowly, separated from noise by the Kalman filter. Student t "
            "intervals with its variance."
        ),
        source="Harvey 1989, Forecasting, Structural Time Series Models and the Kalman Filter; fitted by statsmodels.",
        weaknesses=_(
            "One variance for calm and crisis: intervals are too wide in the one and too narrow in the other."
        ),
    ),
)

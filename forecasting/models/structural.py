"""``vigie-structural``: local level plus a smooth season, by the Kalman filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core import FloatArray
from forecasting import STRUCTURAL, FitError, History, Model, heavy_tailed_quantiles

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.mlemodel import MLEResults

HARMONICS = 3
ITERATIONS = 50


def predict(history: History, horizon: int, parameters: FloatArray | None = None) -> FloatArray:
    """Quantiles at horizons 1..H on the history's scale, shape ``(H, 23)``.

    Args:
        history: The series.
        horizon: Longest horizon H.
        parameters: Variances of :func:`estimate`; by default those that suit the history best.

    Raises:
        FitError: The series never changes, or the likelihood cannot be maximised.
    """
    try:
        ahead = _filtered(history, parameters).get_forecast(horizon)
    except (ValueError, np.linalg.LinAlgError, IndexError) as error:
        raise FitError(f"structural model: {error}") from error
    return heavy_tailed_quantiles(np.asarray(ahead.predicted_mean), np.asarray(ahead.se_mean))


def estimate(history: History) -> FloatArray:
    """Variances that suit a history best.

    Raises:
        FitError: As :func:`predict`.
    """
    try:
        return np.asarray(_filtered(history, None).params)
    except (ValueError, np.linalg.LinAlgError, IndexError) as error:
        raise FitError(f"structural model: {error}") from error


def _filtered(history: History, parameters: FloatArray | None) -> MLEResults:
    from statsmodels.tsa.statespace.structural import (  # noqa: PLC0415  # takes a second to load; only a fit needs it
        UnobservedComponents,
    )

    values, season = history.scaled, history.season_length
    if np.ptp(values) == 0:
        raise FitError("a constant has no variance to split")
    waves = {"period": season, "harmonics": min(HARMONICS, season // 2)}
    seasonal = [waves] if season > 1 and len(values) >= 2 * season else None
    model = UnobservedComponents(values, level="local level", freq_seasonal=seasonal)
    if parameters is not None:
        return model.smooth(parameters, cov_type="none")
    return model.fit(disp=False, maxiter=ITERATIONS, method="lbfgs", cov_type="none")


MODEL = Model(model_id=STRUCTURAL, version="3", predict=predict, on_roots=True)

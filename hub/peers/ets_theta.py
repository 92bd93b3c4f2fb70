"""statsforecast's AutoETS and AutoTheta, averaged on log scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from common import HORIZON, main, normal
from numpy.typing import NDArray
from statsforecast.models import AutoETS, AutoTheta


def forecast(known: dict[str, pd.Series[float]]) -> dict[str, NDArray[np.float64]]:
    """Quantiles by series."""
    out = {}
    for series_id, column in known.items():
        parts = []
        for model in (AutoETS(season_length=12), AutoTheta(season_length=12)):
            found = model.forecast(y=column.to_numpy(), h=HORIZON, level=[80])
            spread = (np.asarray(found["hi-80"]) - np.asarray(found["lo-80"])) / (2 * 1.2815515655446004)
            parts.append(normal(np.asarray(found["mean"]), spread))
        out[series_id] = np.mean(parts, axis=0)
    return out


if __name__ == "__main__":
    main(
        "peers-ets_theta",
        "AutoETS + Theta",
        "Mean of the quantiles of statsforecast's AutoETS and AutoTheta, on log scale.",
        forecast,
    )

"""statsforecast's AutoETS and AutoTheta, averaged on log scale."""

from __future__ import annotations

import numpy as np
from common import Known, main, normal
from numpy.typing import NDArray
from statsforecast.models import AutoETS, AutoTheta


def forecast(known: Known) -> dict[str, NDArray[np.float64]]:
    """Quantiles by series."""
    out = {}
    for series_id, column in known.logs.items():
        parts = []
        for model in (AutoETS(season_length=known.short_season), AutoTheta(season_length=known.short_season)):
            found = model.forecast(y=column.to_numpy(), h=known.horizon, level=[80])
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

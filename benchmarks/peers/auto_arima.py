"""statsforecast's AutoARIMA on log scale."""

from __future__ import annotations

import numpy as np
from common import Known, main, normal
from numpy.typing import NDArray
from statsforecast.models import AutoARIMA


def forecast(known: Known) -> dict[str, NDArray[np.float64]]:
    """Quantiles by series."""
    out = {}
    for series_id, column in known.logs.items():
        model = AutoARIMA(season_length=known.short_season, approximation=True, max_p=3, max_q=3)
        found = model.forecast(y=column.to_numpy()[-120:], h=known.horizon, level=[80])
        spread = (np.asarray(found["hi-80"]) - np.asarray(found["lo-80"])) / (2 * 1.2815515655446004)
        out[series_id] = normal(np.asarray(found["mean"]), spread)
    return out


if __name__ == "__main__":
    main(
        "peers-auto_arima",
        "AutoARIMA",
        "statsforecast's seasonal AutoARIMA on log scale, on the last 120 periods.",
        forecast,
    )

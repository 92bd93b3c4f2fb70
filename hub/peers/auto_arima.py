"""statsforecast's AutoARIMA on log scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from common import HORIZON, main, normal
from numpy.typing import NDArray
from statsforecast.models import AutoARIMA


def forecast(known: dict[str, pd.Series[float]]) -> dict[str, NDArray[np.float64]]:
    """Quantiles by series."""
    out = {}
    for series_id, column in known.items():
        model = AutoARIMA(season_length=12, approximation=True, max_p=3, max_q=3)
        found = model.forecast(y=column.to_numpy()[-120:], h=HORIZON, level=[80])
        spread = (np.asarray(found["hi-80"]) - np.asarray(found["lo-80"])) / (2 * 1.2815515655446004)
        out[series_id] = normal(np.asarray(found["mean"]), spread)
    return out


if __name__ == "__main__":
    main(
        "peers-auto_arima",
        "AutoARIMA",
        "statsforecast's seasonal AutoARIMA on log scale, on the last ten years.",
        forecast,
    )

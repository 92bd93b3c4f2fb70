"""mlforecast's LightGBM over all series together, on log scale, with conformal intervals. Needs mlforecast."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
from common import LEVELS, Known, main
from mlforecast import MLForecast
from mlforecast.target_transforms import Differences
from mlforecast.utils import PredictionIntervals
from numpy.typing import NDArray

NAME = "LGBMRegressor"
_HALF = sorted({round(100 * (1 - 2 * level), 6) for level in LEVELS if level < 0.5})


def forecast(known: Known) -> dict[str, NDArray[np.float64]]:
    """Quantiles by series."""
    frame = pd.concat(
        [
            pd.DataFrame({"unique_id": name, "ds": column.index, "y": column.to_numpy()})
            for name, column in known.logs.items()
        ]
    )
    model = lightgbm.LGBMRegressor(
        n_estimators=100, num_leaves=7, learning_rate=0.05, min_child_samples=10, verbosity=-1, random_state=1, n_jobs=1
    )
    fitted = MLForecast(
        [model],
        freq=known.alias,
        lags=[1, 2, 3, known.season],
        target_transforms=[Differences([1])],
        date_features=["month"],
    ).fit(frame, prediction_intervals=PredictionIntervals(n_windows=3, h=known.horizon))
    found = fitted.predict(known.horizon, level=_HALF)
    out = {}
    for name, rows in found.groupby("unique_id"):
        columns = []
        for level in LEVELS:
            width = f"{100 * abs(1 - 2 * level):.6f}".rstrip("0").rstrip(".")
            side = NAME if level == 0.5 else f"{NAME}-{'lo' if level < 0.5 else 'hi'}-{_named(found.columns, width)}"
            columns.append(rows[side].to_numpy())
        out[str(name)] = np.stack(columns, axis=1)
    return out


def _named(columns: pd.Index, width: str) -> str:
    """A level as the library writes it, 95 or 95.0."""
    return width if f"{NAME}-lo-{width}" in columns else f"{float(width)}"


if __name__ == "__main__":
    main(
        "peers-lightgbm", "LightGBM with conformal intervals",
        "mlforecast's LightGBM over all series together, on differences of logs; conformal intervals.", forecast,
    )  # fmt: skip

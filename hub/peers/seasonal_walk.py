"""A seasonal random walk: the same month a year ago, with the errors that this made."""

from __future__ import annotations

import numpy as np
import pandas as pd
from common import HORIZON, LEVELS, main
from numpy.typing import NDArray


def forecast(known: dict[str, pd.Series[float]]) -> dict[str, NDArray[np.float64]]:
    """Quantiles by series."""
    out = {}
    for series_id, column in known.items():
        values = column.to_numpy()
        errors = values[12:] - values[:-12]
        quantiles = np.quantile(np.concatenate([errors, -errors]), LEVELS)
        out[series_id] = values[-12:][:HORIZON, None] + quantiles
    return out


if __name__ == "__main__":
    main(
        "peers-snaive",
        "Seasonal random walk",
        "The same month a year ago, with its past errors, on log scale.",
        forecast,
    )

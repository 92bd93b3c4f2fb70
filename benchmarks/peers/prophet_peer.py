"""Prophet with its defaults, on log scale, quantiles from its own draws."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from common import LEVELS, Known, main
from numpy.typing import NDArray
from prophet import Prophet

logging.getLogger("cmdstanpy").disabled = True


def forecast(known: Known) -> dict[str, NDArray[np.float64]]:
    """Quantiles by series."""
    out = {}
    for series_id, column in known.logs.items():
        model = Prophet()
        model.fit(pd.DataFrame({"ds": column.index, "y": column.to_numpy()}), seed=1)
        ahead = model.make_future_dataframe(known.horizon, freq=known.alias, include_history=False)
        np.random.seed(1)  # Prophet draws from numpy's global state
        out[series_id] = np.quantile(model.predictive_samples(ahead)["yhat"], LEVELS, axis=1).T
    return out


if __name__ == "__main__":
    main("peers-prophet", "Prophet", "Prophet with its defaults, on log scale; quantiles of its own draws.", forecast)

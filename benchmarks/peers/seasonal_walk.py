"""A seasonal random walk: the same period a year ago, with the errors that this made."""

from __future__ import annotations

import numpy as np
from common import LEVELS, Known, main
from numpy.typing import NDArray


def forecast(known: Known) -> dict[str, NDArray[np.float64]]:
    """Quantiles by series."""
    out = {}
    for series_id, column in known.logs.items():
        values = column.to_numpy()
        errors = values[known.season :] - values[: -known.season]
        quantiles = np.quantile(np.concatenate([errors, -errors]), LEVELS)
        year = np.resize(values[-known.season :], known.horizon)
        out[series_id] = year[:, None] + quantiles
    return out


if __name__ == "__main__":
    main(
        "peers-snaive",
        "Seasonal random walk",
        "The same period a year ago, with its past errors, on log scale.",
        forecast,
    )

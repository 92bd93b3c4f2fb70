"""The hub's own ensembles of what was submitted: the median of quantiles, and a mean weighted by past scores alone.

Median of quantiles: what the COVID-19 and influenza hubs serve (Brooks et al. 2020; Ray et al. 2023, Int. J.
Forecasting 39(3)). Weights: the inverse of each model's pairwise relative WIS over the last twelve months known at the
round, so that a round's weights rest on nothing that came after it.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from core.quantiles import FloatArray
from forecasting.quantiles import QuantileTable
from hub.score import TASK, Grid, grid, pairwise

MEDIAN, WEIGHTED = "hub-median", "hub-weighted"
FEWEST_MODELS = 2
WINDOW = pd.DateOffset(months=12)


def combine(table: QuantileTable, observed: FloatArray, members: Collection[str]) -> QuantileTable:
    """Both ensembles for every task that at least two members forecast.

    Args:
        table: Forecasts, each model's once per task.
        observed: Outcomes, one per row; each round sees only those up to its origin.
        members: Models that take part.

    Returns:
        Forecasts of :data:`MEDIAN` and :data:`WEIGHTED`; none where no task has two members.
    """
    mine = table.where(table.keys["model_id"].isin(list(members)))
    outcome = observed[table.keys["model_id"].isin(list(members)).to_numpy()]
    scored = grid(mine, outcome)
    weights = {
        origin: _weights(scored, pd.Timestamp(origin)) for origin in np.unique(mine.keys["origin_date"].to_numpy())
    }
    keys, medians, means = [], [], []
    for places in mine.keys.groupby(TASK, sort=True).indices.values():
        if len(places) < FEWEST_MODELS:
            continue
        origin = mine.keys["origin_date"].to_numpy()[places[0]]
        logs = np.log1p(mine.quantiles[places])
        share = weights[origin].reindex(mine.keys["model_id"].iloc[places]).to_numpy()
        share = np.where(np.isfinite(share), share, 1.0)  # without a record a model counts like the baseline
        keys.append(mine.keys.iloc[places[0]])
        medians.append(np.median(logs, axis=0))
        means.append(share @ logs / share.sum())
    if not keys:
        return QuantileTable(table.keys.iloc[:0], table.quantiles[:0])
    frame = pd.DataFrame(keys).reset_index(drop=True)[["model_id", *TASK, "target_end_date"]]
    both = pd.concat([frame.assign(model_id=name) for name in (MEDIAN, WEIGHTED)], ignore_index=True)
    return QuantileTable(both, np.expm1(np.concatenate([np.stack(medians), np.stack(means)])))


def _weights(scored: Grid, origin: pd.Timestamp) -> pd.Series:
    """Inverse pairwise relative WIS by model, on outcomes of the last year known at an origin; empty without any."""
    ends = scored.tasks["target_end_date"]
    rows = ((ends <= origin) & (ends > origin - WINDOW)).to_numpy()
    if not rows.any():
        return pd.Series(dtype=float)
    theta = pairwise(scored.scores[rows])
    return pd.Series(1 / theta, index=scored.models)

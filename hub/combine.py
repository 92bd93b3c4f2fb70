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
from forecasting.quantiles import QuantileTable, stack
from hub.score import TASK, Grid, by_unit, grid, pairwise

MEDIAN, WEIGHTED = "hub-median", "hub-weighted"
FEWEST_MODELS = 2
WINDOW = pd.DateOffset(months=12)


def combine(table: QuantileTable, observed: FloatArray, members: Collection[str]) -> QuantileTable:
    """Both ensembles for every task that at least two members forecast; what is scored together has its own weights.

    Args:
        table: Forecasts, each model's once per task.
        observed: Outcomes, one per row; each round sees only those up to its origin.
        members: Models that take part.

    Returns:
        Forecasts of :data:`MEDIAN` and :data:`WEIGHTED`; none where no task has two members.
    """
    is_member = table.keys["model_id"].isin(list(members)).to_numpy()
    made = [_combined(part, *outcome) for _unit, part, outcome in by_unit(table.where(is_member), observed[is_member])]
    return stack(made) if made else QuantileTable(table.keys.iloc[:0], table.quantiles[:0])


def _combined(mine: QuantileTable, observed: FloatArray) -> QuantileTable:
    scored = grid(mine, observed)
    model, names = pd.factorize(mine.keys["model_id"])
    round_of, origins = pd.factorize(mine.keys["origin_date"])
    weights = np.stack([_weights(scored, pd.Timestamp(origin)).reindex(names) for origin in origins])
    logs = np.log1p(mine.quantiles)
    first, medians, means = [], [], []
    for places in mine.keys.groupby(TASK, sort=True).indices.values():
        if len(places) < FEWEST_MODELS:
            continue
        share = weights[round_of[places[0]], model[places]]
        share = np.where(np.isfinite(share), share, 1.0)  # without a record a model counts like the baseline
        first.append(places[0])
        medians.append(np.median(logs[places], axis=0))
        means.append(share @ logs[places] / share.sum())
    if not first:
        return QuantileTable(mine.keys.iloc[:0], mine.quantiles[:0])
    frame = mine.keys.iloc[first].reset_index(drop=True)[["model_id", *TASK, "target_end_date"]]
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

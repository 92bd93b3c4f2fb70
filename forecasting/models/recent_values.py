"""``vigie-recent-values``: what comes is as what came of late, at every horizon: no change, no season, no trend.

On log1p scale from nobody to a thousand is as far as from a thousand to a million. Models of changes that have seen the
one foresee the other too; the values themselves never held it. So where zeros lie among large numbers, and where days
scatter more than they lead on, the values say more than their changes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core import FloatArray
from core.languages import marked as _
from forecasting import LEVELS, RECENT_VALUES, History, Model, ModelCard
from forecasting.panel import Panel

HALF_LIFE = 12.0
"""Periods after which a value counts half."""
SOME_ZEROS, SHARE = 0.2, 0.15
"""Where more of the recent values than the first are zero, the second is the share of chances that they take."""


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on log1p scale, shape ``(H, 23)``, the same at each."""
    values = history.observed
    order = np.argsort(values, kind="stable")
    weights = 0.5 ** (np.arange(len(values))[::-1][order] / HALF_LIFE)
    passed = np.cumsum(weights)
    return np.tile(np.interp(LEVELS, (passed - weights / 2) / passed[-1], values[order]), (horizon, 1))


def share_of_recent_values(keys: pd.DataFrame, panel: Panel) -> FloatArray:
    """Share of chances that recent values take beside all other members, by values up to each forecast's origin.

    Args:
        keys: Columns ``origin_date`` and ``series_id``.
        panel: The series.

    Returns:
        Shares from 0 to 1, one per row; 0 where the origin is not on the panel's calendar.
    """
    known = panel.matrix.notna()
    zeros = panel.matrix.eq(0).astype(float).where(known).ewm(halflife=HALF_LIFE).mean().fillna(0.0).to_numpy()
    share = np.where(zeros > SOME_ZEROS, SHARE, 0.0)
    row, column = panel.places(keys["origin_date"], keys["series_id"])
    return np.where((row >= 0) & (column >= 0), share[row, column], 0.0)


MODEL = Model(
    model_id=RECENT_VALUES,
    version="1",
    predict=predict,
    card=ModelCard(
        title=_("Recent values"),
        summary=_(
            "The series' own past values, the newest counting most (half after twelve periods), taken for the "
            "distribution of what comes, the same at every horizon. In the ensemble it takes 15 in a hundred of "
            "the chances where more than one in five recent values is zero."
        ),
        source=(
            "Climatology, weighted exponentially; for demand with zeros the empirical distribution of Willemain, Smart "
            "and Schwarz 2004, Int. J. Forecasting 20(3)."
        ),
        weaknesses=_("Follows no trend and knows no season; what is new it learns late."),
    ),
)

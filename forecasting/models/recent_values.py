"""``vigie-recent-values``: what comes is as what came of late, at every horizon: no change, no season, no trend.

On log1p scale from nobody to a thousand is as far as from a thousand to a million. Models of changes that have seen the
one foresee the other too; the values themselves never held it. So where zeros lie among large numbers, and where days
scatter more than they lead on, the values say more than their changes.
"""

from __future__ import annotations

import numpy as np

from core import FloatArray
from core.calendar import Frequency
from core.languages import marked as _
from forecasting import LEVELS, RECENT_VALUES, History, Model, ModelCard
from forecasting.panel import Panel

HALF_LIFE = 12.0
"""Periods after which a value counts half. Of 12, 24 and 48 months, 8, 13 and 26 weeks and 14 and 28 days, on the same
panels as below: little hangs on it."""
BY_FREQUENCY: dict[Frequency, float] = {"D": 4.0, "W": 1.0, "M": 0.0, "Q": 0.0, "A": 0.0}
"""Odds against all other models where no zero was seen and outcomes have not told yet. Of 0, 1 and 4 on arrivals by day
and week in Italy and over the Channel, and of 0 and .25 by month and quarter."""
SELDOM = 0.25
ZEROS = 3.0
HIGHEST = 1.0
"""Odds that zeros give: by how much those of a zero among recent values exceed the first, times the second, squared,
but no more than the third. Of one, two and four times the odds, squared or not, to at most 1/2, 1, 2 and 4, on panels
of displacement, conflict and detections: where few zeros counted, the five routes lost up to one part in a hundred,
and above 1 detections on short panels lost more than displacement gained."""


def predict(history: History, horizon: int) -> FloatArray:
    """Quantiles at horizons 1..H on log1p scale, shape ``(H, 23)``, the same at each."""
    values = history.observed
    order = np.argsort(values, kind="stable")
    weights = 0.5 ** (np.arange(len(values))[::-1][order] / HALF_LIFE)
    passed = np.cumsum(weights)
    return np.tile(np.interp(LEVELS, (passed - weights / 2) / passed[-1], values[order]), (horizon, 1))


def odds_before_outcomes(panel: Panel) -> FloatArray:
    """How the model weighs against all others as long as outcomes have not told, by values up to each period.

    Returns:
        Odds of at least 0, periods × series.
    """
    known = panel.matrix.notna()
    zeros = panel.matrix.eq(0).astype(float).where(known).ewm(halflife=HALF_LIFE).mean().fillna(0.0).to_numpy()
    of_a_zero = zeros / np.maximum(1.0 - zeros, np.finfo(float).eps)
    of_zeros = np.square(ZEROS * np.maximum(of_a_zero - SELDOM, 0.0))
    return np.maximum(np.minimum(of_zeros, HIGHEST), BY_FREQUENCY[panel.freq])


MODEL = Model(
    model_id=RECENT_VALUES,
    version="1",
    predict=predict,
    seconds=0.0001,
    member=False,
    card=ModelCard(
        title=_("Recent values"),
        summary=_(
            "The series' own past values, the newest counting most (half after twelve periods), taken for the "
            "distribution of what comes, the same at every horizon. In the ensemble it weighs against all other models "
            "together where more than one in five recent values is zero, and in series by day or week: at first by how "
            "many are zero, then as outcomes tell."
        ),
        source=(
            "Climatology, weighted exponentially; for demand with zeros the empirical distribution of Willemain, Smart "
            "and Schwarz 2004, Int. J. Forecasting 20(3)."
        ),
        weaknesses=_("Follows no trend and knows no season; what is new it learns late."),
    ),
)

"""Do chances mean what they say? Of the months that were given 30 %, did the event come in three of ten?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from alerts.exceedance import ExceedanceRule
from alerts.ledger import Ranked, of_month, of_window
from alerts.past import Past
from alerts.training import ANY_MONTH
from core.quantiles import FloatArray
from forecasting.verification.bootstrap import ratio, share_interval, widened, with_interval

EDGES: FloatArray = np.array([0.0, 0.1, 0.25, 0.45, 0.65, 1.0])
"""Bins of the chance, narrow where most chances lie."""
COLUMNS = ["rule", "horizon", "bin_low", "bin_high", "chance", "came", "came_lo", "came_hi", "n"]


def reliability(past: Past, rule: ExceedanceRule, weights: FloatArray) -> pd.DataFrame:
    """Chances said against how often the event came, over all routes and calm origins.

    Args:
        past: What the rule said at past origins, and what came.
        rule: The rule.
        weights: How often each origin is drawn (:func:`forecasting.verification.bootstrap.draw_weights`).

    Returns:
        ``rule, horizon`` (0: any month of the window), ``bin_low, bin_high``, ``chance`` (mean said), ``came`` (share)
        with its interval ``came_lo, came_hi`` and ``n`` (months); one row per bin that holds a month.
    """
    rows: list[dict[str, object]] = []
    for horizon in range(past.chance.shape[2] + 1):
        ranked = of_window(past) if horizon == ANY_MONTH else of_month(past, horizon)
        rows += [{"rule": rule.rule, "horizon": horizon, **found} for found in _bins(ranked, weights)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _bins(ranked: Ranked, weights: FloatArray) -> list[dict[str, object]]:
    origin = np.nonzero(ranked.calm)[0]
    said, came = ranked.chance[ranked.calm], ranked.came[ranked.calm].astype(float)
    place = np.clip(np.searchsorted(EDGES, said, side="right") - 1, 0, len(EDGES) - 2)
    out: list[dict[str, object]] = []
    for number in np.unique(place):
        inside = place == number
        drawn = weights[:, origin[inside]]
        share = with_interval(ratio(drawn @ came[inside], drawn.sum(axis=1)))
        value, low, high = widened(share, share_interval(float(came[inside].sum()), float(inside.sum())))
        edges: dict[str, object] = {"bin_low": float(EDGES[number]), "bin_high": float(EDGES[number + 1])}
        mean = float(said[inside].mean())
        out.append(edges | {"chance": mean, "came": value, "came_lo": low, "came_hi": high, "n": int(inside.sum())})
    return out

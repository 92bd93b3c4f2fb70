"""Quantiles of counts lie near whole counts: of 2.4 persons the forecast can only be wrong.

Where outcomes are whole numbers, the expected weighted interval score of a quantile is straight between two of them, on
any scale, so the best place is always at one. Models that work on log scale put it in between. Here every quantile
moves to within a twentieth of the nearest whole count, on the side from which it came: what an interval holds stays
the same, and ranks of outcomes still tell of both sides. That is the jittering of Machado and Santos Silva 2005,
"Quantiles for Counts", Journal of the American Statistical Association 100(472), read backwards.

Publishers may round: Eurostat's asylum figures are multiples of five. The unit of a series at an origin is read from
what was known of it there; values that are no multiples of anything are left alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.quantiles import FloatArray
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable

UNITS = (5.0, 1.0)
"""What published counts are multiples of, the largest first."""
FEWEST_MULTIPLES = 24
"""Values above zero that must be seen before small counts that happen to be multiples are taken for rounded ones."""
MOST_EXCEPTIONS = 0.05
"""Share of a series' values that may be no multiples: a publisher's estimates, or the mean of neighbours."""
JITTER = 0.05
"""What is left of the distance to the nearest whole count."""


def near_whole(table: QuantileTable, panel: Panel) -> QuantileTable:
    """Move quantiles towards whole counts.

    Args:
        table: Forecasts. One from an origin that is not on the panel's calendar is left alone.
        panel: The series; for each origin only values up to it are used.

    Returns:
        The same rows. Quantiles keep their order; where the unit is 1 none moves by half a count or more.
    """
    rows = panel.end_dates.get_indexer(pd.Index(table.keys["origin_date"]))
    columns = panel.matrix.columns.get_indexer(pd.Index(table.keys["series_id"]))
    placed = (rows >= 0) & (columns >= 0)
    unit = np.where(placed, units(panel)[rows, columns], 0.0)[:, None]
    step = np.where(unit > 0, unit, 1.0)
    whole = step * np.floor(table.quantiles / step + 0.5)
    moved = whole + JITTER * (table.quantiles - whole)
    return QuantileTable(table.keys, np.where(unit > 0, np.maximum(moved, 0.0), table.quantiles))


def units(panel: Panel) -> FloatArray:
    """What every series' values up to each period are multiples of, periods × series; 0 where of nothing."""
    values = panel.matrix.to_numpy(dtype=float)
    known = np.isfinite(values)
    number = np.maximum(known.cumsum(axis=0), 1)
    above_zero = (known & (values > 0)).cumsum(axis=0)
    found = np.zeros(values.shape)
    for unit in UNITS:
        odd = known & (np.mod(np.where(known, values, 0.0), unit) != 0)
        fits = odd.cumsum(axis=0) <= MOST_EXCEPTIONS * number
        if unit > 1:
            fits &= above_zero >= FEWEST_MULTIPLES
        found = np.where((found == 0) & fits, unit, found)
    return found

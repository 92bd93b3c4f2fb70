"""A count outside of the interval that was issued a month before: has something changed that the forecast missed?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from alerts import FOLLOWED_MONTHS, WARNING, WATCH, Evidence, ObservedRule, Signal, counts_by_series, route_of
from core import QUANTILE_LEVELS, interval_levels
from core.languages import marked as _
from core.settings import AlertSettings

NAME = "outside_95"
COVERAGE = 0.95
MINIMUM = 50.0
"""Smallest distance between outcome and interval that means something, persons."""
_OUTERMOST = QUANTILE_LEVELS[0], QUANTILE_LEVELS[-1]


def signals(evidence: Evidence, _settings: AlertSettings) -> list[Signal]:
    """Each route's months with a forecast issued a month before; those outside of its interval have a level.

    The claim: the mean of the next three months lies beyond the same bound.
    """
    low, high = interval_levels(COVERAGE)
    counts = counts_by_series(evidence.panel)
    rows = evidence.backtest
    rows = rows[(rows["output_type"] == "quantile") & (rows["horizon"] == 1) & rows["series_id"].isin(counts.columns)]
    wide = rows.assign(level=rows["output_type_id"].round(4), month=pd.PeriodIndex(rows["target_end_date"], freq="M"))
    table = wide.pivot_table(index=["series_id", "month"], columns="level", values="value", observed=True)
    if not {low, high, *_OUTERMOST} <= set(table.columns):
        return []
    found = []
    for key, quantiles in zip(table.index, table[[*_OUTERMOST, low, high]].to_numpy(), strict=True):
        series_id, month = str(key[0]), key[1]
        route_id = route_of(series_id)
        if route_id is not None and np.isfinite(counts[series_id].get(month, np.nan)):
            found.append(_signal(counts[series_id], route_id, month, *quantiles))
    return found


def _signal(  # the month's outcome and the four bounds it is compared with
    counts: pd.Series, route_id: str, month: pd.Period, lowest: float, highest: float, lower: float, upper: float
) -> Signal:
    value = float(counts.loc[str(month)])
    after = counts.reindex(pd.period_range(month + 1, periods=FOLLOWED_MONTHS, freq="M"))
    mean = float(after.mean()) if after.notna().all() else np.nan
    quiet = Signal(rule=NAME, route_id=route_id, series_id=str(counts.name), month=month)
    above, distance = value > upper, max(value - upper, lower - value)
    if distance <= 0 or distance < MINIMUM:
        return quiet
    found = replace(
        quiet,
        threshold=upper if above else lower,
        confirmed=np.nan if np.isnan(mean) else float(mean > upper if above else mean < lower),
    )
    level = WARNING if value > highest or value < lowest else WATCH
    key = "outside_95_above" if above else "outside_95_below"
    return found.says(level, key, month, month=str(month), value=value, lower=lower, upper=upper)


RULE = ObservedRule(
    rule=NAME,
    title=_("Outside the 95% interval"),
    signals=signals,
    sentences={
        "outside_95_above": _("{month} counted {value}, above the {lower} to {upper} expected before."),
        "outside_95_below": _("{month} counted {value}, below the {lower} to {upper} expected before."),
    },
)

"""A count outside of the interval that was issued a month before: has something changed that the forecast missed?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alerts import thresholds
from alerts.levels import WARNING, WATCH
from alerts.signals import FOLLOWED_MONTHS, Signal
from core.quantiles import QUANTILE_LEVELS, interval_levels


@dataclass(frozen=True)
class MissRule:
    """The newest outcome lies outside of the interval that was issued a month before.

    A watch outside of ``coverage``; a warning outside of the outermost quantiles too.

    Attributes:
        coverage: Coverage of the interval.
        minimum: Smallest distance between outcome and interval that means something, persons.
    """

    rule: str = "outside_95"
    coverage: float = 0.95
    minimum: float = 50


MISS = MissRule()


def misses(backtest: pd.DataFrame, panel: pd.DataFrame) -> list[Signal]:
    """Each route's months with a forecast issued a month before; those outside of its interval have a level.

    The claim: the mean of the next three months lies beyond the same bound.

    Args:
        backtest: Past forecasts (``core.release.FORECASTS``), monthly.
        panel: Outcomes (``core.release.PANEL``).
    """
    low, high = interval_levels(MISS.coverage)
    counts = thresholds.by_route(panel)
    rows = backtest[(backtest["output_type"] == "quantile") & (backtest["horizon"] == 1)]
    rows = rows[rows["series_id"].isin(counts.columns)]
    wide = rows.assign(level=rows["output_type_id"].round(4), month=pd.PeriodIndex(rows["target_end_date"], freq="M"))
    table = wide.pivot_table(index=["series_id", "month"], columns="level", values="value", observed=True)
    if not {low, high, QUANTILE_LEVELS[0], QUANTILE_LEVELS[-1]} <= set(table.columns):
        return []
    pairs = zip(
        table.index.get_level_values(0).astype(str), pd.PeriodIndex(table.index.get_level_values(1)), strict=True
    )
    found = []
    for place, (series_id, month) in enumerate(pairs):
        route_id = thresholds.route_of(series_id)
        if route_id is not None and np.isfinite(counts[series_id].get(month, np.nan)):
            found.append(_judge(counts[series_id], route_id, month, table.iloc[place]))
    return found


def _judge(counts: pd.Series, route_id: str, month: pd.Period, quantiles: pd.Series) -> Signal:
    low, high = interval_levels(MISS.coverage)
    value, lower, upper = float(counts.loc[str(month)]), float(quantiles[low]), float(quantiles[high])
    above, distance = value > upper, max(value - upper, lower - value)
    quiet = Signal(MISS.rule, route_id, str(counts.name), month)
    if distance <= 0 or distance < MISS.minimum:
        return quiet
    outer = value > quantiles[QUANTILE_LEVELS[-1]] or value < quantiles[QUANTILE_LEVELS[0]]
    after = counts.reindex(pd.period_range(month + 1, periods=FOLLOWED_MONTHS, freq="M"))
    mean = float(after.mean()) if after.notna().all() else np.nan
    return Signal(
        MISS.rule,
        route_id,
        str(counts.name),
        month,
        level=WARNING if outer else WATCH,
        held=np.nan if np.isnan(mean) else float(mean > upper if above else mean < lower),
        reason_key="outside_95_above" if above else "outside_95_below",
        reason_params={"month": str(month), "value": value, "lower": lower, "upper": upper},
        threshold=upper if above else lower,
    )

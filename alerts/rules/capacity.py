"""Capacity: a month above the number that the reader has set for the route, or above a default."""

from __future__ import annotations

import pandas as pd

from alerts import RARE, ExceedanceRule, route_of, smallest
from core.languages import marked as _
from core.settings import AlertSettings

QUANTILE = 0.90
MONTHS = 36
FEWEST_MONTHS = 24


def threshold(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """The reader's number of each route, else the 90th percentile of the last 36 months where it is large enough."""
    usual = counts.rolling(MONTHS, min_periods=FEWEST_MONTHS).quantile(QUANTILE)
    found = usual.where(usual >= smallest(settings))
    for series_id in counts.columns:
        if (own := own_number(str(series_id), settings)) is not None:
            found[series_id] = own
    return found


def own_number(series_id: str, settings: AlertSettings) -> float | None:
    """The number that the reader has set for a series' route; None where there is none."""
    return settings.thresholds.get(route_of(series_id) or series_id)


def _say(series_id: str, settings: AlertSettings) -> tuple[str, dict[str, float]]:
    return "capacity_default" if own_number(series_id, settings) is None else "capacity_own", {}


RULE = ExceedanceRule(
    rule="capacity",
    title=_("Above the usual high"),
    compares=">",
    threshold=threshold,
    costs=RARE,
    say=_say,
    sentences={
        "capacity_own": _("{word} ({chance}) to pass the capacity of {threshold} a month, {when}."),
        "capacity_default": _("{word} ({chance}) to pass {threshold} a month, the usual high, {when}."),
    },
)

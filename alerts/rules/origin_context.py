"""Context in countries of origin: conflict deaths or displacement unusual for a country where people are from.

Context, not cause. On the routes measured, drivers gave no evidence of better forecasts (``data/driver_tests.csv``).
This rule merely informs, changes no forecast, and shows how often arrivals did rise after it, beside how often they
rise anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from alerts import WATCH, Evidence, ObservedRule, Signal, counts_by_series, route_of
from alerts.rules import surge
from alerts.rules.nationality_shift import UNKNOWN, by_month
from core.languages import marked as _
from core.settings import AlertSettings

NAME = "origin_context"
INDICATORS = (("conflict_deaths", 100.0), ("new_displacement", 10_000.0))
"""What is watched, with the smallest three-month sum that means something."""
MOST = 5_000_000
"""Sums above this are taken for an error of the source, not for news."""
RECENT, PAST, FEWEST = 3, 36, 24
"""Months of the sum, months before that it is compared with, and earlier sums needed."""
SHARE, SHARE_MONTHS = 0.05, 12
"""Smallest share of a nationality on a route that links country and route, and the months over which it is taken."""
OLDEST = 12
"""Age in months beyond which figures by nationality link nothing."""
FOLLOWED = 6
"""Months after it in which arrivals are looked at for the record."""


def signals(evidence: Evidence, settings: AlertSettings) -> list[Signal]:
    """Each route's months with figures by nationality; those with unusual context have a level.

    Not a claim, a count: did a month far above the trailing mean follow within half a year?
    """
    drivers, by_citizen = evidence.drivers, evidence.by_citizen
    if drivers.empty or by_citizen.empty:
        return []
    shocks = {target: _shocks(drivers[drivers["target"] == target], least) for target, least in INDICATORS}
    counts = counts_by_series(evidence.panel)
    return [
        signal
        for series_id in counts.columns
        if (route_id := route_of(str(series_id))) is not None
        for signal in _route(route_id, counts[[series_id]], by_citizen, shocks, settings)
    ]


def _shocks(rows: pd.DataFrame, least: float) -> pd.DataFrame:
    """Three-month sums of each country where they are the highest of three years and large enough; NaN elsewhere."""
    if rows.empty:
        return pd.DataFrame()
    sums = by_month(rows, "geo").rolling(RECENT).sum()
    highest = sums.shift(RECENT).rolling(PAST, min_periods=FEWEST).max()
    return sums.where((sums > highest) & (sums >= least) & (sums <= MOST))


def _shares(route_id: str, by_citizen: pd.DataFrame, months: pd.PeriodIndex) -> pd.DataFrame:
    """Each nationality's share of a route over the newest twelve months known in each month."""
    rows = by_citizen[(by_citizen["route_id"] == route_id) & ~by_citizen["citizen"].isin(UNKNOWN)]
    if rows.empty:
        return pd.DataFrame()
    sums = by_month(rows, "citizen", absent=0.0).rolling(SHARE_MONTHS).sum()
    whole = sums.sum(axis=1).where(lambda total: total >= 1)
    return sums.div(whole, axis=0).reindex(months).ffill(limit=OLDEST)


def _route(
    route_id: str,
    counts: pd.DataFrame,
    by_citizen: pd.DataFrame,
    shocks: dict[str, pd.DataFrame],
    settings: AlertSettings,
) -> Iterator[Signal]:
    last = max((frame.index.max() for frame in shocks.values() if len(frame)), default=counts.index.max())
    months = pd.period_range(counts.index.min(), max(last, counts.index.max()), freq="M")
    if (shares := _shares(route_id, by_citizen, months)).empty:
        return
    series_id = str(counts.columns[0])
    limits = surge.threshold(counts, settings)[series_id]
    for place in np.flatnonzero(shares.notna().any(axis=1)):
        month = months[int(place)]
        confirmed = _followed(counts[series_id], float(limits.get(month, np.nan)), month)
        quiet = Signal(rule=NAME, route_id=route_id, series_id=series_id, month=month, confirmed=confirmed)
        if (found := _largest(month, shares.iloc[place], shocks)) is None:
            yield quiet
            continue
        target, citizen, share, value = found
        yield quiet.says(WATCH, f"origin_{target}", month - (RECENT - 1), citizen=citizen, share=share, value=value)


def _largest(
    month: pd.Period, shares: pd.Series, shocks: dict[str, pd.DataFrame]
) -> tuple[str, str, float, float] | None:
    """The unusual context of the nationality with the largest share on the route."""
    feeding = shares[shares >= SHARE].sort_values(ascending=False)
    for citizen, share in zip(feeding.index.astype(str), feeding.to_numpy(dtype=float), strict=True):
        for target, frame in shocks.items():
            value = float(frame[citizen].get(month, np.nan)) if citizen in frame.columns else np.nan
            if value > 0:
                return target, citizen, float(share), value
    return None


def _followed(counts: pd.Series, limit: float, month: pd.Period) -> float:
    after = counts.reindex(pd.period_range(month + 1, periods=FOLLOWED, freq="M"))
    if np.isnan(limit) or after.isna().any() or counts.get(month, np.inf) >= limit:
        return float("nan")
    return float((after >= limit).any())


RULE = ObservedRule(
    rule=NAME,
    title=_("Context in a country of origin"),
    signals=signals,
    followed=FOLLOWED,
    informs=True,
    sentences={
        "origin_conflict_deaths": _("{citizen}: {value} conflict deaths in 3 months, the highest in 3 years."),
        "origin_new_displacement": _("{citizen}: {value} new displacements in 3 months, the highest in 3 years."),
    },
)

"""Context in countries of origin: conflict deaths or displacement unusual for a country where people are from.

Context, not cause. On the routes measured, drivers gave no evidence of better forecasts (docs/benchmarks.md), so this
rule never says more than a watch, changes no forecast, and shows how often arrivals did rise after it, beside how often
they rise anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alerts import thresholds
from alerts.composition import UNKNOWN
from alerts.levels import WATCH
from alerts.signals import Signal
from core.calendar import period_index
from core.settings import AlertSettings


@dataclass(frozen=True)
class ShockRule:
    """Three months in a country of origin were the worst of three years.

    Attributes:
        indicators: What is watched, with the smallest three-month sum that means something.
        most: Sums above this are taken for an error of the source, not for news.
        recent: Months of the sum.
        past: Months before that it is compared with.
        fewest: Earlier sums needed.
        share: Smallest share of a nationality on a route that links country and route.
        share_months: Months over which the share is taken.
        oldest: Age in months beyond which figures by nationality link nothing.
        ahead: Months after it in which arrivals are looked at for the record.
    """

    rule: str = "origin_context"
    indicators: tuple[tuple[str, float], ...] = (("conflict_deaths", 100.0), ("new_displacement", 10_000.0))
    most: float = 5_000_000
    recent: int = 3
    past: int = 36
    fewest: int = 24
    share: float = 0.05
    share_months: int = 12
    oldest: int = 12
    ahead: int = 6


SHOCK = ShockRule()


def contexts(
    drivers: pd.DataFrame, by_citizen: pd.DataFrame, panel: pd.DataFrame, settings: AlertSettings
) -> list[Signal]:
    """Each route's months with figures by nationality; those with unusual context have a level.

    Not a claim, a count: did a month far above the trailing mean follow within half a year?

    Args:
        drivers: Monthly indicators of countries: ``target, geo, time_period, value``.
        by_citizen: Monthly counts ``route_id, citizen, series_id, time_period, value``.
        panel: Monthly totals of the routes (``core.release.PANEL``).
        settings: What counts as far above.
    """
    if drivers.empty or by_citizen.empty:
        return []
    shocks = {target: _shocks(drivers[drivers["target"] == target], least) for target, least in SHOCK.indicators}
    counts = thresholds.by_route(panel)
    return [
        signal
        for series_id in counts.columns
        if (route_id := thresholds.route_of(str(series_id))) is not None
        for signal in _route(route_id, counts[[series_id]], by_citizen, shocks, settings)
    ]


def _shocks(rows: pd.DataFrame, least: float) -> pd.DataFrame:
    """Three-month sums of each country where they are the highest of three years and large enough; NaN elsewhere."""
    if rows.empty:
        return pd.DataFrame()
    wide = rows.assign(month=period_index(rows["time_period"], "M")).pivot_table(
        index="month", columns="geo", values="value", aggfunc="sum"
    )
    wide = wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), freq="M"))
    sums = wide.rolling(SHOCK.recent).sum()
    highest = sums.shift(SHOCK.recent).rolling(SHOCK.past, min_periods=SHOCK.fewest).max()
    return sums.where((sums > highest) & (sums >= least) & (sums <= SHOCK.most))


def _shares(route_id: str, by_citizen: pd.DataFrame, months: pd.PeriodIndex) -> pd.DataFrame:
    """Each nationality's share of a route over the newest twelve months known in each month."""
    rows = by_citizen[(by_citizen["route_id"] == route_id) & ~by_citizen["citizen"].isin(UNKNOWN)]
    if rows.empty:
        return pd.DataFrame()
    wide = rows.assign(month=period_index(rows["time_period"], "M")).pivot_table(
        index="month", columns="citizen", values="value", aggfunc="sum", fill_value=0.0
    )
    sums = wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), freq="M")).rolling(SHOCK.share_months).sum()
    whole = sums.sum(axis=1).where(lambda total: total >= 1)
    return sums.div(whole, axis=0).reindex(months).ffill(limit=SHOCK.oldest)


def _route(
    route_id: str,
    counts: pd.DataFrame,
    by_citizen: pd.DataFrame,
    shocks: dict[str, pd.DataFrame],
    settings: AlertSettings,
) -> Iterator[Signal]:
    last = max((frame.index.max() for frame in shocks.values() if len(frame)), default=counts.index.max())
    months = pd.period_range(counts.index.min(), max(last, counts.index.max()), freq="M")
    shares = _shares(route_id, by_citizen, months)
    if shares.empty:
        return
    series_id = str(counts.columns[0])
    limits = thresholds.surge(counts, settings)[series_id]
    for place in np.flatnonzero(shares.notna().any(axis=1)):
        month = months[int(place)]
        held = _followed(counts[series_id], float(limits.get(month, np.nan)), month)
        quiet = Signal(SHOCK.rule, route_id, series_id, month, held=held)
        found = _largest(month, shares.iloc[place], shocks)
        if found is None:
            yield quiet
            continue
        target, citizen, share, value = found
        yield Signal(
            SHOCK.rule, route_id, series_id, month, level=WATCH, held=held, reason_key=f"origin_{target}",
            reason_params={"citizen": citizen, "share": share, "value": value}, since=month - (SHOCK.recent - 1),
        )  # fmt: skip


def _largest(
    month: pd.Period, shares: pd.Series, shocks: dict[str, pd.DataFrame]
) -> tuple[str, str, float, float] | None:
    """The unusual context of the nationality with the largest share on the route."""
    feeding = shares[shares >= SHOCK.share].sort_values(ascending=False)
    for citizen, share in zip(feeding.index.astype(str), feeding.to_numpy(dtype=float), strict=True):
        for target, frame in shocks.items():
            value = float(frame[citizen].get(month, np.nan)) if citizen in frame.columns else np.nan
            if value > 0:
                return target, citizen, float(share), value
    return None


def _followed(counts: pd.Series, limit: float, month: pd.Period) -> float:
    after = counts.reindex(pd.period_range(month + 1, periods=SHOCK.ahead, freq="M"))
    if np.isnan(limit) or after.isna().any() or counts.get(month, np.inf) >= limit:
        return float("nan")
    return float((after >= limit).any())

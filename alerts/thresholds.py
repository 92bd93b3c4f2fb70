"""Numbers to be passed, per route and month: each uses only what was counted up to that month.

Every function takes monthly counts, one column per route, on an index without gaps (:func:`by_route`), and returns a
frame of the same shape: the number to be passed in the months after each row. NaN where it is not defined.
"""

from __future__ import annotations

import pandas as pd

from core.calendar import period_index
from core.routes import is_route
from core.schema import ALL, TARGETS
from core.settings import AlertSettings

CAPACITY_QUANTILE = 0.90
CAPACITY_MONTHS = 36
CAPACITY_FEWEST_MONTHS = 24
YEAR = 12
LOWEST_MONTHS = 24
"""A fall is below the same season of two years."""


def route_of(series_id: str) -> str | None:
    """The route whose monthly total a series is; None for every other series."""
    parts = series_id.split(".")
    if len(parts) != 5:
        return None
    target, route_id, geo, citizen, freq = parts
    total = target in TARGETS and (geo, citizen, freq) == (ALL, ALL, "M")
    return route_id if total and is_route(route_id) else None


def by_route(panel: pd.DataFrame) -> pd.DataFrame:
    """Monthly outcomes as one column per series, on every month from the first to the last.

    Args:
        panel: A frame that keeps ``core.release.PANEL``, monthly.
    """
    months = period_index(panel["time_period"], "M")
    wide = panel.assign(_month=months).pivot_table(index="_month", columns="series_id", values="value", observed=True)
    if wide.empty:
        return wide
    return wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), freq="M"))


def surge(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """A multiple of the trailing 12-month mean, where that mean is large enough to mean something."""
    mean = counts.rolling(YEAR).mean()
    return settings.surge_factor * mean.where(mean >= max(settings.surge_minimum, 1))


def fall(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """A fraction of the trailing 12-month mean or the lowest of 24 months, whichever is less, for a large enough mean.

    Without the second, every winter of a seasonal route would be a fall.
    """
    mean = counts.rolling(YEAR).mean()
    fraction = settings.fall_factor * mean.where(mean >= max(settings.surge_minimum, 1))
    lowest = counts.rolling(LOWEST_MONTHS).min()
    return fraction.where(fraction < lowest, lowest).where(fraction.notna())


def highest_in(months: int, counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """The highest of the last ``months`` months, where it is no smaller than the smallest mean of a surge."""
    highest = counts.rolling(months).max()
    return highest.where(highest >= max(settings.surge_minimum, 1))


def default_capacity(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """What stands in for a capacity nobody has set: the 90th percentile of the last 36 months."""
    rolling = counts.rolling(CAPACITY_MONTHS, min_periods=CAPACITY_FEWEST_MONTHS)
    usual = rolling.quantile(CAPACITY_QUANTILE)
    return usual.where(usual >= max(settings.surge_minimum, 1))


def capacity(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """The reader's number of each route, else :func:`default_capacity`."""
    found = default_capacity(counts, settings)
    for series_id in counts.columns:
        own = own_capacity(str(series_id), settings)
        if own is not None:
            found[series_id] = own
    return found


def own_capacity(series_id: str, settings: AlertSettings) -> float | None:
    """The number that the reader has set for a series' route; None where there is none."""
    return settings.thresholds.get(route_of(series_id) or series_id)

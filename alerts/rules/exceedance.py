"""The rules about the months ahead: surge, fall, record and capacity."""

from __future__ import annotations

import pandas as pd

from alerts.levels import COMMON, RARE, LevelCosts
from alerts.rules.base import ExceedanceRule, large_enough_mean, route_of, smallest
from core.languages import marked as _
from core.settings import AlertSettings

FALL_MONTHS = 24
CAPACITY_QUANTILE = 0.90
CAPACITY_MONTHS, CAPACITY_FEWEST = 36, 24
"""Months over which the default capacity is taken, and the fewest of them."""


def _minimum(settings: AlertSettings) -> str:
    return f"{settings.surge_minimum:g} a month"


def surge_threshold(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """A multiple of the trailing 12-month mean, where that mean is large enough to mean something."""
    return settings.surge_factor * large_enough_mean(counts, settings)


SURGE = ExceedanceRule(
    rule="surge",
    event=lambda settings: f"a month of at least {settings.surge_factor:g} times the mean of the last 12",
    minimum=_minimum,
    compares=">=",
    threshold=surge_threshold,
    costs=RARE,
    say=lambda _series_id, settings: ("surge", {"factor": settings.surge_factor}),
    sentences={"surge": _("{word} ({chance}) to pass {threshold}, {factor}× the 12-month mean, {when}.")},
)


def fall_threshold(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """A fraction of the trailing 12-month mean or the lowest of 24 months, whichever is less, for a large enough mean.

    Without the second, every winter of a seasonal route would be a fall.
    """
    fraction = settings.fall_factor * large_enough_mean(counts, settings)
    lowest = counts.rolling(FALL_MONTHS).min()
    return fraction.where(fraction < lowest, lowest).where(fraction.notna())


FALL = ExceedanceRule(
    rule="fall",
    event=lambda settings: (
        f"a month of at most {settings.fall_factor:g} times the mean of the last 12, and no higher than any of the "
        f"last {FALL_MONTHS}"
    ),
    minimum=_minimum,
    compares="<=",
    threshold=fall_threshold,
    costs=COMMON,
    sentences={"fall": _("{word} ({chance}) to fall to {threshold}, lowest in 24 months, {when}.")},
)


def _record(months: int, costs: LevelCosts, sentence: str) -> ExceedanceRule:
    def threshold(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
        highest = counts.rolling(months).max()
        return highest.where(highest >= smallest(settings))

    return ExceedanceRule(
        rule=f"record_{months}",
        event=lambda _settings: f"a month above the highest of the last {months}",
        minimum=_minimum,
        compares=">",
        threshold=threshold,
        costs=costs,
        sentences={f"record_{months}": sentence},
    )


RECORD_12 = _record(12, COMMON, _("{word} ({chance}) to pass {threshold}, the highest of 12 months, {when}."))
RECORD_36 = _record(36, RARE, _("{word} ({chance}) to pass {threshold}, the highest of 36 months, {when}."))


def capacity_threshold(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """The reader's number of each route, else the 90th percentile of the last 36 months where it is large enough."""
    default = counts.rolling(CAPACITY_MONTHS, min_periods=CAPACITY_FEWEST).quantile(CAPACITY_QUANTILE)
    found = default.where(default >= smallest(settings))
    for series_id in counts.columns:
        own = _own_number(str(series_id), settings)
        if own is not None:
            found[series_id] = own
    return found


def _own_number(series_id: str, settings: AlertSettings) -> float | None:
    """The number that the reader has set for a series' route; None where there is none."""
    return settings.thresholds.get(route_of(series_id) or series_id)


def _say_capacity(series_id: str, settings: AlertSettings) -> tuple[str, dict[str, float]]:
    return "capacity_default" if _own_number(series_id, settings) is None else "capacity_own", {}


CAPACITY = ExceedanceRule(
    rule="capacity",
    event=lambda _settings: (
        f"a month above the number set for the route, else the {CAPACITY_QUANTILE:.0%} quantile of "
        f"{CAPACITY_MONTHS} months"
    ),
    minimum=_minimum,
    compares=">",
    threshold=capacity_threshold,
    costs=RARE,
    say=_say_capacity,
    sentences={
        "capacity_own": _("{word} ({chance}) to pass your number, {threshold} a month, {when}."),
        "capacity_default": _("{word} ({chance}) to pass {threshold} a month, reached in 1 month of 10, {when}."),
    },
)

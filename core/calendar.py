"""Periods, origins and horizons.

A period is written as SDMX writes it: ``2024`` (A), ``2024-Q4`` (Q), ``2024-12`` (M), ``2024-W05`` (W, ISO
weeks), ``2024-12-31`` (D). Inside, every period is known by its last day.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Literal, get_args

import pandas as pd

from core.errors import InputError

Frequency = Literal["D", "W", "M", "Q", "A"]
FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)
PERIODS_PER_YEAR: dict[Frequency, int] = {"D": 365, "W": 52, "M": 12, "Q": 4, "A": 1}
MONTHS_EACH = {"M": 1, "Q": 3, "A": 12}
"""Months that one figure covers, by frequency; days and weeks are not among them."""
_PANDAS: dict[Frequency, str] = {"D": "D", "W": "W-SUN", "M": "M", "Q": "Q-DEC", "A": "Y-DEC"}
_LAYOUT: dict[Frequency, re.Pattern[str]] = {
    "A": re.compile(r"\d{4}"),
    "Q": re.compile(r"\d{4}-?Q[1-4]"),
    "M": re.compile(r"\d{4}-\d{2}"),
    "W": re.compile(r"\d{4}-W\d{2}"),
    "D": re.compile(r"\d{4}-\d{2}-\d{2}"),
}


def is_month(period: str) -> bool:
    """Whether a period is a month, ``2025-01``: quarters are as long, ``2025-Q1``."""
    return re.fullmatch(r"\d{4}-\d{2}", period) is not None


def frequency_of(time_period: str) -> Frequency:
    """Return the frequency that a period's notation implies.

    Raises:
        InputError: The text follows none of the five layouts.
    """
    for freq, layout in _LAYOUT.items():
        if layout.fullmatch(time_period):
            return freq
    raise InputError(f"'{time_period}' is not a period: write 2024, 2024-Q4, 2024-12, 2024-W05 or 2024-12-31")


@lru_cache(maxsize=4096)
def to_period(time_period: str, freq: Frequency) -> pd.Period:
    """Read one written period.

    Raises:
        InputError: The text is not a period of that frequency, or names an impossible date.
    """
    if not _LAYOUT[freq].fullmatch(time_period):
        raise InputError(f"'{time_period}' is not a period of frequency {freq}")
    try:
        if freq == "W":
            sunday = dt.date.fromisocalendar(int(time_period[:4]), int(time_period[6:]), 7)
            return pd.Period(sunday, freq="W-SUN")
        return pd.Period(time_period.replace("-Q", "Q"), freq=_PANDAS[freq])
    except ValueError as error:
        raise InputError(f"'{time_period}' is an impossible period: {error}") from None


def write_period(period: pd.Period, freq: Frequency) -> str:
    """Write one period as SDMX does."""
    if freq == "W":
        year, week, _ = period.end_time.isocalendar()
        return f"{year}-W{week:02d}"
    return str(period).replace("Q", "-Q") if freq == "Q" else str(period)


def period_index(time_periods: pd.Series, freq: Frequency) -> pd.PeriodIndex:
    """Read a column of written periods into a period index of the same length.

    Raises:
        InputError: One of them is not a period of that frequency.
    """
    unique = {text: to_period(text, freq) for text in pd.unique(time_periods.astype(str))}
    return pd.PeriodIndex([unique[text] for text in time_periods.astype(str)], freq=_PANDAS[freq])


def end_dates(time_periods: pd.Series, freq: Frequency) -> pd.Series:
    """Last day of each written period, as midnight timestamps with the same index."""
    index = period_index(time_periods, freq)
    return pd.Series(index.end_time.normalize(), index=time_periods.index)


def last_complete_period(as_of: dt.date, freq: Frequency) -> pd.Period:
    """Newest period whose last day is not after ``as_of``."""
    period = pd.Period(as_of, freq=_PANDAS[freq])
    return period if period.end_time.date() <= as_of else period - 1


PLANNING_MONTHS = 3
"""Long enough to make places ready, short enough to have shown skill."""


def planning_window(as_of: dt.date) -> pd.PeriodIndex:
    """The months that a release made on ``as_of`` helps to plan: the next three full ones, none of them begun.

    Alerts, headlines, scenarios, charts and files all speak of these months.

    Returns:
        Monthly periods of length :data:`PLANNING_MONTHS`, ascending.
    """
    return pd.period_range(pd.Period(as_of, freq="M") + 1, periods=PLANNING_MONTHS, freq="M")


def target_end_date(origin_date: dt.date, horizon: int, freq: Frequency) -> dt.date:
    """Last day of the period ``horizon`` periods after the one that ends at ``origin_date``."""
    end: dt.date = (pd.Period(origin_date, freq=_PANDAS[freq]) + horizon).end_time.date()
    return end


def pandas_frequency(freq: Frequency) -> str:
    """The pandas alias of a frequency (weeks end on Sunday, quarters in December)."""
    return _PANDAS[freq]


LARGEST_SKEW = dt.timedelta(hours=1)
"""How far two sound clocks may differ; beyond, one of them is or was wrong."""


def is_ahead(time: dt.datetime, now: dt.datetime) -> bool:
    """Whether a past time lies in the future, so that the clock that gave it was wrong, or this one went back."""
    return time > now + LARGEST_SKEW

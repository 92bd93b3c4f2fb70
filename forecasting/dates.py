"""Infer the calendar of a panel from its dates.

Dates follow a pattern where each lies at the same place of its period: the same weekday, the same day of each month
(the last one where a month is shorter), of each third month, or of each year.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.calendar import FREQUENCIES, MONTHS_EACH, Frequency, pandas_frequency
from core.errors import InputError
from core.log import counted
from forecasting import BoolArray

_MOST_EMPTY = 0.5
"""Share of periods without a date above which dates do not establish a calendar."""
_MOST_OFF = 0.2
"""Share of dates off a pattern up to which they are named as errors in it."""
_MOST_NAMED = 5
_LAST_DAYS = ("SUN", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
"""Last day of a week whose date is a Monday, a Tuesday, and so on."""
_ADVERBS: dict[Frequency, str] = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly", "A": "yearly"}


def calendar_name(periods: pd.PeriodIndex, freq: Frequency) -> str:
    """Return the name of a calendar: ``monthly``, or ``weekly, ending Sunday``."""
    return f"weekly, ending {periods[0].end_time.day_name()}" if freq == "W" else _ADVERBS[freq]


def periods_of(days: pd.DatetimeIndex, freq: Frequency) -> pd.PeriodIndex:
    """Return the period of each date.

    Weeks are named by their last day, except Mondays, the first day of ISO weeks. The most frequent weekday decides.
    """
    if freq != "W":
        return days.to_period(pandas_frequency(freq))
    weekday = int(np.bincount(days.weekday).argmax())
    return days.to_period(f"W-{_LAST_DAYS[weekday]}")


def off_pattern(days: pd.DatetimeIndex, freq: Frequency) -> BoolArray:
    """Return which dates lie at another place of their period than most dates."""
    if freq == "D":
        return np.zeros(len(days), dtype=bool)
    if freq == "W":
        weekday = np.asarray(days.weekday)
        return np.asarray(weekday != np.bincount(weekday).argmax())
    day, length = np.asarray(days.day), np.asarray(days.days_in_month)
    month = np.asarray(days.month - 1) % MONTHS_EACH[freq]
    places = pd.unique(pd.MultiIndex.from_arrays([month, day]))
    found = [(month != one) | (day != np.minimum(other, length)) for one, other in places]
    return np.asarray(min(found, key=np.sum))


def infer_frequency(days: pd.DatetimeIndex) -> Frequency:
    """Return the frequency of dates.

    All dates keep one pattern, most steps between them are one period, and at most half of the periods are empty. No
    dates satisfy this for two frequencies.

    Args:
        days: Distinct dates, ascending.

    Raises:
        InputError: No frequency satisfies this; the text names the dates that contradict the nearest one.
    """
    for freq in FREQUENCIES:
        if not off_pattern(days, freq).any() and _is_regular(periods_of(days, freq)):
            return freq
    raise InputError(
        f"{_contradiction(days)}; correct the dates, or choose their frequency with --freq D, W, M, Q or A"
    )


def listed_dates(days: pd.DatetimeIndex) -> str:
    """Return dates as text, the first five by name."""
    return listed(days.strftime("%Y-%m-%d").tolist(), _MOST_NAMED)


def listed(names: Sequence[str], most: int | None, count: int = 0) -> str:
    """Return names as text, ``most`` of them at most, and how many of ``count`` (by default all given) remain."""
    shown = names if most is None else names[:most]
    rest = max(count, len(names)) - len(shown)
    return f"{', '.join(shown)}{f' and {rest:,} more' if rest else ''}"


def _is_regular(periods: pd.PeriodIndex) -> bool:
    ordinals = np.unique(periods.asi8)
    steps = np.diff(ordinals)
    return bool(len(steps) and (steps == 1).mean() >= 0.5 and len(ordinals) >= _MOST_EMPTY * (np.ptp(ordinals) + 1))


def _contradiction(days: pd.DatetimeIndex) -> str:
    if len(days) == 1:
        return f"the only date, {listed_dates(days)}, does not show a frequency"
    if off := {freq: off_pattern(days, freq) for freq in FREQUENCIES[1:] if _is_regular(periods_of(days, freq))}:
        nearest = min(off, key=lambda freq: int(off[freq].sum()))
        if off[nearest].mean() <= _MOST_OFF:
            kept = listed_dates(days[~off[nearest]][:2])
            return (
                f"dates are {_ADVERBS[nearest]} ({kept}, …) except {int(off[nearest].sum())} of {len(days):,}: "
                f"{listed_dates(days[off[nearest]])}"
            )
    steps = np.diff(days).astype("timedelta64[D]").astype(int)
    widest = int(steps.argmax())
    usual = counted(int(np.bincount(steps).argmax()), "day")
    return (
        f"{len(days):,} dates from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d} do not show a frequency: the most "
        f"frequent step is {usual}, the widest is from {days[widest]:%Y-%m-%d} to {days[widest + 1]:%Y-%m-%d}"
    )

"""Dates as compiled R tables write them."""

from __future__ import annotations

import pandas as pd


def month_of_epoch_days(days: pd.Series) -> pd.Series:
    """Months whose first day is given as days since 1970-01-01.

    Args:
        days: Numbers.

    Returns:
        Monthly periods with the same index; NaT where the number is missing, absurd or no first day of a month.
    """
    numbers = pd.to_numeric(days, errors="coerce").astype(float)
    plausible = numbers.where((numbers.abs() < 100_000) & (numbers % 1 == 0))
    dates = pd.Timestamp("1970-01-01") + pd.to_timedelta(plausible, unit="D")
    return dates.where(dates.dt.day == 1).dt.to_period("M")

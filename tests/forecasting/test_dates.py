from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import Frequency
from core.errors import InputError
from forecasting.dates import calendar_name, infer_frequency, periods_of

STARTS = st.dates(dt.date(1800, 1, 1), dt.date(2100, 12, 31))
STEPS: dict[Frequency, Callable[[int], pd.DateOffset]] = {
    "D": lambda count: pd.DateOffset(days=count),
    "W": lambda count: pd.DateOffset(weeks=count),
    "M": lambda count: pd.DateOffset(months=count),
    "Q": lambda count: pd.DateOffset(months=3 * count),
    "A": lambda count: pd.DateOffset(years=count),
}


def dates(start: dt.date, freq: Frequency, places: list[int]) -> pd.DatetimeIndex:
    """Dates some periods of a frequency after a date, at the same day as far as months have it."""
    return pd.DatetimeIndex([pd.Timestamp(start) + STEPS[freq](place) for place in places])


@given(STARTS, st.sampled_from([*STEPS]), st.integers(2, 60))
def test_constant_steps_from_any_day_show_their_frequency(start: dt.date, freq: Frequency, count: int) -> None:
    days = dates(start, freq, [*range(count)])
    assert infer_frequency(days) == freq
    assert len(periods_of(days, freq).unique()) == count


@given(STARTS, st.integers(6, 40), st.data())
def test_one_mistyped_date_of_months_is_refused_by_name(start: dt.date, count: int, data: st.DataObject) -> None:
    days = dates(start.replace(day=1), "M", [*range(count)])
    place = data.draw(st.integers(0, count - 1))
    wrong = days[place] + pd.Timedelta(days=data.draw(st.integers(1, 27)))
    with pytest.raises(InputError, match=f"except 1 of {count}: {wrong:%Y-%m-%d}; correct the dates"):
        infer_frequency(days.delete(place).insert(place, wrong))


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (["2020-01-01"], "the only date, 2020-01-01, does not show a frequency"),
        (["2020-01-01", "2020-01-15", "2020-01-29"], "the most frequent step is 14 days"),
        (["2020-01-01", "2020-07-01", "2021-01-01"], "do not show a frequency"),
        (["2020-01-01", "2020-01-02", "2020-01-03", "2200-01-03"], "the widest is from 2020-01-03 to 2200-01-03"),
    ],
)
def test_dates_without_frequency_are_refused(days: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        infer_frequency(pd.DatetimeIndex(days))


@pytest.mark.parametrize(
    ("first", "name", "end"),
    [
        ("2024-01-01", "weekly, ending Sunday", "2024-01-07"),
        ("2024-01-06", "weekly, ending Saturday", "2024-01-06"),
        ("2024-01-07", "weekly, ending Sunday", "2024-01-07"),
    ],
)
def test_weeks_begin_on_monday_dates_and_end_on_others(first: str, name: str, end: str) -> None:
    periods = periods_of(pd.date_range(first, periods=3, freq="7D"), "W")
    assert calendar_name(periods, "W") == name
    assert periods[0].end_time.normalize() == pd.Timestamp(end)

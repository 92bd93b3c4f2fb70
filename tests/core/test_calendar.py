from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import calendar
from core.errors import InputError

DATES = st.dates(min_value=dt.date(1980, 1, 1), max_value=dt.date(2100, 12, 31))


@pytest.mark.parametrize(
    ("text", "freq"), [("2024", "A"), ("2024-Q4", "Q"), ("2024-12", "M"), ("2024-W05", "W"), ("2024-12-31", "D")]
)
def test_period_reports_its_frequency_by_its_layout(text: str, freq: calendar.Frequency) -> None:
    assert calendar.frequency_of(text) == freq
    assert calendar.write_period(calendar.to_period(text, freq), freq) == text


@pytest.mark.parametrize("text", ["", "12-2024", "2024/12", "Dec 2024", "2024-1", "2024-W5", "20241231"])
def test_text_of_no_known_layout_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a period"):
        calendar.frequency_of(text)


@pytest.mark.parametrize(
    ("text", "freq"), [("2024-13", "M"), ("2024-04-31", "D"), ("2023-W53", "W"), ("2023-02-29", "D")]
)
def test_impossible_date_is_refused(text: str, freq: calendar.Frequency) -> None:
    with pytest.raises(InputError, match="impossible"):
        calendar.to_period(text, freq)


@given(DATES, st.sampled_from(calendar.FREQUENCIES))
def test_writing_and_reading_period_returns_it(date: dt.date, freq: calendar.Frequency) -> None:
    period = pd.Period(date, freq=calendar.pandas_frequency(freq))
    assert calendar.to_period(calendar.write_period(period, freq), freq) == period


@given(DATES, st.sampled_from(calendar.FREQUENCIES))
def test_last_complete_period_has_ended_and_next_has_not(date: dt.date, freq: calendar.Frequency) -> None:
    period = calendar.last_complete_period(date, freq)
    assert period.end_time.date() <= date < (period + 1).end_time.date()


@given(DATES, st.integers(1, 24), st.sampled_from(calendar.FREQUENCIES))
def test_horizons_add_up(date: dt.date, horizon: int, freq: calendar.Frequency) -> None:
    origin = pd.Period(date, freq=calendar.pandas_frequency(freq)).end_time.date()
    one_by_one = origin
    for _ in range(horizon):
        one_by_one = calendar.target_end_date(one_by_one, 1, freq)
    assert calendar.target_end_date(origin, horizon, freq) == one_by_one


def test_end_dates_keep_index_and_fall_on_last_days() -> None:
    ends = calendar.end_dates(pd.Series(["2024-02", "2023-02"], index=[7, 9]), "M")
    assert ends.to_dict() == {7: pd.Timestamp("2024-02-29"), 9: pd.Timestamp("2023-02-28")}


@given(DATES)
def test_planning_window_is_next_three_months(as_of: dt.date) -> None:
    window = calendar.planning_window(as_of)
    assert len(window) == 3
    assert window[0].start_time.date() > as_of
    assert (window[0] - 1).start_time.date() <= as_of
    assert list(window.asi8) == sorted(window.asi8)

"""Numbers, chances and dates as each language writes them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.languages import Language, as_counted, as_expected, round_expected

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (0, "0", "0"), (0.4, "0", "0"), (7.5, "8", "8"), (999, "999", "999"), (12345, "12,345", "12\u202f345"),
        (1234567, "1,234,567", "1\u202f234\u202f567"), (-42, "\u221242", "\u221242"), (NAN, "–", "–"), (None, "–", "–"),
    ],
)  # fmt: skip
def test_count_is_written_whole(value: float | None, english: str, french: str) -> None:
    assert Language("en").counted(value) == english
    assert Language("fr").counted(value) == french


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9.5, "10"), (99.6, "100"), (124, "120"), (125, "130"), (994, "990"), (995, "1,000"), (1_249, "1,200"),
        (1_250, "1,300"), (9_949, "9,900"), (9_950, "10,000"), (10_049, "10,000"), (10_050, "10,100"),
        (99_949, "99,900"), (99_950, "100,000"), (123_456, "123,000"), (1_234_567, "1,230,000"), (-12_345, "−12,300"),
        (NAN, "–"), (None, "–"),
    ],
)  # fmt: skip
def test_forecast_rounds_to_two_or_three_figures(value: float | None, text: str) -> None:
    assert Language("en").expected(value) == text


@given(st.floats(0.5, 1e7))
def test_rounding_moves_forecast_by_five_percent(value: float) -> None:
    assert abs(round_expected(value) - value) <= max(0.5, 0.05 * value) + 1e-6


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (0, "below 1%", "moins de 1\u202f%"),
        (0.0099, "below 1%", "moins de 1\u202f%"),
        (0.01, "1%", "1\u202f%"),
        (0.045, "5%", "5\u202f%"),
        (0.285, "29%", "29\u202f%"),  # 57 of 200
        (0.5, "50%", "50\u202f%"),
        (0.824, "82%", "82\u202f%"),
        (0.825, "83%", "83\u202f%"),
        (0.99, "99%", "99\u202f%"),
        (0.9901, "above 99%", "plus de 99\u202f%"),
        (1, "above 99%", "plus de 99\u202f%"),
        (NAN, "–", "–"),
    ],
)
def test_chance_is_whole_per_cent_and_never_certain(share: float, english: str, french: str) -> None:
    assert Language("en").percent(share) == english
    assert Language("fr").percent(share) == french


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (0, "very unlikely"), (0.0449, "very unlikely"), (0.045, "unlikely"), (0.05, "unlikely"), (0.3249, "unlikely"),
        (0.33, "rather unlikely"), (0.44, "rather unlikely"), (0.45, "about even"), (0.54, "about even"),
        (0.55, "rather likely"), (0.66, "rather likely"), (0.67, "likely"), (0.89, "likely"), (0.9, "very likely"),
        (1, "very likely"),
    ],
)  # fmt: skip
def test_chance_words_change_at_agreed_per_cents(probability: float, word: str) -> None:
    assert Language("en").chance_word(probability) == word


@pytest.mark.parametrize("share", [-0.01, 1.01])
def test_chance_outside_zero_to_one_is_refused(share: float) -> None:
    for write in (Language().percent, Language().chance_word):
        with pytest.raises(ValueError, match="between 0 and 1"):
            write(share)


def test_interval_cannot_break_across_lines() -> None:
    assert Language("en").interval(8_912, 18_834) == "8,900\u2060–\u206018,800"
    assert Language("en").interval(NAN, 18_834) == "–"
    assert Language("en").interval_words(8_912, 18_834) == "8,900 to 18,800"


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [(0.835, "0.84", "0,84"), (1, "1.00", "1,00"), (-0.5, "−0.50", "−0,50"), (NAN, "–", "–")],
)
def test_score_has_two_decimals(value: float, english: str, french: str) -> None:
    assert Language("en").decimal(value) == english
    assert Language("fr").decimal(value) == french


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,235"), (118.27, "118"), (12.34, "12.3"), (1.5, "1.5"), (2, "2"), (0.0456, "0.0456"), (-0.94, "−0.94")],
)
def test_indicator_has_three_significant_figures_at_most(value: float, text: str) -> None:
    assert Language("en").significant(value) == text


def test_dates_follow_reader() -> None:
    date = dt.date(2025, 1, 31)
    assert Language("en").day(date) == "31 January 2025"
    assert Language("fr").day(date) == "31 janvier 2025"
    assert Language("en").day_short(date) == "31 Jan 2025"
    assert Language("fr").month(date) == "janvier 2025"
    assert Language("en").month(date, year=False) == "January"
    assert Language("en").month_short(date, year=True) == "Jan 2025"


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        ((2025, 2), (2025, 4), "February–April 2025"),
        ((2024, 11), (2025, 1), "November 2024–January 2025"),
        ((2025, 2), (2025, 2), "February 2025"),
    ],
)
def test_range_of_months_names_year_once(first: tuple[int, int], last: tuple[int, int], written: str) -> None:
    assert Language("en").months(dt.date(*first, 1), dt.date(*last, 28)) == written


@pytest.mark.parametrize(
    ("value", "counted", "expected"),
    [(0.0, 0, 0), (0.4, 0, 0), (1.4, 1, 1), (1.5, 2, 2), (-1.2, 1, 1), (12_345.0, 12_345, 12_300), (None, 2, 2)],
)
def test_words_agree_with_written_figure(value: float | None, counted: int, expected: int) -> None:
    assert (as_counted(value), as_expected(value)) == (counted, expected)

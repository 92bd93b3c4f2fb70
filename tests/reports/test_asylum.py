"""Sentences on one destination's asylum applications."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from core.languages import Language
from reports.asylum import (
    AsylumForecast,
    key_numbers,
    title,
    why_no_forecast,
)

ENGLISH = Language("en")
KIND = "asylum_applications_first.M"


def view(**other: Any) -> AsylumForecast:  # noqa: ANN401  # parts of a view as a test needs them
    months = pd.date_range("2025-01-31", periods=6, freq="ME")
    kinds = pd.DataFrame({"target": ["asylum_applications_first"], "freq": ["M"]})
    night = SimpleNamespace(frame=lambda _name: kinds)
    usual = {
        "kind": KIND, "freq": "M", "quantiles": pd.DataFrame({"value": 1.0}, index=months), "night": night,
        "history": pd.DataFrame({"end_date": months[:1]}), "state": {"state": "ok"},
    }  # fmt: skip
    return cast(AsylumForecast, SimpleNamespace(**usual | other))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"history": pd.DataFrame({"end_date": []})}, "No figures of this country are known."),
        ({"state": {"state": "too_short"}}, "Too few figures for a forecast; they end in January 2025."),
        ({"state": {"state": "too_old"}}, "Latest data: January 2025. Too old for a current forecast."),
        ({"kind": "asylum_applications.M"}, "Latest data: January 2025. Too old for a current forecast."),
        ({}, "No forecast of this country in this release."),
    ],
)
def test_country_without_forecast_says_why(other: dict[str, Any], said: str) -> None:
    assert why_no_forecast(view(**other), ENGLISH) == said


def counts(*flags: str) -> pd.DataFrame:
    """Counts of the newest months up to December 2024, and of December 2023."""
    ends = pd.to_datetime(["2023-12-31", *pd.date_range(end="2024-12-31", periods=len(flags), freq="ME")])
    return pd.DataFrame({
        "time_period": ends.strftime("%Y-%m"), "obs_value": [900.0, *[1000.0] * len(flags)], "obs_flag": ["", *flags],
        "end_date": ends,
    })  # fmt: skip


def test_key_numbers_are_next_two_periods() -> None:
    ends = pd.date_range("2025-01-31", periods=3, freq="ME")
    ahead = pd.DataFrame({0.1: 100.0, 0.5: [200.0, 400.0, 600.0], 0.9: 1000.0}, index=ends)
    assert key_numbers(view(quantiles=ahead, history=counts("p")), ENGLISH) == [
        ("Expected, January 2025", "200", "80% interval 100 to 1,000"),
        ("Expected, February 2025", "400", "80% interval 100 to 1,000"),
        ("Last count (December 2024, provisional)", "1,000", "900 a year earlier"),
    ]
    alone = counts("").tail(1)
    assert key_numbers(view(quantiles=ahead.iloc[:0], history=alone), ENGLISH) == [
        ("Last count (December 2024)", "1,000", "")
    ]
    assert key_numbers(view(quantiles=ahead.iloc[:0], history=alone.iloc[:0]), ENGLISH) == []


@pytest.mark.parametrize(
    ("as_of", "said"),
    [("2025-01-30", "expected in January 2025"), ("2025-01-31", "in January 2025 (ended; figures not yet published)")],
)
def test_period_that_is_over_is_not_reported_as_one_to_come(as_of: str, said: str) -> None:
    ahead = pd.DataFrame({0.1: [100.0], 0.5: [200.0], 0.9: [300.0]}, index=pd.to_datetime(["2025-01-31"]))
    seen = view(geo="DEU", quantiles=ahead, night=SimpleNamespace(as_of=as_of))
    assert title(seen, ENGLISH) == f"Germany: 200 asylum applicants {said}, most likely 100 to 300"
    nothing = view(geo="DEU", quantiles=ahead.iloc[:0])
    assert title(nothing, ENGLISH) == "Germany: no forecast of asylum applications"

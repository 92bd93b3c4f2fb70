"""What is said of one destination's asylum applications."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from core.languages import Language
from reports.asylum import AsylumForecast, skill_words, why_no_forecast

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
    ("skill", "said"),
    [
        (None, ""),
        ((0, 0), "For this country there is no evidence that the forecast is better than the baseline."),
        ((1, 1), "Better than the baseline up to January 2025."),
        ((1, 4), "Better than the baseline up to April 2025."),
        ((1, 12), "Better than the baseline up to June 2025."),
        ((2, 2), "Better than the baseline in February 2025; no evidence elsewhere."),
        ((2, 4), "Better than the baseline from February 2025 to April 2025; no evidence elsewhere."),
    ],
)
def test_skill_is_told_by_the_periods_that_have_it(skill: tuple[int, int] | None, said: str) -> None:
    assert skill_words(view(skill=skill), ENGLISH) == said


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
def test_a_country_without_forecast_says_why(other: dict[str, Any], said: str) -> None:
    assert why_no_forecast(view(**other), ENGLISH) == said

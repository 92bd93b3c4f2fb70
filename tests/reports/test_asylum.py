"""Sentences on one destination's asylum applications."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from core.languages import Language
from forecasting import BASELINE
from forecasting.verification.verdict import BETTER, NO_EVIDENCE
from reports import asylum
from reports.asylum import AsylumForecast, key_numbers, title
from reports.skill import Verdicts

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


def test_ends_of_kinds_and_lack_of_total_are_said_once() -> None:
    targets = ["asylum_applications_first", "asylum_applications", "asylum_applications_first"]
    kinds = pd.DataFrame({
        "target": targets, "freq": ["M", "M", "Q"], "state": ["too_old", "too_old", "ok"], "citizen": "_T",
        "last_period": ["2020-08", "2020-08", "2024-Q3"], "geo": "DEU",
    })  # fmt: skip
    frames = {"asylum_series": kinds, "observations": kinds.assign(time_period="2024-Q3", obs_value=1.0)}
    night = SimpleNamespace(frame=frames.__getitem__, as_of=dt.date(2025, 1, 31))
    shown = view(night=night, kind="asylum_applications_first.Q", freq="Q", geo="DEU")
    said = asylum.missing_words(shown, ENGLISH)
    newest = "to November 2024–January 2025, the newest that Eurostat had published by 31 January 2025."
    assert said[0] == f"First-time applicants, quarterly: {newest}"
    assert asylum.who_words(shown, ENGLISH).startswith(
        "Quarters only: the copy of Eurostat’s months and nationalities that this release read ends in August 2020."
    )
    assert said[-1] == "No total is forecast: countries are forecast apart, and medians do not add up."


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
    assert asylum.why_no_forecast(view(**other), ENGLISH) == said


QUARTERS = pd.date_range("2024-12-31", periods=3, freq="QE")
AHEAD = pd.DataFrame({0.1: 100.0, 0.5: [200.0, 400.0, 600.0], 0.9: 1000.0}, index=QUARTERS)
BASELINE_AHEAD = pd.DataFrame(
    [(end, level, value) for end in QUARTERS for level, value in ((0.1, 700.0), (0.5, 1000.0), (0.9, 1500.0))],
    columns=["target_end_date", "output_type_id", "value"],
).assign(model_id=BASELINE, series_id="s", horizon=1, output_type="quantile")
REPLAYS = pd.DataFrame({
    "series_id": "s", "model_id": BASELINE, "horizon": 2, "q90": [899.0, 1000.0],
    "origin_date": pd.to_datetime(["2023-03-31", "2024-03-31"]),
    "target_end_date": pd.to_datetime(["2023-09-30", "2024-09-30"]),
})  # fmt: skip
QUARTERLY = "asylum_applications_first.Q"
BETTER_THROUGHOUT = dict.fromkeys(QUARTERS, BETTER)
REPORTING = pd.DataFrame(
    [
        ("eurostat", "asylum_applications_first", "Q", "2023-Q3", 28, 258_385.0, False),
        ("eurostat", "asylum_applications_first", "Q", "2024-Q3", 28, 206_080.0, False),
    ],
    columns=["source_id", "target", "freq", "time_period", "reported", "total", "provisional"],
)  # fmt: skip


def forecast(
    as_of: str, ahead: pd.DataFrame = AHEAD, reporting: pd.DataFrame = REPORTING, verdicts: Verdicts = BETTER_THROUGHOUT
) -> AsylumForecast:
    counts = pd.DataFrame({
        "time_period": ["2023-Q3", "2024-Q3"], "obs_value": [900.0, 1000.0], "obs_flag": ["", "p"],
        "end_date": pd.to_datetime(["2023-09-30", "2024-09-30"]),
    })  # fmt: skip
    frames = {"reporting": reporting, "asylum_forecasts": BASELINE_AHEAD, "asylum_replays": REPLAYS}
    night = SimpleNamespace(as_of=as_of, frame=frames.__getitem__)
    found = AsylumForecast(cast(Any, night), QUARTERLY, "DEU", {"series_id": "s"}, counts, pd.DataFrame(), verdicts)
    found.__dict__["quantiles"] = ahead
    return found


def test_key_numbers_are_nowcast_next_period_last_count_and_all_countries() -> None:
    last = ("Last count (July–September 2024, provisional)", "1,000", "900 in July–September 2023")
    together = ("28 countries together (July–September 2024)", "206,080", "258,385 in July–September 2023")
    assert key_numbers(forecast("2025-01-31"), ENGLISH) == [
        ("Nowcast, October–December 2024", "200", "80% interval 100 to 1,000"),
        ("Expected, January–March 2025", "400", "80% interval 100 to 1,000"), last, together,
    ]  # fmt: skip
    assert [label for label, *_rest in key_numbers(forecast("2024-12-30"), ENGLISH)[:2]] == [
        "Expected, October–December 2024", "Expected, January–March 2025",
    ]  # fmt: skip
    assert key_numbers(forecast("2025-01-31", AHEAD.iloc[:0]), ENGLISH) == [last, together]


def test_last_count_leads_alone_where_nothing_beats_it() -> None:
    unproven = forecast("2025-01-31", verdicts=dict.fromkeys(QUARTERS, NO_EVIDENCE))
    assert title(unproven, ENGLISH) == (
        "Germany: plan with 1,000 first-time asylum applicants a quarter, the last count; "
        "hold reserves for up to 1,500 in January–March 2025"
    )
    _last, waits, enough, together = key_numbers(unproven, ENGLISH)
    assert waits[0] == "Not counted yet, October–December 2024"
    assert enough == ("Aim: enough in 9 of 10, January–March 2025", "1,500", "80% interval 700 to 1,500")
    assert together[0].startswith("28 countries together")


def test_totals_of_other_countries_are_not_compared() -> None:
    fewer = REPORTING.assign(reported=[27, 28])
    assert key_numbers(forecast("2025-01-31", reporting=fewer), ENGLISH)[-1][2] == ""


def test_title_leads_with_first_period_that_has_not_ended() -> None:
    said = (
        "Germany: plan with 400 first-time asylum applicants a quarter, the forecast; hold reserves for up to 1,000 in"
    )
    assert title(forecast("2025-01-31"), ENGLISH) == f"{said} January–March 2025"
    assert title(forecast("2025-01-31", AHEAD.head(1)), ENGLISH) == "Germany: no forecast of asylum applications"


def test_only_the_largest_corridors_are_listed() -> None:
    places = [f"X{number:02d}" for number in range(15)]
    rows = [
        (f"asylum_applications_first._Z.{geo}.{citizen}.Q", geo, citizen, level, 100.0 * size)
        for size, geo in enumerate(places, 1)
        for citizen in ("_T", "SYR")
        for level in (0.1, 0.5, 0.9)
    ]
    forecasts = pd.DataFrame(rows, columns=["series_id", "geo", "citizen", "output_type_id", "value"]).assign(
        target="asylum_applications_first", freq="Q", model_id="vigie-ensemble", target_end_date=QUARTERS[1]
    )
    counts = pd.DataFrame({
        "series_id": rows[0][0], "target": "asylum_applications_first", "freq": "Q",
        "time_period": ["2023-Q3", "2024-Q1", "2024-Q3"], "obs_value": [5.0, 7.0, 9.0],
    })  # fmt: skip
    night: Any = SimpleNamespace(
        as_of="2025-01-31", frame={"asylum_forecasts": forecasts, "observations": counts}.__getitem__
    )
    assert asylum.by_corridor(night, QUARTERLY)["geo"].tolist() == places[:2:-1]


def test_verdict_names_range_that_did_not_beat_baseline() -> None:
    scores = pd.DataFrame(
        {"series_id": "s", "model_id": BASELINE, "scale": "log", "horizon": [1, 2], "n": 10, "coverage_80": [0.9, 0.7]}
    )
    frames = {"asylum_scores": scores, "asylum_forecasts": BASELINE_AHEAD, "asylum_replays": REPLAYS}
    night = SimpleNamespace(as_of="2025-01-31", frame=frames.__getitem__)
    found = replace(forecast("2025-01-31"), night=cast("Any", night), verdicts={})
    found.__dict__["quantiles"] = AHEAD
    assert asylum.skill_words(found, ENGLISH) == [
        "Past forecasts in which the upper end of the 80% interval was enough: 1 of 2 (aim: nine in ten).",
        "1–2 quarters ahead, the 80% interval held 16 of 20 outcomes (80%).",
        "Against the last count repeated: no sign of a gain in October 2024–June 2025.",
    ]

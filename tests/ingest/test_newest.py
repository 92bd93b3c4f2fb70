"""New figures: what a series has never done is held, what it seldom does is reported, and its usual months pass."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from core.release import REVISIONS
from core.schema import make_series_id
from ingest.newest import weigh
from ingest.plausibility import Judgement, judge
from ingest.rows import observations

NO_REVISIONS = pd.DataFrame(columns=list(REVISIONS.columns))
MONTHS = [str(month) for month in pd.period_range("2015-01", "2024-12", freq="M")]
NEXT = "2025-01"
MEANS = {"ITA": 4000, "ESP": 900, "GRC": 2000, "CYP": 300, "MLT": 150, "BGR": 70}


def rows_of(values: dict[str, list[float]], periods: list[str], freq: str = "M") -> pd.DataFrame:
    rows = [
        {"geo": geo, "time_period": period, "obs_value": value}
        for geo, some in values.items()
        for period, value in zip(periods, some, strict=True)
    ]
    dimensions = {"target": "arrivals", "route_id": "_Z", "citizen": "_T", "freq": freq}
    return observations(pd.DataFrame(rows), source_id="office", lag_days=10, **dimensions)


def noisy(mean: int, number: int, seed: int) -> list[float]:
    numbers = np.random.default_rng(seed)
    return [float(one) for one in np.round(mean * np.exp(numbers.normal(0, 0.4, number)))]


KNOWN = rows_of({geo: noisy(mean, len(MONTHS), seed) for seed, (geo, mean) in enumerate(MEANS.items())}, MONTHS)
USUAL = {geo: float(mean) for geo, mean in MEANS.items()} | {"MLT": 110.0, "BGR": 73.0}
"""Each place's mean; of Malta less, whose last month was 76, and of Bulgaria more, which had 70 within the year."""


def arriving(change: dict[str, float] | None = None, *, received: dt.date | None = None) -> Judgement:
    """The judgement of the next month: each place's mean, but for some."""
    rows = rows_of({geo: [value] for geo, value in (USUAL | (change or {})).items()}, [NEXT])
    return judge(rows, KNOWN, NO_REVISIONS, received=received)


def last(geo: str, months_before: int = 1) -> float:
    values = KNOWN[KNOWN["geo"] == geo]["obs_value"]
    return float(values.iloc[-months_before])


def test_figure_far_from_mean_of_year_is_reported() -> None:
    found = [weigh(rows_of({"MLT": [value]}, [NEXT]), KNOWN).iloc[0] for value in (70.0, 95.0)]
    assert [(one["former"], one["year_before"]) for one in found] == [(76.0, 85.0)] * 2
    assert [bool(one["is_unusual"]) for one in found] == [True, False]


def test_usual_month_is_neither_held_nor_reported() -> None:
    assert arriving() == Judgement()


@pytest.mark.parametrize(("geo", "times"), [("ESP", 1000), ("BGR", 100), ("ITA", 100), ("ITA", 0.001)])
def test_figure_far_outside_its_series_is_held(geo: str, times: float) -> None:
    (reason,) = [str(one) for one in arriving({geo: round(USUAL[geo] * times)}).held if "all that" in str(one)]
    assert reason.endswith("the period before; 1 in all")
    assert make_series_id("arrivals", "_Z", geo, "_T", "M") in reason


@pytest.mark.parametrize(
    ("geo", "value", "sign"),
    [
        ("ITA", 40_000.0, "outside its series' usual range"), ("BGR", 600.0, "outside its series' usual range"),
        ("CYP", 0.0, "zero, as it seldom is"), ("ITA", last("ITA"), "repeats a figure of the year before"),
        ("ITA", last("ITA", 12), "repeats a figure of the year before"),
        ("ITA", last("ITA", 14), "repeats a figure of the year before"),
    ],
)  # fmt: skip
def test_figure_that_its_series_seldom_shows_is_reported(geo: str, value: float, sign: str) -> None:
    found = arriving({geo: value})
    assert any(sign in str(one) for one in found.reported)


def test_figure_as_large_as_year_is_reported() -> None:
    known = pd.concat([KNOWN, rows_of({geo: [value] * 2 for geo, value in USUAL.items()}, ["2025-01", "2025-02"])])
    march = rows_of({geo: [value * (3 if geo == "GRC" else 1)] for geo, value in USUAL.items()}, ["2025-03"])
    assert "as large as its year so far" in " ".join(map(str, judge(march, known, NO_REVISIONS).reported))


def test_figure_with_more_decimals_than_its_series_is_reported() -> None:
    known = rows_of({"MLT": [round(0.5 + 0.01 * number, 2) for number in range(120)]}, MONTHS)
    marks = [weigh(rows_of({"MLT": [value]}, [NEXT]), known)["is_finer"].iloc[0] for value in (0.8, 0.83, 0.833)]
    assert marks == [False, False, True]


def test_days_that_all_end_in_zero_are_reported() -> None:
    days = [str(day) for day in pd.period_range("2023-01-02", "2024-12-29", freq="D")]
    known = rows_of({"GBR": noisy(100, len(days), 3)}, days, "D")
    week = [str(day) for day in pd.period_range("2024-12-30", "2025-01-05", freq="D")]
    marks = [
        weigh(rows_of({"GBR": values}, week, "D"), known)["is_rounder"].iloc[0]
        for values in ([90.0, 120.0, 60.0, 0.0, 80.0, 110.0, 0.0], [90.0, 120.0, 61.0, 0.0, 80.0, 110.0, 0.0])
    ]
    assert marks == [True, False]


def test_repeat_that_its_series_often_shows_is_not_reported() -> None:
    known = rows_of({"MLT": [500.0, 510.0, 520.0] * 40}, MONTHS)
    assert not weigh(rows_of({"MLT": [510.0]}, [NEXT]), known)["is_copy"].iloc[0]


def test_publisher_whose_series_all_move_by_five_is_held() -> None:
    assert "6 series move alike" in " ".join(map(str, arriving({geo: value * 9 for geo, value in USUAL.items()}).held))


@pytest.mark.parametrize(("day", "reports"), [(31, 1), (32, 0)])
def test_period_that_was_not_over_is_reported(day: int, reports: int) -> None:
    received = dt.date(2025, 1, 1) + dt.timedelta(days=day - 1)
    found = [one for one in arriving(received=received).reported if "not over" in str(one)]
    assert len(found) == reports


@pytest.mark.parametrize(("value", "kind"), [(520.0, ""), (700.0, "reported"), (8000.0, "held"), (30.0, "reported")])
def test_figure_outside_forecast_is_reported_or_held(value: float, kind: str) -> None:
    series = make_series_id("arrivals", "_Z", "ESP", "_T", "M")
    row = {"series_id": series, "time_period": NEXT, "obs_value": value, "low": 300.0, "high": 600.0}
    rows = rows_of({"ESP": [USUAL["ESP"]]}, [NEXT])
    found = judge(rows, KNOWN, NO_REVISIONS, forecast=pd.DataFrame([row]))
    reasons = {"held": [str(one) for one in found.held], "reported": [str(one) for one in found.reported]}
    assert [name for name, some in reasons.items() if any("Vigie forecast" in one for one in some)] == [kind] * bool(
        kind
    )


def test_week_of_days_is_compared_as_one_sum() -> None:
    days = [str(day) for day in pd.period_range("2023-01-02", "2024-12-29", freq="D")]
    known = rows_of({"GBR": noisy(100, len(days), 3)}, days, "D")
    week = [str(day) for day in pd.period_range("2024-12-30", "2025-01-05", freq="D")]
    weighed = weigh(rows_of({"GBR": [1000.0] * 7}, week, "D"), known)
    assert weighed[["time_period", "obs_value"]].to_numpy().tolist() == [["2024-12-30", 7000.0]]
    assert weighed["is_unusual"].tolist() == [True]


def test_days_of_week_before_again_are_copy() -> None:
    days = [str(day) for day in pd.period_range("2023-01-02", "2024-12-29", freq="D")]
    known = rows_of({"GBR": noisy(100, len(days), 3)}, days, "D")
    week = [str(day) for day in pd.period_range("2024-12-30", "2025-01-05", freq="D")]
    again = known["obs_value"].tail(7).tolist()
    assert weigh(rows_of({"GBR": again}, week, "D"), known)["is_copy"].tolist() == [True]
    assert weigh(rows_of({"GBR": [again[0] + 1, *again[1:]]}, week, "D"), known)["is_copy"].tolist() == [False]


def test_change_below_twenty_is_not_reported() -> None:
    small = rows_of({"MLT": [2.0, 3.0] * 60}, MONTHS)
    assert judge(rows_of({"MLT": [20.0]}, [NEXT]), small, NO_REVISIONS) == Judgement()
    assert judge(rows_of({"MLT": [60.0]}, [NEXT]), small, NO_REVISIONS).reported != []


def test_figure_between_two_sizes_is_unusual() -> None:
    known = rows_of({"MLT": [0.0, 15_000.0] * 60}, MONTHS)
    assert weigh(rows_of({"MLT": [150.0]}, [NEXT]), known)["is_unusual"].tolist() == [True]
    assert weigh(rows_of({"MLT": [0.0]}, [NEXT]), known)["is_unusual"].tolist() == [False]


@pytest.mark.parametrize(("value", "expected"), [(450.0, True), (150.0, False)])
def test_short_series_uses_former_figures(value: float, *, expected: bool) -> None:
    known = rows_of({"MLT": [100.0, 140.0]}, MONTHS[-2:])
    assert weigh(rows_of({"MLT": [value]}, [NEXT]), known)["is_unusual"].tolist() == [expected]


def test_small_forecast_is_compared_by_persons() -> None:
    row = {"series_id": "x", "time_period": NEXT, "obs_value": 15.0, "low": 0.0, "high": 1.0}
    found = judge(
        rows_of({geo: [count] for geo, count in USUAL.items()}, [NEXT]),
        KNOWN,
        NO_REVISIONS,
        forecast=pd.DataFrame([row]),
    )
    assert found == arriving()

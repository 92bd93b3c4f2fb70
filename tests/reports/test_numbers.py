"""Routes in numbers."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from reports import numbers
from tests.dashboard.conftest import usual_frames

EMR = "arrivals.EMR._T._T.M"


def test_the_planning_window_is_the_next_three_full_months() -> None:
    ends = [end.date() for end in numbers.window_ends(dt.date(2025, 1, 31))]
    assert ends == [dt.date(2025, 2, 28), dt.date(2025, 3, 31), dt.date(2025, 4, 30)]


def test_a_month_that_has_begun_is_not_in_the_planning_window() -> None:
    assert numbers.window_ends(dt.date(2025, 2, 10))[0].date() == dt.date(2025, 3, 31)


def test_the_sum_over_months_is_ranked_by_whole_sample_paths() -> None:
    ends = pd.to_datetime(["2025-02-28", "2025-03-31"])
    paths = pd.DataFrame(
        {
            "model_id": "vigie-ensemble",
            "series_id": EMR,
            "target_end_date": list(ends) * 3,
            "output_type_id": [0, 0, 1, 1, 2, 2],
            "value": [1.0, 30.0, 2.0, 20.0, 3.0, 10.0],
        }
    )
    found = numbers.expected_total(paths, [EMR], list(ends))
    assert found is not None
    assert found.median == 22.0  # sums 31, 22, 13; the sum of the medians of months happens to be the same
    assert found.low == pytest.approx(np.quantile([13, 22, 31], 0.1))
    assert found.high == pytest.approx(np.quantile([13, 22, 31], 0.9))


def test_a_sum_with_a_month_missing_is_not_given() -> None:
    frame = usual_frames(None)["trajectories"]
    assert numbers.expected_total(frame, [EMR], [pd.Timestamp("2025-03-31"), pd.Timestamp("2030-01-31")]) is None


def test_routes_without_forecast_come_last_and_without_numbers() -> None:
    frames = usual_frames("WMR")
    table = numbers.route_summary(
        frames["routes"],
        frames["observations"],
        frames["trajectories"],
        frames["alerts"],
        numbers.window_ends(dt.date(2025, 1, 31)),
    )
    assert table["route_id"].iloc[-1] == "WMR"
    assert table.iloc[-1][["expected", "low", "high"]].isna().all()
    assert table["expected"].iloc[:-1].is_monotonic_decreasing


def test_the_year_earlier_is_the_same_month() -> None:
    history = numbers.series_of(usual_frames(None)["observations"], EMR)
    before = history.loc[history["time_period"] == "2023-12", "obs_value"].item()
    assert history["time_period"].iloc[-1] == "2024-12"
    assert numbers.year_earlier(history) == before


def test_the_same_months_a_year_before_are_added_up_over_all_series_or_not_at_all() -> None:
    months = [str(month) for month in pd.period_range("2023-01", "2024-12", freq="M")]
    parts = [
        pd.DataFrame({"series_id": name, "time_period": months, "obs_flag": "", "obs_value": size})
        for name, size in (("a", 10.0), ("b", 1.0))
    ]
    whole, ends = pd.concat(parts, ignore_index=True), list(pd.to_datetime(["2025-01-31", "2025-03-31"]))
    assert numbers.counted_a_year_before(whole, ["a", "b"], ends) == 22.0
    assert numbers.counted_a_year_before(whole, ["b"], ends[:1]) == 1.0
    in_march = whole["series_id"].eq("b") & whole["time_period"].eq("2024-03")
    gaps = whole[~in_march], whole.assign(obs_value=whole["obs_value"].mask(in_march))
    for lacking in gaps:
        assert numbers.counted_a_year_before(lacking, ["a", "b"], ends) is None
        assert numbers.counted_a_year_before(lacking, ["a"], ends) == 20.0
        assert numbers.counted_a_year_before(lacking, ["a", "b"], ends[:1]) == 11.0


def test_the_chance_of_passing_the_median_is_one_half() -> None:
    quantiles = numbers.quantiles_of(usual_frames(None)["forecasts"], EMR)
    median = float(quantiles[0.5].iloc[2])
    assert numbers.chances(quantiles, median)["probability"].iloc[2] == pytest.approx(0.5)
    assert set(QUANTILE_LEVELS) <= set(quantiles.columns)


def test_a_month_has_the_chance_that_its_sample_paths_give_as_alerts_count_it() -> None:
    frames = usual_frames(None)
    quantiles, paths = numbers.quantiles_of(frames["forecasts"], EMR), frames["trajectories"]
    own = paths[paths["series_id"] == EMR]
    limit = float(quantiles[0.5].iloc[0])
    found = numbers.chances(quantiles, limit, own).set_index("target_end_date")["probability"]
    end = own["target_end_date"].iloc[0]
    here = own[own["target_end_date"] == end]
    assert found.loc[end] == (here["value"].round() > limit).mean()
    assert numbers.chance_of_any(paths, EMR, [end], limit) == found.loc[end]


def test_a_fraction_of_a_person_passes_no_number() -> None:
    paths = usual_frames(None)["trajectories"]
    own = paths[paths["series_id"] == EMR].assign(value=100.3)
    quantiles, end = numbers.quantiles_of(usual_frames(None)["forecasts"], EMR), own["target_end_date"].iloc[0]
    assert (numbers.chances(quantiles, 100.0, own)["probability"] == 0).all()
    assert numbers.chance_of_any(own, EMR, [end], 100.0) == 0
    assert numbers.chance_of_any(own.assign(value=101.0), EMR, [end], 100.0) == 1


def test_what_happened_later_takes_the_outcome_over_the_provisional_figure() -> None:
    frames = usual_frames(None)
    outcomes = frames["outcomes"]
    later = numbers.observed_after(frames["observations"], outcomes, EMR, dt.date(2024, 12, 31))
    assert later["time_period"].tolist() == ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06"]

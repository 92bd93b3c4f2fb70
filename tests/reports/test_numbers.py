"""Routes in numbers."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from alerts import INFORMATION, SEVERE, WARNING, WATCH
from forecasting import ENSEMBLE
from reports import ReadableRelease, numbers
from tests.dashboard.conftest import usual_frames
from tests.reports.conftest import alert_row, record_of_rules

EMR = "arrivals.EMR._T._T.M"


def test_planning_window_is_next_three_full_months() -> None:
    ends = [end.date() for end in numbers.window_ends(dt.date(2025, 1, 31))]
    assert ends == [dt.date(2025, 2, 28), dt.date(2025, 3, 31), dt.date(2025, 4, 30)]


def test_sum_over_months_is_ranked_by_whole_sample_paths() -> None:
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


def test_routes_without_forecast_come_last_and_without_numbers() -> None:
    frames = usual_frames("WMR")
    release = cast(ReadableRelease, SimpleNamespace(frame=frames.__getitem__))
    table = numbers.route_summary(release.frame, frames["alerts"], numbers.window_ends(dt.date(2025, 1, 31)))
    assert table["route_id"].iloc[-1] == "WMR"
    assert table.iloc[-1][["expected", "low", "high"]].isna().all()
    assert table["expected"].iloc[:-1].is_monotonic_decreasing


def test_year_before_needs_all_months_and_series() -> None:
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


def test_month_chance_counts_sample_paths() -> None:
    frames = usual_frames(None)
    quantiles, paths = numbers.quantiles_of(frames["forecasts"], EMR), frames["trajectories"]
    own = paths[paths["series_id"] == EMR]
    limit = float(quantiles[0.5].iloc[0])
    found = numbers.chances(quantiles, limit, own).set_index("target_end_date")["probability"]
    end = own["target_end_date"].iloc[0]
    here = own[own["target_end_date"] == end]
    assert found.loc[end] == (here["value"].round() > limit).mean()
    assert numbers.chance_of_any(paths, EMR, [end], limit) == found.loc[end]


def test_outcome_precedes_provisional_figure() -> None:
    frames = usual_frames(None)
    outcomes = frames["outcomes"]
    later = numbers.observed_after(frames["observations"], outcomes, EMR, dt.date(2024, 12, 31))
    assert later["time_period"].tolist() == ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06"]


def paths_of(values: dict[tuple[str, str], list[float]], model: str = ENSEMBLE) -> pd.DataFrame:
    """Sample paths: of each series and month the values path by path."""
    return pd.DataFrame(
        [
            {"model_id": model, "series_id": series, "target_end_date": pd.Timestamp(end), "output_type_id": path,
             "value": value}
            for (series, end), found in values.items() for path, value in enumerate(found)
        ]
    )  # fmt: skip


def test_path_sums_cover_months_and_series() -> None:
    first, second = pd.Timestamp("2025-02-28"), pd.Timestamp("2025-03-31")
    whole = paths_of({("a", "2025-02-28"): [1, 2], ("a", "2025-03-31"): [10, 20], ("b", "2025-02-28"): [100, 200]})
    paths = pd.concat([whole, paths_of({("a", "2025-02-28"): [5000.0]}, "other")])

    def sums(series: list[str], ends: list[pd.Timestamp]) -> list[float] | None:
        found = numbers.path_sums(paths, series, ends)
        return None if found is None else found.tolist()

    assert sums(["a"], [first, second]) == [11, 22]
    assert sums(["a", "b"], [first]) == [101, 202]
    assert sums(["a", "b"], [first, second]) is None  # b lacks a month
    assert sums(["a", "c"], [first]) is None
    assert sums([], [first]) is None


def test_level_and_direction_are_of_gravest_alert() -> None:
    alerts = pd.DataFrame(
        [
            ("EMR", WATCH, "surge", 0.5),
            ("EMR", WARNING, "fall", 0.4),
            ("EMR", INFORMATION, "late", 0.9),
            ("CMR", SEVERE, "surge", 0.3),
            ("WMR", INFORMATION, "late", 0.9),
        ],
        columns=["route_id", "alert_level", "rule", "probability"],
    )
    frames = usual_frames(None) | {"track_record": record_of_rules(0)}
    ends = numbers.window_ends(dt.date(2025, 1, 31))
    table = numbers.route_summary(frames.__getitem__, alerts, ends).set_index("route_id")
    assert table.loc[["EMR", "CMR", "WMR"], "level"].tolist() == [WARNING, SEVERE, ""]
    assert table.loc[["EMR", "CMR", "WMR"], "direction"].tolist() == ["↓", "↑", ""]


def test_untested_rule_comes_last_of_its_level() -> None:
    alerts = pd.DataFrame(
        alert_row(0, ["CMR"], rule=rule, alert_level=level, probability=chance)
        for rule, level, chance in (
            ("untested", WATCH, 0.9), ("rule_0", WATCH, 0.3), ("counted", WATCH, np.nan), ("untested", SEVERE, 0.7)
        )
    )  # fmt: skip
    ranked = numbers.by_level(alerts, record_of_rules(1))
    order = [(SEVERE, "untested"), (WATCH, "rule_0"), (WATCH, "counted"), (WATCH, "untested")]
    assert list(zip(ranked["alert_level"], ranked["rule"], strict=True)) == order


def test_chance_of_any_month_needs_all_months() -> None:
    ends = [pd.Timestamp("2025-02-28"), pd.Timestamp("2025-03-31")]
    paths = paths_of({("a", "2025-02-28"): [9, 1, 1, 9], ("a", "2025-03-31"): [1, 9, 5, 9]})
    others = paths_of({("a", "2025-02-28"): [9, 9, 9, 9]}, "other")
    assert numbers.chance_of_any(pd.concat([paths, others]), "a", ends, 5) == 0.75  # a path at the number passes none
    assert numbers.chance_of_any(paths, "a", ends[:1], 5) == 0.5
    assert numbers.chance_of_any(paths, "a", [*ends, pd.Timestamp("2025-04-30")], 5) is None


def test_quantiles_are_of_one_series_and_model() -> None:
    rows = [
        ("a", ENSEMBLE, "quantile", "2025-03-31", 2, 0.5, 7.0), ("a", ENSEMBLE, "quantile", "2025-02-28", 1, 0.5, 5.0),
        ("a", ENSEMBLE, "mean", "2025-02-28", 1, 0.9, 6.0), ("a", "other", "quantile", "2025-02-28", 1, 0.5, 8.0),
        ("b", ENSEMBLE, "quantile", "2025-02-28", 1, 0.5, 9.0),
    ]  # fmt: skip
    names = ["series_id", "model_id", "output_type", "target_end_date", "horizon", "output_type_id", "value"]
    frame = pd.DataFrame(rows, columns=names).assign(target_end_date=lambda f: pd.to_datetime(f["target_end_date"]))
    assert numbers.quantiles_of(frame, "a").to_dict("list") == {0.5: [5, 7], "horizon": [1, 2]}
    assert numbers.quantiles_of(frame, "a", "other").to_dict("list") == {0.5: [8], "horizon": [1]}


def test_expectation_of_closed_month_is_from_month_before() -> None:
    frames = usual_frames(None)
    past, end = frames["backtest"], pd.Timestamp("2024-12-31")
    rows = past[(past["series_id"] == EMR) & (past["target_end_date"] == end)]
    made = rows[(rows["origin_date"] == pd.Timestamp("2024-11-30")) & np.isclose(rows["output_type_id"], 0.5)]
    found = numbers.expected_before(past, EMR, end)
    assert found is not None and found.median == made["value"].iloc[0]
    assert numbers.expected_before(past[past["horizon"] > 1], EMR, end) is None


def test_base_rate_counts_whole_years_alone() -> None:
    months = pd.period_range("2022-01", "2024-12", freq="M")
    history = pd.DataFrame({"end_date": months.end_time.normalize(), "obs_value": 10.0})
    history.loc[history["end_date"].isin(pd.to_datetime(["2022-03-31", "2024-02-29"])), "obs_value"] = [50.0, np.nan]
    ends = list(pd.to_datetime(["2025-02-28", "2025-03-31"]))
    assert numbers.years_with(history, ends, 40) == (1, 2)
    assert numbers.years_with(history, ends[1:], 5) == (3, 3)
    assert numbers.years_with(history.iloc[:0], ends, 5) == (0, 0)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from forecasting.model import NORMAL_SCORES
from forecasting.quantiles import QuantileTable, to_rows
from forecasting.scenarios import (
    chance_above,
    chance_above_from_quantiles,
    chance_any_above,
    chance_total_above,
    first_passage,
    path_matrix,
    total_over,
)


def trajectories() -> pd.DataFrame:
    """Four paths of two series over three months, small enough to count on fingers."""
    values = {
        "a": [[10, 20, 30], [50, 10, 10], [10, 60, 70], [10, 10, 10]],
        "b": [[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4]],
    }
    rows = [
        (series, path, horizon, float(value))
        for series, paths in values.items()
        for path, line in enumerate(paths)
        for horizon, value in enumerate(line, start=1)
    ]
    frame = pd.DataFrame(rows, columns=["series_id", "output_type_id", "horizon", "value"])
    frame["target_end_date"] = pd.Timestamp("2024-12-31") + frame["horizon"].map(pd.offsets.MonthEnd)
    return frame


def test_the_chance_of_passing_a_number_is_the_share_of_paths_above_it() -> None:
    found = chance_above(trajectories(), 20).set_index(["series_id", "horizon"])["probability"]
    assert [found["a", h] for h in (1, 2, 3)] == [0.25, 0.25, 0.5]
    assert found["b"].eq(0).all()


def test_any_month_within_a_span_counts_a_path_once() -> None:
    paths = path_matrix(trajectories(), ["a"])
    assert chance_any_above(paths, 20, within=1) == 0.25
    assert chance_any_above(paths, 20, within=2) == 0.5
    assert chance_any_above(paths, 20, within=3) == 0.75


def test_the_first_passage_adds_up_to_the_chance_of_any() -> None:
    paths = path_matrix(trajectories(), ["a"])
    found = first_passage(paths, 20)
    assert found["probability"].tolist() == [0.25, 0.25, 0.25]
    assert found["cumulative"].iloc[-1] == chance_any_above(paths, 20, within=3)


def test_series_are_added_up_path_by_path() -> None:
    both = path_matrix(trajectories())
    assert both[1].tolist() == [11, 52, 13, 14]
    assert chance_total_above(both, 62, first=1, last=3) == 0.75


def test_a_total_is_taken_within_each_path_before_its_quantiles() -> None:
    total = total_over(path_matrix(trajectories(), ["a"]), first=2, last=3)
    assert np.allclose(total["value"], np.quantile([50, 20, 130, 20], total["output_type_id"]))


def test_quantiles_alone_give_the_same_chance_as_their_distribution() -> None:
    keys = pd.DataFrame(
        {
            "model_id": "vigie-ensemble",
            "series_id": "a",
            "origin_date": [pd.Timestamp("2024-12-31")],
            "horizon": 1,
            "target_end_date": [pd.Timestamp("2025-01-31")],
        }
    )
    forecasts = to_rows(QuantileTable(keys, np.expm1(5 + 0.4 * NORMAL_SCORES)[None, :]))
    for level, place in ((0.1, 3), (0.5, 11), (0.9, 19)):
        threshold = float(np.expm1(5 + 0.4 * NORMAL_SCORES[place]))
        found = chance_above_from_quantiles(forecasts, threshold)["probability"].item()
        assert found == pytest.approx(1 - level, abs=1e-9)


@pytest.mark.parametrize("threshold", [-1.0, float("nan"), float("inf")])
def test_a_threshold_that_is_no_count_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="a threshold is a number of at least 0"):
        chance_above(trajectories(), threshold)


def test_a_window_beyond_the_paths_is_refused() -> None:
    with pytest.raises(InputError, match="not within the paths'"):
        total_over(path_matrix(trajectories()), first=2, last=4)


def test_a_series_without_paths_is_named() -> None:
    with pytest.raises(InputError, match=r"no sample paths for \['c'\]"):
        path_matrix(trajectories(), ["a", "c"])


def test_series_that_do_not_share_their_horizons_are_not_added_up() -> None:
    frame = trajectories()
    with pytest.raises(InputError, match="do not share all horizons"):
        path_matrix(frame[(frame["series_id"] == "a") | (frame["horizon"] < 3)])

"""Disclosure control."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.disclosure import SMALLEST_SHOWN, suppress


def breakdown(counts: list[list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"time_period": f"2024-{month + 1:02d}", "citizen": f"C{index}", "obs_value": float(count)}
            for month, row in enumerate(counts)
            for index, count in enumerate(row)
        ]
    )


def shown(counts: list[list[float]], **options: list[str]) -> list[list[float | None]]:
    out = suppress(breakdown(counts), "obs_value", ["time_period"], **options)
    return [
        [None if pd.isna(value) else value for value in group["obs_value"]] for _, group in out.groupby("time_period")
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_count_of_one_to_four_is_hidden_with_the_next_smallest(count: float) -> None:
    assert shown([[count, 80, 20, 300]]) == [[None, 80, None, 300]]


def test_zeros_and_fives_are_shown() -> None:
    assert shown([[0, 5, 40]]) == [[0, 5, 40]]


def test_two_hidden_cells_that_hold_less_than_five_together_take_a_third_with_them() -> None:
    assert shown([[1, 2, 60, 9]]) == [[None, None, 60, None]]


def test_a_zero_protects_where_no_other_count_is_left() -> None:
    assert shown([[3, 0]]) == [[None, None]]


def test_months_without_small_counts_are_left_alone() -> None:
    assert shown([[3, 10, 20], [10, 20, 30]]) == [[None, None, 20], [10, 20, 30]]


def test_with_two_sets_of_totals_no_hidden_cell_is_alone_in_either() -> None:
    out = suppress(
        breakdown([[3, 10, 20], [10, 20, 30], [50, 60, 70]]), "obs_value", ["time_period"], also_over=["citizen"]
    )
    for column in ("time_period", "citizen"):
        hidden = out.groupby(column)["suppressed"].sum()
        assert (hidden[hidden > 0] >= 2).all()


def test_unknown_cells_stay_unknown_and_are_not_marked() -> None:
    frame = breakdown([[10, 20]])
    frame.loc[0, "obs_value"] = None
    assert suppress(frame, "obs_value", ["time_period"])["suppressed"].tolist() == [False, False]


def test_the_frame_given_is_not_changed() -> None:
    frame = breakdown([[3, 10]])
    suppress(frame, "obs_value", ["time_period"])
    assert frame["obs_value"].tolist() == [3, 10]


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=1, max_size=5))
def test_no_published_total_gives_a_small_count_away(counts: list[list[int]]) -> None:
    truth = breakdown([[float(c) for c in row] for row in counts])
    out = suppress(truth, "obs_value", ["time_period"], also_over=["citizen"])
    assert not out["obs_value"].between(1, SMALLEST_SHOWN - 1).any()
    for column in ("time_period", "citizen"):
        for _, rows in out.groupby(column):
            hidden = rows["suppressed"]
            remainder = truth.loc[rows.index, "obs_value"][hidden].sum()
            if hidden.any() and not hidden.all():
                assert hidden.sum() >= 2
                assert remainder >= SMALLEST_SHOWN or not (~hidden & (rows["obs_value"] > 0)).any()

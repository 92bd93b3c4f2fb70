import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts import Scale, count_axis, mid_month, month_ticks, nice_ticks, spread


@given(st.floats(1e-3, 1e8))
def test_at_most_six_ticks_start_at_zero(largest: float) -> None:
    ticks = nice_ticks(largest)
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 6
    assert largest / 2 <= ticks[-1] <= largest * (1 + 1e-6)


@pytest.mark.parametrize(
    ("largest", "ticks"), [(25_500, [0, 5e3, 1e4, 1.5e4, 2e4, 2.5e4]), (9_000, [0, 2e3, 4e3, 6e3, 8e3]), (0, [0, 1])]
)
def test_ticks_are_round(largest: float, ticks: list[float]) -> None:
    assert nice_ticks(largest) == ticks


@pytest.mark.parametrize(
    ("largest", "ticks"), [(14.0, ["0", "5", "10"]), (4.0, ["0", "1", "2", "3", "4"]), (0.7, ["0"]), (0.01, ["0"])]
)
def test_axis_of_persons_has_no_part_of_person(largest: float, ticks: list[str]) -> None:
    assert count_axis(largest)["ticktext"] == ticks


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=8), st.floats(1, 50))
def test_labels_moved_apart_keep_order_distance_and_centre(places: list[float], gap: float) -> None:
    moved = spread(places, gap)
    order = sorted(range(len(places)), key=lambda position: places[position])
    assert all(
        b - a >= gap - 1e-6 for a, b in zip([moved[i] for i in order], [moved[i] for i in order[1:]], strict=False)
    )
    assert np.mean(moved) == pytest.approx(np.mean(places), abs=1e-6)


def test_month_is_drawn_on_its_fifteenth() -> None:
    assert list(mid_month(pd.Series(["2024-02-29", "2024-12-31"]))) == [
        pd.Timestamp("2024-02-15"),
        pd.Timestamp("2024-12-15"),
    ]


@pytest.mark.parametrize(("foot", "is_log"), [(0.0, False), (50.0, True), (600.0, False)])
def test_number_lies_where_plotly_draws_it(*, foot: float, is_log: bool) -> None:
    scale = Scale(largest=8_000.0, headroom=0.2, pixels=300.0, foot=foot, is_log=is_log)
    foot, top = (10**end if is_log else end for end in scale.axis()["range"])
    assert [scale.pixel(foot), scale.pixel(top)] == pytest.approx([0, 300])
    assert scale.value(300.0) == pytest.approx(top)
    assert scale.value(scale.pixel(777.0)) == pytest.approx(777)


def test_axis_from_a_number_has_its_ticks_above_it() -> None:
    axis = count_axis(147_000.0, 0.1, 60_000.0)
    assert axis["tickvals"] == [60_000, 80_000, 100_000, 120_000, 140_000]
    assert axis["range"] == pytest.approx([60_000, 60_000 + 87_000 / 0.9])


def test_january_and_july_are_named() -> None:
    ticks = month_ticks(pd.Timestamp("2023-01-15"), pd.Timestamp("2025-12-15"))
    assert ticks["ticktext"] == [f"{month}<br>{year}" for year in (2023, 2024, 2025) for month in ("Jan", "Jul")]
    assert {place.day for place in ticks["tickvals"]} == {15}


def test_short_span_names_every_third_month() -> None:
    ticks = month_ticks(pd.Timestamp("2024-05-15"), pd.Timestamp("2025-04-15"))
    assert ticks["ticktext"] == ["Jul<br>2024", "Oct<br>2024", "Jan<br>2025", "Apr<br>2025"]


def test_quarters_stand_at_their_last_month_where_their_figure_is() -> None:
    ticks = month_ticks(pd.Timestamp("2020-12-15"), pd.Timestamp("2022-09-15"), 3)
    assert ticks["ticktext"] == ["Q1<br>2021", "Q3", "Q1<br>2022", "Q3"]
    assert [day.month for day in ticks["tickvals"]] == [3, 9, 3, 9]

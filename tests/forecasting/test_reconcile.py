"""Totals and parts that agree in every path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.release import FORECASTS
from core.schema import check
from forecasting import LEVELS
from forecasting.panel import Panel, panel_from_rows
from forecasting.reconcile import coherent_paths, totals_panel

from .frames import run_backtest


@pytest.fixture
def grouped(small_panel: Panel) -> Panel:
    groups = {"north": "upper", "south": "lower", "west": "lower"}
    rows = small_panel.long()
    return panel_from_rows(rows.assign(route_id=rows["series_id"].map(groups)))


@pytest.fixture
def grouped_path(grouped: Panel, tmp_path: Path) -> Path:
    path = tmp_path / "parts.csv"
    grouped.long().to_csv(path, index=False)
    return path


def test_totals_are_sums_of_their_parts_and_carry_groups_name(grouped: Panel) -> None:
    totals = totals_panel(grouped, "route_id")
    assert totals.series_ids == ["lower", "upper"]
    assert np.allclose(totals.matrix["lower"], grouped.matrix["south"] + grouped.matrix["west"])


def test_month_without_any_part_is_gap_in_total(grouped: Panel) -> None:
    matrix = grouped.matrix.copy()
    matrix.loc[matrix.index[5], ["south", "west"]] = np.nan
    matrix.loc[matrix.index[6], ["west"]] = np.nan
    totals = totals_panel(Panel("M", matrix, grouped.groups), "route_id").matrix["lower"]
    assert np.isnan(totals.iloc[5])
    assert totals.iloc[6] == matrix["south"].iloc[6]


_paths = st.lists(st.lists(st.integers(0, 10**5), min_size=40, max_size=40), min_size=1, max_size=4)


@given(_paths, st.lists(st.integers(0, 10**6), min_size=23, max_size=23).map(sorted))
@settings(max_examples=100, deadline=None)
def test_parts_of_path_sum_to_total_draw(parts: list[list[int]], total: list[int]) -> None:
    paths = coherent_paths(np.asarray(parts, dtype=float), np.asarray(total, dtype=float))
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()
    middle = LEVELS[1:-1]
    found = np.quantile(paths.sum(axis=0), middle, method="hazen")
    expected = np.interp(middle, LEVELS, np.arange(23))
    for place, value in zip(expected, found, strict=True):
        low, high = total[max(int(place) - 1, 0)], total[min(int(place) + 2, 22)]
        assert low * (1 - 1e-6) - 1e-6 <= value <= high * (1 + 1e-6) + 1e-6


def test_log_change_to_total_is_minimal() -> None:
    random = np.random.default_rng(3)
    paths = random.lognormal(3.0, 1.0, (4, 1))
    total = 1.1 * paths.sum()
    least = float((np.log(coherent_paths(paths, np.full(23, total)) / paths) ** 2).sum())
    for _ in range(200):
        steps = 0.3 * random.standard_normal((4, 1))
        other = paths * np.exp(steps)
        other *= total / other.sum()
        assert least < 1.02 * float((np.log(other / paths) ** 2).sum())


def test_backtest_keeps_forecast_of_totals(grouped: Panel, grouped_path: Path, tmp_path: Path) -> None:
    both = check(
        run_backtest(grouped_path, origins=3, horizons=[1, 3], models="baseline", totals="route_id"), FORECASTS
    )
    assert set(both["series_id"]) == {"north", "south", "west", "upper", "lower"}
    alone_path = tmp_path / "totals.csv"
    totals_panel(grouped, "route_id").long().to_csv(alone_path, index=False)
    alone = run_backtest(alone_path, origins=3, horizons=[1, 3], models="baseline")
    place = ["series_id", "origin_date", "horizon", "output_type_id"]
    found = both[both["series_id"].isin(["upper", "lower"])].sort_values(place)["value"].to_numpy()
    assert np.array_equal(found, alone.sort_values(place)["value"].to_numpy())


def test_changing_future_does_not_change_reconciled_past(grouped: Panel, tmp_path: Path) -> None:
    changed = grouped.matrix.copy()
    changed.iloc[-3:] *= 7
    answers = []
    for name, panel in (("ours", grouped), ("other", Panel("M", changed, grouped.groups))):
        panel.long().to_csv(tmp_path / f"{name}.csv", index=False)
        made = run_backtest(tmp_path / f"{name}.csv", origins=8, horizons=[1, 2], models="baseline", totals="route_id")
        past = made[made["origin_date"] <= "2020-09-30"].drop(columns="observation")
        answers.append(past.reset_index(drop=True))
    assert len(answers[0]) > 0
    pd.testing.assert_frame_equal(answers[0], answers[1])

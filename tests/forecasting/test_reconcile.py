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
from forecasting import LEVELS, NORMAL_SCORES
from forecasting.panel import Panel, read_panel
from forecasting.quantiles import QuantileTable
from forecasting.reconcile import FEWEST_ORIGINS, SLICES, coherent_paths, shuffled_draws, sum_of_parts, totals_panel

from .frames import run_backtest


@pytest.fixture
def grouped(small_panel: Panel) -> Panel:
    groups = {"north": "upper", "south": "lower", "west": "lower"}
    rows = small_panel.long()
    return read_panel(rows.assign(route_id=rows["series_id"].map(groups)))


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


MONTHS = 80
PARTS = ["a", "b"]
SPREAD = 0.4


def world(shared: float) -> Panel:
    """Two parts around 1,000 whose noise is shared to some degree, and one part of another group."""
    random = np.random.default_rng(4)
    common, own = random.standard_normal((MONTHS, 1)), random.standard_normal((MONTHS, 3))
    values = 1000 * np.exp(SPREAD * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own))
    months = pd.period_range("2014-01", periods=MONTHS, freq="M").astype(str)
    rows = pd.DataFrame(values, index=months, columns=[*PARTS, "c"]).rename_axis("time_period").reset_index()
    long = rows.melt("time_period", var_name="series_id")
    return read_panel(long.assign(route_id=long["series_id"].map({"a": "pair", "b": "pair", "c": "single"})))


def parts_of(panel: Panel, horizon: int = 2) -> QuantileTable:
    rows = [
        ("m", name, panel.end_dates[place], horizon, (panel.periods[place] + horizon).end_time.normalize())
        for name in panel.series_ids
        for place in range(MONTHS)
    ]
    keys = pd.DataFrame(rows, columns=["model_id", "series_id", "origin_date", "horizon", "target_end_date"])
    return QuantileTable(keys, np.tile(np.expm1(np.log(1000) + SPREAD * NORMAL_SCORES), (len(keys), 1)))


def width(table: QuantileTable, name: str) -> float:
    last = (table.keys["series_id"] == name) & (table.keys["origin_date"] == table.keys["origin_date"].max())
    low, high = (table.quantiles[last.to_numpy(), int(np.argmin(np.abs(LEVELS - level)))] for level in (0.1, 0.9))
    return float(high[0] - low[0])


def test_correlated_parts_widen_total() -> None:
    wide, narrow = (
        width(sum_of_parts(parts_of(panel), panel, "route_id", panel.end_dates), "pair")
        for panel in (world(0.95), world(0.0))
    )
    single = np.diff(1000 * np.exp(SPREAD * NORMAL_SCORES)[[3, -4]])[0]
    assert wide == pytest.approx(2 * single, rel=0.12)
    assert narrow == pytest.approx(np.sqrt(2) * single, rel=0.25)


def test_group_of_one_part_is_that_part() -> None:
    panel = world(0.5)
    made = sum_of_parts(parts_of(panel), panel, "route_id", panel.end_dates[-1:])
    single = made.quantiles[(made.keys["series_id"] == "single").to_numpy()][0]
    assert np.allclose(np.log1p(single), np.log1p(parts_of(panel).quantiles[0]), atol=0.03)


def test_changing_future_changes_no_earlier_total() -> None:
    panel = world(0.5)
    matrix = panel.matrix.copy()
    matrix.iloc[61:] = 1.0
    ours, other = (
        sum_of_parts(parts_of(panel), one, "route_id", panel.end_dates)
        for one in (panel, Panel("M", matrix, panel.groups))
    )
    before = (ours.keys["origin_date"] <= panel.end_dates[60]).to_numpy()
    assert before.sum() > 0
    assert np.array_equal(ours.quantiles[before], other.quantiles[before])
    assert not np.array_equal(ours.quantiles[~before], other.quantiles[~before])


def test_without_two_years_of_known_outcomes_there_is_no_sum() -> None:
    panel = world(0.5)
    made = sum_of_parts(parts_of(panel, horizon=2), panel, "route_id", panel.end_dates)
    assert made.keys["origin_date"].min() == panel.end_dates[FEWEST_ORIGINS + 1]


def test_draws_keep_margins_and_past_ranks() -> None:
    random = np.random.default_rng(0)
    ranks = random.random((40, 1)).repeat(2, axis=1)
    logs = np.stack([5 + NORMAL_SCORES, 3 + 0.5 * NORMAL_SCORES])
    draws = shuffled_draws(logs, ranks)
    assert draws.shape == (2, 40 * SLICES)
    assert np.allclose(np.quantile(np.log1p(draws), LEVELS[2:-2], axis=1).T, logs[:, 2:-2], atol=0.05)
    assert np.corrcoef(np.log1p(draws))[0, 1] > 0.99

"""Totals from their parts: dependence is the past's own, and never with hindsight."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting import LEVELS, NORMAL_SCORES
from forecasting.panel import Panel, panel_from_rows
from forecasting.quantiles import QuantileTable
from forecasting.sum_of_parts import FEWEST_ORIGINS, SLICES, shuffled_draws, sum_of_parts

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
    return panel_from_rows(long.assign(route_id=long["series_id"].map({"a": "pair", "b": "pair", "c": "single"})))


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

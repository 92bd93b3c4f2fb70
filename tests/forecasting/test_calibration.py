"""The spread is rescaled by past forecast errors, never with hindsight."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting import LEVELS, NORMAL_SCORES
from forecasting.ensemble import FEWEST_SCORED, FEWEST_TO_LEARN_FROM, WINDOW, calibrate
from forecasting.panel import Panel, read_panel
from forecasting.quantiles import QuantileTable
from forecasting.verification import observed_at, wis

MONTHS = 120
NOISE = 0.3
NAMES = ["calm", "rough"]
ALIKE = dict.fromkeys(NAMES, NOISE)


def world(noise: dict[str, float] = ALIKE) -> Panel:
    """Series around 1,000 with independent noise of known standard deviation on log scale."""
    random = np.random.default_rng(5)
    months = pd.period_range("2010-01", periods=MONTHS, freq="M").astype(str)
    levels = {name: 1000 * np.exp(size * random.normal(size=MONTHS)) for name, size in noise.items()}
    frames = [
        pd.DataFrame({"series_id": name, "time_period": months, "value": values}) for name, values in levels.items()
    ]
    return read_panel(pd.concat(frames, ignore_index=True))


def forecasts(panel: Panel, spread: float, horizons: tuple[int, ...] = (1, 3)) -> QuantileTable:
    """The right middle with normal quantiles of one standard deviation, whatever the series' own is."""
    rows = [
        (name, panel.end_dates[place], horizon, (panel.periods[place] + horizon).end_time.normalize())
        for name in panel.series_ids
        for place in range(MONTHS)
        for horizon in horizons
    ]
    keys = pd.DataFrame(rows, columns=["series_id", "origin_date", "horizon", "target_end_date"]).assign(model_id="m")
    logs = np.log(1000) + spread * NORMAL_SCORES
    return QuantileTable(keys, np.tile(np.expm1(np.maximum(logs, 0.0)), (len(keys), 1)))


def last(table: QuantileTable, factors: np.ndarray, name: str) -> float:
    newest = (table.keys["origin_date"] == table.keys["origin_date"].max()) & (table.keys["series_id"] == name)
    return float(np.median(factors[newest.to_numpy(), 0]))


@pytest.mark.parametrize(("spread", "expected"), [(2 * NOISE, 0.5), (NOISE, 1.0), (0.7 * NOISE, 1 / 0.7)])
def test_factor_finds_spread_that_outcomes_had(spread: float, expected: float) -> None:
    panel = world()
    table = forecasts(panel, spread)
    _, factors = calibrate(table, panel)
    for name in NAMES:
        assert last(table, factors, name) == pytest.approx(expected, rel=0.3)


def test_spread_far_too_wide_scores_better_once_drawn_in() -> None:
    panel = world()
    table = forecasts(panel, 3 * NOISE)
    scaled, _ = calibrate(table, panel)
    late = (table.keys["origin_date"] > panel.end_dates[60]) & (table.keys["target_end_date"] <= panel.end_dates[-1])
    observed = np.log1p(observed_at(table.keys[late], panel))
    before, after = (wis(observed, np.log1p(one.quantiles[late])).mean() for one in (table, scaled))
    assert after < 0.8 * before


def test_changing_future_changes_no_earlier_factor() -> None:
    panel = world()
    table = forecasts(panel, 2 * NOISE)
    matrix = panel.matrix.copy()
    matrix.iloc[81:] = 1.0
    ours, theirs = calibrate(table, panel)[1], calibrate(table, Panel("M", matrix, panel.groups))[1]
    before = (table.keys["origin_date"] <= panel.end_dates[80]).to_numpy()
    assert np.array_equal(ours[before], theirs[before])
    assert not np.array_equal(ours[~before], theirs[~before])


def test_without_record_nothing_is_scaled() -> None:
    panel = world()
    table = forecasts(panel, 3 * NOISE)
    scaled, factors = calibrate(table, panel)
    early = (table.keys["origin_date"] < panel.end_dates[FEWEST_SCORED]).to_numpy()
    assert (factors[early] == 1.0).all()
    assert np.array_equal(scaled.quantiles[early], table.quantiles[early])


def test_median_stays_and_quantiles_never_cross() -> None:
    panel = world()
    table = forecasts(panel, 0.4 * NOISE)
    low = QuantileTable(table.keys, np.maximum(table.quantiles - 950, 0.0))
    scaled, factors = calibrate(low, panel)
    middle = int(np.argmin(np.abs(LEVELS - 0.5)))
    assert (factors > 1).any()
    assert np.allclose(scaled.quantiles[:, middle], low.quantiles[:, middle])
    assert (np.diff(scaled.quantiles, axis=1) >= -1e-9).all()
    assert (scaled.quantiles >= 0).all()


def test_given_factors_scale_without_outcomes() -> None:
    panel = world()
    wide = forecasts(panel, 2 * NOISE)
    scaled, factors = calibrate(wide, panel)
    again, _factors = calibrate(wide, Panel("M", panel.matrix * 100, panel.groups), factors)
    assert np.array_equal(again.quantiles, scaled.quantiles)


def test_long_tails_shrink_and_quartiles_stay() -> None:
    panel = world()
    table = forecasts(panel, NOISE)
    logs, quartiles = np.log1p(table.quantiles), [LEVELS.tolist().index(level) for level in (0.25, 0.75)]
    inner = np.clip(logs, logs[:, quartiles[:1]], logs[:, quartiles[1:]])
    long = QuantileTable(table.keys, np.expm1(inner + 2.5 * (logs - inner)))
    scaled, factors = calibrate(long, panel)
    late = (long.keys["origin_date"] > panel.end_dates[60]).to_numpy()
    assert (factors[late, 0] > 0.5).all()
    stretched = [(np.log1p(one.quantiles[late]) @ np.r_[-1, np.zeros(21), 1]).mean() for one in (long, scaled)]
    middle = [np.diff(np.log1p(one.quantiles[late])[:, quartiles]).mean() for one in (long, scaled)]
    assert stretched[1] / stretched[0] < 0.95 * middle[1] / middle[0]


def test_widening_shrinks_with_horizon_and_narrowing_does_not() -> None:
    panel = world()
    factors = {}
    for spread in (NOISE / 2, 2 * NOISE):
        table = forecasts(panel, spread, (1, 12))
        newest = (table.keys["origin_date"] == panel.end_dates[-2]).to_numpy()
        found = calibrate(table, panel)[1][newest, 0]
        factors[spread] = [found[(table.keys["horizon"] == step).to_numpy()[newest]].mean() for step in (1, 12)]
    near, far = factors[NOISE / 2]
    assert 1 < far < near**0.75
    near, far = factors[2 * NOISE]
    assert far == pytest.approx(near, rel=0.3)


def test_factor_uses_newest_outcomes_only() -> None:
    """A factor is learned at the first origin at which twelve outcomes are known, that of its own day among them.

    What was forecast from fewer than 24 earlier values does not count.
    """
    panel = world()
    table = forecasts(panel, 3 * NOISE, (1,))
    factors = calibrate(table, panel)[1][:, 0]
    own = (table.keys["series_id"] == "calm").to_numpy()
    first = FEWEST_TO_LEARN_FROM + FEWEST_SCORED
    assert (factors[own][:first] == 1.0).all()
    assert factors[own][first] < 1.0
    wild = panel.matrix.copy()
    wild.iloc[: MONTHS - WINDOW - 1] = 1e6
    forgotten = calibrate(table, Panel("M", wild, panel.groups))[1][:, 0]
    assert forgotten[own][-1] == factors[own][-1]

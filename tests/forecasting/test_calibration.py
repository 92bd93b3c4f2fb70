"""The spread learned from the past: drawn in where it was too wide, let out where too narrow, never with hindsight."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting import LEVELS, NORMAL_SCORES
from forecasting.calibration import (
    FACTORS,
    FEWEST_SCORED,
    FEWEST_TO_LEARN_FROM,
    TOWARDS_ALL,
    WINDOW,
    _lowest,
    calibrate,
    calibrate_tails,
    nearer_the_record,
)
from forecasting.panel import Panel, panel_from_rows
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
    return panel_from_rows(pd.concat(frames, ignore_index=True))


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
    return float(np.median(factors[newest.to_numpy()]))


@pytest.mark.parametrize(("spread", "expected"), [(2 * NOISE, 0.5), (NOISE, 1.0), (0.7 * NOISE, 1 / 0.7)])
def test_the_factor_finds_the_spread_that_outcomes_had(spread: float, expected: float) -> None:
    panel = world()
    table = forecasts(panel, spread)
    _, factors = calibrate(table, panel)
    for name in NAMES:
        assert last(table, factors, name) == pytest.approx(expected, rel=0.3)


def test_each_series_leans_towards_its_own_spread() -> None:
    panel = world({"calm": 0.1, "rough": 0.4})
    table = forecasts(panel, 0.25)
    _, factors = calibrate(table, panel)
    assert last(table, factors, "calm") < 0.7
    assert last(table, factors, "rough") > 1.1


def test_asking_for_more_horizons_adds_no_evidence() -> None:
    """Neighbouring horizons are judged by nearly the same outcomes: together they must not move a factor further."""
    panel = world()
    alone, among_others = (
        last(table.where((table.keys["horizon"] == 12).to_numpy()), factors[table.keys["horizon"] == 12], "calm")
        for table in (forecasts(panel, 2 * NOISE, horizons) for horizons in ((12,), (8, 9, 10, 11, 12)))
        for factors in (calibrate(table, panel)[1],)
    )
    assert alone < 1
    assert among_others == pytest.approx(alone, rel=0.06)


def test_a_spread_far_too_wide_scores_better_once_drawn_in() -> None:
    panel = world()
    table = forecasts(panel, 3 * NOISE)
    scaled, _ = calibrate(table, panel)
    late = (table.keys["origin_date"] > panel.end_dates[60]) & (table.keys["target_end_date"] <= panel.end_dates[-1])
    observed = np.log1p(observed_at(table.keys[late], panel))
    before, after = (wis(observed, np.log1p(one.quantiles[late])).mean() for one in (table, scaled))
    assert after < 0.8 * before


def test_changing_the_future_changes_no_earlier_factor() -> None:
    panel = world()
    table = forecasts(panel, 2 * NOISE)
    matrix = panel.matrix.copy()
    matrix.iloc[81:] = 1.0
    ours, theirs = calibrate(table, panel)[1], calibrate(table, Panel("M", matrix, panel.groups))[1]
    before = (table.keys["origin_date"] <= panel.end_dates[80]).to_numpy()
    assert np.array_equal(ours[before], theirs[before])
    assert not np.array_equal(ours[~before], theirs[~before])


def test_without_a_record_nothing_is_scaled() -> None:
    panel = world()
    table = forecasts(panel, 3 * NOISE)
    scaled, factors = calibrate(table, panel)
    early = (table.keys["origin_date"] < panel.end_dates[FEWEST_SCORED]).to_numpy()
    assert (factors[early] == 1.0).all()
    assert np.array_equal(scaled.quantiles[early], table.quantiles[early])


def test_the_median_stays_and_quantiles_neither_cross_nor_fall_below_zero() -> None:
    panel = world()
    table = forecasts(panel, 0.4 * NOISE)
    low = QuantileTable(table.keys, np.maximum(table.quantiles - 950, 0.0))
    scaled, factors = calibrate(low, panel)
    middle = int(np.argmin(np.abs(LEVELS - 0.5)))
    assert (factors > 1).any()
    assert np.allclose(scaled.quantiles[:, middle], low.quantiles[:, middle])
    assert (np.diff(scaled.quantiles, axis=1) >= -1e-9).all()
    assert (scaled.quantiles >= 0).all()


def test_a_factor_never_leaves_its_bounds() -> None:
    panel = world()
    for spread in (0.001, 30.0):
        _, factors = calibrate(forecasts(panel, spread), panel)
        assert factors.min() >= FACTORS[0]
        assert factors.max() <= FACTORS[-1]


def test_no_forecast_at_all_is_no_error() -> None:
    panel = world()
    scaled, factors = calibrate(forecasts(panel, NOISE).where(np.zeros(MONTHS * 4, dtype=bool)), panel)
    assert len(scaled.keys) == len(factors) == 0


def test_the_newest_known_outcome_counts_and_the_first_that_is_too_old_does_not() -> None:
    """A factor is learned at the first origin at which twelve outcomes are known, that of its own day among them.

    What was forecast from fewer than 24 earlier values does not count.
    """
    panel = world()
    table = forecasts(panel, 3 * NOISE, (1,))
    factors = calibrate(table, panel)[1]
    own = (table.keys["series_id"] == "calm").to_numpy()
    first = FEWEST_TO_LEARN_FROM + FEWEST_SCORED
    assert (factors[own][:first] == 1.0).all()
    assert factors[own][first] < 1.0
    wild = panel.matrix.copy()
    wild.iloc[: MONTHS - WINDOW - 1] = 1e6
    forgotten = calibrate(table, Panel("M", wild, panel.groups))[1]
    assert forgotten[own][-1] == factors[own][-1]


def test_forecasts_of_hardly_anybody_are_neither_learned_from_nor_scaled_by_what_others_taught() -> None:
    panel = world()
    table = forecasts(panel, 3 * NOISE)
    nobody = (table.keys["series_id"] == "rough").to_numpy()
    few = QuantileTable(table.keys, np.where(nobody[:, None], np.minimum(table.quantiles, 0.9), table.quantiles))
    factors = calibrate(few, Panel("M", panel.matrix.assign(rough=0.0), panel.groups))[1]
    assert last(few, factors, "calm") < 0.7
    assert (factors[nobody] == 1.0).all()


def test_a_series_of_its_own_leans_on_all_and_all_lean_on_no_scaling() -> None:
    """With little evidence the common factor moves far, a single series' own departure from it hardly."""
    shape = (1, 2, len(FACTORS))
    losses = np.broadcast_to(1.0 + (np.log(FACTORS) - np.log(0.5)) ** 2, shape)
    few, near = np.full((1, 2), 4.0), np.eye(1)
    common = _lowest(losses.sum(axis=1)[:, None], few.max(axis=1)[:, None], near, 0.0)
    own = _lowest(losses, few, near, np.zeros_like(common), penalty=TOWARDS_ALL)
    assert common[0, 0] < -0.3
    assert (np.abs(own) < 0.6 * abs(common[0, 0])).all()


@pytest.mark.parametrize(
    ("freq", "middle", "lower", "upper", "zeros"),
    [("Q", 1.0, 1.25, 1.15, 2), ("W", 1.0, 1.25, 1.15, 2), ("D", 1.05, 1.0, 1.0, 1)],
)
def test_by_day_week_and_quarter_forecasts_are_drawn_out_and_nothing_falls_below_zero(
    freq: str, middle: float, lower: float, upper: float, zeros: int
) -> None:
    periods = [str(one) for one in pd.period_range("2015-01-01", periods=12, freq=freq)]
    names = [f"{one[:4]}-W{pd.Period(one).week:02}" if freq == "W" else one for one in periods]
    panel = panel_from_rows(pd.DataFrame({"series_id": "few", "time_period": names, "value": 40.0}))
    keys = pd.DataFrame(
        {"series_id": "few", "origin_date": panel.end_dates[8], "horizon": 1, "target_end_date": panel.end_dates[9]},
        index=range(2),
    )
    logs = np.stack([4.0 + 0.5 * NORMAL_SCORES, np.maximum(0.9 + 0.8 * NORMAL_SCORES, 0.0)])
    found = np.log1p(calibrate_tails(QuantileTable(keys, np.expm1(logs)), panel)[0].quantiles)
    first, median, last = (LEVELS.tolist().index(level) for level in (0.25, 0.5, 0.75))
    inside = logs[:, [median]] + middle * (logs - logs[:, [median]])
    below = inside[:, [first]] - lower * (logs[:, [first]] - logs[:, :first])
    above = inside[:, [last]] + upper * (logs[:, last:] - logs[:, [last]])
    np.testing.assert_allclose(found[:, :first], np.maximum(below, 0.0), atol=1e-12)
    np.testing.assert_allclose(found[:, first : last + 1], inside[:, first : last + 1], atol=1e-12)
    np.testing.assert_allclose(found[:, last:], above, atol=1e-12)
    assert (found[1, :zeros] == 0).all()


def test_what_lies_far_above_the_record_is_drawn_in_and_keeps_its_order() -> None:
    rising = np.concatenate([np.linspace(0, 100, 17), [150, 160, 200, 500, 10_000, 1e9]])
    third_of_a_season = np.full(2, 1 / 3)
    found = nearer_the_record(np.stack([rising, rising]), np.array([100.0, np.inf]), third_of_a_season)
    assert np.array_equal(found[1], rising)
    assert np.array_equal(found[0, :18], rising[:18])
    assert (np.diff(found[0]) > 0).all()
    np.testing.assert_allclose(found[0, 18:22], [158.6, 179.3, 221.5, 278.3], atol=0.1)
    assert found[0, -1] < 400


def test_the_further_ahead_the_more_lies_beyond_the_record_up_to_a_season() -> None:
    rising = np.tile(np.r_[np.linspace(0, 100, 20), 125, 200, 500], (4, 1))
    found = nearer_the_record(rising, np.full(4, 100.0), np.array([0.0, 0.5, 1.0, 1.5]))
    np.testing.assert_allclose(found[:, 20], 125)
    np.testing.assert_allclose(found[:, 21], [159.2, 187.4, 200.0, 200.0], atol=0.1)
    np.testing.assert_allclose(found[:, 22], [189.1, 237.1, 282.1, 282.1], atol=0.1)


def test_beyond_the_record_what_the_upper_quartile_says_stands_and_tails_are_measured_from_it() -> None:
    surge = np.geomspace(100, 6_400, 23)
    quartile = surge[LEVELS.tolist().index(0.75)]
    [found], [as_if_counted] = (
        nearer_the_record(surge[None], np.array([record]), np.array([1 / 3])) for record in (10.0, quartile)
    )
    assert np.array_equal(found, as_if_counted)
    assert np.array_equal(found[surge <= 1.5 * quartile], surge[surge <= 1.5 * quartile])
    assert found[-1] < surge[-1]


def test_tails_longer_than_outcomes_had_are_drawn_in_and_quartiles_stay() -> None:
    panel = world()
    table = forecasts(panel, NOISE)
    logs, quartiles = np.log1p(table.quantiles), [LEVELS.tolist().index(level) for level in (0.25, 0.75)]
    inner = np.clip(logs, logs[:, quartiles[:1]], logs[:, quartiles[1:]])
    long = QuantileTable(table.keys, np.expm1(inner + 2.5 * (logs - inner)))
    scaled, factors = calibrate_tails(long, panel)
    for name in NAMES:
        assert last(long, factors, name) < 0.7
    assert np.allclose(scaled.quantiles[:, quartiles], long.quantiles[:, quartiles])
    late = (long.keys["origin_date"] > panel.end_dates[60]).to_numpy()
    observed = observed_at(long.keys, panel)
    seen = late & np.isfinite(observed)
    before, after = (wis(observed[seen], one.quantiles[seen]).mean() for one in (long, scaled))
    assert after < before

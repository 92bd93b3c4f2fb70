"""The bootstrap draws neighbouring months together and claims nothing from too few."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from forecasting.verification.bootstrap import (
    LONGEST_ALERT,
    area_interval,
    block_length,
    block_weights,
    diebold_mariano,
    draw_weights,
    rate_interval,
    ratio,
    ratio_interval,
    share_interval,
    widened,
    with_interval,
)


def test_the_first_row_is_the_sample_and_every_row_draws_as_many_months() -> None:
    weights = draw_weights(61)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 61).all()
    assert len(weights) > 200
    assert (draw_weights(61) == weights).all()


def test_every_month_is_drawn_equally_often() -> None:
    mean = draw_weights(60, draws=20_000)[1:].mean(axis=0)
    assert mean == pytest.approx(np.ones(60), abs=0.05)


def test_months_are_drawn_in_blocks() -> None:
    weights = draw_weights(120, draws=2000)[1:]
    near = np.corrcoef(weights[:, 50], weights[:, 51])[0, 1]
    far = np.corrcoef(weights[:, 50], weights[:, 50 + 2 * LONGEST_ALERT + 5])[0, 1]
    assert near > 0.8
    assert abs(far) < 0.2


def test_too_few_origins_give_no_interval() -> None:
    values = draw_weights(4 * LONGEST_ALERT - 1) @ np.ones(4 * LONGEST_ALERT - 1)
    measure, low, high = with_interval(values)
    assert measure == 4 * LONGEST_ALERT - 1
    assert np.isnan([low, high]).all()


def test_a_measure_that_most_resamples_leave_undefined_gets_no_interval() -> None:
    assert with_interval(np.array([0.5, 0.4, 0.6, 0.5]))[1:] == pytest.approx((0.41, 0.59))
    assert np.isnan(with_interval(np.array([0.5, np.nan, np.nan, 0.5]))[1:]).all()
    assert np.isnan(with_interval(np.array([np.nan, 0.4, 0.6, 0.5]))).all()


def test_a_share_of_nothing_is_not_a_number() -> None:
    assert np.isnan(ratio(np.zeros(2), np.array([0.0, 2.0]))).tolist() == [True, False]


def test_an_interval_of_few_cases_that_all_agree_is_not_certain() -> None:
    low, high = share_interval(3, 3)
    assert low == pytest.approx(0.556, abs=0.001)
    assert high == 1.0
    assert share_interval(0, 3)[1] == pytest.approx(1 - low)
    assert widened((1.0, 1.0, 1.0), share_interval(3, 3)) == (1.0, low, 1.0)
    assert rate_interval(0, 10.0)[0] == 0.0
    assert rate_interval(0, 10.0)[1] > 0.1
    assert area_interval(1.0, 2, 20)[0] < 0.95


def test_many_cases_leave_the_bootstrap_as_it_is() -> None:
    assert widened((0.5, 0.3, 0.7), share_interval(5000, 10_000)) == (0.5, 0.3, 0.7)


def test_an_interval_that_is_not_known_stays_unknown() -> None:
    assert np.isnan(widened((0.5, np.nan, np.nan), (0.1, 0.9))[1])
    assert all(np.isnan(share_interval(0, 0)))
    assert all(np.isnan(area_interval(0.5, 0, 9)))


def exchangeable_scores(horizon: int, origins: int = 60, worlds: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Absolute errors of two forecasters who are equally good: moving averages of order h - 1, volatility that wanders.

    Half of what surprises one surprises the other too. Shape ``(worlds, origins)`` each.
    """
    random = np.random.default_rng(horizon)
    months = origins + horizon
    level = random.normal(0, 0.8, worlds)
    volatility = np.empty((worlds, months))
    for month in range(months):
        level = 0.95 * level + random.normal(0, 0.25, worlds)
        volatility[:, month] = np.exp(level)
    shared, first, second = random.normal(size=(3, worlds, months)) * volatility

    def errors(own: np.ndarray) -> np.ndarray:
        sums = np.cumsum(np.sqrt(0.5) * (shared + own), axis=1)
        overlapping: np.ndarray = np.abs(sums[:, horizon:] - sums[:, :-horizon])
        return overlapping

    return errors(first), errors(second)


@pytest.mark.parametrize("horizon", [1, 3, 6, 12])
def test_a_nominal_90_percent_interval_holds_a_true_ratio_of_1_in_at_least_85_of_100_worlds(horizon: int) -> None:
    worlds = zip(*exchangeable_scores(horizon), strict=True)
    found = [ratio_interval(own, reference, horizon=horizon) for own, reference in worlds]
    inside = np.mean([one.low <= 1 <= one.high for one in found])
    assert 0.85 <= inside <= 0.95
    assert np.mean([one.p_value < 0.10 for one in found]) == pytest.approx(1 - inside)


@pytest.mark.parametrize("horizon", range(1, 13))
def test_blocks_are_at_least_twice_as_long_as_the_horizon(horizon: int) -> None:
    assert all(block_length(origins, horizon) >= 2 * horizon for origins in range(8, 120))


def test_no_origin_is_drawn_less_often_than_another() -> None:
    mean = block_weights(49, 24, draws=20_000).mean(axis=0)
    assert mean == pytest.approx(np.ones(49), abs=0.05)


def test_the_interval_of_a_ratio_holds_the_ratio_and_has_no_width_where_every_origin_says_the_same() -> None:
    reference = np.random.default_rng(2).gamma(2, 1, 60)
    same = ratio_interval(0.8 * reference, reference, horizon=3)
    assert (same.ratio, same.low, same.high) == pytest.approx((0.8, 0.8, 0.8))
    assert same.p_value == 0.0
    assert ratio_interval(reference, reference, horizon=3).p_value == 1.0
    wide = ratio_interval(reference * np.tile([0.5, 1.5], 30), reference, horizon=3)
    assert wide.low < 1 < wide.high


@pytest.mark.parametrize(("origins", "horizon"), [(7, 1), (47, 12)])
def test_fewer_origins_than_eight_or_than_four_horizons_give_a_ratio_without_an_interval(
    origins: int, horizon: int
) -> None:
    found = ratio_interval(np.full(origins, 0.5), np.ones(origins), horizon=horizon)
    assert found.ratio == 0.5
    assert np.isnan([found.low, found.high, found.p_value]).all()


def test_a_reference_without_any_error_gives_no_ratio() -> None:
    found = ratio_interval(np.ones(40), np.zeros(40), horizon=1)
    assert np.isnan([found.ratio, found.low, found.high, found.p_value]).all()


def test_diebold_mariano_is_the_paired_t_test_one_period_ahead() -> None:
    random = np.random.default_rng(4)
    loss, other = random.gamma(2, 1, 40), random.gamma(2.5, 1, 40)
    found = diebold_mariano(loss, other, horizon=1)
    expected = ttest_rel(loss, other)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_diebold_mariano_sees_no_difference_between_equals_and_doubts_overlapping_errors() -> None:
    random = np.random.default_rng(5)
    shocks = random.normal(0.3, 1, 90)
    overlapping = np.convolve(shocks, np.ones(6) / 6, mode="valid")
    assert diebold_mariano(shocks, shocks, horizon=1).p_value == 1.0
    naive = diebold_mariano(overlapping, np.zeros_like(overlapping), horizon=1)
    honest = diebold_mariano(overlapping, np.zeros_like(overlapping), horizon=6)
    assert honest.p_value > naive.p_value

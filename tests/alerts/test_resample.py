"""The bootstrap draws neighbouring months together and claims nothing from too few."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.resample import (
    BLOCK_MONTHS,
    FEWEST_ORIGINS,
    area_interval,
    draw_weights,
    rate_interval,
    ratio,
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
    far = np.corrcoef(weights[:, 50], weights[:, 50 + BLOCK_MONTHS + 5])[0, 1]
    assert near > 0.8
    assert abs(far) < 0.2


def test_too_few_origins_give_no_interval() -> None:
    values = draw_weights(FEWEST_ORIGINS - 1) @ np.ones(FEWEST_ORIGINS - 1)
    measure, low, high = with_interval(values)
    assert measure == FEWEST_ORIGINS - 1
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

"""An interval of a measure of alerts claims nothing from too few cases."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.verification.contingency import area_interval, rate_interval, ratio, share_interval, widened, with_interval
from forecasting.verification.verdict import LONGEST_ALERT, draw_weights


def test_too_few_origins_give_no_interval() -> None:
    values = draw_weights(4 * LONGEST_ALERT - 1) @ np.ones(4 * LONGEST_ALERT - 1)
    measure, low, high = with_interval(values)
    assert measure == 4 * LONGEST_ALERT - 1
    assert np.isnan([low, high]).all()


def test_mostly_undefined_measure_has_no_interval() -> None:
    assert with_interval(np.array([0.5, 0.4, 0.6, 0.5]))[1:] == pytest.approx((0.41, 0.59))
    assert np.isnan(with_interval(np.array([0.5, np.nan, np.nan, 0.5]))[1:]).all()
    assert np.isnan(with_interval(np.array([np.nan, 0.4, 0.6, 0.5]))).all()


def test_share_of_nothing_is_not_number() -> None:
    assert np.isnan(ratio(np.zeros(2), np.array([0.0, 2.0]))).tolist() == [True, False]


def test_interval_of_few_cases_that_all_agree_is_not_certain() -> None:
    low, high = share_interval(3, 3)
    assert low == pytest.approx(0.556, abs=0.001)
    assert high == 1.0
    assert share_interval(0, 3)[1] == pytest.approx(1 - low)
    assert widened((1.0, 1.0, 1.0), share_interval(3, 3)) == (1.0, low, 1.0)
    assert rate_interval(0, 10.0)[0] == 0.0
    assert rate_interval(0, 10.0)[1] > 0.1
    assert area_interval(1.0, 2, 20)[0] < 0.95


@pytest.mark.parametrize(("events", "others"), [(3, 3), (5, 40), (40, 5), (200, 300)])
def test_random_order_has_mann_whitney_interval(events: int, others: int) -> None:
    reach = 1.6448536 * np.sqrt((events + others + 1) / (12 * events * others))  # 90 % of a normal distribution
    assert area_interval(0.5, events, others) == pytest.approx((0.5 - reach, 0.5 + reach))


@pytest.mark.parametrize("area", [0.0, 0.01, 0.99, 1.0])
def test_interval_of_area_stays_between_nought_and_one(area: float) -> None:
    low, high = area_interval(area, 3, 4)
    assert 0 <= low < high <= 1

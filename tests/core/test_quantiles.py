from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import INTERVALS, QUANTILE_LEVELS, interval_levels, probability_above

VALUES = np.expm1(np.linspace(2, 9, len(QUANTILE_LEVELS)))


def test_there_are_23_hub_levels_symmetric_about_median() -> None:
    assert len(QUANTILE_LEVELS) == 23
    assert np.allclose(np.add(QUANTILE_LEVELS, QUANTILE_LEVELS[::-1]), 1)


def test_every_interval_stands_on_hub_levels() -> None:
    assert all(level in QUANTILE_LEVELS for coverage in INTERVALS for level in interval_levels(coverage))


@pytest.mark.parametrize("index", range(len(QUANTILE_LEVELS)))
def test_chance_of_passing_quantile_is_its_complement(index: int) -> None:
    assert probability_above(VALUES[index], VALUES) == pytest.approx(1 - QUANTILE_LEVELS[index])


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_higher_threshold_is_never_likelier_to_be_passed(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert probability_above(low, VALUES) >= probability_above(high, VALUES)


def test_chance_beyond_quantiles_is_never_certain() -> None:
    assert probability_above(1e9, VALUES) == pytest.approx(0.005)
    assert probability_above(0, VALUES) == pytest.approx(0.995)

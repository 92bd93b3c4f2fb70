"""Simple rules use only what was known, and are what they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from alerts.verification.hindcast import (
    COMPARISONS,
    Comparison,
    any_within,
    control_chart,
    extreme_in,
    persistence,
    seasonal_walk,
)


def _months(seed: int = 0, count: int = 96) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    season = np.sin(2 * np.pi * np.arange(count) / 12)
    counts: NDArray[np.float64] = 6 + season + random.normal(0, 0.3, count)
    return counts[:, None]


@pytest.mark.parametrize("simple", COMPARISONS, ids=lambda simple: simple.rule)
@pytest.mark.parametrize("event", ["rise", "fall"])
def test_later_month_changes_no_earlier_score(simple: Comparison, event: str) -> None:
    logs = _months()
    limits = np.full_like(logs, 6.5)
    changed = logs.copy()
    changed[60:] += 3
    before, after = (simple.score(one, limits, 6, event == "fall") for one in (logs, changed))
    assert np.isfinite(before[40:60]).all()
    np.testing.assert_array_equal(before[:60], after[:60])
    assert not np.array_equal(before[60:], after[60:], equal_nan=True)


def test_persistence_is_share_of_changes_over_limit() -> None:
    logs, place, step = _months(1), 70, 3
    limits = np.full_like(logs, 6.8)
    past = [logs[later, 0] - logs[later - step, 0] for later in range(step, place + 1)][-84:]
    both = [sign * change for change in past for sign in (1, -1)]
    reached = sum(change >= 6.8 - logs[place, 0] for change in both)
    found = persistence(logs, limits, 6, False)[place, 0, step - 1]
    assert found == pytest.approx((reached + 0.5) / (len(both) + 1))


def test_seasonal_walk_knows_season_and_persistence_does_not() -> None:
    months = np.arange(120)
    logs = (6 + np.sin(2 * np.pi * months / 12) + 0.01 * np.cos(months * 1.7))[:, None]
    limits = np.full_like(logs, 6.9)
    trough = 105
    assert logs[trough, 0] < 5.1
    assert seasonal_walk(logs, limits, 6, False)[trough, 0, 5] > 0.8
    assert persistence(logs, limits, 6, False)[trough, 0, 5] < 0.5


def test_control_chart_counts_deviations_of_two_years() -> None:
    logs = _months(2)
    before = logs[46:70, 0]
    expected = (logs[70, 0] - before.mean()) / before.std(ddof=1)
    assert control_chart(logs, logs, 2, False)[70, 0].tolist() == pytest.approx([expected] * 2)
    assert control_chart(logs, logs, 2, True)[70, 0, 0] == pytest.approx(-expected)


class TestAnyWithin:
    """The chance of an event in any month of a window, where only the months' own chances are known."""

    @staticmethod
    def _chance(*months: float) -> float:
        chances: NDArray[np.float64] = np.array([[months]])
        return float(any_within(chances, np.array([1]))[0, 0])

    def test_it_lies_between_highest_month_and_independence(self) -> None:
        found = self._chance(0.3, 0.4, 0.2)
        assert found + 0.02 >= 0.4
        assert found <= 1 - 0.7 * 0.6 * 0.8 + 0.02

    def test_one_month_alone_keeps_its_chance(self) -> None:
        for chance in (0.1, 0.5, 0.9):
            assert self._chance(chance) == pytest.approx(chance, abs=0.03)

    def test_certainty_stays_certain_and_gap_is_unknown(self) -> None:
        assert self._chance(0.0, 0.0, 0.0) == 0
        assert self._chance(0.0, 1.0, 0.0) == 1
        assert np.isnan(self._chance(0.2, np.nan, 0.2))


def test_highest_of_twelve_is_monotone() -> None:
    logs = _months(3)
    score = extreme_in(12, logs, logs, 1, False)[:, 0, 0]
    for place in range(20, 60):
        assert (score[place] >= 0) == (logs[place, 0] == logs[place - 11 : place + 1, 0].max())
        lowest = extreme_in(12, logs, logs, 1, True)[place, 0, 0] >= 0
        assert lowest == (logs[place, 0] == logs[place - 11 : place + 1, 0].min())

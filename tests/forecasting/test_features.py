"""Features know nothing of the future, and mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from core import FloatArray
from forecasting.models.pooled import (
    FEATURES,
    HORIZON,
    WIDENING,
    features,
    growth_scale,
    levels,
    mean_of_season,
    value_now,
    volatility,
)

MONTHS, SERIES = 90, 3
POSITIONS = np.arange(MONTHS, dtype=float) % 12


def walks(seed: int = 3) -> FloatArray:
    steps = 0.3 * np.random.default_rng(seed).standard_normal((MONTHS, SERIES))
    levels: FloatArray = np.maximum(5 + steps.cumsum(axis=0), 0.0)
    return levels


def described(logs: FloatArray, rows: list[int], horizon: int = 3) -> FloatArray:
    return features(logs, np.asarray(rows), POSITIONS, horizon=horizon, season=12, kind=0)


@pytest.mark.parametrize("horizon", [1, 6, 12, 14])
def test_changing_future_changes_no_feature_of_earlier_origin(horizon: int) -> None:
    logs = walks()
    other = logs.copy()
    other[61:] = 11.0
    assert np.array_equal(described(logs, [40, 60], horizon), described(other, [40, 60], horizon), equal_nan=True)
    assert np.array_equal(volatility(logs, 12)[:61], volatility(other, 12)[:61])


def test_first_features_are_changes_up_to_a_year() -> None:
    logs = walks()
    expected = [logs[70] - logs[70 - lag] for lag in (1, 2, 3, 6, 12)]
    assert np.allclose(described(logs, [70])[0, :, :5].T, expected)


def test_seasonal_features_use_completed_years() -> None:
    logs = walks()
    made = described(logs, [70], horizon=3)[0, 0]
    changes = [logs[70 - 12 * year + 3, 0] - logs[70 - 12 * year, 0] for year in range(1, 6)]
    assert any(np.isclose(value, changes[0]) for value in made)
    assert any(np.isclose(value, np.mean(changes)) for value in made)


@pytest.mark.parametrize(("season", "shortest"), [(12, 1), (4, 1), (1, 1), (52, 4)])
def test_levels_are_read_back_from_changes(season: int, shortest: int) -> None:
    logs = walks()
    made = features(logs, np.asarray([70]), np.arange(MONTHS, dtype=float) % season, horizon=6, season=season, kind=0)[
        0
    ]
    assert made.shape[1] == len(FEATURES)
    assert np.allclose(made[:, HORIZON], np.log(6))
    made = np.hstack([made, np.full((SERIES, 2), 7.0)])
    assert np.allclose(value_now(made), logs[70])
    assert np.allclose(mean_of_season(made), logs[71 - max(2, season) : 71].mean(axis=0))
    assert np.allclose(growth_scale(made), volatility(logs, season)[70] * 6**WIDENING)
    assert all(np.isclose(levels(made), logs[70 - back][:, None]).any(axis=1).all() for back in (shortest, season))
    assert (levels(made)[:, -2:] == 7.0).all()


def test_gap_leaves_only_its_features_empty() -> None:
    logs = walks()
    logs[69, 0] = np.nan
    made = described(logs, [70])[0]
    assert np.isnan(made[0, 0])
    assert np.isfinite(made[0, 1:]).all()
    assert np.isfinite(made[1]).all()

"""Sample paths: exact marginals, dependence from past errors, sane without a past."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core import QUANTILE_LEVELS
from core.release import TRAJECTORIES
from core.schema import check
from forecasting import LEVELS, NORMAL_SCORES
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable, to_rows, value_at
from forecasting.trajectories import Numbers, sample_paths

HORIZONS = (1, 2, 3)


def quantile_rows(origins: list[str], spreads: dict[str, float], *, level: float = 5.0) -> pd.DataFrame:
    """Normal forecasts on log1p scale around a fixed level, one per series, origin and horizon."""
    places = [(name, pd.Timestamp(origin), h) for name in spreads for origin in origins for h in HORIZONS]
    keys = pd.DataFrame(places, columns=["series_id", "origin_date", "horizon"]).assign(model_id="vigie-ensemble")
    keys["target_end_date"] = [(origin + pd.offsets.MonthEnd(h)) for _, origin, h in places]
    logs = np.stack([level + spreads[name] * np.sqrt(h) * NORMAL_SCORES for name, _, h in places])
    columns = ["model_id", "series_id", "origin_date", "horizon", "target_end_date"]
    return to_rows(QuantileTable(keys[columns], np.expm1(np.maximum(logs, 0))))


def past_world(rho: float) -> tuple[Panel, pd.DataFrame, pd.DataFrame]:
    """Two series whose outcomes always fall together (correlation rho) around calibrated forecasts."""
    random = np.random.default_rng(8)
    months = pd.period_range("2010-01", periods=120, freq="M")
    first = random.standard_normal(120)
    second = rho * first + np.sqrt(1 - rho**2) * random.standard_normal(120)
    panel = Panel(
        "M",
        pd.DataFrame({"a": np.expm1(5 + 0.4 * first), "b": np.expm1(5 + 0.4 * second)}, index=months),
        pd.DataFrame(index=["a", "b"]),
    )
    origins = [str(end.date()) for end in panel.end_dates[:-1]]
    spreads = {"a": 0.4, "b": 0.4}
    return panel, quantile_rows(origins, spreads), quantile_rows([str(panel.end_dates[-1].date())], spreads)


def wide(paths: pd.DataFrame) -> dict[tuple[str, int], NDArray[np.float64]]:
    ordered = paths.sort_values("output_type_id")
    return {
        (str(series), int(horizon)): rows["value"].to_numpy()
        for series in ordered["series_id"].unique()
        for horizon, rows in ordered[ordered["series_id"] == series].groupby("horizon")
    }


def test_marginals_are_forecasts_quantiles_within_sampling_error() -> None:
    panel, past, now = past_world(0.8)
    paths = check(sample_paths(now, past, panel, n=1000, seed=1), TRAJECTORIES)
    assert len(paths) == 2 * 3 * 1000
    for (series, horizon), values in wide(paths).items():
        rows = now[(now["series_id"] == series) & (now["horizon"] == horizon)].sort_values("output_type_id")
        found = np.log1p(np.quantile(values, QUANTILE_LEVELS))
        assert np.allclose(found, np.log1p(rows["value"]), atol=0.03)


def test_series_with_joint_errors_move_together() -> None:
    for rho in (0.9, 0.0):
        panel, past, now = past_world(rho)
        values = wide(sample_paths(now, past, panel, n=4000, seed=2))
        found = np.corrcoef(np.log1p(values["a", 1]), np.log1p(values["b", 1]))[0, 1]
        assert found == pytest.approx(rho * 118 / (118 + 24), abs=0.12)


def test_paths_without_past_are_independent() -> None:
    panel, _, now = past_world(0.9)
    values = wide(sample_paths(now, now.iloc[:0], panel, n=4000, seed=3))
    across = np.corrcoef(np.log1p(values["a", 1]), np.log1p(values["b", 1]))[0, 1]
    along = np.corrcoef(np.log1p(values["a", 1]), np.log1p(values["a", 3]))[0, 1]
    assert abs(across) < 0.06
    assert along == pytest.approx(np.sqrt(1 / 3), abs=0.06)


def test_outcomes_after_origin_change_no_path() -> None:
    panel, past, _ = past_world(0.5)
    cut = "2018-12-31"
    now = past[past["origin_date"] == cut]
    matrix = panel.matrix.copy()
    matrix.loc[matrix.index > pd.Period("2018-12", freq="M")] = 1.0
    ours = sample_paths(now, past, panel, n=200, seed=4)
    other = sample_paths(now, past, Panel("M", matrix, panel.groups), n=200, seed=4)
    pd.testing.assert_frame_equal(ours, other)


def test_numbers_are_the_same_however_many_are_asked_for() -> None:
    shared = Numbers(seed=3)
    for count in (4, 2, 9, 30):
        assert shared.first(count).tolist() == Numbers(seed=3).first(count).tolist()


def test_same_seed_gives_same_paths_and_another_seed_others() -> None:
    panel, past, now = past_world(0.5)
    one, two, three = (sample_paths(now, past, panel, n=100, seed=seed) for seed in (7, 7, 8))
    assert one.equals(two)
    assert not one["value"].equals(three["value"])


_ascending = st.lists(st.floats(0, 1e7), min_size=23, max_size=23).map(sorted)


@given(_ascending, st.floats(0.001, 0.999))
@settings(max_examples=200, deadline=None)
def test_values_between_levels_stay_between_their_quantiles(quantiles: list[float], probability: float) -> None:
    row = np.asarray(quantiles)
    value = float(value_at(np.asarray([probability]), row)[0])
    place = int(np.searchsorted(LEVELS, probability))
    assert np.isfinite(value)
    assert value >= 0
    if 0 < place < 23:
        assert row[place - 1] * (1 - 1e-6) - 1e-6 <= value <= row[place] * (1 + 1e-6) + 1e-6

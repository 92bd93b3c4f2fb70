"""Recent values: their distribution, and where they take a share of the ensemble."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core import QUANTILE_LEVELS
from core.calendar import Frequency
from forecasting import ENSEMBLE, LEVELS, NORMAL_SCORES, RECENT_VALUES
from forecasting.ensemble import combine
from forecasting.members import Request, members_at
from forecasting.models import MODELS
from forecasting.models.recent_values import HALF_LIFE, SHARE, share_of_recent_values
from forecasting.panel import Panel, panel_from_rows
from forecasting.quantiles import LinearPool
from forecasting.verification import observed_at, wis
from forecasting.workers import Fit

MEDIAN = QUANTILE_LEVELS.index(0.5)


def predicted(values: NDArray[np.float64], horizon: int = 3) -> NDArray[np.float64]:
    history = Fit(RECENT_VALUES, "a", pd.Period("2024-12", "M"), values, 12).history()
    return MODELS[RECENT_VALUES].predict(history, horizon)


def panel_of(*series: NDArray[np.float64], freq: Frequency = "M") -> Panel:
    periods = pd.period_range("2015-01-05", periods=len(series[0]), freq={"W": "W-SUN"}.get(freq, freq))
    written = [f"{one.end_time:%G-W%V}" if freq == "W" else str(one) for one in periods]
    rows = [
        pd.DataFrame({"series_id": f"s{number}", "time_period": written, "value": values})
        for number, values in enumerate(series)
    ]
    return panel_from_rows(pd.concat(rows))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_no_quantile_leaves_the_range_of_values_and_all_horizons_have_the_same(values: list[float]) -> None:
    found, logs = predicted(np.asarray(values)), np.log1p(values)
    assert (found >= logs.min() - 1e-9).all()
    assert (found <= logs.max() + 1e-9).all()
    assert (np.diff(found, axis=1) >= 0).all()
    assert (found == found[0]).all()


def test_values_count_by_their_age_half_after_twelve_periods() -> None:
    """Slow oracle: every value is written down as often as it counts."""
    values = np.arange(1.0, 49.0)
    times = np.round(1e4 * 0.5 ** (np.arange(48)[::-1] / 12)).astype(int)
    expected = np.quantile(np.repeat(np.log1p(values), times), QUANTILE_LEVELS, method="hazen")
    assert np.allclose(predicted(values)[0], expected, atol=0.03)
    assert HALF_LIFE == 12


def test_values_that_are_mirrored_have_mirrored_quantiles_so_that_none_leans_to_one_side() -> None:
    logs = np.random.default_rng(9).uniform(1.0, 5.0, 30)
    found, mirrored = (predicted(np.expm1(one))[0] for one in (logs, 6.0 - logs))
    assert np.allclose(found, 6.0 - mirrored[::-1])


def test_a_missing_period_is_no_zero() -> None:
    values = np.tile([5.0, np.nan, 7.0], 10)
    assert np.allclose(np.expm1(predicted(np.r_[values, 6.0])).min(), 5.0)


def shares(panel: Panel) -> NDArray[np.float64]:
    """Share at every period of the first series."""
    keys = pd.DataFrame({"series_id": panel.series_ids[0], "origin_date": panel.end_dates})
    return share_of_recent_values(keys, panel)


@pytest.mark.parametrize(("every", "share"), [(0, 0.0), (6, 0.0), (3, SHARE), (1, SHARE)])
def test_they_take_a_share_where_more_than_one_in_five_is_zero(every: int, share: float) -> None:
    values = np.full(240, 300.0)
    if every:
        values[::every] = 0.0
    assert shares(panel_of(values))[-1] == share


def test_their_share_at_an_origin_rests_on_values_up_to_it() -> None:
    values = np.where(np.arange(60) < 30, 500.0, 0.0)
    whole, early = panel_of(values), panel_of(values).until(pd.Timestamp("2018-06-30"))
    assert np.array_equal(shares(whole)[: len(early.periods)], shares(early))
    assert set(shares(whole)) == {0.0, SHARE}


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_mixture_s_quantiles_are_those_of_draws_from_both(seed: int, share: float) -> None:
    """Slow oracle: values are drawn from each forecast as often as it counts. Some quantiles tie, as at zero."""
    random = np.random.default_rng(seed)
    one, other = (np.sort(np.maximum(random.normal(4, 3, (1, len(LEVELS))), 0.0), axis=1) for _ in range(2))
    found = LinearPool.of(one, other).quantiles(np.asarray([share]), np.arange(1))[0]
    assert (np.diff(found) >= 0).all()
    even = (np.arange(20_000) + 0.5) / 20_000
    is_other = np.arange(20_000) < round(share * 20_000)
    drawn = [np.interp(random.permutation(even), LEVELS, quantiles[0]) for quantiles in (one, other)]
    values = np.sort(np.where(is_other, drawn[1], drawn[0]))
    lower, upper = (np.quantile(values, np.clip(LEVELS[1:-1] + slack, 0, 1)) for slack in (-0.02, 0.02))
    assert (found[1:-1] >= lower - 1e-9).all()
    assert (found[1:-1] <= upper + 1e-9).all()


def test_a_mixture_of_all_and_nothing_is_the_one_forecast() -> None:
    one, other = np.maximum(np.asarray([[1.0], [5.0]]) + NORMAL_SCORES, 0.0)[:, None]
    both = LinearPool.of(np.concatenate([one, other]), np.concatenate([other, one]))
    found = both.quantiles(np.asarray([0.0, 1.0]), np.arange(2))
    assert np.allclose(found, one)


def test_where_one_expects_nobody_and_the_other_many_a_mixture_holds_both() -> None:
    nobody, many = np.zeros((1, len(LEVELS))), 6.0 + 0.1 * NORMAL_SCORES[None]
    found = LinearPool.of(many, nobody).quantiles(np.asarray([0.4]), np.arange(1))[0]
    assert (found[LEVELS < 0.39] == 0).all()
    assert (found[LEVELS > 0.41] > 5.5).all()


@pytest.fixture(scope="module")
def landings() -> Panel:
    """Nobody in six months of ten, some hundreds in the others, as chance has it."""
    random = np.random.default_rng(3)
    return panel_of(*(np.round(random.gamma(2.0, 300.0, 60)) * (random.uniform(size=60) > 0.6) for _ in range(2)))


def scored(panel: Panel, *, with_them: bool) -> tuple[float, pd.DataFrame]:
    """Mean score of the ensemble at the last twelve origins, and its weights."""
    wanted = np.zeros(panel.matrix.shape, dtype=bool)
    wanted[-13:-1] = True
    table = members_at(replace(Request.of(panel, None, [ENSEMBLE], [1]), workers=1), [wanted]).tables[0]
    made = combine(table if with_them else table.where((table.keys["model_id"] != RECENT_VALUES).to_numpy()), panel)
    late = made.forecasts.where((made.forecasts.keys["origin_date"] >= panel.end_dates[-13]).to_numpy())
    observed = observed_at(late.keys, panel)
    known = np.isfinite(observed)
    return float(wis(np.log1p(observed[known]), np.log1p(late.quantiles[known])).mean()), made.weights


@pytest.mark.slow
def test_where_zeros_lie_among_large_numbers_they_better_the_ensemble(landings: Panel) -> None:
    (own, weights), (without, _) = (scored(landings, with_them=one) for one in (True, False))
    assert own < without
    late = weights[weights["origin_date"] >= landings.end_dates[-13]]
    assert np.allclose(late[late["model_id"] == RECENT_VALUES]["weight"], SHARE)
    assert np.allclose(weights.groupby(["series_id", "origin_date", "horizon"])["weight"].sum(), 1.0)


@pytest.mark.slow
def test_where_no_month_is_without_anybody_they_have_no_share(landings: Panel) -> None:
    crowded = replace(landings, matrix=landings.matrix + 40.0)
    (own, weights), (without, _) = (scored(crowded, with_them=one) for one in (True, False))
    assert RECENT_VALUES not in set(weights["model_id"])
    assert own == without

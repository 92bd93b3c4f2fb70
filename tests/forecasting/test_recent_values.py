"""Recent values: their distribution, and what they weigh before outcomes have told."""

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
from forecasting import BASELINE, ENSEMBLE, LEVELS, NORMAL_SCORES, RECENT_VALUES, members
from forecasting.ensemble import combine
from forecasting.members import Request, members_at
from forecasting.models import MODELS
from forecasting.models.recent_values import BY_FREQUENCY, HALF_LIFE, HIGHEST, odds_before_outcomes
from forecasting.panel import Panel, panel_from_rows
from forecasting.quantiles import LinearPool, QuantileTable, stack
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


@pytest.mark.parametrize(("every", "odds"), [(0, 0.0), (6, 0.0), (3, 0.56), (2, HIGHEST), (1, HIGHEST)])
def test_the_more_recent_values_are_zero_the_more_they_weigh(every: int, odds: float) -> None:
    values = np.full(240, 300.0)
    if every:
        values[::every] = 0.0
    found = odds_before_outcomes(panel_of(values))[-every or -1 :].mean()
    assert found == pytest.approx(odds, abs=0.1)


def test_days_and_weeks_weigh_without_zeros_months_quarters_and_years_do_not() -> None:
    calm = np.full(40, 300.0)
    assert {freq: float(odds_before_outcomes(panel_of(calm, freq=freq))[-1, 0]) for freq in ("D", "W", "M")} == {
        "D": 4.0, "W": 1.0, "M": 0.0
    }  # fmt: skip
    assert BY_FREQUENCY["Q"] == BY_FREQUENCY["A"] == 0.0


def test_odds_at_an_origin_rest_on_values_up_to_it() -> None:
    values = np.where(np.arange(60) % 2, 0.0, 500.0)
    whole = odds_before_outcomes(panel_of(values))
    early = panel_of(values).until(pd.Timestamp("2017-06-30"))
    assert np.array_equal(whole[: len(early.periods)], odds_before_outcomes(early))


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


def engine_on(panel: Panel) -> tuple[QuantileTable, pd.DataFrame]:
    """Forecasts by every member and the ensemble at the last 36 origins and all earlier ones, and their weights."""
    wanted = np.zeros(panel.matrix.shape, dtype=bool)
    wanted[-36:-1] = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "BUDGET", 20.0)
        table = members_at(Request.of(panel, None, [ENSEMBLE], [1]), [wanted]).tables[0]
    combined = combine(table, panel)
    return stack([table, combined.forecasts]), combined.weights


@pytest.fixture(scope="module")
def landings() -> Panel:
    """Nobody in six months of ten, some hundreds in the others, as chance has it."""
    random = np.random.default_rng(3)
    return panel_of(*(np.round(random.gamma(2.0, 300.0, 60)) * (random.uniform(size=60) > 0.6) for _ in range(3)))


def test_where_months_without_anybody_lie_among_large_numbers_recent_values_lead(landings: Panel) -> None:
    table, weights = engine_on(landings)
    table = table.where((table.keys["horizon"] == 1).to_numpy())
    scores = table.keys.assign(wis=wis(observed_at(table.keys, landings), table.quantiles))
    by_model = scores[scores["origin_date"] >= landings.end_dates[-13]].groupby("model_id")["wis"].mean()
    assert by_model[ENSEMBLE] < 0.6 * by_model[BASELINE]
    late = weights[weights["origin_date"] >= landings.end_dates[-13]]
    assert late[late["model_id"] == RECENT_VALUES]["weight"].between(0.3, 0.9).all()
    assert np.allclose(weights.groupby(["origin_date", "horizon"])["weight"].sum(), 1.0)


def test_where_no_month_is_without_anybody_they_have_no_say(landings: Panel) -> None:
    crowded = replace(landings, matrix=landings.matrix + 40.0)
    table, weights = engine_on(crowded)
    assert (weights[weights["model_id"] == RECENT_VALUES]["weight"] == 0).all()
    members_only = table.where(~table.keys["model_id"].isin([ENSEMBLE, RECENT_VALUES]).to_numpy())
    assert np.array_equal(combine(members_only, crowded).forecasts.quantiles, table.of_model(ENSEMBLE).quantiles)


def test_outcomes_take_weight_from_recent_values_where_another_model_knows_better(landings: Panel) -> None:
    """Every other month is empty, and a model of single series knows which."""
    known = replace(landings, matrix=landings.matrix * 0 + np.where(np.arange(60) % 2, 0.0, 500.0)[:, None])
    keys = pd.DataFrame({"row": np.repeat(np.arange(24, 59), 3), "series_id": np.tile(known.series_ids, 35)})
    keys["origin_date"] = known.end_dates[keys["row"]]
    keys["target_end_date"] = known.end_dates[keys["row"] + 1]
    keys = keys.assign(horizon=1, fallback=False, capped=False).drop(columns="row")
    outcome = np.log1p(observed_at(keys, known))[:, None]
    of_model = {
        BASELINE: np.log1p(500.0) / 2 + NORMAL_SCORES + 0 * outcome,
        "vigie-ets": outcome + 0.3 * NORMAL_SCORES,
        RECENT_VALUES: np.where(NORMAL_SCORES > 0, np.log1p(500.0), 0.0) + 0 * outcome,
    }
    tables = [
        QuantileTable(keys.assign(model_id=name), np.expm1(np.maximum(logs, 0))) for name, logs in of_model.items()
    ]
    weights = combine(stack(tables), known).weights
    shares = weights[weights["model_id"] == RECENT_VALUES].sort_values("origin_date")["weight"].to_numpy()
    assert shares[0] == 0.5
    assert shares[-1] < 0.1

"""Properties that every model keeps on every history, however nasty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core import QUANTILE_LEVELS
from core.errors import InputError
from forecasting import (
    BASELINE,
    BOTTOM_UP,
    ENSEMBLE,
    FitError,
    History,
    Model,
    heavy_tailed_quantiles,
    symmetric_errors,
)
from forecasting.models import CARDS, MODELS, POOLED_MODELS, SafeForecast, log_cap, resolve, safe_forecast
from forecasting.workers import Fit

HORIZON = 6


def fit(model_id: str, values: NDArray[np.float64], season_length: int = 12) -> Fit:
    return Fit(model_id, "series", pd.Period("2024-12", freq="M"), values.astype(float), season_length)


def answer(model_id: str, values: NDArray[np.float64], season_length: int = 12) -> SafeForecast:
    return safe_forecast(MODELS[model_id], fit(model_id, values, season_length).history(), HORIZON)


def assert_sane(result: SafeForecast) -> None:
    assert result.quantiles.shape == (HORIZON, len(QUANTILE_LEVELS))
    assert np.isfinite(result.quantiles).all()
    assert (result.quantiles >= 0).all()
    assert (np.diff(result.quantiles, axis=1) >= 0).all()


def _nasty() -> dict[str, NDArray[np.float64]]:
    random = np.random.default_rng(5)
    level = np.round(np.exp(5 + 0.3 * random.standard_normal(120)))
    gappy = level.copy()
    gappy[random.uniform(size=120) < 0.4] = np.nan
    gappy[[0, -1]] = 50.0
    return {
        "one observation": np.array([7.0]),
        "one zero": np.array([0.0]),
        "two observations": np.array([3.0, 900.0]),
        "all zero": np.zeros(80),
        "constant": np.full(80, 25.0),
        "jump of a million at the end": np.r_[np.full(100, 4.0), 4e6],
        "jump of a million in the middle": np.r_[np.full(60, 3.0), np.full(40, 3e6)],
        "fall to zero": np.r_[level[:80], np.zeros(20)],
        "one number among zeros": np.r_[np.zeros(60), 500.0, np.zeros(30)],
        "exponential growth": np.round(np.exp(np.linspace(0, 18, 60))),
        "intermittent": (random.uniform(size=100) < 0.1) * 12.0,
        "gaps": gappy,
        "exactly 6 earlier values": level[:7],
        "exactly 24 earlier values": level[:25],
        "alternating": np.tile([0.0, 1e5], 40),
    }


@pytest.mark.parametrize("model_id", list(MODELS))
@pytest.mark.parametrize("name", list(_nasty()))
def test_every_model_is_sane_on_nasty_series(model_id: str, name: str) -> None:
    assert_sane(answer(model_id, _nasty()[name]))


_counts = st.lists(st.integers(0, 10**6) | st.just(0), min_size=1, max_size=70)


@pytest.mark.parametrize("model_id", [name for name, model in MODELS.items() if not model.slow])
@given(counts=_counts)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_every_fast_model_is_sane_on_any_counts(model_id: str, counts: list[int]) -> None:
    assert_sane(answer(model_id, np.asarray(counts, dtype=float)))


@pytest.mark.parametrize("model_id", list(MODELS))
def test_every_model_fits_ordinary_route_without_fallback_or_cap(model_id: str) -> None:
    random = np.random.default_rng(3)
    logs: NDArray[np.float64] = 6 + 0.5 * np.sin(np.arange(120.0) * 2 * np.pi / 12) + 0.2 * random.standard_normal(120)
    values = np.exp(logs)
    result = answer(model_id, values)
    assert_sane(result)
    assert result.reason == ""
    assert not result.capped.any()
    assert values.min() / 3 < result.quantiles[0, 11] < values.max() * 3


@pytest.mark.parametrize("season_length", [4, 52])
@pytest.mark.parametrize("model_id", list(MODELS))
def test_quarters_and_weeks_are_forecast_too(model_id: str, season_length: int) -> None:
    random = np.random.default_rng(4)
    turns: NDArray[np.float64] = np.arange(170.0) / season_length
    logs: NDArray[np.float64] = 5 + np.sin(2 * np.pi * turns) + 0.2 * random.standard_normal(170)
    values = np.exp(logs)
    period = pd.Period("2024-12-29", freq="W-SUN") if season_length == 52 else pd.Period("2024Q4", freq="Q-DEC")
    history = Fit(model_id, "s", period, values, season_length).history()
    result = safe_forecast(MODELS[model_id], history, HORIZON)
    assert_sane(result)
    assert result.reason == ""


@pytest.mark.slow
@pytest.mark.parametrize("model_id", [name for name in MODELS if name != BASELINE])
def test_short_history_gets_marked_baseline(model_id: str) -> None:
    values = np.arange(1.0, 7.0)
    result = answer(model_id, values)
    assert result.reason == "fewer than 6 earlier values"
    assert np.array_equal(result.quantiles, answer(BASELINE, values).quantiles)
    assert answer(model_id, np.r_[values, 7.0]).reason != "fewer than 6 earlier values"


def test_baseline_is_hubs_baseline() -> None:
    values = _nasty()["fall to zero"]
    logs = np.log1p(values)
    for horizon in range(1, HORIZON + 1):
        errors = (logs[horizon:] - logs[:-horizon])[-84:]
        expected = logs[-1] + np.quantile(np.r_[errors, -errors], QUANTILE_LEVELS)
        found = answer(BASELINE, values).quantiles[horizon - 1]
        assert found == pytest.approx(np.expm1(np.maximum(expected, 0)), rel=1e-9, abs=1e-12)


def test_seasonal_walk_uses_complete_changes() -> None:
    """Slow oracle: the average written as a loop over origins and years."""
    values = _nasty()["intermittent"] + np.arange(100.0)
    logs = np.log1p(values)
    result = MODELS["vigie-seasonal-walk"].predict(fit("vigie-seasonal-walk", values).history(), HORIZON)

    def centre(origin: int, horizon: int) -> float:
        changes = [
            logs[origin + horizon - 12 * year] - logs[origin - 12 * year]
            for year in range(1, 8)
            if origin - 12 * year >= 0 and origin + horizon - 12 * year <= origin
        ]
        return float(logs[origin] + 0.5 * (np.mean(changes) if changes else 0.0))

    for horizon in range(1, HORIZON + 1):
        errors = np.array([logs[at + horizon] - centre(at, horizon) for at in range(100 - horizon)])[-84:]
        expected = centre(99, horizon) + np.quantile(np.r_[errors, -errors], QUANTILE_LEVELS)
        assert np.allclose(result[horizon - 1], expected, atol=1e-12)


def _fake(output: NDArray[np.float64] | None) -> Model:
    def predict(history: History, horizon: int) -> NDArray[np.float64]:
        assert history.season_length == 12
        assert horizon == HORIZON
        if output is None:
            raise FitError("no convergence\n after 50 steps")
        return output

    return Model("vigie-fake", "1", predict)


@pytest.mark.parametrize(
    ("freq", "asks", "scale"),
    [("D", "on_roots", np.sqrt), ("W", "on_roots", np.sqrt), ("M", "on_roots", np.log1p), ("W", "", np.log1p)],
)
def test_model_can_receive_square_roots(
    freq: str, asks: str, scale: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    counts, given = np.array([4.0, np.nan, 9.0, 0.0, 25.0, 1.0, 16.0, 36.0, 49.0]), []

    def predict(history: History, horizon: int) -> NDArray[np.float64]:
        given.append(history)
        spread = np.linspace(-2.0, 2.0, 23) * np.arange(1, horizon + 1)[:, None]
        return np.asarray(history.scaled[-1] + spread)

    model = Model("vigie-fake", "1", predict, on_roots=bool(asks))
    history = Fit("vigie-fake", "series", pd.Period("2024-12-30", freq=freq), counts, 12).history()
    result = safe_forecast(model, history, HORIZON)
    observed = counts[np.isfinite(counts)]
    assert np.allclose(given[0].observed, scale(observed))
    assert np.allclose(given[0].scaled[[0, *range(2, 9)]], scale(observed))
    assert np.allclose(result.quantiles[:, 11], 49.0)
    assert_sane(result)
    if scale is np.sqrt:
        assert np.allclose(result.quantiles[0], np.linspace(5.0, 9.0, 23) ** 2)
        assert result.quantiles[-1, 0] == 0, "roots below zero are zero"


def test_failed_fit_becomes_baseline_with_reason() -> None:
    history = fit(BASELINE, np.arange(1.0, 60.0)).history()
    result = safe_forecast(_fake(None), history, HORIZON)
    assert result.reason == "no convergence after 50 steps"
    assert np.array_equal(result.quantiles, safe_forecast(MODELS[BASELINE], history, HORIZON).quantiles)


@pytest.mark.parametrize("broken", [np.nan, np.inf, 40.0])
def test_unstable_fit_is_not_published(broken: float) -> None:
    history = fit(BASELINE, np.arange(1.0, 60.0)).history()
    result = safe_forecast(_fake(np.full((HORIZON, 23), broken)), history, HORIZON)
    assert result.reason
    assert_sane(result)


def test_exploding_tail_is_capped_and_reported_at_its_horizon() -> None:
    history = fit(BASELINE, np.full(60, 9.0)).history()
    output = np.full((HORIZON, 23), np.log1p(9.0))
    output[2, -1] = 30.0
    result = safe_forecast(_fake(output), history, HORIZON)
    assert result.capped.tolist() == [False, False, True, False, False, False]
    assert result.quantiles[2, -1] == pytest.approx(90.0)
    assert result.reason == ""


def test_every_model_has_card() -> None:
    for model_id in (*MODELS, *POOLED_MODELS, ENSEMBLE, BOTTOM_UP):
        assert model_id.startswith("vigie-")
        card = CARDS[model_id]
        assert all(len(text) > 10 for text in (card.summary, card.source, card.weaknesses))


@pytest.mark.parametrize("names", ["oracle", "", "ets,wizard"])
def test_unknown_model_is_refused_with_list_of_known_ones(names: str) -> None:
    with pytest.raises(InputError, match="known: baseline, ets, prophet"):
        resolve(names)


@pytest.mark.parametrize(
    ("first", "last", "factor"),
    [(100, 150, 10), (9, 89, 10), (9, 499, 50), (0, 999, 1000), (0, 1000, 1000), (0, 5000, 1000)],
)
def test_quantiles_stay_below_the_cap(first: int, last: int, factor: int) -> None:
    values = np.full(30, float(first))
    values[20] = last
    cap = np.expm1(log_cap(fit(BASELINE, values).history(), HORIZON))
    assert cap == pytest.approx(np.full(HORIZON, float(factor * last)))


@pytest.mark.parametrize("ends", [(0.0, 99.0), (5.0, 100.0), (0.0, 999.0), (0.0, 20.0)])
def test_baseline_exceeds_cap_by_few_persons(ends: tuple[float, float]) -> None:
    history = fit(BASELINE, np.tile(ends, 40)).history()
    said, cap = MODELS[BASELINE].predict(history, HORIZON), log_cap(history, HORIZON)
    factor = (ends[1] + 1) / (ends[0] + 1)
    assert np.expm1(said.max()) - np.expm1(cap.max()) < factor


@given(st.lists(st.one_of(st.just(0.0), st.floats(-9.0, 9.0)), min_size=1, max_size=90))
@settings(max_examples=200, deadline=None)
def test_error_quantiles_are_those_of_numpy(errors: list[float]) -> None:
    both = np.r_[errors, np.negative(errors)]
    expected = 3.25 + np.quantile(both, QUANTILE_LEVELS)
    assert symmetric_errors(3.25, np.asarray(errors)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_infinite_mean_or_spread_is_no_fit(broken: float) -> None:
    fine, bad = np.ones(HORIZON), np.ones(HORIZON)
    bad[2] = broken
    for mean, spread in ((fine, bad), (bad, fine)):
        with pytest.raises(FitError, match="the fit is not finite"):
            heavy_tailed_quantiles(mean, spread)

"""Paths of people in reception from stock, entries and exits."""

from __future__ import annotations

import numpy as np
import pytest

from core import FloatArray
from forecasting import reception
from forecasting.reception import (
    DampedSmoothing,
    Flows,
    arima_quantiles,
    coherent,
    combined,
    filled,
    normal_quantiles,
    state_space_quantiles,
    stock_flow,
)
from forecasting.verification import wis

HORIZON, LAGS, PERIODS = 6, 2, 72


def world(seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """A stock of which 4 % leave each month and that half of the arrivals enter, and arrivals from two months before.

    Arrivals hold the months ahead too. Their seasons are strong, so that the stock turns.
    """
    rng = np.random.default_rng(seed)
    months = np.arange(LAGS + PERIODS + HORIZON)
    arrivals = 6000 * np.exp(0.8 * np.sin(2 * np.pi * months / 12) + rng.normal(0, 0.3, len(months)))
    stock = [80_000.0]
    for month in range(LAGS + 1, len(months)):
        entries = 0.4 * arrivals[month] + 0.1 * arrivals[month - 1]
        stock.append(0.96 * stock[-1] + entries + rng.normal(0, 300))
    return np.asarray(stock), arrivals


def on_paths(arrivals: FloatArray, n: int = 200) -> FloatArray:
    return np.tile(arrivals, (n, 1))


def test_known_arrivals_lead_to_stock_that_they_bring() -> None:
    stock, arrivals = world()
    flows = stock_flow(stock[:PERIODS], on_paths(arrivals), HORIZON, seed=0)
    assert np.median(flows.stock, axis=0) == pytest.approx(stock[PERIODS:], rel=0.03)
    expected = 0.4 * arrivals[-HORIZON:] + 0.1 * arrivals[-HORIZON - 1 : -1]
    assert flows.entries[0] == pytest.approx(expected, rel=0.15)


def test_permuted_arrivals_forecast_worse_than_true_ones() -> None:
    scores = {"true": 0.0, "permuted": 0.0}
    for seed in range(4):
        stock, arrivals = world(seed)
        order = np.random.default_rng(seed).permutation(len(arrivals))
        for name, given in (("true", arrivals), ("permuted", arrivals[order])):
            for known in (48, 60, PERIODS):
                seen = given[: LAGS + known + HORIZON]
                flows = stock_flow(stock[:known], on_paths(seen), HORIZON, seed=0)
                outcome = stock[known : known + HORIZON]
                scores[name] += float(wis(np.log1p(outcome), np.log1p(flows.quantiles)).mean())
    assert scores["true"] < 0.5 * scores["permuted"]


def test_more_arrivals_ahead_never_mean_fewer_people() -> None:
    stock, arrivals = world()
    more = arrivals.copy()
    more[-HORIZON:] *= 2
    few, many = (stock_flow(stock[:PERIODS], on_paths(one), HORIZON, seed=0).stock for one in (arrivals, more))
    assert (many >= few).all()
    assert (many[:, 0] > few[:, 0]).all()


def test_unseen_future_does_not_change_past_coefficients() -> None:
    stock, arrivals = world()
    other = arrivals.copy()
    other[-1] *= 10
    before, after = (stock_flow(stock[:PERIODS], on_paths(one), HORIZON, seed=0).stock for one in (arrivals, other))
    assert (before[:, :-1] == after[:, :-1]).all()


def test_gap_is_filled_between_its_neighbours() -> None:
    assert filled(np.asarray([99.0, np.nan, 9999.0])) == pytest.approx([99.0, 999.0, 9999.0])


def test_damped_smoothing_continues_trend_less_and_less() -> None:
    stock = 10_000 * np.exp(0.02 * np.arange(40))
    mean, deviation = DampedSmoothing(stock).moments(40, HORIZON)
    changes = np.diff(np.concatenate([[np.log1p(stock[-1])], mean]))
    assert (np.diff(changes) < 0).all()
    assert 0 < changes[-1] < changes[0] <= 0.0201
    assert (np.diff(deviation) > 0).all()


def test_smoothing_at_origin_ignores_later_values() -> None:
    stock, _arrivals = world()
    early, late = DampedSmoothing(stock[:30]).moments(30, HORIZON), DampedSmoothing(stock).moments(30, HORIZON)
    assert np.array(early) == pytest.approx(np.array(late))


def test_combined_quantiles_lie_between_both() -> None:
    stock, arrivals = world()
    flows = stock_flow(stock[:PERIODS], on_paths(arrivals), HORIZON, seed=0)
    moments = DampedSmoothing(stock[:PERIODS]).moments(PERIODS, HORIZON)
    both = combined(flows, *moments)
    low, high = np.sort([flows.quantiles, normal_quantiles(*moments)], axis=0)
    inner = slice(2, -2)  # the tails of 200 paths are no exact quantiles
    assert (both.quantiles[:, inner] >= 0.995 * low[:, inner]).all()
    assert (both.quantiles[:, inner] <= 1.005 * high[:, inner]).all()
    assert (both.stock.argsort(axis=0) == flows.stock.argsort(axis=0)).all()


def test_arima_continues_an_autoregressive_change() -> None:
    rng = np.random.default_rng(3)
    change = [0.02]
    for _month in range(200):
        change.append(0.8 * change[-1] + rng.normal(0, 0.002))
    change.append(0.02)
    stock = 10_000 * np.exp(np.cumsum(change))
    found = arima_quantiles(stock, HORIZON)
    expected = np.log(stock[-1]) + np.cumsum(change[-1] * 0.8 ** np.arange(1, HORIZON + 1))
    assert np.log(found[:, 11]) == pytest.approx(expected, abs=0.005)
    width = np.diff(np.log(found[:, [1, -2]]), axis=1)[:, 0]
    assert (np.diff(width) > 0).all()


def test_constant_stock_is_forecast_as_it_is_by_peers() -> None:
    stock = np.full(40, 500.0)
    found = state_space_quantiles(stock, on_paths(np.full(LAGS + 40 + HORIZON, 100.0)), 12, HORIZON, seed=0)
    assert found == pytest.approx(np.full(found.shape, 500.0), rel=1e-3)
    assert arima_quantiles(stock, HORIZON) == pytest.approx(np.full(found.shape, 500.0), rel=1e-2)


def test_state_space_brings_arrivals_into_the_stock() -> None:
    _stock, arrivals = world()
    change = arrivals[LAGS + 1 :] * 0.5 - 2_500
    grown = 80_000 + np.concatenate([[0.0], np.cumsum(change)])
    found = state_space_quantiles(grown[:PERIODS], on_paths(arrivals), 12, HORIZON, seed=0)
    assert found[:, 11] == pytest.approx(grown[PERIODS:], rel=0.03)


def test_too_narrow_paths_are_widened_to_cover() -> None:
    rng = np.random.default_rng(4)
    flows = Flows(np.exp(rng.normal(8, 0.1, (500, 1))), np.zeros((500, 1)))
    errors: dict[int, FloatArray] = {}
    held = []
    for now, outcome in enumerate(np.exp(rng.normal(8, 0.13, (60, 20)))):
        wide = reception.widened(flows, reception.spread_factors(errors, now, 1)).quantiles[0]
        held.append((outcome >= wide[3]) & (outcome <= wide[-4]))
        errors[now] = reception.errors_in_widths(flows, outcome)[:, None]
    assert np.mean(np.abs(list(errors.values())) <= 1) < 0.72
    assert np.mean(held[10:]) == pytest.approx(0.8, abs=0.03)


def test_spread_at_origin_ignores_later_outcomes() -> None:
    rng = np.random.default_rng(5)
    errors = {row: rng.normal(0, 1, (3, HORIZON)) for row in range(30)}
    late = {row: np.where(row + np.arange(1, HORIZON + 1) > 20, 99.0, found) for row, found in errors.items()}
    early, changed = (reception.spread_factors(known, 20, HORIZON) for known in (errors, late))
    assert (early == changed).all()
    assert (early < reception.spread_factors(late, 30, HORIZON)).any()


def test_parts_sum_to_total_on_every_path() -> None:
    rng = np.random.default_rng(1)
    total, *parts = (Flows(rng.uniform(1, 9, (50, 3)), np.zeros((50, 3))) for _ in range(4))
    assert sum(one.stock for one in coherent(total, parts)) == pytest.approx(total.stock)

"""People in reception: paths of a stock from what remains of it and from the entries that arrivals bring.

Stock at the end of a period = (1 − exit rate) × stock before + entry shares × arrivals of this period and the ones
before it + a momentum that fades + noise. The coefficients are not negative and are estimated by discounted least
squares at each origin, from what was known there; arrivals ahead are joint sample paths, so scenarios of arrivals carry
through. The paths are combined with damped exponential smoothing by averaging quantiles (Gardner and McKenzie 1985;
Lichtendahl, Grushka-Cockayne and Winkler 2013). Their spread is widened by the model's own past errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import ndtri

from core import FloatArray
from forecasting import LEVELS
from forecasting.quantiles import rank_shares

MODEL_ID, DAMPED, ARIMA, STATE_SPACE = "vigie-reception", "vigie-damped", "vigie-arima", "vigie-state-space"
FEWEST = 12
"""Values that a stock needs before it is forecast."""
DISCOUNT = 0.97
"""Weight of a period relative to the next one: rules of exit change within years."""
_NEWEST, _FADING = 0.4, 0.9
"""Weight of the newest error in the momentum, and what is left of the momentum from one period to the next."""
SHARE_OF_SMOOTHING = 0.25
_BEYOND, _PRIOR_ERRORS, _WIDEST = 0.9, 20, 1.5
"""Share of past errors that an end of the 80% interval holds; errors that weigh as much as a factor of 1; and the
largest factor: without it the WIS of the United Kingdom's few origins grows by 4 %, with it by 0.3 %."""
_RIDGE = 1e-3
_GRID = np.asarray(
    list(product((0.1, 0.3, 0.5, 0.7, 0.85, 1.0), (0.05, 0.1, 0.2, 0.35, 0.5, 0.8), (0.8, 0.9, 0.95, 0.98)))
).T
"""Smoothing of level, of trend, and damping, among which the sum of squared errors chooses."""
_FIRST_CHANGES = 5
_LARGEST_ORDER, _WAVES = 3, 2
_STEPS = np.asarray([0.0, 0.003, 0.01, 0.03, 0.1, 0.3])
"""Variance of the steps of the state space's level relative to its noise, among which the likelihood chooses."""
_VAGUE = 1e4
"""Variance of each state before the first change, relative to the noise."""


@dataclass(frozen=True)
class Flows:
    """Paths of a stock.

    Attributes:
        stock: People at the end of each period ahead, shape ``(n, H)``.
        entries: People who enter in each period, shape ``(n, H)``.
    """

    stock: FloatArray
    entries: FloatArray

    @property
    def quantiles(self) -> FloatArray:
        """The stock at the 23 levels, shape ``(H, 23)``."""
        return np.quantile(self.stock, LEVELS, axis=0).T


def filled(stock: FloatArray) -> FloatArray:
    """A stock whose gaps are interpolated on log1p scale; its first and last value are observed."""
    place = np.flatnonzero(np.isfinite(stock))
    return np.expm1(np.interp(np.arange(len(stock)), place, np.log1p(stock[place])))


def stock_flow(stock: FloatArray, arrivals: FloatArray, horizon: int, seed: int) -> Flows:
    """Paths of a stock by stock and flow alone.

    Args:
        stock: People at the end of each period up to the origin, without gaps, shape ``(T,)``.
        arrivals: Paths of arrivals, shape ``(n, lags + T + H)``: their columns end ``horizon`` periods after the
            origin, and begin ``lags`` periods before the stock. A known period is the same on every path.
        horizon: Periods ahead, H.
        seed: Same seed, same paths.
    """
    from scipy.optimize import nnls  # noqa: PLC0415  # takes a quarter of a second to load, and only a fit needs it

    lags = arrivals.shape[1] - len(stock) - horizon
    lagged = np.stack([arrivals[:, lags - lag : arrivals.shape[1] - lag] for lag in range(lags + 1)], axis=2)
    design = np.column_stack([-stock[:-1], lagged[:, 1 : len(stock)].mean(axis=0)])
    scale = np.maximum(np.abs(design).mean(axis=0), 1.0)
    change = np.diff(stock)
    weight = DISCOUNT ** np.arange(len(change) - 1, -1, -1.0)
    root = np.sqrt(weight)
    ridge = _RIDGE * np.eye(design.shape[1])
    found, _norm = nnls(
        np.vstack([design / scale * root[:, None], ridge]), np.concatenate([change * root, np.zeros(len(ridge))])
    )
    rate, *shares = found / scale
    errors = change - design @ (found / scale)
    freedom = max(len(change) - design.shape[1], 3)
    spread = np.sqrt(np.average(errors**2, weights=weight) * len(change) / freedom)
    momentum = 0.0
    for error in errors:
        momentum += _NEWEST * (error - momentum)
    noise = spread * np.random.default_rng(seed).standard_normal((len(arrivals), horizon))
    entries = lagged[:, len(stock) :] @ np.asarray(shares)
    now, stocks = np.full(len(arrivals), stock[-1]), []
    for step in range(horizon):
        momentum *= _FADING
        now = np.maximum((1 - rate) * now + entries[:, step] + momentum + noise[:, step], 0.0)
        stocks.append(now)
    return Flows(np.stack(stocks, axis=1), entries)


class DampedSmoothing:
    """Damped exponential smoothing of log1p of a stock, for every origin in one pass over its values.

    The three parameters are chosen at each origin from a grid, by the one-step errors up to it.
    """

    def __init__(self, stock: FloatArray) -> None:
        """Smooth a stock without gaps, shape ``(T,)``."""
        values = np.log1p(stock)
        alpha, beta, damping = _GRID
        level = np.full(len(alpha), values[0])
        trend = np.full(len(alpha), np.diff(values[: _FIRST_CHANGES + 1]).mean())
        states, errors = [(level, trend)], []
        for value in values[1:]:
            error = value - level - damping * trend
            level = level + damping * trend + alpha * error
            trend = damping * trend + alpha * beta * error
            states.append((level, trend))
            errors.append(error)
        self._states = np.asarray(states)
        self._squares = np.cumsum(np.square(errors), axis=0)

    def moments(self, values: int, horizon: int) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation on log1p scale at horizons 1..H, after ``values`` values; shapes ``(H,)``."""
        squares = self._squares[values - 2]
        best = int(squares.argmin())
        alpha, beta, damping = _GRID[:, best]
        level, trend = self._states[values - 1, :, best]
        steps = np.cumsum(damping ** np.arange(1, horizon + 1))
        weights = np.concatenate([[1.0], alpha * (1 + beta * steps[: horizon - 1])])
        return level + trend * steps, np.sqrt(squares[best] / (values - 1) * np.cumsum(weights**2))


def normal_quantiles(mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """A stock at the 23 levels, shape ``(H, 23)``, from moments on log1p scale."""
    return np.asarray(np.maximum(np.expm1(mean[:, None] + deviation[:, None] * ndtri(LEVELS)), 0.0))


def combined(flows: Flows, mean: FloatArray, deviation: FloatArray) -> Flows:
    """Paths whose quantiles at each horizon are weighted means of those of the flows and of the smoothing.

    Each path keeps its rank, so that it still belongs to its path of arrivals. Means are taken on log1p scale.
    """
    smooth = mean + deviation * ndtri(rank_shares(flows.stock))
    both = (1 - SHARE_OF_SMOOTHING) * np.log1p(flows.stock) + SHARE_OF_SMOOTHING * smooth
    return Flows(np.maximum(np.expm1(both), 0.0), flows.entries)


def errors_in_widths(flows: Flows, outcome: FloatArray) -> FloatArray:
    """Outcome less median on log1p scale, in widths of that half of the 80% interval; shapes ``(H,)``, NaN unknown."""
    low, middle, high = np.quantile(np.log1p(flows.stock), (1 - _BEYOND, 0.5, _BEYOND), axis=0)
    error = np.log1p(outcome) - middle
    return np.asarray(error / np.maximum(np.where(error < 0, middle - low, high - middle), 1e-9))


def spread_factors(errors: Mapping[int, FloatArray], now: int, horizon: int) -> FloatArray:
    """Factors of the lower and the upper half of the paths from the errors known by then, shape ``(2, H)``.

    A factor is the conformal quantile of past errors (Vovk, Gammerman and Shafer 2005), shrunk to 1 and never below it.

    Args:
        errors: By period of origin, those of :func:`errors_in_widths`, shape ``(series, H)``.
        now: Period of the origin that is forecast from: later outcomes are not read.
        horizon: Periods ahead, H.
    """
    factors = np.ones((2, horizon))
    for step in range(1, horizon + 1):
        past = np.sort([error for row, found in errors.items() if row + step <= now for error in found[:, step - 1]])
        if n := int(np.isfinite(past).sum()):  # unknown ones come last
            rank = min(int(np.ceil(_BEYOND * (n + 1))), n)
            beyond = np.asarray([-past[n - rank], past[rank - 1]]) - 1
            factors[:, step - 1] = np.clip(1 + beyond * n / (n + _PRIOR_ERRORS), 1.0, _WIDEST)
    return factors


def widened(flows: Flows, factors: FloatArray) -> Flows:
    """Paths whose distance from their median on log1p scale is multiplied; each keeps its rank."""
    values = np.log1p(flows.stock)
    away = values - np.median(values, axis=0)
    return Flows(np.expm1(values + away * (np.where(away < 0, factors[0], factors[1]) - 1)).clip(0.0), flows.entries)


def coherent(total: Flows, parts: list[Flows]) -> list[Flows]:
    """Parts whose stocks are scaled, path by path, so that they sum to the total's."""
    whole = np.maximum(sum(part.stock for part in parts), 1e-9)
    return [Flows(part.stock * total.stock / whole, part.entries) for part in parts]


def arima_quantiles(stock: FloatArray, horizon: int) -> FloatArray:
    """A stock at the 23 levels by ARIMA(p, 1, 0) on log1p scale, shape ``(H, 23)``.

    The order, at most three, is chosen by the corrected Akaike criterion; coefficients by conditional least squares.
    """
    values = np.log1p(stock)
    change = np.diff(values)
    lagged = np.column_stack([change[_LARGEST_ORDER - lag : len(change) - lag] for lag in range(1, _LARGEST_ORDER + 1)])
    target, best = change[_LARGEST_ORDER:], (np.inf, np.empty(0), 0.0)
    for order in range(_LARGEST_ORDER + 1):
        weights = np.linalg.lstsq(lagged[:, :order], target)[0]
        variance = max(float(np.square(target - lagged[:, :order] @ weights).mean()), 1e-12)
        parameters = order + 1
        penalty = 2 * parameters * len(target) / max(len(target) - parameters - 1, 1)
        best = min(best, (len(target) * np.log(variance) + penalty, weights, variance), key=lambda found: found[0])
    _criterion, weights, variance = best
    ahead, response = list(change), [1.0]
    for _step in range(horizon):
        ahead.append(float(np.dot(weights, ahead[: -len(weights) - 1 : -1])))
        response.append(float(np.dot(weights[: len(response)], response[: -len(weights) - 1 : -1])))
    spread = np.sqrt(variance * np.cumsum(np.square(np.cumsum(response[:horizon]))))
    return normal_quantiles(values[-1] + np.cumsum(ahead[len(change) :]), spread)


def state_space_quantiles(stock: FloatArray, arrivals: FloatArray, periods: int, horizon: int, seed: int) -> FloatArray:
    """A stock at the 23 levels by a state space on its change, shape ``(H, 23)``.

    The change in persons is a level that wanders, two waves a year and a multiple of arrivals, by the Kalman filter
    (Harvey 1989); the variance of the level's steps relative to the noise is chosen by likelihood.

    Args:
        stock: As for :func:`stock_flow`.
        arrivals: As for :func:`stock_flow`.
        periods: Periods of a year.
        horizon: Periods ahead, H.
        seed: Same seed, same paths.
    """
    lags = arrivals.shape[1] - len(stock) - horizon
    entering = np.stack([arrivals[:, lags + 1 - lag : arrivals.shape[1] - lag] for lag in range(lags + 1)]).mean(axis=0)
    change = np.diff(stock)
    size = max(float(np.abs(change).mean()), 1.0)
    angle = 2 * np.pi * np.arange(entering.shape[1]) / periods
    waves = [wave(turns * angle) for turns in range(1, min(periods // 2, _WAVES + 1)) for wave in (np.cos, np.sin)]
    known = np.column_stack([np.ones(len(angle)), *waves, entering.mean(axis=0) / max(entering.mean(), 1.0)])
    mean, cover = np.zeros((len(_STEPS), known.shape[1])), np.tile(np.eye(known.shape[1]) * _VAGUE, (len(_STEPS), 1, 1))
    squares, logs = np.zeros(len(_STEPS)), np.zeros(len(_STEPS))
    for row, value in zip(known, change / size, strict=False):
        cover[:, 0, 0] += _STEPS
        gain = cover @ row
        variance = gain @ row + 1.0
        error = value - mean @ row
        mean = mean + gain * (error / variance)[:, None]
        cover = cover - gain[:, :, None] * gain[:, None, :] / variance[:, None, None]
        squares, logs = squares + error**2 / variance, logs + np.log(variance)
    scales = np.maximum(squares / len(change), 1e-12)
    best = int(np.argmin(len(change) * np.log(scales) + logs))
    numbers = np.random.default_rng(seed)
    states = numbers.multivariate_normal(mean[best], scales[best] * cover[best], len(arrivals), method="eigh")
    steps = numbers.standard_normal((2, len(arrivals), horizon)) * np.sqrt(scales[best])
    level = states[:, :1] + np.cumsum(np.sqrt(_STEPS[best]) * steps[0], axis=1)
    season = states[:, 1:-1] @ known[len(change) :, 1:-1].T
    brought = states[:, -1:] * entering[:, len(change) :] / max(entering.mean(), 1.0)
    ahead = stock[-1] + size * np.cumsum(level + season + brought + steps[1], axis=1)
    return np.asarray(np.quantile(np.maximum(ahead, 0.0), LEVELS, axis=0).T)

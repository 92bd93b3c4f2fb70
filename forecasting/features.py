"""What the pooled model sees of a series at an origin: recent changes, distance from usual levels, volatility, season.

Everything is on log1p scale and known at the origin. All series are described alike, whatever their size, so that one
model can learn from all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core import FloatArray

SEASON_SHARES = (1 / 12, 1 / 6, 1 / 4, 1 / 2, 1.0)
"""Changes over these parts of a season (for months: 1, 2, 3, 6, 12)."""
SEASONS = (1 / 4, 1 / 2, 1.0, 2.0, 3.0)
"""Numbers of seasons from whose mean the distance is taken."""
YEARS = 7
"""Completed years whose seasonal changes are averaged."""
FEATURES = (
    *(f"change over {share:.2g} seasons" for share in SEASON_SHARES),
    *(f"distance from the mean of {length:g} seasons" for length in SEASONS),
    "spread over 1 season", "spread over 3 seasons", "place in the range", "now", "usual seasonal change",
    "last seasonal change", "share of zeros", "position", "position of the target", "kind", "log of the horizon",
)  # fmt: skip
"""What the columns hold, in their order; whatever a caller adds stands behind them."""
HORIZON = FEATURES.index("log of the horizon")
WIDENING = 0.25
"""Growth is measured in volatility times the horizon to this power."""
DECIMALS = 5
SMALLEST_VOLATILITY, LARGEST_VOLATILITY, USUAL_VOLATILITY = 0.15, 3.0, 0.5
_NOW, _VOLATILITY = FEATURES.index("now"), FEATURES.index("spread over 3 seasons")
_YEARLY_DISTANCE = FEATURES.index("distance from the mean of 1 seasons")
_FROM_NOW = len(SEASON_SHARES) + len(SEASONS)


def features(
    logs: FloatArray,
    rows: NDArray[np.int64],
    positions: FloatArray,
    *,
    horizon: int,
    season: int,
    kind: int | NDArray[np.int64],
) -> FloatArray:
    """Describe series at some origins.

    Args:
        logs: log1p values, periods × series, gaps as NaN.
        rows: The origins' places on the calendar.
        positions: Place of every period within its season (for months 1 to 12).
        horizon: Periods ahead.
        season: Periods in a season.
        kind: 0 for series as given, 1 for their totals: of all, or of each.

    Returns:
        Shape ``(len(rows), series, len(FEATURES))``; NaN where a series is too young for a feature.
    """
    steps = logs - before(logs, 1)
    low, high, zeros = _range(logs, rows, 3 * season)
    now = logs[rows]
    last, usual = _seasonal_changes(logs, rows, horizon, season)
    columns = [
        *(now - before(logs, max(1, round(season * share)))[rows] for share in SEASON_SHARES),
        *(now - _mean_and_spread(logs, max(2, round(season * share)))[0][rows] for share in SEASONS),
        *(_mean_and_spread(steps, max(2, length))[1][rows] for length in (season, 3 * season)),
        (now - low) / np.where(high > low, high - low, 1.0),
        now,
        usual,
        last,
        zeros,
        *(np.broadcast_to(at[:, None], now.shape) for at in (positions[rows], (positions[rows] + horizon) % season)),
        np.broadcast_to(kind, now.shape),
        np.full(now.shape, np.log(horizon)),
    ]
    return np.stack(columns, axis=-1)


def rounded(values: FloatArray) -> FloatArray:
    """Round what trees are fitted on and predict from; same shape.

    The last bits of a logarithm differ between processors. Without rounding they decide splits, because equal values
    become different ones, and move forecasts by up to 2 %.
    """
    return np.round(values, DECIMALS)


def levels(described: FloatArray) -> FloatArray:
    """The changes and distances among features as log1p values, the rest as it is; same shape."""
    found = described.copy()
    found[:, :_FROM_NOW] = described[:, [_NOW]] - described[:, :_FROM_NOW]
    return found


def value_now(described: FloatArray) -> FloatArray:
    """The log1p value at the origin, shape ``(n,)``."""
    return described[:, _NOW]


def mean_of_season(described: FloatArray) -> FloatArray:
    """The mean log1p value over the last season, shape ``(n,)``; NaN where the series is too young."""
    return described[:, _NOW] - described[:, _YEARLY_DISTANCE]


def growth_scale(described: FloatArray) -> FloatArray:
    """In what growth is measured: volatility at the origin, widened with the horizon; shape ``(n,)``."""
    return _bounded(described[:, _VOLATILITY]) * np.exp(WIDENING * described[:, HORIZON])


def volatility(logs: FloatArray, season: int) -> FloatArray:
    """Standard deviation of one-period log changes over three seasons, kept within bounds; same shape as ``logs``."""
    _, spread = _mean_and_spread(logs - before(logs, 1), max(2, 3 * season))
    return _bounded(spread)


def _bounded(spread: FloatArray) -> FloatArray:
    known = np.where(np.isfinite(spread), spread, USUAL_VOLATILITY)
    return np.asarray(np.clip(known, SMALLEST_VOLATILITY, LARGEST_VOLATILITY))


def before(logs: FloatArray, lag: int) -> FloatArray:
    """Shift values ``lag`` periods later, NaN at the start; same shape."""
    out = np.full_like(logs, np.nan)
    out[lag:] = logs[:-lag]
    return out


def _mean_and_spread(values: FloatArray, window: int) -> tuple[FloatArray, FloatArray]:
    """Trailing mean and standard deviation; NaN where less than a third of the window is known."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    count, total, squares = (_trailing(one, window) for one in (known.astype(float), filled, filled**2))
    enough = count >= max(2, window // 3)
    number = np.where(enough, count, 1.0)
    mean = np.where(enough, total / number, np.nan)
    return mean, np.sqrt(np.maximum(squares / number - mean**2, 0.0))


def _trailing(values: FloatArray, window: int) -> FloatArray:
    running = np.vstack([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
    ends = np.arange(1, len(values) + 1)
    return np.asarray(running[ends] - running[np.maximum(ends - window, 0)])


def _range(logs: FloatArray, rows: NDArray[np.int64], window: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lowest and highest value and share of zeros over a trailing window, at some origins."""
    shape = (len(rows), logs.shape[1])
    low, high, zeros = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape)
    for place, row in enumerate(rows):
        part = logs[max(0, row - window + 1) : row + 1]
        low[place], high[place] = np.fmin.reduce(part, axis=0), np.fmax.reduce(part, axis=0)
        zeros[place] = (part == 0.0).mean(axis=0)
    return low, high, zeros


def _seasonal_changes(
    logs: FloatArray, rows: NDArray[np.int64], horizon: int, season: int
) -> tuple[FloatArray, FloatArray]:
    """Change over ``horizon`` periods from the same time of the last completed year, and the mean of up to seven."""
    first = -(-horizon // season)
    found = []
    for year in range(first, first + YEARS):
        start = rows - season * year
        begun = np.maximum(start, 0)
        change = logs[np.minimum(begun + horizon, len(logs) - 1)] - logs[begun]
        found.append(np.where((start >= 0)[:, None], change, np.nan))
    changes = np.stack(found)
    known = np.isfinite(changes)
    count = known.sum(axis=0)
    total = np.where(known, changes, 0.0).sum(axis=0)
    return changes[0], np.where(count > 0, total / np.maximum(count, 1), np.nan)

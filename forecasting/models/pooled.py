"""``vigie-pooled``: gradient-boosted quantile regression over all series of a panel at once, and chances of counts.

Where a handful of people come in a month, the logarithm of growth jumps: from one person to two is as far as from ten
thousand to sixteen thousand. Quantile regression of growth then lands between the jumps. Here boosted trees also learn
the chance that the outcome is at most k, for a few fixed k, from the levels of the series; together these chances are
its distribution (Foresi and Peracchi 1995, "The Conditional Distribution of Excess Returns", Journal of the American
Statistical Association 90(430)).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from importlib.metadata import version
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from core import FloatArray
from core.errors import InputError
from forecasting import BoolArray, PooledModel

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


FITTED_LEVELS: FloatArray = np.asarray((0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99))
"""One set of trees each; the 23 levels are read between them."""
ROWS, FAR_ROWS = 2_500, 5_000
"""Past origins drawn for each horizon, and again for each far one. With twice as many at first, and twice the trees
learning half as fast, a fit takes four times as long for scores that differ by less than another seed makes."""
NEAR = 0.5
"""Seasons ahead up to which chances of small counts are learned and used; further ahead growth gets more trees."""
SLOW_AND_SMALL = {
    "num_leaves": 15,
    "min_data_in_leaf": 60,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.6,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 1,
    "verbose": -1,
}
"""How trees are grown: small ones, slowly, and the same on every machine."""
_BINS = {"max_bin": 63, "verbose": -1}
TREES, FAR_TREES = 75, 30
"""Grown on all horizons, and then on the far ones alone, which most of the outcomes are not."""
PARAMETERS = SLOW_AND_SMALL | {"objective": "quantile", "learning_rate": 0.1, "bagging_fraction": 0.4}

THRESHOLDS: FloatArray = np.asarray((0, 1, 3, 9, 30), dtype=float)
"""Counts whose chance of not being passed is learned; the distribution goes straight on in between."""
MOSTLY, NOT_AT_ALL = float(np.log1p(1.0)), float(np.log1p(20.0))
"""Below the first mean of a season, on log1p scale, the chances have their full share in a forecast; from there to the
second less and less, and beyond it none."""
LARGEST_SHARE = 0.7
"""With the whole of it a lower quantile is often exactly zero, and intervals hold more than they promise."""
FEWEST_EXAMPLES = 2_000
MOST_BROKEN = 0.05
"""Share of outcomes that may be no whole numbers; where there are more, the series are no counts."""
SMALLEST_CHANCE = 1e-4
COUNT_TREES = 60
COUNT_PARAMETERS = SLOW_AND_SMALL | {"objective": "binary", "learning_rate": 0.06}


def fit(described: FloatArray, growth: FloatArray, weights: FloatArray, season: int) -> bytes:
    """Learn how described series grew, at all horizons together.

    Args:
        described: Features of past origins and horizons, shape ``(rows, features)``.
        growth: What followed, in units of :func:`forecasting.models.pooled.growth_scale`, shape ``(rows,)``.
        weights: Sampling weight of each row, shape ``(rows,)``.
        season: Periods in a season.

    Returns:
        The trees as compressed text, for :func:`predict`.

    Raises:
        InputError: A system library that LightGBM needs is not installed.
    """
    near = _is_near(described, season)
    fits = _grown(described, growth, weights, ROWS, TREES, [None] * len(FITTED_LEVELS))
    whole = {
        "season": season,
        "longest": float(described[:, HORIZON].max()),
        "near": fits,
        "far": _grown(described[~near], growth[~near], weights[~near], FAR_ROWS, FAR_TREES, fits),
        "counts": fit_counts(library(), described[near], growth[near]),
    }
    return zlib.compress(json.dumps(whole).encode(), level=1)


def _grown(
    described: FloatArray, growth: FloatArray, weights: FloatArray, count: int, trees: int, fits: Sequence[str | None]
) -> list[str]:
    """Fits at ``FITTED_LEVELS`` with so many more trees, grown on ``count`` past origins drawn for each horizon."""
    of_horizon = [np.flatnonzero(described[:, HORIZON] == step) for step in np.unique(described[:, HORIZON])]
    if not of_horizon:
        return []
    rows = np.concatenate([own[drawn(weights[own], min(count, len(own)))] for own in of_horizon])
    lightgbm = library()
    examples = lightgbm.Dataset(rounded(described[rows]), rounded(growth[rows]), params=_BINS, free_raw_data=False)
    return [
        lightgbm.train(
            PARAMETERS | {"alpha": level}, examples, trees, init_model=text and lightgbm.Booster(model_str=text)
        ).model_to_string()
        for level, text in zip(FITTED_LEVELS, fits, strict=True)
    ]


def predict(fitted: bytes, ahead: FloatArray) -> FloatArray:
    """Predict how described series will grow.

    Args:
        fitted: What :func:`fit` made.
        ahead: Features of the origins and horizons to be forecast, shape ``(n, features)``.

    Returns:
        Quantiles of growth at ``FITTED_LEVELS``, ascending, shape ``(n, 7)``; NaN at horizons beyond all that the fit
        has seen.

    Raises:
        InputError: A system library that LightGBM needs is not installed.
    """
    lightgbm = library()
    whole = json.loads(zlib.decompress(fitted))
    growth = np.full((len(ahead), len(FITTED_LEVELS)), np.nan)
    near, known = _is_near(ahead, whole["season"]), ahead[:, HORIZON] <= whole["longest"]
    for chosen, trees in ((near & known, whole["near"]), (~near & known, whole["far"])):
        if chosen.any():
            fits = [lightgbm.Booster(model_str=text) for text in trees]
            growth[chosen] = np.sort([one.predict(rounded(ahead[chosen]), num_threads=1) for one in fits], axis=0).T
    growth[near] = blended(lightgbm, whole["counts"], ahead[near], growth[near], FITTED_LEVELS)
    return growth


def fit_counts(lightgbm: ModuleType, described: FloatArray, growth: FloatArray) -> list[str]:
    """Learn the chances of small counts.

    Args:
        lightgbm: The library.
        described: Features of past origins, shape ``(rows, features)``.
        growth: What followed: log growth by :func:`forecasting.models.pooled.growth_scale`, shape ``(rows,)``.

    Returns:
        Trees of every threshold as text; nothing where there are fewer than 2,000 past origins of small counts, or
        outcomes are no whole numbers.
    """
    few = _share(described) > 0
    described, growth = described[few], growth[few]
    outcomes = np.expm1(value_now(described) + growth * growth_scale(described))
    whole = np.round(outcomes)
    if len(whole) < FEWEST_EXAMPLES or (np.abs(outcomes - whole) > 1e-6 * (1 + whole)).mean() > MOST_BROKEN:
        return []
    rows = lightgbm.Dataset(rounded(levels(described)), whole, params=_BINS, free_raw_data=False)
    rows.construct()
    texts = []
    for threshold in THRESHOLDS:
        rows.set_label((whole <= threshold).astype(float))
        texts.append(lightgbm.train(COUNT_PARAMETERS, rows, num_boost_round=COUNT_TREES).model_to_string())
    return texts


def blended(
    lightgbm: ModuleType, texts: Sequence[str], ahead: FloatArray, growth: FloatArray, at: FloatArray
) -> FloatArray:
    """Put forecasts of small counts in the place of those by growth, the more the smaller the counts.

    Args:
        lightgbm: The library.
        texts: What :func:`fit_counts` made.
        ahead: Features of the origins to be forecast, shape ``(n, features)``.
        growth: Their quantiles of growth, shape ``(n, levels)``.
        at: The quantile levels, ascending.

    Returns:
        Quantiles of growth, ascending, same shape.
    """
    share = _share(ahead)
    few = share > 0
    if not texts or not few.any():
        return growth
    seen = rounded(levels(ahead[few]))
    chances = np.stack([np.asarray(lightgbm.Booster(model_str=one).predict(seen, num_threads=1)) for one in texts], 1)
    now, scale = value_now(ahead[few])[:, None], growth_scale(ahead[few])[:, None]
    counted = (log_quantiles(chances, at, now + growth[few] * scale) - now) / scale
    mixed = growth.copy()
    mixed[few] += share[few, None] * (counted - growth[few])
    return mixed


def log_quantiles(chances: FloatArray, at: FloatArray, beyond: FloatArray) -> FloatArray:
    """Quantiles on log1p scale from the chances of not passing the thresholds.

    A count of k stands for everything from k − ½ to k + ½. Between two thresholds the log1p value is straight in the
    normal score of the chance.

    Args:
        chances: One column per threshold, shape ``(n, thresholds)``; made ascending where they are not.
        at: The quantile levels, ascending.
        beyond: log1p quantiles for levels above the last chance, shape ``(n, levels)``.
    """
    places = np.log1p(THRESHOLDS + 0.5)
    rising = np.clip(np.maximum.accumulate(chances, axis=1), SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
    scores, wanted = ndtri(rising), ndtri(at)
    above = (scores[:, None, :] < wanted[None, :, None]).sum(axis=2)
    right = np.clip(above, 1, len(places) - 1)
    left_score = np.take_along_axis(scores, right - 1, axis=1)
    gap = np.take_along_axis(scores, right, axis=1) - left_score
    # Where a level lies between two chances, they differ; where they do not, what is found here is not taken.
    way = (wanted - left_score) / np.where(gap > 0, gap, 1.0)
    inside = places[right - 1] + way * (places[right] - places[right - 1])
    found = np.where(above == 0, 0.0, np.where(above == len(places), np.maximum(beyond, places[-1]), inside))
    return np.maximum.accumulate(found, axis=1)


def _share(described: FloatArray) -> FloatArray:
    """How much of a forecast is made in this way, from 0 to 1, shape ``(n,)``."""
    way = rounded((NOT_AT_ALL - mean_of_season(described)) / (NOT_AT_ALL - MOSTLY))
    return np.asarray(LARGEST_SHARE * np.clip(np.nan_to_num(way), 0.0, 1.0))


def _is_near(described: FloatArray, season: int) -> BoolArray:
    return np.asarray(described[:, HORIZON] <= np.log(max(1.0, NEAR * season)))


def drawn(weights: FloatArray, count: int) -> NDArray[np.intp]:
    """Sample rows in proportion to their weights, systematically along their order.

    Systematic resampling: Kitagawa 1996, Journal of Computational and Graphical Statistics 5(1).

    Args:
        weights: Weight of each row, shape ``(rows,)``.
        count: Number of rows to draw.

    Returns:
        Places, ascending, heavy ones perhaps several times, shape ``(count,)``.
    """
    passed = rounded(np.cumsum(weights) * (count / weights.sum()))
    return np.searchsorted(passed, np.arange(count) + 0.5)


def libraries() -> str:
    """Versions of the libraries on which a fit depends."""
    return " ".join(f"{name} {version(name)}" for name in ("lightgbm", "numpy"))


def library() -> ModuleType:
    """LightGBM.

    Raises:
        InputError: A system library that it needs is not installed.
    """
    try:
        import lightgbm  # noqa: PLC0415  # takes half a second to load and only the pooled model needs it
    except OSError as error:
        raise InputError(f"LightGBM cannot be loaded: {error}; on Debian install the package libgomp1") from None
    module: ModuleType = lightgbm
    return module


POOLED_MODEL = PooledModel(
    model_id="vigie-pooled", version="8", levels=FITTED_LEVELS, libraries=libraries, fit=fit, predict=predict
)

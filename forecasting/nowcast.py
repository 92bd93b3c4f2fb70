"""Nowcast of the running month from daily counts: the month's total, given its days so far.

What is still to come is predicted from recent daily rates (the last 7, 14, 21 and 56 days and the month so far) and
from what the same weeks of past years brought against the three weeks before them. Counts are taken to the fourth
root, which steadies the spread of counts with many zeros (calm seas, storms) as the variance-stabilising roots of
Anscombe 1948, Biometrika 35, do, and lets a month of nothing be predicted. Weights of the rates are learned by ridge
regression on all past months at nearby days of the month, recent months counting more, and are shrunk towards the
plain 21-day rate. Uncertainty is the errors that each past month had when it was left out of the fit.

The idea of bridging a running period by its higher-frequency figures is that of Bańbura, Giannone and Reichlin 2011
(Oxford Handbook of Economic Forecasting, "Nowcasting").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from core.quantiles import FloatArray
from forecasting.model import LEVELS, BoolArray
from forecasting.quantiles import QuantileTable, probability_at, to_matrix, to_rows, value_at

WholeNumbers = NDArray[np.int64]

ROOT = 0.25
"""Power of the scale on which the days to come are predicted. Of 0, 1/7, 1/4 and 1/3 best on both daily series."""
RATES = (7, 14, 56)
"""Days over which recent rates are taken, beside the 21 days that all are compared with and the month so far."""
USUAL = 21
NEARBY_DAYS = 5
"""Days of the month on both sides that teach about a day."""
RIDGE = 3.0
HALF_LIFE = 72
"""Months after which a past month counts half."""
WIDENING = 1.15
"""The few past months share their storms and calms, so that errors left out still come out a little small: intervals
of 80 % held 69 and 76 % of outcomes without it."""
FEWEST_MONTHS = 24
LONGEST_GAP = 7
"""Missing days that are bridged; before a longer gap nothing is used."""
YEARS = 4
_MARGIN = 7
"""Days by which a past year's weeks are widened on both sides: seasons do not keep to the day."""


@dataclass(frozen=True)
class Nowcast:
    """What a running month is expected to bring.

    Attributes:
        month: The month.
        day: Days of it that are known.
        so_far: Persons counted on these days.
        quantiles: The month's total at the 23 levels, in persons, shape ``(23,)``.
    """

    month: pd.Period
    day: int
    so_far: float
    quantiles: FloatArray


@dataclass(frozen=True)
class DailyHistory:
    """Every day of a series as a place from which its month could have been nowcast.

    Attributes:
        month: Number of each day's month, months since 1970.
        day: Day of the month.
        rest: Days of the month after it.
        so_far: Counted in the month up to and on that day.
        total: The month's total; NaN where the month is not whole.
        usual: Days to come at the rate of the last 21 days, on the root scale.
        features: Other rates less ``usual``, the season's step, and 1; shape ``(days, features)``. NaN at the start.
    """

    month: FloatArray
    day: FloatArray
    rest: FloatArray
    so_far: FloatArray
    total: FloatArray
    usual: FloatArray
    features: FloatArray

    def nowcast(self, place: int) -> Nowcast | None:
        """Nowcast the month of one day from that day and the months before.

        Args:
            place: The day's place in the series; negative counts from its end.

        Returns:
            The nowcast; None with fewer than 24 whole months before.
        """
        month = pd.Period(year=1970, month=1, freq="M") + int(self.month[place])
        known = Nowcast(month, int(self.day[place]), float(self.so_far[place]), np.full(len(LEVELS), np.nan))
        past = self._past(place)
        if len(np.unique(self.month[past])) < FEWEST_MONTHS or not np.isfinite(self.features[place]).all():
            return None
        if self.rest[place] == 0:
            return Nowcast(known.month, known.day, known.so_far, np.full(len(LEVELS), known.so_far))
        weights = 0.5 ** ((self.month[place] - self.month[past]) / HALF_LIFE)
        coming = _root(np.maximum(self.total[past] - self.so_far[past], 0.0)) - self.usual[past]
        slopes, errors = _ridge(self.features[past], coming, weights, self.month[past])
        middle = self.usual[place] + float(self.features[place] @ slopes)
        spread = _weighted_quantiles(WIDENING * errors, weights)
        to_come = np.maximum(middle + spread, 0.0) ** (1 / ROOT)
        return Nowcast(known.month, known.day, known.so_far, known.so_far + to_come)

    def place_of(self, month: pd.Period, day: int) -> int | None:
        """Place of a day; None where the series does not hold it."""
        number = (month - pd.Period(year=1970, month=1, freq="M")).n
        found = np.flatnonzero((self.month == number) & (self.day == day))
        return int(found[0]) if len(found) else None

    def _past(self, place: int) -> BoolArray:
        """Days that teach: of whole months before, at nearby days of the month, with something still to come."""
        near = np.abs(self.day - self.day[place]) <= NEARBY_DAYS
        whole = (self.month < self.month[place]) & np.isfinite(self.total)
        usable: BoolArray = near & whole & (self.rest > 0) & np.isfinite(self.features).all(axis=1)
        return usable


def daily_history(daily: pd.Series) -> DailyHistory:
    """Prepare a daily series.

    Args:
        daily: Counts of persons on a daily ``PeriodIndex``, in order. Up to seven missing days in a row are bridged,
            but their month is no whole one; what lies before a longer gap is left out.

    Returns:
        One place per day from the first whole month on.
    """
    values, bridged = _without_gaps(daily)
    days = pd.PeriodIndex(values.index)
    month = np.asarray(days.year * 12 + days.month - 1 - 1970 * 12, dtype=float)
    day, length = np.asarray(days.day, dtype=float), np.asarray(days.days_in_month, dtype=float)
    sums = np.concatenate([[0.0], np.cumsum(values.to_numpy(dtype=float))])
    after: WholeNumbers = np.arange(1, len(values) + 1, dtype=np.int64)
    begin, end = after - day.astype(int), after - day.astype(int) + length.astype(int)
    so_far, rest = sums[after] - sums[np.maximum(begin, 0)], length - day
    whole = (begin >= 0) & (end <= len(values)) & ~np.isin(month, month[bridged])
    total = np.where(whole, sums[np.minimum(end, len(values))] - sums[np.maximum(begin, 0)], np.nan)
    usual = _root(_mean(sums, after - USUAL, after) * rest)
    rates = [_root(_mean(sums, after - length, after) * rest) - usual for length in RATES]
    rates.append(_root(np.where(begin >= 0, so_far / day, np.nan) * rest) - usual)
    features = np.column_stack([*rates, _season(sums, after, rest) * usual, np.ones(len(values))])
    return DailyHistory(month, day, rest, so_far, total, usual, features)


def scaled(nowcast: Nowcast, ratios: FloatArray) -> Nowcast:
    """A nowcast of another count of the same month, by the ratios that both counts had in past months.

    Args:
        nowcast: Of the daily count.
        ratios: The other count relative to the days' sum, one per past month; at least one.

    Returns:
        Quantiles of the product, both parts taken as independent.
    """
    grid = np.linspace(0.005, 0.995, 100)
    products = np.multiply.outer(np.interp(grid, LEVELS, nowcast.quantiles), ratios)
    return Nowcast(nowcast.month, nowcast.day, nowcast.so_far, np.quantile(products, LEVELS))


def _without_gaps(daily: pd.Series) -> tuple[pd.Series, BoolArray]:
    """The days after the last long gap, short gaps bridged, and which of them were."""
    days = pd.PeriodIndex(daily.index)
    full = daily.set_axis(days, axis=0).reindex(pd.period_range(days.min(), days.max(), freq="D"))
    missing = full.isna()
    run = missing.groupby((~missing).cumsum()).cumsum()
    long = np.flatnonzero(run.to_numpy() > LONGEST_GAP)
    kept = full.iloc[int(long[-1]) + 1 :] if len(long) else full
    bridged: BoolArray = kept.isna().to_numpy()
    return kept.interpolate(limit_direction="both"), bridged


def _season(sums: FloatArray, after: WholeNumbers, rest: FloatArray) -> FloatArray:
    """Log step of past years from the three weeks before the same day to the rest of the month; 0 without any."""
    steps = []
    for years in range(1, YEARS + 1):
        same = after - 365 * years - years // 3
        coming = _mean(sums, same - _MARGIN, same + rest.astype(int) + _MARGIN)
        before = _mean(sums, same - USUAL - _MARGIN, same + _MARGIN)
        steps.append(np.log1p(30 * coming) - np.log1p(30 * before))
    known = np.isfinite(steps)
    total = np.where(known, steps, 0.0).sum(axis=0)
    step: FloatArray = total / np.maximum(known.sum(axis=0), 1)
    return step


def _mean(sums: FloatArray, first: WholeNumbers, end: WholeNumbers) -> FloatArray:
    """Mean of the days from ``first`` up to before ``end``; NaN where the series does not hold them all."""
    inside = (first >= 0) & (end < len(sums))
    low, high = np.where(inside, first, 0).astype(int), np.where(inside, end, 1).astype(int)
    mean: FloatArray = np.where(inside, (sums[high] - sums[low]) / np.maximum(high - low, 1), np.nan)
    return mean


def _root(counts: FloatArray) -> FloatArray:
    root: FloatArray = np.power(np.maximum(counts, 0.0), ROOT)
    return root


def _ridge(
    features: FloatArray, outcomes: FloatArray, weights: FloatArray, months: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weighted ridge regression, and the errors of each month in a fit without it.

    Returns:
        Slopes, shape ``(features,)``, and errors, shape ``(rows,)``.
    """
    _, of_month = np.unique(months, return_inverse=True)
    count, width = int(of_month.max()) + 1, features.shape[1]
    squares, products = np.zeros((count, width, width)), np.zeros((count, width))
    np.add.at(squares, of_month, weights[:, None, None] * features[:, :, None] * features[:, None, :])
    np.add.at(products, of_month, weights[:, None] * features * outcomes[:, None])
    square = squares.sum(axis=0) + RIDGE * (2 * NEARBY_DAYS + 1) * np.eye(width)
    product = products.sum(axis=0)
    without = np.linalg.solve(square - squares, (product - products)[:, :, None])[:, :, 0]
    errors: FloatArray = outcomes - (features * without[of_month]).sum(axis=1)
    return np.linalg.solve(square, product), errors


def _weighted_quantiles(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Quantiles at the 23 levels of values that count by weight."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - 0.5 * weights[order]
    found: FloatArray = np.interp(LEVELS, reached / weights.sum(), values[order])
    return found


_GRID = (np.arange(200) + 0.5) / 200
_FARTHEST = 4.0
"""Normal scores beyond which a nowcast says no more than that the old forecast was wrong."""


def update_with_nowcasts(
    forecasts: pd.DataFrame, paths: pd.DataFrame, nowcasts: Mapping[str, FloatArray]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put nowcasts in the place of the first horizon and let later horizons follow.

    Args:
        forecasts: Quantile rows of one model, one origin per series.
        paths: Joint sample paths whose marginals are these forecasts (``core.release.TRAJECTORIES``).
        nowcasts: Quantiles at the 23 levels of the first horizon, by series. Parts of a total are not changed: see
            :mod:`forecasting.reconcile`.

    Returns:
        Forecasts and paths, in the order in which they came. Series without a nowcast are as they were.
    """
    table = to_matrix(forecasts)
    quantiles = table.quantiles.copy()
    values = paths["value"].to_numpy(dtype=float).copy()
    for series_id, nowcast in nowcasts.items():
        own = np.flatnonzero(table.keys["series_id"] == series_id)
        order = own[np.argsort(table.keys["horizon"].to_numpy()[own])]
        if not len(order) or table.keys["horizon"].iloc[order[0]] != 1:
            continue
        rows = paths["series_id"].to_numpy() == series_id
        places = paths[rows].reset_index().pivot_table(index="output_type_id", columns="horizon", values="index")
        draws = values[places.to_numpy(dtype=int)]
        new_quantiles, new_draws = conditioned(table.quantiles[order], draws, nowcast)
        quantiles[order] = new_quantiles
        values[places.to_numpy(dtype=int)] = new_draws
    return to_rows(QuantileTable(table.keys, quantiles)), paths.assign(value=values)


def conditioned(quantiles: FloatArray, draws: FloatArray, nowcast: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Let one series' forecast follow a nowcast of its first horizon.

    Args:
        quantiles: Shape ``(H, 23)``.
        draws: Joint draws of all horizons, shape ``(n, H)``.
        nowcast: The first horizon's quantiles as they are now known, shape ``(23,)``.

    Returns:
        Both, in the same shapes.
    """
    ranks = (rankdata(draws, axis=0, method="ordinal") - 0.5) / len(draws)
    scores = ndtri(ranks)
    first = value_at(ranks[:, 0], nowcast)
    moved = _scores_in(first, quantiles[0])
    grid = _scores_in(value_at(_GRID, nowcast), quantiles[0])
    new_quantiles, new_draws = [np.asarray(nowcast, dtype=float)], [first]
    for later in range(1, len(quantiles)):
        share = float(np.corrcoef(scores[:, 0], scores[:, later])[0, 1])
        noise = np.sqrt(max(1 - share**2, 0.0)) * ndtri(_GRID)
        mixture = value_at(ndtr(np.add.outer(share * grid, noise)), quantiles[later])
        new_quantiles.append(np.quantile(mixture, LEVELS))
        score = scores[:, later] + share * (moved - scores[:, 0])
        new_ranks = (rankdata(score, method="ordinal") - 0.5) / len(score)
        new_draws.append(value_at(new_ranks, new_quantiles[-1]))
    return np.stack(new_quantiles), np.stack(new_draws, axis=1)


def _scores_in(values: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Normal scores of values in a forecast's distribution; the middle where a value has probability of its own."""
    chances = np.asarray([sum(probability_at(float(value), quantiles)) / 2 for value in values])
    scores: FloatArray = np.clip(ndtri(chances), -_FARTHEST, _FARTHEST)
    return scores

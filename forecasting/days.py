"""One model of daily counts: joint paths of the days to come, from which the running month and weeks are read.

The coming seven days, and each seven after them, are predicted from recent daily rates (the last 7, 14, 21 and 56
days) and from what the same weeks of past years brought against the three weeks before them. Counts are taken to the
fourth root, which steadies the spread of counts with many zeros (calm seas, storms) as the variance-stabilising roots
of Anscombe 1948, Biometrika 35, do. Weights of the rates are learned by ridge regression on past days, recent ones
counting more, and are shrunk towards the plain 21-day rate. A path takes the errors that one past day had in all of its
eight weeks, left out of the fit with its quarter, so that weeks depend on each other as they did; within a week the
days are those of a past week that brought about as many. Sums over any span of a path's days therefore agree.

Days that are missing are bridged: rates are taken over the days that are known, and a missing day of the running month
or week is drawn as a day to come is. The idea of bridging a running period by its higher-frequency figures is that of
Bańbura, Giannone and Reichlin 2011 (Oxford Handbook of Economic Forecasting, "Nowcasting").

The next eight weeks are ISO weeks, Monday to Sunday; of the first one some days may be counted already. Their record
rests on past Sundays, the same on every night: a random walk and a seasonal one say there what they make of the weeks
before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray
from core.release import WEEK_SCORES
from core.schema import check
from forecasting import LEVELS, Model
from forecasting.models import baseline, safe_forecast, snaive
from forecasting.quantiles import QuantileTable
from forecasting.verification import COVERAGES, covered, wis
from forecasting.verification.verdict import SCALES, compare, holm_within
from forecasting.workers import Fit

WholeNumbers = NDArray[np.int64]

ROOT = 0.25
"""Power of the scale on which weeks are predicted. Of 0, 1/7, 1/4 and 1/3 best on both daily series."""
RATES = (7, 14, 56)
"""Days over which recent rates are taken, beside the 21 days that all are compared with."""
RECENT = 21
WEEK, WEEKS = 7, 8
RIDGE = 1.0
"""Of 0.3, 1, 3 and 10, per month of history: all within 2 % of each other."""
HALF_LIFE = 2190
"""Days after which a past day counts half."""
WIDENING = 1.15
"""The few past years share their storms and calms, so that errors left out still come out a little small: intervals
of 80 % held 74 % of the Channel's weeks without it."""
EVERY = 3
"""Train on every third day: neighbouring days are nearly equal."""
QUARTER = 91
FEWEST_DAYS = 700
YEARS = 4
_MARGIN = 7
"""Days by which a past year's weeks are widened on both sides: seasons do not keep to the day."""
_LIKE = 30
"""Past weeks on both sides of the one that brought as many, from which a path's days are taken."""
_AROUND = 10
"""Days on both sides of a missing one whose mean is its level."""
MODEL_ID = "vigie-nowcast"
REFERENCES: tuple[Model, ...] = (baseline.MODEL, snaive.MODEL)
ORIGINS = 208
"""Newest Sundays of the record, four years."""
RECORD_PATHS = 300
YEAR_OF_WEEKS = 52


@dataclass(frozen=True)
class Nowcast:
    """What a running month is expected to bring.

    Attributes:
        month: The month.
        so_far: Persons counted on these days.
        quantiles: The month's total at the 23 levels, in persons, shape ``(23,)``.
    """

    month: pd.Period
    so_far: float
    quantiles: FloatArray


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
    return Nowcast(nowcast.month, nowcast.so_far, np.quantile(products, LEVELS))


@dataclass(frozen=True)
class DailyHistory:
    """A daily series, each of whose days can be looked ahead from with what was known then.

    Attributes:
        days: Every day from the first to the last known one.
        counts: Persons by day; NaN where a day is missing.
    """

    days: pd.PeriodIndex
    counts: FloatArray

    def place_of(self, day: pd.Period) -> int | None:
        """Place of a day; None where the series does not hold it."""
        place = int((day - self.days[0]).n)
        return place if 0 <= place < len(self.counts) else None

    def total(self, first: pd.Period, last: pd.Period) -> float:
        """What was counted from one day to another; NaN where a day is not known."""
        begin, end = self.place_of(first), self.place_of(last)
        return float("nan") if begin is None or end is None else float(self.counts[begin : end + 1].sum())

    def so_far(self, first: pd.Period, last: pd.Period) -> float:
        """What was counted on the days that are known from one to another."""
        begin, end = max(int((first - self.days[0]).n), 0), int((last - self.days[0]).n)
        return float(np.nansum(self.counts[begin : end + 1]))

    def ahead(self, place: int, *, n: int = 1000) -> pd.DataFrame | None:
        """Paths of the eight weeks after a day, from that day and the days before it.

        Args:
            place: The day's place in the series; negative counts from its end.
            n: Number of paths.

        Returns:
            Persons by path and day, from the running month or week on: days that are counted as they were, others
            drawn. None with fewer than about two years of days to learn from.
        """
        place = place % len(self.counts)
        rows = self._rows[: int(np.searchsorted(self._rows, place - WEEK * WEEKS, side="right"))]
        if not np.isfinite(self._features[:, place]).all() or len(rows) * EVERY < FEWEST_DAYS:
            return None
        weights = 0.5 ** ((place - rows) / HALF_LIFE)
        slopes, errors = self._fit(len(rows), weights)
        middle = self._recent[place] + np.einsum("bf,bf->b", self._features[:, place], slopes)
        chosen = np.searchsorted(np.cumsum(weights) / weights.sum(), (np.arange(n) + 0.5) / n)
        totals = np.maximum(middle + WIDENING * errors[:, chosen].T, 0.0) ** (1 / ROOT)
        random = np.random.default_rng(0)
        coming = self._days_like(totals, place, random).reshape(n, WEEK * WEEKS)
        today: pd.Period = self.days[place]
        monday = today + 1 - (today + 1).dayofweek
        begun = today.asfreq("M").asfreq("D", "start")
        first = begun if begun.ordinal < monday.ordinal else monday
        begin = max(int((first - self.days[0]).n), 0)
        known = np.repeat(self.counts[begin : place + 1][None], n, axis=0)
        for missing in map(int, np.flatnonzero(np.isnan(known[0]))):
            around = self.counts[max(begin + missing - _AROUND, 0) : min(begin + missing + _AROUND, place) + 1]
            level = np.nanmean(around) if np.isfinite(around).any() else self._recent[place] ** (1 / ROOT) / WEEK
            known[:, missing] = self._days_like(np.full((n, 1), WEEK * level), place, random)[:, 0, 0]
        days = pd.period_range(self.days[begin], today + WEEK * WEEKS, freq="D")
        return pd.DataFrame(np.concatenate([known, coming], axis=1), columns=days)

    def nowcast(self, place: int) -> Nowcast | None:
        """Nowcast the month of one day from that day and the days before it: the sum of its days on each path.

        Args:
            place: The day's place in the series; negative counts from its end.

        Returns:
            The nowcast; None where :meth:`ahead` says nothing.
        """
        today: pd.Period = self.days[place]
        month = today.asfreq("M")
        first, last = month.asfreq("D", "start"), month.asfreq("D", "end")
        ahead = self.ahead(place) if first >= self.days[0] else None
        if ahead is None:
            return None
        quantiles = np.quantile(ahead.loc[:, first:last].sum(axis=1), LEVELS, method="hazen")
        return Nowcast(month, self.so_far(first, today), quantiles)

    @cached_property
    def _sums(self) -> tuple[FloatArray, WholeNumbers]:
        """Sums of the known days, and their number, before each place."""
        known = np.isfinite(self.counts)
        sums = np.concatenate([[0.0], np.cumsum(np.where(known, self.counts, 0.0))])
        return sums, np.concatenate([[0], np.cumsum(known)])

    def _mean(self, first: WholeNumbers, end: WholeNumbers) -> FloatArray:
        """Mean of the known days from ``first`` up to before ``end``; NaN where fewer than half are known."""
        sums, known = self._sums
        inside = (first >= 0) & (end < len(sums))
        low, high = np.where(inside, first, 0), np.where(inside, end, 0)
        days = known[high] - known[low]
        enough = inside & (2 * days >= end - first)
        return np.where(enough, (sums[high] - sums[low]) / np.maximum(days, 1), np.nan)

    @cached_property
    def _after(self) -> WholeNumbers:
        return np.arange(1, len(self.counts) + 1, dtype=np.int64)

    @cached_property
    def _recent(self) -> FloatArray:
        """A week at the rate of the last 21 days, on the root scale."""
        return _root(self._mean(self._after - RECENT, self._after) * WEEK)

    @cached_property
    def _features(self) -> FloatArray:
        """Other rates less the recent one, the season's step, and 1; shape ``(weeks, days, features)``."""
        rates = [_root(self._mean(self._after - length, self._after) * WEEK) - self._recent for length in RATES]
        ones = np.ones(len(self.counts))
        return np.stack([
            np.column_stack([*rates, self._season(week) * self._recent, ones]) for week in range(WEEKS)
        ])  # fmt: skip

    @cached_property
    def _outcomes(self) -> FloatArray:
        """Each of the eight weeks after a day, less the recent one, on the root scale; shape ``(weeks, days)``."""
        after = self._after
        weeks = [WEEK * self._mean(after + WEEK * week, after + WEEK * (week + 1)) for week in range(WEEKS)]
        return _root(np.stack(weeks)) - self._recent

    @cached_property
    def _rows(self) -> WholeNumbers:
        """Return the days usable for training: their features and outcomes are known."""
        usable = np.isfinite(self._features).all(axis=(0, 2)) & np.isfinite(self._outcomes).all(axis=0)
        return np.flatnonzero(usable & (np.arange(len(self.counts)) % EVERY == 0))

    @cached_property
    def _products(self) -> tuple[FloatArray, FloatArray]:
        """Products of features with themselves and with outcomes, by week and training day."""
        features, outcomes = self._features[:, self._rows], self._outcomes[:, self._rows]
        return features[..., :, None] * features[..., None, :], features * outcomes[..., None]

    def _fit(self, count: int, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weighted ridge regression on the first rows, and the errors of each quarter in a fit without it.

        Returns:
            Slopes, shape ``(weeks, features)``, and errors, shape ``(weeks, rows)``.
        """
        rows = self._rows[:count]
        starts = np.flatnonzero(np.diff(rows // QUARTER, prepend=-1))
        squares, products = (
            np.add.reduceat(one[:, :count] * weights.reshape(-1, *[1] * (one.ndim - 2)), starts, axis=1)
            for one in self._products
        )
        square = squares.sum(axis=1) + RIDGE * 30 / EVERY * np.eye(squares.shape[-1])
        product = products.sum(axis=1)
        without = np.linalg.solve(square[:, None] - squares, (product[:, None] - products)[..., None])[..., 0]
        of_quarter = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, count)))
        foreseen = np.einsum("brf,brf->br", self._features[:, rows], without[:, of_quarter])
        errors: FloatArray = self._outcomes[:, rows] - foreseen
        return np.linalg.solve(square, product[..., None])[..., 0], errors

    @cached_property
    def _past_weeks(self) -> tuple[WholeNumbers, FloatArray]:
        """First places of seven known days that brought anyone, by what they brought, and their sums."""
        sums, known = self._sums
        totals = sums[WEEK:] - sums[:-WEEK]
        whole = np.flatnonzero((known[WEEK:] - known[:-WEEK] == WEEK) & (totals > 0))
        order = whole[np.argsort(totals[whole], kind="stable")]
        return order, totals[order]

    def _days_like(self, totals: FloatArray, place: int, random: np.random.Generator) -> FloatArray:
        """Totals of weeks, shape ``(n, weeks)``, spread over days as past weeks up to a day were; ``(n, weeks, 7)``."""
        order, sums = self._past_weeks
        then = order + WEEK <= place + 1
        order, sums = order[then], sums[then]
        if not len(order):
            return np.repeat(totals[..., None] / WEEK, WEEK, axis=2)
        like = np.searchsorted(sums, totals) + random.integers(-_LIKE, _LIKE + 1, totals.shape)
        like = np.clip(like, 0, len(order) - 1)
        return np.asarray(self.counts[order[like][..., None] + np.arange(WEEK)] * (totals / sums[like])[..., None])

    def _season(self, week: int) -> FloatArray:
        """Log step of past years from the three weeks before the same day to a week after it; 0 without any."""
        steps = []
        for years in range(1, YEARS + 1):
            same = self._after - 365 * years - years // 3
            coming = self._mean(same + WEEK * week - _MARGIN, same + WEEK * (week + 1) + _MARGIN)
            before = self._mean(same - RECENT - _MARGIN, same + _MARGIN)
            steps.append(np.log1p(30 * coming) - np.log1p(30 * before))
        known = np.isfinite(steps)
        total = np.where(known, steps, 0.0).sum(axis=0)
        return np.asarray(total / np.maximum(known.sum(axis=0), 1))


def daily_history(daily: pd.Series) -> DailyHistory:
    """Prepare a daily series.

    Args:
        daily: Counts of persons on a daily ``PeriodIndex``, in order. Missing days are bridged.
    """
    days = pd.PeriodIndex(daily.index)
    full = daily.set_axis(days, axis=0).reindex(pd.period_range(days.min(), days.max(), freq="D"))
    return DailyHistory(pd.PeriodIndex(full.index), full.to_numpy(dtype=float))


def _root(counts: FloatArray) -> FloatArray:
    return np.asarray(np.power(np.maximum(counts, 0.0), ROOT))


@dataclass(frozen=True)
class Weeks:
    """What eight weeks are expected to bring.

    Attributes:
        origin: The Sunday before them.
        last_day: The newest day that is counted.
        so_far: Persons counted up to it in each week, shape ``(8,)``: zero after the first.
        quantiles: The weeks' totals at the 23 levels, in persons, shape ``(8, 23)``.
    """

    origin: pd.Period
    last_day: pd.Period
    so_far: FloatArray
    quantiles: FloatArray


def weeks_ahead(history: DailyHistory, place: int, *, n: int = 1000) -> Weeks | None:
    """The eight weeks from the one that holds the day after some day; None where the days are too few.

    Args:
        history: The days.
        place: The day's place; negative counts from the end.
        n: Number of paths.
    """
    if (ahead := history.ahead(place, n=n)) is None:
        return None
    today = history.days[place]
    origin = today - (today.dayofweek + 1) % WEEK
    first = origin.ordinal + 1 - pd.PeriodIndex(ahead.columns)[0].ordinal
    sums = ahead.to_numpy()[:, first : first + WEEK * WEEKS].reshape(n, WEEKS, WEEK).sum(axis=2)
    so_far = np.append(history.so_far(origin + 1, today), np.zeros(WEEKS - 1))
    return Weeks(origin, today, so_far, np.quantile(sums, LEVELS, axis=0, method="hazen").T)


def week_record(history: DailyHistory) -> pd.DataFrame:
    """Forecasts and outcomes of past weeks: the model's and the references', one row each, scored.

    Returns:
        ``model_id, origin_date, horizon, wis_log, wis_natural, covered_50/80/95/98``; only weeks that are counted
        whole.
    """
    sundays = history.days[history.days.dayofweek == WEEK - 1]
    totals = np.asarray([history.total(one - WEEK + 1, one) for one in sundays])
    made: list[tuple[str, pd.Period, FloatArray]] = []
    outcomes: list[FloatArray] = []
    for number in range(max(0, len(sundays) - ORIGINS - 1), len(sundays) - 1):
        found = weeks_ahead(history, history.place_of(sundays[number]) or 0, n=RECORD_PATHS)
        if found is None or np.isnan(totals[number]):
            continue
        known = totals[int(np.argmax(np.isfinite(totals))) : number + 1]
        past = Fit(MODEL_ID, "", sundays[number].asfreq("W-SUN"), known, YEAR_OF_WEEKS).history()
        answers = {MODEL_ID: found.quantiles}
        answers |= {one.model_id: safe_forecast(one, past, WEEKS).quantiles for one in REFERENCES}
        came = np.full(WEEKS, np.nan)
        outcome = totals[number + 1 : number + 1 + WEEKS]
        came[: len(outcome)] = outcome
        for model_id, quantiles in answers.items():
            made.append((model_id, sundays[number], quantiles))
            outcomes.append(came)
    if not made:
        return pd.DataFrame()
    table, observed = _table(made), np.concatenate(outcomes)
    table, observed = table.where(np.isfinite(observed)), observed[np.isfinite(observed)]
    return table.keys.assign(
        wis_log=wis(np.log1p(observed), np.log1p(table.quantiles)),
        wis_natural=wis(observed, table.quantiles),
        **covered(observed, table.quantiles),
    )


def week_scores(records: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Scores of the weeks relative to both references, all judged at once.

    Returns:
        A frame that keeps ``core.release.WEEK_SCORES``.
    """
    shares = [f"covered_{round(100 * level)}" for level in COVERAGES]
    parts = []
    for series_id, rows in records.items():
        if rows.empty:
            continue
        own = rows[rows["model_id"] == MODEL_ID].groupby("horizon")
        means = own[["wis_log", "wis_natural", *shares]].mean()
        against = compare(rows.assign(series_id=series_id), MODEL_ID, [one.model_id for one in REFERENCES])
        against = against.assign(series_id=series_id).join(means, on="horizon")
        parts.append(against.assign(wis=np.where(against["scale"] == SCALES[0], against["wis_log"],
                                                 against["wis_natural"])))  # fmt: skip
    if not parts:
        return WEEK_SCORES.empty()
    found = pd.concat(parts, ignore_index=True)
    found = found.assign(p_holm=holm_within(found, ["scale"]))
    found = found.rename(columns=lambda name: name.replace("covered", "coverage"))
    return check(found[list(WEEK_SCORES.columns)], WEEK_SCORES)


def _table(made: Sequence[tuple[str, pd.Period, FloatArray]]) -> QuantileTable:
    """Every model's eight weeks from every Sunday, one row each."""
    models, sundays, quantiles = zip(*made, strict=True)
    ends = pd.PeriodIndex(sundays).end_time.normalize().repeat(WEEKS)
    horizons = np.tile(np.arange(1, WEEKS + 1), len(made))
    keys = pd.DataFrame({
        "model_id": np.repeat(np.asarray(models, dtype=object), WEEKS), "origin_date": ends, "horizon": horizons,
        "target_end_date": ends + pd.to_timedelta(WEEK * horizons, unit="D"),
    })  # fmt: skip
    return QuantileTable(keys, np.concatenate(quantiles))

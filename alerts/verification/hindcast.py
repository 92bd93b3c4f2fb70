"""What each rule would have said at past origins, before known events too, and what occurred then.

All arrays have one row per month from the first origin to the last, one column per series, and where a third axis is
there, one layer per month ahead. Only what was counted up to an origin defines the number to be passed after it.

An alert must be worth more than simple rules that anybody could use, judged at the same origins. Two forecast with
their own past errors: *persistence* says the last count, *random walk plus seasonal change* adds the
average change over the same calendar months of earlier years. Three only look at the last count: a *control chart*
(Shewhart 1931; distance from the mean of the 24 months before, in standard deviations of the log) and *highest in 12*
or *36 months*. Scores of the last three are no probabilities: they can be ranked and cut off, but have no Brier score.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from alerts import LIFT, Cutoffs, ExceedanceRule, route_of
from alerts.rules.surge import RULE as SURGE
from core import QUANTILE_LEVELS, FloatArray, probability_above
from core.calendar import PLANNING_MONTHS, planning_window
from core.settings import AlertSettings
from forecasting.models.baseline import FEWEST_ERRORS, LAST_ERRORS
from forecasting.panel import Panel
from forecasting.quantiles import to_matrix
from forecasting.trajectories import Numbers, conditioned, draw_paths, past_scores

BoolArray = NDArray[np.bool_]
MONTHS_BELOW = 3
"""Months without an event before an onset, the first month of an event."""
PATHS = 500
WINDOW = 0
"""``horizon`` of an alert as it is issued: about any month of the planning window."""
HORIZONS = 6
"""Single months ahead that the record speaks of."""
USUAL_START = 2
"""First month of the planning window, in months ahead of the newest count, of a route whose counts are too old to be
forecast tonight: it is judged as if its newest count lagged one month."""
EVENT_COLUMNS = ["event_id", "route_id", "month", "horizon", "origin", "chance", "cutoff", "level", "came", "basis"]
EVENT_KINDS = {"horizon": "int64", "chance": "float64", "cutoff": "float64", "came": "float64"}


@dataclass(frozen=True)
class PastForecasts:
    """Forecasts at past origins.

    Attributes:
        origins: Every month from the first origin to the last.
        series: The series.
        starts: First month of each series' planning window, in months ahead of its newest count: 2 where the newest
            count lags one month. Alerts are issued tonight with this lag, so past origins are judged with it too.
        quantiles: Shape ``(origins, series, months ahead, levels)``, of :data:`HORIZONS` months or more; NaN where
            there was no forecast.
        paths: Joint sample paths, drawn as a night draws its own from what had been counted by then; shape
            ``(origins, series, PLANNING_MONTHS, PATHS)``: each series' own window. NaN where there was no forecast.
    """

    origins: pd.PeriodIndex
    series: list[str]
    starts: NDArray[np.int_]
    quantiles: FloatArray
    paths: FloatArray


@dataclass(frozen=True)
class Arrays:
    """Arrays of shape ``(origins, series)``."""

    def of(self, columns: list[int]) -> Self:
        """The same of some series."""
        return type(self)(**{name: array[:, columns] for name, array in vars(self).items()})

    def rows(self, some: slice) -> Self:
        """The same of some origins."""
        return type(self)(**{name: array[some] for name, array in vars(self).items()})


@dataclass(frozen=True)
class Pairs(Arrays):
    """Probabilities of an event beside its outcomes. Shapes ``(origins, series)``.

    Attributes:
        probability: Probability of the event.
        occurred: True where it occurred.
        calm: True where it was not there at the origin and the outcome is known: only these are scored.
    """

    probability: FloatArray
    occurred: BoolArray
    calm: BoolArray


@dataclass(frozen=True)
class Judged:
    """One rule at past origins. Shapes ``(origins, series, HORIZONS)``; those of the window ``(origins, series)``.

    Attributes:
        probability: Of the event in each single month ahead; NaN where there is none.
        known: True where there was a probability and the outcome is known.
        calm: True where, moreover, the event was not already there at the origin.
        event: True where the event occurred.
        onset: True where it occurred after at least three months without, seen from a calm origin.
        window: The same of any month of the planning window.
        window_known: True where there was a probability and every outcome of the window is known.
        starts: First month of each series' window, in months ahead of the origin, shape ``(series,)``.
        base_rates: How often the event followed earlier months of the season, by horizon, ``0`` the window: shape
            ``(origins, series, HORIZONS + 1)``; NaN where an alert need not be likelier than usual.
    """

    probability: FloatArray
    known: BoolArray
    calm: BoolArray
    event: BoolArray
    onset: BoolArray
    window: Pairs
    window_known: BoolArray
    starts: NDArray[np.int_]
    base_rates: FloatArray

    def cutoff(self, ahead: int, least: float) -> FloatArray:
        """Smallest probability of an alert at each origin, given the one for its level: shape ``(origins, series)``."""
        return np.fmax(least, np.minimum(1.0, LIFT * self.base_rates[:, :, ahead]))

    def month(self, ahead: int) -> Pairs:
        """The one month ``ahead`` months after each origin; 0: any month of the planning window."""
        if ahead == WINDOW:
            return self.window
        layer = np.s_[:, :, ahead - 1]
        return Pairs(self.probability[layer], self.event[layer], self.calm[layer])


Nowcasts = Mapping[tuple[str, pd.Timestamp], FloatArray]
"""Nowcasts of the month after past origins, by series and origin: quantiles at the 23 levels."""


def past_forecasts(
    backtest: pd.DataFrame, model_id: str, counts: pd.DataFrame, as_of: dt.date, nowcasts: Nowcasts | None = None
) -> PastForecasts:
    """Put one model's past forecasts into arrays, and draw the sample paths that each past night would have drawn.

    Args:
        backtest: A frame that keeps ``core.release.FORECASTS``, monthly.
        model_id: The model.
        counts: Monthly outcomes, one column per series to keep (:func:`alerts.counts_by_series`); series
            without forecasts are left out.
        as_of: Date of the release, from whose planning window each series' ``starts`` follow.
        nowcasts: What a night on the same day of the month would have known of the month after each origin: forecasts
            up to the window's end follow it, as they do tonight.
    """
    rows = backtest[(backtest["model_id"] == model_id) & (backtest["output_type"] == "quantile")]
    rows = rows[rows["series_id"].isin(counts.columns) & rows["output_type_id"].round(6).isin(QUANTILE_LEVELS)]
    found = sorted(str(name) for name in rows["series_id"].unique())
    starts = _starts(counts[found], as_of, int(rows["horizon"].max()) if len(rows) else 0)
    horizons = max(HORIZONS, *(starts + PLANNING_MONTHS - 1)) if len(rows) else HORIZONS
    rows = rows[rows["horizon"] <= horizons]
    months = pd.PeriodIndex(rows["origin_date"], freq="M")
    origins = pd.period_range(months.min(), months.max(), freq="M") if len(rows) else pd.PeriodIndex([], freq="M")
    quantiles = np.full((len(origins), len(found), horizons, len(QUANTILE_LEVELS)), np.nan)
    levels = pd.Index(QUANTILE_LEVELS).get_indexer(pd.Index(rows["output_type_id"].round(6)))
    at = origins.get_indexer(months), pd.Index(found).get_indexer(pd.Index(rows["series_id"]))
    quantiles[(*at, rows["horizon"].to_numpy() - 1, levels)] = rows["value"].to_numpy()
    paths = _paths(rows, counts, found, origins, starts)
    for (name, date), nowcast in (nowcasts or {}).items():
        place = origins.get_indexer(pd.PeriodIndex([date], freq="M"))[0], found.index(name) if name in found else -1
        near = (*place, slice(paths.shape[2]))
        if min(place) >= 0 and np.isfinite(quantiles[near]).all():
            quantiles[near], draws = conditioned(quantiles[near], paths[place].T, nowcast)
            paths[place] = draws.T
    ahead = starts[:, None] - 1 + np.arange(PLANNING_MONTHS)
    return PastForecasts(origins, found, starts, quantiles, np.take_along_axis(paths, ahead[None, :, :, None], axis=2))


def judge(rule: ExceedanceRule, past: PastForecasts, counts: pd.DataFrame, settings: AlertSettings) -> Judged:
    """Judge one rule at every past origin."""
    horizons = past.quantiles.shape[2]
    limits = rule.threshold(counts, settings).reindex(index=past.origins, columns=past.series).to_numpy(dtype=float)
    probability = _probabilities(rule, past.quantiles, limits)
    outcomes = np.stack([outcomes_at(counts, past, ahead) for ahead in range(1, horizons + 1)], axis=2)
    known = np.isfinite(probability) & np.isfinite(outcomes)
    here = outcomes_at(counts, past, 0)
    calm = known & (np.isfinite(here) & ~rule.happened(here, limits))[:, :, None]
    event = known & rule.happened(outcomes, limits[:, :, None])
    occurred, undisturbed, asked = (windows(one, past.starts) for one in (event, calm, known))
    share = rule.happened(past.paths, limits[:, :, None, None]).any(axis=2).mean(axis=2)
    chance = np.where(np.isfinite(past.paths[..., 0]).all(axis=2) & np.isfinite(limits), share, np.nan)
    window = Pairs(chance, np.any(occurred, axis=2), np.all(undisturbed, axis=2))
    onset = _onsets(rule, past, counts, limits, (calm & event)[:, :, :HORIZONS])
    rates = _base_rates(rule, past, counts, settings)
    near, is_known = np.s_[:, :, :HORIZONS], np.all(asked, axis=2)
    return Judged(probability[near], known[near], calm[near], event[near], onset, window, is_known, past.starts, rates)


def _base_rates(rule: ExceedanceRule, past: PastForecasts, counts: pd.DataFrame, settings: AlertSettings) -> FloatArray:
    """Base rates of the window and of each single month at the past origins."""
    own = counts[past.series]
    found = np.full((len(past.origins), len(past.series), HORIZONS + 1), np.nan)
    for start in np.unique(past.starts):
        columns = past.starts == start
        rates = rule.base_rates(own.loc[:, columns], settings, int(start)).reindex(past.origins)
        found[:, columns, WINDOW] = rates.to_numpy()
    for ahead in range(1, HORIZONS + 1):
        found[:, :, ahead] = rule.base_rates(own, settings, ahead, 1).reindex(past.origins).to_numpy()
    return found


def windows(values: NDArray[Any], starts: NDArray[np.int_]) -> NDArray[Any]:
    """Each series' planning window of an array ``(origins, series, months ahead)``: shape ``(origins, series, 3)``."""
    ahead = starts[:, None] - 1 + np.arange(PLANNING_MONTHS)
    return np.take_along_axis(values, ahead[None], axis=2)


def outcomes_at(counts: pd.DataFrame, past: PastForecasts, ahead: int) -> FloatArray:
    """Return outcomes ``ahead`` months after each origin, shape ``(origins, series)``."""
    return counts[past.series].reindex(past.origins + ahead).to_numpy(dtype=float)


def _starts(counts: pd.DataFrame, as_of: dt.date, horizons: int) -> NDArray[np.int_]:
    first = planning_window(as_of)[0].ordinal
    newest = [pd.Period(str(counts[name].last_valid_index()), "M").ordinal for name in counts.columns]
    starts = [first - month for month in newest]
    latest = max(1, horizons - PLANNING_MONTHS + 1)
    return np.array([start if 1 <= start <= latest else min(USUAL_START, latest) for start in starts], dtype=int)


def _onsets(
    rule: ExceedanceRule, past: PastForecasts, counts: pd.DataFrame, limits: FloatArray, event: BoolArray
) -> BoolArray:
    onset = event.copy()
    for ahead in range(1, event.shape[2] + 1):
        for back in range(1, MONTHS_BELOW + 1):
            before = outcomes_at(counts, past, ahead - back)
            onset[:, :, ahead - 1] &= np.isfinite(before) & ~rule.happened(before, limits)
    return onset


def _paths(
    rows: pd.DataFrame, counts: pd.DataFrame, series: list[str], origins: pd.PeriodIndex, starts: NDArray[np.int_]
) -> FloatArray:
    """Draw at each origin with the same function as a night, from outcomes that had been counted by then.

    Returns:
        Shape ``(origins, series, months ahead, PATHS)``, up to the end of the latest window.
    """
    last = int(starts.max(initial=0)) + PLANNING_MONTHS - 1
    paths = np.full((len(origins), len(series), last, PATHS), np.nan)
    if rows.empty:
        return paths
    rows = rows[rows["horizon"] <= last]
    panel = Panel("M", counts[series], pd.DataFrame(index=counts[series].columns))
    horizons = list(range(1, last + 1))
    learned = past_scores(rows, panel, series, horizons)
    table = to_matrix(rows)
    dates, numbers = table.keys["origin_date"], Numbers(seed=0)
    for date in dates.unique():
        here = table.where((dates == date).to_numpy())
        drawn = draw_paths(here, series, horizons, learned.until(pd.Timestamp(date)), n=PATHS, numbers=numbers)
        columns = pd.Index(series).get_indexer(pd.Index(here.keys["series_id"]))
        paths[origins.get_loc(pd.Period(date, "M")), columns, here.keys["horizon"].to_numpy() - 1] = drawn
    return paths


def _probabilities(rule: ExceedanceRule, quantiles: FloatArray, limits: FloatArray) -> FloatArray:
    probability = np.full(quantiles.shape[:3], np.nan)
    usable = np.isfinite(quantiles).all(axis=3) & np.isfinite(limits)[:, :, None]
    for origin, series, ahead in np.argwhere(usable):
        above = probability_above(limits[origin, series], quantiles[origin, series, ahead])
        probability[origin, series, ahead] = 1 - above if rule.falls else above
    return probability


def retrospective_alerts(
    events: Mapping[str, tuple[str, str]],
    past: PastForecasts,
    counts: pd.DataFrame,
    cutoffs: Mapping[int, Cutoffs],
    first_judged: int,
    settings: AlertSettings,
    *,
    basis: str,
) -> pd.DataFrame:
    """Which alerts of the rule "surge" would have named each known event's first month, and how long before.

    Args:
        events: Route and first month (such as ``2011-02``) by event. The catalogue (``data/events.toml``) names them
            from public sources, not from Vigie's own figures, so that they were not chosen for being detected.
        past: Forecasts issued at past origins.
        counts: Monthly outcomes, one column per series.
        cutoffs: Frozen cut-offs by months ahead.
        first_judged: Index of the first origin after the span that they were learned on. Earlier origins could not know
            them, and get Bayes cut-offs.
        settings: What counts as far above.
        basis: Whose figures these are, in a word.

    Returns:
        :data:`EVENT_COLUMNS`, one row per event and months ahead (``horizon``) with a forecast: ``origin`` is the month
        whose count was the newest, ``chance`` the probability that the event's month would be far above the mean known
        then, ``level`` what the cut-off makes of it (empty: no alert), ``came`` 1 where the count was, 0 where it was
        not, NaN where that is not known. Nothing of the counts themselves is in it.
    """
    judged = judge(SURGE, past, counts, settings)
    columns = {route_of(name): column for column, name in enumerate(past.series)}
    rows: list[tuple[object, ...]] = []
    for event_id, (route_id, month) in events.items():
        if (column := columns.get(route_id)) is None:
            continue
        for horizon in range(HORIZONS, 0, -1):
            origin = pd.Period(month, "M") - horizon
            row = int(past.origins.get_indexer(pd.PeriodIndex([origin]))[0])
            at = row, column, horizon - 1
            if row < 0 or not np.isfinite(judged.probability[at]):
                continue
            learned = cutoffs[horizon] if row >= first_judged else SURGE.bayes_cutoffs(settings)
            levels = learned.lifted(float(judged.base_rates[row, column, horizon]))
            chance, came = float(judged.probability[at]), float(judged.event[at]) if judged.known[at] else np.nan
            said = chance, levels.watch, levels.level(chance) or "", came, basis
            rows.append((event_id, route_id, month, horizon, str(origin), *said))
    return pd.DataFrame(rows, columns=EVENT_COLUMNS).astype(EVENT_KINDS)


CHART_MONTHS = 24
YEARS = 7
_PATHS = 2000


@dataclass(frozen=True)
class Comparison:
    """One simple rule.

    Attributes:
        rule: Its identity, as it stands in the record.
        conventional: Cut-off of its score by convention; None where its score is a probability.
        score: Scores from log counts ``(months, series)`` and log limits, shape ``(months, series, horizons)``, larger
            where the event is likelier. Only rows up to a month may be used for that month.
    """

    rule: str
    conventional: float | None
    score: Callable[[FloatArray, FloatArray, int, bool], FloatArray]

    @property
    def is_probability(self) -> bool:
        """Whether its score is a probability."""
        return self.conventional is None


def persistence(logs: FloatArray, limits: FloatArray, horizons: int, falls: bool) -> FloatArray:  # noqa: FBT001  # one shape for all scores
    """Probability under the last count with its own past errors."""
    steps = range(1, horizons + 1)
    return np.stack([_probability(logs, logs - _shifted(logs, step), limits, falls=falls) for step in steps], axis=2)


def seasonal_walk(logs: FloatArray, limits: FloatArray, horizons: int, falls: bool) -> FloatArray:  # noqa: FBT001  # one shape for all scores
    """Probability under the last count plus the average change over the same months of up to seven earlier years."""
    out = []
    for step in range(1, horizons + 1):
        earlier = np.stack([_shifted(_shifted(logs, -step) - logs, 12 * year) for year in range(1, YEARS + 1)])
        known = np.isfinite(earlier)
        count = known.sum(axis=0)
        mean = np.where(known, earlier, 0.0).sum(axis=0) / np.maximum(count, 1)
        expected = np.where(count > 0, logs + mean, np.nan)
        out.append(_probability(expected, logs - _shifted(expected, step), limits, falls=falls))
    return np.stack(out, axis=2)


def control_chart(logs: FloatArray, _limits: FloatArray, horizons: int, falls: bool) -> FloatArray:  # noqa: FBT001  # one shape for all scores
    """Distance of the last count from the 24 months before it, in their standard deviations."""
    before = pd.DataFrame(logs).shift(1).rolling(CHART_MONTHS)
    deviation = before.std().to_numpy()
    score = np.divide(logs - before.mean().to_numpy(), deviation, out=np.full(logs.shape, np.nan), where=deviation > 0)
    return np.repeat((-score if falls else score)[:, :, None], horizons, axis=2)


def extreme_in(months: int, logs: FloatArray, _limits: FloatArray, horizons: int, falls: bool) -> FloatArray:  # noqa: FBT001  # one shape for all scores
    """Log distance of the last count from the highest (lowest, for a fall) of the months before; 0 where it equals."""
    before = pd.DataFrame(logs).shift(1).rolling(months - 1)
    score = before.min().to_numpy() - logs if falls else logs - before.max().to_numpy()
    return np.repeat(score[:, :, None], horizons, axis=2)


COMPARISONS: tuple[Comparison, ...] = (
    Comparison("compare.persistence", None, persistence),
    Comparison("compare.seasonal_walk", None, seasonal_walk),
    Comparison("compare.control_chart", 2.0, control_chart),
    Comparison("compare.highest_12", 0.0, functools.partial(extreme_in, 12)),
    Comparison("compare.highest_36", 0.0, functools.partial(extreme_in, 36)),
)


def compared(
    rule: ExceedanceRule,
    judged: Judged,
    past: PastForecasts,
    counts: pd.DataFrame,
    settings: AlertSettings,
    simple_rules: Sequence[Comparison] = COMPARISONS,
) -> Iterator[tuple[Comparison, Judged]]:
    """The simple rules' scores of one rule's event, at the rule's own origins.

    Yields:
        Each simple rule with a ``Judged`` whose probabilities are its scores; below every cut-off where it has none.
    """
    own = counts[past.series]
    logs = np.log1p(own.to_numpy(dtype=float))
    limits = np.log1p(rule.threshold(own, settings).to_numpy(dtype=float))
    at = own.index.get_indexer(past.origins)
    for simple in simple_rules:
        score = simple.score(logs, limits, past.quantiles.shape[2], rule.falls)[at]
        score = np.where(np.isfinite(score), score, 0.0 if simple.is_probability else -np.inf)
        ahead = windows(score, past.starts)
        window = any_within(ahead, past.starts) if simple.is_probability else ahead[:, :, 0]
        found = replace(judged.window, probability=window)
        usual = np.full_like(judged.base_rates, np.nan)
        yield simple, replace(judged, probability=score[:, :, :HORIZONS], window=found, base_rates=usual)


def any_within(probability: FloatArray, starts: NDArray[np.int_]) -> FloatArray:
    """Probability that an event occurs in any of some months ahead, from that in each.

    The months share their shocks as a random walk's errors do: a Gaussian copula with correlation ``sqrt(min/max)``.

    Args:
        probability: Shape ``(origins, series, months)``, consecutive months.
        starts: How many months ahead the first of them is, shape ``(series,)``.

    Returns:
        Shape ``(origins, series)``; NaN where a month has none.
    """
    found = np.full(probability.shape[:2], np.nan)
    for start in np.unique(starts):
        steps = start + np.arange(probability.shape[2], dtype=float)
        correlation = np.sqrt(np.minimum.outer(steps, steps) / np.maximum.outer(steps, steps))
        draws = np.random.default_rng(0).standard_normal((_PATHS, len(steps))) @ np.linalg.cholesky(correlation).T
        own = probability[:, starts == start]
        occurred = (draws[None, None] > ndtri(1 - own)[:, :, None, :]).any(axis=3).mean(axis=2)
        found[:, starts == start] = np.where(np.isfinite(own).all(axis=2), occurred, np.nan)
    return found


def _shifted(values: FloatArray, months: int) -> FloatArray:
    """Shift rows down by ``months`` (up if negative); NaN where no row remains."""
    return pd.DataFrame(values).shift(months).to_numpy()


def _probability(expected: FloatArray, errors: FloatArray, limits: FloatArray, *, falls: bool) -> FloatArray:
    """Share of symmetrised past errors with which the limit is reached; smoothed by half an error at each end.

    ``errors`` stand at the month in which they became known.
    """
    out = np.full(expected.shape, np.nan)
    for row, column in np.argwhere(np.isfinite(expected) & np.isfinite(limits)):
        past = errors[: row + 1, column]
        past = past[np.isfinite(past)][-LAST_ERRORS:]
        if len(past) < FEWEST_ERRORS:
            continue
        both = np.concatenate([past, -past])
        needed = limits[row, column] - expected[row, column]
        reached = (both <= needed).sum() if falls else (both >= needed).sum()
        out[row, column] = (reached + 0.5) / (len(both) + 1)
    return out

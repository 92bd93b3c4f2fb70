"""Simple rules that anybody could use, judged at the same origins: an alert must be worth more than these.

Two forecast with their own past errors: *persistence* says the last count, *random walk plus seasonal change* adds the
average change over the same calendar months of earlier years. Three only look at the last count: a *control chart*
(Shewhart 1931; distance from the mean of the 24 months before, in standard deviations of the log) and *highest in 12*
or *36 months*. Scores of the last three are no probabilities: they can be ranked and cut off, but have no Brier score.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from alerts.rules.base import ExceedanceRule
from alerts.verification.hindcast import HORIZONS, Judged, PastForecasts, windows
from core import FloatArray
from core.settings import AlertSettings

LAST_ERRORS = 84
FEWEST_ERRORS = 12
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
    return np.stack([_probability(logs, _errors(logs, logs, step), limits, falls=falls) for step in steps], axis=2)


def seasonal_walk(logs: FloatArray, limits: FloatArray, horizons: int, falls: bool) -> FloatArray:  # noqa: FBT001  # one shape for all scores
    """Probability under the last count plus the average change over the same months of up to seven earlier years."""
    out = []
    for step in range(1, horizons + 1):
        change = _shifted(logs, -step) - logs
        earlier = np.stack([_shifted(change, 12 * year) for year in range(1, YEARS + 1)])
        known = np.isfinite(earlier)
        count = known.sum(axis=0)
        mean = np.where(known, earlier, 0.0).sum(axis=0) / np.maximum(count, 1)
        expected = np.where(count > 0, logs + mean, np.nan)
        out.append(_probability(expected, _errors(logs, expected, step), limits, falls=falls))
    return np.stack(out, axis=2)


def control_chart(logs: FloatArray, _limits: FloatArray, horizons: int, falls: bool) -> FloatArray:  # noqa: FBT001  # one shape for all scores
    """Distance of the last count from the 24 months before it, in their standard deviations."""
    before = pd.DataFrame(logs).shift(1).rolling(CHART_MONTHS)
    deviation = before.std().to_numpy()
    score = np.divide(logs - before.mean().to_numpy(), deviation, out=np.full(logs.shape, np.nan), where=deviation > 0)
    return _every_month(-score if falls else score, horizons)


def extreme_in(months: int, logs: FloatArray, _limits: FloatArray, horizons: int, falls: bool) -> FloatArray:  # noqa: FBT001  # one shape for all scores
    """Log distance of the last count from the highest (lowest, for a fall) of the months before; 0 where it equals."""
    before = pd.DataFrame(logs).shift(1).rolling(months - 1)
    score = before.min().to_numpy() - logs if falls else logs - before.max().to_numpy()
    return _every_month(score, horizons)


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
        lowest = 0.0 if simple.is_probability else -np.inf
        score = np.where(np.isfinite(score), score, lowest)
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


def _every_month(score: FloatArray, horizons: int) -> FloatArray:
    return np.repeat(score[:, :, None], horizons, axis=2)


def _shifted(values: FloatArray, months: int) -> FloatArray:
    """Shift rows down by ``months`` (up if negative); NaN where no row remains."""
    shifted: FloatArray = pd.DataFrame(values).shift(months).to_numpy()
    return shifted


def _errors(logs: FloatArray, expected: FloatArray, step: int) -> FloatArray:
    """Errors of what was expected ``step`` months before, at the month in which they became known."""
    return logs - _shifted(expected, step)


def _probability(expected: FloatArray, errors: FloatArray, limits: FloatArray, *, falls: bool) -> FloatArray:
    """Share of symmetrised past errors with which the limit is reached; smoothed by half an error at each end."""
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

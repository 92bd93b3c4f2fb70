"""The ensemble's spread, learned from how its own past forecasts fared: too wide is drawn in, too narrow let out.

At each origin and horizon the log1p quantiles are scaled about their median by one factor per series. The factor is
the one that would have given past forecasts the lowest weighted interval score, judged only on outcomes known at that
origin, the last 24 of them; it leans on neighbouring horizons and is shrunk twice, the series' own towards that of all
series, and that towards 1. Each past score counts in units of its own forecast's width: in log units the few widest
forecasts, made in a crisis, would keep every later one wide. Multiplying follows each forecast's own width; adding a
constant to the bounds, as conformal prediction does, was worse after a crisis. So were separate factors below and
above the median, and another for the tails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.quantiles import QUANTILE_LEVELS, FloatArray
from forecasting.model import BoolArray
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.verification.scores import observed_at, wis

FACTORS: FloatArray = np.exp(np.linspace(np.log(0.4), np.log(1.6), 29))
"""What may be chosen; 1 is put in the place of the value nearest to it."""
_ONE = int(np.argmin(np.abs(FACTORS - 1.0)))
FACTORS[_ONE] = 1.0
WINDOW = 24
FEWEST_SCORED = 12
TOWARDS_ONE, TOWARDS_ALL = 1.0, 8.0
"""Penalties on the squared log distance, in outcomes that do not overlap. Chosen on outcomes before 2018."""
NEIGHBOUR_DECAY = 2.0
"""A horizon counts at another with the ratio of the two, the smaller to the larger, to this power."""
SMALLEST_WIDTH = 0.3
"""Narrower forecasts, on log1p scale, do not count for more."""
SMALLEST_MIDDLE = float(np.log1p(1.0))
"""Forecasts with a lower median are not learned from: of counts that are mostly zero any narrow one looks right."""
_LOWER, _MIDDLE, _UPPER = (QUANTILE_LEVELS.index(level) for level in (0.25, 0.5, 0.75))


def calibrate(table: QuantileTable, panel: Panel) -> tuple[QuantileTable, FloatArray]:
    """Scale every forecast's spread by what was learned up to its origin.

    Args:
        table: Forecasts of one model, past and present; each learns from those before it.
        panel: Outcomes; for each origin only targets that ended by then are used.

    Returns:
        The table with scaled quantiles, and the factor of each of its rows.
    """
    logs = np.log1p(table.quantiles)
    observed = np.log1p(observed_at(table.keys, panel))
    places = _places(table)
    middle = logs[:, [_MIDDLE]]
    judged = np.where(middle[:, 0] >= SMALLEST_MIDDLE, observed, np.nan)
    factors = _factors(_losses(logs, judged, places), np.isfinite(judged), places)
    scaled = np.maximum(middle + factors[:, None] * (logs - middle), 0.0)
    untouched = factors == 1.0
    quantiles = np.where(untouched[:, None], table.quantiles, np.expm1(scaled))
    return QuantileTable(table.keys, quantiles), factors


@dataclass(frozen=True)
class _Places:
    """Where each row stands among the origins, horizons and series, and when targets end."""

    origin: NDArray[np.intp]
    horizon: NDArray[np.intp]
    series: NDArray[np.intp]
    origins: NDArray[np.datetime64]
    horizons: FloatArray
    target_ends: NDArray[np.datetime64]
    """Shape ``(origins, horizons)``; NaT where there is no forecast."""

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.origins), len(self.horizons), int(self.series.max(initial=-1)) + 1


def _places(table: QuantileTable) -> _Places:
    origins, origin = np.unique(table.keys["origin_date"].to_numpy(), return_inverse=True)
    horizons, horizon = np.unique(table.keys["horizon"].to_numpy(), return_inverse=True)
    _, series = np.unique(table.keys["series_id"].to_numpy().astype(str), return_inverse=True)
    ends = np.full((len(origins), len(horizons)), np.datetime64("NaT"), dtype="datetime64[ns]")
    ends[origin, horizon] = table.keys["target_end_date"].to_numpy()
    return _Places(origin, horizon, series, origins, horizons.astype(float), ends)


def _losses(logs: FloatArray, observed: FloatArray, places: _Places) -> FloatArray:
    """Score of every forecast at every factor, in units of its interquartile range; 0 where unknown.

    Shape ``(origins, horizons, series, factors)``.
    """
    losses = np.zeros((*places.shape, len(FACTORS)))
    known = np.flatnonzero(np.isfinite(observed))
    middle = logs[known][:, [_MIDDLE]]
    away = logs[known] - middle
    width = np.maximum(logs[known, _UPPER] - logs[known, _LOWER], SMALLEST_WIDTH)
    at = (places.origin[known], places.horizon[known], places.series[known])
    for number, factor in enumerate(FACTORS):
        losses[(*at, number)] = wis(observed[known], np.maximum(middle + factor * away, 0.0)) / width
    return losses


def _factors(losses: FloatArray, known: BoolArray, places: _Places) -> FloatArray:
    """The factor of each row."""
    counts = np.zeros(places.shape)
    counts[places.origin[known], places.horizon[known], places.series[known]] = 1.0
    steps = places.horizons
    nearness = (np.minimum.outer(steps, steps) / np.maximum.outer(steps, steps)) ** NEIGHBOUR_DECAY
    # Neighbours tell of the same outcomes: together they count as one horizon, however many are asked for.
    nearness = nearness / nearness.sum(axis=1, keepdims=True)
    # Outcomes h periods apart do not overlap; the shocks in between are partly shared, hence half of it.
    apart = np.maximum(steps / 2, 1.0)[:, None]
    chosen = np.ones(places.shape)
    for place, origin in enumerate(places.origins):
        sums, numbers = _known_sums(losses, counts, places.target_ends, origin)
        together = (numbers.max(axis=1) >= FEWEST_SCORED)[:, None]
        shared = _lowest(sums.sum(axis=1)[:, None], numbers.max(axis=1)[:, None] * together / apart, nearness, 0.0)
        chosen[place] = np.exp(_lowest(sums, numbers * together / apart, nearness, shared))
    found: FloatArray = chosen[places.origin, places.horizon, places.series]
    return found


def _known_sums(
    losses: FloatArray, counts: FloatArray, ends: NDArray[np.datetime64], origin: np.datetime64
) -> tuple[FloatArray, FloatArray]:
    """Losses and numbers of forecasts per horizon and series, over the last scored origins known at ``origin``."""
    shape = losses.shape[1:]
    sums, numbers = np.zeros(shape), np.zeros(shape[:2])
    for column in range(shape[0]):
        scored = (ends[:, column] <= origin) & counts[:, column].any(axis=1)
        use = np.flatnonzero(scored)[-WINDOW:]
        sums[column], numbers[column] = losses[use, column].sum(axis=0), counts[use, column].sum(axis=0)
    return sums, numbers


def _lowest(sums: FloatArray, numbers: FloatArray, nearness: FloatArray, towards: FloatArray | float) -> FloatArray:
    """Log factors with the lowest penalised loss, shape ``(horizons, series)``; ``towards`` 0 is no scaling."""
    unscaled = sums[..., [_ONE]]
    change = np.where(unscaled > 0, sums / np.where(unscaled > 0, unscaled, 1.0) - 1.0, 0.0)
    gained = np.einsum("gh,hsf->gsf", nearness, numbers[..., None] * change)
    penalty = TOWARDS_ONE if np.ndim(towards) == 0 else TOWARDS_ALL
    distance = np.log(FACTORS) - np.asarray(towards)[..., None]
    lowest: FloatArray = np.log(FACTORS)[np.argmin(gained + penalty * distance**2, axis=-1)]
    return lowest


UNITS = (5.0, 1.0)
"""What published counts are multiples of, the largest first."""
FEWEST_MULTIPLES = 24
"""Values above zero that must be seen before small counts that happen to be multiples are taken for rounded ones."""
MOST_EXCEPTIONS = 0.05
"""Share of a series' values that may be no multiples: a publisher's estimates, or the mean of neighbours."""
JITTER = 0.05
"""What is left of the distance to the nearest whole count."""


def discretise(table: QuantileTable, panel: Panel) -> QuantileTable:
    """Move quantiles towards whole counts.

    Args:
        table: Forecasts. One from an origin that is not on the panel's calendar is left alone.
        panel: The series; for each origin only values up to it are used.

    Returns:
        The same rows. Quantiles keep their order; where the unit is 1 none moves by half a count or more.
    """
    rows = panel.end_dates.get_indexer(pd.Index(table.keys["origin_date"]))
    columns = panel.matrix.columns.get_indexer(pd.Index(table.keys["series_id"]))
    placed = (rows >= 0) & (columns >= 0)
    unit = np.where(placed, units(panel)[rows, columns], 0.0)[:, None]
    step = np.where(unit > 0, unit, 1.0)
    whole = step * np.floor(table.quantiles / step + 0.5)
    moved = whole + JITTER * (table.quantiles - whole)
    return QuantileTable(table.keys, np.where(unit > 0, np.maximum(moved, 0.0), table.quantiles))


def units(panel: Panel) -> FloatArray:
    """What every series' values up to each period are multiples of, periods × series; 0 where of nothing."""
    values = panel.matrix.to_numpy(dtype=float)
    known = np.isfinite(values)
    number = np.maximum(known.cumsum(axis=0), 1)
    above_zero = (known & (values > 0)).cumsum(axis=0)
    found = np.zeros(values.shape)
    for unit in UNITS:
        odd = known & (np.mod(np.where(known, values, 0.0), unit) != 0)
        fits = odd.cumsum(axis=0) <= MOST_EXCEPTIONS * number
        if unit > 1:
            fits &= above_zero >= FEWEST_MULTIPLES
        found = np.where((found == 0) & fits, unit, found)
    return found

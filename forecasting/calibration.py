"""The ensemble's spread, learned from how its own past forecasts fared: too wide is drawn in, too narrow let out.

At each origin and horizon the log1p quantiles are scaled about their median by one factor per series. The factor is
the one that would have given past forecasts the lowest weighted interval score, judged only on outcomes known at that
origin, of the last 24 periods; it leans on neighbouring horizons and is shrunk twice, the series' own towards that of
all series, and that towards 1: by the absolute log distance, so that a factor stays where it leans until outcomes speak
against it (the lasso: Tibshirani 1996, Journal of the Royal Statistical Society B 58(1)). Each past score counts in
units of its own forecast's width: in log units the few widest forecasts, made in a crisis, would keep every later one
wide. Multiplying follows each forecast's own width; adding a constant to the bounds, as conformal prediction does, was
worse after a crisis. So were separate factors below and above the median. What lies beyond the quartiles is then scaled
about them once more in the same way (:func:`calibrate_tails`), judged on these levels alone: averaged quantiles have
longer tails than outcomes.

By the same means the ensemble learns how its models of single series weigh against those that learn from many
(:func:`learned_odds`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import QUANTILE_LEVELS, FloatArray
from core.calendar import Frequency
from forecasting import LEVELS, BoolArray
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.verification import observed_at, wis

FACTORS: FloatArray = np.exp(np.linspace(np.log(0.4), np.log(1.6), 29))
"""What may be chosen; 1 is put in the place of the value nearest to it."""
FACTORS[np.argmin(np.abs(FACTORS - 1.0))] = 1.0
WINDOW = 24
FEWEST_SCORED = 12
FEWEST_TO_LEARN_FROM = 24
"""Earlier values of a series; with fewer its forecasts are made, and miss in a way that longer histories do not."""
TOWARDS_ONE, TOWARDS_ALL = 0.25, 2.5
"""Penalties on the absolute log distance, in outcomes that do not overlap. Form and size of these and of the next two
were chosen in November 2026 among some eighty variants, on the outcomes of five open routes from 2020 to 2024 and of
seven Frontex routes since 2018: with squares in their place the latter's tails were drawn in too far."""
TAILS_TOWARDS_ONE, TAILS_TOWARDS_ALL = 3 * TOWARDS_ONE, 3 * TOWARDS_ALL
"""The same for the tails, of which outcomes tell less."""
NEIGHBOUR_DECAY = 2.0
"""A horizon counts at another with the ratio of the two, the smaller to the larger, to this power."""
NEIGHBOURS = range(1, 13)
"""Horizons whose outcomes tell of others too: always these, whatever is asked for."""
LESSONS = 3
"""Times that the ensemble learns from how what it had made before fared: odds, spread, tails."""
ODDS: FloatArray = np.exp(np.linspace(-3.0, 3.0, 25))
"""Of one kind of model against another that may be chosen; the one in the middle is 1."""
TOWARDS_EQUAL = 0.4
"""Penalty on their absolute logarithm. Of .1, .2, .3, .4 and .8 on these same outcomes: little hangs on it."""
SMALLEST_WIDTH = 0.3
"""Narrower forecasts, on log1p scale, do not count for more."""
SMALLEST_MIDDLE = float(np.log1p(1.0))
"""Forecasts with a lower median are not learned from, of counts that are mostly zero any narrow one looks right, and so
are left as they are: with factors learned on larger ones the tails of displacement from zero were far too short."""
WIDER: Mapping[Frequency, tuple[float, float, float]] = {
    "D": (1.05, 1.0, 1.0),
    "W": (1.0, 1.25, 1.15),
    "Q": (1.0, 1.25, 1.15),
}
"""By how much the middle half, what lies below it and what lies above it are drawn out, whatever outcomes teach. On 30
draws of conflict, displacement and asylum by quarter 4 to 7 of 100 outcomes lay below the 2.5 % quantile, and 5 to 6
above the 97.5 % quantile: below of 1.25 and 1.5, and 1.15 and 1.25 of the whole lower half; above of 1.15, 1.25 and
1.4. By week, on arrivals to February of seven years, 6 and 4 to 5 did: of 1.25 and 1.4, and 1, 1.15 and 1.3. By day to
August and February the middle half held .44 and .51: of 1.05, 1.08 and 1.12, with tails that begin farther out or are
shorter by as much. Up to these the scores hardly change; wider ones score worse in persons."""
_LOWER, _MIDDLE, _UPPER = (QUANTILE_LEVELS.index(level) for level in (0.25, 0.5, 0.75))


def outcomes_learned_from(keys: pd.DataFrame, panel: Panel) -> FloatArray:
    """log1p outcome of every forecast; NaN where there is none, or its origin is none that others learn from."""
    row, column = panel.places(keys["origin_date"], keys["series_id"])
    long = panel.matrix.notna().to_numpy().cumsum(axis=0)[row, column] > FEWEST_TO_LEARN_FROM
    judged = (row < 0) | (panel.judged()[row] & long)
    return np.where(judged, np.log1p(observed_at(keys, panel)), np.nan)


def calibrate(table: QuantileTable, panel: Panel) -> tuple[QuantileTable, FloatArray]:
    """Scale every forecast's spread by what was learned up to its origin.

    Args:
        table: Forecasts of one model, past and present; each learns from those before it.
        panel: Outcomes; for each origin only targets that ended by then are used.

    Returns:
        The table with scaled quantiles, and the factor of each of its rows.
    """
    return _scale(table, panel, lambda logs: logs[:, [_MIDDLE]], slice(None), (TOWARDS_ONE, TOWARDS_ALL))


def calibrate_tails(table: QuantileTable, panel: Panel) -> tuple[QuantileTable, FloatArray]:
    """Scale what lies beyond each forecast's quartiles, as :func:`calibrate` does its whole spread.

    Then ``WIDER`` draws forecasts out, by day their middle half, in short histories too.
    """
    beyond = np.r_[:_LOWER, _UPPER + 1 : len(LEVELS)]
    penalties = (TAILS_TOWARDS_ONE, TAILS_TOWARDS_ALL)
    scaled, factors = _scale(table, panel, _between_quartiles, beyond, penalties)
    if panel.freq not in WIDER:
        return scaled, factors
    logs = np.log1p(scaled.quantiles)
    inside, median = _between_quartiles(logs), logs[:, [_MIDDLE]]
    away = logs - inside
    middle, below, above = WIDER[panel.freq]
    longer = np.maximum(median + middle * (inside - median) + np.where(away < 0, below, above) * away, 0.0)
    return QuantileTable(scaled.keys, np.where(longer == logs, scaled.quantiles, np.expm1(longer))), factors


def _between_quartiles(logs: FloatArray) -> FloatArray:
    return np.clip(logs, logs[:, [_LOWER]], logs[:, [_UPPER]])


def learned_odds(
    keys: pd.DataFrame, mixed: Callable[[float, NDArray[np.intp]], FloatArray], both: BoolArray, panel: Panel
) -> FloatArray:
    """How one kind of model weighs against another at each origin and horizon, by outcomes known there, of all series.

    Args:
        keys: The forecasts' places.
        mixed: log1p quantiles of some rows for given odds.
        both: Rows that have both kinds: the others tell nothing.
        panel: Outcomes; for each origin only targets that ended by then are used.

    Returns:
        The odds of each row, shrunk towards equal; 1 before twelve origins have known outcomes.
    """
    observed = np.where(both, outcomes_learned_from(keys, panel), np.nan)
    known = np.flatnonzero(np.isfinite(observed))
    if not len(known):
        return np.ones(len(keys))
    places = _places(keys, panel)
    width = _width(mixed(1.0, known))
    losses = np.zeros((*places.shape, len(ODDS)))
    at = (places.origin[known], places.horizon[known], places.series[known])
    for number, odds in enumerate(ODDS):
        losses[(*at, number)] = wis(observed[known], mixed(float(odds), known)) / width
    return _factors(losses, np.isfinite(observed), places, ODDS, (TOWARDS_EQUAL, None))


def _scale(
    table: QuantileTable,
    panel: Panel,
    centre: Callable[[FloatArray], FloatArray],
    levels: NDArray[np.intp] | slice,
    penalties: tuple[float, float],
) -> tuple[QuantileTable, FloatArray]:
    """Scale log1p quantiles about a centre by the factors that served some levels best."""
    logs = np.log1p(table.quantiles)
    observed = outcomes_learned_from(table.keys, panel)
    judged = np.where(logs[:, _MIDDLE] >= SMALLEST_MIDDLE, observed, np.nan)
    if not np.isfinite(judged).any():
        return table, np.ones(len(logs))
    places = _places(table.keys, panel)
    factors = _factors(_losses(logs, judged, places, centre, levels), np.isfinite(judged), places, FACTORS, penalties)
    factors = np.where(logs[:, _MIDDLE] >= SMALLEST_MIDDLE, factors, 1.0)
    middle = centre(logs)
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
    too_old: NDArray[np.datetime64]
    """The last day whose outcomes have no say any more at each origin."""
    horizons: FloatArray
    target_ends: NDArray[np.datetime64]
    """Shape ``(origins, horizons)``; NaT where there is no forecast."""

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.origins), len(self.horizons), int(self.series.max(initial=-1)) + 1


def _places(keys: pd.DataFrame, panel: Panel) -> _Places:
    origins, origin = np.unique(keys["origin_date"].to_numpy(), return_inverse=True)
    horizons, horizon = np.unique(keys["horizon"].to_numpy(), return_inverse=True)
    _, series = np.unique(keys["series_id"].to_numpy().astype(str), return_inverse=True)
    ends = np.full((len(origins), len(horizons)), np.datetime64("NaT"), dtype="datetime64[ns]")
    ends[origin, horizon] = keys["target_end_date"].to_numpy()
    too_old = pd.DatetimeIndex([panel.end_before(pd.Timestamp(day), WINDOW) for day in origins]).to_numpy()
    return _Places(origin, horizon, series, origins, too_old, horizons.astype(float), ends)


def _losses(
    logs: FloatArray,
    observed: FloatArray,
    places: _Places,
    centre: Callable[[FloatArray], FloatArray],
    levels: NDArray[np.intp] | slice,
) -> FloatArray:
    """Score of every forecast at every factor, in units of its interquartile range; 0 where unknown.

    Shape ``(origins, horizons, series, factors)``.
    """
    losses = np.zeros((*places.shape, len(FACTORS)))
    known = np.flatnonzero(np.isfinite(observed))
    width, whole = _width(logs[known]), centre(logs[known])
    middle = np.broadcast_to(whole, (len(known), logs.shape[1]))[:, levels]
    away = logs[known][:, levels] - middle
    at = (places.origin[known], places.horizon[known], places.series[known])
    for number, factor in enumerate(FACTORS):
        distance = observed[known, None] - np.maximum(middle + factor * away, 0.0)
        pinball = np.maximum(LEVELS[levels] * distance, (LEVELS[levels] - 1) * distance)
        losses[(*at, number)] = 2 * pinball.mean(axis=1) / width
    return losses


def _width(logs: FloatArray) -> FloatArray:
    return np.maximum(logs[:, _UPPER] - logs[:, _LOWER], SMALLEST_WIDTH)


def _factors(
    losses: FloatArray,
    known: BoolArray,
    places: _Places,
    values: FloatArray,
    penalties: tuple[float, float | None],
) -> FloatArray:
    """The factor of each row.

    Args:
        losses: Shape ``(origins, horizons, series, values)``.
        known: Rows whose outcome is known.
        places: Where the rows stand.
        values: What is chosen from.
        penalties: On the way from 1 to the factor of all series, and from there to each one's own; None: all have one.
    """
    to_all, to_own = penalties
    counts = np.zeros(places.shape)
    counts[places.origin[known], places.horizon[known], places.series[known]] = 1.0
    steps = places.horizons
    tell = np.isin(steps, NEIGHBOURS)[None, :] | np.eye(len(steps), dtype=bool)
    nearness = tell * (np.minimum.outer(steps, steps) / np.maximum.outer(steps, steps)) ** NEIGHBOUR_DECAY
    # Neighbours tell of the same outcomes: together they count as one horizon, however many are asked for.
    nearness = nearness / nearness.sum(axis=1, keepdims=True)
    # Outcomes h periods apart do not overlap; the shocks in between are partly shared, hence half of it.
    apart = np.maximum(steps / 2, 1.0)[:, None]
    chosen = np.ones(places.shape)
    for place, origin in enumerate(places.origins):
        sums, numbers = _known_sums(losses, counts, places.target_ends, places.too_old[place], origin)
        together = (numbers.max(axis=1) >= FEWEST_SCORED)[:, None]
        most = numbers.max(axis=1)[:, None] * together / apart
        shared = _lowest(sums.sum(axis=1)[:, None], most, nearness, 0.0, values, to_all)
        if to_own is None:
            chosen[place] = np.exp(shared)
        else:
            chosen[place] = np.exp(_lowest(sums, numbers * together / apart, nearness, shared, values, to_own))
    found: FloatArray = chosen[places.origin, places.horizon, places.series]
    return found


def _known_sums(
    losses: FloatArray,
    counts: FloatArray,
    ends: NDArray[np.datetime64],
    too_old: np.datetime64,
    origin: np.datetime64,
) -> tuple[FloatArray, FloatArray]:
    """Losses and numbers of forecasts per horizon and series, of outcomes after ``too_old`` and up to ``origin``."""
    shape = losses.shape[1:]
    sums, numbers = np.zeros(shape), np.zeros(shape[:2])
    for column in range(shape[0]):
        use = (ends[:, column] <= origin) & (ends[:, column] > too_old)
        sums[column], numbers[column] = losses[use, column].sum(axis=0), counts[use, column].sum(axis=0)
    return sums, numbers


def _lowest(  # the sums, what they are worth, and what is chosen from
    sums: FloatArray,
    numbers: FloatArray,
    nearness: FloatArray,
    towards: FloatArray | float,
    values: FloatArray = FACTORS,
    penalty: float = TOWARDS_ONE,
) -> FloatArray:
    """Logarithms of ``values`` with the lowest penalised loss, shape ``(horizons, series)``; 0 changes nothing."""
    logs = np.log(values)
    unscaled = sums[..., [int(np.argmin(np.abs(logs)))]]
    change = np.where(unscaled > 0, sums / np.where(unscaled > 0, unscaled, 1.0) - 1.0, 0.0)
    gained = np.einsum("gh,hsf->gsf", nearness, numbers[..., None] * change)
    distance = logs - np.asarray(towards)[..., None]
    lowest: FloatArray = logs[np.argmin(gained + penalty * np.abs(distance), axis=-1)]
    return lowest


FREE_RECORDS, GIVE = (1.25, 2.0), 0.2
"""Up to so many times the record, or the upper quartile where that is higher, quantiles stand: of the next period,
and from a season ahead on, in between in proportion; the larger the second, the more of the way beyond is left. On 68
panels by month, quarter, week and day 0 to 2 of 100 outcomes lay above 97.5 % quantiles of more than three records; of
those up to two, 2 to 7 by month and quarter. Chosen in November 2026 among some 25 forms: bounds nearer to the record,
1.5 a year ahead too, cost Frontex's routes and short panels of detections; the record alone, whatever the upper
quartile, the five routes' log score."""


def nearer_the_record(quantiles: FloatArray, record: FloatArray, seasons_ahead: FloatArray) -> FloatArray:
    """Draw in what lies far above the record: five times the highest value so far to 2.8 times, next month to 1.9.

    A series that falls to near zero and back is so wide on log scale that the upper half of its forecast reaches where
    nothing ever was. Of a quantile e^x times ``FREE_RECORDS`` x becomes ``GIVE`` × log(1 + x / ``GIVE``): quantiles
    keep their order, and the quartiles their place.

    Args:
        quantiles: In counts, shape ``(n, 23)``, ascending along the levels.
        record: The highest value that each series had by the origin, above zero, shape ``(n,)``; infinity for none.
        seasons_ahead: Horizons in seasons, such as years, shape ``(n,)``.
    """
    nearest, farthest = FREE_RECORDS
    records = nearest + (farthest - nearest) * np.minimum(seasons_ahead, 1.0)
    free = records[:, None] * np.maximum(record[:, None], quantiles[:, [_UPPER]])
    beyond = np.log(np.maximum(quantiles / free, 1.0))
    return np.where(beyond > 0, free * np.exp(GIVE * np.log1p(beyond / GIVE)), quantiles)


UNITS = (5.0, 1.0)
"""What published counts are multiples of, the largest first."""
FEWEST_MULTIPLES = 24
"""Values above zero that must be seen before small counts that happen to be multiples are taken for rounded ones."""
MOST_EXCEPTIONS = 0.05
"""Share of a series' values that may be no multiples: a publisher's estimates, or the mean of neighbours."""
JITTER = 0.05
"""What is left of the distance to the nearest whole count."""
GOLDEN_RATIO = (1 + np.sqrt(5)) / 2
ABOVE_ZERO = 1e-3
"""Of a unit: where a quantile of zero lies that is to leave zero out."""
SMALLEST_STEP = 1e-12
"""Between two quantiles that a place is read between."""


def discretise(table: QuantileTable, panel: Panel) -> QuantileTable:
    """Move quantiles towards whole counts.

    Args:
        table: Forecasts. One from an origin that is not on the panel's calendar is left alone.
        panel: The series; for each origin only values up to it are used.

    Returns:
        The same rows. Quantiles keep their order; where the unit is 1 none moves by half a count or more. Of those
        nearest to zero some are zero, others lie just above it: see :func:`_is_zero`.
    """
    rows, columns = panel.places(table.keys["origin_date"], table.keys["series_id"])
    placed = (rows >= 0) & (columns >= 0)
    unit = np.where(placed, units(panel)[rows, columns], 0.0)[:, None]
    step = np.where(unit > 0, unit, 1.0)
    whole = step * np.floor(table.quantiles / step + 0.5)
    moved = whole + JITTER * (table.quantiles - whole)
    np.maximum(moved, ABOVE_ZERO * step, out=moved)
    moved[_is_zero(table, panel, step)] = 0.0
    return QuantileTable(table.keys, np.where(unit > 0, moved, table.quantiles))


def _is_zero(table: QuantileTable, panel: Panel, step: FloatArray) -> BoolArray:
    """Quantiles that are zero and do not lie just above it, so that closed intervals hold as many as they promise.

    An interval that begins just above zero leaves every month without a person out; one that begins at zero takes all
    of them in. With a chance p of zero the quantile at level t is zero itself in a share 1 - t/p of the months
    (Brockwell 2007, Statistics and Probability Letters 77(6)), spread evenly by multiples of the golden ratio, which
    begin elsewhere in each series and, by multiples of the root of three, at each horizon: else all would leave zero
    out in the same few months. Where zero is likelier than the upper level of an interval, its upper end cannot leave
    its part out: the lower end leaves out so many more.
    """
    below = table.quantiles < step / 2
    last = np.clip(below.sum(axis=1) - 1, 0, below.shape[1] - 2)[:, None]
    near, far = (np.log1p(np.take_along_axis(table.quantiles, last + more, axis=1)[:, 0]) for more in (0, 1))
    way = np.clip((np.log1p(step[:, 0] / 2) - near) / np.maximum(far - near, SMALLEST_STEP), 0.0, 1.0)
    chance = LEVELS[last[:, 0]] + way * (LEVELS[last[:, 0] + 1] - LEVELS[last[:, 0]])
    months = pd.PeriodIndex(pd.DatetimeIndex(table.keys["target_end_date"]), freq=panel.freq)
    code, names = pd.factorize(table.keys["series_id"])
    begin = np.array([zlib.crc32(str(name).encode()) / 2**32 for name in names])
    horizons = table.keys["horizon"].to_numpy()
    lowest = np.mod(GOLDEN_RATIO * months.asi8 + np.sqrt(3) * horizons + begin[code], 1.0) * chance
    left_out = np.maximum(LEVELS, 2 * LEVELS - (1 - chance)[:, None])
    return np.asarray(below & (lowest[:, None] > left_out))


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

"""``vigie-ensemble``: the plain mean of a few members, quantile by quantile, with a spread scaled by its own record.

1. The structural model, the model pooled over many series and the sum of a total's parts weigh the same. Where the
   structural model has no forecast, the baseline takes its place; where another has none, the rest share its weight.
2. The spread is scaled by what past forecasts at the same horizon showed.
3. No quantile lies above ``MOST_RECORDS`` times the highest value so far, and quantiles of counts are whole numbers.

An origin's forecast is the same however many others are made with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import QUANTILE_LEVELS, FloatArray
from core.errors import InputError
from forecasting import BASELINE, BOTTOM_UP, ENSEMBLE, LEVELS, STRUCTURAL, BoolArray
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel
from forecasting.quantiles import KEYS, PLACE, Forecasts, QuantileTable, to_matrix
from forecasting.verification import observed_at

FACTORS: FloatArray = np.exp(np.linspace(np.log(0.4), np.log(2.5), 41))
"""What may be chosen; 1 is put in the place of the value nearest to it."""
FACTORS[np.argmin(np.abs(FACTORS - 1.0))] = 1.0
WINDOW = 24
SHRINKAGE = 2.0
"""Independent outcomes (``WINDOW`` by the horizon) with which a widening has half its size on log scale."""
FEWEST_SCORED = 12
"""Periods with outcomes from which a factor is chosen."""
FEWEST_TO_LEARN_FROM = 24
"""Earlier values of a series; with fewer its forecasts are made, and miss in a way that longer histories do not."""
MOST_BROKEN = 0.05
"""Share of a series' values that may be no whole numbers: a publisher's estimates, or the mean of neighbours."""
_LOWER, _MIDDLE, _UPPER = (QUANTILE_LEVELS.index(level) for level in (0.25, 0.5, 0.75))
_BEYOND = np.r_[:_LOWER, _UPPER + 1 : len(LEVELS)]


def calibrate(
    table: QuantileTable, panel: Panel, factors: FloatArray | None = None
) -> tuple[QuantileTable, FloatArray]:
    """Scale every forecast's spread, then its tails, by what was known at its origin.

    Args:
        table: Forecasts of one model, past and present.
        panel: Outcomes; for each origin only targets that ended by then are used.
        factors: Factors to use in the place of those that the outcomes give, as they are returned.

    Returns:
        The table with scaled quantiles, and by what spread and tails of each row were multiplied, shape ``(rows, 2)``.
    """
    logs = np.log1p(table.quantiles)
    middle, inner = logs[:, [_MIDDLE]], np.clip(logs, logs[:, [_LOWER]], logs[:, [_UPPER]])
    if factors is None:
        row, column = panel.places(table.keys["origin_date"], table.keys["series_id"])
        long = panel.matrix.notna().to_numpy().cumsum(axis=0)[row, column] > FEWEST_TO_LEARN_FROM
        is_judged = (row < 0) | (panel.judged[row] & long)
        observed = np.where(is_judged, np.log1p(observed_at(table.keys, panel)), np.nan)
        of_tails = _factors(logs, inner, _BEYOND, observed, table.keys, panel)
        factors = np.column_stack([_factors(logs, middle, slice(None), observed, table.keys, panel), of_tails])
    scaled = np.maximum(middle + factors[:, [0]] * (inner - middle) + factors[:, [1]] * (logs - inner), 0.0)
    return QuantileTable(table.keys, np.where(scaled == logs, table.quantiles, np.expm1(scaled))), factors


def _factors(
    logs: FloatArray,
    centre: FloatArray,
    judged: NDArray[np.intp] | slice,
    observed: FloatArray,
    keys: pd.DataFrame,
    panel: Panel,
) -> FloatArray:
    """By what log1p quantiles, scaled about a centre, would have served the judged levels best at each row's origin."""
    factors = np.ones(len(logs))
    away = logs - centre
    ends, origins = (keys[name].to_numpy() for name in ("target_end_date", "origin_date"))
    distinct = np.unique(origins)
    oldest = dict(zip(distinct, panel.ends_before(distinct, WINDOW).to_numpy(), strict=True))
    for horizon in keys["horizon"].unique():
        rows = np.flatnonzero(keys["horizon"] == horizon)
        independent = WINDOW / horizon
        known = rows[np.isfinite(observed[rows])]
        middle, apart = np.broadcast_to(centre, logs.shape)[known][:, judged], away[known][:, judged]
        targets, place = np.unique(ends[known], return_inverse=True)
        losses = np.zeros((len(targets) + 1, len(FACTORS)))
        for number, factor in enumerate(FACTORS):
            distance = observed[known, None] - np.maximum(middle + factor * apart, 0.0)
            pinball = np.maximum(LEVELS[judged] * distance, (LEVELS[judged] - 1) * distance).mean(axis=1)
            losses[1:, number] = np.bincount(place, pinball, len(targets))
        sums = losses.cumsum(axis=0)
        for origin in np.unique(origins[rows]):
            first, last = np.searchsorted(targets, [oldest[origin], origin], side="right")
            if last - first >= FEWEST_SCORED:
                best = FACTORS[np.argmin(sums[last] - sums[first])]
                shrunk = best ** (independent / (independent + SHRINKAGE)) if best > 1 else best
                factors[rows[origins[rows] == origin]] = shrunk
    return factors


def whole_counts(table: QuantileTable, panel: Panel) -> QuantileTable:
    """Round the quantiles of series whose values up to the origin are whole numbers; the same rows."""
    rows, columns = panel.places(table.keys["origin_date"], table.keys["series_id"])
    values = panel.matrix.to_numpy(dtype=float)
    known = np.isfinite(values)
    broken = (known & (np.mod(np.where(known, values, 0.0), 1) != 0)).cumsum(axis=0)
    is_count: BoolArray = broken <= MOST_BROKEN * np.maximum(known.cumsum(axis=0), 1)
    whole = (rows >= 0) & (columns >= 0) & is_count[rows, columns]
    return QuantileTable(table.keys, np.where(whole[:, None], np.round(table.quantiles), table.quantiles))


VERSION = "23"
MEMBERS = (STRUCTURAL, *POOLED_MODELS, BOTTOM_UP)
MOST_RECORDS = 5.0
"""Largest ratio of a quantile to the highest value of its series up to the origin."""
SMALLEST_RECORD = 5.0
"""Least record that the bound uses: new nationalities start from zero."""
NO_MEMBER = "no member could be fitted: the baseline stands in"


@dataclass(frozen=True)
class Combination:
    """The ensemble and how it came about.

    Attributes:
        forecasts: Those of ``vigie-ensemble`` with the engine's flags, and ``spread_factor``: by what the spread about
            the median was multiplied (1 where the baseline stands in).
        weights: ``model_id, origin_date, horizon, weight``: the members of each forecast sum to 1; summed over series.
        factors: Of the spread and the tails of each row of ``forecasts`` (:func:`calibrate`).
    """

    forecasts: QuantileTable
    weights: pd.DataFrame
    factors: FloatArray


def combine(members: Forecasts, panel: Panel, factors: FloatArray | None = None) -> Combination:
    """Combine members' forecasts, past and present.

    Args:
        members: Forecasts of the members and of the baseline, at every origin there is; past ones give the spread of
            later ones.
        panel: Outcomes; for each origin only targets up to it are used.
        factors: Those of an earlier combination, by series, origin and horizon; by default past forecasts give them.

    Raises:
        InputError: The baseline is not among the members.
    """
    table = to_matrix(members)
    present = set(table.keys["model_id"])
    if BASELINE not in present:
        raise InputError(f"the ensemble falls back to {BASELINE}: it must be among its members")
    places = table.keys[[*PLACE, "target_end_date"]].drop_duplicates(PLACE).sort_values(PLACE, ignore_index=True)
    row_of = pd.MultiIndex.from_frame(places[PLACE])
    aligned = {name: _align(table, name, row_of) for name in (*MEMBERS, BASELINE) if name in present}
    weights = _weights(aligned, len(places))
    mean, capped = np.zeros_like(aligned[BASELINE].logs), np.zeros(len(places), dtype=bool)
    for name, weight in weights.items():
        used = weight > 0
        mean[used] += weight[used, None] * aligned[name].logs[used]
        capped |= used & aligned[name].capped
    alone = weights[BASELINE] == 1.0
    keys = places.assign(model_id=ENSEMBLE, model_version=VERSION, history_hash=aligned[BASELINE].history_hash)
    keys = keys.assign(fallback=alone, reason=np.where(alone, NO_MEMBER, ""), capped=capped)
    combined = QuantileTable(
        keys[[*KEYS, "model_version", "history_hash", "fallback", "reason", "capped"]], np.expm1(mean)
    )
    limited, factors = _limited(combined, panel, factors)
    place = ["origin_date", "horizon"]
    lines = pd.concat([places[place].assign(model_id=name, weight=weight) for name, weight in weights.items()])
    summed = lines[lines["weight"] > 0].groupby(["model_id", *place])["weight"].sum().reset_index()
    return Combination(limited, summed, factors)


@dataclass(frozen=True)
class _Member:
    """One model aligned to the ensemble's rows: log1p quantiles, where it has its own, and its marks."""

    logs: FloatArray
    own: BoolArray
    capped: BoolArray
    history_hash: NDArray[np.object_]


def _align(table: QuantileTable, model_id: str, row_of: pd.MultiIndex) -> _Member:
    mine = table.of_model(model_id)
    rows = row_of.get_indexer(pd.MultiIndex.from_frame(mine.keys[PLACE]))
    logs = np.full((len(row_of), table.quantiles.shape[1]), np.nan)
    logs[rows] = np.log1p(mine.quantiles)
    marks = mine.keys.set_index(PLACE)[["fallback", "capped", "history_hash"]].reindex(row_of)
    own, capped = (marks[name].eq(value).to_numpy() for name, value in (("fallback", False), ("capped", True)))
    return _Member(logs, own, capped, marks["history_hash"].fillna("").to_numpy())


def _weights(aligned: dict[str, _Member], count: int) -> dict[str, FloatArray]:
    """Weight of every member and of the baseline in each row; they sum to 1."""
    has = {name: aligned[name].own.astype(float) for name in MEMBERS if name in aligned}
    has[BASELINE] = 1.0 - has.get(STRUCTURAL, np.zeros(count))
    total = np.sum(list(has.values()), axis=0)
    return {name: own / total for name, own in has.items()}


def _limited(combined: QuantileTable, panel: Panel, factors: FloatArray | None) -> tuple[QuantileTable, FloatArray]:
    """The same with the spread of its record, bounded, and whole where outcomes are; a stand-in is bounded only."""
    own: BoolArray = ~combined.keys["fallback"].to_numpy(dtype=bool)
    quantiles, marks = combined.quantiles.copy(), np.ones((len(own), 2))
    scaled, marks[own] = calibrate(combined.where(own), panel, None if factors is None else factors[own])
    quantiles[own] = scaled.quantiles
    record = extreme_before(combined.keys, panel, np.fmax)
    record = np.where(np.isnan(record), np.inf, np.maximum(record, SMALLEST_RECORD))
    highest = MOST_RECORDS * record[:, None]
    capped = combined.keys["capped"].to_numpy(dtype=bool) | (quantiles > highest).any(axis=1)
    bounded = QuantileTable(
        combined.keys.assign(spread_factor=marks[:, 0], capped=capped), np.minimum(quantiles, highest)
    )
    return whole_counts(bounded, panel), marks


def extreme_before(keys: pd.DataFrame, panel: Panel, extreme: np.ufunc) -> FloatArray:
    """For each forecast the highest (``np.fmax``) or lowest value that its series had up to the origin; else NaN.

    Args:
        keys: Columns ``series_id`` and ``origin_date``.
        panel: The series.
        extreme: ``np.fmax`` or ``np.fmin``.
    """
    record = extreme.accumulate(panel.matrix.to_numpy(dtype=float), axis=0)
    row, column = panel.places(keys["origin_date"], keys["series_id"])
    return np.where((column >= 0) & (row >= 0), record[row, column], np.nan)

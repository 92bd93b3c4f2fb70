"""``vigie-ensemble``: the quantile mean of the members that have shown skill, horizon by horizon.

A member's skill at an origin is read from its own last 24 scored forecasts whose outcomes were known there, pooled over
the panel's series: sum of its WIS on log1p scale over the baseline's on the same rows. A member marked trusted takes
part until that ratio lies above 1 by more than its standard error, and returns when it falls back; others take part
only after twelve such origins, twice the horizon if that is more, with a ratio below 1. What lies further back than
:func:`reach` has no say: an origin's forecast is the same however many others are made with it. Kinds of members
weigh alike, whatever their number: the models of single series together (half beside a sum of parts), the model pooled
over many series, and the sum of the parts; but for the first of them, whose odds against the others are learned at each
origin from the last outcomes known there, and shrunk towards these. Against all of them together stand recent values as
they were, by odds learned in the same way from those that zeros among them and the frequency suggest
(:mod:`forecasting.models.recent_values`); with them chances are averaged, not quantiles. Where no member has skill, or
a history is too short for any, the ensemble is the baseline, and says so. Elsewhere its spread is scaled by what its
own past forecasts showed, what lies far above the record is drawn in and quantiles of counts come to lie near whole
ones (:mod:`forecasting.calibration`). No quantile lies above ``MOST_RECORDS`` times the record.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray
from core.errors import InputError
from core.languages import marked as _
from core.schema import ALL
from forecasting import BASELINE, BOTTOM_UP, ENSEMBLE, RECENT_VALUES, BoolArray, ModelCard
from forecasting.calibration import (
    calibrate,
    calibrate_tails,
    discretise,
    learned_odds,
    nearer_the_record,
    outcomes_learned_from,
)
from forecasting.diagnostics import highest_before
from forecasting.models import MODELS, POOLED_MODELS
from forecasting.models.recent_values import odds_before_outcomes
from forecasting.panel import Panel
from forecasting.quantiles import KEYS, Forecasts, LinearPool, QuantileTable, as_table
from forecasting.verification import wis

VERSION = "20"
WINDOW = 24
FEWEST_SCORED = 12
SMALLEST_SHARE = 1e-9
MOST_RECORDS = 5.0
"""No quantile lies above so many times the highest value that a series had by the origin. Of seven numbers from 1.5 to
8 on five open and seven Frontex routes, their nationalities and five small panels each bettered the score on counts;
below 5 the routes' score on log scale suffered, above it small panels' tails stayed longer than simple models'."""
SMALLEST_RECORD = 5.0
"""Lower records count as so many: new nationalities appear out of nothing."""
BESIDE_PARTS = 0.5
"""Weight of the models of single series where parts are added up too: the pooled model and they know more then."""
NO_SKILL = "no member has shown skill here: the baseline stands in"
NO_MEMBER = "no member could be fitted: the baseline stands in"
SINGLE, POOLED, PARTS = "single series", "pooled", "sum of parts"
"""Kinds of members; the weight of each is shared evenly by those of the kind that take part."""
_PLACE = ["series_id", "origin_date", "horizon"]

CARD = ModelCard(
    title=_("Ensemble"),
    summary=_(
        "For every horizon the mean, on log1p scale and quantile by quantile, of the members that have shown skill "
        "over their last 24 scored origins. Three kinds weigh alike: the models of single series together (ETS, "
        "theta, ARIMA, the structural model and the random walk with half the usual seasonal change, by day and week "
        "on square roots of counts, from the start, Prophet once it has earned it), the model pooled over many "
        "series, and for totals the sum of their parts. "
        "The odds of the first kind against the others are learned at every origin from the last outcomes known "
        "there, and shrunk towards equal, or one half beside a sum of parts. Against all these together the "
        "distribution of recent values weighs where more than one in five of them is zero, and in series by day or "
        "week; with it chances are averaged, not quantiles. Its odds are learned in the same way, and so are two "
        "factors per route and horizon, of the spread about the median and of what lies beyond the quartiles; they "
        "are shrunk towards those of all routes and towards 1. By week and by quarter what lies below the lower "
        "quartile is drawn out by a quarter more, and what lies above the upper one by 15 in a hundred; by day the "
        "middle half is wider by 5 in a hundred. A series with fewer than 24 "
        "earlier values is forecast but not learned from; with fewer than six the baseline stands in. What lies above "
        "one and a quarter times the highest value so far, taken as at least five, is drawn in towards it, a season "
        "ahead what lies above twice that value, and no quantile lies above five times that value. Where figures are "
        "whole numbers its quantiles lie near whole numbers, and as many begin at zero as make closed intervals hold "
        "what they promise."
    ),
    recipe=_(
        "Version 20, November 2026. Some 75 variants of the recipe were compared on outcomes since 2018, and some 230 "
        "more of weights and spread on the five routes' outcomes of 2020 to 2024, the last 80 on seven Frontex "
        "routes' since 2018 too, and so some twenty ways in which past origins count in the pooled model; seven forms "
        "of what it says of zero on panels of small counts; fifteen of what short histories may teach, on panels of "
        "18 to 48 months; some twenty of how recent values weigh and are mixed in, on panels of displacement, "
        "conflict, deaths on the way and arrivals by day and week; some twenty of tails by quarter, week and day; "
        "some 25 of how far beyond the highest value so far a forecast reaches, on all of these; three powers of "
        "counts in place of their logarithm, on arrivals by day and week; and some ten forms of a usual year of "
        "weeks. So part of its score on these years is luck; only forecasts that are scored as they were issued are "
        "free of it."
    ),
    source="Quantile averaging: Lichtendahl, Grushka-Cockayne and Winkler 2013, Management Science 59(7).",
    weaknesses=_(
        "It learns from the past of the same series: a change without precedent is outside what it knows. A year ahead "
        "it is little better than the baseline."
    ),
)


@dataclass(frozen=True)
class Combination:
    """The ensemble and how it came about.

    Attributes:
        forecasts: Those of ``vigie-ensemble`` with the engine's flags, and ``spread_factor``: by what the
            spread about the median was multiplied (1 where the baseline stands in).
        weights: ``model_id, series_id, origin_date, horizon, weight, relative_wis``: one row per member, origin and
            horizon; ``series_id`` is ``_T`` because skill is pooled (recent values weigh by series too: theirs is the
            mean); weights of an origin and horizon sum to 1, the baseline's being 1 where no member has skill;
            ``relative_wis`` is empty before there is a record.
    """

    forecasts: QuantileTable
    weights: pd.DataFrame


def combine(members: Forecasts, panel: Panel) -> Combination:
    """Combine members' forecasts, past and present.

    Args:
        members: Forecasts of the members and of the baseline, at every origin there is; past ones give the weights
            of later ones.
        panel: Outcomes; for each origin only targets up to it are used.

    Raises:
        InputError: The baseline is not among the members.
    """
    table = as_table(members)
    present = set(table.keys["model_id"])
    if BASELINE not in present:
        raise InputError(f"the ensemble is measured against {BASELINE}: it must be among its members")
    names = [model_id for model_id in _kinds() if model_id in present]
    places = table.keys[[*_PLACE, "target_end_date"]].drop_duplicates(_PLACE).sort_values(_PLACE, ignore_index=True)
    row_of = pd.MultiIndex.from_frame(places[_PLACE])
    recorded = [*names, *present.intersection([RECENT_VALUES])]
    cubes = {model_id: _align(table, model_id, row_of) for model_id in [BASELINE, *recorded]}
    observed = outcomes_learned_from(places, panel)
    relative, errors = _records(cubes, recorded, places, observed, panel)
    chosen = _choose(relative, errors, names)
    mean, learned = _mean(cubes, names, places, chosen, panel)
    return Combination(_calibrated(mean, panel), _weights(chosen, relative, learned))


def _kinds() -> dict[str, str]:
    """The kind of every model that may take part; recent values weigh against all of them together and are of none."""
    single = {model_id: SINGLE for model_id, model in MODELS.items() if model.member}
    return single | dict.fromkeys(POOLED_MODELS, POOLED) | {BOTTOM_UP: PARTS}


@dataclass(frozen=True)
class _Member:
    """One model aligned to the ensemble's rows: log1p quantiles (NaN where it has none), and its marks."""

    logs: FloatArray
    own: BoolArray
    capped: BoolArray
    history_hash: NDArray[np.object_]


def _align(table: QuantileTable, model_id: str, row_of: pd.MultiIndex) -> _Member:
    mine = table.of_model(model_id)
    rows = row_of.get_indexer(pd.MultiIndex.from_frame(mine.keys[_PLACE]))
    logs = np.full((len(row_of), table.quantiles.shape[1]), np.nan)
    logs[rows] = np.log1p(mine.quantiles)
    own, capped = np.zeros(len(row_of), dtype=bool), np.zeros(len(row_of), dtype=bool)
    history = np.full(len(row_of), "", dtype=object)
    own[rows] = ~mine.keys["fallback"].to_numpy(dtype=bool) if "fallback" in mine.keys else True
    capped[rows] = mine.keys["capped"].to_numpy(dtype=bool) if "capped" in mine.keys else False
    history[rows] = mine.keys["history_hash"].to_numpy() if "history_hash" in mine.keys else ""
    return _Member(logs, own, capped, history)


def reach(horizon: int) -> int:
    """Periods before an origin in which outcomes tell of its members' skill."""
    return max(WINDOW, 2 * horizon)


def _records(
    cubes: dict[str, _Member], names: list[str], places: pd.DataFrame, observed: FloatArray, panel: Panel
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Relative WIS of each member at each origin and horizon, from outcomes known at that origin.

    Returns:
        Relative WIS and its standard error, both with index ``(horizon, origin_date)`` and one column per member; NaN
        where fewer than twelve origins, or than twice the horizon, are scored.
    """
    known = np.isfinite(observed)
    base = wis(observed, cubes[BASELINE].logs)
    blocks = []
    for horizon, rows in places.groupby("horizon", sort=True).indices.items():
        origins = np.unique(places["origin_date"].to_numpy()[rows])
        far = reach(int(str(horizon)))
        too_old = pd.DatetimeIndex([panel.end_before(pd.Timestamp(origin), far) for origin in origins]).to_numpy()
        block = pd.DataFrame(index=pd.MultiIndex.from_product([[horizon], origins], names=["horizon", "origin_date"]))
        for name in names:
            use = rows[known[rows] & cubes[name].own[rows] & np.isfinite(base[rows])]
            known_from = places["target_end_date"].to_numpy()[use]
            ends, group = np.unique(known_from, return_inverse=True)
            own, below = np.zeros(len(ends)), np.zeros(len(ends))
            np.add.at(own, group, wis(observed[use], cubes[name].logs[use]))
            np.add.at(below, group, base[use])
            spans = zip(*(np.searchsorted(ends, dates, side="right") for dates in (too_old, origins)), strict=True)
            judged = [_judge(own[first:last], below[first:last], int(str(horizon))) for first, last in spans]
            block[[name, f"{name} standard error"]] = judged
        blocks.append(block)
    records = pd.concat(blocks)
    return records[names], records[[f"{name} standard error" for name in names]].set_axis(names, axis=1)


def _judge(own: FloatArray, below: FloatArray, horizon: int) -> tuple[float, float]:
    """Relative WIS over the window and its standard error; origins nearer than the horizon count as one."""
    mine, total = own[-WINDOW:], float(below[-WINDOW:].sum())
    if len(below) < max(FEWEST_SCORED, 2 * horizon) or total <= 0:
        return float("nan"), float("nan")
    difference = mine - below[-WINDOW:]
    independent = len(mine) / horizon
    return float(mine.sum()) / total, float(difference.std() / np.sqrt(independent) / (total / len(mine)))


def _choose(relative: pd.DataFrame, errors: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Which members take part at each origin and horizon: boolean, one column per name.

    Two years of forecasts a year ahead are but two outcomes apart: there a ratio above 1 is often mere chance. A
    trusted member leaves only where it is above 1 by more than its standard error; any other takes part only below 1.
    The pooled model stays beside models of single series in any case: there the learned odds say what it is worth.
    """
    chosen = relative[names].le(1.0)
    for name in names:
        if name not in MODELS or MODELS[name].trusted:
            chosen[name] = ~relative[name].gt(1.0 + errors[name])
    beside = chosen[[name for name in names if name in MODELS]].any(axis=1)
    for name in (name for name in names if name in POOLED_MODELS):
        chosen[name] |= beside
    return chosen


@dataclass(frozen=True)
class _Learned:
    """What outcomes taught of kinds of members, for each row of the records.

    Attributes:
        odds: Of the models of single series against the pooled model and the sum of parts.
        recent: Share of recent values in the forecasts, the mean over the series.
    """

    odds: FloatArray
    recent: FloatArray


def _mean(
    cubes: dict[str, _Member], names: list[str], places: pd.DataFrame, chosen: pd.DataFrame, panel: Panel
) -> tuple[QuantileTable, _Learned]:
    """The weighted mean of the kinds, and what was learned of their weights."""
    where = chosen.index.get_indexer(pd.MultiIndex.from_frame(places[["horizon", "origin_date"]]))
    kinds = {kind: (np.zeros_like(cubes[BASELINE].logs), np.zeros(len(places))) for kind in (SINGLE, POOLED, PARTS)}
    capped = np.zeros(len(places), dtype=bool)
    for name in names:
        inside, taking_part = kinds[_kinds()[name]]
        use = chosen[name].to_numpy(dtype=bool)[where] & cubes[name].own
        inside[use] += cubes[name].logs[use]
        taking_part[use] += 1
        capped |= use & cubes[name].capped
    means = {kind: inside / np.maximum(number, 1)[:, None] for kind, (inside, number) in kinds.items()}
    there = {kind: (number > 0).astype(float) for kind, (_, number) in kinds.items()}
    others = there[POOLED] + there[PARTS]

    def mixed(odds: FloatArray | float, rows: NDArray[np.intp]) -> FloatArray:
        share = odds * there[SINGLE][rows] * np.where(there[PARTS][rows] > 0, BESIDE_PARTS, 1.0)
        total = share[:, None] * means[SINGLE][rows] + means[POOLED][rows] + means[PARTS][rows]
        mean: FloatArray = total / np.maximum(share + others[rows], SMALLEST_SHARE)[:, None]
        return mean

    odds, every = learned_odds(places, mixed, (there[SINGLE] > 0) & (others > 0), panel), np.arange(len(places))
    total = mixed(odds, every)
    alone = there[SINGLE] + others == 0
    share = np.zeros(len(places))
    if recent := cubes.get(RECENT_VALUES):
        share = _share_of_recent(recent, mixed(1.0, every), ~alone, places, panel)
        heard = np.flatnonzero(share)
        pool = LinearPool.of(total[heard], recent.logs[heard])
        total[heard] = pool.quantiles(share[heard], np.arange(len(heard)))
    total[alone] = cubes[BASELINE].logs[alone]
    capped[alone] = cubes[BASELINE].capped[alone]
    of_place = np.ones(len(chosen))
    of_place[where] = odds
    shares = np.bincount(where, share, len(chosen)) / np.bincount(where, minlength=len(chosen))
    skilled = chosen.any(axis=1).to_numpy()[where] if names else np.zeros(len(places), dtype=bool)
    keys = places.assign(model_id=ENSEMBLE, model_version=VERSION, history_hash=cubes[BASELINE].history_hash)
    keys["fallback"] = alone
    keys["reason"] = np.where(alone, np.where(skilled, NO_MEMBER, NO_SKILL), "")
    keys["capped"] = capped
    kept: BoolArray = np.asarray(np.isfinite(total).all(axis=1))
    columns = [*KEYS, "model_version", "history_hash", "fallback", "reason", "capped"]
    return QuantileTable(keys[columns], np.expm1(total)).where(kept), _Learned(of_place, shares)


def _share_of_recent(
    recent: _Member, others: FloatArray, beside: BoolArray, places: pd.DataFrame, panel: Panel
) -> FloatArray:
    """Share of recent values in each forecast, learned against the even mean of the others; 0 where none is beside."""
    row, column = panel.places(places["origin_date"], places["series_id"])
    placed = recent.own & beside & (row >= 0) & (column >= 0)
    before = np.where(placed, odds_before_outcomes(panel)[row, column], 0.0)
    heard = np.flatnonzero(before)
    pool = LinearPool.of(others[heard], recent.logs[heard])

    def mixed(odds: FloatArray | float, rows: NDArray[np.intp]) -> FloatArray:
        return pool.quantiles(_share(odds * before[rows]), np.searchsorted(heard, rows))

    return _share(learned_odds(places, mixed, before > 0, panel) * before)


def _share(odds: FloatArray) -> FloatArray:
    return odds / (1.0 + odds)


def _calibrated(combined: QuantileTable, panel: Panel) -> QuantileTable:
    """The same with the spread learned from its past, bounded, near whole counts; a stand-in is bounded only."""
    own: BoolArray = ~combined.keys["fallback"].to_numpy(dtype=bool)
    scaled, factors = calibrate(combined.where(own), panel)
    scaled, _ = calibrate_tails(scaled, panel)
    quantiles, marks = combined.quantiles.copy(), np.ones(len(own))
    dated = panel.end_dates.get_indexer(pd.DatetimeIndex(combined.keys["origin_date"])) >= 0
    record = np.where(dated, np.maximum(highest_before(combined.keys, [panel]), SMALLEST_RECORD), np.inf)
    seasons_ahead = combined.keys["horizon"].to_numpy(dtype=float) / panel.season_length
    quantiles[own] = nearer_the_record(scaled.quantiles, record[own], seasons_ahead[own])
    marks[own] = factors
    highest = MOST_RECORDS * record[:, None]
    capped = combined.keys["capped"].to_numpy(dtype=bool) | (quantiles > highest).any(axis=1)
    quantiles = np.minimum(quantiles, highest)
    quantiles[own] = discretise(QuantileTable(scaled.keys, quantiles[own]), panel).quantiles
    return QuantileTable(combined.keys.assign(spread_factor=marks, capped=capped), quantiles)


def _weights(chosen: pd.DataFrame, relative: pd.DataFrame, learned: _Learned) -> pd.DataFrame:
    names = list(chosen.columns)
    shares = pd.DataFrame(0.0, index=chosen.index, columns=names)
    for kind in (SINGLE, POOLED, PARTS):
        mine = chosen[[name for name in names if _kinds()[name] == kind]]
        shares[mine.columns] = mine.astype(float).div(mine.sum(axis=1).replace(0, np.nan), axis=0).fillna(0.0)
        if kind == SINGLE:
            halved = np.where(chosen.get(BOTTOM_UP, pd.Series(data=False, index=chosen.index)), BESIDE_PARTS, 1.0)
            shares[mine.columns] = shares[mine.columns].mul(learned.odds * halved, axis=0)
    shares = shares.div(shares.sum(axis=1).replace(0.0, np.nan), axis=0).fillna(0.0).mul(1.0 - learned.recent, axis=0)
    if RECENT_VALUES in relative:
        shares[RECENT_VALUES] = learned.recent
    shares[BASELINE] = (~chosen.any(axis=1)).astype(float)
    records = relative.assign(**{BASELINE: 1.0})
    parts = [
        pd.DataFrame({"model_id": name, "weight": shares[name], "relative_wis": records[name]}).reset_index()
        for name in [BASELINE, *relative.columns]
    ]
    weights = pd.concat(parts, ignore_index=True).assign(series_id=ALL)
    weights["origin_date"] = weights["origin_date"].astype("datetime64[ns]")
    columns = ["model_id", "series_id", "origin_date", "horizon", "weight", "relative_wis"]
    return weights[columns].sort_values(["origin_date", "horizon", "model_id"], ignore_index=True)

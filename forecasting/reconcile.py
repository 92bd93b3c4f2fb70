"""Totals that are the sum of their parts in every sample path.

A total is forecast directly, which is sharper than adding up parts whose dependence is only partly known. The parts'
joint paths are then brought in line with it: the path whose parts add up highest gets the total's highest draw, and
its parts move to fit, the large ones most. So the total keeps its own forecast, parts keep their pattern, and they
agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from core import FloatArray
from core.errors import InputError
from forecasting import BOTTOM_UP, ENSEMBLE, LEVELS, NORMAL_SCORES, BoolArray
from forecasting.ensemble import whole_counts
from forecasting.panel import Panel
from forecasting.quantiles import KEYS, PLACE, REACH, QuantileTable, rank_shares, reached, stack, value_at
from forecasting.verification import observed_at
from forecasting.workers import Progress, Workers, run_tasks

BOTTOM_UP_VERSION = "2"
MOST_ORIGINS, FEWEST_ORIGINS = 72, 24
SLICES = 6
"""Values drawn within each rank; a tail of one in a hundred needs some hundreds of draws."""
DECIMALS = 6
"""Ties of whole counts are ties whatever the last bits of a sum: else these would decide an order."""


@dataclass(frozen=True)
class Cube:
    """Forecasts of one model at one horizon: log1p quantiles and ranks of outcomes by origin and series."""

    origins: pd.DatetimeIndex
    target_ends: pd.DatetimeIndex
    logs: FloatArray
    ranks: FloatArray
    """Where outcomes fell, between 0 and 1; NaN where there is no forecast or no outcome."""
    panel: Panel

    def known_at(self, origin: pd.Timestamp) -> NDArray[np.intp]:
        """Rows of ``ranks`` with the outcomes of the 72 periods up to an origin.

        None, where more series have been seen than forecasts are learned from (:meth:`Panel.judged`).
        """
        row = int(self.panel.end_dates.searchsorted(origin))
        if not self.panel.judged[row]:
            return np.empty(0, dtype=np.intp)
        oldest = self.panel.end_dates[max(row - MOST_ORIGINS, 0)]
        past = np.flatnonzero((self.target_ends <= origin) & (self.target_ends > oldest))
        return past[np.isfinite(self.ranks[past]).any(axis=1)]


def sum_of_parts(
    parts: QuantileTable,
    panel: Panel,
    column: str,
    wanted: pd.DatetimeIndex,
    past: QuantileTable | None = None,
    workers: Workers = 1,
) -> QuantileTable:
    """Forecast the totals by a grouping column.

    Args:
        parts: Forecasts of one model for the panel's series, at the wanted origins and before them.
        panel: The parts with their groupings, and the outcomes.
        column: Grouping column.
        wanted: Origins at which totals are forecast.
        past: Where some of the parts' forecasts are another model's, which stands in: those from whose outcomes
            dependence is learned.
        workers: As of :func:`forecasting.workers.run_tasks`.

    Returns:
        Rows of ``vigie-bottom-up``. There is none where a part that was observed within the last two seasons has no
        forecast, nor before 24 past origins have known outcomes.
    """
    group, names = pd.factorize(panel.groups.loc[panel.series_ids, column].astype(str), sort=True)
    membership = np.zeros((len(names), len(group)))
    membership[group, np.arange(len(group))] = 1.0
    both = parts, past or parts
    tables = [[one.where(one.keys["horizon"] == step) for one in both] for step in np.unique(parts.keys["horizon"])]
    run = partial(_one_horizon, panel, membership, list(names), wanted)
    made = stack([_table([], []), *run_tasks(run, tables, workers=workers, is_small=True)])
    keys = made.keys.assign(model_version=BOTTOM_UP_VERSION, history_hash="", fallback=False, reason="", capped=False)
    return QuantileTable(keys, made.quantiles)


def shuffled_draws(logs: FloatArray, ranks: FloatArray) -> FloatArray:
    """Draws of every part, put together as past ranks were.

    Args:
        logs: The parts' log1p quantiles at one origin, shape ``(parts, 23)``.
        ranks: Past ranks, shape ``(origins, parts)``; a missing one counts as the middle.

    Returns:
        Counts, shape ``(parts, draws)``, with ``SLICES`` draws per past origin.
    """
    count = len(ranks)
    known = np.round(np.where(np.isfinite(ranks), ranks, 0.5), DECIMALS)
    order = np.argsort(np.argsort(known, axis=0, kind="stable"), axis=0)
    # Within a rank the slices are taken in another order by every part: there they are independent.
    turns = np.argsort(np.random.default_rng(count).random((SLICES, logs.shape[0])), axis=0)
    places = order[None] * SLICES + turns[:, None, :]
    scores = ndtri((np.arange(count * SLICES) + 0.5) / (count * SLICES))
    values = np.maximum(np.expm1([np.interp(scores, REACH, line) for line in reached(logs)]), 0.0)
    return np.take_along_axis(values, places.reshape(-1, logs.shape[0]).T, axis=1)


def _one_horizon(
    panel: Panel, membership: FloatArray, names: list[str], wanted: pd.DatetimeIndex, tables: list[QuantileTable]
) -> QuantileTable:
    horizon = int(tables[0].keys["horizon"].iloc[0])
    cube, learned = (cube_of(one, panel) for one in tables)
    alive = _alive(panel, cube.origins)
    keys, values = [], []
    for place, (origin, end) in enumerate(zip(cube.origins, cube.target_ends, strict=True)):
        if origin not in wanted:
            continue
        known = learned.known_at(origin)
        here: BoolArray = np.isfinite(cube.logs[place, :, 0])
        missing = membership @ (alive[place] & ~here).astype(float)
        usable = np.flatnonzero((missing == 0) & (membership @ here.astype(float) > 0))
        if len(known) < FEWEST_ORIGINS or len(usable) == 0:
            continue
        ranks = learned.ranks[np.ix_(known, np.flatnonzero(here))]
        sums = membership[np.ix_(usable, here)] @ shuffled_draws(cube.logs[place, here], ranks)
        keys += [(BOTTOM_UP, names[at], origin, horizon, end) for at in usable]
        values.append(np.quantile(sums, LEVELS, axis=1, method="hazen").T)
    return _table(keys, values)


def _table(keys: list[tuple[str, str, pd.Timestamp, int, pd.Timestamp]], values: list[FloatArray]) -> QuantileTable:
    return QuantileTable(pd.DataFrame(keys, columns=KEYS), np.concatenate([*values, np.empty((0, len(LEVELS)))]))


def cube_of(table: QuantileTable, panel: Panel) -> Cube:
    """Arrange forecasts of one model and horizon by origin and series of a panel."""
    origins, first = np.unique(table.keys["origin_date"].to_numpy(), return_inverse=True)
    second = pd.Index(panel.series_ids).get_indexer(pd.Index(table.keys["series_id"]))
    logs = np.full((len(origins), len(panel.series_ids), len(LEVELS)), np.nan)
    logs[first, second] = np.log1p(table.quantiles)
    ranks = np.full(logs.shape[:2], np.nan)
    ranks[first, second] = ranks_of(np.log1p(observed_at(table.keys, panel)), logs[first, second])
    ends = np.empty(len(origins), dtype="datetime64[ns]")
    ends[first] = table.keys["target_end_date"].to_numpy()
    return Cube(pd.DatetimeIndex(origins), pd.DatetimeIndex(ends), logs, ranks, panel)


def _alive(panel: Panel, origins: pd.DatetimeIndex) -> BoolArray:
    """Which series had a value within the two seasons up to each origin, shape ``(origins, series)``."""
    counted = panel.matrix.notna().to_numpy().cumsum(axis=0)
    counted[2 * panel.season_length :] -= counted[: -2 * panel.season_length].copy()
    return np.asarray(counted[panel.end_dates.get_indexer(origins)] > 0)


def ranks_of(observed: FloatArray, logs: FloatArray) -> FloatArray:
    """Place of each outcome in its forecast, between 0 and 1, NaN where unknown; the middle where quantiles tie.

    Args:
        observed: log1p outcomes, shape ``(n,)``.
        logs: log1p quantiles, shape ``(n, 23)``.
    """
    last = len(LEVELS) - 1
    below = (logs < observed[:, None]).sum(axis=1)
    upto = (logs <= observed[:, None]).sum(axis=1)
    left = np.clip(below - 1, 0, last - 1)
    low, high = (np.take_along_axis(logs, (left + more)[:, None], axis=1)[:, 0] for more in (0, 1))
    apart = np.where(high > low, high - low, 1.0)
    share = np.where(high > low, np.clip((observed - low) / apart, -3.0, 3.0), 0.5)
    inside = ndtr(NORMAL_SCORES[left] + share * (NORMAL_SCORES[left + 1] - NORMAL_SCORES[left]))
    lowest = np.where(below == 0, 0.0, LEVELS[np.clip(below, 0, last)])
    highest = np.where(upto > last, 1.0, LEVELS[np.clip(upto - 1, 0, last)])
    ranks = np.where(upto - below > 1, (lowest + highest) / 2, inside)
    return np.where(np.isfinite(observed), ranks, np.nan)


LARGEST_STEP, SMALLEST_STEP, MOST_ROUNDS = 20.0, 1e-9, 60
"""Log change of the largest part that is looked for, how near to it is near enough, and the rounds that it may take."""
SMALLEST_SUM = 1e-9
WORTH_PROCESSES = 100_000
"""Forecasts of parts below which starting processes takes longer than it saves: some ten seconds of one core."""


def totals_panel(panel: Panel, column: str) -> Panel:
    """The sums by a grouping column, as series named by the group on the same calendar.

    A grouping that all parts share holds for them too. A period in which no part of a group is observed is a gap; a
    part that is missing elsewhere adds nothing.

    Raises:
        InputError: There is no such column, a series has no group, or a group is named like a series.
    """
    if column not in panel.groups.columns:
        raise InputError(f"--totals {column}: the panel has no such column; found {list(panel.groups.columns)}")
    group = panel.groups.loc[panel.series_ids, column].astype(str)
    if (group.str.strip() == "").any():
        raise InputError(f"--totals {column}: series '{group.index[group.str.strip() == ''][0]}' has no {column}")
    if clash := sorted(set(group) & set(panel.series_ids)):
        raise InputError(f"--totals {column}: a total and a series are both named '{clash[0]}'")
    matrix = panel.matrix.T.groupby(group.to_numpy()).sum(min_count=1).T.rename_axis(columns="series_id")
    shared = {name: one.iloc[0] for name, one in panel.groups.items() if one.eq(one.iloc[0]).all()}
    return Panel(panel.freq, matrix, pd.DataFrame(shared, index=matrix.columns))


def reconcile(
    parts: QuantileTable,
    totals: QuantileTable,
    panel: Panel,
    column: str,
    *,
    past: QuantileTable,
    workers: Workers = 1,
    progress: Progress | None = None,
) -> QuantileTable:
    """Bring the parts' forecasts in line with the totals', model by model, origin by origin, horizon by horizon.

    Args:
        parts: Forecasts of the panel's own series.
        totals: Forecasts of the groups, same models and horizons. A part whose origin differs from its total's
            (it was published later or earlier) stays as it is.
        panel: The parts, with their groupings.
        column: Grouping column.
        past: Past forecasts of the parts by one model, from whose outcomes their dependence is learned for all: only
            those known at an origin. Before there are 24 such origins the parts count as independent.
        workers: As of :func:`forecasting.workers.run_tasks`; what is soon done is done here.
        progress: Called after every model and horizon.

    Returns:
        The parts with reconciled quantiles, and their keys as they were. The ensemble's are whole counts again.
    """
    above = totals.keys[["model_id", *PLACE]]
    of_total = dict(zip(above.itertuples(index=False, name=None), totals.quantiles, strict=True))
    group = parts.keys["series_id"].map(panel.groups[column].astype(str)).to_numpy()
    columns = pd.Index(panel.series_ids).get_indexer(pd.Index(parts.keys["series_id"]))
    steps = parts.keys["horizon"].unique()
    learned = {horizon: cube_of(past.where(past.keys["horizon"] == horizon), panel) for horizon in steps}
    indices = parts.keys.groupby(["model_id", "horizon"], sort=False).indices
    blocks = [(cast(tuple[str, int], key), np.asarray(rows)) for key, rows in indices.items()]
    tasks = []
    for (model_id, horizon), rows in blocks:
        cube, origins = learned[horizon], []
        for date, inside in parts.keys.iloc[rows].groupby("origin_date", sort=True).indices.items():
            origin, here = pd.Timestamp(str(date)), np.asarray(inside)
            totals_here = {
                name: of_total[place]
                for name in np.unique(group[rows[here]])
                if (place := (model_id, name, origin, horizon)) in of_total
            }
            origins.append((here, cube.known_at(origin), totals_here))
        tasks.append(_Block(parts.quantiles[rows], group[rows], columns[rows], cube.ranks, origins))
    soon = len(parts.keys) < WORTH_PROCESSES
    quantiles = np.empty_like(parts.quantiles)
    done = run_tasks(_Block.agreed, tasks, workers=1 if soon else workers, progress=progress)
    for (_key, rows), agreed in zip(blocks, done, strict=True):
        quantiles[rows] = agreed
    of_ensemble = (parts.keys["model_id"] == ENSEMBLE).to_numpy()[:, None]
    moved = QuantileTable(parts.keys, quantiles)
    return QuantileTable(parts.keys, np.where(of_ensemble, whole_counts(moved, panel).quantiles, quantiles))


@dataclass(frozen=True)
class _Block:
    """One model's forecasts of the parts at one horizon, and what brings them in line.

    Attributes:
        quantiles: Shape ``(forecasts, 23)``.
        group: The total that each forecast's series is part of.
        columns: Place of its series in the panel.
        ranks: Of past outcomes, origins × the panel's series.
        origins: By origin its forecasts, the past origins whose outcomes were known, and quantiles of its totals.
    """

    quantiles: FloatArray
    group: NDArray[np.object_]
    columns: NDArray[np.intp]
    ranks: FloatArray
    origins: list[tuple[NDArray[np.intp], NDArray[np.intp], dict[str, FloatArray]]]

    def agreed(self) -> FloatArray:
        """The forecasts in line with their totals; same shape."""
        quantiles = self.quantiles.copy()
        for here, known, totals in self.origins:
            ranks = self.ranks[np.ix_(known, self.columns[here])]
            if len(known) < FEWEST_ORIGINS:
                ranks = np.random.default_rng(0).random((MOST_ORIGINS, len(here)))
            draws = shuffled_draws(np.log1p(self.quantiles[here]), ranks)
            for name, total in totals.items():
                mine = self.group[here] == name
                coherent = coherent_paths(draws[mine], total)
                quantiles[here[mine]] = np.quantile(coherent, LEVELS, axis=1, method="hazen").T
        return quantiles


def coherent_paths(paths: FloatArray, total: FloatArray) -> FloatArray:
    """Change parts' paths so that their sum follows the total's quantiles.

    In each path every part's logarithm moves in proportion to the part itself: of all changes that give the wanted sum
    these have (to first order) the smallest sum of squares on log scale. So large parts, of whose doubt the total's is
    made, take the change, and small ones keep their own forecast. Scaling all parts alike was worse on log1p scale at
    every horizon; sharing the difference out by variance (minimum trace) was worse still, driving small parts to zero.

    Args:
        paths: Parts, shape ``(parts, n)``.
        total: The total's 23 quantiles.

    Returns:
        Same shape. Where a path is zero in every part its total is spread in the proportion of the parts' means.
    """
    count = len(paths)
    sums = paths.sum(axis=0)
    wanted = value_at(rank_shares(np.round(sums, DECIMALS)), total)
    means = paths.mean(axis=1)
    shares = means / means.sum() if means.sum() > 0 else np.full(count, 1 / count)
    empty = sums == 0
    changed = _moved(paths[:, ~empty], wanted[~empty])
    coherent = np.empty_like(paths)
    coherent[:, ~empty] = changed
    coherent[:, empty] = shares[:, None] * wanted[empty]
    return coherent


def _moved(paths: FloatArray, wanted: FloatArray) -> FloatArray:
    """Paths, none of them zero in every part, times ``exp(step * part / largest part)`` with the step that fits.

    The logarithm of the sum is convex in the step, so Newton's method finds it from anywhere and is there in a few
    rounds; what a bounded step leaves over is shared out in proportion.
    """
    weights = paths / paths.max(axis=0, initial=0.0)
    step, aim = np.zeros(len(wanted)), np.log(np.maximum(wanted, SMALLEST_SUM))
    for _round in range(MOST_ROUNDS):
        moved = paths * np.exp(step * weights)
        sums = moved.sum(axis=0)
        away = np.log(sums) - aim
        slope = (weights * moved).sum(axis=0) / sums
        further = np.clip(step - away / slope, -LARGEST_STEP, LARGEST_STEP)
        if np.abs(further - step).max(initial=0.0) < SMALLEST_STEP:
            break
        step = further
    return np.asarray(moved * (wanted / sums))

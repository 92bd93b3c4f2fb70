"""``vigie-bottom-up``: totals as the sum of their parts' forecasts, put together as past outcomes fell together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from core import FloatArray
from forecasting import BOTTOM_UP, LEVELS, NORMAL_SCORES, BoolArray
from forecasting.panel import Panel
from forecasting.quantiles import KEYS, REACH, QuantileTable, reached, stack
from forecasting.verification import observed_at

VERSION = "2"
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
        if not self.panel.judged()[self.panel.end_dates.get_loc(origin)]:
            return np.empty(0, dtype=np.intp)
        oldest = self.panel.end_before(origin, MOST_ORIGINS)
        past = np.flatnonzero((self.target_ends <= origin) & (self.target_ends > oldest))
        return past[np.isfinite(self.ranks[past]).any(axis=1)]


def sum_of_parts(
    parts: QuantileTable, panel: Panel, column: str, wanted: pd.DatetimeIndex, past: QuantileTable | None = None
) -> QuantileTable:
    """Forecast the totals by a grouping column.

    Args:
        parts: Forecasts of one model for the panel's series, at the wanted origins and before them.
        panel: The parts with their groupings, and the outcomes.
        column: Grouping column.
        wanted: Origins at which totals are forecast.
        past: Where some of the parts' forecasts are another model's, which stands in: those from whose outcomes
            dependence is learned.

    Returns:
        Rows of ``vigie-bottom-up``. There is none where a part that was observed within the last two seasons has no
        forecast, nor before 24 past origins have known outcomes.
    """
    group, names = pd.factorize(panel.groups.loc[panel.series_ids, column].astype(str), sort=True)
    membership = np.zeros((len(names), len(group)))
    membership[group, np.arange(len(group))] = 1.0
    steps = parts.keys["horizon"].to_numpy()
    blocks = [
        _one_horizon(parts, past or parts, int(horizon), panel, membership, list(names), wanted)
        for horizon in np.unique(steps)
    ]
    made = stack([_table([], []), *blocks])
    keys = made.keys.assign(model_version=VERSION, history_hash="", fallback=False, reason="", capped=False)
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
    grid = (np.arange(count * SLICES) + 0.5) / (count * SLICES)
    scores = ndtri(grid)
    values = np.maximum(np.expm1([np.interp(scores, REACH, line) for line in reached(logs)]), 0.0)
    return np.take_along_axis(values, places.reshape(-1, logs.shape[0]).T, axis=1)


def _one_horizon(
    parts: QuantileTable,
    past: QuantileTable,
    horizon: int,
    panel: Panel,
    membership: FloatArray,
    names: list[str],
    wanted: pd.DatetimeIndex,
) -> QuantileTable:
    cube, learned = (cube_of(one.where(one.keys["horizon"] == horizon), panel) for one in (parts, past))
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
    counted = panel.matrix.notna().rolling(2 * panel.season_length, min_periods=1).sum().to_numpy()
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

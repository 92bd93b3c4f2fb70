"""Between hubverse rows and matrices: one row of a matrix is one forecast at the 23 levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from core import FloatArray
from core.errors import SchemaError
from forecasting import LEVELS, NORMAL_SCORES, BoolArray

PLACE = ["series_id", "origin_date", "horizon"]
"""What models are compared on."""
KEYS = ["model_id", *PLACE, "target_end_date"]
FLAGS = ["model_version", "history_hash", "fallback", "reason", "capped", "spread_factor"]
"""What the engine adds to hubverse columns: which code and which history made a forecast, how it was kept safe,
and by what the ensemble's spread was multiplied."""

_FAR = 40.0
REACH: FloatArray = np.concatenate([[NORMAL_SCORES[0] - _FAR], NORMAL_SCORES, [NORMAL_SCORES[-1] + _FAR]])
"""Normal scores between which quantiles lie on lines: the outermost ones go on beyond the levels."""


@dataclass(frozen=True)
class QuantileTable:
    """Forecasts as a matrix.

    Attributes:
        keys: One row per forecast: ``KEYS``, then whatever marks the frame held.
        quantiles: Quantiles in counts, shape ``(len(keys), 23)``.
    """

    keys: pd.DataFrame
    quantiles: FloatArray

    def where(self, mask: BoolArray | pd.Series) -> QuantileTable:
        """Only the rows where ``mask`` is true."""
        chosen = np.asarray(mask, dtype=bool)
        return QuantileTable(self.keys[chosen].reset_index(drop=True), self.quantiles[chosen])

    def of_model(self, model_id: str) -> QuantileTable:
        """Only one model's rows."""
        return self.where(self.keys["model_id"] == model_id)


def stack(tables: Sequence[QuantileTable]) -> QuantileTable:
    """Several tables as one; a mark that only some have is empty in the others."""
    some = [table for table in tables if len(table.keys)] or list(tables[:1])
    keys = pd.concat([table.keys for table in some], ignore_index=True)
    return QuantileTable(keys, np.concatenate([table.quantiles for table in some]))


def is_among(rows: pd.DataFrame, others: pd.DataFrame, columns: list[str]) -> BoolArray:
    """Whether each row has the values of any other row in some columns."""
    there = pd.MultiIndex.from_frame(others[columns].drop_duplicates())
    return np.asarray(pd.MultiIndex.from_frame(rows[columns]).isin(there))


Forecasts = pd.DataFrame | QuantileTable
"""Hubverse quantile rows, or the same as a matrix."""


def to_matrix(forecasts: Forecasts) -> QuantileTable:
    """Turn hubverse quantile rows, in any order, into one matrix row per forecast; a matrix stays as it is.

    Raises:
        SchemaError: A forecast lacks one of the 23 levels, or has one twice.
    """
    if isinstance(forecasts, QuantileTable):
        return forecasts
    rows = forecasts[forecasts["output_type"] == "quantile"]
    if not _in_blocks(rows):
        rows = rows.sort_values([*KEYS, "output_type_id"], ignore_index=True)
    if not _in_blocks(rows):
        raise SchemaError(f"forecasts: each of them needs the {len(LEVELS)} quantile levels once")
    columns = [column for column in [*KEYS, *FLAGS] if column in rows.columns]
    keys = rows[columns].iloc[:: len(LEVELS)].reset_index(drop=True)
    return QuantileTable(keys, rows["value"].to_numpy(dtype=float).reshape(-1, len(LEVELS)))


def _in_blocks(rows: pd.DataFrame) -> bool:
    """Whether every 23 rows are one forecast at the 23 levels, ascending."""
    if len(rows) % len(LEVELS):
        return False
    levels = rows["output_type_id"].to_numpy(dtype=float).reshape(-1, len(LEVELS))
    if not np.allclose(levels, LEVELS, atol=1e-6):
        return False
    blocks = [rows[column].to_numpy().reshape(-1, len(LEVELS)) for column in KEYS]
    return all(bool((block == block[:, :1]).all()) for block in blocks)


def to_rows(table: QuantileTable) -> pd.DataFrame:
    """Turn a matrix back into hubverse rows, forecast by forecast, levels ascending."""
    count = len(LEVELS)
    rows = table.keys.loc[table.keys.index.repeat(count)].reset_index(drop=True)
    rows.insert(len(KEYS), "output_type", "quantile")
    rows.insert(len(KEYS) + 1, "output_type_id", np.tile(LEVELS, len(table.keys)))
    rows.insert(len(KEYS) + 2, "value", table.quantiles.reshape(-1))
    return rows


BLOCK = 5_000
"""Forecasts whose rows are written at a time."""


def row_blocks(table: QuantileTable, forecasts: int = BLOCK) -> Iterator[pd.DataFrame]:
    """The rows of :func:`to_rows` in blocks of ``forecasts`` forecasts, so that a large table is never held whole."""
    for start in range(0, max(len(table.keys), 1), forecasts):
        part = slice(start, start + forecasts)
        yield to_rows(QuantileTable(table.keys.iloc[part].reset_index(drop=True), table.quantiles[part]))


def value_at(probabilities: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Values at any probabilities of one forecast, in counts.

    Between the levels the log1p quantile is linear in the normal score; beyond .01 and .99 it goes on with the slope
    of the outermost pair, so that tails are as long as the forecast's own and no longer. Never negative.

    Args:
        probabilities: Between 0 and 1, any shape.
        quantiles: The 23 quantiles in counts, ascending.
    """
    return np.asarray(np.maximum(np.expm1(np.interp(ndtri(probabilities), REACH, reached(np.log1p(quantiles)))), 0.0))


def reached(logs: FloatArray) -> FloatArray:
    """log1p values at the normal scores ``REACH``, from those at the 23 levels; shapes ``(…, 25)`` and ``(…, 23)``."""
    slopes = (logs[..., [1, -1]] - logs[..., [0, -2]]) / (NORMAL_SCORES[[1, -1]] - NORMAL_SCORES[[0, -2]])
    ends = logs[..., [0, -1]] + np.asarray([-_FAR, _FAR]) * slopes
    return np.concatenate([ends[..., :1], logs, ends[..., 1:]], axis=-1)


def rank_shares(values: FloatArray) -> FloatArray:
    """Return each value's rank along the first axis as a probability; equal values rank in their order.

    ``scipy.stats``, which has ranks too, takes half a second to load.
    """
    return np.asarray((np.argsort(np.argsort(values, axis=0, kind="stable"), axis=0) + 0.5) / len(values))


def probability_at(values: FloatArray, quantiles: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Chance of less than each value and of at most it: the two ends of its PIT.

    They differ where quantiles tie, for example at zero: then the outcome had that much probability by itself.

    Args:
        values: Counts, shape ``(n,)``.
        quantiles: The 23 quantiles in counts of each one's forecast, ``(n, 23)``, or of one forecast, ``(23,)``.

    Returns:
        Both in shape ``(n,)``.
    """
    lines = np.broadcast_to(np.log1p(quantiles), (len(values), len(LEVELS)))
    at = np.log1p(values)[:, None]
    tied = np.abs(lines - at) <= 1e-12
    several = tied.sum(axis=1) > 1
    first, last = tied.argmax(axis=1), len(LEVELS) - 1 - tied[:, ::-1].argmax(axis=1)
    left = np.clip((lines <= at).sum(axis=1) - 1, 0, len(LEVELS) - 2)[:, None]
    before, after = (np.take_along_axis(lines, left + step, axis=1) for step in (0, 1))
    low, high = NORMAL_SCORES[left], NORMAL_SCORES[left + 1]
    with np.errstate(all="ignore"):  # an outer pair may tie: beyond it there is no chance
        score = low + (at - before) * (high - low) / (after - before)
    chance = np.where(after > before, ndtr(score), np.where(at < before, 0.0, 1.0))[:, 0]
    return (
        np.where(several, np.where(first == 0, 0.0, LEVELS[first]), chance),
        np.where(several, np.where(last == len(LEVELS) - 1, 1.0, LEVELS[last]), chance),
    )

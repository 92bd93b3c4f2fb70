"""Stored figures as numbers: which row is which figure, and which row of each figure is the newest on a day.

Texts are read as dictionary codes and compared as integers, so that millions of rows are searched in less than a
second. Files are written in the order of :func:`in_order`; rows that already lie in it are not sorted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from core.release import OBSERVATIONS

Numbers = NDArray[np.int64]
Marks = NDArray[np.bool_]
COLUMNS = list(OBSERVATIONS.columns)
FIGURE = ["source_id", "series_id", "time_period"]
STORED_AT = "stored_at"
"""When a row was written: of two values a source published on one day, the later stored one holds."""
TEXTS = ("source_id", "series_id", "target", "route_id", "geo", "citizen", "freq", "time_period", "obs_flag")
LAST_DAY = pd.Timestamp("2262-01-01")
"""About the last day that a nanosecond timestamp can hold."""
_DAY_BITS = 17
"""Days from 1970 to 2262 fit into 17 bits."""


@dataclass(frozen=True)
class Figures:
    """Rows of the vintages, ordered by figure, day of knowledge and time of storing.

    Attributes:
        table: The rows as stored, texts as dictionary codes.
        order: Row of ``table`` at each place of the order.
        figure: Number of the figure at each place; equal for rows of one source, series and period, and rising.
        day: ``as_of`` at each place, in days since 1970.
    """

    table: pa.Table
    order: Numbers
    figure: Numbers
    day: Numbers

    def newest(self, day: int) -> Numbers:
        """Rows of the table that held at the end of a day: of each figure the newest, withdrawn ones left out."""
        places = self._last_until(day)
        rows = self.order[places]
        values: Numbers = rows[np.isfinite(self.column("obs_value", rows))]
        return values

    def states(self, days: Sequence[int]) -> pd.DataFrame:
        """Each figure's row at the end of several days.

        Returns:
            Index: number of the figure, those known on any of the days. One column per day: a row of the table,
            -1 where the figure was not known yet.
        """
        columns = {}
        for day in days:
            places = self._last_until(day)
            columns[day] = pd.Series(self.order[places], index=self.figure[places])
        return pd.DataFrame(columns).fillna(-1).astype("int64")

    def column(self, name: str, rows: Numbers | None = None) -> NDArray[np.generic]:
        """A column's values at some rows of the table (all by default); texts as Python strings."""
        column = _one_chunk(self.table[name])
        if isinstance(column, pa.DictionaryArray):
            codes = column.indices.to_numpy(zero_copy_only=False)
            texts = column.dictionary.to_numpy(zero_copy_only=False).astype(object)
            count = len(codes) if rows is None else len(rows)
            taken: NDArray[np.generic] = (
                np.broadcast_to(texts, count).copy()  # np.full takes fifty times as long for objects
                if len(texts) == 1
                else texts.take(codes if rows is None else codes[rows])
            )
            return taken
        values: NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
        return values if rows is None else values[rows]

    def ranks(self, name: str, rows: Numbers) -> Numbers:
        """A text column at some rows, each text as its rank among the column's texts."""
        return _ranks(self.table[name])[0][rows]

    def frame(self, rows: Numbers, columns: Sequence[str]) -> pd.DataFrame:
        """Some rows as a frame, texts as Python strings."""
        values = {name: self.column(name, rows) for name in columns}
        return pd.DataFrame(values, copy=False)

    def _last_until(self, day: int) -> Numbers:
        """Places of the last row of each figure among those known by a day."""
        places = np.flatnonzero(self.day <= day)
        figure = self.figure[places]
        last = np.ones(len(places), dtype=bool)
        last[:-1] = figure[1:] != figure[:-1]
        found: Numbers = places[last]
        return found


def number_figures(tables: Sequence[pa.Table]) -> Figures:
    """Order the rows of several tables, each of them with the columns of observations and ``stored_at``.

    Args:
        tables: At least one. Of rows with the same figure and day, those of a later table count as stored later, so
            the tables of a source are given in the order in which they were stored.
    """
    table = pa.concat_tables(tables, promote_options="default").unify_dictionaries()
    figure = np.zeros(len(table), dtype=np.int64)
    for name in FIGURE:
        codes, count = _ranks(table[name])
        figure *= count
        figure += codes
    day = _one_chunk(table["as_of"]).to_numpy(zero_copy_only=False).astype("datetime64[D]").astype(np.int64)
    key = (figure << _DAY_BITS) + day
    if bool((key[1:] >= key[:-1]).all()):
        return Figures(table, np.arange(len(table)), figure, day)
    # A stable sort finds the ordered runs that the files are, and merges them.
    order = np.argsort(key, kind="stable")
    return Figures(table, order, figure[order], day[order])


def day_number(date: pd.Timestamp) -> int:
    """Days since 1970."""
    return int(min(date, LAST_DAY).to_datetime64().astype("datetime64[D]").astype(np.int64))


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of one source in the order in which files keep them: by series, period, day and time of storing."""
    order = ["series_id", "time_period", "as_of", *([STORED_AT] if STORED_AT in frame else [])]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def _ranks(column: pa.ChunkedArray) -> tuple[Numbers, int]:
    """Each row's text as its rank among the column's texts, and the number of texts."""
    coded = _one_chunk(column)
    texts = coded.dictionary.to_numpy(zero_copy_only=False).astype(object)
    ranks = np.empty(len(texts), dtype=np.int64)
    ranks[np.argsort(texts, kind="stable")] = np.arange(len(texts))
    return ranks[coded.indices.to_numpy(zero_copy_only=False)], len(texts)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()

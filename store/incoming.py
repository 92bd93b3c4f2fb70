"""What a source's file adds to what is stored of it: new figures, revisions, withdrawals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa

from core.calendar import Frequency, end_dates
from store.figures import COLUMNS, STORED_AT, TEXTS, Marks, Numbers, day_number, number_figures


@dataclass(frozen=True)
class _Rows:
    """Rows as numbers, ordered by figure and day of knowledge.

    Attributes:
        row: Place in the table they come from.
        figure: Number of the figure.
        day: ``as_of``, days since 1970.
        content: Number of figure, value and flag together.
        missing: True where the row has no value: a withdrawal.
    """

    row: Numbers
    figure: Numbers
    day: Numbers
    content: Numbers
    missing: Marks

    def where(self, mask: Marks) -> _Rows:
        return _Rows(*(getattr(self, name)[mask] for name in ("row", "figure", "day", "content", "missing")))


def news(rows: pd.DataFrame, known: list[pa.Table], received: pd.Timestamp, *, complete: bool) -> pd.DataFrame:
    """The rows of one source that add something to what is known of it, each with the day it is known from.

    Args:
        rows: Observations of one source.
        known: What is stored of it, in the order of storing.
        received: Day to which an estimated revision is dated.
        complete: See :meth:`store.vintages.VintageStore.append`.

    Returns:
        Columns of ``core.release.OBSERVATIONS``; a withdrawal has no ``obs_value``.
    """
    table = _to_table(rows)
    figures = number_figures([*known, table])
    stored = len(figures.table) - len(table)
    both = _as_rows(figures.table, figures.order, figures.figure, figures.day)
    is_new = both.row >= stored
    old, new = both.where(~is_new), both.where(is_new)
    estimated = rows["as_of_estimated"].to_numpy(dtype=bool)

    gone = _withdrawn(rows, figures.table, old, new) if complete and not estimated.any() else np.empty(0, np.int64)
    # What was taken in under a clock that was ahead is not known yet, and must not stand in the way of what is.
    believed = old.where(old.day <= max(day_number(received), new.day.max(initial=0)))
    new = new.where(~_recorded(new, believed, estimated[new.row - stored]))
    guessed = estimated[new.row - stored]
    late = guessed & _is_in(new.figure, old.figure)
    early = guessed & ~late & _is_early(rows, new, stored, received)
    day = np.where(late, np.maximum(new.day, day_number(received)), new.day)
    day = np.where(early, day_number(received), day)
    here = late | early
    kept = _telling(old, _Rows(new.row, new.figure, day, new.content, new.missing), stored)

    found = rows.iloc[new.row[kept] - stored].reset_index(drop=True)
    redated = pd.Series(pd.to_datetime(day[kept], unit="D").astype("datetime64[ns]"))
    found["as_of"] = redated.where(here[kept], found["as_of"].dt.normalize())
    found["as_of_estimated"] = (guessed & ~here)[kept]
    if not len(gone):
        return found
    lost = figures.frame(gone, COLUMNS)
    lost = lost.assign(obs_value=np.nan, obs_flag="", as_of=rows["as_of"].iloc[0].normalize(), as_of_estimated=False)
    return pd.concat([found, lost], ignore_index=True) if len(found) else lost


def _to_table(rows: pd.DataFrame) -> pa.Table:
    """Rows as an Arrow table with the types of the stored ones."""
    kinds = {"obs_value": pa.float64(), "as_of": pa.timestamp("ns"), "as_of_estimated": pa.bool_()}
    columns = {
        name: pa.array(rows[name], pa.string()).dictionary_encode()
        if name in TEXTS
        else pa.array(rows[name].to_numpy(), safe=False).cast(kinds[name])
        for name in COLUMNS
    }
    stored_at = pa.array(np.zeros(len(rows), dtype="datetime64[ns]"))
    return pa.table({**columns, STORED_AT: stored_at})


def _as_rows(table: pa.Table, order: Numbers, figure: Numbers, day: Numbers) -> _Rows:
    values = table["obs_value"].to_numpy()[order]
    flags = table["obs_flag"].combine_chunks()
    flag = flags.indices.to_numpy(zero_copy_only=False)[order].astype(np.int64)
    value, distinct = pd.factorize(values)
    # factorize numbers a missing value -1; a withdrawal is a content of its own.
    content = (figure * len(flags.dictionary) + flag) * (len(distinct) + 1) + value + 1
    return _Rows(order, figure, day, content, np.isnan(values))


def _recorded(new: _Rows, old: _Rows, estimated: Marks) -> Marks:
    """True where a row repeats what is recorded: same day and content, or same content where the day is estimated."""
    numbers, _ = pd.factorize(np.concatenate([old.content, new.content]))
    days = np.concatenate([old.day, new.day])
    dated = (numbers.astype(np.int64) << 17) + days
    exact = _is_in(dated[len(old.row) :], dated[: len(old.row)])
    return exact | (estimated & _is_in(new.content, old.content))


def _is_early(rows: pd.DataFrame, new: _Rows, stored: int, received: pd.Timestamp) -> Marks:
    """True where the figure of a period that is over is here before its day: its publisher was early this time."""
    early = np.asarray(new.day > day_number(received))
    told = rows.iloc[new.row[early] - stored].reset_index(drop=True)
    ends = [end_dates(some["time_period"], cast(Frequency, freq)) for freq, some in told.groupby("freq", observed=True)]
    if ends:
        early[early] = (pd.concat(ends).sort_index() < received).to_numpy()
    return early


def _telling(old: _Rows, new: _Rows, stored: int) -> Marks:
    """True, for each new row, where its content differs from what was known before it of its figure."""
    figure, day = np.concatenate([old.figure, new.figure]), np.concatenate([old.day, new.day])
    content, row = np.concatenate([old.content, new.content]), np.concatenate([old.row, new.row])
    order = np.argsort((figure << 17) + day, kind="stable")
    repeats = np.zeros(len(order), dtype=bool)
    first, second = order[:-1], order[1:]
    repeats[1:] = (figure[first] == figure[second]) & (content[first] == content[second])
    tells = np.empty(len(order), dtype=bool)
    tells[order] = ~repeats
    telling: Marks = tells[row >= stored]
    return telling


def _withdrawn(rows: pd.DataFrame, table: pa.Table, old: _Rows, new: _Rows) -> Numbers:
    """Rows of the table that an edition no longer holds, of the targets, frequencies and periods that it spans."""
    days = np.unique(new.day)
    if len(days) != 1 or not len(old.row):
        return np.empty(0, dtype=np.int64)
    known = old.where(old.day <= days[0])
    last = np.ones(len(known.row), dtype=bool)
    last[:-1] = known.figure[1:] != known.figure[:-1]
    lost = known.where(last & ~known.missing & ~_is_in(known.figure, new.figure)).row
    if not len(lost):
        return lost
    spans = rows.groupby(["target", "freq"])["time_period"].agg(["min", "max"])
    named = table.select(["target", "freq", "time_period"]).take(lost).to_pandas().astype(object)
    spanned = named.join(spans, on=["target", "freq"])
    inside = (spanned["time_period"] >= spanned["min"].fillna("~")) & (
        spanned["time_period"] <= spanned["max"].fillna("")
    )
    withdrawn: Numbers = lost[inside.to_numpy(dtype=bool)]
    return withdrawn


def _is_in(numbers: Numbers, among: Numbers) -> Marks:
    found: Marks = pd.Series(numbers).isin(among).to_numpy()
    return found

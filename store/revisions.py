"""Revisions: what a source changed about periods that it had published before, as records (``REVISIONS``)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.quantiles import FloatArray
from core.release import REVISIONS
from store.figures import Figures, Marks, Numbers

COLUMNS = [name for name in REVISIONS.columns if name != "usual"]
_NAMES = ["source_id", "series_id", "time_period", "target", "route_id", "geo", "citizen", "freq"]
_DATASET = ["source_id", "target", "freq"]


def revisions_between(figures: Figures | None, first: int, second: int) -> pd.DataFrame:
    """What differs between the states of two days; see :meth:`store.vintages.VintageStore.revisions`.

    Args:
        figures: Rows of the vintages, or None.
        first: The earlier day, in days since 1970.
        second: The later day.
    """
    if figures is None or first >= second:
        return _no_revisions()
    states = figures.states((first, second))
    before, after = (_values(figures, states[day].to_numpy()) for day in (first, second))
    rows = states[second].to_numpy()
    known_before = states[first].to_numpy() >= 0
    new = ~known_before & np.isfinite(after)
    new[new] = _not_ahead(figures, rows[new], states.loc[known_before, first].to_numpy())
    return _records(figures, rows, before, after, new)


def revisions_one_by_one(figures: Figures | None, until: int) -> pd.DataFrame:
    """Each change from one vintage to the next; see :meth:`store.vintages.VintageStore.all_revisions`.

    Args:
        figures: Rows of the vintages, or None.
        until: Last day of knowledge, in days since 1970.
    """
    if figures is None:
        return _no_revisions()
    places = np.flatnonzero(figures.day <= until)
    rows, figure = figures.order[places], figures.figure[places]
    after = _values(figures, rows)
    follows = np.zeros(len(rows), dtype=bool)
    follows[1:] = figure[1:] == figure[:-1]
    before = np.full(len(rows), np.nan)
    before[1:] = np.where(follows[1:], after[:-1], np.nan)
    new = ~follows & _late(figures, rows, figures.day[places])
    return _records(figures, rows, before, after, new)


def _records(figures: Figures, rows: Numbers, before: FloatArray, after: FloatArray, new: Marks) -> pd.DataFrame:
    """Records of the rows that changed something.

    Args:
        figures: Where the rows are.
        rows: Row of the state after.
        before: Value before, NaN where there was none.
        after: Value after, NaN where it was withdrawn.
        new: True where a figure came without one before, and counts as added.
    """
    had, has = np.isfinite(before), np.isfinite(after)
    changed, deleted, added = had & has & (before != after), had & ~has, ~had & has & new
    told = changed | deleted | added
    if not told.any():
        return _no_revisions()
    frame = figures.frame(rows[told], [*_NAMES, "as_of"])
    frame["kind"] = np.select([added[told], deleted[told]], ["added", "deleted"], "changed").astype(object)
    frame["before"], frame["after"] = before[told], after[told]
    frame["change"] = np.nan_to_num(frame["after"]) - np.nan_to_num(frame["before"])
    frame["share"] = frame["change"] / frame["before"].abs().clip(lower=1.0)
    return frame[COLUMNS]


def _not_ahead(figures: Figures, rows: Numbers, known: Numbers) -> Marks:
    """True where a row's period is not after the newest one among other rows of its source, target and frequency."""
    dataset, period = _datasets(figures, np.concatenate([known, rows]))
    newest = pd.Series(period[: len(known)]).groupby(dataset[: len(known)]).max()
    behind: Marks = period[len(known) :] <= newest.reindex(dataset[len(known) :], fill_value=-1).to_numpy()
    return behind


def _late(figures: Figures, rows: Numbers, days: Numbers) -> Marks:
    """True where a row's period had been passed, on an earlier day, by its source's figures of the same target."""
    dataset, period = _datasets(figures, rows)
    frame = pd.DataFrame({"dataset": dataset, "day": days, "period": period})
    newest = frame.groupby(["dataset", "day"])["period"].max()
    passed = newest.groupby(level="dataset").cummax().groupby(level="dataset").shift(fill_value=-1)
    places = pd.MultiIndex.from_arrays([dataset, days])
    late: Marks = period <= passed.reindex(places).to_numpy()
    return late


def _datasets(figures: Figures, rows: Numbers) -> tuple[Numbers, Numbers]:
    """Number of each row's source, target and frequency, and rank of its period (texts sort by time)."""
    dataset = np.zeros(len(rows), dtype=np.int64)
    for name in _DATASET:
        ranks = figures.ranks(name, rows)
        dataset = dataset * (int(ranks.max(initial=0)) + 1) + ranks
    return dataset, figures.ranks("time_period", rows)


def _values(figures: Figures, rows: Numbers) -> FloatArray:
    """Values at rows of the table; NaN at row -1 and where a figure was withdrawn."""
    values = figures.column("obs_value").astype(float)
    return np.where(rows >= 0, values[rows], np.nan)


def _no_revisions() -> pd.DataFrame:
    kinds = dict.fromkeys(("before", "after", "change", "share"), "float64") | {"as_of": "datetime64[ns]"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "object")) for name in COLUMNS})

"""Revisions: what a source changed about periods that it had published before, as records (``REVISIONS``)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.quantiles import FloatArray
from core.schema import REVISIONS
from store.figures import Figures, Marks, Numbers

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
    return frame[list(REVISIONS.columns)]


def _not_ahead(figures: Figures, rows: Numbers, known: Numbers) -> Marks:
    """True where a row's period is not after the newest one among other rows of its source, target and frequency."""
    newest = figures.frame(known, [*_DATASET, "time_period"]).groupby(_DATASET)["time_period"].max().rename("newest")
    own = figures.frame(rows, [*_DATASET, "time_period"]).join(newest, on=_DATASET)
    behind: Marks = (own["time_period"] <= own["newest"].fillna("")).to_numpy(dtype=bool)
    return behind


def _late(figures: Figures, rows: Numbers, days: Numbers) -> Marks:
    """True where a row's period had been passed, on an earlier day, by its source's figures of the same target."""
    frame = figures.frame(rows, [*_DATASET, "time_period"]).assign(day=days)
    newest = frame.groupby([*_DATASET, "day"])["time_period"].max().reset_index()
    newest["passed"] = newest.groupby(_DATASET)["time_period"].transform(_running_max)
    joined = frame.merge(newest[[*_DATASET, "day", "passed"]], on=[*_DATASET, "day"], how="left")
    late: Marks = (joined["time_period"] <= joined["passed"].fillna("")).to_numpy(dtype=bool)
    return late


def _running_max(texts: pd.Series) -> pd.Series:
    """The greatest text of the rows before each row; empty for the first."""
    codes, names = pd.factorize(texts, sort=True)
    before = pd.Series(codes, index=texts.index).cummax().shift(fill_value=-1)
    return before.map(lambda code: "" if code < 0 else names[code])


def _values(figures: Figures, rows: Numbers) -> FloatArray:
    """Values at rows of the table; NaN at row -1 and where a figure was withdrawn."""
    values = figures.column("obs_value").astype(float)
    return np.where(rows >= 0, values[rows], np.nan)


def _no_revisions() -> pd.DataFrame:
    kinds = dict.fromkeys(("before", "after", "change", "share"), "float64") | {"as_of": "datetime64[ns]"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "object")) for name in REVISIONS.columns})

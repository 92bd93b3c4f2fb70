"""Rounds: which one is open on a day, forecasts under the round's name, and what a replay may have known of one.

A round is named by the last period that is over. Some figures come months after it; then the last one known lies before
the round, and horizons are counted from the round all the same, so that all who forecast a series name the same tasks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.calendar import Frequency, last_complete_period, pandas_frequency
from core.quantiles import FloatArray
from forecasting.model import BASELINE, History
from forecasting.models.baseline import FEWEST_ERRORS, predict
from forecasting.quantiles import QuantileTable
from hub.targets import RHYTHMS, frequency

_OWN = ["series_id", "origin_date"]


def open_round(freq: Frequency, day: dt.date) -> pd.Timestamp | None:
    """The newest round that takes submissions on a day, or None; a Sunday that ends a month is that month's alone."""
    first, last = RHYTHMS[freq].due
    end = last_complete_period(day - dt.timedelta(days=first), freq).end_time.normalize()
    is_over = (pd.Timestamp(day) - end).days > last
    return None if is_over or (freq == "W" and end.is_month_end) else end


def handed_in(rows: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Forecasts under the round in which they are in time on a day; where none is open, under their own origin.

    Args:
        rows: ``series_id, origin_date, horizon`` and whatever else.
        day: The day on which they are handed in.
    """

    def round_of(series_id: str, origin: pd.Timestamp) -> pd.Timestamp:
        freq = frequency(series_id)
        is_open = (pd.Timestamp(day) - origin).days <= RHYTHMS[freq].due[1]
        return origin if is_open else max(origin, open_round(freq, day) or origin)

    return _under_rounds(rows, round_of)


def replayed(rows: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Hindcasts under the first round that knew their origin's figure when it closed.

    Args:
        rows: ``series_id, origin_date, horizon`` and whatever else; origins without a figure are left out.
        counts: ``series_id, target_end_date, as_of`` of every version of a figure.
    """
    known = counts.groupby(["series_id", "target_end_date"])["as_of"].min()

    def round_of(series_id: str, origin: pd.Timestamp) -> pd.Timestamp:
        freq = frequency(series_id)
        day = max(origin, known[series_id, origin] - pd.Timedelta(days=RHYTHMS[freq].due[1]))
        return pd.Period(day, freq=pandas_frequency(freq)).end_time.normalize()

    return _under_rounds(rows[pd.MultiIndex.from_frame(rows[_OWN]).isin(known.index)], round_of)


def baseline(counts: pd.DataFrame, rounds: pd.DataFrame) -> QuantileTable:
    """The hubs' baseline of rounds of the past, on what each knew when it closed.

    Args:
        counts: ``series_id, target_end_date, value, as_of`` of every version of a figure; without a value it was
            withdrawn.
        rounds: ``series_id, origin_date`` wanted.

    Returns:
        Forecasts of ``vigie-baseline``; none of series that had fewer than a dozen changes to learn from.
    """
    in_order = counts.sort_values(["target_end_date", "as_of"], kind="stable")
    versions = {
        str(name): [rows[column].to_numpy() for column in ("target_end_date", "as_of", "value")]
        for name, rows in in_order.groupby("series_id")
    }
    keys: list[tuple[object, ...]] = []
    parts: list[FloatArray] = []
    for series_id, origin in rounds[rounds["series_id"].isin(versions)].drop_duplicates().itertuples(index=False):
        rhythm, unit = RHYTHMS[frequency(series_id)], pandas_frequency(frequency(series_id))
        ends, as_of, values = versions[series_id]
        newest = _known(ends, as_of, values, origin, origin + pd.Timedelta(days=rhythm.due[1]))
        if len(newest) <= FEWEST_ERRORS:
            continue
        here, last = (pd.Period(day, freq=unit) for day in (origin, newest.index[-1]))
        behind, logs = (here - last).n, np.log1p(newest.to_numpy(dtype=float))
        parts.append(predict(History(logs, logs, 1, last, 0), behind + rhythm.horizons)[behind:])
        ahead = pd.period_range(here + 1, periods=rhythm.horizons).end_time.normalize()
        keys += [(BASELINE, series_id, origin, step, end) for step, end in enumerate(ahead, 1)]
    frame = pd.DataFrame(keys, columns=["model_id", *_OWN, "horizon", "target_end_date"])
    return QuantileTable(frame, np.clip(np.expm1(np.concatenate(parts)), 0, None) if parts else np.empty((0, 23)))


def _known(
    ends: NDArray[np.datetime64],
    as_of: NDArray[np.datetime64],
    values: FloatArray,
    origin: pd.Timestamp,
    close: pd.Timestamp,
) -> pd.Series:
    """The newest version of each figure up to a round that was known when the round closed, by its end.

    The versions, one by one, are sorted by end and then by the day on which they became known.
    """
    seen = (as_of <= close.to_datetime64()) & (ends <= origin.to_datetime64())
    dated = ends[seen]
    newest = np.ones(len(dated), dtype=bool)
    newest[:-1] = dated[1:] != dated[:-1]
    return pd.Series(values[seen][newest], index=dated[newest]).dropna()


def _under_rounds(rows: pd.DataFrame, round_of: Callable[[str, pd.Timestamp], pd.Timestamp]) -> pd.DataFrame:
    pairs = rows[_OWN].drop_duplicates().sort_values(_OWN)
    pairs = pairs.assign(round=[round_of(*pair) for pair in pairs.itertuples(index=False)])
    pairs = pairs.drop_duplicates(["series_id", "round"], keep="last")  # a round goes on from the newest figure it knew
    units = pairs["series_id"].map(lambda one: pandas_frequency(frequency(one)))
    behind = [
        (pd.Period(end, freq=unit) - pd.Period(origin, freq=unit)).n
        for end, origin, unit in zip(pairs["round"], pairs["origin_date"], units, strict=True)
    ]
    moved = rows.merge(pairs.assign(behind=behind), on=_OWN)
    moved = moved.assign(origin_date=moved["round"], horizon=moved["horizon"] - moved["behind"])
    return moved.loc[moved["horizon"] >= 1, list(rows.columns)].reset_index(drop=True)

"""What is to be computed: one line per model, series and origin, with a fingerprint of the history behind it.

A past forecast is the same for ever as long as the model's version and the history are: that is what lets a nightly
run ask its store for what is done and compute only the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from core import FloatArray
from core.calendar import write_period
from core.errors import InputError
from forecasting import BoolArray
from forecasting.models import MODELS
from forecasting.panel import Panel
from forecasting.pool import CUT_OFF
from forecasting.quantiles import KEYS, QuantileTable
from forecasting.workers import Fit, Progress, Workers, run_fits

WORK = ["model_id", "model_version", "series_id", "origin_date", "history_hash"]


class Fits(Protocol):
    """Where fits are kept; see :class:`store.releases.caches.FitStore`."""

    def get(self, key: str) -> bytes | None:
        """The fit kept under a key, if there is one."""

    def put(self, key: str, fit: bytes) -> None:
        """Keep a fit."""


class InMemory(dict[str, bytes]):
    """Fits that no folder keeps."""

    def put(self, key: str, fit: bytes) -> None:
        """Keep a fit."""
        self[key] = fit


@dataclass(frozen=True)
class WorkList:
    """Forecasts to be made.

    Attributes:
        table: Columns ``WORK``; one row per model, series and origin.
        fits: One per row of the table.
    """

    table: pd.DataFrame
    fits: list[Fit]

    def without(self, done: pd.DataFrame | None, horizon: int) -> WorkList:
        """What is left when the forecasts in ``done`` (columns ``WORK`` and ``horizon``) need not be made again.

        A stored forecast counts only if it reaches to ``horizon``.
        """
        if done is None or done.empty:
            return self
        reach = done.groupby(WORK, sort=False)["horizon"].max()
        keep = np.flatnonzero(~pd.MultiIndex.from_frame(self.table).isin(reach.index[reach >= horizon]))
        return WorkList(self.table.iloc[keep].reset_index(drop=True), [self.fits[place] for place in keep])

    def matching(self, done: pd.DataFrame, horizons: Sequence[int]) -> pd.DataFrame:
        """Rows of stored forecasts that answer a line of this list at one of ``horizons``."""
        wanted = done.merge(self.table, on=WORK, how="inner")
        return wanted[wanted["horizon"].isin(horizons)].reset_index(drop=True)


def history_hash(values: FloatArray, first_period: str) -> str:
    """Fingerprint of a history: its first period and every value, to the bit."""
    content = first_period.encode() + np.ascontiguousarray(values, dtype="<f8").tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def work_at(panel: Panel, wanted: BoolArray, models: Callable[[int], Sequence[str]]) -> WorkList:
    """List forecasts from any origins.

    Args:
        panel: The series.
        wanted: Origins, periods × series; one without a value is passed over.
        models: Gives the model ids for a place on the calendar.
    """
    values, periods, ends, names = panel.matrix.to_numpy(dtype=float), panel.periods, panel.end_dates, panel.series_ids
    first = np.isfinite(values).argmax(axis=0)
    lines, fits = [], []
    for row, column in zip(*np.nonzero(wanted & np.isfinite(values)), strict=True):
        begin = int(first[column])
        past = values[begin : row + 1, column]
        fingerprint = history_hash(past, write_period(periods[begin], panel.freq))
        for model_id in models(int(row)):
            lines.append((model_id, MODELS[model_id].version, names[column], ends[row], fingerprint))
            fits.append(Fit(model_id, names[column], periods[row], past, panel.season_length))
    return WorkList(_table(lines), fits)


def work_as_known(panels: Mapping[pd.Timestamp, Panel], *, models: Sequence[str]) -> WorkList:
    """List every series from past origins, each from the panel as it was known there; it needs a value in that period.

    Args:
        panels: By the origin's date; later periods are left out.
        models: Model ids.
    """
    return joined(
        work_at(known, known.observed_at(np.asarray(known.end_dates == origin)), lambda _row: models)
        for origin, known in panels.items()
    )


def present_work(panel: Panel, *, models: Sequence[str]) -> WorkList:
    """List every series from its own last observed period."""
    return work_at(panel, panel.at_last(), lambda _row: models)


def joined(works: Iterable[WorkList]) -> WorkList:
    """Join several work lists."""
    some = list(works)
    tables = [one.table for one in some if len(one.table)] or [_table([])]
    return WorkList(pd.concat(tables, ignore_index=True), [fit for one in some for fit in one.fits])


def run_work(
    work: WorkList,
    *,
    horizons: Sequence[int],
    workers: Workers = None,
    progress: Progress | None = None,
) -> QuantileTable:
    """Make every forecast of a work list.

    Args:
        work: What to make.
        horizons: Periods ahead to keep, each at least 1.
        workers: Processes or a cluster; see :func:`forecasting.workers.run_fits`.
        progress: Called with fits done and fits in all.

    Returns:
        One matrix row per model, series, origin and horizon; keys hold ``KEYS`` and the marks ``model_version``,
        ``history_hash``, ``fallback``, ``reason``, ``capped``.

    Raises:
        InputError: No horizon, or one below 1.
    """
    chosen = sorted(set(horizons))
    if not chosen or chosen[0] < 1:
        raise InputError(f"horizons are whole numbers of at least 1 (found {list(horizons)})")
    answers = run_fits(work.fits, chosen[-1], workers=workers, progress=progress)
    places = np.asarray(chosen) - 1
    keys = work.table.loc[work.table.index.repeat(len(chosen))].reset_index(drop=True)
    keys["horizon"] = np.tile(np.asarray(chosen, dtype=np.int64), len(work.fits))
    keys["target_end_date"] = _target_ends(work.fits, chosen)
    keys["reason"] = [answer.reason for answer in answers for _ in chosen]
    keys["fallback"] = keys["reason"] != ""
    keys["capped"] = np.concatenate([answer.capped[places] for answer in answers]) if answers else False
    values = np.concatenate([answer.quantiles[places] for answer in answers]) if answers else np.empty((0, 23))
    return QuantileTable(keys[[*KEYS, "model_version", "history_hash", "fallback", "reason", "capped"]], values)


def was_cut_off(rows: pd.DataFrame) -> pd.Series:
    """True for forecasts whose fit was cut off: another night may bring them, so they are not to be kept as done."""
    return rows["reason"].astype(str).str.startswith(CUT_OFF)


def _target_ends(fits: list[Fit], horizons: list[int]) -> pd.DatetimeIndex:
    if not fits:
        return pd.DatetimeIndex([])
    origins = pd.PeriodIndex([fit.last_period for fit in fits])
    return (origins.repeat(len(horizons)) + np.tile(horizons, len(fits))).end_time.normalize()


def _table(lines: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=WORK).astype({"origin_date": "datetime64[ns]"})

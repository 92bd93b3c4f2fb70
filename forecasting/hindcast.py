"""What is to be computed: one line per model, series and origin, with a fingerprint of the history behind it.

A past forecast is the same for ever as long as the model's version and the history are: that is what lets a nightly
run ask its store for what is done and compute only the rest.

Answers of models of single series are kept likewise, beside the pooled model's fits: one file per model and set of
series. Its name holds the model's version and constants and the versions of the libraries that fit it; within it an
answer stands under its series and the fingerprint of its history.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray
from core.calendar import write_period
from core.errors import InputError
from forecasting import BASELINE, BoolArray, constants_of, postprocess
from forecasting.models import MODELS
from forecasting.panel import Panel
from forecasting.pool import CUT_OFF
from forecasting.postprocess import SafeForecast
from forecasting.quantiles import KEYS, QuantileTable
from forecasting.workers import Fit, Progress, Workers, run_fits

WORK = ["model_id", "model_version", "series_id", "origin_date", "history_hash"]
RealTimePanels = Mapping[pd.Timestamp, Panel]
"""The panel as it was known at each origin, by the origin's date."""
LIBRARIES = ("numpy", "scipy", "statsforecast", "statsmodels", "prophet")
MOST_ANSWERS = 15_000
"""Of one model: a year ahead they take 33 MB. Where there are more, none is kept."""


class Fits(Protocol):
    """Where fits are kept; see :class:`store.caches.FitStore`."""

    def get(self, key: str) -> bytes | None:
        """The fit kept under a key, if there is one."""

    def put(self, key: str, fit: bytes) -> None:
        """Keep a fit."""


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
        kept = set(reach[reach >= horizon].index)
        keep = [place for place, row in enumerate(self.table.itertuples(index=False, name=None)) if row not in kept]
        return WorkList(self.table.iloc[keep].reset_index(drop=True), [self.fits[place] for place in keep])

    def matching(self, done: pd.DataFrame, horizons: Sequence[int]) -> pd.DataFrame:
        """Rows of stored forecasts that answer a line of this list at one of ``horizons``."""
        wanted = done.merge(self.table, on=WORK, how="inner")
        return wanted[wanted["horizon"].isin(horizons)].reset_index(drop=True)


def history_hash(values: FloatArray, first_period: str) -> str:
    """Fingerprint of a history: its first period and every value, to the bit."""
    content = first_period.encode() + np.ascontiguousarray(values, dtype="<f8").tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def backtest_work(
    panel: Panel, *, origins: int, step: int, models: Sequence[str], known_at: RealTimePanels | None = None
) -> WorkList:
    """The last ``origins`` origins, ``step`` periods apart, the newest one period before the panel's end.

    At each origin a series takes part if it has a value in that period.

    Args:
        panel: The calendar, and the history unless ``known_at`` is given.
        origins: Number of origins, at least 1; fewer are taken where the panel is shorter.
        step: Periods between origins, at least 1.
        models: Model ids of the registry.
        known_at: The panel as it was known at each origin, for pseudo-real-time backtests.

    Raises:
        InputError: ``origins`` or ``step`` is below 1, or the panel has a single period.
    """
    if origins < 1 or step < 1:
        raise InputError(f"origins and step are at least 1 (found {origins} and {step})")
    ends = panel.end_dates[:-1][::-1][::step][:origins][::-1]
    if ends.empty:
        raise InputError("a backtest needs a panel of at least two periods")
    pasts: list[_Past] = []
    for end in ends:
        known = (known_at[end] if known_at is not None else panel).until(end)
        if len(known.matrix) and known.end_dates[-1] == end:
            pasts += _pasts(known, np.full(known.matrix.shape[1], len(known.matrix) - 1))
    return _work(panel, pasts, models)


def work_at(panel: Panel, wanted: BoolArray, models: Callable[[int], Sequence[str]]) -> WorkList:
    """Forecasts from any origins.

    Args:
        panel: The series.
        wanted: Origins, periods × series; one without a value is passed over.
        models: Gives the model ids for a place on the calendar.
    """
    works = []
    for row in np.flatnonzero(wanted.any(axis=1)):
        pasts = list(_pasts(panel, np.full(wanted.shape[1], row), among=wanted[row]))
        works.append(_work(panel, pasts, models(int(row))))
    table = pd.concat([work.table for work in works], ignore_index=True) if works else _work(panel, [], []).table
    return WorkList(table, [fit for work in works for fit in work.fits])


def present_work(panel: Panel, *, models: Sequence[str]) -> WorkList:
    """Every series from its own last observed period."""
    return _work(panel, list(_pasts(panel, panel.last_rows())), models)


def run_work(
    work: WorkList,
    *,
    horizons: Sequence[int],
    workers: Workers = None,
    progress: Progress | None = None,
    fits: Fits | None = None,
) -> QuantileTable:
    """Make every forecast of a work list.

    Args:
        work: What to make.
        horizons: Periods ahead to keep, each at least 1.
        workers: Processes or a cluster; see :func:`forecasting.workers.run_fits`.
        progress: Called with fits done and fits in all.
        fits: Where answers are looked up and kept; None keeps none.

    Returns:
        One matrix row per model, series, origin and horizon; keys hold ``KEYS`` and the marks ``model_version``,
        ``history_hash``, ``fallback``, ``reason``, ``capped``.

    Raises:
        InputError: No horizon, or one below 1.
    """
    chosen = sorted(set(horizons))
    if not chosen or chosen[0] < 1:
        raise InputError(f"horizons are whole numbers of at least 1 (found {list(horizons)})")
    if fits is None:
        answers = run_fits(work.fits, chosen[-1], workers=workers, progress=progress)
    else:
        answers = run_kept(work.table, work.fits, chosen[-1], fits=fits, workers=workers, progress=progress)
    places = np.asarray(chosen) - 1
    keys = work.table.loc[work.table.index.repeat(len(chosen))].reset_index(drop=True)
    keys["horizon"] = np.tile(np.asarray(chosen, dtype=np.int64), len(work.fits))
    keys["target_end_date"] = _target_ends(work.fits, chosen)
    keys["reason"] = [answer.reason for answer in answers for _ in chosen]
    keys["fallback"] = keys["reason"] != ""
    keys["capped"] = np.concatenate([answer.capped[places] for answer in answers]) if answers else False
    values = np.concatenate([answer.quantiles[places] for answer in answers]) if answers else np.empty((0, 23))
    marks = ["model_version", "history_hash", "fallback", "reason", "capped"]
    return QuantileTable(keys[[*KEYS, *marks]], values)


def was_cut_off(rows: pd.DataFrame) -> pd.Series:
    """True for forecasts whose fit was cut off: another night may bring them, so they are not to be kept as done."""
    return rows["reason"].astype(str).str.startswith(CUT_OFF)


def _target_ends(fits: list[Fit], horizons: list[int]) -> pd.DatetimeIndex:
    if not fits:
        return pd.DatetimeIndex([])
    origins = pd.PeriodIndex([fit.last_period for fit in fits])
    return (origins.repeat(len(horizons)) + np.tile(horizons, len(fits))).end_time.normalize()


@dataclass(frozen=True)
class _Past:
    """One series up to an origin: its values from the first observed one, and how that one's period is written."""

    name: str
    begins: str
    values: FloatArray
    origin: pd.Period
    end: pd.Timestamp


def _pasts(panel: Panel, rows: NDArray[np.int64], among: BoolArray | None = None) -> Iterator[_Past]:
    """Every series (of some) that has a value at its origin; ``rows`` has one place on the calendar per series."""
    values = panel.matrix.to_numpy(dtype=float)
    first = np.isfinite(values).argmax(axis=0)
    written = [write_period(period, panel.freq) for period in panel.periods]
    periods, ends, names = list(panel.periods), panel.end_dates, panel.series_ids
    for column in np.flatnonzero(np.isfinite(values[rows, np.arange(values.shape[1])])):
        if among is not None and not among[column]:
            continue
        begin, row = int(first[column]), int(rows[column])
        yield _Past(names[column], written[begin], values[begin : row + 1, column], periods[row], ends[row])


def _work(panel: Panel, pasts: list[_Past], models: Sequence[str]) -> WorkList:
    rows: list[tuple[str, str, str, pd.Timestamp, str]] = []
    fits: list[Fit] = []
    for past in pasts:
        fingerprint = history_hash(past.values, past.begins)
        for model_id in models:
            rows.append((model_id, MODELS[model_id].version, past.name, past.end, fingerprint))
            fits.append(Fit(model_id, past.name, past.origin, past.values, panel.season_length))
    table = pd.DataFrame(rows, columns=WORK).astype({"origin_date": "datetime64[ns]"})
    return WorkList(table, fits)


def run_kept(
    table: pd.DataFrame,
    work: Sequence[Fit],
    horizon: int,
    *,
    fits: Fits,
    workers: Workers = None,
    progress: Progress | None = None,
) -> list[SafeForecast]:
    """Answers in the order asked, as of :func:`forecasting.workers.run_fits`; only what was not kept is fitted.

    Args:
        table: One row per fit, ``model_id, series_id, history_hash`` among its columns.
        work: The fits.
        horizon: Longest horizon H.
        fits: Where answers are looked up and kept. The baseline's are not: it is made sooner than read.
        workers: See :func:`forecasting.workers.run_fits`.
        progress: Told after every batch.
    """
    marks = (table["series_id"].astype(str) + "|" + table["history_hash"].astype(str)).tolist()
    of_model = {
        str(model_id): rows for model_id, rows in table.groupby("model_id", sort=True).indices.items()
        if model_id != BASELINE
    }  # fmt: skip
    keys = {model_id: _key(model_id, table["series_id"].iloc[rows], horizon) for model_id, rows in of_model.items()}
    shelves = {model_id: _answers_in(fits.get(key)) for model_id, key in keys.items()}
    known = {
        int(row): shelves[model_id][marks[row]]
        for model_id, rows in of_model.items()
        for row in rows
        if marks[row] in shelves[model_id]
    }
    rest = [row for row in range(len(work)) if row not in known]
    made = run_fits([work[row] for row in rest], horizon, workers=workers, progress=progress)
    answers = known | dict(zip(rest, made, strict=True))
    for model_id, rows in of_model.items():
        new = {marks[row]: answers[row] for row in rows if not answers[row].reason.startswith(CUT_OFF)}
        if new.keys() - shelves[model_id].keys() and len(new) <= MOST_ANSWERS:
            fits.put(keys[model_id], _as_bytes(new))
    return [answers[row] for row in range(len(work))]


def _key(model_id: str, series: pd.Series, horizon: int) -> str:
    model = MODELS[model_id]
    made_by = [f"{name} {_version(name)}" for name in LIBRARIES] + [
        constants_of(sys.modules[model.predict.__module__], postprocess)
    ]
    content = "\n".join([*made_by, *sorted(series.astype(str).unique())])
    return f"{model_id}-{model.version}-to{horizon}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _as_bytes(answers: dict[str, SafeForecast]) -> bytes:
    kept = io.BytesIO()
    np.savez(
        kept,
        allow_pickle=False,
        marks=np.asarray(list(answers)),
        quantiles=np.stack([one.quantiles for one in answers.values()]),
        capped=np.stack([one.capped for one in answers.values()]),
        reasons=np.asarray([one.reason for one in answers.values()]),
    )
    return kept.getvalue()


def _answers_in(kept: bytes | None) -> dict[str, SafeForecast]:
    """Answers by mark; none where nothing was kept, or where it cannot be read."""
    if not kept:
        return {}
    try:
        with np.load(io.BytesIO(kept), allow_pickle=False) as entries:
            columns = [entries[name] for name in ("quantiles", "capped", "reasons")]
            return {
                str(mark): SafeForecast(quantiles, capped, str(reason))
                for mark, quantiles, capped, reason in zip(entries["marks"], *columns, strict=True)
            }
    except (ValueError, OSError, KeyError, zipfile.BadZipFile):
        return {}

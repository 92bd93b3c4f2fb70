"""What ``vigie backtest`` and ``vigie forecast`` run: a panel's file in, one frame of forecasts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NotRequired, TypedDict, Unpack

import numpy as np
import pandas as pd

from core.errors import InputError
from forecasting.account import Account, account_of, far_above_record
from forecasting.combine import NO_MEMBER, combine_table
from forecasting.members import LARGEST_JUDGED, Request, origins_to_judge, past_members, present_members
from forecasting.model import BASELINE, ENSEMBLE
from forecasting.panel import Panel, read_panel
from forecasting.pooled import Fits
from forecasting.quantiles import QuantileTable, stack, to_rows
from forecasting.reconcile import reconcile
from forecasting.registry import resolve
from forecasting.workers import Progress, Workers

DEFAULT_MODELS = "ensemble,baseline"
_PLACE = ["series_id", "origin_date", "horizon"]


class _Options(TypedDict):
    models: NotRequired[str | Sequence[str]]
    totals: NotRequired[str | None]
    workers: NotRequired[Workers]
    progress: NotRequired[Progress | None]
    fits: NotRequired[Fits | None]


class BacktestOptions(_Options):
    """What :func:`backtest_file` takes beside the file."""

    origins: int
    step: NotRequired[int]
    horizons: Sequence[int]


class ForecastOptions(_Options):
    """What :func:`forecast_file` takes beside the file."""

    horizon: int


@dataclass(frozen=True)
class Made:
    """Forecasts of a panel's file.

    Attributes:
        table: The forecasts of the models asked for, and of no others; marked as of
            :func:`forecasting.engine.forecast`, and ``far_above_record`` (bool) where the 99 % quantile is more than
            ten times the highest value that the series had by the origin.
        account: What must be known about them.
    """

    table: QuantileTable
    account: Account


def backtest_file(  # noqa: PLR0913  # the options of the command line, all of them named by the caller
    panel_path: Path,
    *,
    origins: int,
    step: int = 1,
    horizons: Sequence[int],
    models: str | Sequence[str] = DEFAULT_MODELS,
    totals: str | None = None,
    workers: Workers = None,
    progress: Progress | None = None,
    fits: Fits | None = None,
) -> Made:
    """Backtest a panel's file.

    The ensemble's members are the fast models that are affordable on a panel of this size, any slower one that is asked
    for by name, and on panels of at least 20 series the pooled model; see :mod:`forecasting.members`.

    Args:
        panel_path: CSV or Parquet; see :func:`forecasting.panel.read_panel`.
        origins: Number of origins.
        step: Periods between them.
        horizons: Periods ahead.
        models: Short or full names, as text with commas or a list.
        totals: Grouping column whose sums are forecast too.
        workers: Processes or a cluster; by default as many processes as the work is worth.
        progress: Called with fits done and fits in all.
        fits: Where the pooled model's fits are looked up and kept.

    Raises:
        InputError: The file, an option or a model's name is not usable, or no series has a value at any origin.
    """
    request = replace(
        Request.of(read_panel(panel_path), totals, resolve(models), horizons),
        workers=workers,
        progress=progress,
        fits=fits,
    )
    members = past_members(request, origins=origins, step=step)
    if not len(members[0].keys):
        raise InputError(f"{panel_path.name}: no series has a value at any of the last {origins} origins")
    made = [_answer(table, level, request.asked) for table, level in zip(members, request.levels, strict=True)]
    return _made(request, _coherent(request, made, made[0]))


def forecast_file(
    panel_path: Path,
    *,
    horizon: int,
    models: str | Sequence[str] = DEFAULT_MODELS,
    totals: str | None = None,
    workers: Workers = None,
    progress: Progress | None = None,
    fits: Fits | None = None,
) -> Made:
    """Forecast a panel's file from each series' last observed period.

    The ensemble's members must have shown skill: where a panel is small enough to be backtested in passing (up to 50
    series), they are judged at its last 24 origins; on larger ones those trusted from the start take part, as far as
    judging them would have been affordable.

    Args:
        panel_path: CSV or Parquet; see :func:`forecasting.panel.read_panel`.
        horizon: Longest horizon; all from 1 on are forecast.
        models: Short or full names, as text with commas or a list.
        totals: Grouping column whose sums are forecast too.
        workers: Processes or a cluster; by default as many processes as the work is worth.
        progress: Called with fits done and fits in all.
        fits: Where the pooled model's fits are looked up and kept.

    Raises:
        InputError: The file, an option or a model's name is not usable.
    """
    if horizon < 1:
        raise InputError(f"the horizon is at least 1 (found {horizon})")
    request = replace(
        Request.of(read_panel(panel_path), totals, resolve(models), range(1, horizon + 1)),
        workers=workers,
        progress=progress,
        fits=fits,
    )
    now = present_members(request)
    judged = ENSEMBLE in request.asked and len(request.levels[0].matrix) > 1
    if judged and max(len(level.series_ids) for level in request.levels) <= LARGEST_JUDGED:
        past = past_members(replace(request, progress=None), origins=origins_to_judge(request.horizons), step=1)
        now = [stack([_before(*one), one[1]]) for one in zip(past, now, strict=True)]
    made = [_answer(table, level, request.asked) for table, level in zip(now, request.levels, strict=True)]
    return _made(request, _coherent(request, [_newest(table) for table in made], made[0]))


def run_backtest(panel_path: Path, **options: Unpack[BacktestOptions]) -> pd.DataFrame:
    """The rows of :func:`backtest_file`, as hubverse has them."""
    return to_rows(backtest_file(panel_path, **options).table)


def run_forecast(panel_path: Path, **options: Unpack[ForecastOptions]) -> pd.DataFrame:
    """The rows of :func:`forecast_file`, as hubverse has them."""
    return to_rows(forecast_file(panel_path, **options).table)


def _made(request: Request, tables: list[QuantileTable]) -> Made:
    table = stack(tables)
    far = far_above_record(table, request.levels)
    marked = QuantileTable(table.keys.assign(far_above_record=far), table.quantiles)
    return Made(marked, account_of(marked, request.levels))


def _coherent(request: Request, made: list[QuantileTable], past: QuantileTable) -> list[QuantileTable]:
    if request.column is None:
        return made
    parts, totals = made
    whole = reconcile(parts, totals, request.levels[0], request.column, past=past, progress=request.progress)
    return [whole, totals]


def _before(past: QuantileTable, now: QuantileTable) -> QuantileTable:
    newest = now.keys.groupby("series_id")["origin_date"].max()
    return past.where((past.keys["origin_date"] < past.keys["series_id"].map(newest)).to_numpy())


def _newest(made: QuantileTable) -> QuantileTable:
    last = made.keys.groupby("series_id")["origin_date"].transform("max")
    return made.where((made.keys["origin_date"] == last).to_numpy())


def _answer(made: QuantileTable, panel: Panel, asked: list[str]) -> QuantileTable:
    if ENSEMBLE in asked:
        combined = combine_table(made, panel)[0]
        made = stack([made, _with_members_reasons(combined, made)])
    return made.where(made.keys["model_id"].isin(asked).to_numpy())


def _with_members_reasons(combined: QuantileTable, members: QuantileTable) -> QuantileTable:
    """Where no member could be fitted to a series, say why the first of them could not."""
    place = pd.MultiIndex.from_frame(combined.keys[_PLACE])
    others = members.keys[members.keys["model_id"] != BASELINE]
    silent = others["fallback"].astype(bool) & (others["reason"] != "")
    fitted = place.isin(pd.MultiIndex.from_frame(others.loc[~silent, _PLACE]))
    why = others[silent].drop_duplicates(_PLACE).set_index(_PLACE)["reason"].reindex(place).to_numpy()
    told = combined.keys["fallback"].to_numpy(dtype=bool) & ~fitted & ~pd.isna(why)
    reason = np.where(told, [f"{NO_MEMBER}: {one}" for one in why], combined.keys["reason"])
    return QuantileTable(combined.keys.assign(reason=reason), combined.quantiles)

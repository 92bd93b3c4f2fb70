"""What ``vigie backtest`` and ``vigie forecast`` run: a panel's file in, one frame of forecasts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.errors import InputError
from forecasting.combine import WINDOW, combine_table
from forecasting.members import Request, past_members, present_members
from forecasting.model import ENSEMBLE
from forecasting.panel import Panel, read_panel
from forecasting.quantiles import QuantileTable, stack, to_rows
from forecasting.reconcile import reconcile
from forecasting.registry import resolve
from forecasting.workers import Progress

DEFAULT_MODELS = "ensemble,baseline"
LARGEST_JUDGED = 50
"""Series up to which members are backtested in passing when only the present is asked for."""


def run_backtest(  # noqa: PLR0913  # the options of the command line, all of them named by the caller
    panel_path: Path,
    *,
    origins: int,
    step: int = 1,
    horizons: Sequence[int],
    models: str | Sequence[str] = DEFAULT_MODELS,
    totals: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Backtest a panel's file.

    Args:
        panel_path: CSV or Parquet; see :func:`forecasting.panel.read_panel`.
        origins: Number of origins.
        step: Periods between them.
        horizons: Periods ahead.
        models: Short or full names, as text with commas or a list.
        totals: Grouping column whose sums are forecast too.
        workers: Processes; by default as many as the work is worth.
        progress: Called with fits done and fits in all.

    Returns:
        Rows of the models asked for, and of no others; see :func:`forecasting.backtest.backtest`. The ensemble's
        members are the fast models that are affordable on a panel of this size, any slower one that is asked for by
        name, and on panels of at least 20 series the pooled model; see :mod:`forecasting.members`.

    Raises:
        InputError: The file, an option or a model's name is not usable.
    """
    request = replace(
        Request.of(read_panel(panel_path), totals, resolve(models), horizons), workers=workers, progress=progress
    )
    made = [
        _answer(table, level, request.asked)
        for table, level in zip(past_members(request, origins=origins, step=step), request.levels, strict=True)
    ]
    return to_rows(stack(_coherent(request, made, made[0])))


def run_forecast(
    panel_path: Path,
    *,
    horizon: int,
    models: str | Sequence[str] = DEFAULT_MODELS,
    totals: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Forecast a panel's file from each series' last observed period.

    The ensemble's members must have shown skill: where a panel is small enough to be backtested in passing (up to 50
    series), they are judged at its last 24 origins; on larger ones the members trusted from the start take part.

    Args:
        panel_path: CSV or Parquet; see :func:`forecasting.panel.read_panel`.
        horizon: Longest horizon; all from 1 on are forecast.
        models: Short or full names, as text with commas or a list.
        totals: Grouping column whose sums are forecast too.
        workers: Processes; by default as many as the work is worth.
        progress: Called with fits done and fits in all.

    Returns:
        Rows of the models asked for; see :func:`forecasting.engine.forecast`.

    Raises:
        InputError: The file, an option or a model's name is not usable.
    """
    if horizon < 1:
        raise InputError(f"the horizon is at least 1 (found {horizon})")
    request = replace(
        Request.of(read_panel(panel_path), totals, resolve(models), range(1, horizon + 1)),
        workers=workers,
        progress=progress,
    )
    now = present_members(request)
    judged = ENSEMBLE in request.asked and len(request.levels[0].matrix) > 1
    if judged and max(len(level.series_ids) for level in request.levels) <= LARGEST_JUDGED:
        past = past_members(replace(request, progress=None), origins=WINDOW + horizon, step=1)
        now = [stack([_before(*one), one[1]]) for one in zip(past, now, strict=True)]
    made = [_answer(table, level, request.asked) for table, level in zip(now, request.levels, strict=True)]
    return to_rows(stack(_coherent(request, [_newest(table) for table in made], made[0])))


def _coherent(request: Request, made: list[QuantileTable], past: QuantileTable) -> list[QuantileTable]:
    if request.column is None:
        return made
    return [reconcile(made[0], made[1], request.levels[0], request.column, past=past), made[1]]


def _before(past: QuantileTable, now: QuantileTable) -> QuantileTable:
    newest = now.keys.groupby("series_id")["origin_date"].max()
    return past.where((past.keys["origin_date"] < past.keys["series_id"].map(newest)).to_numpy())


def _newest(made: QuantileTable) -> QuantileTable:
    last = made.keys.groupby("series_id")["origin_date"].transform("max")
    return made.where((made.keys["origin_date"] == last).to_numpy())


def _answer(made: QuantileTable, panel: Panel, asked: list[str]) -> QuantileTable:
    if ENSEMBLE in asked:
        made = stack([made, combine_table(made, panel)[0]])
    return made.where(made.keys["model_id"].isin(asked).to_numpy())

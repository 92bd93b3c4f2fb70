"""What ``vigie backtest`` and ``vigie forecast`` run: a panel's file in, one frame of forecasts out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.errors import InputError
from forecasting.backtest import backtest
from forecasting.combine import WINDOW, ensemble
from forecasting.engine import forecast
from forecasting.model import BASELINE, ENSEMBLE
from forecasting.panel import Panel, read_panel
from forecasting.reconcile import reconcile, totals_panel
from forecasting.registry import MODELS, resolve
from forecasting.workers import Progress

DEFAULT_MODELS = "ensemble,baseline"
LARGEST_JUDGED = 50
"""Series up to which members are backtested in passing when only the present is asked for."""


def run_backtest(  # noqa: PLR0913 - the options of the command line, all of them named by the caller
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
        members are the fast models, and any slower one that is asked for by name.

    Raises:
        InputError: The file, an option or a model's name is not usable.
    """
    asked = resolve(models)
    panel = read_panel(panel_path)
    levels = [panel] if totals is None else [panel, totals_panel(panel, totals)]
    run = models_to_run(asked)
    made = [
        _answer(
            backtest(
                level,
                origins=origins,
                step=step,
                horizons=horizons,
                models=run,
                workers=workers,
                progress=progress,
            ),
            level,
            asked,
        )
        for level in levels
    ]
    if totals is not None:
        made[0] = reconcile(made[0], made[1], panel, totals, past=made[0])
    return pd.concat(made, ignore_index=True)


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
    asked = resolve(models)
    if horizon < 1:
        raise InputError(f"the horizon is at least 1 (found {horizon})")
    panel = read_panel(panel_path)
    levels = [panel] if totals is None else [panel, totals_panel(panel, totals)]
    made = [_past_and_present(level, horizon, asked, workers, progress) for level in levels]
    present = [_newest(level) for level in made]
    if totals is not None:
        present[0] = reconcile(present[0], present[1], panel, totals, past=made[0])
    return pd.concat(present, ignore_index=True)


def _past_and_present(
    panel: Panel, horizon: int, asked: list[str], workers: int | None, progress: Progress | None
) -> pd.DataFrame:
    """Forecasts of the present and, where the ensemble's members are judged in passing, of the past before it."""
    horizons, run = range(1, horizon + 1), models_to_run(asked)
    now = forecast(panel, horizons=horizons, models=run, workers=workers, progress=progress)
    if ENSEMBLE not in asked or len(panel.series_ids) > LARGEST_JUDGED or len(panel.matrix) < 2:
        return _answer(now, panel, asked)
    past = backtest(panel, origins=WINDOW + horizon, step=1, horizons=horizons, models=run, workers=workers)
    newest = now[["series_id", "origin_date"]].drop_duplicates().rename(columns={"origin_date": "newest"})
    earlier = past.merge(newest, on="series_id")
    earlier = earlier[earlier["origin_date"] < earlier["newest"]].drop(columns="newest")
    return _answer(pd.concat([earlier, now], ignore_index=True), panel, asked)


def _newest(made: pd.DataFrame) -> pd.DataFrame:
    return made[made["origin_date"] == made.groupby("series_id")["origin_date"].transform("max")].reset_index(drop=True)


def models_to_run(asked: Sequence[str]) -> list[str]:
    """The models that must run for those asked: with the ensemble its members and the baseline, in registry order."""
    wanted = set(asked) - {ENSEMBLE}
    if ENSEMBLE in asked:
        wanted |= {BASELINE} | {model_id for model_id, model in MODELS.items() if model.member and not model.slow}
    return [model_id for model_id in MODELS if model_id in wanted]


def _answer(made: pd.DataFrame, panel: Panel, asked: list[str]) -> pd.DataFrame:
    if ENSEMBLE in asked:
        made = pd.concat([made, ensemble(made, panel).forecasts], ignore_index=True)
    return made[made["model_id"].isin(asked)].reset_index(drop=True)

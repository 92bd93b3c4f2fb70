"""Rolling-origin backtest: at each past origin, refit on what was known and forecast."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecasting.panel import Panel
from forecasting.quantiles import to_rows
from forecasting.work import RealTimePanels, backtest_work, run_work
from forecasting.workers import Progress, Workers


def backtest(  # noqa: PLR0913  # the words of the command line, all of them named by the caller
    panel: Panel,
    *,
    origins: int,
    step: int,
    horizons: Sequence[int],
    models: Sequence[str],
    known_at: RealTimePanels | None = None,
    done: pd.DataFrame | None = None,
    workers: Workers = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Forecast from past origins, knowing only what was known there.

    Origins lie on the panel's own calendar: the last ``origins`` of them, ``step`` periods apart, the newest one period
    before the panel's end. At each a series is forecast if it has a value in that period; targets that are not
    observed are forecast too.

    Args:
        panel: The series.
        origins: Number of origins.
        step: Periods between them.
        horizons: Periods ahead, each at least 1.
        models: Model ids of :data:`forecasting.registry.MODELS`.
        known_at: The panel as it was known at each origin; by default the panel up to it.
        done: Forecasts made before (with ``model_version`` and ``history_hash``): those that are still what this
            backtest would compute are taken from there.
        workers: Processes or a cluster; by default as many processes as the work is worth.
        progress: Called with fits done and fits left to do.

    Returns:
        A frame as of :func:`forecasting.engine.forecast`.

    Raises:
        InputError: ``origins``, ``step`` or a horizon is below 1, or the panel has a single period.
    """
    work = backtest_work(panel, origins=origins, step=step, models=models, known_at=known_at)
    rest = work.without(done, max(horizons, default=0))
    fresh = to_rows(run_work(rest, horizons=horizons, workers=workers, progress=progress))
    if done is None or done.empty:
        return fresh
    kept = work.matching(done, horizons)
    return pd.concat([kept[list(fresh.columns)], fresh], ignore_index=True) if len(fresh) else kept[list(fresh.columns)]

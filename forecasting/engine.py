"""Forecasts of the present: every series from its last observed period."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecasting.panel import Panel
from forecasting.quantiles import to_rows
from forecasting.work import present_work, run_work
from forecasting.workers import Progress, Workers


def forecast(
    panel: Panel,
    *,
    horizons: Sequence[int],
    models: Sequence[str],
    workers: Workers = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Forecast every series with every model.

    Args:
        panel: The series.
        horizons: Periods ahead, each at least 1.
        models: Model ids of :data:`forecasting.registry.MODELS`.
        workers: Processes or a cluster; by default as many processes as the work is worth.
        progress: Called with fits done and fits in all.

    Returns:
        A frame that keeps ``FORECASTS``, plus ``model_version``, ``history_hash``, ``fallback`` (the baseline stands
        in), ``reason`` (why) and ``capped`` (the cap on explosion was applied). The ensemble is made of it by
        :func:`forecasting.combine.ensemble`.

    Raises:
        InputError: No horizon, or one below 1.
    """
    work = present_work(panel, models=models)
    return to_rows(run_work(work, horizons=horizons, workers=workers, progress=progress))

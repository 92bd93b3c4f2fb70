"""Forecasts at past origins: those stored on earlier nights, and the rest made now and stored."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecasting.quantiles import to_rows
from forecasting.work import WorkList, run_work, was_cut_off
from forecasting.workers import Progress, Workers
from store.backtests import COLUMNS, BacktestStore

FIT = ["model_id", "series_id", "origin_date"]
"""What one fit answers for."""


def past_forecasts(
    work: WorkList,
    cache: BacktestStore,
    *,
    horizons: Sequence[int],
    workers: Workers = None,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecast what is not stored yet, and store it; what was cut off is not stored, and is tried again.

    Args:
        work: Models, series and origins.
        cache: Past forecasts of the same history and version are taken from it.
        horizons: Periods ahead, ascending.
        workers: Who makes the rest.
        progress: Told after every batch.

    Returns:
        Rows of ``store.backtests.COLUMNS`` for the whole work, and those of them that were made now.

    Raises:
        StoreError: The cache is damaged or cannot be written.
    """
    stored = work.matching(cache.read(work.table), horizons)
    rest = work.without(stored, horizons[-1])
    made = to_rows(run_work(rest, horizons=horizons, workers=workers, progress=progress))
    cache.append(made[~was_cut_off(made)])
    parts = [part[COLUMNS] for part in (stored, made) if len(part)]
    return (pd.concat(parts, ignore_index=True) if parts else made.reindex(columns=COLUMNS)), made

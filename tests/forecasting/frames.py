"""The engine's forecasts as hubverse rows, as tests of single parts want them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting.ensemble import combine
from forecasting.hindcast import WorkList, present_work, run_work, work_as_known
from forecasting.panel import Panel
from forecasting.quantiles import to_rows
from forecasting.runs import backtest_file, forecast_file


def past_work(
    panel: Panel,
    *,
    origins: int,
    step: int = 1,
    models: Sequence[str],
    known_at: Mapping[pd.Timestamp, Panel] | None = None,
) -> WorkList:
    """List the last origins, the newest one period before the panel's end."""
    ends = panel.end_dates[:-1][::-1][::step][:origins][::-1]
    return work_as_known({end: (known_at or {}).get(end, panel) for end in ends}, models=models)


def backtest(
    panel: Panel,
    *,
    origins: int,
    step: int,
    horizons: Sequence[int],
    models: Sequence[str],
    known_at: Mapping[pd.Timestamp, Panel] | None = None,
    done: pd.DataFrame | None = None,
    **options: Any,  # noqa: ANN401  # those of the engine
) -> pd.DataFrame:
    """Forecasts of single models at past origins; those in ``done`` that are still the same are taken from there."""
    work = past_work(panel, origins=origins, step=step, models=models, known_at=known_at)
    rest = work.without(done, max(horizons, default=0))
    fresh = to_rows(run_work(rest, horizons=horizons, **options))
    if done is None:
        return fresh
    return pd.concat([work.matching(done, horizons)[list(fresh.columns)], fresh], ignore_index=True)


def forecast(panel: Panel, *, horizons: Sequence[int], models: Sequence[str], **options: Any) -> pd.DataFrame:  # noqa: ANN401  # the engine's
    """Forecasts of single models from each series' last value."""
    return to_rows(run_work(present_work(panel, models=models), horizons=horizons, **options))


def ensemble(members: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """The ensemble of members' rows."""
    return to_rows(combine(members, panel).forecasts)


def run_backtest(panel_path: Path, **options: Any) -> pd.DataFrame:  # noqa: ANN401  # the engine's
    """What ``vigie backtest`` writes."""
    return to_rows(backtest_file(panel_path, **options).table)


def run_forecast(panel_path: Path, **options: Any) -> pd.DataFrame:  # noqa: ANN401  # the engine's
    """What ``vigie forecast`` writes."""
    return to_rows(forecast_file(panel_path, **options).table)

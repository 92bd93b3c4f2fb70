"""Forecasts of a night: members at past origins (only those not made before), the present, and their ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from core.progress import ProgressReport
from core.settings import Settings
from forecasting.combine import ensemble
from forecasting.explanation import explain
from forecasting.panel import Panel
from forecasting.quantiles import to_rows
from forecasting.registry import MODELS
from forecasting.work import WorkList, backtest_work, present_work, run_work, was_cut_off
from forecasting.workers import Workers
from nightly.knowledge import Knowledge
from nightly.past import FIT, past_forecasts
from store.backtests import BacktestStore

HORIZONS = tuple(range(1, 13))


@dataclass(frozen=True)
class Projections:
    """What the engine says on one night.

    Attributes:
        present: Every member and the ensemble from each route's last complete month (``FORECASTS`` with marks).
        past: The same at past origins, refitted there on what was known.
        weights: How the ensemble was made, at every origin.
        computed: Number of past forecasts that were not stored yet.
        cut_off: One record per model and series whose fits were cut off tonight: ``model_id``, ``series_id``,
            ``fits`` and ``reason``. They are left out of the ensemble.
        stand_ins: Number of series for which the baseline stands in tonight, by model.
    """

    present: pd.DataFrame
    past: pd.DataFrame
    weights: pd.DataFrame
    computed: int
    cut_off: list[dict[str, Any]] = field(default_factory=list)
    stand_ins: dict[str, int] = field(default_factory=dict)


def project(
    knowledge: Knowledge,
    settings: Settings,
    cache: BacktestStore,
    progress: ProgressReport,
    workers: Workers = None,
) -> Projections:
    """Forecast the present and complete the past.

    Args:
        knowledge: What is known tonight.
        settings: How many past origins.
        cache: Past forecasts made on earlier nights; tonight's are added.
        progress: Told the forecasts done.
        workers: Who makes them.

    Raises:
        InputError: No route can be forecast.
    """
    past, made = _past_members(knowledge, settings, cache, progress, workers)
    now = run_work(
        present_work(knowledge.panel, models=list(MODELS)),
        horizons=HORIZONS,
        workers=workers,
        progress=partial(progress, "Forecasting the present"),
    )
    present = to_rows(now)
    # A past origin of one route may be the present one of another: the forecast is the same, and is kept once.
    together = pd.concat([present, past], ignore_index=True).drop_duplicates(
        ["model_id", "series_id", "origin_date", "horizon", "output_type_id"]
    )
    combination = ensemble(together, knowledge.panel)
    everything = pd.concat([together, combination.forecasts], ignore_index=True)
    origins = knowledge.states.set_index("series_id")["origin_date"]
    is_present = everything["origin_date"] == everything["series_id"].map(origins)
    return Projections(
        everything[is_present].reset_index(drop=True),
        everything[~is_present].reset_index(drop=True),
        combination.weights,
        len(made.drop_duplicates(FIT)),
        _cut_off(pd.concat([made, present], ignore_index=True)),
        _stand_ins(present),
    )


def explained(
    knowledge: Knowledge, projections: Projections, published: pd.DataFrame, workers: Workers = None
) -> pd.DataFrame:
    """What moved the published forecasts since the origin before.

    Args:
        knowledge: What is known tonight.
        projections: What the engine says tonight.
        published: The ensemble's rows as they are published, perhaps sharpened by daily counts.
        workers: Who refits.

    Returns:
        A frame that keeps ``EXPLANATIONS``.
    """

    def refit(panel: Panel, models: Sequence[str]) -> pd.DataFrame:
        return to_rows(run_work(present_work(panel, models=models), horizons=HORIZONS, workers=workers))

    return explain(
        projections.present, projections.past, projections.weights, knowledge.panel, refit, published=published
    )


def _past_members(
    knowledge: Knowledge, settings: Settings, cache: BacktestStore, progress: ProgressReport, workers: Workers
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Members' forecasts at past origins, stored ones of the same history and version included; and those made now."""
    fast = [model_id for model_id, model in MODELS.items() if not model.slow]
    slow = [model_id for model_id, model in MODELS.items() if model.slow]
    works = [
        backtest_work(knowledge.panel, origins=origins, step=1, models=models, history_at=knowledge.panel_at)
        for origins, models in ((settings.backtest_origins, fast), (settings.slow_backtest_origins, slow))
    ]
    work = WorkList(
        pd.concat([one.table for one in works], ignore_index=True), [fit for one in works for fit in one.fits]
    )
    tell = partial(progress, "Scoring past forecasts")
    return past_forecasts(work, cache, horizons=HORIZONS, workers=workers, progress=tell)


def _cut_off(made: pd.DataFrame) -> list[dict[str, Any]]:
    rows = made[was_cut_off(made)].drop_duplicates(FIT)
    found = rows.groupby(["model_id", "series_id"]).agg(fits=("origin_date", "size"), reason=("reason", "first"))
    return [{str(key): value for key, value in row.items()} for row in found.reset_index().to_dict("records")]


def _stand_ins(present: pd.DataFrame) -> dict[str, int]:
    counts = present[present["fallback"]].groupby("model_id")["series_id"].nunique()
    return {str(model_id): int(count) for model_id, count in counts.items()}

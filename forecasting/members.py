"""Who forecasts a panel: which models are worth their time on it, and all their forecasts together.

The models asked for by name always run. For the ensemble the models of single series are taken in order of cost as long
as their fits fit into ``BUDGET``; so a handful of routes gets every one, thousands of parts only the pooled model,
whose cost hardly grows with the panel. Fewer than three of them do not join at all where there is a pooled model: a
seasonal walk alone as its companion made the forecasts of route by nationality worse at every horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.ensemble import WINDOW
from forecasting.hindcast import WorkList, backtest_work, present_work, run_work
from forecasting.model import BASELINE, BOTTOM_UP, ENSEMBLE, BoolArray
from forecasting.models import MODELS, POOLED_MODELS
from forecasting.panel import Panel
from forecasting.pooled import Fits, Level, past_origins, present_origins, run_pooled
from forecasting.quantiles import QuantileTable, stack
from forecasting.reconcile import VERSION as BOTTOM_UP_VERSION
from forecasting.reconcile import sum_of_parts, totals_panel
from forecasting.workers import Progress, Workers

BUDGET = 320.0
"""Seconds of one core that the ensemble's models of single series may take on one panel."""
FEWEST_TOGETHER = 3
SMALLEST_POOL = 20
"""Series from which a pooled model joins the ensemble."""
LARGEST_JUDGED = 50
"""Series up to which members are backtested in passing when only the present is asked for."""
WARM_UP = 48
"""Origins before the first one asked for, at which parts are forecast so that their dependence is known there."""
NOT_POOLED = "too short or too early for the pooled model"
NO_SUM = "the parts have no record together yet"
_PLACE = ["series_id", "origin_date", "horizon"]


@dataclass(frozen=True)
class Request:
    """What is asked of a panel.

    Attributes:
        levels: The panel, and its totals where they are asked for.
        column: Grouping column of the totals.
        asked: Model ids.
        horizons: Periods ahead.
        workers: Processes or a cluster.
        progress: Told after every batch of fits.
        fits: Where the pooled model's fits are kept.
    """

    levels: list[Panel]
    column: str | None
    asked: list[str]
    horizons: Sequence[int]
    workers: Workers = None
    progress: Progress | None = None
    fits: Fits | None = None

    @staticmethod
    def of(panel: Panel, column: str | None, asked: list[str], horizons: Sequence[int]) -> Request:
        """A request for a panel, and for its totals by a column."""
        levels = [panel] if column is None else [panel, totals_panel(panel, column)]
        return Request(levels, column, asked, horizons)

    @property
    def pooled(self) -> list[str]:
        """The pooled models that run."""
        large = sum(len(level.series_ids) for level in self.levels) >= SMALLEST_POOL
        return [model_id for model_id in POOLED_MODELS if model_id in self.asked or (ENSEMBLE in self.asked and large)]


def models_to_run(asked: Sequence[str], fits: int = 1, *, pooled: bool = False) -> list[str]:
    """The models of single series that run for those asked, in registry order.

    Args:
        asked: Model ids.
        fits: How often each would be fitted; with the ensemble, those that this makes too expensive are left out.
        pooled: There is a pooled model beside them.
    """
    wanted = set(asked) & set(MODELS)
    if set(asked) & {ENSEMBLE, *POOLED_MODELS}:
        wanted.add(BASELINE)
    if ENSEMBLE in asked:
        members = [model_id for model_id, model in MODELS.items() if model.member and not model.slow]
        members.sort(key=lambda model_id: MODELS[model_id].seconds)
        spent = fits * np.cumsum([MODELS[model_id].seconds for model_id in members])
        affordable = members[: int((spent <= BUDGET).sum())]
        if len(affordable) >= FEWEST_TOGETHER or not pooled:
            wanted |= set(affordable)
    return [model_id for model_id in MODELS if model_id in wanted]


def past_members(request: Request, *, origins: int, step: int) -> list[QuantileTable]:
    """Forecasts of every model that runs, at past origins; one table per level."""
    works = [
        backtest_work(
            level,
            origins=origins,
            step=step,
            models=models_to_run(request.asked, _fits(level, origins), pooled=bool(request.pooled)),
        )
        for level in request.levels
    ]
    longer = origins + (WARM_UP if request.column is not None else 0)
    wanted = [past_origins(level, origins=longer, step=step) for level in request.levels]
    return _together(request, works, wanted)


def present_models(request: Request) -> list[list[str]]:
    """The models of single series that run from each series' last value, one list per level.

    A panel too large to be judged in passing gets the models whose judgement it could afford: those that a backtest of
    it would run, so that the ensemble is the one that was scored there.
    """
    sizes = [len(level.series_ids) for level in request.levels]
    times = 1 if max(sizes) <= LARGEST_JUDGED else origins_to_judge(request.horizons)
    return [models_to_run(request.asked, times * size, pooled=bool(request.pooled)) for size in sizes]


def present_members(request: Request) -> list[QuantileTable]:
    """Forecasts of every model that runs, from each series' last value; one table per level."""
    chosen = zip(request.levels, present_models(request), strict=True)
    works = [present_work(level, models=models) for level, models in chosen]
    wanted = [present_origins(level) for level in request.levels]
    if request.column is not None and request.pooled:
        before = [past_origins(level, origins=WARM_UP, step=1) for level in request.levels]
        wanted = [one | other for one, other in zip(wanted, before, strict=True)]
    return _together(request, works, wanted, present=request.column is None)


def origins_to_judge(horizons: Sequence[int]) -> int:
    """Past origins at which members are forecast so that they can be judged at every horizon."""
    return WINDOW + max(horizons)


def _fits(panel: Panel, origins: int) -> int:
    return int(panel.matrix.notna().to_numpy()[-1 - origins : -1].sum())


def _together(
    request: Request,
    works: list[WorkList],
    wanted: list[BoolArray],
    *,
    present: bool = False,
) -> list[QuantileTable]:
    tables = [
        [run_work(work, horizons=request.horizons, workers=request.workers, progress=request.progress)]
        for work in works
    ]
    for model_id in request.pooled:
        levels = [Level(*one) for one in zip(request.levels, wanted, range(len(wanted)), strict=True)]
        made = run_pooled(
            model_id,
            levels,
            horizons=request.horizons,
            present=present,
            workers=request.workers,
            progress=request.progress,
            fits=request.fits,
        )
        version = POOLED_MODELS[model_id].version
        whole = [
            completed(table, own[0], model_id, version, NOT_POOLED) for own, table in zip(tables, made, strict=True)
        ]
        for own, table in zip(tables, whole, strict=True):
            own.append(table)
        if request.column is not None and ENSEMBLE in request.asked:
            parts = stack([whole[0], made[0]])
            first = ~parts.keys.duplicated(_PLACE).to_numpy()
            needed = pd.DatetimeIndex(tables[1][0].keys["origin_date"].unique())
            sums = sum_of_parts(parts.where(first), request.levels[0], request.column, needed)
            tables[1].append(completed(sums, tables[1][0], BOTTOM_UP, BOTTOM_UP_VERSION, NO_SUM))
    return [stack(own) for own in tables]


def completed(table: QuantileTable, others: QuantileTable, model_id: str, version: str, reason: str) -> QuantileTable:
    """A model's forecasts at exactly the places of the baseline's, which stands in where the model has none.

    Args:
        table: The model's forecasts, perhaps at further origins.
        others: Forecasts among which are the baseline's.
        model_id: The model.
        version: Its version.
        reason: Why the baseline stands in.
    """
    base = others.where((others.keys["model_id"] == BASELINE).to_numpy())
    where = pd.MultiIndex.from_frame(table.keys[_PLACE]).get_indexer(pd.MultiIndex.from_frame(base.keys[_PLACE]))
    lacking = base.where(where < 0)
    keys = lacking.keys.assign(model_id=model_id, model_version=version, fallback=True, reason=reason)
    found = QuantileTable(table.keys.iloc[where[where >= 0]], table.quantiles[where[where >= 0]])
    return stack([found, QuantileTable(keys, lacking.quantiles)])

"""Which models forecast a panel, and all their forecasts together.

The models asked for by name always run. For the ensemble the structural model, fitted anew to each series at every
origin, runs below ``MANY`` series. The pooled model, whose cost hardly grows with the panel, runs from there on, or
where a prior has been learned from others. At a past origin the series count that had been seen by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from core.log import ProgressReport, silent
from forecasting import BASELINE, BOTTOM_UP, ENSEMBLE, STRUCTURAL, BoolArray
from forecasting.ensemble import WINDOW
from forecasting.hindcast import Fits, WorkList, run_work, work_at
from forecasting.models import MODELS, POOLED_MODELS
from forecasting.panel import Panel
from forecasting.pooled import Lessons, Level, Priors, run_pooled
from forecasting.quantiles import PLACE, QuantileTable, stack
from forecasting.reconcile import BOTTOM_UP_VERSION, MOST_ORIGINS, sum_of_parts, totals_panel
from forecasting.workers import Workers

MANY = 20
"""Series from which a pooled model without a prior joins the ensemble, and the structural model no longer does."""
NOT_POOLED = "too short or too early for the pooled model"
NO_SUM = "the parts have no record together yet"


@dataclass(frozen=True)
class Request:
    """What is asked of a panel.

    Attributes:
        levels: The panel, and its totals where they are asked for.
        column: Grouping column of the totals.
        asked: Model ids.
        horizons: Periods ahead.
        workers: Processes or a cluster.
        progress: Reports the fits done, step by step.
        fits: Where the pooled model's fits are kept.
        priors: Training data of the pooled model for small panels, by the panel's frequency.
        lessons: What it learns from instead of the levels.
        pools: The pooled model may join the ensemble.
        kind: Of the first level, see :class:`forecasting.pooled.Level`; the one above it is of the next.
    """

    levels: list[Panel]
    column: str | None
    asked: list[str]
    horizons: Sequence[int]
    workers: Workers = None
    progress: ProgressReport = silent
    fits: Fits | None = None
    priors: Priors | None = None
    lessons: Lessons | None = None
    pools: bool = True
    kind: int = 0

    @staticmethod
    def of(panel: Panel, column: str | None, asked: list[str], horizons: Sequence[int]) -> Request:
        """A request for a panel, and for its totals by a column."""
        levels = [panel] if column is None else [panel, totals_panel(panel, column)]
        return Request(levels, column, asked, horizons)

    @property
    def pooled_at(self) -> BoolArray:
        """Periods at whose end the pooled model joins the ensemble: enough series had been seen, or it has a prior."""
        seen = np.sum([level.seen() for level in self.levels], axis=0)
        is_trained = self.prior is not None or self.lessons is not None
        return np.asarray(((seen >= MANY) | is_trained) & self.pools & (ENSEMBLE in self.asked))

    @property
    def prior(self) -> Lessons | None:
        """The prior of the panel's frequency, if any: months do not inform quarters."""
        return (self.priors or {}).get(self.levels[0].freq)

    @property
    def pooled(self) -> list[str]:
        """The pooled models that run."""
        large = bool(self.pooled_at.any())
        return [model_id for model_id in POOLED_MODELS if model_id in self.asked or large]


def models_to_run(asked: Sequence[str], series: int = 1) -> list[str]:
    """The models of single series that run for those asked, in registry order.

    Args:
        asked: Model ids.
        series: Number of series in the panel.
    """
    wanted = set(asked) & set(MODELS)
    if set(asked) & {ENSEMBLE, *POOLED_MODELS}:
        wanted.add(BASELINE)
    if ENSEMBLE in asked and series < MANY:
        wanted.add(STRUCTURAL)
    return [model_id for model_id in MODELS if model_id in wanted]


def members_at(request: Request, wanted: Sequence[BoolArray]) -> tuple[list[QuantileTable], QuantileTable]:
    """Forecasts of every model that runs, at some origins and at all earlier ones that these learn from.

    The ensemble scales its spread by the outcomes of ``WINDOW`` periods; sums of parts learn from 72. So far back
    members are forecast too, and what is older has no say: at one origin the same is made whether it is the present or
    one of many past.

    Args:
        request: What is asked.
        wanted: For each level the origins, periods × series; see :func:`forecasting.pooled.past_origins`.

    Returns:
        One table per level: at the origins asked for, and at those that they learn from. And forecasts of the panel's
        own series, by one model at each origin: they give the dependence of outcomes.
    """
    rows = np.logical_or.reduce([mask.any(axis=1) for mask in wanted])
    own = [mask | _learned_from(request, level, rows) for level, mask in zip(request.levels, wanted, strict=True)]
    below = _dependence(request, own)
    pool = request.pooled_at
    no_pool = ~pool if not set(request.asked) & set(POOLED_MODELS) else np.zeros_like(pool)
    masks = [mask | (below & no_pool[:, None]) if not place else mask for place, mask in enumerate(own)]
    works = [_work(request, *one) for one in zip(request.levels, masks, own, strict=True)]
    report = partial(request.progress, "Fitting models of single series")
    tables = [[run_work(work, horizons=request.horizons, workers=request.workers, progress=report)] for work in works]
    references = [tables[0][0].where(no_pool[request.levels[0].rows_of(tables[0][0].keys)]).of_model(BASELINE)]
    for model_id in request.pooled:
        at = pool if model_id not in request.asked else np.ones_like(pool)
        masks = [(mask | below if not kind else mask) & at[:, None] for kind, mask in enumerate(own)]
        levels = [
            Level(level, mask, request.kind + above)
            for above, (level, mask) in enumerate(zip(request.levels, masks, strict=True))
        ]
        made = run_pooled(
            model_id,
            levels,
            horizons=request.horizons,
            lessons=request.lessons,
            prior=request.prior,
            workers=request.workers,
            progress=partial(request.progress, "Fitting the pooled model"),
            fits=request.fits,
        )
        whole = [
            completed(table, of_level[0], model_id, POOLED_MODELS[model_id].version, NOT_POOLED)
            for of_level, table in zip(tables, made, strict=True)
        ]
        for of_level, table in zip(tables, whole, strict=True):
            of_level.append(table.where(at[request.levels[0].rows_of(table.keys)]))
        references.append(made[0])
        if request.column is not None and ENSEMBLE in request.asked:
            parts = stack([whole[0], made[0]])
            first = ~parts.keys.duplicated(PLACE).to_numpy()
            needed = pd.DatetimeIndex(tables[1][0].keys["origin_date"].unique())
            sums = sum_of_parts(parts.where(first), request.levels[0], request.column, needed, past=made[0])
            tables[1].append(completed(sums, tables[1][0], BOTTOM_UP, BOTTOM_UP_VERSION, NO_SUM))
    return [stack(of_level) for of_level in tables], stack(references)


def _learned_from(request: Request, level: Panel, rows: BoolArray) -> BoolArray:
    """Origins, periods × series, at whose forecasts the ensemble looks when it forecasts from some rows."""
    if ENSEMBLE not in request.asked:
        return np.zeros(level.matrix.shape, dtype=bool)
    return level.observed_at(_before(rows, max(request.horizons) + WINDOW) & level.judged)


def stands_alone(request: Request, wanted: Sequence[BoolArray]) -> bool:
    """Whether series are forecast independently of each other's past errors, so that batches are possible."""
    if request.column is not None:
        return False
    level, rows = request.levels[0], np.asarray(wanted[0].any(axis=1))
    learns = ENSEMBLE in request.asked and bool((rows & level.judged).any())
    return not learns and not _learned_from(request, level, rows).any()


def _dependence(request: Request, own: list[BoolArray]) -> BoolArray:
    """Origins of the parts from whose outcomes their dependence is learned; none without totals."""
    parts = request.levels[0]
    if request.column is None:
        return np.zeros(parts.matrix.shape, dtype=bool)
    rows = np.logical_or.reduce([mask.any(axis=1) for mask in own]) & parts.judged
    return parts.observed_at(_before(rows, MOST_ORIGINS + max(request.horizons)))


def _before(rows: BoolArray, count: int) -> BoolArray:
    """Return the rows up to ``count`` before any of the given rows."""
    found = np.zeros_like(rows)
    for row in np.flatnonzero(rows):
        found[max(0, row - count) : row] = True
    return found


def _work(request: Request, level: Panel, mask: BoolArray, own: BoolArray) -> WorkList:
    """Fits of the models of single series; where only dependence is learned, the baseline alone."""
    whole, seen = np.asarray(own.any(axis=1)), level.seen()

    def models(row: int) -> list[str]:
        return models_to_run(request.asked, int(seen[row])) if whole[row] else [BASELINE]

    return work_at(level, mask, models)


def completed(table: QuantileTable, others: QuantileTable, model_id: str, version: str, reason: str) -> QuantileTable:
    """A model's forecasts at exactly the places of the baseline's, which stands in where the model has none."""
    base = others.where((others.keys["model_id"] == BASELINE).to_numpy())
    where = pd.MultiIndex.from_frame(table.keys[PLACE]).get_indexer(pd.MultiIndex.from_frame(base.keys[PLACE]))
    lacking = base.where(where < 0)
    keys = lacking.keys.assign(model_id=model_id, model_version=version, fallback=True, reason=reason)
    found = QuantileTable(table.keys.iloc[where[where >= 0]], table.quantiles[where[where >= 0]])
    return stack([found, QuantileTable(keys, lacking.quantiles)])

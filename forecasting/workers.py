"""Runs many fits: here, over processes or on a cluster; the numbers are the same whichever way, in whatever order."""

from __future__ import annotations

import hashlib
import operator
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it publishes no type information

from core import FloatArray
from core.log import get_logger
from forecasting import History
from forecasting.limits import UNLIMITED, Breaker, CutOff, Limits
from forecasting.models import MODELS
from forecasting.pool import SupervisedPool, WorkersFailedError, run_batch
from forecasting.postprocess import SafeForecast, fallback_forecast, safe_forecast

Progress = Callable[[int, int], None]
"""Called with fits done and fits in all; on a cluster with batches of fits."""
Task = TypeVar("Task")
Answer = TypeVar("Answer")


class Cluster(Protocol):
    """Workers that are not this machine's processes; see :mod:`forecasting.distributed`."""

    @property
    def size(self) -> int:
        """Tasks that run at the same time."""

    def run(
        self, function: Callable[[Task], Answer], tasks: Sequence[Task], *, progress: Progress | None = None
    ) -> list[Answer]:
        """Answers of a function at the top of a module of this package, in the order of the tasks."""


Workers = int | SupervisedPool | Cluster | None
"""Processes, a pool of them that stays, or a cluster; None lets the amount of work decide how many processes."""

_SECONDS_PER_FIT = {False: 0.03, True: 0.3}
_WORTH_PROCESSES = 20.0
"""Seconds of fits below which starting processes, each of which loads the libraries, takes longer than it saves."""
_LARGEST_BATCH = 40


@dataclass(frozen=True)
class Fit:
    """One model on one series at one origin.

    Attributes:
        model_id: Entry of the registry.
        series_id: Name of the series.
        last_period: The origin's period.
        values: Counts from the first observed period to the origin; gaps as NaN; the last one observed.
        season_length: Periods in a season.
    """

    model_id: str
    series_id: str
    last_period: pd.Period
    values: FloatArray
    season_length: int

    def history(self) -> History:
        """The model's view: log1p, gaps interpolated, seeded by name and origin."""
        logs = np.log1p(self.values)
        known = np.flatnonzero(np.isfinite(logs))
        filled = np.interp(np.arange(len(logs)), known, logs[known])
        name = f"{self.model_id}|{self.series_id}|{self.last_period}"
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 2**31
        return History(filled, logs[known], self.season_length, self.last_period, seed)


FitFunction = Callable[[Fit], SafeForecast]
Took = Callable[[dict[int, SafeForecast | CutOff]], None]


def run_fits(
    fits: Sequence[Fit], horizon: int, *, workers: Workers = None, progress: Progress | None = None
) -> list[SafeForecast]:
    """Run fits and give their safe_forecast answers in the order asked.

    A fit that takes too long or too much memory is cut off; the baseline stands in for it, and says so.

    Args:
        fits: What to run.
        horizon: Longest horizon H.
        workers: Processes, a pool of them that stays, or a cluster; by default one process per core where the work is
            worth it, else this alone.
        progress: Told after every batch.
    """
    is_much = sum(_SECONDS_PER_FIT[MODELS[fit.model_id].slow] for fit in fits) > _WORTH_PROCESSES
    if workers is None:
        workers = (os.cpu_count() or 1) if is_much else 1
    answers: dict[int, SafeForecast] = {}

    def took(found: dict[int, SafeForecast | CutOff]) -> None:
        answers.update({place: _with_fallback(fits[place], horizon, answer) for place, answer in found.items()})
        if isinstance(workers, int | SupervisedPool):  # a cluster tells by itself
            report(progress, len(answers), len(fits))

    fit = partial(run_fit, horizon=horizon)
    if isinstance(workers, int):
        batches = _batches(fits, workers)
        if workers > 1 and len(batches) > 1:
            with SupervisedPool(workers) as pool:
                _run_over_processes(pool, fit, fits, batches, took)
    elif isinstance(workers, SupervisedPool):
        batches = _batches(fits, workers.size)
        if batches:
            _run_over_processes(workers, fit, fits, batches, took, processes=None if is_much else 1)
    else:
        batches = _batches(fits, workers.size)
        _run_on_cluster(workers, fit, fits, batches, took, progress)
    rest = ([place for place in batch if place not in answers] for batch in batches)
    with threadpool_limits(1):
        _run_here(fit, fits, [batch for batch in rest if batch], took)
    return [answers[place] for place in range(len(fits))]


def run_fit(fit: Fit, horizon: int) -> SafeForecast:
    """One fit, safe_forecast."""
    return safe_forecast(MODELS[fit.model_id], fit.history(), horizon)


def _with_fallback(fit: Fit, horizon: int, answer: SafeForecast | CutOff) -> SafeForecast:
    if not isinstance(answer, CutOff):
        return answer
    get_logger().info("fit cut off", model_id=fit.model_id, series_id=fit.series_id, origin=str(fit.last_period),
                      reason=answer.reason)  # fmt: skip
    return fallback_forecast(fit.history(), horizon, answer.reason)


def _turn(fit: Fit) -> tuple[bool, str]:
    return not MODELS[fit.model_id].slow, fit.model_id


def _batches(fits: Sequence[Fit], workers: int) -> list[list[int]]:
    """Places of fits in batches; slow models first and in small ones, so that no core waits at the end."""
    places = sorted(range(len(fits)), key=lambda place: _turn(fits[place]))
    size = max(1, min(_LARGEST_BATCH, len(fits) // (8 * workers)))
    return [places[start : start + size] for start in range(0, len(places), size)]


def _run_over_processes(
    pool: SupervisedPool,
    fit: FitFunction,
    fits: Sequence[Fit],
    batches: list[list[int]],
    took: Took,
    *,
    processes: int | None = None,
) -> None:
    try:
        pool.run(fit, fits, batches, operator.attrgetter("model_id"), took, processes=processes)
    except WorkersFailedError as error:
        get_logger().warning("processes failed, the work goes on in one", reason=str(error))


def _run_on_cluster(
    cluster: Cluster,
    fit: FitFunction,
    fits: Sequence[Fit],
    batches: list[list[int]],
    took: Took,
    progress: Progress | None,
) -> None:
    """One round over everything; what a cut-off leaves undone is run here afterwards."""
    work = [[fits[place] for place in batch] for batch in batches]
    found = cluster.run(partial(run_batch, fit, seconds=Limits().seconds), work, progress=progress)
    for batch, answers in zip(batches, found, strict=True):
        took(dict(zip(batch, answers, strict=False)))


def _run_here(fit: FitFunction, fits: Sequence[Fit], batches: list[list[int]], took: Took) -> None:
    breaker, waiting = Breaker(), deque(batches)
    while waiting:
        batch = waiting.popleft()
        verdicts = {place: verdict for place in batch if (verdict := breaker.verdict(fits[place].model_id)) is not None}
        rest = [place for place in batch if place not in verdicts]
        answers = run_batch(fit, [fits[place] for place in rest], Limits().seconds)
        for place, answer in zip(rest, answers, strict=False):
            if isinstance(answer, CutOff):
                breaker.note(fits[place].model_id)
        if verdicts or answers:
            took({**verdicts, **dict(zip(rest, answers, strict=False))})
        if rest[len(answers) :]:
            waiting.appendleft(rest[len(answers) :])


def run_tasks(
    function: Callable[[Task], Answer],
    tasks: Sequence[Task],
    *,
    workers: Workers = None,
    progress: Progress | None = None,
    took: Callable[[int, Answer], None] | None = None,
) -> list[Answer]:
    """Run a function of this package over large tasks, wherever the workers are; answers in the order of the tasks.

    Args:
        function: Defined at the top of a module, so that processes find it.
        tasks: What to give it, one after the other.
        workers: Processes, a pool of them that stays (what its limits cut off is run here, without them), or a cluster;
            by default one process per core where there are several tasks.
        progress: Called after every task.
        took: Called with a task's place and answer when it ends; on a cluster when all have ended.
    """
    answers: dict[int, Answer] = {}

    def taken(place: int, answer: Answer) -> None:
        answers[place] = answer
        if took is not None:
            took(place, answer)
        if workers is None or isinstance(workers, int | SupervisedPool):  # a cluster reports by itself
            report(progress, len(answers), len(tasks))

    if isinstance(workers, SupervisedPool):
        _over_pool(workers, function, tasks, taken)
    elif workers is None or isinstance(workers, int):
        count = min(len(tasks), (os.cpu_count() or 1) if workers is None else workers)
        if count > 1:
            with SupervisedPool(count, UNLIMITED) as pool:
                _over_pool(pool, function, tasks, taken)
    else:
        for place, answer in enumerate(workers.run(function, tasks, progress=progress)):
            taken(place, answer)
    for place, task in enumerate(tasks):
        if place not in answers:
            with threadpool_limits(1):
                taken(place, function(task))
    return [answers[place] for place in range(len(tasks))]


def side_by_side(calls: Sequence[Callable[[], Any]], workers: Workers = None) -> list[Any]:
    """Answers of calculations that do not need each other, in their order.

    Args:
        calls: Functions at the top of a module of this package, with all that they need (:func:`functools.partial`).
        workers: As of :func:`run_tasks`. A pool whose processes do not run yet is not worth waking for them.
    """
    if isinstance(workers, SupervisedPool) and not workers.is_awake:
        workers = 1
    return run_tasks(operator.call, calls, workers=workers)


def _over_pool(
    pool: SupervisedPool,
    function: Callable[[Task], Answer],
    tasks: Sequence[Task],
    taken: Callable[[int, Answer], None],
) -> None:
    """Hand over answers of a pool; none for a task that was cut off."""

    def took(found: dict[int, Answer | CutOff]) -> None:
        for place, answer in found.items():
            if not isinstance(answer, CutOff):
                taken(place, answer)

    try:
        pool.run(function, tasks, [[place] for place in range(len(tasks))], lambda task: str(id(task)), took)
    except WorkersFailedError as error:
        get_logger().warning("processes failed, the work goes on in one", reason=str(error))


def report(progress: Progress | None, done: int, total: int) -> None:
    """Tell whoever wants to know how many tasks are done."""
    if progress is not None:
        progress(done, total)

"""Runs many fits: here, over processes or on a cluster; the numbers are the same whichever way, in whatever order."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from threadpoolctl import (  # type: ignore[import-untyped]  # it publishes no type information
    threadpool_limits,
)

from core.log import get_logger
from core.quantiles import FloatArray
from forecasting.guard import Guarded, guarded
from forecasting.model import History
from forecasting.registry import MODELS

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


Workers = int | Cluster | None
"""Processes, or a cluster; None lets the amount of work decide how many processes."""

_THREAD_SETTINGS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
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


def run_fits(
    fits: Sequence[Fit], horizon: int, *, workers: Workers = None, progress: Progress | None = None
) -> list[Guarded]:
    """Run fits and give their guarded answers in the order asked.

    Args:
        fits: What to run.
        horizon: Longest horizon H.
        workers: Processes or a cluster; by default one process per core where the work is worth it, else this alone.
        progress: Told after every batch.
    """
    if workers is not None and not isinstance(workers, int):
        return _run_on_cluster(fits, horizon, workers, progress)
    if workers is None:
        seconds = sum(_SECONDS_PER_FIT[MODELS[fit.model_id].slow] for fit in fits)
        workers = (os.cpu_count() or 1) if seconds > _WORTH_PROCESSES else 1
    answers: dict[int, Guarded] = {}
    batches = _batches(fits, workers)
    if workers > 1 and len(batches) > 1:
        try:
            _run_over_processes(fits, batches, horizon, workers, answers, progress)
        except BrokenProcessPool as error:
            get_logger().warning("processes_failed", reason=str(error), rest="run in one process")
    for batch in batches:
        if rest := [place for place in batch if place not in answers]:
            answers.update(zip(rest, _run_batch([fits[place] for place in rest], horizon), strict=True))
            _tell(progress, len(answers), len(fits))
    return [answers[place] for place in range(len(fits))]


def _batches(fits: Sequence[Fit], workers: int) -> list[list[int]]:
    """Places of fits in batches; slow models first and in small ones, so that no core waits at the end."""
    places = sorted(range(len(fits)), key=lambda place: (not MODELS[fits[place].model_id].slow, fits[place].model_id))
    size = max(1, min(_LARGEST_BATCH, len(fits) // (8 * workers)))
    return [places[start : start + size] for start in range(0, len(places), size)]


def _run_over_processes(
    fits: Sequence[Fit],
    batches: list[list[int]],
    horizon: int,
    workers: int,
    answers: dict[int, Guarded],
    progress: Progress | None,
) -> None:
    context = multiprocessing.get_context("spawn")
    with one_thread_each(), ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {pool.submit(_run_batch, [fits[place] for place in batch], horizon): batch for batch in batches}
        for done in as_completed(waiting):
            answers.update(zip(waiting[done], done.result(), strict=True))
            _tell(progress, len(answers), len(fits))


def _run_on_cluster(fits: Sequence[Fit], horizon: int, cluster: Cluster, progress: Progress | None) -> list[Guarded]:
    batches = _batches(fits, cluster.size)
    work = [[fits[place] for place in batch] for batch in batches]
    found = cluster.run(partial(_run_batch, horizon=horizon), work, progress=progress)
    answers = dict(zip(itertools.chain(*batches), itertools.chain(*found), strict=True))
    return [answers[place] for place in range(len(fits))]


def _run_batch(fits: list[Fit], horizon: int) -> list[Guarded]:
    with threadpool_limits(1):
        return [guarded(MODELS[fit.model_id], fit.history(), horizon) for fit in fits]


def run_tasks(
    function: Callable[[Task], Answer],
    tasks: Sequence[Task],
    *,
    workers: Workers = None,
    progress: Progress | None = None,
) -> list[Answer]:
    """Run a function of this package over large tasks, wherever the workers are; answers in the order of the tasks.

    Args:
        function: Defined at the top of a module, so that processes find it.
        tasks: What to give it, one after the other.
        workers: Processes or a cluster; by default one process per core where there are several tasks.
        progress: Told after every task.
    """
    if workers is not None and not isinstance(workers, int):
        return workers.run(function, tasks, progress=progress)
    count = min(len(tasks), (os.cpu_count() or 1) if workers is None else workers)
    answers: list[Answer] = []
    if count > 1:
        try:
            context = multiprocessing.get_context("spawn")
            with one_thread_each(), ProcessPoolExecutor(count, mp_context=context) as pool:
                for answer in pool.map(function, tasks):
                    answers.append(answer)
                    _tell(progress, len(answers), len(tasks))
        except BrokenProcessPool as error:
            get_logger().warning("processes_failed", reason=str(error), rest="run in one process")
    for task in tasks[len(answers) :]:
        with threadpool_limits(1):
            answers.append(function(task))
        _tell(progress, len(answers), len(tasks))
    return answers


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Let child processes load numpy with one thread: small fits are 3–15 times slower with several."""
    before = {name: os.environ.get(name) for name in _THREAD_SETTINGS}
    os.environ.update(dict.fromkeys(_THREAD_SETTINGS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

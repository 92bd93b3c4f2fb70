"""Runs fits and other tasks here, in processes or on a cluster; the numbers are the same whichever way."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it publishes no type information

from core import FloatArray
from core.log import get_logger
from forecasting import History
from forecasting.models import MODELS, SafeForecast, fallback_forecast, safe_forecast
from forecasting.pool import CUT_OFF, UNLIMITED, Answer, CutOff, Limits, Pool, Task

Progress = Callable[[int, int], None]
"""Called with the number of fits that are done, and their total."""


Workers = int | Pool | None
"""Processes, a pool of them that stays, or a cluster (:mod:`forecasting.distributed`); None lets the amount of work
decide how many processes."""

_WORTH_PROCESSES = 600
"""Fits of fast models below which starting processes, each of which loads the libraries, takes longer than it saves."""
_LARGEST_BATCH = 40
"""Most fits that travel together."""
MOST_CUT_OFFS = 3
"""Cut-off fits of a model after which its remaining fits of a run are left out."""


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
) -> list[SafeForecast]:
    """Run fits and return their answers, as of :func:`forecasting.models.safe_forecast`, in the order asked.

    A fit that takes too long or too much memory is cut off; the baseline stands in for it, with the reason.

    Args:
        fits: What to run.
        horizon: Longest horizon H.
        workers: Processes, a pool of them that stays, or a cluster; by default one process per core if there is much to
            do or a model is slow, else this process, where nothing is cut off.
        progress: Called after every fit that was tried.
    """
    is_much = len(fits) > _WORTH_PROCESSES or any(MODELS[fit.model_id].slow for fit in fits)
    if workers is None and not is_much:
        workers = 1
    untried = CutOff(f"{CUT_OFF} untried: {MOST_CUT_OFFS} earlier fits of this model were cut off")
    answers: list[SafeForecast | CutOff] = [untried] * len(fits)
    with _pool(workers, len(fits), Limits()) as pool:
        run = _run_batches(pool, fits, _batches(fits, pool.size), horizon)
        for done, (place, answer) in enumerate(run, start=1):
            answers[place] = answer
            if progress is not None:
                progress(done, len(fits))
    return [_with_fallback(fit, horizon, answer) for fit, answer in zip(fits, answers, strict=True)]


def run_batch(horizon: int, fits: Iterable[Fit]) -> list[SafeForecast]:
    """Run fits one after the other."""
    return [safe_forecast(MODELS[fit.model_id], fit.history(), horizon) for fit in fits]


def _with_fallback(fit: Fit, horizon: int, answer: SafeForecast | CutOff) -> SafeForecast:
    if not isinstance(answer, CutOff):
        return answer
    get_logger().info("fit cut off", model_id=fit.model_id, series_id=fit.series_id, origin=str(fit.last_period),
                      reason=str(answer))  # fmt: skip
    return fallback_forecast(fit.history(), horizon, str(answer))


def _batches(fits: Sequence[Fit], workers: int) -> list[list[int]]:
    """Return places of fits: one by one for slow models, first, so that no core waits at the end; then together."""
    places = sorted(range(len(fits)), key=lambda place: fits[place].model_id)
    slow, fast = ([place for place in places if MODELS[fits[place].model_id].slow == kind] for kind in (True, False))
    size = max(1, min(_LARGEST_BATCH, len(fits) // (8 * max(1, workers))))
    return [[place] for place in slow] + [fast[start : start + size] for start in range(0, len(fast), size)]


def _run_batches(
    pool: Pool, fits: Sequence[Fit], batches: Iterable[list[int]], horizon: int
) -> Iterator[tuple[int, SafeForecast | CutOff]]:
    """Yield places and answers; the fits of a batch that is cut off run again, each as a batch of its own."""
    waiting, cut_offs = deque(batches), Counter[str]()

    def tried() -> Iterator[tuple[list[int], list[Fit]]]:
        while waiting:
            batch = [place for place in waiting.popleft() if cut_offs[fits[place].model_id] < MOST_CUT_OFFS]
            yield batch, [fits[place] for place in batch]

    while waiting:
        for batch, found in pool.run(partial(run_batch, horizon), tried(), pool.limits.seconds):
            if not isinstance(found, CutOff):
                yield from zip(batch, found, strict=True)
            elif len(batch) > 1:
                waiting.extend([place] for place in batch)
            else:
                cut_offs[fits[batch[0]].model_id] += 1
                yield batch[0], found


def run_tasks(
    function: Callable[[Task], Answer],
    tasks: Sequence[Task],
    *,
    workers: Workers = None,
    is_small: bool = False,
    progress: Progress | None = None,
    took: Callable[[int, Answer], None] = lambda _place, _answer: None,
) -> list[Answer]:
    """Run a function of this package over large tasks and return the answers in the order of the tasks.

    Args:
        function: Defined at the top of a module, so that processes find it.
        tasks: Its arguments, one after the other; to run several functions, give ``operator.call`` and
            :func:`functools.partial` objects.
        workers: Processes, a pool of them that stays, or a cluster; by default one process per core. A task that takes
            more memory than a pool allows is run here.
        is_small: The tasks take less time than starting processes: only processes that run already help.
        progress: Called after every task.
        took: Called with a task's place and answer when it ends.
    """
    answers: dict[int, Answer] = {}
    if (is_small or len(tasks) < 2) and not (isinstance(workers, Pool) and workers.pids):
        workers = 1
    with _pool(workers, len(tasks), UNLIMITED) as pool:
        for place, answer in pool.run(function, enumerate(tasks)):
            answers[place] = function(tasks[place]) if isinstance(answer, CutOff) else answer
            took(place, answers[place])
            if progress is not None:
                progress(len(answers), len(tasks))
    return [answers[place] for place in range(len(tasks))]


@contextlib.contextmanager
def _pool(workers: int | Pool | None, tasks: int, limits: Limits) -> Iterator[Pool]:
    """Yield a given pool, or one for this round: of no process where one would do."""
    with threadpool_limits(1):
        if isinstance(workers, Pool):
            yield workers
        else:
            with Pool(0 if workers == 1 else min(tasks, workers or os.cpu_count() or 1), limits) as pool:
                yield pool

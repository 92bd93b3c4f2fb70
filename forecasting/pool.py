"""Processes that run tasks in batches, each watched: what hangs or dies costs its own answer and no other.

No kept library watches single tasks inside of batches by a clock that nobody sets: pebble's deadlines follow the wall
clock and would cut off everything when it jumps.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from ctypes import Array, c_double
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import ModuleType
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it publishes no type information

from forecasting.limits import (
    CUT_OFF,
    Breaker,
    CutOff,
    CutOffError,
    Limits,
    end_children,
    end_with_parent,
    limit_memory,
    time_limit,
    took_too_long,
)

Task = TypeVar("Task")
Answer = TypeVar("Answer")

_THREAD_SETTINGS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_GRACE_SECONDS = 5.0
"""A fit that does not heed its own alarm, deep in a compiled library, is killed with its process so much later."""
_LOOK_SECONDS = 1.0
MOST_DEATHS = 2
"""A task whose process died is tried once more alone: what killed it may have been its neighbour's hunger."""
_MOST_FAILED_STARTS = 3


class WorkersFailedError(Exception):
    """Processes cannot be started here."""


def run_batch(
    function: Callable[[Task], Answer],
    tasks: Sequence[Task],
    seconds: float,
    begun: Callable[[int], None] = lambda _place: None,
) -> list[Answer | CutOff]:
    """Answers of tasks one after the other, up to the first one that is cut off: who asked decides about the rest.

    Who asks also sees to it that linear algebra runs in one thread.
    """
    answers: list[Answer | CutOff] = []
    for place, task in enumerate(tasks):
        begun(place)
        try:
            with time_limit(seconds):
                answers.append(function(task))
        except CutOffError:
            return [*answers, took_too_long(seconds)]
        except MemoryError:
            return [*answers, CutOff(f"{CUT_OFF}: it needs more memory than is allowed")]
    return answers


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    marks: Array[c_double]
    """Place in the batch, and the monotonic time at which it was begun; 0 before the first."""
    batch: list[int] | None = None

    def overdue(self, seconds: float) -> bool:
        """True where the task at hand should have ended by itself long ago."""
        return self.marks[1] > 0 and time.monotonic() - self.marks[1] > seconds + _GRACE_SECONDS

    def end(self) -> None:
        """Kill it, with what it started."""
        if self.process.pid is not None:
            end_children(self.process.pid)
        self.process.kill()
        self.process.join()
        self.pipe.close()


class SupervisedPool:
    """Processes that stay for several rounds of tasks; a context that ends them."""

    def __init__(self, size: int | None = None, limits: Limits | None = None) -> None:
        self.size = size or os.cpu_count() or 1
        self.limits = limits or Limits()
        self._workers: list[_Worker] = []

    def __enter__(self) -> SupervisedPool:
        """Nothing is started before it is needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every process."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def start(self, processes: int | None = None) -> None:
        """Let processes, all by default, load their libraries while something else goes on."""
        while len(self._workers) < min(processes or self.size, self.size):
            self._workers.append(_start(self.limits.megabytes))

    def run(
        self,
        function: Callable[[Task], Answer],
        tasks: Sequence[Task],
        batches: Sequence[Sequence[int]],
        kind: Callable[[Task], str],
        took: Callable[[dict[int, Answer | CutOff]], None],
        *,
        processes: int | None = None,
    ) -> None:
        """Run tasks and hand over their answers as they come.

        Args:
            function: Defined at the top of a module, so that processes find it.
            tasks: What to give it.
            batches: Places of tasks that travel together.
            kind: What a task belongs to; a kind that is cut off several times is given up.
            took: Called with answers by place.
            processes: How many the tasks are worth; all by default. Those that run already help anyway.

        Raises:
            WorkersFailedError: Processes do not start; what was handed over counts.
        """
        self.start(processes)
        _Round(self, function, tasks, kind, took).run(batches)

    def replace(self, worker: _Worker) -> None:
        """End a process and start another in its place."""
        worker.end()
        self._workers[self._workers.index(worker)] = _start(self.limits.megabytes)

    def drop(self, worker: _Worker) -> None:
        """End a process that would not begin, and do without."""
        worker.end()
        self._workers.remove(worker)

    @property
    def is_awake(self) -> bool:
        """Several processes run: giving them work costs no start."""
        return len(self._workers) > 1

    @property
    def workers(self) -> list[_Worker]:
        """The processes there are."""
        return list(self._workers)


class _Round:
    """One round of tasks on a pool."""

    def __init__(
        self,
        pool: SupervisedPool,
        function: Callable[[Any], Any],
        tasks: Sequence[Any],
        kind: Callable[[Any], str],
        took: Callable[[dict[int, Any]], None],
    ) -> None:
        self._pool, self._function, self._tasks, self._kind, self._took = pool, function, tasks, kind, took
        self._waiting: deque[list[int]] = deque()
        self._breaker, self._deaths, self._failed_starts = Breaker(), Counter[int](), 0

    def run(self, batches: Sequence[Sequence[int]]) -> None:
        for worker in self._pool.workers:
            if worker.batch is not None:  # left over from a round that an error ended
                self._pool.replace(worker)
        self._waiting.extend(list(batch) for batch in batches)
        while self._waiting or any(worker.batch for worker in self._pool.workers):
            for worker in self._pool.workers:
                if worker.batch is None:
                    self._give(worker)
            busy = [worker for worker in self._pool.workers if worker.batch]
            multiprocessing.connection.wait(
                [*(worker.pipe for worker in busy), *(worker.process.sentinel for worker in busy)], _LOOK_SECONDS
            )
            for worker in busy:
                self._poll(worker)

    def _give(self, worker: _Worker) -> None:
        while self._waiting:
            batch = self._without_given_up(self._waiting.popleft())
            if batch:
                worker.batch, worker.marks[1] = batch, 0.0
                # Where it died meanwhile, it is found dead when it is looked after.
                with contextlib.suppress(OSError):
                    work = [self._tasks[place] for place in batch]
                    worker.pipe.send((self._function, work, self._pool.limits.seconds))
                return

    def _without_given_up(self, batch: list[int]) -> list[int]:
        verdicts = {place: self._breaker.verdict(self._kind(self._tasks[place])) for place in batch}
        given_up = {place: verdict for place, verdict in verdicts.items() if verdict is not None}
        if given_up:
            self._took(given_up)
        return [place for place in batch if place not in given_up]

    def _poll(self, worker: _Worker) -> None:
        batch = worker.batch or []
        try:
            answers = worker.pipe.recv() if worker.pipe.poll() else None
        except (EOFError, OSError):
            answers = None
        if answers is not None:
            worker.batch = None
            self._take(batch, answers)
        elif not worker.process.is_alive():
            self._handle_dead_worker(worker, batch)
        elif worker.overdue(self._pool.limits.seconds):
            place = int(worker.marks[0])
            self._pool.replace(worker)
            self._take([batch[place]], [took_too_long(self._pool.limits.seconds)])
            self._put_back(batch[:place] + batch[place + 1 :])

    def _take(self, batch: list[int], answers: list[Any] | BaseException) -> None:
        if isinstance(answers, BaseException):
            raise answers
        for place, answer in zip(batch, answers, strict=False):
            if isinstance(answer, CutOff):
                self._breaker.note(self._kind(self._tasks[place]))
        self._took(dict(zip(batch, answers, strict=False)))
        self._put_back(batch[len(answers) :])

    def _handle_dead_worker(self, worker: _Worker, batch: list[int]) -> None:
        """A process died: by a task's hunger, by somebody's hand, or because it cannot even start."""
        begun, place = worker.marks[1] > 0, int(worker.marks[0])
        if not begun:
            self._put_back(batch)
            self._failed_starts += 1
            if self._failed_starts < _MOST_FAILED_STARTS:
                self._pool.replace(worker)
            elif len(self._pool.workers) > 1:
                self._pool.drop(worker)
            else:
                raise WorkersFailedError(f"{self._failed_starts} processes ended before they began to work")
            return
        self._pool.replace(worker)
        suspect = batch[place]
        self._deaths[suspect] += 1
        if self._deaths[suspect] >= MOST_DEATHS:
            self._take(
                [suspect], [CutOff(f"{CUT_OFF}: its process died {MOST_DEATHS} times, perhaps for want of memory")]
            )
        else:
            self._put_back([suspect])
        self._put_back(batch[:place] + batch[place + 1 :])

    def _put_back(self, batch: list[int]) -> None:
        if batch:
            self._waiting.appendleft(batch)


def _start(megabytes: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    marks = context.RawArray(c_double, 2)
    process = context.Process(target=_serve, args=(theirs, marks, megabytes, os.getpid()), daemon=True)
    with one_thread_each(), _without_script():
        process.start()
    theirs.close()
    return _Worker(process, ours, marks)


def _serve(pipe: Connection, marks: Array[c_double], megabytes: int, parent: int) -> None:
    """What a process does: batch after batch, until who gives them is gone."""
    # Ctrl+C reaches every process of the terminal; the one that started this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(parent)
    # Loading takes seconds and memory that are no task's own.
    importlib.import_module("forecasting.models")
    limit_memory(megabytes)

    def begun(place: int) -> None:
        marks[0], marks[1] = place, time.monotonic()

    # Whoever gives the work is gone when the pipe ends.
    with threadpool_limits(1), contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            content = pipe.recv_bytes()
            answers: list[Any] | Exception
            try:
                function, tasks, seconds = pickle.loads(content)  # noqa: S301  # written by the process that started this
                answers = run_batch(function, tasks, seconds, begun)
            except Exception as error:  # a fault in a task belongs to whoever asked for it
                answers = error
            pipe.send(answers)


@contextlib.contextmanager
def _without_script() -> Iterator[None]:
    """Start child processes without the caller's script: multiprocessing would run it again in each of them."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


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

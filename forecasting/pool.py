"""Runs tasks in processes: a task that hangs, takes too much memory or kills its process costs its own answer only."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import itertools
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from core.log import get_logger

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Key = TypeVar("Key")

CUT_OFF = "cut off"
"""Begins every reason that is about limits and not about the series: such a forecast is tried again the next night."""
_THREAD_SETTINGS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_STARTING = threading.Lock()
"""Held while environment and script are others than those of this process."""


class CutOff(str):
    """Stands in place of an answer: the reason why it is missing."""

    __slots__ = ()


@dataclass(frozen=True)
class Limits:
    """Limits of one fit in a process of a pool.

    Attributes:
        seconds: Longest time.
        megabytes: Most memory, in addition to what the process holds before.
    """

    seconds: float = 120.0
    megabytes: int = 2048


UNLIMITED = Limits(seconds=1e7, megabytes=1 << 30)


class Pool(contextlib.AbstractContextManager["Pool"]):
    """Processes that are started when they are needed and stay for several rounds; a context that ends them.

    Rounds of several threads share them: a process runs one task at a time.

    Attributes:
        size: Most processes; 0 runs tasks in this process, without limits, as where processes do not start.
        limits: Limits of one fit.
    """

    def __init__(self, size: int | None = None, limits: Limits | None = None) -> None:
        self.size = (os.cpu_count() or 1) if size is None else size
        self.limits = limits or Limits()
        self._workers, self._busy, self._freed = list[_Worker](), set[_Worker](), threading.Condition()
        self._starter = ThreadPoolExecutor(1)  # Linux kills a process with the thread that started it, see _set_up

    def __exit__(self, *_: object) -> None:
        """End every process at once."""
        while self._workers:
            self._workers.pop().kill()
        self._starter.shutdown()

    def start(self) -> None:
        """Start all processes, so that they load their libraries while other work goes on."""
        try:
            while len(self._workers) < self.size:
                self._workers.append(self._starter.submit(_Worker, self.limits.megabytes).result())
        except (OSError, NotImplementedError) as error:  # too many processes, or a system without semaphores
            self._go_on_with(self._workers, error)

    @property
    def pids(self) -> list[int]:
        """Return the ids of the processes that run."""
        return [pid for worker in self._workers for pid in worker.processes]

    def run(
        self, function: Callable[[Task], Answer], tasks: Iterable[tuple[Key, Task]], seconds: float = math.inf
    ) -> Iterator[tuple[Key, Answer | CutOff]]:
        """Run tasks and yield each one's key and answer when it ends.

        Args:
            function: Defined at the top of a module, so that processes find it.
            tasks: Keys and arguments; the next one is taken when a process is free for it.
            seconds: Longest time of a task.

        Raises:
            Exception: Whatever the function raises.
        """
        waiting, running = iter(tasks), dict[_Worker, tuple[Key, Future[Answer], float]]()
        ahead: list[tuple[Key, Task]] = []
        try:
            while running or ahead or (ahead := [*itertools.islice(waiting, 1)]):
                if not self._are_ready():
                    break
                with self._freed:  # another round may hold every process
                    self._freed.wait_for(lambda: running or self._idle() or not self._workers)
                    for worker in self._idle():
                        for key, task in ahead or itertools.islice(waiting, 1):
                            running[worker] = key, worker.submit(function, task), time.monotonic() + seconds
                            self._busy.add(worker)
                        ahead = []
                left = min((end for _, _, end in running.values()), default=0.0) - time.monotonic()
                futures = [future for _, future, _ in running.values()]
                wait(futures, min(max(left, 0.0), threading.TIMEOUT_MAX), FIRST_COMPLETED)
                for worker, (key, future, end) in [*running.items()]:
                    if future.done() or end <= time.monotonic():
                        answer = _answer(future, seconds)
                        if isinstance(answer, CutOff):
                            worker.kill()
                            self._workers.remove(worker)
                        del running[worker]
                        self._free(worker)
                        yield key, answer
        finally:
            self._free(*running)
        for key, task in itertools.chain(ahead, waiting):
            yield key, function(task)

    def _free(self, *workers: _Worker) -> None:
        """Leave processes to other rounds."""
        with self._freed:
            self._busy.difference_update(workers)
            self._freed.notify_all()

    def _idle(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker not in self._busy]

    def _are_ready(self) -> bool:
        """Start what is missing and wait for it; return False where no process starts."""
        with self._freed:
            self.start()
        if failures := {worker: error for worker in self._workers if (error := worker.ready.exception())}:
            self._go_on_with([one for one in self._workers if one not in failures], *failures.values())
        return bool(self._workers)

    def _go_on_with(self, workers: list[_Worker], error: BaseException, *_more: BaseException) -> None:
        get_logger().warning("processes failed, the work goes on without them", reason=str(error))
        self._workers, self.size = workers, len(workers)


class _Worker:
    """One process, alone in its executor: if it ends, the task that it ran is known.

    Attributes:
        ready: Ends when the process has loaded its libraries; its exception says that it did not start.
    """

    def __init__(self, megabytes: int) -> None:
        self._executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        with _STARTING, one_thread_each(), _without_script():
            self.ready = self._executor.submit(_set_up, os.getpid(), megabytes)
        self.processes = dict(self._executor._processes)

    def submit(self, function: Callable[[Task], Answer], task: Task) -> Future[Answer]:
        """Run a task; the answer of a process that ended before is that it is broken."""
        try:
            return self._executor.submit(function, task)
        except BrokenProcessPool as error:
            future = Future[Answer]()
            future.set_exception(error)
            return future

    def kill(self) -> None:
        """Kill the process, with what it started."""
        # Without this, the executor would wait for the end of an answer whose sender is killed.
        self._executor._result_queue._writer.close()  # type: ignore[attr-defined]  # the public kill_workers needs Python 3.14
        for pid, process in self.processes.items():
            with contextlib.suppress(OSError, AttributeError):  # not started yet, or a system without groups
                os.killpg(pid, signal.SIGKILL)
            process.kill()
        self._executor.shutdown()


def _answer(future: Future[Answer], seconds: float) -> Answer | CutOff:
    try:
        return future.result(0)
    except TimeoutError:
        return CutOff(f"{CUT_OFF} after {seconds:g} s")
    except MemoryError:
        return CutOff(f"{CUT_OFF}: it needs more memory than is allowed")
    except BrokenProcessPool:
        return CutOff(f"{CUT_OFF}: its process died, perhaps for want of memory")


def _set_up(parent: int, megabytes: int) -> None:
    """Prepare a process of the pool: it ends with its parent, even by kill -9, and has limited memory (Linux)."""
    with contextlib.suppress(AttributeError):  # a group of its own: what it starts, as Prophet does, is killed with it
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(1)
    importlib.import_module("forecasting.models")  # takes seconds and memory that belong to no task
    if sys.platform == "linux":
        import resource  # noqa: PLC0415  # not on every system

        held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        most, hard = held + (megabytes << 20), resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))


@contextlib.contextmanager
def _without_script() -> Iterator[None]:
    """Start processes without the caller's script, which multiprocessing would run again in each of them."""
    script, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Start processes in which numpy has one thread: small fits are 3 to 15 times slower with several."""
    before = {name: os.environ[name] for name in _THREAD_SETTINGS if name in os.environ}
    os.environ.update(dict.fromkeys(_THREAD_SETTINGS, "1"))
    try:
        yield
    finally:
        for name in _THREAD_SETTINGS:
            os.environ.pop(name, None)
        os.environ.update(before)

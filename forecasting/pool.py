"""Runs tasks in processes: a task that hangs, takes too much memory or kills its process costs its own answer only."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import FrameType, ModuleType
from typing import TypeVar

from core.log import get_logger

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Key = TypeVar("Key")

CUT_OFF = "cut off"
"""Begins every reason that is about limits and not about the series: such a forecast is tried again the next night."""
_AGAIN_SECONDS = 1.0
_GRACE_SECONDS = 5.0
"""Time after its limit at which a task that does not return to Python from a compiled library ends its process."""
_OVERDUE_EXIT = 1
"""Exit code of a process that :mod:`faulthandler` ended."""
_MOST_FAILED_STARTS = 3
_THREAD_SETTINGS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_STARTING = threading.Lock()
"""Held while environment and script are others than those of this process."""
_IMPORTS = "<frozen importlib._bootstrap>"
"""File of the frames in which Python loads a module."""


class CutOff(BaseException):
    """Stands in place of an answer, with the reason why it is missing.

    Not an ``Exception``: models turn those into a fit that failed.
    """


@dataclass(frozen=True)
class Limits:
    """Limits of one fit.

    Attributes:
        seconds: Longest time.
        megabytes: Most memory, in addition to what the process holds before; applied in a pool's processes only.
    """

    seconds: float = 120.0
    megabytes: int = 2048


UNLIMITED = Limits(seconds=1e7, megabytes=1 << 30)


class Pool(contextlib.AbstractContextManager["Pool"]):
    """Processes that are started when they are needed and stay for several rounds; a context that ends them.

    Attributes:
        size: Most processes; 0 runs tasks in this process, which is the fallback where processes do not start.
        limits: Limits of one fit.
    """

    def __init__(self, size: int | None = None, limits: Limits | None = None) -> None:
        self.size = (os.cpu_count() or 1) if size is None else size
        self.limits = limits or Limits()
        self._executor: ProcessPoolExecutor | None = None
        self._has_begun = ctypes.c_bool()
        self._failed_starts = 0

    def __exit__(self, *_: object) -> None:
        """End every process at once."""
        self._end()

    def start(self) -> None:
        """Start all processes, so that they load their libraries while other work goes on."""
        for _ in range(self.size):
            self._submit(str, "", UNLIMITED.seconds)

    @property
    def pids(self) -> list[int]:
        """Return the ids of the processes that run."""
        return [] if self._executor is None else [*self._executor._processes]

    def run(
        self, function: Callable[[Task], Answer], tasks: Iterable[tuple[Key, Task]], seconds: float = UNLIMITED.seconds
    ) -> Iterator[tuple[Key, Answer | CutOff]]:
        """Run tasks and yield each one's key and answer when it ends.

        Tasks that ran when a process died run again, one at a time. One whose process dies then too is cut off.

        Args:
            function: Defined at the top of a module, so that processes find it.
            tasks: Keys and arguments; the next one is taken when a process is free for it.
            seconds: Longest time of a task.

        Raises:
            Exception: Whatever the function raises.
        """
        waiting, suspects = iter(tasks), deque[tuple[Key, Task]]()
        while True:
            alone = [suspects.popleft()] if suspects else []
            lost = yield from self._attempt(function, iter(alone) if alone else waiting, seconds)
            if lost is None and not alone:
                return
            if lost and alone and self._has_begun.value:
                yield alone[0][0], CutOff(f"{CUT_OFF}: its process died twice, perhaps for want of memory")
            elif lost:
                suspects.extend(lost)

    def _attempt(
        self, function: Callable[[Task], Answer], tasks: Iterator[tuple[Key, Task]], seconds: float
    ) -> Generator[tuple[Key, Answer | CutOff], None, list[tuple[Key, Task]] | None]:
        """Run tasks until a process dies; return those that ran then, or None if all have ended."""
        running = dict[Future[Answer | CutOff], tuple[Key, Task, float]]()
        try:
            while True:
                for key, task in islice(tasks, max(self.size, 1) - len(running)):
                    begun = time.monotonic()
                    running[self._submit(function, task, seconds)] = key, task, begun
                if not running:
                    return None
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    answer = future.result()
                    yield running.pop(future)[0], answer
        except BrokenProcessPool as error:
            is_overdue, now = _OVERDUE_EXIT in self._end(), time.monotonic()
            if not self._has_begun.value:
                self._failed_starts += 1
                if self._failed_starts == _MOST_FAILED_STARTS:
                    get_logger().warning("processes failed, the work goes on in one", reason=str(error))
                    self.size = 0
            lost = []
            for key, task, begun in running.values():
                if is_overdue and now - begun > seconds:
                    yield key, _too_long(seconds)
                else:
                    lost.append((key, task))
            return lost

    def _submit(self, function: Callable[[Task], Answer], task: Task, seconds: float) -> Future[Answer | CutOff]:
        future = Future[Answer | CutOff]()
        if not self.size:
            future.set_result(_limited(function, task, seconds))
            return future
        try:
            with _STARTING, one_thread_each(), _without_script():
                if self._executor is None:
                    context = multiprocessing.get_context("spawn")
                    self._has_begun = context.RawValue(ctypes.c_bool)
                    given = os.getpid(), self.limits.megabytes, self._has_begun
                    self._executor = ProcessPoolExecutor(self.size, context, _set_up, given)
                return self._executor.submit(_watched, function, task, seconds)
        except (BrokenProcessPool, OSError, NotImplementedError) as error:  # a death, too many processes, no semaphores
            future.set_exception(BrokenProcessPool(str(error)))
            return future

    def _end(self) -> list[int | None]:
        """Kill every process, with what it started; return their exit codes."""
        executor, self._executor = self._executor, None
        if executor is None:
            return []
        processes = [*executor._processes.values()]
        # Without this, the executor would wait for the end of an answer whose sender is killed.
        executor._result_queue._writer.close()  # type: ignore[attr-defined]  # the public kill_workers needs Python 3.14
        for process in processes:
            _kill_children(process.pid or 0)
            process.kill()
        executor.shutdown()
        return [process.exitcode for process in processes]


def _watched(function: Callable[[Task], Answer], task: Task, seconds: float) -> Answer | CutOff:
    """Run a task in a process of the pool, which ends if the task does not return to Python in time."""
    with Path(os.devnull).open("w") as nowhere:
        faulthandler.dump_traceback_later(seconds + _GRACE_SECONDS, exit=True, file=nowhere)
        try:
            return _limited(function, task, seconds)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _limited(function: Callable[[Task], Answer], task: Task, seconds: float) -> Answer | CutOff:
    """Return the answer of a task, or why it was cut off."""
    try:
        with _time_limit(seconds):
            return function(task)
    except CutOff as cut_off:
        return cut_off
    except MemoryError:
        return CutOff(f"{CUT_OFF}: it needs more memory than is allowed")


def _too_long(seconds: float) -> CutOff:
    return CutOff(f"{CUT_OFF} after {seconds:g} s")


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise in the block when its time is over; no limit outside of a process's main thread.

    Processes that the block started, such as Stan's, are killed; earlier ones are spared. A library that is being
    loaded is loaded to its end first: a partly loaded one would fail every later fit of this process.

    Raises:
        CutOff: The block took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = _children(os.getpid())

    def cut_off(_number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_filename == _IMPORTS:
                return
            frame = frame.f_back
        _kill_children(os.getpid(), spared=earlier)
        raise _too_long(seconds)

    before = signal.signal(signal.SIGALRM, cut_off)
    # The alarm repeats: a library may swallow an error raised inside one of its callbacks, or was being loaded.
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        # The alarm may ring while it is being turned off.
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


def _set_up(parent: int, megabytes: int, has_begun: ctypes.c_bool) -> None:
    """Prepare a process of the pool: it ends with its parent, even by kill -9, and has limited memory (Linux)."""
    # Ctrl+C reaches every process of a terminal. The executor sends SIGTERM when another process died; the pool then
    # ends its processes itself, with what they started.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
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
    has_begun.value = True


def _kill_children(pid: int, spared: Collection[int] = ()) -> None:
    """Kill the processes that a process started and their own, but for children that are spared (Linux)."""
    for child in _children(pid).difference(spared):
        _kill_children(child)
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)


def _children(pid: int) -> set[int]:
    found = set[int]()
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found.update(map(int, listing.read_text().split()))
    return found


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

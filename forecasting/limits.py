"""What a fit may take: after so many seconds it is cut off, so that one stuck fit costs a member and not the night."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

CUT_OFF = "cut off"
"""Begins every reason that is about limits and not about the series: such a forecast is tried anew another night."""
MOST_CUT_OFFS = 3
"""From so many on, a model's remaining fits of a run are left out: it would be cut off every time."""
_AGAIN_SECONDS = 1.0
_IMPORTS = "<frozen importlib._bootstrap>"
"""File of the frames in which Python loads a module."""


@dataclass(frozen=True)
class Limits:
    """What one fit may take.

    Attributes:
        seconds: Longest time of one fit.
        megabytes: Most memory of one fit, beyond what its process holds anyway.
    """

    seconds: float = 120.0
    megabytes: int = 2048


UNLIMITED = Limits(seconds=1e7, megabytes=1 << 30)


class CutOffError(BaseException):
    """A fit took too long. Not an ``Exception``: models turn those into a fit that failed."""


@dataclass(frozen=True)
class CutOff:
    """In place of an answer: why there is none."""

    reason: str


@dataclass
class Breaker:
    """Remembers which models were cut off, and gives them up after some times."""

    _counts: Counter[str] = field(default_factory=Counter)

    def note(self, model_id: str) -> None:
        """A fit of this model was cut off."""
        self._counts[model_id] += 1

    def verdict(self, model_id: str) -> CutOff | None:
        """Why a model's further fits are left out; None where they are not."""
        if self._counts[model_id] < MOST_CUT_OFFS:
            return None
        return CutOff(f"{CUT_OFF} untried: {MOST_CUT_OFFS} earlier fits of this model were cut off")


def took_too_long(seconds: float) -> CutOff:
    """The answer in place of a fit that took too long."""
    return CutOff(f"{CUT_OFF} after {seconds:g} s")


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise in the block once it took too long; only a process's main thread can be limited so.

    Processes that the block started, such as Stan's, are ended; those of before are spared. A library that is being
    loaded is loaded to its end first: half of it would stay, and fail every later fit of this process.

    Raises:
        CutOffError: The block took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    begun = _since_boot()

    def cut_off(_number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            return
        end_children(os.getpid(), begun)
        raise CutOffError

    before = signal.signal(signal.SIGALRM, cut_off)
    # It rings again: a library may swallow what is raised inside one of its callbacks, or was being loaded.
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


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != _IMPORTS:
        frame = frame.f_back
    return frame is not None


def limit_memory(megabytes: int) -> None:
    """Refuse this process more memory than it holds now and so much on top (Linux): a fit meets ``MemoryError``."""
    status = Path("/proc/self/status")
    if not status.exists():
        return
    import resource  # noqa: PLC0415  # not on every system

    held = next(line for line in status.read_text().splitlines() if line.startswith("VmData:"))
    most = (int(held.split()[1]) << 10) + (megabytes << 20)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))


def end_with_parent(parent: int) -> None:
    """End this process at once when the one that started it ends, even by kill -9 (Linux).

    Args:
        parent: Who started it; it may have ended before this was called.
    """
    if sys.platform == "linux":
        death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def end_children(pid: int, born_after: float = 0.0) -> None:
    """Kill what a process started, and what that started (Linux).

    Args:
        pid: The process.
        born_after: Spare what was started before; seconds since the machine was.
    """
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in (int(text) for text in listing.read_text().split()):
                if _born(child) >= born_after:
                    end_children(child)
                    os.kill(child, signal.SIGKILL)


def _born(pid: int) -> float:
    # The 22nd field of proc(5)'s stat; the second one, a name in brackets, may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _since_boot() -> float:
    """Seconds since the machine was started, by the tick before; 0 where there is no such clock (not Linux)."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return 0.0 if clock is None else time.clock_gettime(clock) - 2 / os.sysconf("SC_CLK_TCK")

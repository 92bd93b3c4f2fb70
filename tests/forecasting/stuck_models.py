"""Models that misbehave and tasks that report their process, for processes to find by name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from threadpoolctl import threadpool_info  # type: ignore[import-untyped]  # it publishes no type information

from core import FloatArray
from forecasting import BASELINE, History, Model
from forecasting.models import MODELS


def sleeps(_history: History, _horizon: int) -> FloatArray:
    with contextlib.suppress(Exception):  # as libraries do
        time.sleep(600)
    raise AssertionError("nothing cut it off")


def dies(_history: History, _horizon: int) -> FloatArray:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives on")


def eats(_history: History, _horizon: int) -> FloatArray:
    raise AssertionError(f"{len(bytearray(1 << 30))} bytes were given")


STUCK = {f"vigie-{one.__name__}": one for one in (sleeps, dies, eats)}


def model(model_id: str) -> Model:
    return replace(MODELS[BASELINE], model_id=model_id, version="1", predict=STUCK[model_id], slow=True)


def register() -> None:
    for model_id in STUCK:
        MODELS[model_id] = model(model_id)


def about_process(_: object) -> tuple[int, set[int], bool]:
    """Return the process, the threads of its linear algebra, and whether it ignores Ctrl+C."""
    threads = {library["num_threads"] for library in threadpool_info()}
    return os.getpid(), threads, signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def end_elsewhere(home: int) -> int:
    """Return this process, unless it is another one than ``home``: that is killed."""
    if os.getpid() != home:
        os.kill(os.getpid(), signal.SIGKILL)
    return home


def note_and_hang(noted: Path) -> None:
    """Note the process that this task starts, and hang."""
    child = subprocess.Popen(["sleep", "3600"])
    with noted.open("a") as lines:
        lines.write(f"{child.pid}\n")
    time.sleep(600)


def exit_at_once(*_: object) -> None:
    os._exit(3)

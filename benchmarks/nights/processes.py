"""Processes of a night: the stage that one has reached, what it has spent, its end; and small disks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_ORPHANS_SECONDS = 15.0


class FaultError(AssertionError):
    """Something was lost, or an error named no way out."""


def last_stage(log: str) -> str:
    """The last stage of a night that had ended, by its log lines; ``begun`` before the first, empty before that."""
    found = ""
    for line in log.splitlines():
        with suppress(ValueError):
            event = json.loads(line)
            if event.get("event") == "night begun":
                found = "begun"
            elif event.get("event") == "stage ended":
                found = str(event["stage"])
    return found


def kill(process: subprocess.Popen[bytes], *, alone: bool = False) -> None:
    """Kill -9 a night with all its processes, or alone: then those that it started must end by themselves.

    Raises:
        FaultError: One of them goes on.
    """
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL) if alone else os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    end = time.monotonic() + _ORPHANS_SECONDS
    while left := _group(process.pid):
        if time.monotonic() > end:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise FaultError(f"{len(left)} processes of a killed night go on: {left}")
        time.sleep(0.05)


def processor_seconds(number: int) -> float:
    """What the processes of a group have spent so far, those that ended and were waited for included."""
    ticks = [sum(map(int, fields[11:15])) for fields in _stats(number).values()]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def _group(number: int) -> list[int]:
    """Living processes of a process group."""
    return [process for process, fields in _stats(number).items() if fields[0] not in "ZX"]


def _stats(number: int) -> dict[int, list[str]]:
    """Of each process of a group, what the system reports from its state on (``man proc_pid_stat``)."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == number:
                found[int(path.parent.name)] = fields
    return found

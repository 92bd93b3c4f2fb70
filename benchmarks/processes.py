"""What a process and its descendants take of the processor and of memory, looked at while they run (Linux)."""

from __future__ import annotations

import re
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PROPORTIONAL = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def family(pid: int) -> Iterator[tuple[Path, list[str]]]:
    """A process and its descendants: each one's folder, and what its ``stat`` says behind the name, proc(5)."""
    known: dict[int, tuple[Path, list[str]]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended between two looks
            known[int(folder.name)] = folder, (folder / "stat").read_text().rpartition(")")[2].split()
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        waiting += [child for child, (_folder, fields) in known.items() if int(fields[1]) == one]
        if one in known:
            yield known[one]


@contextmanager
def meanwhile(look: Callable[[], None]) -> Iterator[None]:
    """Look four times a second, in a thread of its own, while something goes on."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.25):
            look()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    clock: float
    cpu: float
    peak_bytes: int

    @property
    def cells(self) -> tuple[str, str, str]:
        """Clock, CPU seconds and peak memory as a table has them."""
        return f"{self.clock:.0f} s", f"{self.cpu:.0f}", f"{self.peak_bytes / 2**20:,.0f} MiB"


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command to its end and look at the memory of all its processes."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  # our own command
    seen = [0]
    with meanwhile(lambda: seen.append(_memory(process.pid))):
        code = process.wait()
    if code != 0:
        raise subprocess.CalledProcessError(code, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - begun, cpu, max(seen))


def _memory(pid: int) -> int:
    """Bytes that a process and its descendants hold in memory; what several share counts once."""
    total = 0
    for folder, _fields in family(pid):
        with suppress(OSError):  # it ended meanwhile
            total += 1024 * int(_PROPORTIONAL.findall((folder / "smaps_rollup").read_text())[0])
    return total

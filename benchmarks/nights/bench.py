"""A home folder under test: nights and commands on it, and what must hold of it after any fault."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from store.journal import Journal, journal_url
from store.releases import ReleaseStore
from store.status import witnesses

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


NEXT = "2025-01-31"
"""The night that faults strike; the prepared home holds the one of the month before."""
FEW = "backtest_origins = 12\nslow_backtest_origins = 4\ntrajectories = 100\n"
"""Settings of a night of few origins and paths."""
PUBLISHED = {0, 3}
_LONGEST_NIGHT = 1800
_VIGIE = Path(sys.executable).parent / "vigie"
_BACK_SOON = ("backtests", "fits")


def _environment() -> dict[str, str]:
    return {**os.environ, "VIGIE_LOG_FORMAT": "json"}


@dataclass
class Result:
    """What came of one fault, tried several times.

    Attributes:
        fault: What was done.
        times: How often.
        outcomes: What came of it, each with its number; numbers of several runs add up.
        after: What the next night did, or what a person was output to do, counted too.
    """

    fault: str
    times: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)

    def note(self, outcome: str, after: str = "") -> None:
        """Count one try."""
        self.times += 1
        self.outcomes[outcome] += 1
        if after:
            self.after[after] += 1

    def add(self, other: Result) -> None:
        """Add what another run counted."""
        self.times += other.times
        self.outcomes.update(other.outcomes)
        self.after.update(other.after)


@dataclass(frozen=True)
class Done:
    """A command that ended.

    Attributes:
        code: Exit code.
        output: Everything it printed.
    """

    code: int
    output: str

    @property
    def stage(self) -> str:
        """The last stage of a night that had ended, by its log lines; empty before the first."""
        return last_stage(self.output)


@dataclass
class Bench:
    """A prepared home folder and a place for copies of it.

    Attributes:
        prepared: The folder, with one night in it. It is copied and never changed.
        spare: A folder for copies, backups and notes.
        seed: Of every random moment and byte.
        numbers: Numbers of the kills to make: the moment of each follows from the seed and its number alone.
        quick: Leave out whole nights after a fault, which take a while.
        until: Monotonic time after which no further night is killed.
        alone: Leave out looking at the dashboard and commenting at the command line while nights are killed.
    """

    prepared: Path
    spare: Path
    seed: int
    numbers: range
    quick: bool = False
    alone: bool = False
    until: float = math.inf

    def copy(self, name: str, below: Path | None = None) -> Home:
        """A fresh copy of the prepared home."""
        folder = (below or self.spare) / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.prepared, folder)
        return Home(folder, quick=self.quick)

    def random(self, *about: object) -> random.Random:
        """Random numbers for one try."""
        return random.Random("/".join(map(str, (self.seed, *about))))  # noqa: S311  # no secret

    def put_caches_back(self, home: Home) -> None:
        """Past forecasts and fits as the prepared home has them, so that a night has all its work to do."""
        for name in _BACK_SOON:
            shutil.rmtree(home.folder / name, ignore_errors=True)
            if (self.prepared / name).is_dir():
                shutil.copytree(self.prepared / name, home.folder / name)


@dataclass(frozen=True)
class Home:
    """A home folder under test.

    Attributes:
        folder: The folder.
        quick: Leave out whole nights after a fault.
    """

    folder: Path
    quick: bool = False

    @property
    def releases(self) -> ReleaseStore:
        """Its releases."""
        return ReleaseStore(self.folder)

    def command(self, *words: str) -> Done:
        """Run a command on the home folder to its end."""
        line = [str(_VIGIE), *words, "--home", str(self.folder)]
        done = subprocess.run(  # noqa: S603  # our own command
            line, capture_output=True, text=True, timeout=_LONGEST_NIGHT, check=False, env=_environment()
        )
        return Done(done.returncode, done.stdout + done.stderr)

    def night(self, as_of: str = NEXT) -> Done:
        """Run a night to its end."""
        return self.command("nightly", "--as-of", as_of)

    def begin_night(self, log: Path) -> subprocess.Popen[bytes]:
        """Start a night as the head of a process group of its own; its log lines go to a file."""
        line = [str(_VIGIE), "nightly", "--home", str(self.folder), "--as-of", NEXT]
        with log.open("wb") as stream:
            return subprocess.Popen(  # noqa: S603  # our own command
                line, stdout=stream, stderr=stream, start_new_session=True, env=_environment()
            )

    def check_whole(self, committed: Mapping[str, str] | None = None) -> None:
        """Hold the chain against its hashes and the journal against what was committed.

        Args:
            committed: What each committed row says, by its number or by words of its own.

        Raises:
            FaultError: Something is not whole, or lost.
        """
        problem = self.releases.verify(witnesses(self.folder))
        if problem is not None:
            raise FaultError(f"the chain is broken: {problem}")
        journal = Journal(journal_url("", self.folder))
        kept = {entry.reason for entry in journal.entries()}
        journal.close()
        if lost := [reason for reason in (committed or {}).values() if reason not in kept]:
            raise FaultError(f"{len(lost)} committed actions are lost, the first is: {lost[0]}")

    def check_verify(self) -> None:
        """The command says so too.

        Raises:
            FaultError: It does not.
        """
        done = self.command("verify")
        if done.code != 0:
            raise FaultError(f"vigie verify: exit {done.code}: {done.output.strip()}")

    def check_night(self) -> str:
        """Run a night that must publish.

        Raises:
            FaultError: It does not.
        """
        if self.quick:
            return ""
        done = self.night()
        if done.code not in PUBLISHED:
            raise FaultError(f"the next night: exit {done.code}: {done.output.strip()[-500:]}")
        self.check_whole()
        self.check_verify()
        return f"the next night published (exit {done.code})"

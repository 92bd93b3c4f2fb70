"""Processes around a night that goes wrong: one reads the current release all the time, one acts as a person."""

from __future__ import annotations

import multiprocessing
import os
import time
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType

from store.chain import file_problems
from store.journal import Entry, Journal, journal_url
from store.releases import ReleaseStore

_PAUSE = 0.2
_CONTEXT = multiprocessing.get_context("spawn")


class TornError(AssertionError):
    """A reader met a release that was not whole."""


class Watchers:
    """A context that ends its processes.

    Args:
        home: The home folder.
        notes: A folder for what they note.
    """

    def __init__(self, home: Path, notes: Path) -> None:
        self._home, self._actions, self._readings = home, notes / "committed", notes / "readings"
        self._reader = _CONTEXT.Process(target=read_on, args=(home, self._readings), daemon=True)
        self._people: list[SpawnProcess] = []

    def __enter__(self) -> Watchers:
        """Begin to read."""
        for path in (self._actions, self._readings):
            path.write_text("")
        self._reader.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End every process."""
        for process in (self._reader, *self._people):
            process.kill()
            process.join()

    def person(self) -> SpawnProcess:
        """Somebody who records one action after the other until killed."""
        process = _CONTEXT.Process(target=act_on, args=(self._home, self._actions), daemon=True)
        process.start()
        self._people.append(process)
        return process

    def committed(self) -> list[int]:
        """Numbers of the journal's rows that were committed."""
        return [int(line) for line in self._actions.read_text().split("\n")[:-1]]

    def read(self) -> int:
        """Readings of a whole release so far.

        Raises:
            TornError: One was not whole.
        """
        lines = self._readings.read_text().split("\n")[:-1]
        if torn := [line for line in lines if line != "whole"]:
            raise TornError(torn[0])
        return len(lines)


def read_on(home: Path, notes: Path) -> None:
    """Read the current release and hold each of its files against its hash, over and over."""
    store = ReleaseStore(home)
    while True:
        release = store.current()
        if release is not None:
            problem = next(file_problems(release.path, release.manifest["files"]), None)
            rows = len(release.read("forecasts"))
            _note(notes, "whole" if problem is None and rows else f"{release.run_id}: {problem}")
        time.sleep(_PAUSE)


def act_on(home: Path, notes: Path) -> None:
    """Record actions, and note each one once it is committed."""
    journal = Journal(journal_url("", home))
    while True:
        entry = journal.record(Entry("A. Person", "said", "a fault", reason="noted once it is committed"))
        _note(notes, str(entry.id))
        time.sleep(_PAUSE)


def _note(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
        stream.flush()
        os.fsync(stream.fileno())

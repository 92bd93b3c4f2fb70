"""Processes around a night that goes wrong: they read the current release, look at pages and act as people do.

Each notes what it saw, one line per look or action; a line that does not begin with ``ok`` is a fault.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, cycle
from multiprocessing.context import SpawnProcess
from pathlib import Path

from store.journal import Entry, Journal, journal_url
from store.releases import ReleaseStore, file_problems
from store.status import read_status
from tests.servers import Server

PAGES = ("", "route", "alerts", "scenarios", "evaluation", "data")
Role = Callable[..., Iterator[str]]
"""Does something on a home folder again and again, and reports each time."""
_CONTEXT = multiprocessing.get_context("spawn")
_FRAMES = ("forecasts", "alerts", "freshness", "observations")


class WatchError(AssertionError):
    """A reader met what is not whole, or a person's action was refused."""


class Watchers:
    """What watches a home folder.

    Args:
        home: The home folder.
        notes: A folder for what they note.
    """

    def __init__(self, home: Path, notes: Path) -> None:
        self._home, self._notes = home, notes
        self._processes: dict[str, SpawnProcess] = {}

    def start(self, role: Role, *arguments: object) -> SpawnProcess:
        """Let another process do something on the home folder until it is killed."""
        process = _CONTEXT.Process(target=note_on, args=(role, self._home, self._file(role), *arguments), daemon=True)
        process.start()
        self._processes[role.__name__] = process
        return process

    def end(self) -> None:
        """Kill them all."""
        for process in self._processes.values():
            process.kill()
            process.join()

    def committed(self) -> dict[str, str]:
        """Words of each action that was committed, by themselves."""
        return {words: words for role in (act, command) for words in self._seen(role)}

    def count(self, role: Role) -> int:
        """Looks or actions of a role so far.

        Raises:
            WatchError: One of them met a fault, or its process ended.
        """
        return len(self._seen(role))

    def check(self) -> None:
        """Check that no watcher has met a fault.

        Raises:
            WatchError: One has.
        """
        for role in (read, look, act, command):
            self.count(role)

    def _file(self, role: Role) -> Path:
        return self._notes / f"noted-{role.__name__}"

    def _seen(self, role: Role) -> list[str]:
        path = self._file(role)
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        if faults := [line for line in lines if not line.startswith("ok ")]:
            raise WatchError(f"{role.__name__}: {faults[0]}")
        return [line.removeprefix("ok ") for line in lines]


@contextmanager
def watching(home: Path, notes: Path, *, pages: bool, commands: bool = True) -> Iterator[Watchers]:
    """A reader; with ``commands`` a person at the command line; with ``pages`` the dashboard and who looks at it.

    Raises:
        WatchError: The dashboard's own log holds an error.
    """
    for path in notes.glob("noted-*"):
        path.unlink()
    with ExitStack() as stack:
        watchers = Watchers(home, notes)
        stack.callback(watchers.end)
        watchers.start(read)
        if commands:
            watchers.start(command)
        server = stack.enter_context(Server(home, notes / "dashboard.log")) if pages else None
        if server is not None:
            watchers.start(look, server.address)
        yield watchers
        watchers.check()
        if server is not None and (faults := server.faults()):
            raise WatchError(f"the dashboard's log: {faults[0]}")


def note_on(role: Role, home: Path, notes: Path, *arguments: object) -> None:
    """Note what a role reports, each line flushed to the disk; what it raises is noted as a fault."""
    with notes.open("a", encoding="utf-8") as stream:
        try:
            for words in role(home, *arguments):
                _write(stream.fileno(), f"ok {words}\n")
        except Exception as error:  # whatever it is, it is what a reader would have met
            _write(stream.fileno(), f"{type(error).__name__}: {error}".replace("\n", " ") + "\n")


def read(home: Path) -> Iterator[str]:
    """Read the current release: each file against its hash, frames of one and the same night, and the status."""
    store = ReleaseStore(home)
    while True:
        release = store.current()
        if release is not None:
            problem = next(file_problems(release.path, release.manifest["files"]), None)
            frames = {name: release.read(name) for name in _FRAMES}
            days = set(frames["forecasts"]["as_of"].dt.date)
            if problem is not None or days != {release.as_of} or read_status(home)["release"] is None:
                raise WatchError(f"{release.run_id}: {problem}, as known on {days}")
            yield release.run_id
        time.sleep(1)


def look(_home: Path, address: str) -> Iterator[str]:
    """Open page after page of the dashboard, each as a first visit."""
    from tests.reader import Session  # noqa: PLC0415  # Streamlit takes seconds to import

    for page in cycle(PAGES):
        session = Session(address, "en-GB")
        try:
            session.open(page)
        finally:
            session.close()
        if session.errors:
            raise WatchError(f"/{page}: {session.errors}")
        yield f"/{page}"
        time.sleep(5)


def act(home: Path, pause: float = 0.1) -> Iterator[str]:
    """Record actions straight into the journal, many a second."""
    journal = Journal(journal_url("", home))
    for number in count():
        words = f"act {os.getpid()} {number}"
        journal.record(Entry("A. Person", "said", "a fault", reason=words))
        yield words
        time.sleep(pause)


def command(home: Path) -> Iterator[str]:
    """Comment on an alert of the current release with ``vigie alerts comment``, over and over."""
    vigie = Path(sys.executable).parent / "vigie"
    for number in count():
        words, output = f"command {os.getpid()} {number}", ""
        for _attempt in range(3):  # the alert may be over by the time the command looks for it
            release = ReleaseStore(home).current()
            if release is None:
                raise WatchError("there is no release")
            alert_id = str(release.read("alerts")["alert_id"].iloc[number % len(release.read("alerts"))])
            line = [str(vigie), "alerts", "comment", alert_id, "--reason", words, "--as", "A. Person"]
            line += ["--home", str(home)]
            done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603  # our own command
            output = done.stdout + done.stderr
            if done.returncode == 0:
                break
        else:
            raise WatchError(f"vigie alerts comment: {output.strip()[-300:]}")
        yield words
        time.sleep(8)


def _write(handle: int, line: str) -> None:
    os.write(handle, line.encode())
    os.fsync(handle)

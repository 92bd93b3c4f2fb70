"""Kill -9 of nights.

Watchers are processes around such a night: they read the current release, look at pages and act as people do. Each
notes what it saw, one line per look or action; a line that does not begin with ``ok`` is a fault.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import count, cycle
from multiprocessing.context import SpawnProcess
from pathlib import Path

from benchmarks.nights.bench import PUBLISHED, Bench, FaultError, Home, Result, kill, last_stage, processor_seconds
from store.journal import Entry, Journal, journal_url
from store.releases import ReleaseStore, file_problems
from store.status import read_status, witnesses
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


_EARLIEST, _QUICK_SECONDS = 0.2, 6.0
_UNDISTURBED = 20
"""After this number of kills a night is left alone, and must publish."""
_NEXT_STAGE = {
    "": "while it starts",
    "begun": "while it reads",
    "reading": "while it forecasts",
    "forecasting": "while it forecasts asylum applications",
    "asylum applications": "while it takes in the hub",
    "hub": "while it forecasts reception",
    "reception": "while it scores and warns",
    "warning and scoring": "while it publishes",
    "publishing": "while it records, notifies and clears up",
}


def killed(bench: Bench) -> Iterator[Result]:
    """Kill nights at moments drawn evenly from all the processor time that one takes, however busy the machine is.

    Every other night begins with the past forecasts that the prepared home holds, and so has all its work to do; the
    others go on with what the killed one left. Half of the kills meet all processes of a night, half its first one.
    """
    home, last = bench.copy("killed"), bench.numbers[-1]
    with watching(
        home.folder, bench.spare, pages=not (bench.quick or bench.alone), commands=not bench.alone
    ) as watchers:
        length = _QUICK_SECONDS if bench.quick else _processor_seconds(home)
        for count, number in enumerate(bench.numbers, start=1):
            result = Result("`kill -9` of a night at a moment drawn from its whole processor time")
            moments, again = bench.random("killed", number), 0
            while True:
                if number % 2 == 0:
                    bench.put_caches_back(home)
                moment = moments.uniform(_EARLIEST, length)
                is_time = partial(_has_spent, seconds=moment)
                log = bench.spare / "night.log"
                if found := _kill_night(home, log, is_time, alone=number % 4 > 1, among=watchers):
                    break
                again += 1
                if again > 5:
                    raise FaultError(f"kill {number}: the night ended before its moment six times")
            result.note(found)
            sys.stderr.write(f"  kill {number} after {moment:.1f} of {length:.0f} s, {found}\n")
            over = time.monotonic() > bench.until or number == last
            if over or count % _UNDISTURBED == 0:
                note_after(result, home.check_night())
            yield result
            if over:
                break
        home.check_whole(watchers.committed())
        yield from seen(watchers)


def killed_publishing(bench: Bench) -> Iterator[Result]:
    """Kill nights within the tenths of a second in which a release is written, moved in, recorded and announced."""
    home = bench.copy("publishing")
    with watching(home.folder, bench.spare, pages=False, commands=not bench.alone) as watchers:
        home.check_night()
        for number in bench.numbers:
            result = Result("`kill -9` around publication, by what appears in the folder")
            moments, before = bench.random("publishing", number), {one.run_id for one in home.releases.all()}
            written = number % 2 == 0

            def is_time(_night: int, *, written: bool = written, before: set[str] = before) -> bool:
                if written:
                    return any((home.folder / "releases").glob(".staging-*"))
                return any(one.run_id not in before for one in home.releases.all())

            pause, log = moments.uniform(0, 0.5), bench.spare / "night.log"
            found = _kill_night(home, log, is_time, pause, among=watchers)
            result.note(found or "ended before the kill")
            sys.stderr.write(f"  kill {number} at publication: {found}\n")
            over = time.monotonic() > bench.until or number == bench.numbers[-1]
            if over:
                note_after(result, home.check_night())
            yield result
            if over:
                break
        home.check_whole(watchers.committed())
        yield from seen(watchers)


def _processor_seconds(home: Home) -> float:
    """What an undisturbed night takes, with all its processes; it must publish."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = home.night()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.code not in PUBLISHED:
        raise FaultError(f"an undisturbed night: exit {done.code}: {done.output[-500:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _has_spent(night: int, seconds: float) -> bool:
    time.sleep(0.05)
    return processor_seconds(night) >= seconds


def _kill_night(  # what to kill, when, and how
    home: Home,
    log: Path,
    is_time: Callable[[int], bool],
    pause: float = 0,
    *,
    alone: bool = False,
    among: Watchers,
) -> str:
    """Start a night, kill it, hold everything against what must be; what came of it, or nothing where it had ended.

    Args:
        home: The home folder.
        log: File for the night's log lines.
        is_time: Asked again and again, with the night's process.
        pause: Seconds from when it is time to the kill.
        alone: Kill its first process only.
        among: Who acts and reads meanwhile.
    """
    person = among.start(act)
    before = {one.run_id for one in home.releases.all()}
    night = home.begin_night(log)
    while night.poll() is None and not is_time(night.pid):
        time.sleep(0.01)
    with suppress(subprocess.TimeoutExpired):
        night.wait(pause)
    ended = night.poll() is not None
    person.kill()
    kill(night, alone=alone)
    person.join()
    home.check_whole(among.committed())
    among.check()
    if ended:
        return ""
    new = {one.run_id for one in home.releases.all()} - before
    recorded = new <= set(witnesses(home.folder))
    what = "the new release is whole" if new else "the former release stands whole"
    if new and not recorded:
        what = "the new release is whole, the journal's row is left to the next night"
    return f"{_NEXT_STAGE[last_stage(log.read_text(errors='replace'))]}: {what}"


def note_after(result: Result, after: str) -> None:
    """Count what came of the night after a fault, where one was run."""
    if after:
        result.after[after] += 1


def seen(watchers: Watchers) -> Iterator[Result]:
    """What those who acted and read meanwhile met; a fault among it is raised."""
    texts: dict[Role, tuple[str, str]] = {
        act: ("actions recorded meanwhile", "committed, and in the journal to the end"),
        command: ("`vigie alerts comment` meanwhile", "committed, and in the journal to the end"),
        read: ("readings of the current release meanwhile", "whole, all of one night"),
        look: ("pages of the dashboard opened meanwhile", "without an error"),
    }
    for role, (fault, outcome) in texts.items():
        if count := watchers.count(role):
            result = Result(fault, count)
            result.outcomes[outcome] = count
            yield result

"""Kill -9 of nights."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from benchmarks.nights.bench import PUBLISHED, Bench, Home, Result
from benchmarks.nights.processes import FaultError, kill, last_stage, processor_seconds
from benchmarks.nights.watchers import Role, Watchers, act, command, look, read, watching
from store.status import witnesses

_EARLIEST, _QUICK_SECONDS = 0.2, 6.0
_UNDISTURBED = 20
"""After this number of kills a night is left alone, and must publish."""
_NEXT_STAGE = {
    "": "while it starts",
    "begun": "while it reads",
    "reading": "while it forecasts",
    "forecasting": "while it scores and warns",
    "warning and scoring": "while it forecasts asylum applications",
    "asylum applications": "while it forecasts reception",
    "reception": "while it takes in the hub",
    "hub": "while it publishes",
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

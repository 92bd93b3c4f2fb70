"""Kill -9 of nights, and of what nights write."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.night_faults.bench import Bench, FaultError, Home, Result, kill, last_stage
from benchmarks.night_faults.watchers import Role, Watchers, act, command, look, read, watching
from benchmarks.night_faults.writer import write_on
from store.backtests import BacktestStore
from store.status import witnesses
from store.vintages import VintageStore

_EARLIEST = 0.2
_UNDISTURBED = 20
"""After so many kills a night is left alone, and must publish."""
_NEXT_STAGE = {
    "": "while it starts",
    "begun": "while it reads",
    "reading": "while it forecasts",
    "forecasting": "while it scores and warns",
    "warning and scoring": "while it forecasts asylum applications",
    "asylum applications": "while it publishes",
    "publishing": "while it records, tells and clears up",
}


def killed(bench: Bench) -> Iterator[Result]:
    """Kill nights at moments drawn evenly from their whole length.

    Every other night begins with the past forecasts that the prepared home holds, and so has all its work to do; the
    others go on with what the killed one left. Half of the kills meet all processes of a night, half its first one.
    """
    home, last = bench.copy("killed"), bench.numbers[-1]
    with watching(
        home.folder, bench.spare, pages=not (bench.quick or bench.alone), commands=not bench.alone
    ) as watchers:
        begun = time.monotonic()
        home.check_night()
        length = 8.0 if bench.quick else time.monotonic() - begun
        for count, number in enumerate(bench.numbers, start=1):
            result = Result("`kill -9` of a night at a moment drawn from its whole length")
            moments, again = bench.random("killed", number), 0
            while True:
                if number % 2 == 0:
                    bench.put_caches_back(home)
                moment = moments.uniform(_EARLIEST, length)
                if found := _kill_night(home, bench.spare / "night.log", moment, alone=number % 4 > 1, among=watchers):
                    break
                again += 1
                if again > 5:
                    raise FaultError(f"kill {number}: the night ended before its moment six times")
            result.note(found)
            sys.stderr.write(f"  kill {number} after {moment:.1f} of {length:.0f} s, {found}\n")
            over = time.monotonic() > bench.until or number == last
            if over or count % _UNDISTURBED == 0:
                _note_after(result, home.check_night())
            yield result
            if over:
                break
        home.check_whole(watchers.committed())
        yield from _seen(watchers)


def killed_publishing(bench: Bench) -> Iterator[Result]:
    """Kill nights within the tenths of a second in which a release is written, moved in, recorded and told of."""
    home = bench.copy("publishing")
    with watching(home.folder, bench.spare, pages=False, commands=not bench.alone) as watchers:
        home.check_night()
        for number in bench.numbers:
            result = Result("`kill -9` around publication, by what appears in the folder")
            moments, before = bench.random("publishing", number), {one.run_id for one in home.releases.all()}
            written = number % 2 == 0

            def is_time(*, written: bool = written, before: set[str] = before) -> bool:
                if written:
                    return any((home.folder / "releases").glob(".staging-*"))
                return any(one.run_id not in before for one in home.releases.all())

            found = _kill_night(home, bench.spare / "night.log", moments.uniform(0, 0.5), is_time, among=watchers)
            result.note(found or "ended before the kill")
            sys.stderr.write(f"  kill {number} at publication: {found}\n")
            over = time.monotonic() > bench.until or number == bench.numbers[-1]
            if over:
                _note_after(result, home.check_night())
            yield result
            if over:
                break
        home.check_whole(watchers.committed())
        yield from _seen(watchers)


def killed_writing(bench: Bench) -> Iterator[Result]:
    """Kill what a night writes, over and over, without the minutes of forecasting between."""
    home, result = bench.copy("writing"), Result("`kill -9` of what a night writes, again and again")
    workers = multiprocessing.get_context("forkserver")
    workers.set_forkserver_preload(["benchmarks.night_faults.writer"])
    moments, longest, published = bench.random("writing"), 0.0, set(witnesses(home.folder))
    with watching(home.folder, bench.spare, pages=False, commands=not bench.alone) as watchers:
        watchers.start(act)
        for number in range(bench.writes):
            ours, theirs = workers.Pipe()
            writer = workers.Process(target=write_on, args=(home.folder, theirs), daemon=True)
            writer.start()
            ours.recv()
            if number == 0:  # a first round, whole, tells how long the others take here and now
                begun = time.monotonic()
                ours.recv()
                longest = 1.5 * (time.monotonic() - begun)
            else:
                time.sleep(moments.uniform(0, longest))
            writer.kill()
            writer.join()
            home.check_whole(watchers.committed())
            VintageStore(home.folder).history()
            BacktestStore(home.folder).heal()
            result.note("chain, figures and past forecasts whole")
            if time.monotonic() > bench.until:
                break
        result.outcomes["releases published, most of them removed again by retention"] += len(
            set(witnesses(home.folder)) - published
        )
        _note_after(result, home.check_night())
        yield result
        yield from _seen(watchers)


def _kill_night(  # what to kill, when, and how
    home: Home,
    log: Path,
    moment: float,
    is_time: Callable[[], bool] | None = None,
    *,
    alone: bool = False,
    among: Watchers,
) -> str:
    """Start a night, kill it, hold everything against what must be; what came of it, or nothing where it had ended.

    Args:
        home: The home folder.
        log: File for the night's log lines.
        moment: Seconds from its beginning, or from when it is time.
        is_time: Asked again and again.
        alone: Kill its first process only.
        among: Who acts and reads meanwhile.
    """
    person = among.start(act)
    before = {one.run_id for one in home.releases.all()}
    night = home.begin_night(log)
    while is_time is not None and night.poll() is None and not is_time():
        time.sleep(0.005)
    with suppress(subprocess.TimeoutExpired):
        night.wait(moment)
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


def _note_after(result: Result, after: str) -> None:
    if after:
        result.after[after] += 1


def _seen(watchers: Watchers) -> Iterator[Result]:
    """What those who acted and read meanwhile met; a fault among it is raised."""
    told: dict[Role, tuple[str, str]] = {
        act: ("actions recorded meanwhile", "committed, and in the journal to the end"),
        command: ("`vigie alerts comment` meanwhile", "committed, and in the journal to the end"),
        read: ("readings of the current release meanwhile", "whole, all of one night"),
        look: ("pages of the dashboard opened meanwhile", "without an error"),
    }
    for role, (fault, outcome) in told.items():
        if count := watchers.count(role):
            result = Result(fault, count)
            result.outcomes[outcome] = count
            yield result

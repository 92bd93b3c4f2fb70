"""Clocks that jump, between nights and in the middle of one. The jumps are libfaketime's; monotonic time goes on."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from store.releases import Release
from tests.faults.nights.bench import PUBLISHED, Bench, Done, Home, Result
from tests.faults.nights.processes import FaultError

JUMPS = {"a year ahead": "+365d", "a month back": "-30d", "an hour back": "-3600"}
_LIBRARY = "faketime/libfaketimeMT.so.1"
_SAME = {"forecasts": None, "freshness": None, "alerts": ["alert_id", "alert_level"]}
"""Frames, or columns of them, that no clock may change: the night is of one and the same day of knowledge."""


def between_nights(bench: Bench) -> Iterator[Result]:
    """A night under a clock that jumped, and one after it was set right."""
    library, home = _library(), bench.copy("jumps")
    _published(home, home.night(), None)
    sound = _frames(_current(home))
    for name, jump in JUMPS.items():
        result, former = Result(f"the clock jumps {name} between two nights, and back"), _current(home)
        clock = {"LD_PRELOAD": str(library), "FAKETIME": jump, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        _published(home, home.night(env=clock), former)
        under = _current(home)
        _same_figures(sound, under)
        state = home.command("serve", "health", "--once").told
        if ('"status": "clock"' in state) != jump.startswith("+"):
            raise FaultError(f"{name}: health says: {state}")
        if jump.startswith("+") and '"status": "stale"' not in home.command("serve", "health", "--once", env={
            **clock, "FAKETIME": "+800d",
        }).told:  # fmt: skip
            raise FaultError("an old release is not called stale")
        done = home.night()
        _published(home, done, under)
        _same_figures(sound, _current(home))
        if jump.startswith("+"):
            home.expect(done, 3, "clock")
        home.expect(home.command("serve", "health", "--once"), 0)
        said = "; exit 3 says that the clock was wrong, `/healthz` answered `clock` meanwhile"
        result.note(
            f"run_ids in order of publication, chain whole, same forecasts, freshness and alerts"
            f"{said if jump.startswith('+') else ''}",
            f"published (exit {done.code})",
        )
        yield result


def within_a_night(bench: Bench) -> Iterator[Result]:
    """The clock jumps at a moment drawn from the length of a night, while it runs."""
    library, home = _library(), bench.copy("midnight")
    begun = time.monotonic()
    _published(home, home.night(), None)
    length, sound = time.monotonic() - begun, _frames(_current(home))
    for name, jump in JUMPS.items():
        result = Result(f"the clock jumps {name} in the middle of a night")
        for number in range(1 if bench.quick else 2):
            bench.put_caches_back(home)
            former = _current(home)
            done = _jumping(home, bench, library, jump, bench.random("midnight", name, number).uniform(1, length))
            _published(home, done, former)
            _same_figures(sound, _current(home))
            if _current(home).manifest["replay"] is not True:
                raise FaultError("a replay is called a real night")
            result.note("published, run_ids in order, chain whole, same forecasts, freshness and alerts")
        after = home.check_night()
        if after:
            result.after[after] += 1
        yield result


def _jumping(home: Home, bench: Bench, library: Path, jump: str, moment: float) -> Done:
    """A night during which the clock jumps."""
    clock, log = bench.spare / "clock", bench.spare / "night.log"
    clock.write_text("+0\n")
    settings = {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    night = home.begin_night(log, settings)
    try:
        night.wait(moment)
    except subprocess.TimeoutExpired:
        clock.write_text(f"{jump}\n")
    return Done(night.wait(), log.read_text())


def _published(home: Home, done: Done, former: Release | None) -> None:
    if done.code not in PUBLISHED:
        raise FaultError(f"exit {done.code}: {done.told[-700:]}")
    newest = _current(home)
    if former is not None and newest.run_id <= former.run_id:
        raise FaultError(f"{newest.run_id} does not follow {former.run_id}")
    home.check_whole()


def _frames(release: Release) -> dict[str, pd.DataFrame]:
    return {name: release.read(name, columns) for name, columns in _SAME.items()}


def _same_figures(sound: dict[str, pd.DataFrame], other: Release) -> None:
    for name, frame in _frames(other).items():
        try:
            pd.testing.assert_frame_equal(sound[name], frame)
        except AssertionError as error:
            raise FaultError(f"{other.run_id}: {name} is another than without a jump: {error}") from None


def _current(home: Home) -> Release:
    found = home.releases.current()
    if found is None:
        raise FaultError("there is no release")
    return found


def _library() -> Path:
    found = sorted(Path("/usr/lib").glob(f"*/{_LIBRARY}"))
    if not found:
        raise PermissionError("libfaketime is not installed (Debian: faketime)")
    return found[0]

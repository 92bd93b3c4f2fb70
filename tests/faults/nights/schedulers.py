"""Two schedulers at once: one publishes, the other says who does."""

from __future__ import annotations

import time

from tests.faults.nights.bench import PUBLISHED, Bench, Result
from tests.faults.nights.processes import FaultError, kill

_LONGEST = 1800


def two_schedulers(bench: Bench) -> list[Result]:
    """Two nights started at once, several times; the one that waits may be the first or the second."""
    home, result = bench.copy("two"), Result("two schedulers at once")
    for number in range(1 if bench.quick else 3):
        before = len(home.releases.all())
        logs = [bench.spare / f"scheduler-{one}.log" for one in (1, 2)]
        pair = [home.begin_night(log) for log in logs]
        codes = [one.wait(_LONGEST) for one in pair]
        told = [log.read_text() for log in logs]
        refused = [text for code, text in zip(codes, told, strict=True) if code == 1]
        if len(refused) != 1 or not set(codes) & PUBLISHED or "another night is running" not in refused[0]:
            raise FaultError(f"exits {codes}: {told}")
        if len(home.releases.all()) != before + 1:
            raise FaultError(f"{len(home.releases.all()) - before} releases of two schedulers")
        home.check_whole()
        result.note("one publishes; the other ends with exit 1 and names the first one's process")
        if number == 0:
            result.outcomes.update(_holder_killed(bench, before + 1))
    after = home.check_night()
    if after:
        result.after[after] += 1
    return [result]


def _holder_killed(bench: Bench, releases: int) -> list[str]:
    """The lock of a killed night is free at once."""
    home = bench.copy("holder")
    first = home.begin_night(bench.spare / "holder.log")
    while not (home.folder / "night.holder.json").exists() and first.poll() is None:
        time.sleep(0.05)
    kill(first)
    if bench.quick:
        return []
    done = home.night()
    if done.code not in PUBLISHED or len(home.releases.all()) < releases - 1:
        raise FaultError(f"after the holder of the lock was killed: exit {done.code}: {done.told[-500:]}")
    return ["after the holder of the lock was killed, the next night took it at once"]

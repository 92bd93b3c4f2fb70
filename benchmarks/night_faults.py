"""Faults of a night: what is left of releases, journal and figures when something goes wrong in the middle of one?

    python -m benchmarks.night_faults [--kills 60] [--writes 200] [--minutes 15] [--seed 7] [--only killed,disk]

Each case runs real nights (``vigie nightly``) on a real home folder. Throughout, one process reads the current release
and holds every file of it against its hash, and another records actions in the journal and notes each one that was
committed; where a night is killed, that one is killed too. After each fault: the published release is whole,
``vigie verify`` says so, the journal holds every committed action, and the next night publishes, or the error names
what a person must do. Prints a table in Markdown; exit 1 where a case failed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.night_watchers import Watchers
from benchmarks.night_writer import write_on
from core.settings import PROJECT
from store.backtests import BacktestStore
from store.backup import write_backup
from store.journal import Journal, journal_url
from store.releases import ReleaseStore
from store.status import witnesses
from store.vintages import VintageStore

SETTINGS = "backtest_origins = 24\nslow_backtest_origins = 12\ntrajectories = 100\n"
FIRST, NEXT = "2024-12-31", "2025-01-31"
_LONGEST_NIGHT = 1800
_VIGIE = Path(sys.executable).parent / "vigie"


class FaultError(AssertionError):
    """Something was lost."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        fault: What was done.
        times: How often.
        outcome: What came of it.
        after: What the next night did, or what a person is told to do.
    """

    fault: str
    times: int
    outcome: str
    after: str


@dataclass
class Bench:
    """A home folder under test.

    Attributes:
        home: The folder; one night is in it.
        spare: A folder for backups and copies.
        random: Where and when faults strike.
        kills: How many nights to kill at most.
        writes: How often to kill what a night writes at most.
        quick: Leave out whole nights, which take minutes.
        until: Monotonic time at which killing stops.
    """

    home: Path
    spare: Path
    random: random.Random
    kills: int
    until: float
    writes: int = 0
    quick: bool = False

    def night(self, as_of: str = NEXT, before: Sequence[str] = ()) -> tuple[int, str]:
        """Exit code and all output of a night."""
        line = [*before, str(_VIGIE), "nightly", "--home", str(self.home), "--as-of", as_of]
        done = subprocess.run(line, capture_output=True, text=True, timeout=_LONGEST_NIGHT, check=False)  # noqa: S603  # our own command
        return done.returncode, done.stdout + done.stderr

    def command(self, *words: str) -> tuple[int, str]:
        """Exit code and all output of another command on the home folder."""
        line = [str(_VIGIE), *words, "--home", str(self.home)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=_LONGEST_NIGHT, check=False)  # noqa: S603  # our own command
        return done.returncode, done.stdout + done.stderr

    def check_whole(self, committed: Sequence[int] = ()) -> None:
        """Hold the chain against its hashes and the journal against what was committed.

        Raises:
            FaultError: Something is not whole, or lost.
        """
        problem = ReleaseStore(self.home).verify(witnesses(self.home))
        if problem is not None:
            raise FaultError(f"the chain is broken: {problem}")
        journal = Journal(journal_url("", self.home))
        kept = {entry.id for entry in journal.entries()}
        journal.close()
        if lost := [number for number in committed if number not in kept]:
            raise FaultError(f"{len(lost)} committed actions are lost, the first is {lost[0]}")

    def check_verify(self) -> None:
        """The command says so too.

        Raises:
            FaultError: It does not.
        """
        code, told = self.command("verify")
        if code != 0:
            raise FaultError(f"vigie verify: exit {code}: {told.strip()}")

    def check_night(self) -> str:
        """Run a night that must publish.

        Raises:
            FaultError: It does not.
        """
        if self.quick:
            return "the next night was not run"
        code, told = self.night()
        if code not in {0, 3}:
            raise FaultError(f"the next night: exit {code}: {told.strip()[-500:]}")
        self.check_whole()
        return f"published (exit {code})"


def killed(bench: Bench) -> Row:
    """Kill -9 at random moments from the start of a night to its end."""
    begun = time.monotonic()
    bench.check_night()
    length, count, before = time.monotonic() - begun, 0, len(ReleaseStore(bench.home).all())
    with Watchers(bench.home, bench.spare) as watchers:
        while count < bench.kills and time.monotonic() < bench.until:
            with_person = watchers.person()
            line = [str(_VIGIE), "nightly", "--home", str(bench.home), "--as-of", NEXT]
            night = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  # our own command
            with suppress(subprocess.TimeoutExpired):
                night.wait(bench.random.uniform(0.2, length))
            with suppress(ProcessLookupError):
                os.killpg(night.pid, 9)
            night.wait()
            with_person.kill()
            with_person.join()
            count += 1
            bench.check_whole(watchers.committed())
            sys.stderr.write(f"  kill {count}\n")
        committed, read = len(watchers.committed()), watchers.read()
    bench.check_verify()
    made = len(ReleaseStore(bench.home).all()) - before
    outcome = (
        f"every release whole after every kill; {committed} committed actions kept; {read} whole readings of a release "
        f"meanwhile, none torn; {made} nights had published before they were killed"
    )
    return Row(f"`kill -9` of a night, at a moment drawn from its {length:.0f} s", count, outcome, bench.check_night())


def killed_writing(bench: Bench) -> Row:
    """Kill -9 what a night writes, over and over, without the minutes of forecasting between."""
    workers = multiprocessing.get_context("forkserver")
    workers.set_forkserver_preload(["benchmarks.night_writer"])
    count, longest, until = 0, 0.0, time.monotonic() + (bench.until - time.monotonic()) / 2
    published = set(witnesses(bench.home))
    with Watchers(bench.home, bench.spare) as watchers:
        watchers.person()
        while count < bench.writes and time.monotonic() < until:
            ours, theirs = workers.Pipe()
            writer = workers.Process(target=write_on, args=(bench.home, theirs), daemon=True)
            writer.start()
            ours.recv()
            if count == 0:  # a first round, whole, tells how long the others take here and now
                begun = time.monotonic()
                ours.recv()
                longest = 1.5 * (time.monotonic() - begun)
            else:
                time.sleep(bench.random.uniform(0, longest))
            writer.kill()
            writer.join()
            count += 1
            bench.check_whole(watchers.committed())
            VintageStore(bench.home).history()
            BacktestStore(bench.home).heal()
            sys.stderr.write(f"  writer {count}\n")
        committed, read = len(watchers.committed()), watchers.read()
    rounds = len(set(witnesses(bench.home)) - published)
    bench.check_verify()
    outcome = (
        f"chain and figures whole after every kill; {rounds} releases published and most removed again by retention; "
        f"{committed} committed actions kept; {read} whole readings of a release meanwhile, none torn"
    )
    return Row("`kill -9` of what a night writes, at random moments", count, outcome, bench.check_night())


def killed_publishing(bench: Bench) -> Row:
    """Kill -9 while the release is written: the moment is taken from what appears in the folder of releases."""
    count = max(3, bench.kills // 10)
    for _ in range(count):
        line = [str(_VIGIE), "nightly", "--home", str(bench.home), "--as-of", NEXT]
        night = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  # our own command
        while night.poll() is None and not list((bench.home / "releases").glob(".staging-*")):
            time.sleep(0.01)
        time.sleep(bench.random.uniform(0, 0.3))
        with suppress(ProcessLookupError):
            os.killpg(night.pid, 9)
        night.wait()
        bench.check_whole()
    bench.check_verify()
    return Row(
        "`kill -9` while a release is being written", count, "the former or the new one, whole", bench.check_night()
    )


def two_schedulers(bench: Bench) -> Row:
    """Two nights started at once."""
    line = [str(_VIGIE), "nightly", "--home", str(bench.home), "--as-of", NEXT]
    pair = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]  # noqa: S603  # our own command
    told = [one.communicate(timeout=_LONGEST_NIGHT)[0] for one in pair]
    codes = sorted(one.returncode for one in pair)
    if codes not in ([0, 1], [1, 3]) or not any("another night is running" in text for text in told):
        raise FaultError(f"exits {codes}: {told}")
    bench.check_whole()
    bench.check_verify()
    return Row(
        "two schedulers at once",
        1,
        "one publishes; the other ends with exit 1 and names the first",
        bench.check_night(),
    )


def disk_full(bench: Bench) -> Row:
    """A small disk that is filled: fully before the night, and so that it fills up while the release is written."""
    times = 0
    with _mounted(bench, 64) as folder:
        home = folder / "home"
        shutil.copytree(bench.home, home)
        there = Bench(home, bench.spare, bench.random, 0, 0, quick=bench.quick)
        for left in (0,) if bench.quick else (0, 20_000, 400_000, 1_200_000, 2_200_000):
            _fill(folder, left)
            code, told = there.night()
            (folder / "fill").unlink()
            if code == 1 and "No space left" not in told and "disk is full" not in told and "full" not in told:
                raise FaultError(f"{left} bytes left: exit {code}: {told[-500:]}")
            there.check_whole()
            times += 1
        there.check_verify()
        after = there.check_night()
    return Row(
        "disk full" if bench.quick else "disk full: 0 to 2.2 MB left",
        times,
        "exit 1, the error says so; the former release stands whole",
        after,
    )


def read_only(bench: Bench) -> Row:
    """The home folder on a disk that cannot be written."""
    with _mounted(bench, 64) as folder:
        home = folder / "home"
        shutil.copytree(bench.home, home)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)  # noqa: S603, S607  # our own small disk
        there = Bench(home, bench.spare, bench.random, 0, 0, quick=bench.quick)
        code, told = there.night()
        if code != 1 or "Read-only file system" not in told:
            raise FaultError(f"exit {code}: {told[-500:]}")
        there.check_verify()
        if there.command("status")[0] != 0 or there.command("health", "--once")[0] != 0:
            raise FaultError("a read-only home cannot be looked at")
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)  # noqa: S603, S607  # as above
        after = there.check_night()
    return Row("read-only home", 1, "exit 1 names file and reason; verify, status and health still answer", after)


def corrupt_cache(bench: Bench) -> Row:
    """Past forecasts overwritten with rubbish, or cut off."""
    for count, path in enumerate(sorted((bench.home / "backtests").glob("*.parquet"))[:2]):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if count else bench.random.randbytes(len(content)))
    return Row(
        "corrupt Parquet in the cache of past forecasts",
        2,
        "set aside, told in the log, made again",
        bench.check_night(),
    )


def corrupt_figures(bench: Bench) -> Row:
    """A file of published figures overwritten."""
    archive = write_backup(bench.home, bench.spare / f"figures-{time.monotonic_ns()}.tar.zst").path
    path = max((bench.home / "vintages").rglob("*.parquet"), key=lambda one: one.stat().st_size)
    path.write_bytes(bench.random.randbytes(path.stat().st_size))
    code, told = bench.night()
    if code != 1 or path.name not in told:
        raise FaultError(f"exit {code}: {told[-500:]}")
    bench.check_whole()
    after = _repaired(bench, archive)
    return Row("corrupt Parquet in the vintages", 1, "exit 1 names the file; the former release stands whole", after)


def corrupt_release(bench: Bench) -> Row:
    """Files of the current release overwritten."""
    archive = write_backup(bench.home, bench.spare / f"release-{time.monotonic_ns()}.tar.zst").path
    current = ReleaseStore(bench.home).current()
    if current is None:
        raise FaultError("there is no release")
    for name in ("forecasts.parquet", "freshness.parquet", "alerts.parquet"):
        (current.path / name).write_bytes(bench.random.randbytes(1000))
    code, told = bench.command("verify")
    if code != 1 or current.run_id not in told:
        raise FaultError(f"verify: exit {code}: {told}")
    code, told = bench.night()
    if code != 3 or "damaged" not in told:
        raise FaultError(f"exit {code}: {told[-500:]}")
    after = _repaired(bench, archive)
    return Row(
        "corrupt Parquet in the current release",
        3,
        "verify names it; the next night publishes and says so (exit 3)",
        after,
    )


def corrupt_journal(bench: Bench) -> Row:
    """The journal overwritten."""
    archive = write_backup(bench.home, bench.spare / f"journal-{time.monotonic_ns()}.tar.zst").path
    journal = Journal(journal_url("", bench.home))
    committed = [entry.id for entry in journal.entries()]
    journal.close()
    path = bench.home / "journal.sqlite"
    path.write_bytes(bench.random.randbytes(path.stat().st_size))
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    code, told = bench.night()
    if code != 1 or "journal" not in told:
        raise FaultError(f"exit {code}: {told[-500:]}")
    after = _repaired(bench, archive)
    bench.check_whole(committed)
    return Row("corrupt journal", 1, "exit 1 names it; nothing is published; a backup brings every action back", after)


def clock_jumps(bench: Bench) -> Row:
    """Nights under a clock that went back two days, forward forty, and back again."""
    if shutil.which("faketime") is None:
        return Row("clock jumps", 0, "skipped: no faketime here", "")
    store, said = ReleaseStore(bench.home), []
    for jump in ("-2d", "+40d", "-1d"):
        former = store.current()
        code, told = bench.night(before=["faketime", "-f", jump])
        if code not in {0, 3}:
            raise FaultError(f"{jump}: exit {code}: {told[-500:]}")
        newest = store.current()
        if former is None or newest is None or newest.run_id <= former.run_id:
            raise FaultError(f"{jump}: {newest} does not follow {former}")
        bench.check_whole()
        said.append(bench.command("health", "--once")[1])
    bench.check_verify()
    if '"status": "clock"' not in said[-1]:
        raise FaultError(f"health does not see the future release: {said[-1]}")
    outcome = "releases stay in order and chained; /healthz answers 503 while the newest lies in the future"
    return Row("clock jumps: −2 days, +40 days, back again", 3, outcome, bench.check_night())


def _repaired(bench: Bench, archive: Path) -> str:
    code, told = bench.command("restore", "--repair", "--from", str(archive))
    if code != 0:
        raise FaultError(f"restore --repair: exit {code}: {told}")
    bench.check_verify()
    return f"`vigie restore --repair` puts it back; then {bench.check_night()}"


@contextmanager
def _mounted(bench: Bench, megabytes: int) -> Iterator[Path]:
    """A small disk in memory.

    Raises:
        PermissionError: Nothing may be mounted here.
    """
    folder = bench.spare / "disk"
    folder.mkdir(exist_ok=True)
    line = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(line, capture_output=True, check=False).returncode != 0:  # noqa: S603  # our own small disk
        raise PermissionError("no disk may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S603, S607  # as above


def _fill(folder: Path, left: int) -> None:
    free = os.statvfs(folder)
    with (folder / "fill").open("wb") as stream, suppress(OSError):
        stream.write(bytes(max(free.f_bavail * free.f_frsize - left, 0)))


CASES: dict[str, Callable[[Bench], Row]] = {
    "writing": killed_writing,
    "killed": killed,
    "publishing": killed_publishing,
    "two": two_schedulers,
    "disk": disk_full,
    "readonly": read_only,
    "cache": corrupt_cache,
    "figures": corrupt_figures,
    "release": corrupt_release,
    "journal": corrupt_journal,
    "clock": clock_jumps,
}


def run(
    cases: Sequence[str],
    kills: tuple[int, int],
    minutes: float,
    seed: int,
    start: Path | None = None,
    *,
    quick: bool = False,
) -> tuple[list[Row], list[str]]:
    """Run cases, on a copy of a home folder or on a new one; lines of the table, and what failed.

    Args:
        cases: Keys of ``CASES``.
        kills: Nights to kill, and writers to kill.
        minutes: Time for killing.
        seed: Of the random moments.
        start: Home folder to copy.
        quick: Leave out whole nights.
    """
    rows, failed = [], []
    with tempfile.TemporaryDirectory(prefix="vigie-faults-") as folder:
        home = Path(folder) / "home"
        if start is None:
            home.mkdir()
            (home / "settings.toml").write_text(SETTINGS)
        else:
            shutil.copytree(start, home)
        moments = random.Random(seed)  # noqa: S311  # no secret
        bench = Bench(home, Path(folder), moments, kills[0], time.monotonic() + minutes * 60, kills[1], quick)
        code, told = bench.night(FIRST) if start is None else (0, "")
        if code not in {0, 3}:
            raise SystemExit(f"the first night: exit {code}: {told}")
        bench.until = time.monotonic() + minutes * 60
        for name in cases:
            begun = time.monotonic()
            try:
                rows.append(CASES[name](bench))
            except PermissionError as error:
                rows.append(Row(name, 0, f"skipped: {error}", ""))
            except FaultError as error:
                failed.append(f"{name}: {error}")
            sys.stderr.write(f"{name}: {time.monotonic() - begun:.0f} s {failed[-1:]}\n")
    return rows, failed


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--writes", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default=",".join(CASES), help="cases, comma-separated: " + ", ".join(CASES))
    parser.add_argument("--start", type=Path, help="home folder to copy, so that no first night is needed")
    parser.add_argument("--quick", action="store_true", help="leave out whole nights, which take minutes")
    given = parser.parse_args()
    os.chdir(PROJECT)
    rows, failed = run(
        given.only.split(","), (given.kills, given.writes), given.minutes, given.seed, given.start, quick=given.quick
    )
    sys.stdout.write("| fault | times | what came of it | afterwards |\n|---|---|---|---|\n")
    for row in rows:
        sys.stdout.write(f"| {row.fault} | {row.times} | {row.outcome} | {row.after} |\n")
    for line in failed:
        sys.stdout.write(f"\n**failed** {line}\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Disks that are full or cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from store.status import witnesses
from tests.faults.nights.bench import PUBLISHED, Bench, Done, Home, Result
from tests.faults.nights.processes import FaultError, small_disk

_LARGE = "512m"
_PAGE = 4096
_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
_STILL = "exit 1 names file and reason; `verify`, `status` and `serve health` still answer"
_SAID = ("No space left on device", "disk is full", "disk I/O error")


def disk_full(bench: Bench) -> Iterator[Result]:
    """A small disk with so much space left that it fills up at one stage after the other, up to the last row."""
    with small_disk(bench.spare / "disk", _LARGE) as disk:
        seen: set[str] = set()
        for left in (0, 40_000) if bench.quick else _levels(_needed(bench, disk)):
            result = Result("disk full: a small disk with 0 bytes to all that a night needs left")
            home = bench.copy("home", disk)
            before, told = home.releases.current(), _filled(home, disk, left)
            home.check_whole()
            new = home.releases.current() != before
            if told.code not in PUBLISHED and (new or not any(words in told.told for words in _SAID)):
                raise FaultError(f"{left:,} bytes left, new release: {new}, exit {told.code}: {told.told[-700:]}")
            if told.code in PUBLISHED and not new:
                raise FaultError(f"{left:,} bytes left: exit {told.code}, but no release")
            outcome = _outcome(home, told, told.stage or "the first step")
            # What every other try came to the same way needs one night after it.
            result.note(outcome, "" if outcome in seen else home.check_night())
            seen.add(outcome)
            yield result


def _levels(needed: int) -> list[int]:
    """Bytes left: shares of what a night adds, and, for the journal's own files, the last tens of kilobytes."""
    shares = (0, 0.01, 0.3, 0.6, 0.9)
    return [*(int(needed * share) for share in shares), *(needed + number * 16_384 for number in range(6)), 2 * needed]


def _outcome(home: Home, told: Done, stage: str) -> str:
    if told.code not in PUBLISHED:
        return f"full after “{stage}”: exit 1, the error says so; the former release stands whole"
    current = home.releases.current()
    if current is not None and current.run_id in witnesses(home.folder):
        return f"enough space: published (exit {told.code})"
    return f"full after the release was moved in: published, exit {told.code} says that the journal lacks it"


def _needed(bench: Bench, disk: Path) -> int:
    """Bytes that a night adds to a disk."""
    home = bench.copy("home", disk)
    before = _free(disk)
    if home.night().code not in PUBLISHED:
        raise FaultError("a night on a large disk does not publish")
    return before - _free(disk)


def _filled(home: Home, disk: Path, left: int) -> Done:
    """A night while the disk has so much left; the space is free again afterwards."""
    with (disk / "fill").open("wb") as stream, suppress(OSError):
        remaining = max(_free(disk) - left, 0)
        while remaining > 0:
            remaining -= stream.write(bytes(min(remaining, 1 << 22)))
    done = home.night()
    (disk / "fill").unlink()
    return done


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize // _PAGE * _PAGE


def read_only(bench: Bench) -> list[Result]:
    """The home folder on a disk that cannot be written, and one that belongs to somebody else."""
    result = Result("read-only home: the disk, the folder's rights, the rights of the releases alone")
    with small_disk(bench.spare / "disk", _LARGE) as disk:
        home = bench.copy("home", disk)
        _remount(disk, "ro")
        _looked_at(home, home.night(), "Read-only file system")
        _remount(disk, "rw")
        result.note(_STILL, home.check_night())
    home = bench.copy("rights")
    bench.spare.chmod(0o755)
    for path in (home.folder, *home.folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    _looked_at(home, home.night(before=_NOBODY), "Permission denied", before=_NOBODY)
    result.note(_STILL)
    for path in (home.folder, *home.folder.rglob("*")):
        if "releases" not in path.relative_to(home.folder).parts:
            os.chown(path, 65534, 65534)
    if not bench.quick:
        _looked_at(home, home.night(before=_NOBODY), "Permission denied", "releases", before=_NOBODY)
        shutil.chown(home.folder, 0, 0)
        result.note(_STILL, home.check_night())
    return [result]


def _looked_at(home: Home, night: Done, *words: str, before: list[str] | None = None) -> None:
    home.expect(night, 1, *words)
    home.check_whole()
    for command in (["verify"], ["status", "--json"], ["serve", "health", "--once"]):
        home.expect(home.command(*command, before=before or []), 0)


def _remount(disk: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)  # our own small disk

"""A whole home folder in one file, and back: every file with its hash, the journal as it is in one moment.

What a night can make again (:data:`MADE_AGAIN`) is left out unless asked for: it is larger than all the rest.
The archive's last entry, ``backup.json``, names every file and its hash: an archive without it was cut off.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

import store
from core.errors import InputError, StoreError
from core.settings import DRILL
from store.journal import HEAD_FILE, Journal, journal_url, write_head
from store.journal.database import copy_sqlite, sqlite_file
from store.releases import (
    HEAD,
    MANIFEST,
    NEXT_HEAD,
    REMOVED,
    Problem,
    ReleaseStore,
    json_bytes,
    read_head,
    release_folders,
)
from store.status import witnesses

ABOUT = "backup.json"
JOURNAL = "journal.sqlite"
SUFFIX = ".tar.zst"
_VERSION = 1
_WAIT_SECONDS = 2 * 3600.0
MADE_AGAIN = ("backtests", "fits")
"""Folders whose content the next night makes again."""
_ASIDE = ".restoring"
_IMMUTABLE = ("releases/", "vintages/", "rejected/")
_NOT_KEPT = (DRILL, HEAD_FILE, ".lock", ".holder.json", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Archive:
    """A backup as it was written or read.

    Attributes:
        path: The file.
        files: Hash of every file in it, by its place in the home folder.
        size: Bytes of those files.
        journal_apart: True where the journal is kept in PostgreSQL and so is not in the archive.
    """

    path: Path
    files: dict[str, str] = field(default_factory=dict)
    size: int = 0
    journal_apart: bool = False


def write_backup(home: Path, to: Path, journal_setting: str = "", *, with_made_again: bool = False) -> Archive:
    """Copy a home folder; a night that is running is waited for, and a night that begins waits.

    Args:
        home: The home folder.
        to: A file that ends in ``.tar.zst``, or a folder in which one is made, named by the time.
        journal_setting: Address of the journal, as in the settings.
        with_made_again: Copy past forecasts and fits too, which saves the first night after a restore some minutes.

    Raises:
        InputError: There is nothing to copy, the file exists already, or a night runs for hours.
        StoreError: A file cannot be read or written, or the journal is damaged.
    """
    if not (home / "releases").is_dir():
        raise InputError(f"{home}: holds no releases: there is nothing to back up")
    target = _target(to)
    # On a read-only disk no night runs, and no lock can be taken.
    held = store.night_lock(home, task=store.BACKUP, wait_seconds=_WAIT_SECONDS)
    with nullcontext() if store.is_read_only(home) else held, store.named_errors(target):
        store.make_folder(target.parent, private=False)
        handle, aside = tempfile.mkstemp(prefix=store.ASIDE, dir=target.parent)
        try:
            os.close(handle)
            archive = _write(
                home, Path(aside), journal_url(journal_setting, home), () if with_made_again else MADE_AGAIN
            )
            for _ in read_archive(archive.path):
                pass
            Path(aside).replace(target)
            store.flush_folder(target.parent)
        finally:
            Path(aside).unlink(missing_ok=True)
    return replace(archive, path=target)


def find_archive(source: Path) -> Path:
    """The file itself, or the newest archive in a folder.

    Raises:
        InputError: There is none.
    """
    if source.is_file():
        return source
    found = sorted(source.glob(f"vigie-*{SUFFIX}")) if source.is_dir() else []
    if not found:
        raise InputError(f"--from {source}: holds no backup")
    return found[-1]


def read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of an archive with its place, each checked against its hash at the end of the archive.

    Raises:
        StoreError: The archive is cut off, altered, or names places outside of a home folder.
    """
    hashes: dict[str, str] = {}
    about: dict[str, Any] | None = None
    with store.named_errors(path), _opened(path) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if about is not None or stream is None or not _is_safe(member.name):
                raise StoreError(f"{path}: holds '{member.name}', which no backup holds")
            content = stream.read()
            if member.name == ABOUT:
                about = json.loads(content)
            else:
                hashes[member.name] = store.sha256_of_bytes(content)
                yield member.name, content
    if about is None:
        raise StoreError(f"{path}: is cut off: its list of files is missing")
    wrong = [name for name, one in about["files"].items() if hashes.pop(name, "") != one["sha256"]] + sorted(hashes)
    if wrong:
        raise StoreError(f"{path}: '{wrong[0]}' is not as it was backed up")


def _write(home: Path, path: Path, url: str, without: tuple[str, ...]) -> Archive:
    files: dict[str, dict[str, Any]] = {}
    journal = sqlite_file(url)
    with pa.CompressedOutputStream(str(path), "zstd") as stream, tarfile.open(fileobj=stream, mode="w|") as archive:

        def add(name: str, content: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o600, int(dt.datetime.now(dt.UTC).timestamp())
            archive.addfile(entry, io.BytesIO(content))
            if name != ABOUT:
                files[name] = {"sha256": store.sha256_of_bytes(content), "bytes": len(content)}

        # The journal first: whatever it says of a release, that release is in the folder by then.
        if journal is not None and journal.is_file():
            add(JOURNAL, copy_sqlite(journal))
        for file in sorted(home.rglob("*")):
            name = file.relative_to(home).as_posix()
            if file.is_file() and file != journal and _is_kept(name, without):
                add(name, file.read_bytes())
        about = {
            "version": _VERSION,
            "created_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "head": read_head(home / "releases"),
            "journal": "apart" if journal is None else JOURNAL,
            "files": files,
        }
        add(ABOUT, json.dumps(about, indent=1).encode())
    with path.open("rb+") as written:
        os.fsync(written.fileno())
    size = sum(int(one["bytes"]) for one in files.values())
    return Archive(path, {name: str(one["sha256"]) for name, one in files.items()}, size, journal is None)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with (
            pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            yield archive
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        # Arrow raises an OSError without a number for what it cannot unpack.
        raise StoreError(f"{path}: is not a whole backup: {error}") from None


def _target(to: Path) -> Path:
    if not to.name.endswith(SUFFIX):
        if to.is_file():
            raise InputError(f"--to {to}: name a folder, or a file that ends in {SUFFIX}")
        to /= f"vigie-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"
    if to.exists():
        raise InputError(f"--to {to}: exists already; a backup overwrites nothing")
    return to


def _is_kept(name: str, without: tuple[str, ...]) -> bool:
    """What others need: no locks, nothing that is being written, none of some folders."""
    parts = PurePosixPath(name).parts
    return parts[0] not in without and not any(part.startswith(".") for part in parts) and not name.endswith(_NOT_KEPT)


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not any(part.startswith(("/", ".")) for part in parts) and "\0" not in name


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes:
        archive: Where it came from.
        files: Files written, by their place in the home folder.
        size: Their bytes.
        problem: The first thing that is wrong with the chain of releases afterwards; None where it is whole.
    """

    archive: Path
    files: list[str]
    size: int
    problem: Problem | None


def restore(source: Path, home: Path, journal_setting: str = "", *, drill: bool = False) -> Restored:
    """Put a backup into a place that is empty: all of it, checked, or nothing.

    Args:
        source: The archive, or a folder of archives of which the newest is taken.
        home: Where to; an existing folder must be empty.
        journal_setting: Address of the journal, as in the settings; the chain is held against what it kept.
        drill: Cut the new home off from all that its settings name (:data:`core.settings.DRILL`).

    Raises:
        InputError: There is no archive, or something is in the way.
        StoreError: The archive is damaged, or the disk refuses.
    """
    archive = find_archive(source)
    if home.exists() and (not home.is_dir() or any(path.name != _ASIDE for path in home.iterdir())):
        raise InputError(
            f"{home}: is not empty; a restore overwrites nothing. Name another folder, or move this one away"
        )
    aside, files, size = home / _ASIDE, [], 0
    with store.named_errors(home):
        shutil.rmtree(aside, ignore_errors=True)
        try:
            for name, content in read_archive(archive):
                store.write_bytes(aside / name, content)
                files.append(name)
                size += len(content)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        if drill:
            about = {"from": str(archive), "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}
            store.write_bytes(home / DRILL, json.dumps(about, indent=1).encode())
        for path in sorted(aside.iterdir()):
            path.replace(home / path.name)
        aside.rmdir()
        store.flush_folder(home)
    if JOURNAL in files:
        _renew_head(home)
    return Restored(archive, files, size, _problem(home, journal_setting))


def repair(source: Path, home: Path, journal_setting: str = "") -> Restored:
    """Put back what is damaged or missing among the files that never change, and a damaged journal; nothing else.

    The journal is damaged where it cannot be read, and where it lacks a row of the backup: rows are only ever added.
    It is kept beside the restored one: what was recorded since the backup is in it alone.

    Args:
        source: The archive, or a folder of archives of which the newest is taken.
        home: The home folder.
        journal_setting: Address of the journal, as in the settings.

    Raises:
        InputError: There is no archive.
        StoreError: The archive is damaged, or the disk refuses.
    """
    archive, files, size = find_archive(source), [], 0
    # Two readings: nothing is written before the whole archive has proved sound.
    for _ in read_archive(archive):
        pass
    for name, content in read_archive(archive):
        if name == JOURNAL and _journal_is_damaged(home / JOURNAL, content):
            _set_aside(home / JOURNAL)
        elif not name.startswith(_IMMUTABLE) or not _is_damaged(home, name, content):
            continue
        store.write_bytes(home / name, content)
        files.append(name)
        size += len(content)
    if JOURNAL in files:
        _renew_head(home)
    if _mend_head(home, journal_setting):
        files.append(f"releases/{HEAD}")
    return Restored(archive, files, size, _problem(home, journal_setting))


def _renew_head(home: Path) -> None:
    """Keep the end of the journal that was put back: the one before may name rows that are lost."""
    with closing(Journal(journal_url("", home))) as journal:
        if (head := journal.head()) is not None:
            write_head(home, head, anew=True)


def _journal_is_damaged(path: Path, backed_up: bytes) -> bool:
    """Whether a journal cannot be read, or any row as it was backed up is not in it any more, or is another."""
    if not path.is_file():
        return True
    with tempfile.TemporaryDirectory() as folder:
        present, former = Path(folder) / "present.sqlite", Path(folder) / "former.sqlite"
        former.write_bytes(backed_up)
        try:
            present.write_bytes(copy_sqlite(path))
            with closing(sqlite3.connect(present)) as database:
                database.execute("ATTACH ? AS former", [str(former)])
                named = database.execute(
                    "SELECT name FROM former.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                )
                return any(
                    database.execute(
                        f'SELECT 1 FROM (SELECT * FROM former."{name}" EXCEPT SELECT * FROM main."{name}") LIMIT 1'  # noqa: S608  # names of our own tables
                    ).fetchone()
                    for (name,) in named.fetchall()
                )
        except (StoreError, sqlite3.Error):
            return True


def _mend_head(home: Path, journal_setting: str) -> bool:
    """Write a damaged head anew, if the journal names the newest release and none after it.

    Returns:
        True where it was written.
    """
    folder = home / "releases"
    newest = release_folders(folder)[-1:]
    kept = witnesses(home, journal_setting)
    if not newest or max(kept, default="") != newest[0].name:
        return False
    head = {"run_id": newest[0].name, "manifest_sha256": store.sha256_of_file(newest[0] / MANIFEST)}
    if kept[head["run_id"]] != head["manifest_sha256"]:
        return False
    with suppress(StoreError):
        if read_head(folder) == head:
            return False
    store.write_bytes(folder / HEAD, json_bytes(head))
    (folder / NEXT_HEAD).unlink(missing_ok=True)
    return True


def _set_aside(path: Path) -> None:
    """Keep a damaged journal, and what SQLite wrote beside it, under other names: a person may save rows from it."""
    for file in sorted(path.parent.glob(f"{path.name}*")):
        if ".damaged" not in file.name:
            file.replace(file.with_name(file.name.replace(path.name, f"{path.name}.damaged")))


def _is_damaged(home: Path, name: str, content: bytes) -> bool:
    path = home / name
    if path.name in {HEAD, NEXT_HEAD}:
        return not path.is_file()
    if name.startswith("releases/"):
        run_id = name.split("/")[1]
        folder = home / "releases"
        gone = (folder / REMOVED / f"{run_id}.json").is_file() and not (folder / run_id).is_dir()
        return not gone and (not path.is_file() or store.sha256_of_file(path) != store.sha256_of_bytes(content))
    # Figures are named by their content; where files were merged meanwhile the old ones are rightly gone.
    return path.is_file() and not store.is_as_named(path)


def _problem(home: Path, journal_setting: str) -> Problem | None:
    try:
        return ReleaseStore(home).verify(witnesses(home, journal_setting))
    except StoreError as error:
        return Problem("", "", str(error))

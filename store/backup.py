"""A whole home folder in one file, and back: every file with its hash, the journal as it is in one moment.

What a night can make again (:data:`MADE_AGAIN`) is left out unless asked for: it is larger than all the rest.
The archive's last entry, ``backup.json``, names every file and its hash: an archive without it was cut off.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from core.errors import InputError, StoreError
from store.chain import read_head
from store.database import copy_sqlite, sqlite_file
from store.files import ASIDE, flush_folder, named_errors, sha256_of_bytes
from store.journal import journal_url
from store.lock import BACKUP, night_lock

ABOUT = "backup.json"
JOURNAL = "journal.sqlite"
SUFFIX = ".tar.zst"
_VERSION = 1
_WAIT_SECONDS = 2 * 3600.0
MADE_AGAIN = ("backtests", "fits")
"""Folders whose content the next night makes again."""
_NOT_KEPT = (".lock", ".holder.json", "-wal", "-shm", "-journal")


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
    with night_lock(home, task=BACKUP, wait_seconds=_WAIT_SECONDS), named_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(prefix=ASIDE, dir=target.parent)
        try:
            os.close(handle)
            archive = _write(
                home, Path(aside), journal_url(journal_setting, home), () if with_made_again else MADE_AGAIN
            )
            _read_back(archive)
            Path(aside).replace(target)
            flush_folder(target.parent)
        finally:
            Path(aside).unlink(missing_ok=True)
    return Archive(target, archive.files, archive.size, archive.journal_apart)


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
    with named_errors(path), _opened(path) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if about is not None or stream is None or not _is_safe(member.name):
                raise StoreError(f"{path}: holds '{member.name}', which no backup holds")
            content = stream.read()
            if member.name == ABOUT:
                about = json.loads(content)
            else:
                hashes[member.name] = sha256_of_bytes(content)
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
                files[name] = {"sha256": sha256_of_bytes(content), "bytes": len(content)}

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


def _read_back(archive: Archive) -> None:
    for _ in read_archive(archive.path):
        pass


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with (
            pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            yield archive
    except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
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
    return (
        bool(parts)
        and not name.startswith("/")
        and not any(part.startswith(".") for part in parts)
        and "\0" not in name
    )

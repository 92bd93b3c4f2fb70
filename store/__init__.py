"""The only room that writes: vintages, backtests, releases and the journal.

Here stand files that a reader meets whole, old or new and never half written; and folders of Parquet files that only
grow.

Locks too: one night at a time, one sender at a time. A lock belongs to the operating system: it goes when its process
goes, even by kill -9.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import BaseFileLock, FileLock, Timeout

from core.errors import InputError, StoreError, first_line
from core.log import get_logger

ASIDE = ".aside-"
"""Beginning of the name of a file that is still being written; it never ends in ``.parquet``."""
KEY_FILE = "integrity.key"
"""File of a home folder that holds the key of its digests."""
_KEY_BYTES = 32
SHARED_STATE = ".store"
"""Folder of a home that holds what it remembers of the shared store."""
OWNER_FILE, _OWNER_FOLDER = 0o600, 0o700
"""Modes of the files and folders of a home."""
_STILL_WRITING = dt.timedelta(hours=1)


def home_key(home: Path) -> bytes:
    """Return a home folder's secret key of 32 bytes; it is made at the first call, readable by its owner alone.

    Raises:
        StoreError: It cannot be read or made, or is no such key.
    """
    path = home / KEY_FILE
    with named_errors(path):
        if not path.exists():
            create_bytes(path, secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise StoreError(f"{path}: is no key of {_KEY_BYTES} bytes; remove it: the next night makes the caches again")
    return key


def keyed_digest(key: bytes, content: bytes) -> str:
    """HMAC-SHA-256 of some bytes (RFC 2104), in hexadecimal: it cannot be made without the key."""
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def sha256_of_bytes(content: bytes) -> str:
    """SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal.

    Raises:
        StoreError: The file cannot be read.
    """
    with named_errors(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_as_named(path: Path) -> bool:
    """Whether a file's content is the one by whose hash it is named: one altered bit is found.

    Raises:
        StoreError: The file cannot be read.
    """
    return sha256_of_file(path).startswith(path.stem)


def make_folder(folder: Path, *, private: bool = True) -> bool:
    """Make a folder and those above it that are missing.

    Args:
        folder: The folder.
        private: Whether those made are for their owner alone, whatever the umask. Else they are so only below a folder
            that is, as all of a home are.

    Returns:
        Whether a file in it is for its owner alone.

    Raises:
        OSError: The disk refuses, or something is in the way.
    """
    if folder.is_dir():
        return private or not folder.stat().st_mode & 0o077
    private = make_folder(folder.parent, private=private)
    folder.mkdir(mode=_OWNER_FOLDER if private else 0o777, exist_ok=True)
    return private


def write_bytes(path: Path, content: bytes, *, private: bool = True) -> None:
    """Write a file aside, flush it to the disk and move it into place; folders are made where they are missing.

    Args:
        path: The file.
        content: What it will hold.
        private: Whether it is a file of a home folder: for its owner alone. Else everybody may read it, unless its
            folder is for its owner alone, as those of a home are.

    Raises:
        StoreError: The disk is full, or the folder cannot be written.
    """
    with named_errors(path):
        private = make_folder(path.parent, private=private)
        handle, name = tempfile.mkstemp(prefix=ASIDE, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(OWNER_FILE if private else 0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        flush_folder(path.parent)


def create_bytes(path: Path, content: bytes, *, private: bool = True) -> bool:
    """Write a file as :func:`write_bytes` does, only where there is none: of several at once one gets True.

    Raises:
        StoreError: The disk is full, or the folder cannot be written.
    """
    aside = path.with_name(f"{ASIDE}{secrets.token_hex(16)}")
    write_bytes(aside, content, private=private)
    with named_errors(path):
        try:
            path.hardlink_to(aside)  # unlike a rename, it leaves in place what a faster process has put there
        except FileExistsError:
            return False
        finally:
            aside.unlink()
        flush_folder(path.parent)
    return True


def is_read_only(folder: Path) -> bool:
    """Whether the disk below a folder takes no writes from anybody, as it is mounted here."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def remove_unfinished(folder: Path, now: dt.datetime) -> list[Path]:
    """Remove files that a killed process was still writing, anywhere below a folder.

    Args:
        folder: The folder.
        now: The time: what was begun within the last hour may still be finished by a process that runs.

    Returns:
        What was removed.

    Raises:
        StoreError: The disk refuses.
    """
    found = []
    for path in folder.rglob(f"{ASIDE}*"):
        with named_errors(path), contextlib.suppress(FileNotFoundError):
            begun = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
            if path.is_file() and abs(now - begun) > _STILL_WRITING:
                path.unlink()
                found.append(path)
    return found


def flush_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk, so that a rename inside it outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def parquet_bytes(frame: pd.DataFrame, *, largest_dictionary: int = 1 << 20) -> bytes:
    """A frame as Parquet (zstd), without its index. The same frame always gives the same bytes.

    Args:
        frame: Rows.
        largest_dictionary: Bytes up to which a column's distinct values are kept as a dictionary.
    """
    # Without pandas' own metadata the bytes do not change when pandas is upgraded.
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", dictionary_pagesize_limit=largest_dictionary)
    return bytes(sink.getvalue())


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read one Parquet file.

    Raises:
        StoreError: The file is missing, is not whole, or lacks one of the columns.
    """
    frame: pd.DataFrame = read_table(path, columns).to_pandas()
    return frame


def read_table(
    path: Path, columns: Sequence[str] | None = None, texts_as_codes: Sequence[str] = (), content: bytes | None = None
) -> pa.Table:
    """Read one Parquet file as an Arrow table.

    Args:
        path: The file.
        columns: Columns to read; all by default.
        texts_as_codes: Text columns to read as dictionary codes: many repeated texts are read much faster so.
        content: The file's content, if it was read and checked before.

    Raises:
        StoreError: The file is missing, is not whole, or lacks one of the columns.
    """
    # ParquetFile reads this one file only; pq.read_table would look for partitions in the names of folders.
    with named_errors(path):
        source = path if content is None else pa.BufferReader(content)
        metadata = pq.read_metadata(source)
        held = metadata.schema.to_arrow_schema().names
        if missing := [name for name in columns or () if name not in held]:
            raise StoreError(f"{path}: has no columns {missing}; found {held}")
        codes = [name for name in texts_as_codes if name in held]
        with pq.ParquetFile(source, metadata=metadata, read_dictionary=codes) as file:
            return file.read(columns=list(columns) if columns is not None else None)


@contextlib.contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn what the system and Arrow raise into a :class:`StoreError` that names the file."""
    try:
        yield
    except pa.ArrowException as error:
        raise StoreError(f"{path}: is not a whole Parquet file: {first_line(error)}") from None
    except OSError as error:
        # Arrow raises an OSError without a number for a file whose inside is damaged.
        rule = os.strerror(error.errno) if error.errno else f"is not a whole Parquet file: {first_line(error)}"
        raise StoreError(f"{path}: {rule}") from error


MANY_FILES = 64
"""Number of files from which a folder is merged into one: hundreds of nights must not slow reading down."""
LARGEST_DICTIONARY = 16 << 20
"""Bytes of distinct texts per column that a file may keep as a dictionary: tens of thousands of series."""
_ATTEMPTS = 3
MOST_CACHED_BYTES = 1 << 30
"""Size above which a file of a cache is not even read."""


@dataclass(frozen=True)
class Partitions:
    """Parquet files under one folder, each named by the hash of its content, or by its digest with a home's key.

    While files are merged, a reader may meet a row both in the merged file and in the old one: readers drop
    repeated rows by key.

    Attributes:
        folder: Where the files lie; made at the first append.
        texts_as_codes: Text columns read as pandas categories.
        in_order: Puts the rows of a merged file in order; None leaves them as they come.
        keyed_by: Home folder whose key names the files; a file without its digest is then never read.
    """

    folder: Path
    texts_as_codes: tuple[str, ...] = ()
    in_order: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    keyed_by: Path | None = None

    def files(self) -> list[Path]:
        """The files, sorted by name."""
        return sorted(self.folder.glob("*.parquet"))

    def append(self, frame: pd.DataFrame) -> None:
        """Write a frame as one more file; an empty frame writes nothing.

        Raises:
            StoreError: The file cannot be written, or older files cannot be merged.
        """
        if frame.empty:
            return
        self._write(frame)
        if len(self.files()) >= MANY_FILES:
            self.merge()

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """All rows; an empty frame without columns where nothing was ever appended.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        if not (tables := self.tables(columns)):
            return pd.DataFrame()
        rows: pd.DataFrame = pa.concat_tables(tables, promote_options="default").unify_dictionaries().to_pandas()
        return rows

    def damaged(self) -> list[Path]:
        """Files whose content is not the one they are named by.

        Raises:
            StoreError: A file cannot be read.
        """
        found = []
        for path in self.files():
            try:
                is_whole = is_as_named(path) if self.keyed_by is None else self._content(path) is not None
                if not is_whole:
                    found.append(path)
            except StoreError:
                # Another process may have merged the files between the listing and the reading.
                if path.exists():
                    raise
        return found

    def set_aside_damaged(self) -> list[Path]:
        """Rename damaged files, so that they are read no more.

        Only for folders whose content can be made again.

        Returns:
            The files as they were called.

        Raises:
            StoreError: A file cannot be read or renamed.
        """
        damaged = self.damaged()
        for path in damaged:
            with named_errors(path):
                path.replace(path.with_suffix(".damaged"))
        return damaged

    def merge(self) -> None:
        """Write all rows anew, in order, as one file. A crash leaves rows twice, never none.

        Raises:
            StoreError: A file is damaged (then nothing is removed), or the merged one cannot be written.
        """
        old = self.files()
        merged = replace(self, texts_as_codes=()).read().drop_duplicates(ignore_index=True)
        path = self._write(merged if self.in_order is None else self.in_order(merged))
        for file in old:
            if file != path:
                file.unlink(missing_ok=True)

    def _write(self, frame: pd.DataFrame) -> Path:
        content = parquet_bytes(frame, largest_dictionary=LARGEST_DICTIONARY)
        digest = sha256_of_bytes(content) if self.keyed_by is None else keyed_digest(home_key(self.keyed_by), content)
        path = self.folder / f"{digest[:32]}.parquet"
        if not path.exists():
            write_bytes(path, content)
        return path

    def tables(self, columns: Sequence[str] | None = None) -> list[pa.Table]:
        """Each file as an Arrow table, in the order of the files' names.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        for _ in range(_ATTEMPTS - 1):
            files = self.files()
            try:
                return self._tables(files, columns)
            except StoreError:
                # Another process may have merged the files between the listing and the reading.
                if all(path.exists() for path in files):
                    raise
        return self._tables(self.files(), columns)

    def _tables(self, files: Sequence[Path], columns: Sequence[str] | None) -> list[pa.Table]:
        if self.keyed_by is None:
            return [read_table(path, columns, self.texts_as_codes) for path in files]
        found = []
        for path in files:
            if (content := self._content(path)) is None:
                get_logger().warning("file without this home's digest left out; it is made anew", file=path.name)
            else:
                found.append(read_table(path, columns, self.texts_as_codes, content))
        return found

    def _content(self, path: Path) -> bytes | None:
        """A file's content if it carries the digest of this home's key and is of a usual size; else None."""
        with named_errors(path):
            if self.keyed_by is None or path.stat().st_size > MOST_CACHED_BYTES:
                return None
            content = path.read_bytes()
        return content if keyed_digest(home_key(self.keyed_by), content)[:32] == path.stem else None


NIGHT, BACKUP = "night", "backup"
_LONGEST_BACKUP_SECONDS = 900.0
_LONGEST_PROBE_SECONDS = 0.2
"""A reader that probes a lock holds it for less."""
_NIGHT_LOCK, _HOLDER = "night.lock", "night.holder.json"
Note = Callable[[Mapping[str, Any]], None]
"""Adds to what the holder of a lock is doing, for :func:`running_night`."""


class AlreadyRunningError(InputError):
    """Another process already does this on this home folder."""


def night_lock(home: Path, *, task: str = NIGHT, wait_seconds: float = 0) -> contextlib.AbstractContextManager[Note]:
    """Hold the home folder for one night, or for a backup.

    Args:
        home: The home folder.
        task: ``NIGHT`` or ``BACKUP``. A night waits for the end of a backup, for minutes at most.
        wait_seconds: How long to wait for its holder.

    Returns:
        What holds it, and gives a function that notes how far the night is.

    Raises:
        AlreadyRunningError: Another night runs; the text says which process, and since when.
        StoreError: The home folder cannot be written.
    """
    holder = home / _HOLDER
    held_by = _read(holder).get("task", NIGHT)
    if task == NIGHT and held_by == BACKUP:
        wait_seconds = max(wait_seconds, _LONGEST_BACKUP_SECONDS)
    what = "a backup is running" if held_by == BACKUP else "another night is running"
    return _exclusive(home / _NIGHT_LOCK, holder, what, wait_seconds, task)


def running_night(home: Path) -> dict[str, Any] | None:
    """Return how far the night is that runs on a home folder; None while no night runs.

    Returns:
        ``started`` in ISO 8601; ``as_of``; ``stage``, ``stages_done`` and ``stages``; ``step`` of the stage with units
        ``done`` and ``total``; ``seconds_left`` of the step, None while unknown. A killed night is not running: its
        note counts only while the lock is held.
    """
    found = _read(home / _HOLDER)
    if "stage" not in found or not _is_held(home / _NIGHT_LOCK):
        return None
    return {"started": found["since"]} | {name: found[name] for name in found if name not in {"pid", "since", "task"}}


def delivery_lock(home: Path, wait_seconds: float = 0) -> contextlib.AbstractContextManager[object]:
    """Hold the outbox of a home folder: two senders would send every message twice.

    Raises:
        AlreadyRunningError: Another process sends; the text says which one, and since when.
        StoreError: The home folder cannot be written.
    """
    return _exclusive(home / "delivery.lock", home / "delivery.holder.json", "messages are being sent", wait_seconds)


def held(path: Path, what: str, wait_seconds: float) -> contextlib.AbstractContextManager[None]:
    """Hold a lock file; its folder is made where it is missing.

    Raises:
        StoreError: Another process holds it for so long, or the folder cannot be written.
    """
    busy = f"{path.parent}: another process has been {what} for {wait_seconds:.0f} s"
    return _locked(path, wait_seconds, lambda: StoreError(busy))


@contextlib.contextmanager
def _locked(path: Path, wait_seconds: float, busy: Callable[[], Exception]) -> Iterator[None]:
    with named_errors(path.parent):
        make_folder(path.parent)
        try:
            lock = _acquired(path, wait_seconds)
        except Timeout:
            raise busy() from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _exclusive(path: Path, holder: Path, what: str, wait_seconds: float = 0, task: str = "") -> Iterator[Note]:
    with _locked(path, wait_seconds, lambda: AlreadyRunningError(f"{what} on {path.parent}{_describe(holder)}")):
        who = {"pid": os.getpid(), "since": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "task": task}

        def note(facts: Mapping[str, Any]) -> None:
            # The holder is noted where the disk has space for that; the lock itself needs none.
            with contextlib.suppress(StoreError):
                write_bytes(holder, json.dumps({**who, **facts}).encode())

        note({})
        try:
            yield note
        finally:
            holder.unlink(missing_ok=True)


def _acquired(path: Path, wait_seconds: float) -> BaseFileLock:
    """The lock, held.

    Raises:
        Timeout: Another process holds it for so long.
        StoreError: The folder takes no files.
        OSError: The file cannot be opened.
    """
    lock = FileLock(path, mode=OWNER_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        # filelock takes a folder that refuses every file as "no such file", as /proc does, for a lock that is held.
        if not path.exists():
            raise StoreError(f"{path}: cannot be made: no file can be written in {path.parent}") from None
        lock.acquire(timeout=max(wait_seconds, _LONGEST_PROBE_SECONDS))
    return lock


def _is_held(path: Path) -> bool:
    """Whether another process, or another part of this one, holds a lock file."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _describe(holder: Path) -> str:
    who = _read(holder)
    return f": process {who['pid']}, since {who['since']}" if {"pid", "since"} <= set(who) else ""


def _read(holder: Path) -> dict[str, Any]:
    """Who holds a lock; nothing where the other process has taken it and not yet signed."""
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return who if isinstance(who, dict) else {}

"""One night at a time, one sender at a time.

A lock belongs to the operating system: it goes when its process goes, even by kill -9.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from core.errors import InputError, StoreError
from store import OWNER_FILE, make_folder, named_errors, write_bytes

NIGHT, BACKUP = "night", "backup"
_LONGEST_BACKUP_SECONDS = 900.0
_LONGEST_PROBE_SECONDS = 0.2
"""A reader that probes a lock holds it for less."""
_NIGHT_LOCK, _HOLDER = "night.lock", "night.holder.json"
Note = Callable[[Mapping[str, Any]], None]
"""Adds to what the holder of a lock is doing, for :func:`running_night`."""


class AlreadyRunningError(InputError):
    """Another process already does this on this home folder."""


@contextlib.contextmanager
def night_lock(home: Path, *, task: str = NIGHT, wait_seconds: float = 0) -> Iterator[Note]:
    """Hold the home folder for one night, or for a backup.

    Args:
        home: The home folder.
        task: ``NIGHT`` or ``BACKUP``. A night waits for the end of a backup, for minutes at most.
        wait_seconds: How long to wait for its holder.

    Yields:
        A function that notes how far the night is.

    Raises:
        AlreadyRunningError: Another night runs; the text says which process, and since when.
        StoreError: The home folder cannot be written.
    """
    holder = home / _HOLDER
    held_by = _read(holder).get("task", NIGHT)
    if task == NIGHT and held_by == BACKUP:
        wait_seconds = max(wait_seconds, _LONGEST_BACKUP_SECONDS)
    what = "a backup is running" if held_by == BACKUP else "another night is running"
    with _exclusive(home / _NIGHT_LOCK, holder, what, wait_seconds, task) as note:
        yield note


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


@contextlib.contextmanager
def delivery_lock(home: Path, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the outbox of a home folder: two senders would send every message twice.

    Raises:
        AlreadyRunningError: Another process sends; the text says which one, and since when.
        StoreError: The home folder cannot be written.
    """
    with _exclusive(home / "delivery.lock", home / "delivery.holder.json", "messages are being sent", wait_seconds):
        yield


@contextlib.contextmanager
def held(path: Path, what: str, wait_seconds: float) -> Iterator[None]:
    """Hold a lock file; its folder is made where it is missing.

    Raises:
        StoreError: Another process holds it for so long, or the folder cannot be written.
    """
    with named_errors(path.parent):
        make_folder(path.parent)
        try:
            lock = _acquired(path, wait_seconds)
        except Timeout:
            raise StoreError(f"{path.parent}: another process has been {what} for {wait_seconds:.0f} s") from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _exclusive(path: Path, holder: Path, what: str, wait_seconds: float = 0, task: str = "") -> Iterator[Note]:
    with named_errors(path):
        make_folder(path.parent)
        try:
            lock = _acquired(path, wait_seconds)
        except Timeout:
            raise AlreadyRunningError(f"{what} on {path.parent}{_describe(holder)}") from None
    try:
        who = {"pid": os.getpid(), "since": _now(), "task": task}

        def note(facts: Mapping[str, Any]) -> None:
            # The holder is noted where the disk has space for that; the lock itself needs none.
            with contextlib.suppress(StoreError):
                write_bytes(holder, json.dumps({**who, **facts}).encode())

        note({})
        try:
            yield note
        finally:
            holder.unlink(missing_ok=True)
    finally:
        lock.release()


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


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

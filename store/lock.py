"""One night at a time, one sender at a time.

A lock belongs to the operating system: it goes when its process goes, even by kill -9.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from core.errors import InputError, StoreError
from store import named_errors, write_bytes

NIGHT, BACKUP = "night", "backup"
_LONGEST_BACKUP_SECONDS = 900.0


class AlreadyRunningError(InputError):
    """Another process already does this on this home folder."""


@contextlib.contextmanager
def night_lock(home: Path, *, task: str = NIGHT, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the home folder for one night, or for a backup.

    Args:
        home: The home folder.
        task: ``NIGHT`` or ``BACKUP``. A night waits for the end of a backup, for minutes at most.
        wait_seconds: How long to wait for whoever holds it.

    Raises:
        AlreadyRunningError: Another night runs; the text says which process, and since when.
        StoreError: The home folder cannot be written.
    """
    holder = home / "night.holder.json"
    held_by = _read(holder).get("task", NIGHT)
    if task == NIGHT and held_by == BACKUP:
        wait_seconds = max(wait_seconds, _LONGEST_BACKUP_SECONDS)
    what = "a backup is running" if held_by == BACKUP else "another night is running"
    with _exclusive(home / "night.lock", holder, what, wait_seconds, task):
        yield


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
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = _acquired(path, wait_seconds)
        except Timeout:
            raise StoreError(f"{path.parent}: another process has been {what} for {wait_seconds:.0f} s") from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _exclusive(path: Path, holder: Path, what: str, wait_seconds: float = 0, task: str = "") -> Iterator[None]:
    with named_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = _acquired(path, wait_seconds)
        except Timeout:
            raise AlreadyRunningError(f"{what} on {path.parent}{_describe(holder)}") from None
    try:
        # The holder is noted where the disk has space for that; the lock itself needs none.
        with contextlib.suppress(StoreError):
            write_bytes(holder, json.dumps({"pid": os.getpid(), "since": _now(), "task": task}).encode())
        try:
            yield
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
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        # filelock takes a folder that refuses every file as "no such file", as /proc does, for a lock that is held.
        if not path.exists():
            raise StoreError(f"{path}: cannot be made: no file can be written in {path.parent}") from None
        lock.acquire(timeout=wait_seconds)
    return lock


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

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

from filelock import FileLock, Timeout

from core.errors import InputError
from store.files import named_errors, write_bytes


class AlreadyRunningError(InputError):
    """Another process already does this on this home folder."""


@contextlib.contextmanager
def night_lock(home: Path) -> Iterator[None]:
    """Hold the home folder for one night.

    Raises:
        AlreadyRunningError: Another night runs; the text says which process, and since when.
        StoreError: The home folder cannot be written.
    """
    holder = home / "night.holder.json"
    with _exclusive(home / "night.lock", holder, "another night is running"):
        yield


@contextlib.contextmanager
def delivery_lock(home: Path, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the outbox of a home folder: two senders would send every letter twice.

    Args:
        home: The home folder.
        wait_seconds: How long to wait for another sender to end.

    Raises:
        AlreadyRunningError: Another process sends; the text says which one, and since when.
        StoreError: The home folder cannot be written.
    """
    with _exclusive(home / "delivery.lock", home / "delivery.holder.json", "messages are being sent", wait_seconds):
        yield


@contextlib.contextmanager
def _exclusive(path: Path, holder: Path, what: str, wait_seconds: float = 0) -> Iterator[None]:
    with named_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=wait_seconds)
        try:
            lock.acquire()
        except Timeout:
            raise AlreadyRunningError(f"{what} on {path.parent}{_describe(holder)}") from None
    try:
        write_bytes(holder, json.dumps({"pid": os.getpid(), "since": _now()}).encode())
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)
    finally:
        lock.release()


def _describe(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f": process {who['pid']}, since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        # The other process took the lock and has not yet signed it.
        return ""


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

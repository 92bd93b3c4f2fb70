"""One night at a time. The lock belongs to the operating system: it goes when its process goes, even by kill -9."""

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
    """Another process already runs a night on this home folder."""


@contextlib.contextmanager
def night_lock(home: Path) -> Iterator[None]:
    """Hold the home folder for one night.

    Raises:
        AlreadyRunningError: Another night runs; the text says which process, and since when.
        StoreError: The home folder cannot be written.
    """
    holder = home / "night.holder.json"
    with _exclusive(home / "night.lock", holder):
        write_bytes(holder, json.dumps({"pid": os.getpid(), "since": _now()}).encode())
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)


@contextlib.contextmanager
def _exclusive(path: Path, holder: Path) -> Iterator[None]:
    with named_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise AlreadyRunningError(f"another night is running on {path.parent}{_describe(holder)}") from None
    try:
        yield
    finally:
        lock.release()


def _describe(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f": process {who['pid']}, since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        # The other night took the lock and has not yet signed it.
        return ""


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

"""One night at a time on all machines that share a store: PostgreSQL holds them apart, or else a lease in the store.

Neither is what keeps the store whole (:func:`store.shared.index.publish` is): they spare a night whose result nobody
could take. A lease is known to be dead by the store's own clock, so machines may disagree on the time of day.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import StoreError
from core.log import get_logger
from store.database import Database
from store.lock import AlreadyRunningError
from store.shared.files import RemoteFiles

LEASES = "leases"
_KEPT = 5
_NAME = re.compile(r"(\d{12})\.json")


@contextmanager
def single_flight(files: RemoteFiles, journal: str, lease_seconds: float) -> Iterator[None]:
    """Hold the shared store for one night.

    Args:
        files: The store.
        journal: Address of the journal; one in PostgreSQL holds nights apart.
        lease_seconds: Silence after which the holder of a lease counts as dead.

    Raises:
        AlreadyRunningError: A night runs on another machine.
        StoreError: The store does not answer, cannot be written or cannot be shared.
    """
    now = files.now()
    if journal.startswith("postgresql"):
        database = Database(journal)
        try:
            with database.alone(f"vigie store {files.url}") as is_held:
                if not is_held:
                    raise AlreadyRunningError(f"another night is running on {files.url}, as PostgreSQL says")
                yield
        finally:
            database.close()
        return
    number = _acquire(files, now, lease_seconds)
    stop = threading.Event()
    renewing = threading.Thread(target=_renew, args=(files, number, lease_seconds, stop), daemon=True, name="lease")
    renewing.start()
    try:
        yield
    finally:
        stop.set()
        renewing.join()
        _release(files, number)


def _acquire(files: RemoteFiles, now: dt.datetime, lease_seconds: float) -> int:
    numbers = _numbers(files)
    number = max(numbers, default=0)
    if number:
        holder = _holder(files, number)
        silent = (now - files.modified(_place(number))).total_seconds()
        if not holder.get("released") and silent <= lease_seconds:
            raise AlreadyRunningError(
                f"another night is running on {files.url}: {_who(holder)}. If it was killed, it counts as dead in "
                f"{lease_seconds - silent:.0f} seconds"
            )
    # Of several who find the same lease dead, one creates the next.
    if not files.create(_place(number + 1), _lease(released=False)):
        raise AlreadyRunningError(f"another night is running on {files.url}: it began at this moment")
    for old in numbers[:-_KEPT]:
        files.remove(_place(old))
    return number + 1


def _renew(files: RemoteFiles, number: int, lease_seconds: float, stop: threading.Event) -> None:
    while not stop.wait(lease_seconds / 4):
        try:
            if max(_numbers(files), default=0) != number:
                get_logger().warning("lease lost", store=files.url, reason="another machine counted this one as dead")
                return
            files.write(_place(number), _lease(released=False))
        except StoreError as error:
            get_logger().warning("lease not renewed", store=files.url, reason=str(error))


def _release(files: RemoteFiles, number: int) -> None:
    try:
        files.write(_place(number), _lease(released=True))
    except StoreError as error:
        get_logger().warning("lease not given back", store=files.url, reason=str(error))


def _numbers(files: RemoteFiles) -> list[int]:
    return sorted(int(match[1]) for name in files.names(LEASES) if (match := _NAME.fullmatch(name)))


def _holder(files: RemoteFiles, number: int) -> dict[str, object]:
    """Who holds a lease; nothing where its file is not readable: it still is a lease."""
    try:
        found = json.loads(files.read(_place(number)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _who(holder: dict[str, object]) -> str:
    return f"process {holder.get('pid')} on {holder.get('machine')}, last heard of at {holder.get('at')}"


def _lease(*, released: bool) -> bytes:
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return json.dumps({"machine": socket.gethostname(), "pid": os.getpid(), "at": at, "released": released}).encode()


def _place(number: int) -> str:
    return f"{LEASES}/{number:012d}.json"

"""How fast a publisher is asked: one request per host at a time, pauses, and the waits that it asks for itself."""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime


class Pacer:
    """Lets one request at a time through to a host, with a pause after each."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._ended: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, pause: float) -> Iterator[None]:
        """Wait for the host to be free, and for ``pause`` seconds to have passed since its last request."""
        with self._guard:
            lock = self._locks.setdefault(host, threading.Lock())
        with lock:
            left = self._ended.get(host, -pause) + pause - time.monotonic()
            if left > 0:
                time.sleep(left)
            try:
                yield
            finally:
                self._ended[host] = time.monotonic()


def retry_after(text: str) -> float | None:
    """Seconds that the header ``Retry-After`` asks for (RFC 9110, 10.2.3); None where it says nothing usable."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
    return max((aware - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)

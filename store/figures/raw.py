"""Publishers' answers as they came, kept before anything is read from them, so that any visit can be replayed.

``home/raw/<source_id>/<date>/<time>/``: one body per answer with a record beside it (address, time, status, headers,
hash), and ``visit.json`` once the source gave all that was asked for. A body that is already kept is not kept again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import InputError, StoreError
from store import named_errors, sha256_of_bytes, write_bytes

VISIT = "visit.json"


@dataclass(frozen=True)
class Kept:
    """Record of one answer.

    Attributes:
        url: Address that was asked; it never holds a token.
        status: HTTP status.
        headers: The answer's headers that matter later.
        received: When it was received, UTC, in ISO 8601.
        sha256: Hash of the body.
        size: Bytes of the body.
        body: Where the body lies, below the source's folder.
    """

    url: str
    status: int
    headers: dict[str, str]
    received: str
    sha256: str
    size: int
    body: str


class Visit:
    """One visit to a source: the answers that it gave, in order.

    Args:
        folder: The visit's folder, below the source's.
        earlier: Answers kept from the last whole visit, by address: their bodies are not kept again.
    """

    def __init__(self, folder: Path, earlier: Mapping[str, Kept] | None = None) -> None:
        self._folder = folder
        self._source = folder.parent.parent
        self._earlier = dict(earlier or {})
        self._number = 0

    @property
    def name(self) -> str:
        """Date and time of the visit, as its folder is called."""
        return f"{self._folder.parent.name}/{self._folder.name}"

    def keep(self, url: str, status: int, headers: Mapping[str, str], received: dt.datetime, content: bytes) -> Kept:
        """Keep one answer.

        Raises:
            StoreError: It cannot be written.
        """
        self._number += 1
        sha256 = sha256_of_bytes(content)
        former = self._earlier.get(url)
        if former is not None and former.sha256 == sha256:
            body = former.body
        else:
            path = self._folder / f"{self._number:03d}.body"
            write_bytes(path, content)
            body = path.relative_to(self._source).as_posix()
        record = Kept(url, status, dict(headers), received.isoformat(), sha256, len(content), body)
        text = json.dumps(asdict(record), indent=1, ensure_ascii=False)
        write_bytes(self._folder / f"{self._number:03d}.json", text.encode())
        return record

    def close(self) -> None:
        """Mark the visit as whole: only such a visit is replayed or asked for news."""
        write_bytes(self._folder / VISIT, json.dumps({"answers": self._number}).encode())


class RawStore:
    """The answers kept under ``home/raw``."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "raw"

    def begin(self, source_id: str, at: dt.datetime) -> Visit:
        """Begin a visit; its folder is made with the first answer."""
        folder = self._folder / source_id / f"{at:%Y-%m-%d}" / f"{at:%H%M%S.%f}"
        return Visit(folder, self.newest(source_id))

    def newest(self, source_id: str) -> dict[str, Kept]:
        """Answers of the last whole visit by address; empty where there was none, or where a body is gone.

        Raises:
            StoreError: A record is damaged.
        """
        visits = sorted((self._folder / source_id).glob(f"*/*/{VISIT}"))
        kept = {record.url: record for record in _records(visits[-1].parent)} if visits else {}
        return {url: record for url, record in kept.items() if (self._folder / source_id / record.body).is_file()}

    def sources(self, date: dt.date) -> list[str]:
        """Sources with a whole visit on a day."""
        return sorted({path.parent.parent.parent.name for path in self._folder.glob(f"*/{date}/*/{VISIT}")})

    def replay(self, source_id: str, date: dt.date) -> list[Kept]:
        """Answers of the day's last whole visit, in the order in which they came.

        Raises:
            InputError: There was no whole visit on that day.
            StoreError: A record is damaged.
        """
        visits = sorted((self._folder / source_id / str(date)).glob(f"*/{VISIT}"))
        if not visits:
            raise InputError(f"{source_id}: no whole visit is kept of {date}")
        return _records(visits[-1].parent)

    def body(self, source_id: str, record: Kept) -> bytes:
        """The body of a kept answer.

        Raises:
            StoreError: It is missing or was altered.
        """
        path = self._folder / source_id / record.body
        if not path.is_file():
            raise StoreError(f"{path}: is not kept any more: answers are kept for some months (live.keep_months)")
        with named_errors(path):
            content = path.read_bytes()
        if sha256_of_bytes(content) != record.sha256:
            raise StoreError(f"{path}: was altered since it was received on {record.received}")
        return content

    def prune(self, before: dt.date) -> int:
        """Remove bodies of visits made before a day, but those that a later visit refers to. Records stay: they prove.

        Returns:
            Bytes that were freed.

        Raises:
            StoreError: A record is damaged, or a file cannot be removed.
        """
        freed = 0
        for source in sorted(path for path in self._folder.glob("*") if path.is_dir()):
            visits = sorted(source.glob("*/*"))
            old = [visit for visit in visits if visit.parent.name < before.isoformat()]
            wanted = {record.body for visit in visits if visit not in old for record in _records(visit)}
            # the newest whole visit is what news is asked against, however old it is
            whole = [visit for visit in visits if (visit / VISIT).is_file()]
            wanted |= {record.body for visit in whole[-1:] for record in _records(visit)}
            for body in (body for visit in old for body in visit.glob("*.body")):
                if body.relative_to(source).as_posix() not in wanted:
                    with named_errors(body):
                        freed += body.stat().st_size
                        body.unlink()
        return freed


def _records(folder: Path) -> list[Kept]:
    records = []
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            records.append(Kept(**json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(f"{path}: is no whole record: {error}") from None
    return records

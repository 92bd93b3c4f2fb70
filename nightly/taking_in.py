"""Taking in what a publisher answered: figures are stored whole or not at all, and the outcome is recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.errors import SourceError, fault_of
from core.languages import marked as _
from core.log import get_logger
from core.release import REJECTED
from ingest.raw import Parsed, RawFile
from ingest.registry import SOURCES
from nightly.ingested import Ingested
from nightly.inputs import ACTOR, COMPLETE_EDITIONS
from store.files import sha256_of_bytes
from store.journal import Entry, Journal
from store.vintages import VintageStore

TAKEN = "source taken"
FAILED = "source failed"


@dataclass(frozen=True)
class LiveReport:
    """What became of a round of visits.

    Attributes:
        taken: What each source gave.
        failed: One record per source that failed: ``source_id`` and ``reason``.
        not_asked: One record per source that is not asked unless it is named, or whose key is not set.
    """

    taken: list[Ingested] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    not_asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def hashes(self) -> dict[str, str]:
        """Hash of what each source gave, by source."""
        return {f"{item.source_id}/{item.file}": item.sha256 for item in self.taken}

    def summary(self) -> list[str]:
        """Lines for a person."""
        lines = [item.summary() for item in self.taken]
        lines += [f"not asked: {item['source_id']}: {item['reason']}" for item in self.not_asked]
        return lines + [f"failed: {item['source_id']}: {item['reason']}" for item in self.failed]


def take_in(
    home: Path, journal: Journal, report: LiveReport, source_id: str, future: Future[list[RawFile]], received: dt.date
) -> None:
    """Read a visit's files and store their figures; record the outcome.

    Args:
        home: The home folder.
        journal: Where the outcome is recorded.
        report: Where it is told.
        source_id: The source that was visited.
        future: The visit: its files, or the error with which it ended.
        received: Day of the visit.

    Raises:
        StoreError: The home folder cannot be written.
    """
    vintages = VintageStore(home)
    try:
        files = future.result()
        parsed = _parse_all(SOURCES[source_id].parse, files)
    except Exception as error:  # one source's unforeseen answer must not cost the night the others
        record = fault_of(error).record(source_id)
        report.failed.append(record)
        journal.record(Entry(ACTOR, FAILED, source_id, reason=record["reason"], payload={"message": record["message"]}))
        get_logger().warning(FAILED, source_id=source_id, reason=record["reason"])
        vintages.append_rejected(_failure(source_id, error))
        return
    new_rows = vintages.append(parsed.observations, received=received, complete=source_id in COMPLETE_EDITIONS)
    vintages.append_rejected(parsed.rejected)
    name, digest = ", ".join(file.name for file in files), sha256_of_bytes(b"".join(_digests(files)))
    done = Ingested(source_id, name, digest, len(parsed.observations), new_rows, len(parsed.rejected))
    report.taken.append(done)
    payload = {"source_id": source_id, "file": name, "rows": done.rows, "new_rows": new_rows}
    journal.record(Entry(ACTOR, TAKEN, digest, payload=payload))
    get_logger().info(TAKEN, **payload)


def _digests(files: list[RawFile]) -> Iterator[bytes]:
    for file in files:
        yield f"{file.name} {file.sha256}\n".encode()


def _parse_all(parse: Callable[[RawFile], Parsed], files: list[RawFile]) -> Parsed:
    """Read all files of a visit before anything is stored.

    Raises:
        SourceError: One of them is broken, or two contradict each other.
    """
    parts = [parse(file) for file in files]
    observations = pd.concat([part.observations for part in parts], ignore_index=True)
    key = ["source_id", "series_id", "time_period", "as_of"]
    repeated = observations.duplicated(key)
    if repeated.any():
        first = observations[repeated].iloc[0]
        names = ", ".join(file.name for file in files)
        fault = _("{series} of {period} is given by more than one file")
        raise SourceError(names, fault, series=first["series_id"], period=first["time_period"])
    return Parsed(observations, pd.concat([part.rejected for part in parts], ignore_index=True))


def _failure(source_id: str, error: Exception) -> pd.DataFrame:
    """A failed visit as a record beside the rows set aside."""
    file, row, column, rule = "", "", "", fault_of(error)
    if isinstance(error, SourceError):
        file, row, column, rule = error.file, str(error.row or ""), error.column or "", error.rule
    record = [[source_id, file, row, column, str(rule), "", rule.to_json()]]
    return pd.DataFrame(record, columns=list(REJECTED.columns), dtype=object)

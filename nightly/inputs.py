"""What enters a home: the bundled snapshot, publishers' answers, files handed over or found in the inbox, own values.

Values are stored whole or not at all, and every outcome is recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from core.calendar import is_ahead
from core.errors import InputError, SourceError, fault_of
from core.languages import marked as _
from core.log import get_logger
from core.release import REJECTED
from core.settings import SNAPSHOT, Settings
from ingest import snapshot
from ingest.catalogue import SOURCES
from ingest.intake import apart
from ingest.own import OwnMapping, own_capacities, parse_own, read_mapping
from ingest.source import Parsed, RawFile, SourceCard, read_raw
from store.files import sha256_of_bytes, write_bytes
from store.journal import Entry, Journal, journal_url
from store.vintages import VintageStore

ACTOR = "nightly"
LOADED = "snapshot loaded"
INGESTED = "file ingested"
REFUSED = "file refused"
TAKEN = "source taken"
FAILED = "source failed"
OWN_MAPPINGS = "own"
"""Folder of a home that keeps the mappings of own values."""


@dataclass(frozen=True)
class Ingested:
    """What became of one file.

    Attributes:
        source_id: The source it belongs to.
        file: Its name.
        sha256: Hash of its bytes.
        rows: Observations in it.
        new_rows: Those that told something new.
        rejected: Rows set aside with the rule they broke.
    """

    source_id: str
    file: str
    sha256: str
    rows: int
    new_rows: int
    rejected: int

    def summary(self) -> str:
        """One line for a person."""
        aside = f"; {self.rejected:,} row{'s' * (self.rejected != 1)} set aside" if self.rejected else ""
        return f"{self.source_id}: {self.file} read, {self.rows:,} figures, {self.new_rows:,} new{aside}"


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


def ingest_file(home: Path, source_id: str, path: Path) -> Ingested:
    """Read one publisher's file into the vintages, or one of own figures whose mapping the home keeps.

    Raises:
        InputError: The source is unknown, the file cannot be read or breaks its layout. Nothing is stored then.
        StoreError: The vintages cannot be written.
    """
    source = SOURCES.get(source_id)
    if source is None:
        own = own_mappings(home)
        if source_id in own:
            return read_own(home, path, own[source_id])
        known = ", ".join([*SOURCES, *own])
        raise InputError(_("unknown source '{found}'; known: {known}"), found=source_id, known=known)
    raw = read_raw(path)
    parsed = apart(source.parse, raw)
    return _store(home, source_id, parsed, raw.name, raw.sha256)


def ingest_own(home: Path, path: Path, mapping_path: Path) -> Ingested:
    """Read a file of own figures into the vintages, and keep its mapping for the nights to come.

    Raises:
        InputError: Mapping or file cannot be read, or is refused; nothing is stored then. Or the home keeps another
            kind of figures under the same source.
        StoreError: The home cannot be written.
    """
    mapping = read_mapping(mapping_path)
    kept = own_mappings(home).get(mapping.source.source_id)
    if kept is not None and (kept.table.what, kept.fixed.name) != (mapping.table.what, mapping.fixed.name):
        rule = f"{mapping.source.source_id} already holds {kept.table.what}: give other figures another source_id"
        raise InputError(f"{mapping_path.name}, source.source_id: {rule}")
    done = read_own(home, path, mapping)
    write_bytes((home / OWN_MAPPINGS) / f"{mapping.source.source_id}.toml", mapping_path.read_bytes())
    return done


def read_own(home: Path, path: Path, mapping: OwnMapping) -> Ingested:
    """Read a file of own figures into the vintages by a mapping that is kept.

    Raises:
        InputError: The file is refused or broken; nothing is stored then.
        StoreError: The home cannot be written.
    """
    raw = read_raw(path)
    return _store(home, mapping.source.source_id, apart(partial(parse_own, mapping=mapping), raw), raw.name, raw.sha256)


def own_mappings(home: Path) -> dict[str, OwnMapping]:
    """The mappings that a home keeps, by source.

    Raises:
        InputError: One of them was changed and is broken.
    """
    found = [read_mapping(path) for path in sorted((home / OWN_MAPPINGS).glob("*.toml"))]
    return {mapping.source.source_id: mapping for mapping in found}


def own_cards(home: Path) -> dict[str, SourceCard]:
    """Cards of own sources, to stand beside the catalogue's."""
    return {source_id: mapping.card for source_id, mapping in own_mappings(home).items()}


def with_own_capacities(settings: Settings, known: pd.DataFrame, as_of: dt.date) -> Settings:
    """Settings whose thresholds hold the capacities known on a date too; a number set by hand goes before them."""
    found = own_capacities(known, as_of)
    if not found:
        return settings
    alerts = settings.alerts.model_copy(update={"thresholds": found | settings.alerts.thresholds})
    return settings.model_copy(update={"alerts": alerts})


def load_bundled(home: Path, journal_setting: str) -> None:
    """Put the bundled figures into a home's vintages before anything newer: what comes later counts as a revision."""
    journal = Journal(journal_url(journal_setting, home))
    try:
        load_snapshot(VintageStore(home), journal)
    finally:
        journal.close()


def load_snapshot(vintages: VintageStore, journal: Journal) -> str:
    """Put the bundled figures into the vintages, once per edition of the snapshot.

    Returns:
        The snapshot's fingerprint.
    """
    fingerprint = snapshot.fingerprint(SNAPSHOT)
    # A journal that machines share may tell of a load that another home never delivered.
    loads = journal.entries(subject=fingerprint, action=LOADED)
    held = set(vintages.sources())
    if not held or not loads or not set(loads[-1].payload.get("sources", [])) <= held:
        figures = snapshot.load(SNAPSHOT)
        new_rows = vintages.append(figures)
        sources = sorted(set(figures["source_id"]))
        journal.record(Entry(ACTOR, LOADED, fingerprint, payload={"new_rows": new_rows, "sources": sources}))
    return fingerprint


def read_inbox(home: Path, journal: Journal) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Read what is new in ``inbox/<source_id>/``; a file that is refused is reported and the others go on.

    Returns:
        Hashes of the files read tonight by name, and one record (``source_id``, ``reason``) per refused file.
    """
    now = dt.datetime.now(dt.UTC)
    # A file taken in while the clock was ahead is read once more: its figures get the day on which they are known.
    seen = {entry.subject for entry in journal.entries(action=INGESTED) if not is_ahead(entry.at, now)}
    hashes: dict[str, str] = {}
    failures: list[dict[str, str]] = []
    for path in sorted((home / "inbox").glob("*/*")):
        source_id = path.parent.name
        if path.parent.is_symlink():
            continue  # what lies elsewhere was not handed over here
        try:
            if read_raw(path).sha256 in seen:
                continue
            done = ingest_file(home, source_id, path)
        except Exception as error:  # one file's unforeseen fault must not cost the night the others
            fault = fault_of(error)
            failures.append(fault.record(source_id))
            journal.record(Entry(ACTOR, REFUSED, f"{source_id}/{path.name}", reason=str(fault)))
        else:
            hashes[f"{source_id}/{done.file}"] = done.sha256
            journal.record(Entry(ACTOR, INGESTED, done.sha256, payload={"source_id": source_id, "file": done.file}))
    return hashes, failures


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
    try:
        files = future.result()
        parsed = _parse_all(SOURCES[source_id].parse, files)
    except Exception as error:  # one source's unforeseen answer must not cost the night the others
        record = fault_of(error).record(source_id)
        report.failed.append(record)
        journal.record(Entry(ACTOR, FAILED, source_id, reason=record["reason"], payload={"message": record["message"]}))
        get_logger().warning(FAILED, source_id=source_id, reason=record["reason"])
        VintageStore(home).append_rejected(_failure(source_id, error))
        return
    name = ", ".join(file.name for file in files)
    digest = sha256_of_bytes("".join(f"{file.name} {file.sha256}\n" for file in files).encode())
    done = _store(home, source_id, parsed, name, digest, received)
    report.taken.append(done)
    payload = {"source_id": source_id, "file": name, "rows": done.rows, "new_rows": done.new_rows}
    journal.record(Entry(ACTOR, TAKEN, digest, payload=payload))
    get_logger().info(TAKEN, **payload)


def _store(
    home: Path, source_id: str, parsed: Parsed, file: str, sha256: str, received: dt.date | None = None
) -> Ingested:
    """Put what was read into the vintages, and what was set aside beside it."""
    vintages = VintageStore(home)
    complete = source_id in SOURCES and SOURCES[source_id].CARD.complete_editions
    new_rows = vintages.append(parsed.observations, received=received, complete=complete)
    vintages.append_rejected(parsed.rejected)
    return Ingested(source_id, file, sha256, len(parsed.observations), new_rows, len(parsed.rejected))


def _parse_all(parse: Callable[[RawFile], Parsed], files: list[RawFile]) -> Parsed:
    """Read all files of a visit before anything is stored.

    Raises:
        SourceError: One of them is broken, or two contradict each other.
    """
    parts = [apart(parse, file) for file in files]
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

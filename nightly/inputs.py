"""What enters a night: the bundled snapshot, files handed over by hand, and files found in the inbox."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from core.calendar import is_ahead
from core.errors import InputError, VigieError
from core.languages import marked as _
from core.settings import SNAPSHOT
from ingest import snapshot
from ingest.raw import read_raw
from ingest.registry import SOURCES
from nightly.ingested import Ingested
from nightly.own import own_mappings, read_own
from store.journal import Entry, Journal, journal_url
from store.vintages import VintageStore

ACTOR = "nightly"
COMPLETE_EDITIONS = frozenset({"frontex"})
"""Sources that send their whole history each time: what an edition no longer holds was withdrawn."""
LOADED = "snapshot loaded"
INGESTED = "file ingested"
REFUSED = "file refused"


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
    raw = source.fetch(path)
    parsed = source.parse(raw)
    vintages = VintageStore(home)
    new_rows = vintages.append(parsed.observations, complete=source_id in COMPLETE_EDITIONS)
    vintages.append_rejected(parsed.rejected)
    return Ingested(source_id, raw.name, raw.sha256, len(parsed.observations), new_rows, len(parsed.rejected))


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
        try:
            if read_raw(path).sha256 in seen:
                continue
            done = ingest_file(home, source_id, path)
        except VigieError as error:
            failures.append(error.message.record(source_id))
            journal.record(Entry(ACTOR, REFUSED, f"{source_id}/{path.name}", reason=str(error)))
        else:
            hashes[f"{source_id}/{done.file}"] = done.sha256
            journal.record(Entry(ACTOR, INGESTED, done.sha256, payload={"source_id": source_id, "file": done.file}))
    return hashes, failures

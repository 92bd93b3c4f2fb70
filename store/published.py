"""Files for machines in ``published/``: what was written is told to the journal, so that a change is found out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.entry import Entry
from core.settings import FEED
from store.files import sha256_of_bytes, write_bytes
from store.journal import Journal

WRITTEN = "files published"
"""The journal's action: hashes by name of the files about to be written."""
PLACED = "files in place"
"""The same of those of the hub, which are many, once all of them are written."""


def write_published(home: Path, journal: Journal, files: Mapping[str, bytes]) -> None:
    """Write files and tell the journal the hashes of those that are not as it told last; done twice, it adds nothing.

    Args:
        home: The home folder.
        journal: Its journal.
        files: Contents by path inside ``published/``.

    Raises:
        StoreError: A file or the journal cannot be written.
    """
    tell_published(journal, {name: sha256_of_bytes(content) for name, content in files.items()})
    for name, content in files.items():
        write_bytes(home / FEED / name, content)


def tell_published(journal: Journal, hashes: Mapping[str, str], action: str = WRITTEN) -> None:
    """Tell the journal the hashes of files, of those that are not as it told last.

    Args:
        journal: The home's journal.
        hashes: By path inside ``published/``.
        action: ``WRITTEN`` before they are written, ``PLACED`` after.

    Raises:
        StoreError: The journal cannot be written.
    """
    told: dict[str, str] = {}
    for row in journal.entries(action=action):
        told |= row.payload
    if new := {name: sha256 for name, sha256 in hashes.items() if told.get(name) != sha256}:
        journal.record(Entry("nightly", action, FEED, payload=new))

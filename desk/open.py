"""Opening the desk of a home folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.settings import Settings
from store.journal import Journal, journal_url
from store.outbox import Outbox


@dataclass(frozen=True)
class Desk:
    """What decisions and letters need.

    Attributes:
        home: The home folder.
        settings: Its settings.
        journal: Its journal.
        outbox: Its outbox, in the journal's database.
    """

    home: Path
    settings: Settings
    journal: Journal
    outbox: Outbox


def desk_on(home: Path, settings: Settings, journal: Journal) -> Desk:
    """The desk on a journal that is open already.

    Raises:
        StoreError: The database cannot be opened.
    """
    return Desk(home, settings, journal, Outbox(journal))


@contextmanager
def open_desk(home: Path, settings: Settings) -> Iterator[Desk]:
    """The desk of a home folder; its journal is closed at the end.

    Raises:
        InputError: The journal's address is not usable.
        StoreError: The database cannot be opened.
    """
    journal = Journal(journal_url(settings.journal_url, home))
    try:
        yield desk_on(home, settings, journal)
    finally:
        journal.close()

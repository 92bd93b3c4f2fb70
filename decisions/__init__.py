"""What people decide about alerts, and sending it: composes ``alerts`` and ``reports`` with the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.settings import Settings
from store.journal import Journal, Outbox, opened_journal


@dataclass(frozen=True)
class Workflow:
    """What decisions and messages need: journal and outbox of a home folder, and its settings."""

    home: Path
    settings: Settings
    journal: Journal
    outbox: Outbox


def workflow_on(home: Path, settings: Settings, journal: Journal) -> Workflow:
    """The workflow on a journal that is open already.

    Raises:
        StoreError: The database cannot be opened.
    """
    return Workflow(home, settings, journal, Outbox(journal))


@contextmanager
def open_workflow(home: Path, settings: Settings) -> Iterator[Workflow]:
    """The workflow of a home folder; its journal is closed at the end.

    Raises:
        InputError: The journal's address is not usable.
        StoreError: The database cannot be opened.
    """
    with opened_journal(settings.journal_url, home) as journal:
        yield workflow_on(home, settings, journal)

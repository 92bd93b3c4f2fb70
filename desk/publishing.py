"""The files for machines in ``published/``: a CAP message per announcement, and an Atom feed per language.

They belong to no release: a reader finds them at the same place after each night.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alerts.lifecycle import ANNOUNCED
from core.entry import Entry
from core.languages import DEFAULT_LANGUAGE, languages
from core.settings import FEED
from desk.open import Desk
from reports.messages.announcement import Announcement, announcement_of
from reports.messages.feeds import atom_feed, cap_message, cap_name, feed_name
from store.files import write_bytes
from store.outbox import SENT


def published_folder(home: Path) -> Path:
    """Where the files stand."""
    return home / FEED


def publish_cap(desk: Desk, announcement: Announcement) -> None:
    """Write one announcement's CAP message; done twice, the file is the same.

    Raises:
        SchemaError: The message breaks the standard's schema.
        StoreError: The folder cannot be written.
    """
    settings = desk.settings
    document = cap_message(announcement, settings.delivery.publisher, settings.dashboard_url)
    write_bytes(published_folder(desk.home) / cap_name(announcement), document)


def publish_feeds(desk: Desk) -> None:
    """Write the feed in each language from what has left the house; ``alerts.atom`` is the English one.

    Raises:
        StoreError: The journal cannot be read, or the folder cannot be written.
    """
    out = [letter.announcement for letter in desk.outbox.letters() if letter.channel == FEED and letter.outcome == SENT]
    wanted = set(out)
    rows = [entry for entry in desk.journal.entries(action=ANNOUNCED) if entry.id in wanted]
    announcements = [announcement_of(entry, _about_the_same(entry, rows)) for entry in rows]
    settings = desk.settings
    for language in languages():
        feed = atom_feed(announcements, language, settings.delivery.publisher, settings.dashboard_url)
        write_bytes(published_folder(desk.home) / feed_name(language), feed)
        if language == DEFAULT_LANGUAGE:
            write_bytes(published_folder(desk.home) / "alerts.atom", feed)


def _about_the_same(entry: Entry, rows: Iterable[Entry]) -> list[Entry]:
    return [row for row in rows if row.subject == entry.subject]

"""Announcements as an Atom feed (RFC 4287), each entry with its CAP message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from lxml import etree

from core.languages import Language
from core.languages import marked as _
from reports.messages.announcement import Announcement
from reports.messages.cap import MEDIA_TYPE, identifier
from reports.messages.content import compose
from reports.messages.layouts import chat_text
from reports.messages.xml import add, stamp, written

NAMESPACE = "http://www.w3.org/2005/Atom"
CAP_FOLDER = "cap"
MOST_ENTRIES = 100
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def feed_name(language: str) -> str:
    """Name of the feed's file in one language."""
    return f"alerts.{language}.atom"


def cap_name(announcement: Announcement) -> str:
    """Name of an announcement's CAP file, beside the feed."""
    return f"{CAP_FOLDER}/{identifier(announcement)}.xml"


def atom_feed(announcements: Sequence[Announcement], language: str, publisher: str, dashboard_url: str) -> bytes:
    """The newest announcements, newest first.

    Args:
        announcements: What has left the house, oldest first.
        language: Language of the feed.
        publisher: Who publishes: part of the feed's name.
        dashboard_url: Where the dashboard is found.
    """
    words = Language(language)
    root = etree.Element(f"{{{NAMESPACE}}}feed", nsmap={None: NAMESPACE})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", words.code)
    newest = list(announcements)[-MOST_ENTRIES:][::-1]
    add(root, "id", f"urn:vigie:{publisher}:alerts:{words.code}")
    add(root, "title", words.text(_("Vigie: alerts that were signed off")))
    add(root, "updated", stamp(newest[0].at if newest else _NEVER))
    add(add(root, "author"), "name", "Vigie")
    add(root, "link", rel="self", type="application/atom+xml", href=feed_name(words.code))
    for announcement in newest:
        _entry(root, announcement, words.code, dashboard_url)
    return written(root)


def _entry(root: etree._Element, announcement: Announcement, language: str, dashboard_url: str) -> None:
    message = compose(announcement.without_names(), language, dashboard_url)
    entry = add(root, "entry")
    add(entry, "id", f"urn:uuid:{announcement.identity}")
    add(entry, "title", message.title)
    add(entry, "updated", stamp(announcement.at))
    add(entry, "category", term=announcement.kind)
    if announcement.level:
        add(entry, "category", term=announcement.level)
    add(entry, "link", rel="alternate", type="text/html", href=message.link)
    add(entry, "link", rel="related", type=MEDIA_TYPE, href=cap_name(announcement))
    add(entry, "summary", message.sentence, type="text")
    add(entry, "content", chat_text(message), type="text")

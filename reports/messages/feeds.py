"""Announcements for machines: CAP 1.2 messages (OASIS, 1 July 2010) and an Atom feed (RFC 4287).

No CAP message is made that the standard's own schema refuses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from lxml import etree

from alerts.lifecycle import JUDGED, RAISED, UNJUDGED, UPDATED
from core.calendar import is_month, to_period
from core.errors import SchemaError
from core.languages import Language, languages
from core.languages import marked as _
from reports.messages import chat_text, compose, environment
from reports.messages.announcement import Announcement

ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
CAP_FOLDER = "cap"
MOST_ENTRIES = 100
_IN_A_URN = "()+-.:=@;$_!*'/~"
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
CAP_NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SCHEMA = Path(__file__).with_name("CAP-v1.2.xsd")
MEDIA_TYPE = "application/cap+xml"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
SEVERITY = {"severe": "Severe", "warning": "Moderate", "watch": "Minor"}
MESSAGE_TYPES = {RAISED: "Alert", UPDATED: "Update", UNJUDGED: "Update", JUDGED: "Update"}
LIKELY_FROM = 0.5
"""The standard's own meaning of Likely: a probability above about 50 %."""


def cap_message(announcement: Announcement, publisher: str, dashboard_url: str) -> bytes:
    """One announcement as a CAP message, with one ``info`` per language.

    Args:
        announcement: The content; not about a source's freshness, which is no alert.
        publisher: The message's ``sender``.
        dashboard_url: Where the dashboard is found.

    Raises:
        SchemaError: The message breaks the standard's schema.
    """
    kind = MESSAGE_TYPES.get(announcement.kind, "Cancel")
    public = announcement.without_names()
    urgency, certainty = _urgency(public)
    return validated(
        _document(
            "cap.xml.j2", namespace=CAP_NAMESPACE, a=public, publisher=publisher,
            # An update is of messages that it names: where none went out before it, as in a cooldown, it is the first.
            kind="Alert" if kind == "Update" and not public.earlier else kind,
            messages=[(compose(public, code, dashboard_url), Language(code)) for code in languages()],
            urgency=urgency, certainty=certainty, severity=SEVERITY.get(public.level, "Unknown"),
            period=list(_period(public)), parameters=list(_parameters(public)), identifier=identifier, stamp=_cap_stamp,
        )
    )  # fmt: skip


def identifier(announcement: Announcement) -> str:
    """Name of the message: no spaces, commas, < or &, as the standard asks."""
    return f"vigie-{announcement.identity}"


def validated(document: bytes) -> bytes:
    """The same document if the standard's schema accepts it.

    Raises:
        SchemaError: It does not; the text names line and rule.
    """
    try:
        tree = etree.fromstring(document, _PARSER)
    except etree.XMLSyntaxError as error:
        raise SchemaError(f"CAP message: not XML: {error}") from None
    schema = _schema()
    if not schema.validate(tree):
        first = schema.error_log[0]
        raise SchemaError(f"CAP message, line {first.line}: {first.message}")
    return document


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMA))


def _urgency(announcement: Announcement) -> tuple[str, str]:
    """``urgency`` and ``certainty`` in the standard's words."""
    chance = announcement.facts.get("probability")
    if announcement.is_over or chance is None:
        return "Past", "Observed"
    return "Future", "Likely" if float(chance) >= LIKELY_FROM else "Possible"


def _period(announcement: Announcement) -> Iterator[tuple[str, dt.datetime]]:
    """From the first day of the first month concerned to the last moment of the last; nothing of what is over."""
    facts = announcement.facts
    first, last = str(facts.get("first_period", "")), str(facts.get("last_period", ""))
    if announcement.is_over or not (is_month(first) and is_month(last)):
        return
    yield "onset", to_period(first, "M").start_time.to_pydatetime().replace(tzinfo=dt.UTC)
    end = to_period(last, "M").end_time.floor("s").to_pydatetime().replace(tzinfo=dt.UTC)
    # What speaks of months that are over, as of counts just made, would have expired before it was sent.
    if end > announcement.at:
        yield "expires", end


def _parameters(announcement: Announcement) -> Iterator[tuple[str, str]]:
    facts = announcement.facts
    yield "vigie:alert_level", announcement.level
    for name in ("probability", "base_rate", "cutoff", "threshold", "series_id", "as_of"):
        if facts.get(name) not in {None, ""}:
            yield f"vigie:{name}", str(facts[name])
    for name, value in (facts.get("record") or {}).items():
        if value is not None:
            yield f"vigie:record:{name}", str(value)


def feed_name(language: str) -> str:
    """Name of the feed's file in one language."""
    return f"alerts.{language}.atom"


def cap_name(announcement: Announcement) -> str:
    """Name of an announcement's CAP file, beside the feed."""
    return f"{CAP_FOLDER}/{identifier(announcement)}.xml"


def atom_feed(
    announcements: Sequence[Announcement], language: str, publisher: str, dashboard_url: str, head: str = ""
) -> bytes:
    """The newest announcements, newest first.

    Args:
        announcements: What was sent out, oldest first.
        language: Language of the feed.
        publisher: Who publishes: part of the feed's name.
        dashboard_url: Where the dashboard is found.
        head: Hash of the newest release's manifest: releases can be checked against a kept feed.
    """
    words = Language(language)
    newest = list(announcements)[-MOST_ENTRIES:][::-1]
    return _document(
        "atom.xml.j2", namespace=ATOM_NAMESPACE, w=words, name=quote(publisher, safe=_IN_A_URN), head=head,
        title=words.text(_("Vigie: alerts that were signed off")), never=_NEVER, media_type=MEDIA_TYPE,
        entries=[(one, compose(one.without_names(), words.code, dashboard_url)) for one in newest],
        stamp=_stamp, feed_name=feed_name, cap_name=cap_name, chat_text=chat_text,
    )  # fmt: skip


def _document(template: str, **values: object) -> bytes:
    """Return a template's document in UTF-8, indented, without characters that XML cannot hold."""
    text = environment().get_template(template).render(values)
    text = "".join(char for char in text if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff"))
    root = etree.fromstring(text.encode(), _PARSER)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _stamp(at: dt.datetime) -> str:
    """A time in UTC, whole seconds, with its offset in figures: ``2025-01-31T12:00:00+00:00``."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def _cap_stamp(at: dt.datetime) -> str:
    """The same as CAP writes UTC, which it allows neither as ``Z`` nor as ``+00:00``: ``2025-01-31T12:00:00-00:00``."""
    return _stamp(at).removesuffix("+00:00") + "-00:00"

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
from reports.messages import Message, chat_text, compose
from reports.messages.announcement import FRESHNESS, Announcement, Facts

ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
CAP_FOLDER = "cap"
MOST_ENTRIES = 100
_IN_A_URN = "()+-.:=@;$_!*'/~"
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
CAP_NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SCHEMA = Path(__file__).with_name("CAP-v1.2.xsd")
MEDIA_TYPE = "application/cap+xml"
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
    root = etree.Element(f"{{{CAP_NAMESPACE}}}alert", nsmap={None: CAP_NAMESPACE})
    _add(root, "identifier", identifier(announcement))
    _add(root, "sender", publisher)
    _add(root, "sent", _cap_stamp(announcement.at))
    _add(root, "status", "Exercise" if announcement.is_replay else "Actual")
    kind = MESSAGE_TYPES.get(announcement.kind, "Cancel")
    # An update is of messages that it names: where none went out before it, as in a cooldown, it is the first.
    _add(root, "msgType", "Alert" if kind == "Update" and not announcement.earlier else kind)
    _add(root, "source", f"Vigie {announcement.run_id}")
    _add(root, "scope", "Restricted")
    announcement = announcement.without_names()
    messages = [compose(announcement, language, dashboard_url) for language in languages()]
    _add(root, "restriction", _instruction(messages[0]))
    if announcement.is_over:
        _add(root, "note", messages[0].sentence)
    if references := [f"{publisher},{identifier(one)},{_cap_stamp(one.at)}" for one in announcement.earlier]:
        _add(root, "references", " ".join(references))
    _add(root, "incidents", announcement.subject.replace(" ", "_"))
    for message in messages:
        _info(root, announcement, message)
    return validated(_written(root))


def identifier(announcement: Announcement) -> str:
    """Name of the message: no spaces, commas, < or &, as the standard asks."""
    return f"vigie-{announcement.identity}"


def validated(document: bytes) -> bytes:
    """The same document if the standard's schema accepts it.

    Raises:
        SchemaError: It does not; the text names line and rule.
    """
    try:
        tree = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
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


def _instruction(message: Message) -> str:
    """What the message is for, and what it must not be used for."""
    words = Language(message.language)
    return f"{message.uses} {words.labelled(message.prohibited_label, words.listed(message.prohibited))}."


def _info(root: etree._Element, announcement: Announcement, message: Message) -> None:
    facts = announcement.facts
    info = _add(root, "info")
    _add(info, "language", message.language)
    _add(info, "category", "Other")
    words = Language(message.language)
    _add(info, "event", words.labelled(message.heading, message.place))
    for response in ("AllClear",) if announcement.is_over else ("Prepare", "Monitor"):
        _add(info, "responseType", response)
    urgency, certainty = _urgency(announcement)
    _add(info, "urgency", urgency)
    _add(info, "severity", SEVERITY.get(announcement.level, "Unknown"))
    _add(info, "certainty", certainty)
    code = _add(info, "eventCode")
    _add(code, "valueName", "vigie:rule")
    _add(code, "value", str(facts.get("rule", "")))
    _add(info, "effective", _cap_stamp(announcement.at))
    for name, at in _period(facts):
        # What speaks of months that are over, as of counts just made, would have expired before it was sent.
        if not announcement.is_over and (name != "expires" or at > announcement.at):
            _add(info, name, _cap_stamp(at))
    _add(info, "senderName", "Vigie")
    _add(info, "headline", message.title)
    _add(info, "description", "\n".join([message.sentence, *(words.labelled(*row) for row in message.rows)]))
    _add(info, "instruction", _instruction(message))
    _add(info, "web", message.link)
    for name, value in _parameters(announcement):
        parameter = _add(info, "parameter")
        _add(parameter, "valueName", name)
        _add(parameter, "value", value)
    area = _add(info, "area")
    _add(area, "areaDesc", message.place)
    geocode = _add(area, "geocode")
    _add(geocode, "valueName", "vigie:route_id")
    _add(geocode, "value", str(facts.get("route_id", "")))


def _urgency(announcement: Announcement) -> tuple[str, str]:
    """``urgency`` and ``certainty`` in the standard's words."""
    chance = announcement.facts.get("probability")
    if announcement.is_over or announcement.kind == FRESHNESS or chance is None:
        return "Past", "Observed"
    return "Future", "Likely" if float(chance) >= LIKELY_FROM else "Possible"


def _period(facts: Facts) -> Iterator[tuple[str, dt.datetime]]:
    """From the first day of the first month concerned to the last moment of the last."""
    first, last = str(facts.get("first_period", "")), str(facts.get("last_period", ""))
    if is_month(first) and is_month(last):
        yield "onset", to_period(first, "M").start_time.to_pydatetime().replace(tzinfo=dt.UTC)
        yield "expires", to_period(last, "M").end_time.floor("s").to_pydatetime().replace(tzinfo=dt.UTC)


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
    root = etree.Element(f"{{{ATOM_NAMESPACE}}}feed", nsmap={None: ATOM_NAMESPACE})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", words.code)
    newest = list(announcements)[-MOST_ENTRIES:][::-1]
    _add(root, "id", f"urn:vigie:{quote(publisher, safe=_IN_A_URN)}:alerts:{words.code}")
    _add(root, "title", words.text(_("Vigie: alerts that were signed off")))
    if head:
        _add(root, "subtitle", f"vigie verify --head {head}")
    _add(root, "updated", _stamp(newest[0].at if newest else _NEVER))
    _add(_add(root, "author"), "name", "Vigie")
    _add(root, "link", rel="self", type="application/atom+xml", href=feed_name(words.code))
    for announcement in newest:
        _entry(root, announcement, words.code, dashboard_url)
    return _written(root)


def _entry(root: etree._Element, announcement: Announcement, language: str, dashboard_url: str) -> None:
    message = compose(announcement.without_names(), language, dashboard_url)
    entry = _add(root, "entry")
    _add(entry, "id", f"urn:uuid:{announcement.identity}")
    _add(entry, "title", message.title)
    _add(entry, "updated", _stamp(announcement.at))
    _add(entry, "category", term=announcement.kind)
    if announcement.level:
        _add(entry, "category", term=announcement.level)
    _add(entry, "link", rel="alternate", type="text/html", href=message.link)
    _add(entry, "link", rel="related", type=MEDIA_TYPE, href=cap_name(announcement))
    _add(entry, "summary", message.sentence, type="text")
    _add(entry, "content", chat_text(message), type="text")


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    """Add a child in the parent's namespace, without characters that XML cannot hold."""
    namespace = etree.QName(parent).namespace
    child = etree.SubElement(parent, f"{{{namespace}}}{name}", attrib=attributes)
    if text is not None:
        child.text = "".join(char for char in text if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff"))
    return child


def _stamp(at: dt.datetime) -> str:
    """A time in UTC, whole seconds, with its offset in figures: ``2025-01-31T12:00:00+00:00``."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def _cap_stamp(at: dt.datetime) -> str:
    """The same as CAP writes UTC, which it allows neither as ``Z`` nor as ``+00:00``: ``2025-01-31T12:00:00-00:00``."""
    return _stamp(at).removesuffix("+00:00") + "-00:00"


def _written(root: etree._Element) -> bytes:
    """The document in UTF-8."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))

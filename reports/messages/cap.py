"""Announcements as CAP 1.2 messages for machines (OASIS, Common Alerting Protocol 1.2, 1 July 2010).

No message is made that the standard's own schema refuses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from lxml import etree

from alerts.lifecycle import RAISED, UPDATED
from core.calendar import to_period
from core.errors import SchemaError
from core.languages import Language, languages
from reports.messages.announcement import FRESHNESS, Announcement
from reports.messages.content import Message, compose
from reports.messages.facts import Facts
from reports.messages.xml import add, stamp, written

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SCHEMA = Path(__file__).with_name("CAP-v1.2.xsd")
MEDIA_TYPE = "application/cap+xml"
SEVERITY = {"severe": "Severe", "warning": "Moderate", "watch": "Minor"}
MESSAGE_TYPES = {RAISED: "Alert", UPDATED: "Update"}
LIKELY_FROM = 0.5
"""The standard's own meaning of Likely: a probability above about 50 %."""


def cap_message(announcement: Announcement, publisher: str, dashboard_url: str) -> bytes:
    """One announcement as a CAP message, with one ``info`` per language.

    Args:
        announcement: What is said; not about a source's freshness, which is no alert.
        publisher: The message's ``sender``.
        dashboard_url: Where the dashboard is found.

    Raises:
        SchemaError: The message breaks the standard's schema.
    """
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    add(root, "identifier", identifier(announcement))
    add(root, "sender", publisher)
    add(root, "sent", stamp(announcement.at))
    add(root, "status", "Exercise" if announcement.is_replay else "Actual")
    add(root, "msgType", MESSAGE_TYPES.get(announcement.kind, "Cancel"))
    add(root, "source", f"Vigie {announcement.run_id}")
    add(root, "scope", "Restricted")
    announcement = announcement.without_names()
    messages = [compose(announcement, language, dashboard_url) for language in languages()]
    add(root, "restriction", _instruction(messages[0]))
    if announcement.is_over:
        add(root, "note", messages[0].sentence)
    if references := [_reference(one, publisher) for one in announcement.earlier]:
        add(root, "references", " ".join(references))
    add(root, "incidents", announcement.subject.replace(" ", "_"))
    for message in messages:
        _info(root, announcement, message)
    return validated(written(root))


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


def _reference(announcement: Announcement, publisher: str) -> str:
    return f"{publisher},{identifier(announcement)},{stamp(announcement.at)}"


def _info(root: etree._Element, announcement: Announcement, message: Message) -> None:
    facts = announcement.facts
    info = add(root, "info")
    add(info, "language", message.language)
    add(info, "category", "Other")
    words = Language(message.language)
    add(info, "event", words.labelled(message.heading, message.place))
    for response in ("AllClear",) if announcement.is_over else ("Prepare", "Monitor"):
        add(info, "responseType", response)
    urgency, certainty = _urgency(announcement)
    add(info, "urgency", urgency)
    add(info, "severity", SEVERITY.get(announcement.level, "Unknown"))
    add(info, "certainty", certainty)
    code = add(info, "eventCode")
    add(code, "valueName", "vigie:rule")
    add(code, "value", str(facts.get("rule", "")))
    add(info, "effective", stamp(announcement.at))
    for name, at in _period(facts):
        if not announcement.is_over:
            add(info, name, stamp(at))
    add(info, "senderName", "Vigie")
    add(info, "headline", message.title)
    add(info, "description", "\n".join([message.sentence, *(words.labelled(*row) for row in message.rows)]))
    add(info, "instruction", _instruction(message))
    add(info, "web", message.link)
    for name, value in _parameters(announcement):
        parameter = add(info, "parameter")
        add(parameter, "valueName", name)
        add(parameter, "value", value)
    area = add(info, "area")
    add(area, "areaDesc", message.place)
    geocode = add(area, "geocode")
    add(geocode, "valueName", "vigie:route_id")
    add(geocode, "value", str(facts.get("route_id", "")))


def _urgency(announcement: Announcement) -> tuple[str, str]:
    """``urgency`` and ``certainty`` in the standard's words."""
    chance = announcement.facts.get("probability")
    if announcement.is_over or announcement.kind == FRESHNESS or chance is None:
        return "Past", "Observed"
    return "Future", "Likely" if float(chance) >= LIKELY_FROM else "Possible"


def _period(facts: Facts) -> Iterator[tuple[str, dt.datetime]]:
    """From the first day of the first month concerned to the last moment of the last."""
    first, last = str(facts.get("first_period", "")), str(facts.get("last_period", ""))
    if len(first) == len(last) == len("2025-01"):
        yield "onset", to_period(first, "M").start_time.to_pydatetime().replace(tzinfo=dt.UTC)
        yield "expires", to_period(last, "M").end_time.floor("s").to_pydatetime().replace(tzinfo=dt.UTC)


def _parameters(announcement: Announcement) -> Iterator[tuple[str, str]]:
    facts = announcement.facts
    yield "vigie:alert_level", announcement.level
    for name in ("probability", "threshold", "series_id", "as_of"):
        if facts.get(name) not in {None, ""}:
            yield f"vigie:{name}", str(facts[name])
    for name, value in (facts.get("record") or {}).items():
        if value is not None:
            yield f"vigie:record:{name}", str(value)

"""Messages: what one says in one reader's language, and how it is laid out for a channel.

Mail with text, HTML and picture; one text for chats; JSON for machines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from lxml import etree

from alerts.lifecycle import ENDED, JUDGED, RAISED, UNJUDGED, UPDATED, WITHDRAWN
from core.calendar import is_month, to_period
from core.errors import SchemaError
from core.languages import Language, languages
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.release import INTENDED_USE, NOT_A_FACT
from reports import colours, names
from reports.alert import AlertReport, alert_report, events_words, is_judged, marked_level, measures_words
from reports.citations import exercise, machine_made, prohibited_uses
from reports.messages.announcement import FRESHNESS, Announcement, Facts, concerned
from reports.names import in_unit, subject_name
from reports.route import expected_words

MOST_MONTHS = 6
HEADINGS = {
    RAISED: _("New alert"),
    UPDATED: _("Alert, renewed"),
    UNJUDGED: _("Alert that cannot be judged"),
    JUDGED: _("Alert that can be judged again"),
    ENDED: _("Alert ended"),
    WITHDRAWN: _("Alert withdrawn"),
    FRESHNESS: _("State of the figures"),
}
_PICTURE = "fan"


@dataclass(frozen=True)
class Message:
    """One message, ready to be laid out.

    Attributes:
        language: Language it is written in.
        level: watch, warning, severe, ``ended``, or empty.
        heading: What kind of message it is.
        badge: Mark and word of the level; empty for a source.
        place: Route or source.
        title: One line for a subject field.
        sentence: What is the matter.
        rows: Label and value of each fact: figure, chance, months, record, who signed off.
        uses_label: Heading over the intended use.
        uses: What it is for.
        prohibited_label: Heading over the prohibited uses.
        prohibited: Prohibited uses.
        caveat: What a reader must know about any forecast.
        link_label: Language of the link.
        link: Address of the same view in the dashboard.
        picture_alt: What the picture shows; empty where there is none.
        reference: Line by which a repeat is recognised; empty before it is sent.
        replay: Warning that a past night is replayed; empty where not.
        attached: What is attached, or was to be and could not be made; empty where nothing was to be.
    """

    language: str
    level: str
    heading: str
    badge: str
    place: str
    title: str
    sentence: str
    rows: tuple[tuple[str, str], ...]
    uses_label: str
    uses: str
    prohibited_label: str
    prohibited: tuple[str, ...]
    caveat: str
    link_label: str
    link: str
    picture_alt: str
    reference: str
    replay: str
    attached: str = ""


def compose(announcement: Announcement, code: str, dashboard_url: str, message_id: str = "") -> Message:
    """Write one announcement in one language; English where there is no catalogue of it."""
    language, facts = Language(code), announcement.facts
    over = announcement.kind if announcement.is_over else ""
    report = alert_report(facts, facts.get("record"), language, over=over) if announcement.level else None
    heading = language.text(HEADINGS[announcement.kind])
    if announcement.kind == FRESHNESS:
        place = _digest_counts(facts, language)
    else:
        place = subject_name(facts, {str(facts.get("source_id", "")): language.record(facts)}, language)
    # A line break in a subject field would begin another field.
    title = language.labelled(heading, " ".join(place.split()))
    if announcement.level:
        title += f" ({marked_level(facts, facts.get('record'), language)})"
    replay, name = "", message_id or announcement.identity
    if announcement.is_replay:
        replay = exercise(_as_of(facts), language)
        title = language.labelled(language.text(_("Exercise")), title)
    has_forecast = bool(facts.get("fan", {}).get("months"))
    return Message(
        language=language.code,
        level=report.level if report else "",
        heading=heading,
        badge=report.badge if report else "",
        place=place,
        title=title,
        sentence=report.sentence if report else _digest_sentence(facts, language),
        rows=tuple(_rows(announcement, report, language)),
        uses_label=language.text(_("Intended use")),
        uses=language.text(INTENDED_USE),
        prohibited_label=language.text(_("Not to be used for")),
        prohibited=tuple(prohibited_uses(language)),
        caveat=" ".join([*machine_made(language), *([language.text(NOT_A_FACT)] if has_forecast else [])]),
        link_label=language.text(_("Open this view in the dashboard")),
        link=announcement.link(dashboard_url, language.code),
        picture_alt=_picture_alt(facts, language),
        reference=language.text(_("Reference {id}: a repeat carries the same."), id=name) if name else "",
        replay=replay,
    )


def with_briefing(message: Message, *, made: bool) -> Message:
    """The same message, saying that the briefing is attached, or that it could not be made."""
    there = _("Attached: the briefing of this release (PDF). It shows alerts that were signed off.")
    missing = _("The briefing could not be made for this mail; the dashboard has it.")
    return replace(message, attached=Language(message.language).text(there if made else missing))


def _digest_counts(facts: Facts, language: Language) -> str:
    """Return how many alerts and sources a night's digest reports."""
    changes, alerts = facts["changes"], facts["alerts"]
    lost = sum(bool(one.get("unjudged_since")) for one in alerts)
    counted = (
        (ngettext("{n} alert cannot be judged", "{n} alerts cannot be judged"), lost),
        (ngettext("{n} alert can be judged again", "{n} alerts can be judged again"), len(alerts) - lost),
        (ngettext("{n} source later or on time again", "{n} sources later or on time again"), len(changes)),
    )
    return language.listed([language.plural(text, n) for text, n in counted if n])


def _digest_rows(facts: Facts, language: Language) -> list[tuple[str, str]]:
    """One line per alert, then one per source."""
    items = [(one, alert_report(one, None, language).sentence) for one in facts["alerts"]]
    items += [(one, _freshness_sentence(one, language)) for one in facts["changes"]]
    return [
        (subject_name(one, {str(one.get("source_id", "")): language.record(one)}, language), said)
        for one, said in items
    ]


def _digest_sentence(facts: Facts, language: Language) -> str:
    if facts["alerts"]:
        return language.text(_("An alert that cannot be judged stays open until fresh figures tell: no all-clear."))
    return language.text(_("Forecasts rest on figures up to the newest that each source has published."))


def _freshness_sentence(facts: Facts, language: Language) -> str:
    before, after = (language.text(names.FRESHNESS.get(str(facts.get(name)), "")) for name in ("before", "after"))
    if not after:
        return str(facts.get("reason", ""))
    if not before:
        return language.text(_("Its figures are now: {after}."), after=after)
    return language.text(_("Its figures were: {before}; they are now: {after}."), before=before, after=after)


def _rows(announcement: Announcement, report: AlertReport | None, language: Language) -> list[tuple[str, str]]:
    facts, rows = announcement.facts, _digest_rows(announcement.facts, language) if not report else []
    figures = [] if announcement.is_over else _figures(facts, language)
    if report and report.chance_of and not announcement.is_over:
        rows.append((_("Chance"), report.chance_of))
    if facts.get("last_known"):
        rows.append((_("Newest figure"), str(facts["last_known"])))
    if report and report.record:
        record = facts.get("record")
        details = []
        if record is not None and is_judged(record):
            details = [*measures_words(record, language), events_words(record, language)]
        rows.append((_("Record of this rule"), language.listed([report.record, *details])))
    if facts.get("signed_by"):
        rows.append((_("Signed off by"), ", ".join(facts["signed_by"])))
    if facts.get("why"):
        rows.append((_("Reason given"), str(facts["why"])))
    if facts.get("as_of"):
        rows.append((_("As known on"), language.day(_as_of(facts))))
    return [*figures, *((language.text(label), value) for label, value in rows)]


def _figures(facts: Facts, language: Language) -> list[tuple[str, str]]:
    """Arrivals expected in the months concerned, and the newest count beside what was expected of it."""
    rows = []
    if ahead := concerned(facts)[:MOST_MONTHS]:
        text = _("{month}: {median}, 80% interval {low} to {high}")
        lines = [language.text(text, **_written(month, levels, language)) for month, levels in ahead]
        rows.append(
            (in_unit(language.text(_("{unit} expected")), str(facts.get("route_id", "")), language), "\n".join(lines))
        )
    if facts.get("history"):
        month, value = facts["history"][-1]
        said = language.text(_("{value} in {month}"), value=language.counted(value), month=language.month(month))
        median = facts.get("expected_before")
        beside = "" if median is None else f" ({expected_words(median, month, language)})"
        rows.append((language.text(_("Newest count")), said + beside))
    return rows


def _written(month: str, levels: dict[float, float], language: Language) -> dict[str, str]:
    """A month with its median and 80 % interval, as they are written."""
    places = {"median": 0.5, "low": 0.1, "high": 0.9}
    return {"month": language.month(month)} | {name: language.expected(levels[at]) for name, at in places.items()}


def _picture_alt(facts: Facts, language: Language) -> str:
    ahead = concerned(facts)
    if not ahead or not facts.get("history"):
        return ""
    text = _("Fan chart of {unit} per month: {median} expected in {month}, 80% interval {low} to {high}.")
    month, levels = ahead[-1]
    written = _written(month, levels, language)
    return in_unit(language.text(text), str(facts.get("route_id", "")), language, **written)


def _as_of(facts: Facts) -> dt.date:
    return dt.date.fromisoformat(facts["as_of"])


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of this package."""
    return Environment(
        loader=PackageLoader("reports.messages"),
        autoescape=select_autoescape(enabled_extensions=("html.j2", "xml.j2"), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def mail_text(message: Message) -> str:
    """The message as plain text."""
    return environment().get_template("mail.txt.j2").render(m=message, w=Language(message.language))


def mail_html(message: Message, picture: str = "") -> str:
    """The message as HTML with its style inside; ``picture`` is the Content-ID of the fan chart, if there is one."""
    template, colour = environment().get_template("mail.html.j2"), colours.LEVELS.get(message.level, colours.ENDED)
    return template.render(m=message, w=Language(message.language), picture=picture, colour=colour)


def chat_text(message: Message) -> str:
    """The message for a chat service: a few lines without markup."""
    return environment().get_template("chat.txt.j2").render(m=message, w=Language(message.language))


def message_id_header(message_id: str, sender: str) -> str:
    """The ``Message-ID`` of a mail: the same at every attempt."""
    domain = parseaddr(sender)[1].partition("@")[2]
    return f"<{message_id}@{domain}>"


def mail(  # what a mail needs comes from six places
    message: Message,
    announcement: Announcement,
    picture: bytes | None,
    *,
    message_id: str,
    sender: str,
    recipient: str,
    answers: tuple[str, ...] = (),
) -> EmailMessage:
    """A mail: text, HTML and the fan chart inside it.

    Args:
        message: What it says.
        announcement: What it rests on; its time is the mail's date, so that a repeat is the same.
        picture: The fan chart as PNG, or None.
        message_id: The outbox message's name.
        sender: From whom.
        recipient: To whom.
        answers: Names of earlier messages to the same reader about the same alert: mail programs show them together.
    """
    out = EmailMessage()
    out["From"] = sender
    out["To"] = recipient
    out["Subject"] = f"[Vigie] {message.title}"
    out["Date"] = format_datetime(announcement.at.replace(microsecond=0))
    out["Message-ID"] = message_id_header(message_id, sender)
    if answers:
        names = [message_id_header(one, sender) for one in answers]
        out["In-Reply-To"] = names[-1]
        out["References"] = " ".join(names)
    out["Auto-Submitted"] = "auto-generated"
    out.set_content(mail_text(message), cte="quoted-printable")
    name = f"{_PICTURE}.{message_id}@vigie" if picture else ""
    out.add_alternative(mail_html(message, name), subtype="html", cte="quoted-printable")
    if picture:
        html = next(part for part in out.iter_parts() if part.get_content_subtype() == "html")
        html.add_related(picture, "image", "png", cid=f"<{name}>", filename="fan.png", disposition="inline")
    out["Content-Language"] = message.language
    return out


def attach_briefing(out: EmailMessage, briefing: bytes, announcement: Announcement) -> None:
    """Attach the release's briefing, a PDF in the mail's language."""
    language = str(out["Content-Language"])
    name = f"vigie-{announcement.facts['as_of']}-{language}.pdf"
    out.add_attachment(briefing, maintype="application", subtype="pdf", filename=name)
    # With the first attachment every header of this kind goes into the part that was the whole mail until then.
    out["Content-Language"] = language


def machine_payload(message: Message, announcement: Announcement, message_id: str) -> dict[str, Any]:
    """The message for a webhook: the facts as JSON, and the words beside them."""
    return {
        "id": message_id,
        "announcement": announcement.identity,
        "kind": announcement.kind,
        "subject": announcement.subject,
        "run_id": announcement.run_id,
        "at": announcement.at.isoformat(timespec="seconds"),
        "replay": announcement.is_replay,
        "title": message.title,
        "sentence": message.sentence,
        "text": chat_text(message),
        "language": message.language,
        "link": message.link,
        "intended_use": message.uses,
        "prohibited_uses": list(message.prohibited),
        "facts": announcement.facts,
    }


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

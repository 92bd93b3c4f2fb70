"""Messages laid out for a channel: mail with text, HTML and picture; one text for chats; JSON for machines."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from core.languages import Language
from reports.colours import ENDED, LEVELS
from reports.messages.announcement import Announcement
from reports.messages.content import Message

_PICTURE = "fan"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports.messages"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def mail_text(message: Message) -> str:
    """The message as plain text."""
    return _environment().get_template("mail.txt.j2").render(m=message, w=Language(message.language))


def mail_html(message: Message, picture: str = "") -> str:
    """The message as HTML with its style inside; ``picture`` is the Content-ID of the fan chart, if there is one."""
    template = _environment().get_template("mail.html.j2")
    return template.render(
        m=message, w=Language(message.language), picture=picture, colour=LEVELS.get(message.level, ENDED)
    )


def chat_text(message: Message) -> str:
    """The message for a chat service: a few lines without markup."""
    return _environment().get_template("chat.txt.j2").render(m=message, w=Language(message.language))


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

"""Sending what waits in the outbox. Nothing is lost by a crash: a message waits until a try is known to have succeeded.

Where a crash falls between sending and recording, the message is sent again under the same name. Each channel has a
thread of its own and a limit of time, so that one that is dead holds up neither the others nor the night.

Messages are handed to a mail server, a webhook or a chat service here; nothing else in this package speaks to others.
Each function that does either returns, and then the other side has taken the message, or raises one of two errors: the
channel is down, so that what waits for it waits on; or this one message was refused.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from alerts.lifecycle import ANNOUNCED, DELIVERY, NOT_SENT, RAISED, SENT, UPDATED
from core.errors import InputError, VigieError
from core.languages import Language
from core.log import counted, get_logger
from core.schema import Entry
from core.settings import FEED, Channel, ChatChannel, EmailChannel, Settings, WebhookChannel, secret
from decisions import Workflow, announcements, open_workflow
from decisions.announcements import DEDUPLICATION, Attachments
from reports.messages import Message, attach_briefing, chat_text, compose, machine_payload, mail, with_briefing
from reports.messages.announcement import Announcement, announcement_of
from store import AlreadyRunningError, delivery_lock
from store.journal import FAILED, GIVEN_UP, OutboxMessage

Thread = tuple[str, str, str]
JOURNAL_HEADER = "X-Vigie-Journal"
"""Header of a mail with the end of the journal's chain."""
_SENDING = "vigie outbox"
"""What a sender holds in a journal that machines share: two would send every message twice."""


@dataclass
class Report:
    """How a round of sending ended.

    Attributes:
        sent: Messages that were taken.
        failed: Messages that were not, and will be tried again.
        given_up: Messages that will not be tried again.
        waiting: Messages that wait: held back, or after a failure.
        problems: What went wrong, each once.
        failing: Those that wait because an earlier attempt failed.
        drill: True where nothing is sent, because the home is a drill.
    """

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0
    problems: list[str] = field(default_factory=list)
    failing: int = 0
    drill: bool = False

    def summary(self) -> list[str]:
        """Lines for a person."""
        parts = [f"{self.sent} sent"]
        names = (("failed", "will be tried again"), ("given_up", "given up"), ("waiting", "waiting"))
        if self.drill:
            return [f"drill: nothing is sent; waiting until 'vigie home adopt': {counted(self.waiting, 'message')}"]
        parts += [f"{getattr(self, name)} {words}" for name, words in names if getattr(self, name)]
        if self.failing:
            parts[-1] += f" ({self.failing} after an attempt that failed: 'vigie outbox')"
        return [f"messages: {', '.join(parts)}"]


def send_waiting(workflow: Workflow, *, wait_seconds: float = 0, at_once: Collection[str] = ()) -> Report:
    """Send every message that is due; nothing from a drill.

    Args:
        workflow: Journal, outbox and settings.
        wait_seconds: How long to wait for another sender to end.
        at_once: Names of messages that need not wait any longer after a failure or in a cooldown.

    Raises:
        AlreadyRunningError: Another process sends on this home folder, or on another machine with the same journal.
        StoreError: The journal or the home folder cannot be read or written.
    """
    if workflow.settings.drill:
        return Report(waiting=len(workflow.outbox.waiting()), drill=True)
    with delivery_lock(workflow.home, wait_seconds), workflow.journal.database.alone(_SENDING, wait_seconds) as is_held:
        if not is_held:
            raise AlreadyRunningError("messages are being sent from another machine")
        announcements.announce_digests(workflow)
        report = _Round(workflow).run(at_once)
        announcements.publish_feeds(workflow)
    waiting = workflow.outbox.waiting()
    report.waiting = len(waiting) - report.failed
    report.failing = sum(message.attempts > 0 for message in waiting) - report.failed
    for problem in report.problems:
        get_logger().warning("not sent", reason=problem)
    return report


def start_sending(home: Path, settings: Settings) -> threading.Thread:
    """Send in the background, after a decision on a page; what fails is logged and tried again by the next round."""

    def work() -> None:
        try:
            with open_workflow(home, settings) as workflow:
                send_waiting(workflow, wait_seconds=settings.delivery.longest_seconds)
        except VigieError as error:
            get_logger().warning("sending stopped", reason=str(error))

    thread = threading.Thread(target=work, name="vigie-delivery", daemon=True)
    thread.start()
    return thread


def next_attempt(attempts: int, at: dt.datetime, first_seconds: float, longest_seconds: float) -> dt.datetime:
    """When to try again: the wait doubles with each failure, up to the longest."""
    return at + dt.timedelta(seconds=min(first_seconds * 2 ** min(attempts - 1, 40), longest_seconds))


def due(
    waiting: Sequence[OutboxMessage], now: dt.datetime, at_once: Collection[str] = ()
) -> dict[str, list[OutboxMessage]]:
    """Return messages that are due, or requested at once, by channel and in order.

    A message waits for the earlier ones of its thread: an end never arrives before its beginning.
    """
    found: dict[str, list[OutboxMessage]] = {}
    stopped: set[Thread] = set()
    for message in waiting:
        if not message.is_due(now) and message.message_id not in at_once:
            stopped.add(thread_of(message))
        if thread_of(message) not in stopped:
            found.setdefault(message.channel, []).append(message)
    return found


class _Round:
    """One round: a thread per channel, and one report."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._briefings = Attachments(workflow)
        # Only appended to, which threads may do at the same time.
        self._ended, self._problems = list[str](), list[str]()

    def run(self, at_once: Collection[str] = ()) -> Report:
        limit = time.monotonic() + self._workflow.settings.delivery.longest_seconds
        channels = due(self._workflow.outbox.waiting(), dt.datetime.now(dt.UTC), at_once)
        threads = [
            threading.Thread(target=self._send_all, args=(messages, limit), name=f"vigie-{name}", daemon=True)
            for name, messages in channels.items()
        ]
        for thread in threads:
            thread.start()
        for thread, name in zip(threads, channels, strict=True):
            thread.join(max(0.0, limit - time.monotonic()))
            if thread.is_alive():
                self._problems.append(f"channel {name} takes longer than the time that sending may take")
        sent, failed, given_up = map([*self._ended].count, (SENT, FAILED, GIVEN_UP))
        return Report(sent, failed, given_up, problems=[*dict.fromkeys(self._problems)])

    def _send_all(self, messages: list[OutboxMessage], limit: float) -> None:
        """A channel's messages, one after the other, until it is down or the time is over."""
        refused: set[Thread] = set()
        for message in messages:
            if time.monotonic() > limit:
                return
            if thread_of(message) in refused:
                continue
            try:
                goes_on = self._send_one(message)
            except VigieError as error:
                self._problems.append(f"{message.subscription}: {error}")
                return
            if goes_on is None:
                refused.add(thread_of(message))
            elif not goes_on:
                return

    def _send_one(self, message: OutboxMessage) -> bool | None:
        """Send one message and keep how it went: True if sent, None if refused, False if the channel is down."""
        announcement = self._announcement(message)
        try:
            self._hand_over(message, announcement)
        except Exception as error:  # one message that cannot be written must not hold up those behind it
            return self._not_sent(message, announcement, error)
        self._workflow.outbox.finish(message, dt.datetime.now(dt.UTC), SENT, _delivery_row(SENT, message, announcement))
        self._ended.append(SENT)
        return True

    def _not_sent(self, message: OutboxMessage, announcement: Announcement, error: Exception) -> bool | None:
        now, settings = dt.datetime.now(dt.UTC), self._workflow.settings.delivery
        text = str(error) if isinstance(error, VigieError) else f"{type(error).__name__}: {error}"
        self._problems.append(f"{message.subscription}: {text}")
        if is_too_old(message, now, settings.give_up_days) or (isinstance(error, RefusedError) and error.permanent):
            row = _delivery_row(NOT_SENT, message, announcement, text)
            self._workflow.outbox.finish(message, now, GIVEN_UP, row, text)
            self._ended.append(GIVEN_UP)
        else:
            again = next_attempt(message.attempts + 1, now, settings.first_wait_seconds, settings.longest_wait_seconds)
            self._workflow.outbox.failed(message, now, text, again)
            self._ended.append(FAILED)
        return False if isinstance(error, ChannelDownError | InputError) else None

    def _hand_over(self, message: OutboxMessage, announcement: Announcement) -> None:
        settings = self._workflow.settings
        if message.channel == FEED:
            announcements.publish_cap(self._workflow, announcement)
            return
        if (channel := settings.delivery.channels.get(message.channel)) is None:
            raise InputError(f"there is no channel '{message.channel}' in settings.toml any more")
        if not any(
            (one.name, one.channel) == (message.subscription, message.channel) and message.recipient in (one.to or [""])
            for one in settings.delivery.subscriptions
        ):
            raise RefusedError("settings.toml has no such recipient any more: nothing was sent", permanent=True)
        content = compose(announcement, message.language, settings.dashboard_url, message.message_id)
        if isinstance(channel, EmailChannel):
            send_mail(channel, self._mail(message, announcement, content, channel.sender))
        elif isinstance(channel, ChatChannel):
            post_chat(channel, content.title, chat_text(content), message.message_id)
        else:
            payload = machine_payload(content, announcement, message.message_id) | {"journal": self._journal_end()}
            post_webhook(channel, payload, message.message_id)

    def _mail(self, message: OutboxMessage, announcement: Announcement, content: Message, sender: str) -> EmailMessage:
        """The mail with the fan chart and, where an alert is raised, the briefing of its release."""
        briefing = None
        if self._workflow.settings.delivery.briefing and announcement.kind in {RAISED, UPDATED}:
            briefing = self._briefings.get(announcement.run_id, content.language)
            content = with_briefing(content, made=briefing is not None)
        out = mail(
            content,
            announcement,
            _picture(announcement, message.language),
            message_id=message.message_id,
            sender=sender,
            recipient=message.recipient,
            answers=answered(message, self._workflow.outbox.messages(message.subject)),
        )
        out[JOURNAL_HEADER] = self._journal_end()
        if briefing:
            attach_briefing(out, briefing, announcement)
        return out

    def _announcement(self, message: OutboxMessage) -> Announcement:
        rows = [row for row in self._workflow.journal.entries(subject=message.subject) if row.action == ANNOUNCED]
        if message.channel == FEED:
            # Machines are referred to what they were given: what was overtaken while it was held back is nowhere.
            known = self._workflow.outbox.messages(message.subject)
            given = {one.announcement for one in known if one.channel == FEED and one.outcome == SENT}
            rows = [row for row in rows if row.id in given or row.id == message.announcement]
        found = announcement_of(next(row for row in rows if row.id == message.announcement), rows)
        return announcements.for_reader(self._workflow, found, message)

    def _journal_end(self) -> str:
        """The end of the journal's chain, so that recipients can prove later what it held ('vigie verify --head')."""
        head = self._workflow.journal.head()
        return head.sha256 if head is not None else ""


def thread_of(message: OutboxMessage) -> Thread:
    """What must be sent in order: messages about the same alert to the same reader."""
    return message.subject, message.subscription, message.recipient


def is_too_old(message: OutboxMessage, now: dt.datetime, days: float) -> bool:
    """Whether a message is given up for its age, counted from when it might first be sent."""
    return now - max(message.posted_at, message.not_before) > dt.timedelta(days=days)


def answered(message: OutboxMessage, others: Sequence[OutboxMessage]) -> tuple[str, ...]:
    """Earlier messages of the same thread that were sent: a mail is a reply to these alone."""
    return tuple(
        one.message_id
        for one in others
        if thread_of(one) == thread_of(message) and one.announcement < message.announcement and one.outcome == SENT
    )


def _picture(announcement: Announcement, language: str) -> bytes | None:
    if announcement.is_over:
        return None
    from reports.charts import fan_picture  # noqa: PLC0415  # matplotlib takes a second to import

    return fan_picture(announcement.facts, Language(language))


def _delivery_row(action: str, message: OutboxMessage, announcement: Announcement, reason: str = "") -> Entry:
    payload = {
        "kind": message.kind,
        "level": announcement.level,
        DEDUPLICATION: announcements.deduplication_key(announcement.facts),
        "subscription": message.subscription,
        "channel": message.channel,
        "letter": message.message_id,
    }
    return Entry(DELIVERY, action, message.subject, announcement.run_id, reason, payload)


KEY_HEADER = "Idempotency-Key"
_TOO_MANY = 429
_STAMP_SECONDS = 20.0
_STAMP_HEAD = bytes.fromhex("30390201013031300d060960864801650304020105000420")
_STAMP_TAIL = bytes.fromhex("0101ff")
"""A ``TimeStampReq`` of RFC 3161 around a hash: version 1, SHA-256; the reply holds the authority's certificate."""
_TAKES_HEADERS = {"json", "jsons", "xml", "xmls", "form", "forms"}
"""Kinds of Apprise addresses that take headers of ours."""


class DeliveryError(VigieError):
    """A message was not taken; the text says why, without secrets."""


class ChannelDownError(DeliveryError):
    """The channel takes nothing now: no answer, no line, no login."""


class RefusedError(DeliveryError):
    """The channel works, but this message was refused; ``permanent`` where trying again is of no use."""

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.permanent = permanent


def send_mail(channel: EmailChannel, mail: EmailMessage) -> None:
    """Hand a mail to the channel's server.

    Raises:
        ChannelDownError: The server cannot be reached, or takes no mail from us.
        RefusedError: The server refuses this mail or its reader.
        InputError: The password is not in the environment.
    """
    with _mail_errors(channel), _connection(channel) as server:
        server.send_message(mail)


@contextmanager
def _connection(channel: EmailChannel) -> Iterator[smtplib.SMTP]:
    """A connection to the channel's server, signed in where the channel has a user."""
    password = secret(channel.password_env) if channel.password_env else ""
    context = ssl.create_default_context()
    place: dict[str, Any] = {"host": channel.host, "port": channel.port, "timeout": channel.seconds}
    server = smtplib.SMTP_SSL(**place, context=context) if channel.security == "tls" else smtplib.SMTP(**place)
    try:
        if channel.security == "starttls":
            server.starttls(context=context)
        if password:
            server.login(channel.user, password)
        yield server
        # The mail was taken before: a line that breaks now must not have it sent again.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()


@contextmanager
def _mail_errors(channel: EmailChannel) -> Iterator[None]:
    place = f"mail server {channel.host}:{channel.port}"
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise RefusedError(f"{place} refuses the reader: {code} {_text(text)}", permanent=code >= 500) from None
    except smtplib.SMTPSenderRefused as error:
        raise ChannelDownError(f"{place} refuses the sender: {error.smtp_code} {_text(error.smtp_error)}") from None
    except smtplib.SMTPDataError as error:
        why = f"{place} refuses the mail: {error.smtp_code} {_text(error.smtp_error)}"
        raise RefusedError(why, permanent=error.smtp_code >= 500) from None
    except smtplib.SMTPAuthenticationError as error:
        raise ChannelDownError(f"{place} refuses the login: {error.smtp_code}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise ChannelDownError(f"{place}: {type(error).__name__}: {str(error).strip() or 'no answer'}") from None


def try_channel(channel: Channel) -> None:
    """Reach a channel and sign in, without sending anything.

    Raises:
        ChannelDownError: It cannot be reached, or refuses the login.
        InputError: A secret is not in the environment.
    """
    if isinstance(channel, EmailChannel):
        with _mail_errors(channel), _connection(channel) as server:
            server.noop()
    elif isinstance(channel, WebhookChannel):
        parts = urlsplit(channel.address())
        if channel.token_env:
            secret(channel.token_env)
        place = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        try:
            with socket.create_connection(place, channel.seconds) as line:
                if parts.scheme == "https":
                    ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname).close()
        except OSError as error:
            raise ChannelDownError(f"webhook {parts.hostname}: {str(error) or type(error).__name__}") from None
    else:
        _chat_service(channel, secret(channel.url_env))


def post_webhook(channel: WebhookChannel, payload: dict[str, Any], message_id: str) -> None:
    """Post JSON to the channel's address; the header ``Idempotency-Key`` is the message's name.

    Raises:
        ChannelDownError: It cannot be reached, does not answer in time, or answers that it is busy or broken.
        RefusedError: It refuses this message.
        InputError: Its address or token is not in the environment.
    """
    address = channel.address()
    headers = {KEY_HEADER: message_id, "User-Agent": "Vigie"}
    if channel.token_env:
        headers["Authorization"] = f"Bearer {secret(channel.token_env)}"
    # The address may hold a secret, so only its host is named.
    place = f"webhook {urlsplit(address).hostname}"
    try:
        # A redirect is not followed: the message would leave the configured address.
        answer = httpx.post(address, json=payload, headers=headers, timeout=channel.seconds, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ChannelDownError(f"{place}: {type(error).__name__}") from None
    if answer.is_success:
        return
    if answer.status_code == _TOO_MANY or answer.is_server_error:
        raise ChannelDownError(f"{place} answers {answer.status_code}")
    raise RefusedError(f"{place} answers {answer.status_code}", permanent=answer.is_client_error)


def post_chat(channel: ChatChannel, title: str, text: str, message_id: str) -> None:
    """Hand a text to the channel's chat service through Apprise.

    Raises:
        ChannelDownError: The service refused it; Apprise gives no reason that could be shown.
        InputError: The service's address is not in the environment, or is not one of Apprise's.
    """
    service = _chat_service(channel, _with_limits(secret(channel.url_env), channel.seconds, message_id))
    if not service.notify(body=text, title=title, body_format="text"):
        raise ChannelDownError(f"chat service {service.service_name} did not take the message")


def _chat_service(channel: ChatChannel, address: str) -> Any:  # noqa: ANN401  # Apprise's types are not read
    import apprise  # noqa: PLC0415  # it takes a second to import, and few homes use it

    service = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if service is None:
        raise ChannelDownError(f"environment variable {channel.url_env} holds no address of a service of Apprise")
    return service


def time_stamp(address: str, sha256: str) -> bytes:
    """Ask a time-stamp authority to certify that a hash existed now.

    Args:
        address: Where it takes requests (RFC 3161, section 3.4).
        sha256: The hash, in hexadecimal.

    Returns:
        Its reply (DER), which ``openssl ts -verify`` checks against the authority's certificate. Its signature is not
        checked here.

    Raises:
        DeliveryError: The authority did not answer, or did not certify this hash.
    """
    digest = bytes.fromhex(sha256)
    headers = {"Content-Type": "application/timestamp-query"}
    place = f"time-stamp authority {urlsplit(address).netloc}"
    try:
        answer = httpx.post(
            address, content=_STAMP_HEAD + digest + _STAMP_TAIL, headers=headers, timeout=_STAMP_SECONDS
        )
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DeliveryError(f"{place}: {type(error).__name__}: {error}") from None
    if digest not in answer.content:
        raise DeliveryError(f"{place}: the reply certifies nothing of this hash")
    return answer.content


def _with_limits(address: str, seconds: float, message_id: str) -> str:
    """The address with Apprise's own limits of time, and with the message's name as a header where it takes headers."""
    extra = f"cto={seconds / 2:g}&rto={seconds / 2:g}"
    if address.partition("://")[0] in _TAKES_HEADERS:
        extra += f"&+{KEY_HEADER}={message_id}"
    return f"{address}{'&' if '?' in address else '?'}{extra}"


def _text(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:200]

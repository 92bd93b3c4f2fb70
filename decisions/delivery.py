"""Handing messages over: to a mail server, to a webhook, to a chat service. Nothing else in this room speaks to others.

Each function either returns, and then the other side has taken the message, or raises one of two errors: the channel is
down, so that what waits for it waits on; or this one message was refused.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.errors import VigieError
from core.settings import Channel, ChatChannel, EmailChannel, WebhookChannel, secret

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
        _say_goodbye(server)
    finally:
        server.close()


def _say_goodbye(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        # The mail was taken before: a line that breaks now must not have it sent again.
        return


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
        import apprise  # noqa: PLC0415  # as in post_chat

        if apprise.Apprise.instantiate(secret(channel.url_env), suppress_exceptions=True) is None:
            raise ChannelDownError(f"environment variable {channel.url_env} holds no address of a service of Apprise")


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
    import apprise  # noqa: PLC0415  # it takes a second to import, and few homes use it

    address = secret(channel.url_env)
    service = apprise.Apprise.instantiate(_with_limits(address, channel.seconds, message_id), suppress_exceptions=True)
    if service is None:
        raise ChannelDownError(f"environment variable {channel.url_env} holds no address of a service of Apprise")
    if not service.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT):
        raise ChannelDownError(f"chat service {service.service_name} did not take the message")


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

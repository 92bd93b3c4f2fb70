"""Delivery of messages: answers are classified, and no secret is passed on."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from core.errors import InputError
from core.settings import ChatChannel, EmailChannel, WebhookChannel
from decisions.sending import ChannelDownError, RefusedError, post_chat, post_webhook, send_mail, try_channel
from tests.receivers import Mailbox, Requests, http_server, mail_server

SECRET = "xoxb-1234"  # noqa: S105  # a made-up one, to see that it is kept


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def hook() -> Iterator[Requests]:
    with http_server() as running:
        yield running


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_SECRET", SECRET)


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "vigie@example.org", "a@example.org", "Alert"
    message.set_content("text")
    return message


def email_channel(mailbox: Mailbox, **other: object) -> EmailChannel:
    same = {"kind": "email", "host": "127.0.0.1", "port": mailbox.port, "sender": "vigie@example.org", "seconds": 120}
    return EmailChannel.model_validate(same | {"security": "none"} | other)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_never_goes_over_open_line(mailbox: Mailbox, security: str) -> None:
    before = len(mailbox.mails)
    with pytest.raises(ChannelDownError, match=r"mail server 127\.0\.0\.1"):
        send_mail(email_channel(mailbox, security=security), mail())
    assert len(mailbox.mails) == before


def test_refused_login_closes_channel(mailbox: Mailbox) -> None:
    channel = email_channel(mailbox, user="vigie", password_env="VIGIE_SECRET")  # noqa: S106  # the variable's name
    with pytest.raises(ChannelDownError) as caught:
        send_mail(channel, mail())
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such reader", True), ("450 mailbox busy", False)])
def test_refused_recipient_is_temporary_or_final(mailbox: Mailbox, answer: str, *, permanent: bool) -> None:
    mailbox.answers["a@example.org"] = answer
    with pytest.raises(RefusedError, match=answer) as caught:
        send_mail(email_channel(mailbox), mail())
    mailbox.answers.clear()
    assert caught.value.permanent is permanent


def test_webhook_gets_its_token_and_address_stays_secret(hook: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    hook.status = lambda _number: 400
    monkeypatch.setenv("VIGIE_ADDRESS", f"{hook.url}/{SECRET}")
    channel = WebhookChannel(kind="webhook", url_env="VIGIE_ADDRESS", token_env="VIGIE_SECRET")  # noqa: S106  # the variable's name
    with pytest.raises(RefusedError) as caught:
        post_webhook(channel, {}, "a")
    assert hook.taken[-1][0]["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in str(caught.value)


def test_silent_chat_service_closes_channel(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    monkeypatch.setenv("VIGIE_CHAT", f"json://user:{SECRET}@127.0.0.1:{closed_port}/")
    with pytest.raises(ChannelDownError, match="did not take the message") as caught:
        post_chat(ChatChannel(kind="chat", url_env="VIGIE_CHAT"), "title", "text", "a")
    assert SECRET not in str(caught.value)


def test_unknown_apprise_address_names_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_CHAT", f"nosuchservice://{SECRET}")
    with pytest.raises(ChannelDownError, match="environment variable VIGIE_CHAT holds no address") as caught:
        post_chat(ChatChannel(kind="chat", url_env="VIGIE_CHAT"), "title", "text", "a")
    assert SECRET not in str(caught.value)


def test_token_goes_over_https_or_to_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"kind": "webhook", "token_env": "VIGIE_SECRET"}
    with pytest.raises(ValueError, match="open line"):
        WebhookChannel.model_validate({**token, "url": "http://hooks.example.org/x"})
    assert WebhookChannel.model_validate({**token, "url": "https://hooks.example.org/x"}).address()
    monkeypatch.setenv("VIGIE_ADDRESS", "http://hooks.example.org/x")
    with pytest.raises(InputError, match="open line"):
        WebhookChannel.model_validate({**token, "url_env": "VIGIE_ADDRESS"}).address()


def test_trying_channel_signs_in_and_sends_nothing(
    mailbox: Mailbox, hook: Requests, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    before, missing = (len(mailbox.mails), len(hook.taken)), "VIGIE_NO_SUCH"
    monkeypatch.setenv("VIGIE_CHAT", f"json://user:{SECRET}@127.0.0.1:{closed_port}/")
    monkeypatch.setenv("VIGIE_UNKNOWN", f"nosuchservice://{SECRET}")
    closed = f"http://127.0.0.1:{closed_port}/"
    cases: list[tuple[EmailChannel | WebhookChannel | ChatChannel, type[Exception] | None, str]] = [
        (email_channel(mailbox), None, ""),
        (email_channel(mailbox, port=closed_port), ChannelDownError, "ConnectionRefusedError"),
        # This server offers no login, so only signing in is refused.
        (email_channel(mailbox, user="vigie", password_env="VIGIE_SECRET"), ChannelDownError, "mail server"),  # noqa: S106  # the variable's name
        (email_channel(mailbox, user="vigie", password_env=missing), InputError, f"{missing} is not set"),
        (WebhookChannel(kind="webhook", url=hook.url), None, ""),
        (WebhookChannel(kind="webhook", url=hook.url, token_env="VIGIE_SECRET"), None, ""),  # noqa: S106  # as above
        (WebhookChannel(kind="webhook", url=hook.url, token_env=missing), InputError, f"{missing} is not set"),
        (WebhookChannel(kind="webhook", url=closed), ChannelDownError, "webhook 127.0.0.1"),
        (ChatChannel(kind="chat", url_env="VIGIE_CHAT"), None, ""),
        (ChatChannel(kind="chat", url_env="VIGIE_UNKNOWN"), ChannelDownError, "VIGIE_UNKNOWN holds no address"),
        (ChatChannel(kind="chat", url_env=missing), InputError, f"{missing} is not set"),
    ]
    for channel, kind, named in cases:
        if kind is None:
            try_channel(channel)
            continue
        with pytest.raises(kind, match=named) as caught:
            try_channel(channel)
        assert SECRET not in str(caught.value)
    assert (len(mailbox.mails), len(hook.taken)) == before

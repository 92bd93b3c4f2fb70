"""Who is told what: channels and subscriptions in settings.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.delivery_settings import Subscription, WebhookChannel, secret
from core.errors import InputError
from core.settings import load_settings

CHANNELS = """
[delivery.channels.mail]
kind = "email"
host = "smtp.example.org"
sender = "Vigie <vigie@example.org>"
user = "vigie"
password_env = "VIGIE_SMTP_PASSWORD"

[delivery.channels.hook]
kind = "webhook"
url_env = "VIGIE_HOOK"
"""
DESK = """
[[delivery.subscriptions]]
name = "Eastern desk"
channel = "mail"
to = ["duty@example.org"]
routes = ["EMR"]
levels = ["warning", "severe"]
language = "fr"
"""


def load(home: Path, text: str) -> list[Subscription]:
    (home / "settings.toml").write_text(text, encoding="utf-8")
    return load_settings(home).delivery.subscriptions


def test_a_subscription_names_route_level_language_and_channel(tmp_path: Path) -> None:
    (desk,) = load(tmp_path, CHANNELS + DESK)
    assert desk.wants("raised", "severe", "EMR")
    assert desk.wants("ended", "warning", "EMR")
    assert not desk.wants("raised", "watch", "EMR")
    assert not desk.wants("raised", "severe", "CMR")
    assert not desk.wants("freshness", "", "")
    assert desk.language == "fr"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (DESK, "there is no channel 'mail'"),
        (CHANNELS + DESK.replace("EMR", "XYZ"), "route 'XYZ' is unknown; known: CMR"),
        (CHANNELS + DESK.replace("duty@example.org", "duty"), "'duty' is not a mail address"),
        (CHANNELS + DESK.replace("duty@example.org", "a@b.c\\r\\nBcc: d@e.f"), "is not a mail address"),
        (CHANNELS + DESK.replace('"mail"', '"hook"'), "belong to channels of kind email"),
        (CHANNELS + DESK + DESK, "the name 'Eastern desk' is used twice"),
        (CHANNELS + DESK.replace("Eastern desk", "published"), "the name 'published' is used twice"),
        (CHANNELS + DESK.replace("severe", "grave"), "Input should be 'watch', 'warning' or 'severe'"),
        (CHANNELS.replace("user = ", "# "), "user and password_env go together"),
        (CHANNELS.replace("host =", 'security = "none"\nhost ='), "not sent over an open line"),
        (CHANNELS.replace('"Vigie <vigie@example.org>"', '"Vigie"'), "'Vigie' is not a mail address"),
        (CHANNELS.replace("url_env", 'url = "ftp://x"\n# '), "does not begin with https"),
        (CHANNELS.replace("url_env", "# "), "give url or url_env"),
        (CHANNELS.replace("password_env", "password"), "setting delivery.channels.mail.email.password"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(tmp_path: Path, text: str, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        load(tmp_path, text)


def test_a_secret_comes_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = WebhookChannel(kind="webhook", url_env="VIGIE_HOOK")
    with pytest.raises(InputError, match="environment variable VIGIE_HOOK is not set"):
        channel.address()
    monkeypatch.setenv("VIGIE_HOOK", "https://hooks.example.org/1")
    assert channel.address() == secret("VIGIE_HOOK") == "https://hooks.example.org/1"

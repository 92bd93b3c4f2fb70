"""What a person may set about messages: channels, subscriptions, waits. Secrets stay in the environment.

In ``settings.toml``::

    dashboard_url = "https://vigie.example.org"

    [delivery]
    silence_days = 7

    [delivery.channels.mail]
    kind = "email"
    host = "smtp.example.org"
    sender = "Vigie <vigie@example.org>"
    user = "vigie"
    password_env = "VIGIE_SMTP_PASSWORD"

    [[delivery.subscriptions]]
    name = "Eastern desk"
    channel = "mail"
    to = ["duty@example.org"]
    routes = ["EMR"]
    levels = ["warning", "severe"]
    language = "en"
"""

from __future__ import annotations

import os
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import InputError
from core.routes import ROUTES, is_route

FEED = "published"
"""Channel and subscription that always exist: the files for machines in ``published/``."""
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+")
_NAMED_SENDER = re.compile(rf"[^<>\r\n]*<{_ADDRESS.pattern}>|{_ADDRESS.pattern}")
Level = Literal["watch", "warning", "severe"]
Event = Literal["raised", "updated", "ended", "withdrawn", "freshness"]


def secret(variable: str) -> str:
    """The value of an environment variable that holds a secret.

    Raises:
        InputError: It is not set.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise InputError(f"environment variable {variable} is not set")
    return value


class _Channel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seconds: float = Field(default=20, gt=0, le=120, description="Longest time for one message")


class EmailChannel(_Channel):
    """A mail server that takes messages."""

    kind: Literal["email"]
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(min_length=3, description="Vigie <vigie@example.org>")
    user: str = ""
    password_env: str = Field(default="", description="Name of the environment variable that holds the password")

    @model_validator(mode="after")
    def _is_safe(self) -> EmailChannel:
        if not _NAMED_SENDER.fullmatch(self.sender):
            raise ValueError(f"sender '{self.sender}' is not a mail address")
        if bool(self.user) != bool(self.password_env):
            raise ValueError("user and password_env go together")
        if self.user and self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError("a password is not sent over an open line: set security to starttls or tls")
        return self


class WebhookChannel(_Channel):
    """An address that takes JSON by POST."""

    kind: Literal["webhook"]
    url: str = ""
    url_env: str = Field(default="", description="Environment variable that holds the address, where it is a secret")
    token_env: str = Field(default="", description="Environment variable that holds a bearer token")

    @model_validator(mode="after")
    def _has_one_address(self) -> WebhookChannel:
        if bool(self.url) == bool(self.url_env):
            raise ValueError("a webhook has one address: give url or url_env")
        if self.url and not re.match(r"https?://", self.url):
            raise ValueError(f"url '{self.url}' does not begin with https:// or http://")
        return self

    def address(self) -> str:
        """Where to post.

        Raises:
            InputError: The environment variable is not set.
        """
        return self.url or secret(self.url_env)


class ChatChannel(_Channel):
    """A chat service, by its Apprise address (https://github.com/caronc/apprise/wiki), which holds its secrets."""

    kind: Literal["chat"]
    url_env: str = Field(min_length=1, description="Environment variable that holds the Apprise address")


Channel = Annotated[EmailChannel | WebhookChannel | ChatChannel, Field(discriminator="kind")]


class Subscription(BaseModel):
    """Who is told what, in which language."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    channel: str
    to: list[str] = Field(default_factory=list, description="Mail addresses; empty for webhooks and chats")
    routes: list[str] = Field(default_factory=list, description="route_id; empty: all, and alerts on sources too")
    levels: list[Level] = Field(default=["watch", "warning", "severe"], min_length=1)
    events: list[Event] = Field(default=["raised", "updated", "ended", "withdrawn"], min_length=1)
    language: str = Field(default="en", pattern=r"[a-z]{2,3}")

    @model_validator(mode="after")
    def _is_known(self) -> Subscription:
        for route_id in self.routes:
            if not is_route(route_id):
                raise ValueError(
                    f"subscription '{self.name}': route '{route_id}' is unknown; known: {', '.join(ROUTES)}"
                )
        for address in self.to:
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"subscription '{self.name}': '{address}' is not a mail address")
        return self

    def wants(self, kind: str, level: str, route_id: str) -> bool:
        """Whether an announcement of this kind is for its readers."""
        if kind not in self.events:
            return False
        return kind == "freshness" or (level in self.levels and (not self.routes or route_id in self.routes))


class DeliverySettings(BaseModel):
    """How alerts leave the house."""

    model_config = ConfigDict(extra="forbid")
    silence_days: float = Field(
        default=7, ge=0, description="Quiet after a message about the same matter; severe passes"
    )
    replays: bool = Field(default=False, description="Send what a replayed night says too, marked as an exercise")
    briefing: bool = Field(default=True, description="Attach the one-page briefing to mails that raise an alert")
    publisher: str = Field(default="vigie", pattern=r"[^\s,<&]+", description="Sender in CAP messages")
    first_wait_seconds: float = Field(default=60, ge=0, description="Wait after a first failure; it doubles")
    longest_wait_seconds: float = Field(default=6 * 3600, ge=0)
    give_up_days: float = Field(default=14, gt=0, description="Age at which a letter is no longer tried")
    longest_seconds: float = Field(default=120, gt=0, description="Longest time that sending takes from a night")
    channels: dict[str, Channel] = Field(default_factory=dict)
    subscriptions: list[Subscription] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits(self) -> DeliverySettings:
        names = [one.name for one in self.subscriptions]
        if repeated := {name for name in names if names.count(name) > 1} | ({FEED} & {*names, *self.channels}):
            raise ValueError(f"the name '{min(repeated)}' is used twice")
        for one in self.subscriptions:
            if one.channel not in self.channels:
                raise ValueError(f"subscription '{one.name}': there is no channel '{one.channel}'")
            if bool(one.to) != isinstance(self.channels[one.channel], EmailChannel):
                raise ValueError(f"subscription '{one.name}': mail addresses in 'to' belong to channels of kind email")
        return self

"""What a person may set about access: who signs in where, and who has which role. Secrets stay in the environment.

Without a ``provider`` there is no login, and the dashboard serves loopback only. In ``settings.toml``::

    dashboard_url = "https://vigie.example.org"

    [access]
    provider = "https://login.example.org/.well-known/openid-configuration"
    client_id = "vigie"
    roles_claim = "groups"

    [access.claim_roles]
    reception-managers = "manager"

    [access.people]
    "ada@example.org" = ["analyst"]

and in the environment ``VIGIE_OIDC_CLIENT_SECRET`` and ``VIGIE_COOKIE_SECRET``.
"""

from __future__ import annotations

import ipaddress
import os
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import InputError

Role = Literal["viewer", "analyst", "manager", "administrator"]
SHORTEST_COOKIE_SECRET = 32


class AccessSettings(BaseModel):
    """Login with OpenID Connect, roles, and how long a login holds."""

    model_config = ConfigDict(extra="forbid")
    provider: str = Field(default="", description="Address of the provider's discovery document; empty: no login")
    client_id: str = Field(default="", description="What the provider calls this dashboard")
    client_secret_env: str = Field(
        default="VIGIE_OIDC_CLIENT_SECRET",
        min_length=1,
        description="Environment variable that holds the client secret",
    )
    cookie_secret_env: str = Field(
        default="VIGIE_COOKIE_SECRET", min_length=1, description="Environment variable that holds the key of cookies"
    )
    scope: str = Field(default="openid email profile", pattern=r"^openid(\s+\S+)*$")
    prompt: Literal["select_account", "login", "consent"] = Field(
        default="select_account", description="What the provider is asked to do even where it knows the person"
    )
    identity_claim: str = Field(default="email", min_length=1, description="Claim kept as the person's name")
    roles_claim: str = Field(default="roles", description="Claim that holds roles or groups; dots lead inwards")
    claim_roles: dict[str, Role] = Field(
        default_factory=dict, description="Role per value of the claim; empty: the values are the roles' names"
    )
    people: dict[str, list[Role]] = Field(default_factory=dict, description="Roles per person, beside those of claims")
    session_minutes: float = Field(default=480, gt=0, le=43_200, description="Longest time from one login to the next")
    idle_minutes: float = Field(default=60, gt=0, le=43_200, description="A login ends after this time without use")

    @property
    def is_on(self) -> bool:
        """Whether people sign in."""
        return bool(self.provider)

    @model_validator(mode="after")
    def _is_whole(self) -> AccessSettings:
        if not self.provider:
            given = [name for name in ("client_id", "people", "claim_roles") if getattr(self, name)]
            if given:
                raise ValueError(f"{given[0]} is given without a provider: nobody would have to sign in")
            return self
        if not self.client_id:
            raise ValueError("provider and client_id go together")
        if not is_safe_address(self.provider):
            raise ValueError(f"provider '{self.provider}' must begin with https:// (http:// on loopback only)")
        return self


def secret_of(variable: str, *, shortest: int = 1) -> str:
    """A secret from the environment; no error text ever holds its value.

    Raises:
        InputError: It is not set, or too short to be safe.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise InputError(f"environment variable {variable} is not set: login needs it")
    if len(value) < shortest:
        raise InputError(f"environment variable {variable} is shorter than {shortest} characters: make a longer one")
    return value


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine alone."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_safe_address(url: str) -> bool:
    """Whether an address is https, or http on loopback, where nobody listens in."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    )

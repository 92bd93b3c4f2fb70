"""Where a home folder is shared: an address that other machines read and write too."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://.*")


class StoreSettings(BaseModel):
    """The shared store; see docs/scaling.md. Credentials come from the environment alone."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(default="", description="s3://bucket/folder, file:///folder, …; empty: nothing is shared")
    poll_seconds: float = Field(default=60, ge=1, description="How often a dashboard looks for a new release")
    lease_seconds: float = Field(
        default=300, ge=10, description="Silence after which a night on another machine counts as dead"
    )

    @field_validator("url")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        if not url:
            return url
        if not _SCHEME.fullmatch(url):
            raise ValueError("not an address like s3://bucket/folder or file:///folder")
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.query:
            raise ValueError("credentials do not stand in the address: give them in the environment")
        return url.rstrip("/") if parts.path.strip("/") or parts.netloc else url

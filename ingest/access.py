"""Where and how each source is asked for its figures: ``data/live.toml``, changed by a home's settings."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InputError

FILE = "live.toml"


class SourceAccess(BaseModel):
    """How one source is asked.

    Attributes:
        source_id: The source.
        addresses: Named addresses, such as ``page`` or ``api``.
        hosts: Further hosts that pages may link to or redirect to. Any other host is refused.
        maintenance_hosts: Hosts to which the publisher redirects while it is down.
        agent: ``browser`` where the publisher refuses programs.
        token: Variable of the environment that holds the key; empty where none is needed.
        asked: When a round of visits asks: ``always``, ``with token`` only where the key is set, ``by name`` only
            where a person names the source. A source that is named is asked in any case.
        pause_seconds: Pause between two requests to one host.
        unconfirmed: Fields that no official page confirmed.
        options: What else the source's module needs to know.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    source_id: str
    addresses: dict[str, str] = Field(min_length=1)
    hosts: list[str] = Field(default_factory=list)
    maintenance_hosts: list[str] = Field(default_factory=list)
    agent: Literal["vigie", "browser"] = "vigie"
    token: str = Field(default="", pattern=r"^([A-Z][A-Z0-9_]*)?$")
    asked: Literal["always", "with token", "by name"] = "always"
    pause_seconds: float = Field(default=1.0, ge=0)
    unconfirmed: list[str] = Field(default_factory=list)
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Hosts, in lower case, that may be asked."""
        named = {urlsplit(address).hostname or "" for address in self.addresses.values()}
        return frozenset(host.lower() for host in named | set(self.hosts))

    @property
    def why_not_asked(self) -> str:
        """Why a round of visits leaves the source out unless it is named; empty where it does not."""
        if self.asked == "by name":
            return f"asked only by name: --source {self.source_id}, or asked = 'always' in its settings"
        if self.asked == "with token" and not os.environ.get(self.token):
            return f"needs a key: set {self.token}"
        return ""

    def address(self, name: str, *parts: str) -> str:
        """One address as it stands, or one below it.

        Args:
            name: Its name in ``live.toml``.
            parts: Further parts of the path, put behind it.

        Raises:
            InputError: It is not given.
        """
        if name not in self.addresses:
            raise InputError(f"{FILE}, {self.source_id}: addresses.{name} is missing")
        return "/".join([self.addresses[name].rstrip("/"), *parts]) if parts else self.addresses[name]

    def text(self, name: str) -> str:
        """An option that is a text; see :meth:`option`."""
        found: str = self.option(name, str)
        return found

    def whole(self, name: str) -> int:
        """An option that is a whole number; see :meth:`option`."""
        found: int = self.option(name, int)
        return found

    def option(self, name: str, kind: type) -> Any:  # noqa: ANN401  # the kind is the caller's choice
        """One option.

        Raises:
            InputError: It is missing or of another kind.
        """
        found = self.options.get(name)
        if not isinstance(found, kind):
            raise InputError(f"{FILE}, {self.source_id}: options.{name} must be a {kind.__name__}; found {found!r}")
        return found


def read_access(folder: Path, changes: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, SourceAccess]:
    """Read how every source is asked.

    Args:
        folder: The folder that holds ``live.toml``.
        changes: Fields to change, by source_id; tables are merged, everything else is replaced.

    Returns:
        ``source_id`` -> access, in the file's order.

    Raises:
        InputError: The file is missing or not TOML, or a field is unknown or wrong; the text names it.
    """
    try:
        entries: dict[str, Any] = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{FILE}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{FILE}: not readable as TOML: {error}") from None
    unknown = sorted(set(changes or {}) - set(entries))
    if unknown:
        raise InputError(f"settings.toml, live.sources: {unknown} have no entry in {FILE}; known: {sorted(entries)}")
    return {name: _access(name, _merged(entry, (changes or {}).get(name, {}))) for name, entry in entries.items()}


def _merged(entry: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(entry)
    for name, value in change.items():
        inner = merged.get(name)
        merged[name] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return merged


def _access(source_id: str, entry: Mapping[str, Any]) -> SourceAccess:
    try:
        access = SourceAccess.model_validate({"source_id": source_id, **entry})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{FILE}, {source_id}, field {where}: {first['msg']}") from None
    for name, address in access.addresses.items():
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            raise InputError(f"{FILE}, {source_id}, field addresses.{name}: '{address}' is no web address")
    return access

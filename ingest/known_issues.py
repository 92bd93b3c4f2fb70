"""The register of known issues: ``data/known_issues.toml``, maintained by hand, published with every release."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InputError
from core.languages import told_in

REGISTER = "known_issues.toml"


class KnownIssue(BaseModel):
    """One entry.

    Attributes:
        id: Name that is never used twice.
        what: What is wrong or limited, in a sentence for a reader; ``what_fr`` in French.
        affects: ``source_id``, ``route_id``, ``model_id`` or page.
        since: Day on which it was found.
        status: ``open``, ``mitigated`` (its effect is bounded) or ``closed`` (mended).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    what: str = Field(min_length=20)
    what_fr: str = ""
    affects: list[str] = Field(min_length=1)
    since: dt.date
    status: Literal["open", "mitigated", "closed"]

    def told_in(self, language: str) -> KnownIssue:
        """The same with its text in one language, English where it has no other."""
        return self.model_copy(update=told_in(self.model_dump(), language))


def known_issues(folder: Path) -> list[KnownIssue]:
    """Read the register.

    Args:
        folder: The folder that holds ``known_issues.toml``.

    Returns:
        Entries, the open ones first, each group in the file's order.

    Raises:
        InputError: The file is missing or not TOML, an entry lacks a field, or an id stands twice.
    """
    try:
        entries = tomllib.loads((folder / REGISTER).read_text(encoding="utf-8")).get("issue", [])
        found = [KnownIssue.model_validate(entry) for entry in entries]
    except OSError as error:
        raise InputError(f"{REGISTER}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{REGISTER}: not readable as TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{REGISTER}, an entry of {first['input']!r}, field {where}: {first['msg']}") from None
    ids = [issue.id for issue in found]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise InputError(f"{REGISTER}: ids {twice} stand twice")
    order = ("open", "mitigated", "closed")
    return sorted(found, key=lambda issue: order.index(issue.status))

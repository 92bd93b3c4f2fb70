"""What ``data/sources.toml`` says about every source: publisher, licence, citation, rhythm and known faults."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InputError
from core.languages import told_in

CATALOGUE = "sources.toml"


class SourceCard(BaseModel):
    """One source as a person would cite it.

    Attributes:
        publisher: Who publishes; ``publisher_fr`` in French, as every text that has such a twin.
        redistribution: True or False where the licence says so, else 'to be confirmed': then the figures are bundled
            with attribution, and the setting ``exclude_sources`` leaves them out.
        retrieved: Date of the edition that the bundled figures were tabulated from; None where it is not recorded.
        came_through: Where that edition was read, if not from the publisher's own page.
        rhythm: How often and how late the publisher publishes, in words.
        expected_days: Usual greatest age of the newest period's last day; beyond it the source is due.
        derived_from: ``source_id`` of the sources that a derived one is computed from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    source_id: str
    publisher: str = Field(min_length=2)
    publisher_fr: str = ""
    dataset: str = Field(min_length=2)
    dataset_fr: str = ""
    url: str = Field(pattern=r"^(https?://.+)?$")
    licence: str = Field(min_length=2)
    licence_fr: str = ""
    licence_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    redistribution: bool | Literal["to be confirmed"]
    citation: str = Field(min_length=10)
    retrieved: dt.date | None = None
    came_through: str = ""
    came_through_fr: str = ""
    rhythm: str
    rhythm_fr: str = ""
    expected_days: int = Field(ge=1)
    known_issues: list[str] = Field(default_factory=list)
    known_issues_fr: list[str] = Field(default_factory=list)
    derived_from: list[str] = Field(default_factory=list)

    @property
    def may_be_bundled(self) -> bool:
        """Whether figures of this source may be part of what is handed out."""
        return self.redistribution is not False

    def told_in(self, language: str) -> SourceCard:
        """The same with its texts in one language, English where it has no other."""
        return self.model_copy(update=told_in(self.model_dump(), language))


def sources(folder: Path) -> dict[str, SourceCard]:
    """Read the catalogue.

    Args:
        folder: The folder that holds ``sources.toml``.

    Returns:
        ``source_id`` -> card, in the file's order.

    Raises:
        InputError: The file is missing, not TOML, or an entry lacks a field; the text names entry and field.
    """
    path = folder / CATALOGUE
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{CATALOGUE}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{CATALOGUE}: not readable as TOML: {error}") from None
    return {source_id: _card(source_id, entry) for source_id, entry in entries.items()}


def _card(source_id: str, entry: object) -> SourceCard:
    if not isinstance(entry, dict):
        raise InputError(f"{CATALOGUE}, entry {source_id}: must be a table of fields")
    try:
        return SourceCard.model_validate({"source_id": source_id, **entry})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{CATALOGUE}, entry {source_id}, field {where}: {first['msg']}") from None

"""A publisher's file as it came, and what a parser makes of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from core.errors import SourceError
from core.languages import marked as _

if TYPE_CHECKING:
    from ingest.exchange import Pull


@dataclass(frozen=True)
class RawFile:
    """A file's bytes with the name its publisher gave it."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Hash of the bytes, as hexadecimal text."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Parsed:
    """What a parser returns.

    Attributes:
        observations: Frame that keeps ``core.release.OBSERVATIONS``.
        rejected: Frame that keeps ``core.release.REJECTED``: rows set aside with the rule they broke.
    """

    observations: pd.DataFrame
    rejected: pd.DataFrame


class Source(Protocol):
    """The verbs that every module in ``ingest.sources`` exports.

    Attributes:
        SOURCE_ID: Key in ``data/sources.toml`` and in the column ``source_id``.
        RAW_FILES: Patterns of the source's files below the raw-data folder, for ``vigie snapshot build``;
            empty where the licence forbids redistribution.
        LAG_DAYS: Usual days from a period's end to its publication: dates ``as_of`` where no vintage is known.
    """

    SOURCE_ID: str
    RAW_FILES: tuple[str, ...]
    LAG_DAYS: int

    def fetch(self, path: Path) -> RawFile:
        """Read the source's file from disk."""

    def parse(self, raw: RawFile) -> Parsed:
        """Turn the file into observations; raises ``core.errors.SourceError`` if its layout is broken."""


class LiveSource(Source, Protocol):
    """A source whose publisher can be asked. A module without ``download`` says in ``NOT_LIVE`` why it has none."""

    def download(self, pull: Pull) -> list[RawFile]:
        """Ask for everything that is wanted of the source, all of it or an error; each file is one for ``parse``."""


def read_raw(path: Path) -> RawFile:
    """Read a file from disk.

    Raises:
        InputError: The file is missing, a folder, empty or unreadable.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(path.name, _("cannot be read: {error}"), error=error.strerror) from None
    if not content:
        raise SourceError(path.name, _("the file is empty"))
    return RawFile(path.name, content)

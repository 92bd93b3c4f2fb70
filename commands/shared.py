"""What groups of commands share: the option ``--home``, the current release, how a command ends."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import InputError
from core.settings import home_folder

if TYPE_CHECKING:
    from store.releases import Release

EXIT_PUBLISHED, EXIT_NOTHING_PUBLISHED, EXIT_DEGRADED = 0, 1, 3

Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of vintages, releases and journal; else VIGIE_HOME, else ./var.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON.")]


def current_release(home: Path | None) -> Release:
    """The newest release of a home folder.

    Raises:
        InputError: There is none yet.
    """
    from store.releases import ReleaseStore

    folder = home_folder(home)
    release = ReleaseStore(folder).current()
    if release is None:
        raise InputError(f"no release in {folder}: run 'vigie nightly' first")
    return release


def as_date(text: str | None, option: str) -> dt.date | None:
    """A day that was given as an option; None where it was not given.

    Raises:
        InputError: It is no day.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: not a date; write it as 2025-01-31") from None

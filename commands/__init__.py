"""What groups of commands share: the option ``--home``, the current release, how a command ends."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import InputError
from core.routes import ROUTES, find_route
from core.settings import home_folder, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from access import Actor
    from core.schema import Entry
    from core.settings import AccessSettings
    from store.journal import Journal
    from store.releases import Release

EXIT_PUBLISHED, EXIT_NOTHING_PUBLISHED, EXIT_DEGRADED = 0, 1, 3

Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of vintages, releases and journal; else VIGIE_HOME, else ./var.")
]
RouteName = Annotated[
    str, typer.Option("--route", help="Only this route: its code or its name, as CMR, 'English Channel' or Manche.")
]
OutFile = Annotated[
    Path, typer.Option("--out", help="File: .csv, .xlsx, .parquet, .json or .ndjson; '-': standard output.")
]
FileKind = Annotated[str, typer.Option("--format", help="For standard output: csv, xlsx, json, ndjson or parquet.")]
WithCitation = Annotated[
    bool, typer.Option("--with-citation", help="Begin a CSV with lines on sources, licences and uses.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON.")]


def existing_home(option: Path | None) -> Path:
    """A home folder that is there: of one that is not, nothing can be said, and none is made by asking.

    Raises:
        InputError: There is no such folder.
    """
    folder = home_folder(option)
    if not folder.exists():
        raise InputError(f"{folder}: there is no such folder (--home, VIGIE_HOME); 'vigie nightly' makes it")
    return folder


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


def of_route(rows: pd.DataFrame, route: str) -> pd.DataFrame:
    """The rows of one route, of a table that names routes or series; all where none is asked for.

    Args:
        rows: The table.
        route: What a person wrote: a code, or a name in any language.

    Raises:
        InputError: The table is not by route, or there is no such route.
    """
    if not route:
        return rows
    names = [name for name in ("route_id", "series_id") if name in rows.columns]
    if not names:
        raise InputError(f"--route {route}: this table is not by route")
    codes = rows[names[0]].astype(str)
    if names[0] == "series_id":
        codes = codes.str.extract(r"^[^.]*\.([^.]*)", expand=False).fillna("")  # scores of all series name none
    return rows[codes == find_route(route, {*ROUTES, *codes})].reset_index(drop=True)


@contextmanager
def opened_journal(folder: Path) -> Iterator[Journal]:
    """The journal of a home folder, as its settings say.

    Raises:
        StoreError: It cannot be opened.
    """
    from store import journal

    with journal.opened_journal(load_settings(folder).journal_url, folder) as opened:
        yield opened


def echo_entries(entries: Iterable[Entry]) -> None:
    """Print rows of the journal as JSON."""
    rows = [asdict(one) | {"at": one.at.isoformat(), "payload": dict(one.payload)} for one in entries]
    typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))


def acting_here(access: AccessSettings, typed: str = "") -> Actor:
    """Who acts at this machine: the account where people sign in, else the name typed, or who works here.

    Raises:
        InputError: A name is typed although there is a login.
    """
    from access import account_name, shell_actor

    return shell_actor(access, typed or ("" if access.is_on else account_name()))


def as_date(text: str | None, option: str) -> dt.date | None:
    """A date as people write it on the command line.

    Raises:
        InputError: It is none.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: not a date; write it as 2025-01-31") from None

"""Options, groups, exit codes and lookups that the commands share."""

from __future__ import annotations

import datetime as dt
import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from core.errors import InputError, StoreError
from core.settings import home_folder, load_settings

if TYPE_CHECKING:
    from access import Actor
    from core.settings import AccessSettings
    from decisions import Workflow
    from store.journal import Journal
    from store.releases import Release

EXIT_PUBLISHED, EXIT_NOTHING_PUBLISHED, EXIT_DEGRADED = 0, 1, 3


def _home(context: typer.Context, option: typer.CallbackParam, given: Path) -> Path:
    """Return the home folder: of the command's ``--home``, else of its group's, else of the environment."""
    source = context.get_parameter_source(option.name or "")
    if context.obj is None or (source is not None and source.name == "COMMANDLINE"):
        context.obj = home_folder(given)
    folder: Path = context.obj
    return folder


VAR = Path("var")
Home = Annotated[Path, typer.Option("--home", metavar="DIR", envvar="VIGIE_HOME", help="Data folder.", callback=_home)]
RouteName = Annotated[
    str, typer.Option("--route", help="Only this route, by code or name, such as CMR, 'English Channel' or Manche.")
]
OutFile = Annotated[
    Path,
    typer.Option("--out", help="Output file: .csv, .xlsx, .parquet, .json or .ndjson; '-' writes to standard output."),
]
FileKind = Annotated[
    str, typer.Option("--format", help="Format on standard output: csv, xlsx, json, ndjson or parquet.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Output JSON.")]
Reason = Annotated[str, typer.Option("--reason", help="Reason, kept in the journal.")]


class Group(TyperGroup):
    """A group of commands that prints its help and exits 0 if no command is given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # typer keeps its context type private
        """Parse the command line; without words, print the help."""
        return super().parse_args(ctx, args if args or self.invoke_without_command else ["--help"])


def is_group_alone(context: typer.Context) -> bool:
    """Return whether a group was called without a command.

    Raises:
        InputError: Another option stands before a command, where it has no effect.
    """
    if context.invoked_subcommand is None:
        return True
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name != "home" and source is not None and source.name == "COMMANDLINE":
            raise InputError(f"{option.opts[0]}: write it after '{context.invoked_subcommand}'")
    return False


def existing(home: Path) -> Path:
    """Return a home folder, which must exist: reading never makes one.

    Raises:
        InputError: The folder does not exist.
    """
    if not home.exists():
        raise InputError(f"{home}: there is no such folder (--home, VIGIE_HOME); 'vigie nightly' makes it")
    return home


def current_release(home: Path) -> Release:
    """Return the newest release of a home folder.

    Raises:
        InputError: The folder holds no release.
        StoreError: The release is not as it was published.
    """
    from store.releases import ReleaseStore

    if (release := ReleaseStore(home).current()) is None:
        raise InputError(f"no release in {home}: run 'vigie nightly' first")
    return whole_release(home, release)


def whole_release(home: Path, release: Release) -> Release:
    """Return a release of a home folder.

    Raises:
        StoreError: It is not as it was published.
    """
    from store.status import alteration

    if problem := alteration(home, release, load_settings(home)):
        raise StoreError(f"{problem}; run 'vigie verify'")
    return release


def opened_journal(folder: Path) -> AbstractContextManager[Journal]:
    """Open the journal that a home folder's settings name.

    Raises:
        StoreError: The journal cannot be opened.
    """
    from store import journal

    return journal.opened_journal(load_settings(folder).journal_url, folder)


def opened_workflow(home: Path) -> AbstractContextManager[Workflow]:
    """Open the workflow of a home folder.

    Raises:
        InputError: The folder does not exist, or root would leave files in a folder of another user.
        StoreError: The journal cannot be opened.
    """
    from decisions import open_workflow

    if (owner := existing(home).stat().st_uid) and os.geteuid() == 0:
        raise InputError(f"{home} belongs to user {owner}, who could not write root's files: sudo -u '#{owner}' …")
    return open_workflow(home, load_settings(home))


def echo_json(value: object) -> None:
    """Print a value as JSON, times in ISO 8601."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=dt.datetime.isoformat))


def write_out(out: Path, content: bytes, about: bytes, what: str = "") -> None:
    """Write a table's file and the text beside it, or the file alone to standard output."""
    from store.export import write_table

    if str(out) == "-":
        typer.echo(content, nl=False)
    else:
        beside = write_table(out, content, about)
        typer.echo(f"{out} written{what}; what must be known about it: {beside.name}")


def acting_here(access: AccessSettings, typed: str = "") -> Actor:
    """Return the actor at this machine: the account if a login is set up, else the typed name or the account's name.

    Raises:
        InputError: A name is typed although a login is set up.
    """
    from access import account_name, shell_actor

    return shell_actor(access, typed or ("" if access.is_on else account_name()))


def as_date(text: str | None, option: str) -> dt.date | None:
    """Return a date given on the command line; None if it was left out.

    Raises:
        InputError: The text is not a date.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: not a date; write it as 2025-01-31") from None

"""``vigie store``: the shared store, by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import Home, existing_home
from core.errors import InputError
from core.settings import Settings, home_folder, load_settings

if TYPE_CHECKING:
    from store.mirror import Commit
    from store.remote import RemoteFiles

app = typer.Typer(no_args_is_help=True, help="The store that several machines share (setting store.url).")


@app.command()
def pull(
    home: Home = None,
    aside: Annotated[
        bool, typer.Option("--set-aside", help="Keep apart what this home published and the store does not continue.")
    ] = False,
) -> None:
    """Bring this home up to the shared store: releases, figures, publishers' answers, past forecasts."""
    from store import mirror
    from store.lock import night_lock

    folder = home_folder(home)
    files, begun = _opened(load_settings(folder)), time.monotonic()
    with night_lock(folder):
        if aside:
            for run_id in mirror.set_aside(folder, files):
                typer.echo(f"{run_id}: set aside in {folder / 'undelivered'}")
        found = mirror.pull(folder, files)
    typer.echo(f"{folder}: {_state(found.base)}, {time.monotonic() - begun:.1f} s")


@app.command()
def push(home: Home = None) -> None:
    """Deliver what this home has and the shared store lacks. Exit 1: nothing was delivered."""
    from store.lock import night_lock
    from store.mirror import shared

    folder = existing_home(home)
    settings, begun = load_settings(folder), time.monotonic()
    files = _opened(settings)
    with night_lock(folder), shared(folder, settings) as delivery:
        delivery.deliver()
        stored = _state(delivery.base)
    typer.echo(f"{files.url}: {stored}, {time.monotonic() - begun:.1f} s")


@app.command()
def status(home: Home = None) -> None:
    """Say what the shared store holds, and what this home does. Exit 1: they are not the same."""
    from store.mirror import latest, local_links

    folder = existing_home(home)
    files = _opened(load_settings(folder))
    commit, links = latest(files), local_links(folder)
    here = list(links.values())[-1].head if links else None
    typer.echo(f"{files.url}: {_state(commit)}")
    typer.echo(f"{folder}: newest release {here['run_id'] if here else 'none'}")
    if here != commit.head:
        raise typer.Exit(1)


def _opened(settings: Settings) -> RemoteFiles:
    from store.remote import RemoteFiles

    if settings.drill:
        raise InputError("this home is a drill: nothing is shared, whatever [store] says, until 'vigie adopt'")
    if not settings.store.url:
        raise InputError("nothing is shared: set [store] url, or VIGIE_STORE_URL")
    return RemoteFiles(settings.store.url)


def _state(commit: Commit) -> str:
    return f"state {commit.number}, newest release {commit.head['run_id'] if commit.head else 'none'}"

"""``vigie store``: the shared store, by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import Home
from core.errors import InputError
from core.settings import Settings, home_folder, load_settings

if TYPE_CHECKING:
    from store.shared.files import RemoteFiles

app = typer.Typer(no_args_is_help=True, help="The store that several machines share (setting store.url).")


@app.command()
def pull(
    home: Home = None,
    aside: Annotated[
        bool, typer.Option("--set-aside", help="Keep apart what this home published and the store does not continue.")
    ] = False,
) -> None:
    """Bring this home up to the shared store: releases, figures, publishers' answers, past forecasts."""
    from store.lock import night_lock
    from store.shared.index import latest
    from store.shared.releases import set_aside
    from store.shared.sync import pull as bring_up

    folder = home_folder(home)
    files, begun = _opened(load_settings(folder)), time.monotonic()
    with night_lock(folder):
        if aside:
            for run_id in set_aside(folder, files, latest(files)):
                typer.echo(f"{run_id}: set aside in {folder / 'undelivered'}")
        found = bring_up(folder, files)
    typer.echo(f"{folder}: {_state(found.base.number, found.base.head)}, {time.monotonic() - begun:.1f} s")


@app.command()
def push(home: Home = None) -> None:
    """Deliver what this home has and the shared store lacks. Exit 1: nothing was delivered."""
    from store.lock import night_lock
    from store.shared.sync import shared

    folder = home_folder(home)
    settings, begun = load_settings(folder), time.monotonic()
    files = _opened(settings)
    with night_lock(folder), shared(folder, settings) as delivery:
        delivery.deliver()
        stored = _state(delivery.base.number, delivery.base.head)
    typer.echo(f"{files.url}: {stored}, {time.monotonic() - begun:.1f} s")


@app.command()
def status(home: Home = None) -> None:
    """Say what the shared store holds, and what this home does. Exit 1: they are not the same."""
    from store.shared.index import latest
    from store.shared.releases import local_links

    folder = home_folder(home)
    files = _opened(load_settings(folder))
    commit, links = latest(files), local_links(folder)
    here = list(links.values())[-1].head if links else None
    typer.echo(f"{files.url}: {_state(commit.number, commit.head)}")
    typer.echo(f"{folder}: newest release {here['run_id'] if here else 'none'}")
    if here != commit.head:
        raise typer.Exit(1)


def _opened(settings: Settings) -> RemoteFiles:
    from store.shared.files import RemoteFiles

    if not settings.store.url:
        raise InputError("nothing is shared: set [store] url, or VIGIE_STORE_URL")
    return RemoteFiles(settings.store.url)


def _state(number: int, head: dict[str, str] | None) -> str:
    return f"state {number}, newest release {head['run_id'] if head else 'none'}"

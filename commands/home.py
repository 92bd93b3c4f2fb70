"""Keep a home folder for years, and try what it rests on before relying on it.

``vigie backup``, ``restore``, ``adopt``, ``prune``, ``upgrade``, ``store``, ``journal move``, ``settings check`` and
``sources check``.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import EXIT_DEGRADED, AsJson, Home, existing_home
from core.errors import InputError, StoreError
from core.log import counted, get_logger, progress_bar
from core.schema import Entry
from core.settings import DRILL, Settings, home_folder, load_settings

if TYPE_CHECKING:
    from store.mirror import Commit
    from store.remote import RemoteFiles

store_app = typer.Typer(no_args_is_help=True, help="The store that several machines share (setting store.url).")
EXIT_PROBLEM, EXIT_CHAIN_BROKEN = 1, 3
_MEGABYTE = 1e6
settings_app = typer.Typer(no_args_is_help=True, help="Settings: try them.")
sources_app = typer.Typer(no_args_is_help=True, help="The publishers that Vigie asks.")
journal_app = typer.Typer(no_args_is_help=True, help="The journal of what people and nights did.")


def backup(
    to: Annotated[Path, typer.Option("--to", help="A file that ends in .tar.zst, or a folder for dated ones.")],
    home: Home = None,
    with_caches: Annotated[
        bool, typer.Option("--with-caches", help="Copy past forecasts and fits too, which a night can make again.")
    ] = False,
) -> None:
    """Copy the home folder into one file. Exit 3: written, though the chain of releases is not whole."""
    from store.backup import write_backup
    from store.releases import ReleaseStore
    from store.status import BACKED_UP, witnesses
    from workflow import open_workflow

    if str(to) == "-":
        raise InputError("--to -: a backup is read back before it counts as one, so it needs a file")
    begun, folder = time.monotonic(), existing_home(home)
    setting = load_settings(folder).journal_url
    done = write_backup(folder, to.expanduser(), setting, with_made_again=with_caches)
    seconds, packed = time.monotonic() - begun, done.path.stat().st_size
    typer.echo(
        f"{done.path} written and read back: {counted(len(done.files), 'file')}, {done.size / _MEGABYTE:.1f} MB, "
        f"packed {packed / _MEGABYTE:.1f} MB, {seconds:.1f} s"
    )
    if done.journal_apart:
        typer.echo("The journal is kept in PostgreSQL and is not in this file: back it up with pg_dump.")
    # Monitoring asks for the age of the last backup; a disk that takes no row is no reason to call it failed.
    with suppress(StoreError), open_workflow(folder, load_settings(folder)) as workflow:
        workflow.journal.record(Entry("administrator", BACKED_UP, str(done.path)))
    problem = ReleaseStore(folder).verify(witnesses(folder, setting))
    if problem is not None:
        get_logger().error("altered", text=f"what was backed up is not whole: {problem}")
        raise typer.Exit(EXIT_CHAIN_BROKEN)


def restore(
    source: Annotated[Path, typer.Option("--from", help="A backup, or a folder of them: the newest is taken.")],
    home: Home = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Only put back damaged or missing releases and figures of a home in use.")
    ] = False,
    in_service: Annotated[
        bool, typer.Option("--in-service", help="Not a drill: what it sends and shares is live at once.")
    ] = False,
) -> None:
    """Put a backup into an empty place, cut off as a drill, and verify it. Exit 1: not done, or not whole.

    Nothing is sent from a drill, nothing shared, and its journal is the one in its folder, until 'vigie adopt'.
    """
    from store import backup as archives

    begun, folder = time.monotonic(), home_folder(home)
    journal = load_settings(folder).journal_url if in_service else ""
    if repair:
        done = archives.repair(source.expanduser(), folder, load_settings(folder).journal_url)
    else:
        done = archives.restore(source.expanduser(), folder, journal, drill=not in_service)
    typer.echo(
        f"{folder}: {counted(len(done.files), 'file')}, {done.size / _MEGABYTE:.1f} MB from {done.archive}, "
        f"{time.monotonic() - begun:.1f} s"
    )
    if done.problem is not None:
        get_logger().error("altered", text=str(done.problem))
        raise typer.Exit(EXIT_PROBLEM)
    typer.echo("The chain of releases is whole.")
    if not repair and not in_service:
        typer.echo(f"This is a drill: {folder} sends and shares nothing until 'vigie adopt --home {folder}'.")


def adopt(home: Home = None) -> None:
    """Put a restored home in service: from now on it sends, shares and writes as its settings say."""
    from workflow import open_workflow

    folder = existing_home(home)
    settings = load_settings(folder, adopted=True)
    if settings.drill:
        raise InputError(f"{folder}: the setting drill keeps it cut off: take it out of settings.toml, or VIGIE_DRILL")
    if not (folder / DRILL).is_file():
        raise InputError(f"{folder}: is no drill: it is in service already")
    (folder / DRILL).unlink()
    with open_workflow(folder, settings) as workflow:
        waiting = len(workflow.outbox.waiting())
        workflow.journal.record(
            Entry("administrator", "adopted", str(folder), reason="a restored home was put in service")
        )
    typer.echo(f"{folder} is in service. Store: {settings.store.url or 'none'}; messages waiting: {waiting}")
    if waiting:
        typer.echo("Some may have been sent since the backup: look at 'vigie outbox' before 'vigie deliver'.")


def prune(
    home: Home = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="Newest releases to keep; default: operation.keep_nights.")
    ] = None,
    caches: Annotated[
        bool, typer.Option("--caches", help="Remove past forecasts and fits too: the next night makes them again.")
    ] = False,
) -> None:
    """Remove old releases but the last of each month; their manifests stay, so that the chain can be proved."""
    from store.backup import MADE_AGAIN
    from store.lock import night_lock
    from store.mirror import shared
    from store.releases import prune as remove

    folder = existing_home(home)
    settings = load_settings(folder)
    newest = keep or settings.operation.keep_nights
    made_again = [folder / name for name in MADE_AGAIN] if caches else []
    freed = sum(file.stat().st_size for one in made_again for file in one.rglob("*") if file.is_file())
    if dry_run:
        removed = remove(folder, newest, dry_run=True)
    else:
        with night_lock(folder), shared(folder, settings) as delivery:
            removed = remove(folder, newest)
            for one in made_again:
                shutil.rmtree(one, ignore_errors=True)
            delivery.deliver()
    for item in removed:
        typer.echo(f"{item.run_id}  {item.size / _MEGABYTE:.1f} MB")
    verb = "would be removed" if dry_run else "removed"
    if caches:
        typer.echo(f"past forecasts and fits {verb}, {freed / _MEGABYTE:.1f} MB: the next night makes them again")
    typer.echo(f"{counted(len(removed), 'release')} {verb}, {sum(item.size for item in removed) / _MEGABYTE:.1f} MB")


def upgrade(home: Home = None) -> None:
    """Bring over a home folder of an earlier version. It is read as it is; after this, faster. Nothing is lost."""
    from store.lock import night_lock
    from store.vintages import VintageStore

    folder = existing_home(home)
    with night_lock(folder):
        sources = VintageStore(folder).upgrade()
    typer.echo(f"{folder}: {counted(len(sources), 'source')} brought over{': ' if sources else ''}{', '.join(sources)}")


@store_app.command()
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


@store_app.command()
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


@store_app.command("status")
def store_status(home: Home = None) -> None:
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


@settings_app.command()
def check(home: Home = None, as_json: AsJson = False) -> None:
    """Try settings, secrets, mail, webhooks, store, journal and disk; nothing is sent. Exit 1: something fails."""
    from workflow.health import check_settings

    checks = []
    for one in check_settings(home_folder(home)):
        checks.append(one)
        if not as_json:
            typer.echo(f"{'FAULT' if one.problem else 'ok':6} {one.what}" + (f": {one.problem}" if one.problem else ""))
            if one.advice and one.problem:
                typer.echo(f"       what to do: {one.advice}")
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(one) for one in checks], indent=2))
    if any(one.problem for one in checks):
        raise typer.Exit(1)


@journal_app.command()
def move(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="postgresql://…, or sqlite:///…: an empty database.")],
    home: Home = None,
) -> None:
    """Copy the journal to another database and verify every row. Stop the dashboard first; nothing is deleted."""
    from store.database import copy_tables
    from store.journal import Journal
    from store.lock import delivery_lock, night_lock
    from store.outbox import Outbox
    from workflow import open_workflow

    folder = existing_home(home)
    target = Journal(to)
    try:
        Outbox(target)
        with night_lock(folder), delivery_lock(folder), open_workflow(folder, load_settings(folder)) as workflow:
            if broken := workflow.journal.walk({}):
                raise StoreError(f"the journal's chain is broken, so it is not moved: {broken}")
            counts, head = copy_tables(workflow.journal.database, target.database), target.head()
            if target.walk({}) or head != workflow.journal.head():
                raise StoreError("the copy's chain is not the journal's: do not use that database, and try again")
            target.record(
                Entry("administrator", "journal moved", workflow.journal.database.name, payload={"rows": dict(counts)})
            )
    finally:
        target.close()
    for table, count in counts.items():
        typer.echo(f"{table}: {counted(count, 'row')}, each as it was")
    typer.echo(
        "The chain is whole. Now set journal_url to that address (settings.toml or VIGIE_JOURNAL_URL), run 'vigie"
    )
    typer.echo("verify', start the dashboard. The former journal stays as it is: keep it as long as the law asks.")


@sources_app.command("check")
def check_publishers(
    source: Annotated[list[str] | None, typer.Argument(help="Only these sources.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask each publisher once.")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="JSON to write for whoever maintains Vigie.")] = None,
    home: Home = None,
) -> None:
    """Say of each publisher: reachable, layout recognised, newest period, rows, seconds, what to do.

    Nothing is stored. Exit 0: all is well; 3: a publisher failed.
    """
    from nightly.first_contact import HEADER, check_sources
    from store import write_bytes

    with progress_bar() as progress:
        found = check_sources(load_settings(home_folder(home)), source or [], live=live, progress=progress)
    typer.echo("\n".join([HEADER, *(one.line() for one in found)]))
    for one in found:
        for fault in one.faults:
            typer.echo(f"{one.source_id}: {fault}", err=True)
    if report is not None:
        write_bytes(report, (json.dumps([one.report() for one in found], indent=1, ensure_ascii=False) + "\n").encode())
        typer.echo(f"{report} written: statuses, headers and first bytes; it holds no key")
    if any(one.failed for one in found):
        raise typer.Exit(EXIT_DEGRADED)

"""``vigie home``: back up, restore, adopt, prune and check the home folder, its journal and its shared store.

``vigie access``: the audit log of people who sign in, and the end of their logins.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import VAR, AsJson, Group, Home, Reason, acting_here, echo_json, existing, opened_workflow
from core.errors import InputError, StoreError
from core.log import counted, get_logger, one_line
from core.schema import Entry
from core.settings import DRILL, Settings, load_settings

if TYPE_CHECKING:
    from store.mirror import Commit, RemoteFiles

app = typer.Typer(cls=Group, help="Back up, restore, prune and check the data folder.")
store_app = typer.Typer(cls=Group, help="Synchronise with the store that several machines share (setting store.url).")
journal_app = typer.Typer(cls=Group, help="Move the journal to another database.")
access_app = typer.Typer(cls=Group, help="Show who signed in and what they did; sign people out.")
EXIT_PROBLEM, EXIT_CHAIN_BROKEN = 1, 3
_MEGABYTE = 1e6


@app.command()
def backup(
    to: Annotated[Path, typer.Option("--to", help="Backup file, ending in .tar.zst, or a folder for dated backups.")],
    home: Home = VAR,
    with_caches: Annotated[
        bool, typer.Option("--with-caches", help="Include past forecasts and fits, which a night can make again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Back up the data folder to one file and read it back.

    Exit codes: 0 written; 1 nothing written; 3 written, but the chain of releases is not whole.
    """
    from decisions import open_workflow
    from store.backup import write_backup
    from store.releases import ReleaseStore
    from store.status import BACKED_UP, witnesses

    if str(to) == "-":
        raise InputError("--to -: a backup is read back before it counts as one, so it needs a file")
    begun = time.monotonic()
    setting = load_settings(existing(home)).journal_url
    done = write_backup(home, to.expanduser(), setting, with_made_again=with_caches)
    seconds, packed = time.monotonic() - begun, done.path.stat().st_size
    if not as_json:
        typer.echo(
            f"{done.path} written and read back: {counted(len(done.files), 'file')}, {done.size / _MEGABYTE:.1f} MB, "
            f"packed {packed / _MEGABYTE:.1f} MB, {seconds:.1f} s"
        )
    if done.journal_apart and not as_json:
        typer.echo("The journal is kept in PostgreSQL and is not in this file: back it up with pg_dump.")
    # Monitoring reports the age of the last backup; a full disk that refuses the row does not undo the backup.
    with suppress(StoreError), open_workflow(home, load_settings(home)) as workflow:
        workflow.journal.record(Entry("administrator", BACKED_UP, str(done.path)))
    problem = ReleaseStore(home).verify(witnesses(home, setting))
    if as_json:
        echo_json({
            "path": str(done.path), "files": len(done.files), "bytes": done.size, "packed_bytes": packed,
            "seconds": round(seconds, 1), "has_journal": not done.journal_apart,
            "problem": None if problem is None else dataclasses.asdict(problem),
        })  # fmt: skip
    if problem is not None:
        get_logger().error("altered", text=f"what was backed up is not whole: {problem}")
        raise typer.Exit(EXIT_CHAIN_BROKEN)


@app.command()
def restore(
    source: Annotated[Path, typer.Option("--from", help="Backup file, or a folder of backups: the newest is used.")],
    home: Home = VAR,
    repair: Annotated[
        bool, typer.Option("--repair", help="Only restore damaged or missing files of a data folder in use.")
    ] = False,
    in_service: Annotated[
        bool, typer.Option("--in-service", help="Restore for use, not as a drill: it sends and shares at once.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup to an empty data folder, as a drill, and verify it.

    A drill sends and shares nothing, and uses the journal in its folder, until 'vigie home adopt'.

    Exit codes: 0 restored; 1 nothing restored, or the chain of releases is not whole.
    """
    from store import backup as archives

    begun = time.monotonic()
    journal = load_settings(home).journal_url if in_service else ""
    if repair:
        done = archives.repair(source.expanduser(), home, load_settings(home).journal_url)
    else:
        done = archives.restore(source.expanduser(), home, journal, drill=not in_service)
    seconds, is_drill = time.monotonic() - begun, not repair and not in_service
    if as_json:
        echo_json({
            "home": str(home), "archive": str(done.archive), "files": len(done.files), "bytes": done.size,
            "seconds": round(seconds, 1), "is_drill": is_drill,
            "problem": None if done.problem is None else dataclasses.asdict(done.problem),
        })  # fmt: skip
    else:
        size = f"{counted(len(done.files), 'file')}, {done.size / _MEGABYTE:.1f} MB"
        typer.echo(f"{home}: {size} from {done.archive}, {seconds:.1f} s")
    if done.problem is not None:
        get_logger().error("altered", text=str(done.problem))
        raise typer.Exit(EXIT_PROBLEM)
    if not as_json:
        typer.echo("The chain of releases is whole.")
        if is_drill:
            typer.echo(f"This is a drill: {home} sends and shares nothing until 'vigie home adopt --home {home}'.")


@app.command()
def adopt(home: Home = VAR) -> None:
    """Put a restored data folder in service: from now on it sends and shares as its settings say."""
    from decisions import open_workflow

    settings = load_settings(existing(home), adopted=True)
    if settings.drill:
        raise InputError(f"{home}: the setting drill keeps it cut off: take it out of settings.toml, or VIGIE_DRILL")
    if not (home / DRILL).is_file():
        raise InputError(f"{home}: is no drill: it is in service already")
    (home / DRILL).unlink()
    with open_workflow(home, settings) as workflow:
        waiting = len(workflow.outbox.waiting())
        workflow.journal.record(
            Entry("administrator", "adopted", str(home), reason="a restored home was put in service")
        )
    typer.echo(f"{home} is in service. Store: {settings.store.url or 'none'}; messages waiting: {waiting}")
    if waiting:
        typer.echo("Some may have been sent since the backup: look at 'vigie outbox' before 'vigie outbox deliver'.")


@app.command()
def prune(
    home: Home = VAR,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed.")] = False,
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=1, help="Number of newest releases to keep; default: operation.keep_nights."),
    ] = None,
    caches: Annotated[
        bool, typer.Option("--caches", help="Also remove past forecasts and fits; the next night makes them again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove old releases, except the last of each month. Their manifests stay, so the chain still verifies."""
    from store import night_lock
    from store.backup import MADE_AGAIN
    from store.mirror import shared
    from store.releases import prune as remove

    settings = load_settings(existing(home))
    newest = keep or settings.operation.keep_nights
    made_again = [home / name for name in MADE_AGAIN] if caches else []
    freed = sum(file.stat().st_size for one in made_again for file in one.rglob("*") if file.is_file())
    if dry_run:
        removed = remove(home, newest, dry_run=True)
    else:
        with night_lock(home):
            # Free space first: following the shared store writes files, and the disk may be full.
            removed = remove(home, newest)
            for one in made_again:
                shutil.rmtree(one, ignore_errors=True)
            with shared(home, settings) as delivery:
                delivery.deliver()
    size = sum(removed.values())
    if as_json:
        releases = [{"run_id": run_id, "bytes": freed_by} for run_id, freed_by in removed.items()]
        echo_json({"dry_run": dry_run, "releases": releases, "bytes": size, "cache_bytes": freed})
        return
    for run_id, freed_by in removed.items():
        typer.echo(f"{run_id}  {freed_by / _MEGABYTE:.1f} MB")
    verb = "would be removed" if dry_run else "removed"
    if caches:
        typer.echo(f"past forecasts and fits {verb}, {freed / _MEGABYTE:.1f} MB: the next night makes them again")
    typer.echo(f"{counted(len(removed), 'release')} {verb}, {size / _MEGABYTE:.1f} MB")


@store_app.command()
def pull(
    home: Home = VAR,
    aside: Annotated[
        bool, typer.Option("--set-aside", help="Move releases that the store does not continue to undelivered/.")
    ] = False,
) -> None:
    """Copy what the shared store has and this data folder lacks."""
    from store import mirror, night_lock

    files, begun = _opened(load_settings(home)), time.monotonic()
    with night_lock(home):
        if aside:
            for run_id in mirror.set_aside(home, files):
                typer.echo(f"{run_id}: set aside in {home / 'undelivered'}")
        found = mirror.pull(home, files)
    typer.echo(f"{home}: {_state(found.base)}, {time.monotonic() - begun:.1f} s")


@store_app.command()
def push(home: Home = VAR) -> None:
    """Copy what this data folder has and the shared store lacks."""
    from store import night_lock
    from store.mirror import shared

    settings, begun = load_settings(existing(home)), time.monotonic()
    files = _opened(settings)
    with night_lock(home), shared(home, settings) as delivery:
        delivery.deliver()
        stored = _state(delivery.base)
    typer.echo(f"{files.url}: {stored}, {time.monotonic() - begun:.1f} s")


@store_app.command("status")
def store_status(home: Home = VAR) -> None:
    """Compare the newest release of the shared store and of this data folder.

    Exit codes: 0 equal; 1 different.
    """
    from store.mirror import head_of, latest, local_links

    files = _opened(load_settings(existing(home)))
    commit, here = latest(files), local_links(home)
    typer.echo(f"{files.url}: {_state(commit)}")
    typer.echo(f"{home}: newest release {max(here, default='none')}")
    if head_of(here) != head_of(commit.links):
        raise typer.Exit(1)


def _opened(settings: Settings) -> RemoteFiles:
    from store.mirror import RemoteFiles

    if settings.drill:
        raise InputError("this home is a drill: nothing is shared, whatever [store] says, until 'vigie home adopt'")
    if not settings.store.url:
        raise InputError("nothing is shared: set [store] url, or VIGIE_STORE_URL")
    return RemoteFiles(settings.store.url)


def _state(commit: Commit) -> str:
    return f"state {commit.number}, newest release {max(commit.links, default='none')}"


@app.command()
def check(home: Home = VAR, as_json: AsJson = False) -> None:
    """Check settings, secrets, mail, webhooks, store, journal and disk. Nothing is sent.

    Exit codes: 0 all checks passed; 1 a check failed.
    """
    from decisions.health import check_settings

    checks = []
    for one in check_settings(home):
        checks.append(one)
        if not as_json:
            typer.echo(f"{'FAULT' if one.problem else 'ok':6} {one.what}" + (f": {one.problem}" if one.problem else ""))
            if one.advice and one.problem:
                typer.echo(f"       what to do: {one.advice}")
    if as_json:
        echo_json([dataclasses.asdict(one) for one in checks])
    if any(one.problem for one in checks):
        raise typer.Exit(1)


@journal_app.command()
def move(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="Empty database: postgresql://… or sqlite:///…")],
    home: Home = VAR,
) -> None:
    """Copy the journal to another database and verify every row. Stop the dashboard first; nothing is deleted."""
    from store import delivery_lock, night_lock
    from store.journal import Journal, Outbox
    from store.journal.database import copy_tables

    with closing(Journal(to)) as target:
        Outbox(target)
        with night_lock(existing(home)), delivery_lock(home), opened_workflow(home) as workflow:
            if broken := workflow.journal.walk({}):
                raise StoreError(f"the journal's chain is broken, so it is not moved: {broken}")
            counts, head = copy_tables(workflow.journal.database, target.database), target.head()
            if target.walk({}) or head != workflow.journal.head():
                raise StoreError("the copy's chain is not the journal's: do not use that database, and try again")
            target.record(
                Entry("administrator", "journal moved", workflow.journal.database.name, payload={"rows": dict(counts)})
            )
    for table, count in counts.items():
        typer.echo(f"{table}: {counted(count, 'row')}, each as it was")
    typer.echo(
        "The chain is whole. Now set journal_url to that address (settings.toml or VIGIE_JOURNAL_URL), run 'vigie"
    )
    typer.echo("verify', start the dashboard. The former journal stays as it is: keep it as long as the law asks.")


@access_app.command()
def audit(
    home: Home = VAR,
    most: Annotated[int, typer.Option("--most", min=1, help="Maximum number of rows to show.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Show sign-ins, refusals, actions and downloads, newest first."""
    from access import access_rows, describe

    with opened_workflow(home) as workflow:
        rows = access_rows(workflow.journal)[:most]
    if as_json:
        echo_json([dataclasses.asdict(one) for one in rows])
        return
    for row in rows:
        typer.echo(one_line(f"{row.at:%Y-%m-%d %H:%M:%S} {row.actor:32} {row.action:16} {describe(row)}".rstrip()))
    if not rows:
        typer.echo("No logins yet.")


@access_app.command()
def sign_out(
    person: Annotated[str, typer.Argument(help="Name as 'vigie access audit' shows it, or issuer|subject.")],
    reason: Reason,
    home: Home = VAR,
) -> None:
    """End all logins of a person, on open pages too.

    Roles are removed in settings.toml or at the identity provider.
    """
    from access import revoke

    with opened_workflow(home) as workflow:
        count = revoke(workflow.journal, person, acting_here(workflow.settings.access), reason)
    typer.echo(f"{counted(count, 'login')} of {person} ended.")


app.add_typer(store_app, name="store")
app.add_typer(journal_app, name="journal")

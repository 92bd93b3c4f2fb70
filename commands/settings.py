"""``vigie settings check``, ``sources check`` and ``journal move``: what is tried before it is relied on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from commands.shared import EXIT_DEGRADED, AsJson, Home, existing_home
from core.entry import Entry
from core.errors import StoreError
from core.log import counted
from core.progress import progress_bar
from core.settings import home_folder, load_settings

app = typer.Typer(no_args_is_help=True, help="Settings: try them.")
sources_app = typer.Typer(no_args_is_help=True, help="The publishers that Vigie asks.")
journal_app = typer.Typer(no_args_is_help=True, help="The journal of what people and nights did.")


@app.callback()
def settings() -> None:
    """Settings: try them."""


@app.command()
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


@journal_app.callback()
def journal() -> None:
    """The journal of what people and nights did."""


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


@sources_app.callback()
def sources() -> None:
    """The publishers that Vigie asks."""


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
    from store.files import write_bytes

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

"""``vigie sources check``: is every publisher reachable, and does it answer as it did?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from commands.shared import EXIT_DEGRADED, Home
from core.progress import progress_bar
from core.settings import home_folder, load_settings

app = typer.Typer(no_args_is_help=True, help="The publishers that Vigie asks.")


@app.callback()
def sources() -> None:
    """The publishers that Vigie asks."""


@app.command()
def check(
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

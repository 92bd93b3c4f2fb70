"""``vigie editions`` and ``vigie observations``: what was taken in, what people decide, what is known."""

from __future__ import annotations

import contextlib
import datetime as dt
import fnmatch
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import (
    AsJson,
    FileKind,
    Home,
    OutFile,
    RouteName,
    WithCitation,
    as_date,
    existing_home,
    login_name,
    of_route,
    opened_journal,
)
from core.errors import InputError
from core.log import counted
from core.settings import home_folder, load_settings

if TYPE_CHECKING:
    from store.editions import Action

app = typer.Typer(invoke_without_command=True, help="Editions of figures: list, accept, reject, withdraw.")

EditionId = Annotated[str, typer.Argument(metavar="ID", help="An edition_id, as 'vigie editions' lists them.")]
Why = Annotated[str, typer.Option("--reason", help="Your reason: kept with the decision.")]
Name = Annotated[str, typer.Option("--as", help="Your name; default: as the system calls you.")]


@app.callback()
def list_editions(
    context: typer.Context,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Print every file and answer that was taken in, with its state and what it changed, the newest last."""
    context.obj = home
    if context.invoked_subcommand is not None:
        return
    from store.editions import EditionStore
    from store.lock import AlreadyRunningError, night_lock

    folder = existing_home(home)
    with opened_journal(folder) as journal:
        editions = EditionStore(folder, journal)
        if editions.is_interrupted():
            with contextlib.suppress(AlreadyRunningError), night_lock(folder):  # a running night records its own
                editions.recover()
        found = editions.all()
    if as_json:
        typer.echo(json.dumps([one.record() for one in found], indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(one.summary() for one in found) or "No edition was taken in but the bundled figures.")


@app.command()
def accept(context: typer.Context, edition_id: EditionId, reason: Why, name: Name = "", home: Home = None) -> None:
    """Let a held edition be known, from today on."""
    _decide(context, home, edition_id, "edition accepted", reason, name)


@app.command()
def reject(context: typer.Context, edition_id: EditionId, reason: Why, name: Name = "", home: Home = None) -> None:
    """Put a held edition aside for good."""
    _decide(context, home, edition_id, "edition rejected", reason, name)


@app.command()
def withdraw(context: typer.Context, edition_id: EditionId, reason: Why, name: Name = "", home: Home = None) -> None:
    """Take a known edition back: from today on its figures are what they would be without it. Nothing is erased."""
    _decide(context, home, edition_id, "edition withdrawn", reason, name)


def observations(
    out: OutFile = Path("-"),
    kind: FileKind = "csv",
    series: Annotated[str, typer.Option("--series", help="A series_id, with * and ? as wildcards.")] = "*",
    route: RouteName = "",
    as_of: Annotated[str | None, typer.Option("--as-of", help="As known on this date; default: today.")] = None,
    with_citation: WithCitation = False,
    home: Home = None,
) -> None:
    """Write what is known of some series, or was on a date, of sources and of routes made of them."""
    from core.disclosure import protect
    from ingest.catalogue import CARDS
    from nightly.inputs import own_cards
    from nightly.real_time import RealTimeData
    from store.export import kind_of, observations_bytes, write_table
    from store.vintages import VintageStore

    folder, kind = home_folder(home), kind_of(out, kind)
    day = as_date(as_of, "--as-of") or dt.datetime.now(dt.UTC).date()
    history = VintageStore(folder).history(exclude_sources=load_settings(folder).exclude_sources)
    known = protect(RealTimeData(history, day, 0, 0).observations)
    rows = of_route(known[[fnmatch.fnmatchcase(one, series) for one in known["series_id"]]], route)
    if rows.empty:
        raise InputError(f"--series {series}: nothing of it was known on {day}")
    cards = CARDS | own_cards(folder)
    cited = [f"{cards[name].citation} Licence: {cards[name].licence}." for name in sorted(set(rows["source_id"]))]
    content, about = observations_bytes(rows, cited, day, kind, with_citation=with_citation)
    if str(out) == "-":
        typer.echo(content, nl=False)
        return
    write_table(out, content, about)
    typer.echo(
        f"{out} written: {counted(len(rows), 'figure')} of {rows['series_id'].nunique():,} series, as known on {day}"
    )


def _decide(context: typer.Context, home: Path | None, edition_id: str, action: Action, reason: str, name: str) -> None:
    from access.roles import shell_actor
    from workflow import open_workflow
    from workflow.decisions import decide_edition

    folder = existing_home(home or context.obj)
    settings = load_settings(folder)
    actor = shell_actor(settings.access, name if settings.access.is_on else name or login_name())
    with open_workflow(folder, settings) as workflow:
        typer.echo(decide_edition(workflow, actor, action, edition_id, reason).summary())

"""``vigie status``, ``verify``, ``export``, ``briefing``, ``observations``, ``editions``: what a home holds."""

from __future__ import annotations

import contextlib
import datetime as dt
import fnmatch
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import (
    AsJson,
    FileKind,
    Home,
    OutFile,
    RouteName,
    WithCitation,
    acting_here,
    as_date,
    current_release,
    existing_home,
    of_route,
    opened_journal,
)
from core.errors import InputError, StoreError
from core.languages import DEFAULT_LANGUAGE, languages
from core.log import counted, get_logger, one_line
from core.routes import spelled
from core.settings import home_folder, load_settings

if TYPE_CHECKING:
    from store.editions import Action

_MOST_NAMED = 3
editions_app = typer.Typer(invoke_without_command=True, help="Editions of figures: list, accept, reject, withdraw.")

EditionId = Annotated[str, typer.Argument(metavar="ID", help="An edition_id, as 'vigie editions' lists them.")]
Why = Annotated[str, typer.Option("--reason", help="Your reason: kept with the decision.")]
Name = Annotated[str, typer.Option("--as", help="Your name; default: as the system calls you.")]


def status(home: Home = None, as_json: AsJson = False) -> None:
    """Say which release is current, how fresh the sources are, how the last run ended, which alerts are open."""
    from store.status import read_status

    folder = home_folder(home)
    found = read_status(folder, load_settings(folder).journal_url)
    shown = json.dumps(found, indent=2) if as_json else _status_lines(found)
    typer.echo("\n".join(map(one_line, shown.split("\n"))))
    if found["release"] is None:
        raise typer.Exit(1)


def verify(
    home: Home = None,
    head: Annotated[
        str, typer.Option("--head", help="Hash of the newest release, as a partner, a briefing or a feed has it.")
    ] = "",
) -> None:
    """Walk the chain of releases and the journal's; exit 1 and name the first thing that was altered."""
    from store.verify import verify_home

    folder = existing_home(home)
    problem = verify_home(folder, load_settings(folder), head)
    if problem is not None:
        get_logger().error("altered", text=str(problem), run_id=problem.run_id, file=problem.file)
        raise typer.Exit(1)
    typer.echo("The chain of releases is whole." + (" It ends with the hash given." if head else ""))


def export(
    table: Annotated[str, typer.Argument(help="forecasts, trajectories, scores, alerts, track_record, observations …")],
    out: OutFile = Path("-"),
    kind: FileKind = "csv",
    with_citation: WithCitation = False,
    route: RouteName = "",
    home: Home = None,
) -> None:
    """Write one table of the current release, with citations and licences in a file beside it."""
    from store.export import export_bytes, kind_of, write_export

    kind = kind_of(out, kind)
    release, chosen = current_release(home), partial(of_route, route=route)
    if str(out) != "-":
        about = write_export(release, table, out, with_citation=with_citation, chosen=chosen)
        typer.echo(f"{out} written; what must be known about it: {about.name}")
        return
    typer.echo(export_bytes(release, table, kind, with_citation=with_citation, chosen=chosen), nl=False)


def briefing(
    run: Annotated[str | None, typer.Option("--run", help="A release's run_id; default: the newest.")] = None,
    lang: Annotated[str, typer.Option("--lang", help=f"One of {', '.join(languages())}.")] = DEFAULT_LANGUAGE,
    out: Annotated[
        Path | None, typer.Option("--out", help="PDF; '-': standard output; default: vigie-DATE-LANG.pdf.")
    ] = None,
    signed_off: Annotated[
        bool, typer.Option("--signed-off", help="Only alerts that people have signed off, as in mails.")
    ] = False,
    home: Home = None,
) -> None:
    """Write the briefing of a release: map, alerts, charts, caveats, licences on one page; the year ahead, places."""
    from store import named_errors, write_bytes
    from workflow.briefing import make_briefing

    if lang not in languages():
        raise InputError(f"--lang {lang}: there is no such language; write {' or '.join(languages())}")
    is_piped = str(out) == "-"
    if out is not None and not is_piped and out.suffix != ".pdf":
        raise InputError(f"--out {out.name}: the ending must be .pdf")
    folder = home_folder(home)
    run_id, day = _release(folder, run)
    target = out or Path(f"vigie-{day}-{lang}.pdf")
    document = make_briefing(folder, load_settings(folder), run_id, lang, signed_only=signed_off)
    if is_piped:
        typer.echo(document, nl=False)
        return
    try:
        with named_errors(target):
            write_bytes(target.expanduser(), document)
    except StoreError as error:
        raise InputError(f"--out {error}") from None
    typer.echo(f"{target} written: release {run_id}, as known on {day}")


def _release(folder: Path, run: str | None) -> tuple[str, str]:
    """run_id and day of the release that is asked for.

    Raises:
        InputError: There is none, or none of that name.
    """
    from store.releases import ReleaseStore

    newest = current_release(folder)
    if run is None:
        return newest.run_id, newest.as_of.isoformat()
    store = ReleaseStore(folder)
    try:
        return run, store.get(run).as_of.isoformat()
    except StoreError as error:
        names = ", ".join(release.run_id for release in reversed(store.all()[-_MOST_NAMED:]))
        raise InputError(f"--run {run}: {error}; the newest are {names}") from None


def _status_lines(found: dict[str, Any]) -> str:
    from reports.names import FRESHNESS

    release = found["release"]
    if release is None:
        return f"No release in {found['home']}. Run 'vigie nightly'."
    without = [row for row in found["routes"] if row["state"] != "ok"]
    named = [
        spelled(row["route_id"]) + (f" (newest: {row['run_id']}, as known on {row['as_of']})" if row["run_id"] else "")
        for row in without
    ]
    lines = [f"No forecast for {len(without)} of {len(found['routes'])} routes: {'; '.join(named)}"] if without else []
    if found["drill"]:
        lines.insert(0, "Drill: a restored copy that is not in service; it sends and shares nothing ('vigie adopt').")
    lines.append(f"Release {release['run_id']}, as known on {release['as_of']}")
    forecast = [spelled(row["route_id"]) for row in found["routes"] if row["state"] == "ok"]
    lines += [f"  forecast: {', '.join(forecast)}"] if forecast else []
    lines += [f"  degraded: {one['source_id']}: {one['reason']}" for one in release["degraded"]]
    for source in found["sources"]:
        state = FRESHNESS.get(source["state"], source["state"]).lower()
        lines.append(f"  {source['source_id']:20} {state:12} to {source['last_period']}")
    levels = found["alerts"]
    lines.append("Alerts: " + (", ".join(f"{count} {level}" for level, count in levels.items()) or "none"))
    lines += [_issued_line(found["issued"])]
    lines += [f"Held for a person: {one['edition_id']}: {one['why_held']}" for one in found["held"]]
    if found["last_run"]:
        lines.append(f"Last run: {found['last_run']['at']}, {found['last_run']['outcome']}")
    return "\n".join(lines)


def _issued_line(issued: list[dict[str, Any]]) -> str:
    if not issued:
        return "Forecasts scored as they were issued: none yet"
    told = [f"{row['horizon']} ahead {row['relative_wis_log']:.2f} ({row['n']})" for row in issued]
    return f"Forecasts scored as they were issued, WIS relative to the baseline (forecasts): {', '.join(told)}"


@editions_app.callback()
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


@editions_app.command()
def accept(context: typer.Context, edition_id: EditionId, reason: Why, name: Name = "", home: Home = None) -> None:
    """Let a held edition be known, from today on."""
    _decide(context, home, edition_id, "edition accepted", reason, name)


@editions_app.command()
def reject(context: typer.Context, edition_id: EditionId, reason: Why, name: Name = "", home: Home = None) -> None:
    """Put a held edition aside for good."""
    _decide(context, home, edition_id, "edition rejected", reason, name)


@editions_app.command()
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
    from ingest.sources import CARDS
    from nightly import RealTimeData
    from nightly.inputs import own_cards
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
    from workflow import open_workflow
    from workflow.decisions import decide_edition

    folder = existing_home(home or context.obj)
    settings = load_settings(folder)
    actor = acting_here(settings.access, name)
    with open_workflow(folder, settings) as workflow:
        typer.echo(decide_edition(workflow, actor, action, edition_id, reason).summary())

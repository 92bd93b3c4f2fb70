"""``vigie status``, ``verify``, ``export``, ``observations``, ``editions`` and ``site``: read what a home holds."""

from __future__ import annotations

import contextlib
import datetime as dt
import fnmatch
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

import cli
from cli import VAR, AsJson, FileKind, Group, Home, OutFile, Reason, RouteName
from core.errors import InputError
from core.languages import DEFAULT_LANGUAGE, Language, languages
from core.log import counted, get_logger, one_line, sentence
from core.routes import of_route, spelled
from core.settings import load_settings

if TYPE_CHECKING:
    from store.figures.editions import Action

_DAYS_OF_A_MONTH = 30.4
_TABLE = "TABLE"


class ExportGroup(Group):
    """The commands of ``vigie export``; a name that is not a command is a table's."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # typer keeps its context type private
        """Return the command to call, with its arguments."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "", self.commands[_TABLE], args


export_app = typer.Typer(
    cls=ExportGroup,
    context_settings={"ignore_unknown_options": True},  # options may stand before the table's name
    help="Write a table, the map or the briefing of a release to a file.",
)
editions_app = typer.Typer(
    cls=Group, invoke_without_command=True, help="List editions of data; accept, reject or withdraw them."
)

Lang = Annotated[str, typer.Option("--lang", help=f"Language: {', '.join(languages())}.")]
EditionId = Annotated[str, typer.Argument(metavar="ID", help="edition_id, as listed by 'vigie editions'.")]
Name = Annotated[
    str, typer.Option("--as", metavar="NAME", help="Your name, kept in the journal; default: your account.")
]


def status(home: Home = VAR, as_json: AsJson = False) -> None:
    """Show the current release, the freshness of sources, the last run and open alerts."""
    from store.status import read_status

    found = read_status(home, load_settings(home).journal_url)
    if as_json:
        cli.echo_json(found)
    else:
        typer.echo("\n".join(map(one_line, _status_lines(found).split("\n"))))
    if found["release"] is None:
        raise typer.Exit(1)


def verify(
    home: Home = VAR,
    head: Annotated[
        str,
        typer.Option("--head", metavar="HASH", help="Hash of the newest release, from a briefing, a mail or a feed."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Verify that no release or journal entry was altered.

    Exit codes: 0 nothing was altered; 1 the first altered, missing or added file or entry is named, or no release.
    """
    from store.releases import ReleaseStore, links
    from store.verify import verify_home

    problem = verify_home(cli.existing(home), load_settings(home), head)
    count = len(links(ReleaseStore(home).folder))
    if problem is None and not count:
        raise InputError(f"{home}: no release here; 'vigie nightly' makes one")
    if as_json:
        cli.echo_json({"releases": count, "problem": None if problem is None else asdict(problem)})
    if problem is not None:
        get_logger().error("altered", text=str(problem), run_id=problem.run_id, file=problem.file)
        raise typer.Exit(1)
    if not as_json:
        end = " The chain ends with the given hash." if head else ""
        typer.echo(f"{counted(count, 'release')} verified: no release or journal entry was altered.{end}")


@export_app.command(_TABLE)
def export(
    table: Annotated[
        str,
        typer.Argument(
            metavar=_TABLE, help="Table of the release: forecasts, trajectories, scores, alerts, track_record, …"
        ),
    ],
    out: OutFile = Path("-"),
    kind: FileKind = "csv",
    route: RouteName = "",
    home: Home = VAR,
) -> None:
    """Write one table of the current release, such as 'vigie export alerts --out alerts.csv'.

    Citations and licences are written to a file beside it.
    """
    from store.export import about_bytes, export_bytes, kind_of

    kind, release = kind_of(out, kind), cli.current_release(home)
    content = export_bytes(release, table, kind, partial(of_route, route=route))
    cli.write_out(out, content, about_bytes(release, table))


@export_app.command()
def briefing(
    lang: Lang = DEFAULT_LANGUAGE,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="PDF file; '-' writes to standard output; default: vigie-DATE-LANG.pdf."),
    ] = None,
    signed_off: Annotated[
        bool, typer.Option("--signed-off", help="Include only signed-off alerts, as in mails.")
    ] = False,
    home: Home = VAR,
) -> None:
    """Write the briefing of the newest release as PDF: alerts, map, charts, then the year ahead and places."""
    from decisions.announcements import make_briefing
    from store import write_bytes

    _language(lang)
    is_piped = str(out) == "-"
    if out is not None and not is_piped and out.suffix != ".pdf":
        raise InputError(f"--out {out.name}: the ending must be .pdf")
    release = cli.current_release(home)
    target = out or Path(f"vigie-{release.as_of}-{lang}.pdf")
    document = make_briefing(home, load_settings(home), release.run_id, lang, signed_only=signed_off)
    if is_piped:
        typer.echo(document, nl=False)
        return
    write_bytes(target.expanduser(), document, private=False)
    typer.echo(f"{target} written: release {release.run_id}, as known on {release.as_of}")


@export_app.command("map")
def map_(
    out: Annotated[Path, typer.Option("--out", help="Output file: .gpkg (GeoPackage, for QGIS) or .geojson.")] = Path(
        "routes.gpkg"
    ),
    lang: Lang = DEFAULT_LANGUAGE,
    home: Home = VAR,
) -> None:
    """Write the routes as lines with what is expected of each over the planning window."""
    from publish import geojson_bytes, geopackage_bytes, route_features
    from store.export import about_bytes

    makers = {".gpkg": geopackage_bytes, ".geojson": geojson_bytes}
    if out.suffix not in makers:
        raise InputError(f"--out {out.name}: the ending must be {' or '.join(makers)}")
    release = cli.current_release(home)
    content = makers[out.suffix](route_features(release, _language(lang)))
    cli.write_out(out, content, about_bytes(release, "routes"))


def _language(code: str) -> Language:
    """Return a language.

    Raises:
        InputError: There is no such language.
    """
    if code not in languages():
        raise InputError(f"--lang {code}: there is no such language; write {' or '.join(languages())}")
    return Language(code)


def _status_lines(found: dict[str, Any]) -> str:
    from reports.names import FRESHNESS

    release = found["release"]
    running = [_running_line(found["running"])] if found["running"] else []
    if release is None:
        return "\n".join(running or [f"No release in {found['home']}. Run 'vigie nightly'."])
    without = [row for row in found["routes"] if row["state"] != "ok"]
    named = [
        spelled(row["route_id"]) + (f" (newest: {row['run_id']}, as known on {row['as_of']})" if row["run_id"] else "")
        for row in without
    ]
    lines = [f"No forecast for {len(without)} of {len(found['routes'])} routes: {'; '.join(named)}"] if without else []
    if found["drill"]:
        lines.insert(
            0, "Drill: a restored copy that is not in service; it sends and shares nothing ('vigie home adopt')."
        )
    today = dt.datetime.now(dt.UTC).date()
    age = f" (replay: {_age(release['as_of'], today)} before today)" if release["replay"] else ""
    lines = [*running, *lines, f"Release {release['run_id']}, as known on {release['as_of']}{age}"]
    forecast = [spelled(row["route_id"]) for row in found["routes"] if row["state"] == "ok"]
    lines += [f"  forecast: {', '.join(forecast)}"] if forecast else []
    lines += [f"  degraded: {one['source_id']}: {one['reason']}" for one in release["degraded"]]
    for source in found["sources"]:
        state = FRESHNESS.get(source["state"], source["state"]).lower()
        lines.append(f"  {source['source_id']:20} {state:12} to {source['last_period']}")
    lines += [
        f"  {one['source_id']:20} stopped      to {one['last_period']}: {one['target']}, {one['freq']}"
        for one in found["stopped"]
    ]
    lines.append("Alerts: " + (", ".join(f"{count} {level}" for level, count in found["alerts"].items()) or "none"))
    lines += [_issued_line(found["issued"])]
    lines += [f"Held for a person: {one['edition_id']}: {one['why_held']}" for one in found["held"]]
    if found["last_run"]:
        lines.append(f"Last run: {found['last_run']['at']}, {found['last_run']['outcome']}")
    return "\n".join(lines)


def _running_line(night: dict[str, Any]) -> str:
    step = ": ".join(filter(None, (night["stage"], night["step"])))
    state = sentence(step, night["done"], night["total"], night["seconds_left"])
    return f"A night is running since {night['started']}, as known on {night['as_of']}: {state}"


def _age(day: str, today: dt.date) -> str:
    days = (today - dt.date.fromisoformat(day)).days
    return counted(round(days / _DAYS_OF_A_MONTH), "month") if days > 2 * _DAYS_OF_A_MONTH else counted(days, "day")


def _issued_line(issued: list[dict[str, Any]]) -> str:
    if not issued:
        return "Forecasts scored as they were issued: none yet"
    parts = [f"{row['horizon']} ahead {row['relative_wis_log']:.2f} ({row['n']})" for row in issued]
    return f"Forecasts scored as they were issued, WIS relative to the baseline (forecasts): {', '.join(parts)}"


@editions_app.callback()
def list_editions(context: typer.Context, as_json: AsJson = False, home: Home = VAR) -> None:
    """List ingested files and answers with their state and changes, newest last."""
    if not cli.is_group_alone(context):
        return
    from store import AlreadyRunningError, night_lock
    from store.figures.editions import EditionStore

    with cli.opened_journal(cli.existing(home)) as journal:
        editions = EditionStore(home, journal)
        if editions.is_interrupted():
            with contextlib.suppress(AlreadyRunningError), night_lock(home):  # a running night records its own
                editions.recover()
        found = editions.all()
    if as_json:
        cli.echo_json([one.record() for one in found])
    else:
        typer.echo("\n".join(one.summary() for one in found) or "No edition was taken in but the bundled figures.")


@editions_app.command("changes")
def edition_changes(edition_id: EditionId, as_json: AsJson = False, home: Home = VAR) -> None:
    """List what accepting a held edition, or withdrawing a known one, would change, figure by figure."""
    import pandas as pd

    from store.figures.editions import EditionStore

    with cli.opened_journal(cli.existing(home)) as journal:
        editions = EditionStore(home, journal)
        found = editions.changes(editions.named(edition_id))
    if as_json:
        cli.echo_json(found.astype(object).where(found.notna(), None).to_dict("records"))
        return
    figures = found[["before", "after"]].map(lambda value: "none" if pd.isna(value) else f"{value:,g}")
    lines = found["series_id"] + " " + found["time_period"] + ": " + figures["before"] + " → " + figures["after"]
    for line in lines + found["is_newer"].map({True: " (newer than the edition)", False: ""}):
        typer.echo(line)
    typer.echo(f"{counted(len(found), 'figure')} would change.")


@editions_app.command()
def accept(
    edition_id: EditionId,
    reason: Reason,
    name: Name = "",
    replace_newer: Annotated[
        bool, typer.Option("--replace-newer", help="Also replace figures stated after the edition was received.")
    ] = False,
    home: Home = VAR,
) -> None:
    """Accept a held edition: its data count from today on."""
    _decide(home, edition_id, "edition accepted", reason, name, replace_newer=replace_newer)


@editions_app.command()
def reject(edition_id: EditionId, reason: Reason, name: Name = "", home: Home = VAR) -> None:
    """Reject a held edition for good."""
    _decide(home, edition_id, "edition rejected", reason, name)


@editions_app.command()
def withdraw(edition_id: EditionId, reason: Reason, name: Name = "", home: Home = VAR) -> None:
    """Withdraw an edition: from today on its data no longer count. Nothing is erased."""
    _decide(home, edition_id, "edition withdrawn", reason, name)


def observations(
    out: OutFile = Path("-"),
    kind: FileKind = "csv",
    series: Annotated[str, typer.Option("--series", help="series_id; * and ? are wildcards.")] = "*",
    route: RouteName = "",
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="As known on this date; default: today.")
    ] = None,
    home: Home = VAR,
) -> None:
    """Write observations of sources and routes, as known today or on a past date."""
    from core.release import rounded
    from core.routes import REGIONS, estimated_shares
    from ingest.sources import CARDS
    from nightly import RealTimeData
    from nightly.inputs import own_cards
    from store.export import kind_of, observations_bytes
    from store.figures import VintageStore

    kind = kind_of(out, kind)
    day = cli.as_date(as_of, "--as-of") or dt.datetime.now(dt.UTC).date()
    history = VintageStore(home).history(exclude_sources=load_settings(home).exclude_sources)
    known = rounded(RealTimeData(history, day, 0, 0, regions=REGIONS).observations)
    known = known.assign(estimated_share=estimated_shares(known))
    rows = of_route(known[[fnmatch.fnmatchcase(one, series) for one in known["series_id"]]], route)
    if rows.empty:
        raise InputError(f"--series {series}: nothing of it was known on {day}")
    cards = CARDS | own_cards(home)
    cited = [f"{cards[name].citation} Licence: {cards[name].licence}." for name in sorted(set(rows["source_id"]))]
    content, about = observations_bytes(rows, cited, day, kind)
    what = f": {counted(len(rows), 'figure')} of {rows['series_id'].nunique():,} series, as known on {day}"
    cli.write_out(out, content, about, what)


def _decide(
    home: Path, edition_id: str, action: Action, reason: str, name: str,
    *, replace_newer: bool = False,
) -> None:  # fmt: skip
    from decisions.actions import decide_edition

    with cli.opened_workflow(home) as workflow:
        actor = cli.acting_here(workflow.settings.access, name)
        done = decide_edition(workflow, actor, action, edition_id, reason, replace_newer=replace_newer)
        typer.echo(done.summary())


site_app = typer.Typer(cls=Group, help="Build the public site.")


@site_app.command()
def build(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The site's folder: new, empty, or made by this command before.")
    ],
    url: Annotated[
        str,
        typer.Option("--url", help="Address at which the site will stand; the sitemap and shared pictures need it."),
    ] = "",
    home: Home = VAR,
) -> None:
    """Write the site of the newest release in which every alert was signed off or dismissed; only changed files.

    Any web server can serve the folder: see docs/publishing.md.
    """
    from publish.site import build_site

    done = build_site(cli.existing(home), load_settings(home), folder.expanduser(), _base(url))
    for run_id in done.passed_over:
        typer.echo(f"{run_id} is not shown: alerts wait to be signed off ('vigie alerts')")
    typer.echo(
        f"{folder}: release {done.run_id}, as known on {done.as_of}; {counted(done.written, 'file')} written, "
        f"{done.removed} removed, {done.kept} unchanged"
    )
    if not url:
        typer.echo("No --url: without it there is no sitemap and no picture where a page is shared.")


def _base(url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise InputError(f"--url {url}: write an address such as https://example.org/vigie/")
    return url.rstrip("/") + "/"

"""``vigie nightly``, ``demonstrate`` and ``ingest``: take data in and make releases."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cli
from cli import EXIT_DEGRADED, EXIT_NOTHING_PUBLISHED, EXIT_PUBLISHED, VAR, AsJson, Group, Home
from core.errors import InputError, VigieError
from core.log import counted, get_logger, progress_bar
from core.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightly.inputs import Ingested

_FIRST_ROWS = 8
ingest_app = typer.Typer(cls=Group, invoke_without_command=True)


def nightly(
    home: Home = VAR,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Replay the night of this date; default: today.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Fetch the publishers' newest data first.")] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Publish even if every watched route loses its forecast.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make one release from the data known today or on a past date.

    Exit codes: 0 published; 1 nothing published, the former release stands; 3 published, degraded sources named.
    """
    from nightly.night import run_night

    date, settings = cli.as_date(as_of, "--as-of"), load_settings(home)
    with progress_bar() as progress:
        result = run_night(home, settings, date, live=live, allow_empty=allow_empty, progress=progress)
    if as_json:
        cli.echo_json({
            "run_id": result.release.run_id, "as_of": result.release.as_of.isoformat(), "degraded": result.degraded,
            "seconds": result.seconds["in all"], "notified": result.notified,
        })  # fmt: skip
    else:
        typer.echo("\n".join(result.summary()))
    raise typer.Exit(EXIT_DEGRADED if result.degraded else EXIT_PUBLISHED)


def demonstrate(
    region: Annotated[
        str, typer.Option("--region", help="Region whose corridors are shown: europe, americas or horn_of_africa.")
    ] = "",
    newest: Annotated[
        bool,
        typer.Option(
            "--newest", help="Replay the newest night of the bundled data instead, although some routes are too old."
        ),
    ] = False,
    home: Home = VAR,
) -> None:
    """Make a first release by replaying the newest night on which all bundled routes were up to date."""
    from nightly.night import run_demonstration

    settings = load_settings(home)
    with progress_bar() as progress:
        result = run_demonstration(home, settings, region=region, newest=newest, progress=progress)
    if result is None:
        typer.echo(f"{home} already holds a release: it is shown as it is.")
        return
    typer.echo("\n".join(result.summary()))
    if region and region not in settings.regions:
        typer.echo(f'Nights go on with this region once settings.toml has: regions = ["{region}"]')


@ingest_app.callback()
def ingest(  # noqa: PLR0913, PLR0917  # one parameter per option of the command
    context: typer.Context,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="SOURCE=PATH", help="File of a source; repeatable. With --mapping: PATH."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="Mapping (TOML) that describes files of your own data.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Fetch from the publishers.")] = False,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="With --live or --replay, only this source; repeatable.")
    ] = None,
    replay: Annotated[
        str | None, typer.Option("--replay", metavar="DATE", help="Read again the answers kept from this date.")
    ] = None,
    preview: Annotated[
        Path | None, typer.Option("--preview", help="Suggest a mapping for a file of your own data; nothing is stored.")
    ] = None,
    as_json: AsJson = False,
    home: Home = VAR,
) -> None:
    """Ingest files, publishers' data or kept answers; check publishers. A damaged file changes nothing.

    Exit codes: 0 taken in; 1 refused; 3 held for a person, or refused in part.
    """
    if not cli.is_group_alone(context):
        return
    if preview is not None:
        _preview(preview, mapping)
        return
    if sum((bool(file), live, replay is not None)) != 1:
        raise InputError("ingest: give one of --file SOURCE=PATH, --live and --replay DATE")
    if mapping is not None and not file:
        raise InputError("ingest: --mapping describes own figures: name them with --file PATH")
    if file:
        _ingest_files(file, mapping, home, as_json=as_json)
    else:
        _ingest_live(source or [], cli.as_date(replay, "--replay"), home, as_json=as_json)


@ingest_app.command("check")
def check_publishers(
    source: Annotated[list[str] | None, typer.Argument(help="Check only these sources.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Make one request to each publisher.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a JSON report for Vigie's maintainers.")
    ] = None,
    home: Home = VAR,
) -> None:
    """Check each publisher: reachable, layout recognised, newest period, rows, seconds, advice. Nothing is stored.

    Exit codes: 0 all checks passed; 3 a publisher failed.
    """
    from ingest.http import HEADER, check_sources
    from store import write_bytes

    settings = load_settings(home)
    with progress_bar() as progress:
        found = check_sources(settings, source or [], live=live, progress=progress)
    typer.echo("\n".join([HEADER, *(one.line() for one in found)]))
    for one in found:
        for fault in one.faults:
            get_logger().error("failed", text=f"{one.source_id}: {fault}")
    if report is not None:
        text = json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False) + "\n"
        write_bytes(report, text.encode(), private=False)
        typer.echo(f"{report} written: statuses, headers and first bytes; it holds no key")
    if any(one.failed for one in found):
        raise typer.Exit(EXIT_DEGRADED)


def _ingest_live(sources: list[str], replayed: dt.date | None, folder: Path, *, as_json: bool = False) -> None:
    from nightly.inputs import ingest_live

    with progress_bar() as progress:
        report = ingest_live(folder, load_settings(folder), sources, answered_on=replayed, progress=progress)
    for fault in report.failed:
        get_logger().error("failed", text=f"{fault['source_id']}: {fault['reason']}")
    if as_json:
        _echo_ingested([*report.taken, *report.held], report.failed)
    else:
        for line in report.summary():
            typer.echo(line)
    _end(len(report.failed), len(report.held), len(report.taken))


def _ingest_files(file: list[str], mapping: Path | None, folder: Path, *, as_json: bool = False) -> None:
    """Take in files of sources or, with a mapping, of own figures; one that is refused is named."""
    from access import account_name
    from nightly.inputs import ingest_file, ingest_own, load_snapshot
    from store.figures import VintageStore

    done: list[Ingested] = []
    failed: list[dict[str, str]] = []
    with cli.opened_journal(folder) as journal:
        load_snapshot(VintageStore(folder), journal)
        for item in file:
            source_id, _, path = (mapping.stem, "", item) if mapping is not None else item.partition("=")
            try:
                if not path:
                    raise InputError(f"--file {item}: write SOURCE=PATH, such as frontex=ibc.xlsx")
                if mapping is not None:
                    done.append(ingest_own(folder, Path(path), mapping, journal, account_name()))
                else:
                    done.append(ingest_file(folder, source_id, Path(path), journal, account_name()))
            except VigieError as error:
                get_logger().error("refused", text=str(error), source_id=source_id)
                failed.append({"source_id": source_id, "reason": str(error)})
            else:
                if not as_json:
                    _report_edition(done[-1])
    if as_json:
        _echo_ingested(done, failed)
    held = sum(one.is_held for one in done)
    _end(len(failed), held, len(done) - held)


def _echo_ingested(done: Iterable[Ingested], failed: list[dict[str, str]]) -> None:
    editions = [one.edition.record() | {"stored_rows": one.new_rows, "rejected_rows": one.rejected} for one in done]
    cli.echo_json({"editions": editions, "failed": failed})


def _report_edition(done: Ingested) -> None:
    """Print what became of a file: on standard output if it is known, as a warning if it is held for a person."""
    if done.is_held:
        get_logger().warning("held", text=done.summary())
    else:
        typer.echo(done.summary())


def _preview(file: Path, mapping_path: Path | None) -> None:
    """Print a suggested or given mapping, and the first figures as it reads them."""
    from ingest import apart, read_raw
    from ingest.own import parse_own
    from ingest.own_mapping import mapping_of_text, read_mapping
    from ingest.own_preview import suggest

    raw = read_raw(file)
    if mapping_path is None:
        text = apart(suggest, raw)
        typer.echo(f"# A mapping to complete: save it as {file.stem}.toml.\n{text}")
        chosen = mapping_of_text(text, f"{file.stem}.toml")
    else:
        chosen = read_mapping(mapping_path)
    parsed = apart(partial(parse_own, mapping=chosen), raw)
    shown = parsed.observations[["series_id", "time_period", "obs_value"]]
    typer.echo(f"# Read so: {counted(len(shown), 'figure')}, {counted(len(parsed.rejected), 'row')} set aside.")
    typer.echo(shown.head(_FIRST_ROWS).to_string(index=False))


def _end(failed: int, held: int, taken: int) -> None:
    """Exit with 1 if nothing was taken in, with 3 if an edition is held or some files failed."""
    if failed and not held and not taken:
        raise typer.Exit(EXIT_NOTHING_PUBLISHED)
    if failed or held:
        raise typer.Exit(EXIT_DEGRADED)

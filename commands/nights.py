"""``vigie nightly``, ``vigie demonstrate`` and ``vigie ingest``: figures in, a release out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from commands.shared import EXIT_DEGRADED, EXIT_NOTHING_PUBLISHED, EXIT_PUBLISHED, Home, as_date
from core.errors import InputError, VigieError
from core.progress import progress_bar
from core.settings import SNAPSHOT, home_folder, load_settings

snapshot_app = typer.Typer(no_args_is_help=True, help="The figures bundled in data/.")


def nightly(
    home: Home = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Replay the night of this date; default: today.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask publishers for their newest figures first.")] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Publish even where every route that people watch loses its forecast.")
    ] = False,
) -> None:
    """Make one release. Exit 0: published; 1: nothing published; 3: published with degraded sources."""
    from nightly import run_night
    from nightly.progress import night_progress
    from store.status import stage_seconds

    folder = home_folder(home)
    date, settings = as_date(as_of, "--as-of"), load_settings(folder)
    with night_progress(stage_seconds(folder, settings.journal_url)) as progress:
        result = run_night(folder, settings, date, live=live, allow_empty=allow_empty, progress=progress)
    for line in result.summary():
        typer.echo(line)
    raise typer.Exit(EXIT_DEGRADED if result.degraded else EXIT_PUBLISHED)


def demonstrate(home: Home = None) -> None:
    """Where there is no release yet, replay the newest night on which all bundled routes were fresh."""
    from nightly import run_demonstration
    from nightly.progress import night_progress
    from store.status import stage_seconds

    folder = home_folder(home)
    settings = load_settings(folder)
    with night_progress(stage_seconds(folder, settings.journal_url)) as progress:
        result = run_demonstration(folder, settings, progress=progress)
    if result is None:
        typer.echo(f"{folder} already holds a release: it is shown as it is.")
        return
    for line in result.summary():
        typer.echo(line)


def ingest(
    file: Annotated[
        list[str] | None, typer.Option("--file", help="SOURCE=PATH, several times; or own figures, with --mapping.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="What a file of own figures holds (TOML).")] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the publishers.")] = False,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")] = None,
    replay: Annotated[str | None, typer.Option("--replay", help="Read again what was answered on this day.")] = None,
    home: Home = None,
) -> None:
    """Read figures into the vintages: files, publishers' answers, or kept answers. What is damaged changes nothing."""
    if sum((bool(file), live, replay is not None)) != 1:
        raise InputError("ingest: give one of --file SOURCE=PATH, --live and --replay DATE")
    if mapping is not None:
        _ingest_own(file or [], mapping, home_folder(home))
    elif file:
        _ingest_files(file, home_folder(home))
    else:
        _ingest_live(source or [], as_date(replay, "--replay"), home_folder(home))


@snapshot_app.command("build")
def snapshot_build(
    raw: Annotated[Path, typer.Argument(help="Folder of the publishers' files.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = SNAPSHOT,
) -> None:
    """Tabulate the publishers' files into the bundled snapshot: the same bytes each time."""
    from ingest.snapshot import build

    with progress_bar() as progress:
        report = build(raw, out, progress=progress)
    typer.echo(report.summary())


def _ingest_live(sources: list[str], replayed: dt.date | None, folder: Path) -> None:
    from nightly import ingest_live

    with progress_bar() as progress:
        report = ingest_live(folder, load_settings(folder), sources, answered_on=replayed, progress=progress)
    for line in report.summary():
        typer.echo(line, err=line.startswith("failed"))
    if report.failed:
        raise typer.Exit(EXIT_DEGRADED if report.taken else EXIT_NOTHING_PUBLISHED)


def _ingest_own(file: list[str], mapping: Path, folder: Path) -> None:
    from nightly import ingest_own, load_bundled

    if not file:
        raise InputError("ingest: --mapping describes own figures: name them with --file PATH")
    load_bundled(folder, load_settings(folder).journal_url)
    for path in file:
        typer.echo(ingest_own(folder, Path(path), mapping).summary())


def _ingest_files(file: list[str], folder: Path) -> None:
    from nightly import ingest_file, load_bundled

    load_bundled(folder, load_settings(folder).journal_url)
    failed = 0
    for item in file:
        source_id, _, path = item.partition("=")
        try:
            if not path:
                raise InputError(f"--file {item}: write SOURCE=PATH, such as frontex=ibc.xlsx")
            typer.echo(ingest_file(folder, source_id, Path(path)).summary())
        except VigieError as error:
            typer.echo(f"error: {error}", err=True)
            failed += 1
    if failed:
        raise typer.Exit(EXIT_NOTHING_PUBLISHED if failed == len(file) else EXIT_DEGRADED)

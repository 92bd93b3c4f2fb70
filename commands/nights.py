"""``vigie nightly``, ``vigie demonstrate`` and ``vigie ingest``: figures in, a release out."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import EXIT_DEGRADED, EXIT_NOTHING_PUBLISHED, EXIT_PUBLISHED, Home, as_date, login_name, opened_journal
from core.errors import InputError, VigieError
from core.log import counted, get_logger, progress_bar
from core.settings import SNAPSHOT, home_folder, load_settings

if TYPE_CHECKING:
    from nightly.inputs import Ingested

_FIRST_ROWS = 8
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
    from nightly.night import run_night
    from nightly.progress import night_progress

    folder = home_folder(home)
    date, settings = as_date(as_of, "--as-of"), load_settings(folder)
    with night_progress(folder, settings) as progress:
        result = run_night(folder, settings, date, live=live, allow_empty=allow_empty, progress=progress)
    for line in result.summary():
        typer.echo(line)
    raise typer.Exit(EXIT_DEGRADED if result.degraded else EXIT_PUBLISHED)


def demonstrate(
    newest: Annotated[
        bool, typer.Option("--newest", help="Replay the newest bundled night instead, with the routes fresh then.")
    ] = False,
    home: Home = None,
) -> None:
    """Where there is no release yet, replay the newest night on which all bundled routes were fresh."""
    from nightly.night import run_demonstration
    from nightly.progress import night_progress

    folder = home_folder(home)
    settings = load_settings(folder)
    with night_progress(folder, settings) as progress:
        result = run_demonstration(folder, settings, newest=newest, progress=progress)
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
    preview: Annotated[
        Path | None, typer.Option("--preview", help="Suggest a mapping for a file of own figures; nothing is stored.")
    ] = None,
    home: Home = None,
) -> None:
    """Take figures in: files, publishers' answers, or kept answers. What is damaged changes nothing.

    Exit 0: taken in; 3: held for a person, or in part refused; 1: refused.
    """
    if preview is not None:
        _preview(preview, mapping)
        return
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
    from nightly.live import ingest_live

    with progress_bar() as progress:
        report = ingest_live(folder, load_settings(folder), sources, answered_on=replayed, progress=progress)
    for line in report.summary():
        typer.echo(line)
    for fault in report.failed:
        get_logger().error("failed", text=f"{fault['source_id']}: {fault['reason']}")
    _end(len(report.failed), len(report.held), len(report.taken))


def _ingest_own(file: list[str], mapping: Path, folder: Path) -> None:
    from nightly.inputs import ingest_own, load_snapshot
    from store.vintages import VintageStore

    if not file:
        raise InputError("ingest: --mapping describes own figures: name them with --file PATH")
    with opened_journal(folder) as journal:
        load_snapshot(VintageStore(folder), journal)
        done = [ingest_own(folder, Path(path), mapping, journal, login_name()) for path in file]
    for one in done:
        _report_edition(one)
    _end(0, sum(one.is_held for one in done), len(done))


def _ingest_files(file: list[str], folder: Path) -> None:
    from nightly.inputs import ingest_file, load_snapshot
    from store.vintages import VintageStore

    taken = held = failed = 0
    with opened_journal(folder) as journal:
        load_snapshot(VintageStore(folder), journal)
        for item in file:
            source_id, _, path = item.partition("=")
            try:
                if not path:
                    raise InputError(f"--file {item}: write SOURCE=PATH, such as frontex=ibc.xlsx")
                done = ingest_file(folder, source_id, Path(path), journal, login_name())
            except VigieError as error:
                get_logger().error("refused", text=str(error), source_id=source_id)
                failed += 1
            else:
                _report_edition(done)
                held, taken = held + done.is_held, taken + (not done.is_held)
    _end(failed, held, taken)


def _report_edition(done: Ingested) -> None:
    """Print what became of a file: on standard output what is known, in the log what waits for a person."""
    if done.is_held:
        get_logger().warning("held", text=done.summary())
    else:
        typer.echo(done.summary())


def _preview(file: Path, mapping_path: Path | None) -> None:
    """Print a mapping, suggested or given, and the first figures as they would be understood by it."""
    from ingest import read_raw
    from ingest.intake import apart
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
    """Exit 1 where nothing came in, 3 where something waits for a person or failed beside others."""
    if failed and not held and not taken:
        raise typer.Exit(EXIT_NOTHING_PUBLISHED)
    if failed or held:
        raise typer.Exit(EXIT_DEGRADED)

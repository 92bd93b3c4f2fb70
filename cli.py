"""The command ``vigie``: parses, calls, prints. What happens is decided in the rooms."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from commands import access, alerts, briefing, deliver, health, keeping, nights, panels, serve, store
from commands.shared import EXIT_NOTHING_PUBLISHED, Home, current_release
from core.errors import VigieError
from core.log import configure_logging, get_logger
from core.progress import progress_bar
from core.settings import SNAPSHOT, home_folder, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
snapshot_app = typer.Typer(no_args_is_help=True, help="The figures bundled in data/.")
app.add_typer(snapshot_app, name="snapshot")
app.add_typer(alerts.app, name="alerts")
app.add_typer(store.app, name="store")
app.command()(nights.nightly)
app.command()(nights.demonstrate)
app.command()(nights.ingest)
app.command()(panels.backtest)
app.command()(panels.forecast)
app.command()(deliver.deliver)
app.command()(briefing.briefing)
app.command()(health.health)
app.command()(keeping.backup)
app.command()(keeping.restore)
app.command()(keeping.prune)
app.command()(keeping.upgrade)
app.command()(serve.dashboard)
app.command()(access.audit)


@app.command()
def status(home: Home = None, as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Say which release is current, how fresh the sources are, how the last run ended, which alerts are open."""
    from store.status import read_status  # noqa: PLC0415  # the store opens only where it is asked

    folder = home_folder(home)
    found = read_status(folder, load_settings(folder).journal_url)
    typer.echo(json.dumps(found, indent=2) if as_json else _status_lines(found))
    if found["release"] is None:
        raise typer.Exit(1)


@app.command()
def verify(home: Home = None) -> None:
    """Walk the chain of releases; exit 1 and name the first that was altered."""
    from store.releases import ReleaseStore  # noqa: PLC0415  # the store opens only where it is asked
    from store.status import witnesses  # noqa: PLC0415  # as above

    folder = home_folder(home)
    problem = ReleaseStore(folder).verify(witnesses(folder, load_settings(folder).journal_url))
    typer.echo("The chain of releases is whole." if problem is None else f"error: {problem}", err=problem is not None)
    if problem is not None:
        raise typer.Exit(1)


@app.command()
def export(
    table: Annotated[str, typer.Argument(help="forecasts, trajectories, scores, alerts, track_record, observations …")],
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv, .xlsx or .parquet.")],
    home: Home = None,
) -> None:
    """Write one table of the current release to a file, with citations and licences inside and beside it."""
    from store.export import write_export  # noqa: PLC0415  # the store opens only where it is asked

    about = write_export(current_release(home), table, out)
    typer.echo(f"{out} written; what must be known about it: {about.name}")


@snapshot_app.command("build")
def snapshot_build(
    raw: Annotated[Path, typer.Argument(help="Folder of the publishers' files.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = SNAPSHOT,
) -> None:
    """Tabulate the publishers' files into the bundled snapshot: the same bytes each time."""
    from ingest.snapshot import build  # noqa: PLC0415  # parsers are not needed by other commands

    with progress_bar() as progress:
        report = build(raw, out, progress=progress)
    typer.echo(report.summary())


def _status_lines(found: dict[str, Any]) -> str:
    release = found["release"]
    if release is None:
        return f"No release in {found['home']}. Run 'vigie nightly'."
    lines = [f"Release {release['run_id']}, as known on {release['as_of']}"]
    lines += [
        f"  {source['source_id']:20} {source['state']:10} to {source['last_period']}" for source in found["sources"]
    ]
    levels = found["alerts"]
    lines.append("Alerts: " + (", ".join(f"{count} {level}" for level, count in levels.items()) or "none"))
    if found["last_run"]:
        lines.append(f"Last run: {found['last_run']['at']}, {found['last_run']['outcome']}")
    return "\n".join(lines)


def main(run: Callable[[], None] = app) -> None:
    """Entry point: a person's mistake gets a sentence and exit 1, never a traceback."""
    configure_logging()
    try:
        run()
    except VigieError as error:
        if not sys.stderr.isatty():
            get_logger().error("stopped", error=str(error), kind=type(error).__name__)
        else:
            typer.echo(f"error: {error}", err=True)
        sys.exit(EXIT_NOTHING_PUBLISHED)
    except KeyboardInterrupt:
        typer.echo("stopped by hand; nothing was published", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()

"""The command ``vigie``: parses, calls, prints. What happens is decided in the rooms."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import access, alerts, briefing, deliver, health, keeping, serve, store
from commands.shared import Home, current_release
from core.errors import InputError, StoreError, VigieError
from core.log import configure_logging, get_logger
from core.progress import progress_bar
from core.settings import SNAPSHOT, home_folder, load_settings

if TYPE_CHECKING:
    from forecasting.runs import Made

_MOST_NAMED = 5
EXIT_PUBLISHED, EXIT_NOTHING_PUBLISHED, EXIT_DEGRADED = 0, 1, 3

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
snapshot_app = typer.Typer(no_args_is_help=True, help="The figures bundled in data/.")
app.add_typer(snapshot_app, name="snapshot")
app.add_typer(alerts.app, name="alerts")
app.add_typer(store.app, name="store")
app.command()(deliver.deliver)
app.command()(briefing.briefing)
app.command()(health.health)
app.command()(keeping.backup)
app.command()(keeping.restore)
app.command()(keeping.prune)
app.command()(serve.dashboard)
app.command()(access.audit)

Panel = Annotated[Path, typer.Option("--panel", help="CSV with series_id,time_period,value and grouping columns.")]
Out = Annotated[Path, typer.Option("--out", help="Parquet file to write.")]
Models = Annotated[str, typer.Option("--models", help="Comma-separated: ensemble,baseline,snaive,ets,…")]
Totals = Annotated[str | None, typer.Option("--totals", help="Forecast the sums by this column too.")]


class Engine(StrEnum):
    """Where the fits run: on this machine, or through Fugue on a cluster."""

    local = "local"
    dask = "dask"
    ray = "ray"
    spark = "spark"


RunsOn = Annotated[
    Engine,
    typer.Option("--engine", help="Where the fits run; a cluster needs the packages of requirements-<engine>.txt."),
]


def _as_date(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: not a date; write it as 2025-01-31") from None


@app.command()
def nightly(
    home: Home = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Replay the night of this date; default: today.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask publishers for their newest figures first.")] = False,
) -> None:
    """Make one release. Exit 0: published; 1: nothing published; 3: published with degraded sources."""
    from nightly import run_night  # noqa: PLC0415  # the engine takes seconds to import; other commands go without

    folder = home_folder(home)
    with progress_bar() as progress:
        result = run_night(folder, load_settings(folder), _as_date(as_of, "--as-of"), live=live, progress=progress)
    for line in result.summary():
        typer.echo(line)
    raise typer.Exit(EXIT_DEGRADED if result.degraded else EXIT_PUBLISHED)


@app.command()
def demonstrate(home: Home = None) -> None:
    """Where there is no release yet, replay the newest night on which all bundled routes were fresh."""
    from nightly import run_demonstration  # noqa: PLC0415  # the engine takes seconds to import

    folder = home_folder(home)
    with progress_bar() as progress:
        result = run_demonstration(folder, load_settings(folder), progress=progress)
    if result is None:
        typer.echo(f"{folder} already holds a release: it is shown as it is.")
        return
    for line in result.summary():
        typer.echo(line)


@app.command()
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
        _ingest_live(source or [], _as_date(replay, "--replay"), home_folder(home))


def _ingest_live(sources: list[str], replayed: dt.date | None, folder: Path) -> None:
    from nightly import ingest_live  # noqa: PLC0415  # parsers are not needed by other commands

    with progress_bar() as progress:
        report = ingest_live(folder, load_settings(folder), sources, replayed=replayed, progress=progress)
    for line in report.summary():
        typer.echo(line, err=line.startswith("failed"))
    if report.failed:
        raise typer.Exit(EXIT_DEGRADED if report.taken else EXIT_NOTHING_PUBLISHED)


def _ingest_own(file: list[str], mapping: Path, folder: Path) -> None:
    from nightly import ingest_own, load_bundled  # noqa: PLC0415  # parsers are not needed by other commands

    if not file:
        raise InputError("ingest: --mapping describes own figures: name them with --file PATH")
    load_bundled(folder, load_settings(folder).journal_url)
    for path in file:
        typer.echo(ingest_own(folder, Path(path), mapping).summary())


def _ingest_files(file: list[str], folder: Path) -> None:
    from nightly import ingest_file, load_bundled  # noqa: PLC0415  # parsers are not needed by other commands

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


@app.command()
def backtest(  # noqa: PLR0913, PLR0917  # one parameter per documented option
    panel: Panel,
    out: Out,
    origins: Annotated[int, typer.Option("--origins", min=1, help="How many past origins.")] = 60,
    step: Annotated[int, typer.Option("--step", min=1, help="Periods between origins.")] = 1,
    horizons: Annotated[str, typer.Option("--horizons", help="Comma-separated periods ahead.")] = "1,3,6,12",
    models: Models = "ensemble,baseline",
    totals: Totals = None,
    engine: RunsOn = Engine.local,
    home: Home = None,
) -> None:
    """Forecast a panel from past origins, as if each were today."""
    from forecasting.distributed import workers_of  # noqa: PLC0415  # the engine takes seconds to import
    from forecasting.runs import backtest_file  # noqa: PLC0415  # as above
    from store.fits import FitStore  # noqa: PLC0415  # as above

    steps = _horizons(horizons)
    with progress_bar() as progress, workers_of(engine.value) as workers:
        made = backtest_file(
            panel,
            origins=origins,
            step=step,
            horizons=steps,
            models=_names(models),
            totals=totals,
            workers=workers,
            fits=FitStore(home_folder(home)),
            progress=partial(progress, "Forecasting past origins"),
        )
    _write(made, out, f"Past forecasts of {panel.name} from {origins} origins by {models}")


@app.command()
def forecast(
    panel: Panel,
    out: Out,
    horizon: Annotated[int, typer.Option("--horizon", min=1, help="Periods ahead.")] = 12,
    models: Models = "ensemble,baseline",
    totals: Totals = None,
    engine: RunsOn = Engine.local,
    home: Home = None,
) -> None:
    """Forecast a panel from its last period."""
    from forecasting.distributed import workers_of  # noqa: PLC0415  # the engine takes seconds to import
    from forecasting.runs import forecast_file  # noqa: PLC0415  # as above
    from store.fits import FitStore  # noqa: PLC0415  # as above

    with progress_bar() as progress, workers_of(engine.value) as workers:
        made = forecast_file(
            panel,
            horizon=horizon,
            models=_names(models),
            totals=totals,
            workers=workers,
            fits=FitStore(home_folder(home)),
            progress=partial(progress, "Forecasting"),
        )
    _write(made, out, f"Forecasts of {panel.name} by {models}")


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


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _horizons(text: str) -> list[int]:
    try:
        steps = sorted({int(part) for part in _names(text)})
    except ValueError:
        steps = []
    if not steps or steps[0] < 1:
        raise InputError(f"--horizons {text}: write whole numbers of periods ahead, such as 1,3,6,12")
    return steps


def _write(made: Made, out: Path, title: str) -> None:
    from forecasting.quantiles import row_blocks  # noqa: PLC0415  # the engine takes seconds to import
    from store.forecast_file import write_forecasts  # noqa: PLC0415  # the store opens only where it is asked

    about = "\n".join([title, "", *(made.account.lines() or ["Nothing stands out."])]) + "\n"
    try:
        rows, beside = write_forecasts(row_blocks(made.table), about, out)
    except StoreError as error:
        raise InputError(f"--out {error}") from None
    typer.echo(f"{rows:,} rows of {made.account.series:,} series written to {out}")
    for line in made.account.lines(names=_MOST_NAMED):
        typer.echo(f"  {line}")
    typer.echo(f"What must be known about them: {beside}")


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

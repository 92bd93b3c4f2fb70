"""``vigie hub``: run a forecast hub in hubverse's format, Vigie's own or another."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING, Annotated

import typer

from cli import EXIT_DEGRADED, EXIT_NOTHING_PUBLISHED, VAR, AsJson, Group, Home, as_date, current_release, echo_json
from core.errors import InputError
from core.log import counted, get_logger
from core.routes import region_of
from core.settings import load_settings

if TYPE_CHECKING:
    from nightly import RealTimeData
    from store.releases import Release

app = typer.Typer(cls=Group, help="Run a forecast hub: create, submit, validate, collect, combine and score.")
Place = Annotated[str, typer.Argument(metavar="DIR", help="Folder of the hub.")]
Anywhere = Annotated[str, typer.Argument(metavar="DIR", help="Folder of the hub, or an fsspec address.")]
_MOST_PRINTED = 200
MONTHS_OF_VINTAGES = 60
"""Month ends before the release whose state of knowledge is written out: what the past rounds of a hub rest on."""
OLDEST_MONTHS = 6
"""Age beyond which a route is not forecast; here only series that a release forecasts are asked for."""


@app.command()
def init(
    place: Place,
    name: Annotated[str, typer.Option("--name", help="Name of the hub.")] = "Migration forecast hub",
    home: Home = VAR,
) -> None:
    """Create a hub for the series of the current release: configuration, guide, templates, licence."""
    from hub.night import init_hub

    written = init_hub(Path(place).expanduser(), current_release(home), name)
    typer.echo(f"{place}: {len(written)} files written. Next: vigie hub submit {place}")


@app.command()
def submit(place: Place, home: Home = VAR) -> None:
    """Submit the current release's forecasts, with metadata and target data."""
    from hub.night import submit as hand_in
    from reports.documents import ALL_MODELS

    release = current_release(home)
    typer.echo("\n".join(hand_in(place, release, known_on(release, home), ALL_MODELS)))


def known_on(release: Release, home: Path) -> RealTimeData:
    """Return what was known on a release's day and at the month ends before it, on which past rounds rest."""
    from nightly import RealTimeData
    from store.figures import VintageStore

    regions = set(map(region_of, release.read("routes", ["route_id"])["route_id"]))
    history = VintageStore(home).history()
    return RealTimeData(history, release.as_of, OLDEST_MONTHS, MONTHS_OF_VINTAGES, regions=regions)


@app.command()
def validate(
    place: Anywhere,
    files: Annotated[
        Path | None, typer.Option("--files", help="Text file with the paths to check, one a line; each must exist.")
    ] = None,
    received: Annotated[
        str | None,
        typer.Option(
            "--received", metavar="DATE", help="Date of receipt: submissions to rounds closed then are faults."
        ),
    ] = None,
    as_json: AsJson = False,
    _home: Home = VAR,
) -> None:
    """Validate configuration, metadata and submissions.

    Exit codes: 0 every rule is kept; 1 a rule is broken.
    """
    from hub.files import validate as check
    from store.hub import HubFiles

    try:
        lines = None if files is None else files.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--files {files}: {error}") from None
    only = None if lines is None else [normpath(line) for line in lines if line.strip()]
    faults, looked_at = check(HubFiles(place), only, as_date(received, "--received"))
    if as_json:
        found = [{"file": one.file, "row": one.row, "column": one.column, "rule": str(one.rule)} for one in faults]
        echo_json({"files": looked_at, "faults": found})
        raise typer.Exit(EXIT_NOTHING_PUBLISHED if faults else 0)
    for fault in faults[:_MOST_PRINTED]:
        get_logger().error("refused", text=str(fault))
    if len(faults) > _MOST_PRINTED:
        get_logger().error("refused", text=f"and {len(faults) - _MOST_PRINTED:,} more")
    if faults:
        raise typer.Exit(EXIT_NOTHING_PUBLISHED)
    typer.echo(f"{place}: {looked_at:,} files checked: every rule is kept")


@app.command()
def collect(
    place: Anywhere,
    received: Annotated[
        str | None, typer.Option("--received", metavar="DATE", help="Date of receipt; default: today.")
    ] = None,
    home: Home = VAR,
) -> None:
    """Collect new submissions of other teams.

    Exit codes: 0 all collected; 1 no hub; 3 some files were rejected, each is named.
    """
    from hub.night import collect as take_in
    from store.hub import record_receipts
    from store.journal import opened_journal

    day = as_date(received, "--received") or dt.datetime.now(dt.UTC).date()
    found = take_in(place, home, day)
    if found.added:
        with opened_journal(load_settings(home).journal_url, home) as journal:
            record_receipts(journal, found.added)
    for line in found.summary():
        typer.echo(line, err=line.startswith("refused"))
    if found.refused:
        raise typer.Exit(EXIT_DEGRADED)


@app.command()
def combine(place: Place, _home: Home = VAR) -> None:
    """Write the hub's ensembles: the median of quantiles, and a mean weighted by past scores."""
    from hub.night import combine_hub
    from store.hub import HubFiles

    files = combine_hub(place)
    HubFiles(place).write(files)
    written = counted(sum(path.endswith(".parquet") for path in files), "submission")
    typer.echo(f"{place}: {written} of the hub's ensembles written")


@app.command()
def score(
    place: Anywhere,
    baseline: Annotated[
        str, typer.Option("--baseline", help="Model that all others are compared with.")
    ] = "vigie-baseline",
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for the whole league table.")] = None,
    as_json: AsJson = False,
    _home: Home = VAR,
) -> None:
    """Score all submissions of a hub: pairwise relative WIS, coverage, missing forecasts."""
    from hub.files import score_hub
    from store import write_bytes
    from store.hub import HubFiles

    table = score_hub(HubFiles(place), baseline)
    if out is not None:
        write_bytes(out.expanduser(), table.to_csv(index=False).encode(), private=False)
    if as_json:
        typer.echo(table.to_json(orient="records", indent=2, force_ascii=False))
        return
    for row in table[table["kind"] == "all"].sort_values("pairwise_wis").to_dict("records"):
        typer.echo(
            f"{row['model_id']:34} {row['pairwise_wis']:7.3f}  80 %: {row['coverage_80']:5.2f}  "
            f"{row['n']:,} scored, {row['missing']:,} missing"
        )


@app.command()
def prove(
    model: Annotated[str, typer.Argument(help="Model of the hub, such as vigie-ensemble.")],
    round_id: Annotated[str, typer.Argument(metavar="ROUND", help="Round, by the date of its origin.")],
    home: Home = VAR,
) -> None:
    """Print the hashes that prove that a forecast was made before the outcome was known."""
    from store.hub import prove as find

    typer.echo("\n".join(find(home, model, round_id)))

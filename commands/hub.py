"""``vigie hub``: the open forecast hub, Vigie's own or any other of hubverse's format."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from posixpath import normpath
from typing import Annotated

import typer

from commands import EXIT_DEGRADED, EXIT_NOTHING_PUBLISHED, Home, as_date, current_release
from core.errors import InputError
from core.log import counted
from core.settings import home_folder

app = typer.Typer(no_args_is_help=True, help="The open forecast hub: begin one, submit, validate, collect.")
Place = Annotated[str, typer.Argument(metavar="DIR", help="The hub's folder.")]
Anywhere = Annotated[str, typer.Argument(metavar="DIR", help="The hub's folder, or any fsspec address.")]
_MOST_PRINTED = 200


@app.command()
def init(
    place: Place,
    name: Annotated[str, typer.Option("--name", help="The hub's name.")] = "Migration forecast hub",
    home: Home = None,
) -> None:
    """Write a new hub for what the current release forecasts: configuration, guide, templates, licence."""
    from nightly.hub import init_hub

    written = init_hub(Path(place).expanduser(), current_release(home), name)
    typer.echo(f"{place}: {len(written)} files written. Next: vigie hub submit {place}")


@app.command()
def submit(place: Place, home: Home = None) -> None:
    """Hand in the current release's forecasts, with metadata and target data."""
    from nightly.hub import submit as hand_in

    for line in hand_in(place, current_release(home), home_folder(home)):
        typer.echo(line)


@app.command()
def validate(
    place: Anywhere,
    files: Annotated[
        Path | None, typer.Option("--files", help="Text file: only these paths, one a line; each must be there.")
    ] = None,
    received: Annotated[
        str | None, typer.Option("--received", help="Day of receipt: rounds closed on it are a fault.")
    ] = None,
) -> None:
    """Check configuration, metadata and submissions; exit 1 where anything breaks a rule."""
    from nightly.hub import validate as check

    try:
        only = None if files is None else _paths(files.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--files {files}: {error}") from None
    found = check(place, only, as_date(received, "--received"))
    for fault in found.faults[:_MOST_PRINTED]:
        typer.echo(f"error: {fault}", err=True)
    if len(found.faults) > _MOST_PRINTED:
        typer.echo(f"error: and {len(found.faults) - _MOST_PRINTED:,} more", err=True)
    if found.faults:
        raise typer.Exit(EXIT_NOTHING_PUBLISHED)
    typer.echo(f"{place}: {found.files:,} files checked: every rule is kept")


def _paths(text: str) -> list[str]:
    """Paths of a list, one a line, as a hub's files are named."""
    return [normpath(line) for line in text.splitlines() if line.strip()]


@app.command()
def collect(
    place: Anywhere,
    received: Annotated[str | None, typer.Option("--received", help="Day of receipt; default: today.")] = None,
    home: Home = None,
) -> None:
    """Take in what is new, as it came. Exit 0: all; 3: some files were refused, each is named; 1: no hub."""
    from nightly.hub import collect as take_in

    day = as_date(received, "--received") or dt.datetime.now(dt.UTC).date()
    found = take_in(place, home_folder(home), day)
    for line in found.summary():
        typer.echo(line, err=line.startswith("refused"))
    if found.refused:
        raise typer.Exit(EXIT_DEGRADED)


@app.command()
def combine(place: Place) -> None:
    """Write the hub's ensembles of what was submitted: the median of quantiles, and a mean weighted by past scores."""
    from nightly.hub_combined import combine_hub
    from store.hub import HubFiles

    files = combine_hub(place)
    HubFiles(place).write(files)
    written = counted(sum(path.endswith(".parquet") for path in files), "submission")
    typer.echo(f"{place}: {written} of the hub's ensembles written")


@app.command()
def score(
    place: Anywhere,
    baseline: Annotated[str, typer.Option("--baseline", help="Model that all are measured by.")] = "vigie-baseline",
    out: Annotated[Path | None, typer.Option("--out", help="CSV to write the whole league table to.")] = None,
) -> None:
    """Score every submission of a hub against its oracle output: pairwise relative WIS, coverage, missing forecasts."""
    from nightly.hub_combined import score_hub
    from store import write_bytes

    table = score_hub(place, baseline)
    if out is not None:
        write_bytes(out.expanduser(), table.to_csv(index=False, float_format="%.6g").encode())
    first = table[table["kind"] == "all"].sort_values("pairwise_wis")
    for row in first.to_dict("records"):
        typer.echo(
            f"{row['model_id']:34} {row['pairwise_wis']:7.3f}  80 %: {row['coverage_80']:5.2f}  "
            f"{row['n']:,} scored, {row['missing']:,} missing"
        )


@app.command()
def prove(
    model: Annotated[str, typer.Argument(help="A model of the hub, such as vigie-ensemble.")],
    round_id: Annotated[str, typer.Argument(metavar="ROUND", help="The round: its origin's day.")],
    home: Home = None,
) -> None:
    """Print the hashes that prove that a forecast stood before the fact."""
    from store.hub import prove as find

    for proof in find(home_folder(home), model, round_id):
        for line in proof.lines():
            typer.echo(line)

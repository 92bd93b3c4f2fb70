"""``vigie audit``: who signed in, was refused, acted, took files away."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.shared import Home
from core.settings import home_folder, load_settings


def audit(
    home: Home = None, most: Annotated[int, typer.Option("--most", min=1, help="Newest rows to show.")] = 200
) -> None:
    """Print what people who signed in did, the newest first. For those who may read the home folder."""
    from access.audit import access_rows, describe  # noqa: PLC0415  # the desk opens only where it is asked
    from desk.open import open_desk  # noqa: PLC0415  # as above

    folder = home_folder(home)
    with open_desk(folder, load_settings(folder)) as desk:
        rows = access_rows(desk.journal)[:most]
    for row in rows:
        typer.echo(f"{row.at:%Y-%m-%d %H:%M:%S} {row.actor:32} {row.action:16} {describe(row)}".rstrip())
    if not rows:
        typer.echo("Nobody has signed in yet.")

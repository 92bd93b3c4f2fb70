"""``vigie access``: the audit log of people who sign in, and the end of their logins."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import AsJson, Group, Home, Reason, acting_here, echo_entries, existing_home
from core.log import counted, one_line
from core.settings import load_settings

app = typer.Typer(cls=Group, help="Show who signed in and what they did; sign people out.")


@app.command()
def audit(
    home: Home = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Maximum number of rows to show.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Show sign-ins, refusals, actions and downloads, newest first."""
    from access.sessions import access_rows, describe
    from decisions import open_workflow

    folder = existing_home(home)
    with open_workflow(folder, load_settings(folder)) as workflow:
        rows = access_rows(workflow.journal)[:most]
    if as_json:
        echo_entries(rows)
        return
    for row in rows:
        typer.echo(one_line(f"{row.at:%Y-%m-%d %H:%M:%S} {row.actor:32} {row.action:16} {describe(row)}".rstrip()))
    if not rows:
        typer.echo("No logins yet.")


@app.command()
def sign_out(
    person: Annotated[str, typer.Argument(help="Name as 'vigie access audit' shows it, or issuer|subject.")],
    reason: Reason,
    home: Home = None,
) -> None:
    """End all logins of a person, on open pages too.

    Roles are removed in settings.toml or at the identity provider.
    """
    from access.sessions import revoke
    from decisions import open_workflow

    folder = existing_home(home)
    settings = load_settings(folder)
    with open_workflow(folder, settings) as workflow:
        count = revoke(workflow.journal, person, acting_here(settings.access), reason)
    typer.echo(f"{counted(count, 'login')} of {person} ended.")

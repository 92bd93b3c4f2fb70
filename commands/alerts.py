"""``vigie alerts`` and ``vigie deliver``: the inbox at the command line. The same checks hold as on the page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from alerts import lifecycle
from commands.shared import AsJson, Home, RouteName, current_release, echo_entries, existing_home, of_route
from core.errors import InputError
from core.log import counted, one_line
from core.routes import is_route, spelled
from core.settings import home_folder, load_settings

if TYPE_CHECKING:
    from workflow import Workflow
    from workflow.decisions import Outcome

app = typer.Typer(invoke_without_command=True, help="Alerts: list, sign off, acknowledge, dismiss, comment, dissent.")

EXIT_SOME_WAIT = 3

AlertId = Annotated[str, typer.Argument(metavar="ID", help="An alert_id, as 'vigie alerts' lists them.")]
Name = Annotated[str, typer.Option("--as", help="Your name: kept with the step. Not taken where people sign in.")]
Why = Annotated[str, typer.Option("--why", help="Your reason: kept with the step.")]
NoSend = Annotated[bool, typer.Option("--no-send", help="Leave messages in the outbox; 'vigie deliver' sends them.")]


@app.callback()
def list_alerts(
    context: typer.Context,
    home: Home = None,
    route: RouteName = "",
    as_json: AsJson = False,
) -> None:
    """Print the current release's alerts: level, state, subject, sentence, and below each its ID."""
    context.obj = home
    if context.invoked_subcommand is not None:
        return
    from workflow.decisions import state_of

    release = current_release(home)
    rows = of_route(release.read("alerts"), route).to_dict("records")
    with open_desk(home) as desk:
        states = [state_of(desk, str(row["alert_id"]), str(row["alert_level"])) for row in rows]
        if as_json:
            found = [row | {"status": state.status} for row, state in zip(rows, states, strict=True)]
            typer.echo(pd.DataFrame(found).to_json(orient="records", indent=2, force_ascii=False))
            return
        if not rows:
            typer.echo(f"No alert of {route or 'any route'} in release {release.run_id}.")
        for row, state in zip(rows, states, strict=True):
            subject = spelled(row["route_id"]) if is_route(row["route_id"]) else row["source_id"]
            typer.echo(one_line(f"{row['alert_level']:8} {_status_words(state):24} {subject:27} {row['reason']}"))
            typer.echo(one_line(f"{'':8} {row['alert_id']}"))


@app.command("sign-off")
def sign_off(
    context: typer.Context, alert_id: AlertId, why: Why, name: Name = "", home: Home = None, no_send: NoSend = False
) -> None:
    """Sign an alert off, so that its messages are sent. A severe one needs two different people."""
    _act(context, home, alert_id, lifecycle.SIGNED_OFF, name, why, send=not no_send)


@app.command()
def acknowledge(context: typer.Context, alert_id: AlertId, why: Why, name: Name = "", home: Home = None) -> None:
    """Say that a signed-off alert is known and taken care of."""
    _act(context, home, alert_id, lifecycle.ACKNOWLEDGED, name, why)


@app.command()
def dismiss(
    context: typer.Context, alert_id: AlertId, why: Why, name: Name = "", home: Home = None, no_send: NoSend = False
) -> None:
    """Put an alert aside; who was told of it is told that it is withdrawn."""
    _act(context, home, alert_id, lifecycle.DISMISSED, name, why, send=not no_send)


@app.command()
def comment(context: typer.Context, alert_id: AlertId, why: Why, name: Name = "", home: Home = None) -> None:
    """Add a comment."""
    _act(context, home, alert_id, lifecycle.COMMENTED, name, why)


@app.command()
def dissent(context: typer.Context, alert_id: AlertId, why: Why, name: Name = "", home: Home = None) -> None:
    """File dissent: it stays visible beside the alert until it is answered."""
    _act(context, home, alert_id, lifecycle.DISSENTED, name, why)


@app.command()
def correct(context: typer.Context, alert_id: AlertId, why: Why, name: Name = "", home: Home = None) -> None:
    """File a correction of a figure: it stays visible beside the alert until it is answered."""
    _act(context, home, alert_id, lifecycle.CORRECTION, name, why)


@app.command()
def answer(
    context: typer.Context,
    alert_id: AlertId,
    number: Annotated[
        int, typer.Option("--number", help="Number of the dissent or correction, as 'history' shows it.")
    ],
    why: Why,
    name: Name = "",
    home: Home = None,
) -> None:
    """Answer dissent or a correction."""
    _act(context, home, alert_id, lifecycle.ANSWERED, name, why, payload={"answers": number})


@app.command()
def history(context: typer.Context, alert_id: AlertId, home: Home = None, as_json: AsJson = False) -> None:
    """Print everything that the journal holds about an alert, oldest first."""
    from workflow.decisions import state_of

    with open_desk(home or context.obj) as desk:
        entries = desk.journal.entries(subject=alert_id)
        if not entries and alert_id not in set(current_release(desk.home).read("alerts")["alert_id"]):
            raise InputError(f"{alert_id}: the journal holds nothing of it; 'vigie alerts' lists what stands now")
        if as_json:
            echo_entries(entries)
            return
        for entry in entries:
            kind = entry.payload.get("kind") or entry.payload.get("level") or ""
            what = f"{entry.action} {kind}".strip()
            typer.echo(one_line(f"{entry.id:6} {entry.at:%Y-%m-%d %H:%M} {entry.actor:20} {what:24} {entry.reason}"))
        state = state_of(desk, alert_id)
        typer.echo(one_line(f"now: {_status_words(state) or 'nothing is recorded'}"))


def deliver(home: Home = None) -> None:
    """Send the messages that are due. Exit 0: all are sent or held back; 3: an attempt failed, now or before."""
    from workflow.sending import send_waiting

    with open_desk(home) as desk:
        report = send_waiting(desk, wait_seconds=desk.settings.delivery.longest_seconds)
    for line in report.summary():
        typer.echo(one_line(line))
    if report.failed or report.given_up or report.failing:
        raise typer.Exit(EXIT_SOME_WAIT)


@contextmanager
def open_desk(home: Path | None) -> Iterator[Workflow]:
    """The workflow of a home folder, as an option names it."""
    from workflow import open_workflow

    folder = existing_home(home)
    if os.geteuid() == 0 and (owner := folder.stat().st_uid):
        raise InputError(f"{folder} belongs to user {owner}, who could not write root's files: sudo -u '#{owner}' …")
    with open_workflow(folder, load_settings(folder)) as desk:
        yield desk


def _act(  # noqa: PLR0913  # one parameter per option of the commands
    context: typer.Context,
    home: Path | None,
    alert_id: str,
    action: str,
    name: str,
    why: str,
    *,
    send: bool = False,
    payload: dict[str, Any] | None = None,
) -> None:
    from access.roles import shell_actor
    from workflow.decisions import Step, act
    from workflow.sending import send_waiting

    folder = home_folder(home or context.obj)
    release = current_release(folder)
    with open_desk(folder) as desk:
        actor = shell_actor(desk.settings.access, name)
        outcome = act(desk, release, alert_id, Step(actor, action, why, payload=payload or {}))
        for line in _outcome_lines(action, outcome):
            typer.echo(one_line(line))
        if send and outcome.announced:
            for line in send_waiting(desk, wait_seconds=desk.settings.delivery.longest_seconds).summary():
                typer.echo(one_line(line))


def _outcome_lines(action: str, outcome: Outcome) -> list[str]:
    lines = [f"{action}: recorded; the alert is {_status_words(outcome.state)}"]
    if outcome.held_until is not None:
        lines.append(f"silence until {outcome.held_until:%Y-%m-%d %H:%M} UTC: its messages wait until then")
    if outcome.why_not:
        lines.append(f"nothing is sent: {outcome.why_not}")
    return lines


def _status_words(state: lifecycle.State) -> str:
    missing = state.sign_offs_missing
    words = f"{state.status}, {missing} to sign" if missing else state.status
    return f"{words}, {counted(len(state.objections), 'open objection')}" if state.objections else words

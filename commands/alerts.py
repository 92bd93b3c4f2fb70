"""``vigie alerts``, ``deliver`` and ``outbox``: the inbox at the command line, and what waits to be sent.

The same checks hold as on the page.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from alerts import lifecycle
from commands import AsJson, Home, RouteName, current_release, echo_entries, existing_home, of_route
from core.errors import InputError
from core.log import counted, one_line
from core.routes import is_route, spelled
from core.settings import home_folder, load_settings

if TYPE_CHECKING:
    from store.outbox import OutboxMessage
    from workflow import Workflow
    from workflow.decisions import Outcome

app = typer.Typer(invoke_without_command=True, help="Alerts: list, sign off, acknowledge, dismiss, comment, dissent.")
outbox_app = typer.Typer(invoke_without_command=True, help="Messages that wait to be sent: list, send now, drop.")

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
    from reports.alert import CONTEXT
    from workflow.decisions import state_of

    release = current_release(home)
    rows = of_route(release.read("alerts"), route).to_dict("records")
    with opened_workflow(home) as workflow:
        states = [state_of(workflow, str(row["alert_id"]), str(row["alert_level"])) for row in rows]
        if as_json:
            found = [
                row | {"status": state.status, "informs": row["rule"] in CONTEXT}
                for row, state in zip(rows, states, strict=True)
            ]
            typer.echo(pd.DataFrame(found).to_json(orient="records", indent=2, force_ascii=False))
            return
        if not rows:
            typer.echo(f"No alert of {route or 'any route'} in release {release.run_id}.")
        for row, state in zip(rows, states, strict=True):
            subject = spelled(row["route_id"]) if is_route(row["route_id"]) else row["source_id"]
            typer.echo(one_line(f"{row['alert_level']:8} {_stands(row, state):24} {subject:27} {row['reason']}"))
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

    with opened_workflow(home or context.obj) as workflow:
        entries = workflow.journal.entries(subject=alert_id)
        if not entries and alert_id not in set(current_release(workflow.home).read("alerts")["alert_id"]):
            raise InputError(f"{alert_id}: the journal holds nothing of it; 'vigie alerts' lists what stands now")
        if as_json:
            echo_entries(entries)
            return
        for entry in entries:
            kind = entry.payload.get("kind") or entry.payload.get("level") or ""
            what = f"{entry.action} {kind}".strip()
            typer.echo(one_line(f"{entry.id:6} {entry.at:%Y-%m-%d %H:%M} {entry.actor:20} {what:24} {entry.reason}"))
        state = state_of(workflow, alert_id)
        typer.echo(one_line(f"now: {_status_words(state) or 'nothing is recorded'}"))


def deliver(home: Home = None) -> None:
    """Send the messages that are due. Exit 0: all are sent or held back; 3: an attempt failed, now or before."""
    from workflow.sending import send_waiting

    with opened_workflow(home) as workflow:
        report = send_waiting(workflow, wait_seconds=workflow.settings.delivery.longest_seconds)
    for line in report.summary():
        typer.echo(one_line(line))
    if report.failed or report.given_up or report.failing:
        raise typer.Exit(EXIT_SOME_WAIT)


@contextmanager
def opened_workflow(home: Path | None) -> Iterator[Workflow]:
    """The workflow of a home folder, as an option names it."""
    from workflow import open_workflow

    folder = existing_home(home)
    if os.geteuid() == 0 and (owner := folder.stat().st_uid):
        raise InputError(f"{folder} belongs to user {owner}, who could not write root's files: sudo -u '#{owner}' …")
    with open_workflow(folder, load_settings(folder)) as workflow:
        yield workflow


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
    from access import shell_actor
    from workflow.decisions import Step, act
    from workflow.sending import send_waiting

    folder = home_folder(home or context.obj)
    release = current_release(folder)
    with opened_workflow(folder) as workflow:
        actor = shell_actor(workflow.settings.access, name)
        outcome = act(workflow, release, alert_id, Step(actor, action, why, payload=payload or {}))
        for line in _outcome_lines(action, outcome):
            typer.echo(one_line(line))
        if send and outcome.announced:
            for line in send_waiting(workflow, wait_seconds=workflow.settings.delivery.longest_seconds).summary():
                typer.echo(one_line(line))


def _outcome_lines(action: str, outcome: Outcome) -> list[str]:
    lines = [f"{action}: recorded; the alert is {_status_words(outcome.state)}"]
    if outcome.held_until is not None:
        lines.append(f"silence until {outcome.held_until:%Y-%m-%d %H:%M} UTC: its messages wait until then")
    if outcome.why_not:
        lines.append(f"nothing is sent: {outcome.why_not}")
    return lines


def _stands(row: Mapping[Any, Any], state: lifecycle.State) -> str:
    """Where an alert of the list stands; nobody is asked to sign what merely informs."""
    from reports.alert import CONTEXT

    informs = row["rule"] in CONTEXT and state.status == lifecycle.PROPOSED
    return "for information" if informs else _status_words(state)


def _status_words(state: lifecycle.State) -> str:
    missing = state.sign_offs_missing
    words = f"{state.status}, {missing} to sign" if missing else state.status
    return f"{words}, {counted(len(state.objections), 'open objection')}" if state.objections else words


NOW = "now"
MessageId = Annotated[str, typer.Argument(metavar="ID", help="A message's name, or its first letters.")]


@outbox_app.callback()
def list_messages(context: typer.Context, home: Home = None, as_json: AsJson = False) -> None:
    """Print the messages that wait: to whom, about what, how often tried, why it failed, when next."""
    context.obj = home
    if context.invoked_subcommand is not None:
        return
    with opened_workflow(home) as workflow:
        waiting = workflow.outbox.waiting()
    if as_json:
        typer.echo(json.dumps([_as_json(message) for message in waiting], indent=2))
        return
    now = dt.datetime.now(dt.UTC)
    for message in waiting:
        to = message.recipient or message.channel
        typer.echo(f"{message.message_id[:8]}  {message.kind:16} {message.subject:32} to {to}: {_why(message, now)}")
    typer.echo(f"{len(waiting)} waiting" + (": 'vigie outbox send now' tries all of them" if waiting else ""))


@outbox_app.command()
def send(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="now|ID", help="'now': all that wait; or one message's name.")] = NOW,
    home: Home = None,
) -> None:
    """Try now what waits after a failure or in a cooldown. Exit 3: some were not taken."""
    from workflow.sending import send_waiting

    with opened_workflow(home or context.obj) as workflow:
        chosen = (
            [one.message_id for one in workflow.outbox.waiting()]
            if which == NOW
            else [_find(workflow, which).message_id]
        )
        report = send_waiting(workflow, wait_seconds=workflow.settings.delivery.longest_seconds, at_once=chosen)
    for line in report.summary():
        typer.echo(line)
    if report.failed or report.given_up:
        raise typer.Exit(EXIT_SOME_WAIT)


@outbox_app.command()
def drop(
    context: typer.Context,
    message_id: MessageId,
    why: Why,
    name: Annotated[str, typer.Option("--as", help="Your name: kept with the step.")] = "",
    home: Home = None,
) -> None:
    """Take one message out: it is not sent. That, by whom and why stays in the journal."""
    from access import shell_actor
    from workflow.decisions import drop_message

    with opened_workflow(home or context.obj) as workflow:
        message, actor = _find(workflow, message_id), shell_actor(workflow.settings.access, name)
        if not (actor.name.strip() and why.strip()):
            raise InputError("give your name (--as) and a reason (--why): they are kept with the step")
        drop_message(workflow, actor, message, why)
    typer.echo(f"{message.message_id}: dropped")


def _find(workflow: Workflow, name: str) -> OutboxMessage:
    """The one waiting message whose name begins so.

    Raises:
        InputError: There is none, or more than one.
    """
    found = [one for one in workflow.outbox.waiting() if one.message_id.startswith(name)]
    if len(found) != 1:
        raise InputError(f"{name}: {len(found)} waiting messages begin so; 'vigie outbox' lists them")
    return found[0]


def _why(message: OutboxMessage, now: dt.datetime) -> str:
    if message.is_due(now):
        return f"due; failed before: {message.error}" if message.error else "due"
    if message.attempts:
        return f"attempt {message.attempts} failed: {message.error}; next from {message.next_at:%Y-%m-%d %H:%M} UTC"
    return f"held until {message.not_before:%Y-%m-%d %H:%M} UTC: recipients were recently told of the same matter"


def _as_json(message: OutboxMessage) -> dict[str, Any]:
    values = dataclasses.asdict(message)
    return {name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in values.items()}

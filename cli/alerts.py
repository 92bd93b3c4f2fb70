"""``vigie alerts`` and ``vigie outbox``: decide on alerts, and deliver their messages.

Decisions pass the same checks as on the page Alerts.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

import cli
from alerts import lifecycle
from cli import VAR, AsJson, Group, Home, Reason, RouteName
from core.errors import InputError
from core.log import counted, one_line
from core.routes import is_route, of_route, spelled

if TYPE_CHECKING:
    from decisions import Workflow
    from decisions.actions import Outcome
    from store.journal import OutboxMessage

app = typer.Typer(
    cls=Group, invoke_without_command=True, help="List alerts; sign off, acknowledge, dismiss, comment or dissent."
)
outbox_app = typer.Typer(
    cls=Group, invoke_without_command=True, help="List messages that are not sent; deliver or drop them."
)

EXIT_SOME_WAIT = 3

AlertId = Annotated[str, typer.Argument(metavar="ID", help="alert_id, as listed by 'vigie alerts'.")]
Name = Annotated[
    str, typer.Option("--as", metavar="NAME", help="Your name, kept in the journal. Rejected if a login is set up.")
]


@app.callback()
def list_alerts(context: typer.Context, home: Home = VAR, route: RouteName = "", as_json: AsJson = False) -> None:
    """List the alerts of the current release: level, state, subject, sentence, and ID."""
    if not cli.is_group_alone(context):
        return
    from decisions.actions import state_of
    from reports.alert import informs

    release = cli.current_release(home)
    rows = of_route(release.read("alerts"), route).to_dict("records")
    with cli.opened_workflow(home) as workflow:
        states = [state_of(workflow, str(row["alert_id"]), str(row["alert_level"])) for row in rows]
        if as_json:
            found = [
                row | {"status": "" if informs(row) else state.status} for row, state in zip(rows, states, strict=True)
            ]
            typer.echo(pd.DataFrame(found).to_json(orient="records", indent=2, force_ascii=False))
            return
        if not rows:
            typer.echo(f"No alert of {route or 'any route'} in release {release.run_id}.")
        for row, state in zip(rows, states, strict=True):
            subject = spelled(row["route_id"]) if is_route(row["route_id"]) else row["source_id"] or row["route_id"]
            typer.echo(one_line(f"{row['alert_level']:11} {_stands(row, state):24} {subject:27} {row['reason']}"))
            typer.echo(one_line(f"{'':11} {row['alert_id']}"))


def _add_command(name: str, action: str, text: str) -> None:
    """Add a command that takes a step about an alert; messages that it announces are sent."""

    def step(alert_id: AlertId, reason: Reason, name: Name = "", home: Home = VAR) -> None:
        _act(home, alert_id, action, name, reason)

    app.command(name, help=text)(step)


_add_command(
    "sign-off", lifecycle.SIGNED_OFF, "Sign off an alert and send its messages. A severe alert needs two people."
)
_add_command("acknowledge", lifecycle.ACKNOWLEDGED, "Acknowledge a signed-off alert: a responder is assigned.")
_add_command("dismiss", lifecycle.DISMISSED, "Dismiss an alert and notify its recipients.")
_add_command("comment", lifecycle.COMMENTED, "Add a comment to an alert.")
_add_command("dissent", lifecycle.DISSENTED, "File dissent, shown with the alert until it is answered.")
_add_command(
    "correct", lifecycle.CORRECTION, "File a correction of a figure, shown with the alert until it is answered."
)


@app.command()
def answer(
    alert_id: AlertId,
    number: Annotated[
        int, typer.Option("--number", help="Number of the dissent or correction, as shown by 'history'.")
    ],
    reason: Reason,
    name: Name = "",
    home: Home = VAR,
) -> None:
    """Answer a dissent or a correction."""
    _act(home, alert_id, lifecycle.ANSWERED, name, reason, payload={"answers": number})


@app.command()
def history(alert_id: AlertId, home: Home = VAR, as_json: AsJson = False) -> None:
    """Show all journal entries of an alert, oldest first."""
    from decisions.actions import state_of

    with cli.opened_workflow(home) as workflow:
        entries = workflow.journal.entries(subject=alert_id)
        if not entries and alert_id not in set(cli.current_release(workflow.home).read("alerts")["alert_id"]):
            raise InputError(f"{alert_id}: the journal holds nothing of it; 'vigie alerts' lists what stands now")
        if as_json:
            cli.echo_json([dataclasses.asdict(one) for one in entries])
            return
        for entry in entries:
            kind = entry.payload.get("kind") or entry.payload.get("level") or ""
            what = f"{entry.action} {kind}".strip()
            typer.echo(one_line(f"{entry.id:6} {entry.at:%Y-%m-%d %H:%M} {entry.actor:20} {what:24} {entry.reason}"))
        typer.echo(one_line(f"now: {_status_words(state_of(workflow, alert_id)) or 'nothing is recorded'}"))


def _act(
    home: Path,
    alert_id: str,
    action: str,
    name: str,
    reason: str,
    payload: dict[str, Any] | None = None,
) -> None:
    from access import shell_actor
    from decisions.actions import Step, act
    from decisions.sending import send_waiting

    release = cli.current_release(home)
    with cli.opened_workflow(home) as workflow:
        actor = shell_actor(workflow.settings.access, name)
        outcome = act(workflow, release, alert_id, Step(actor, action, reason, payload=payload or {}))
        typer.echo("\n".join(map(one_line, _outcome_lines(action, outcome))))
        if outcome.announced:
            report = send_waiting(workflow, wait_seconds=workflow.settings.delivery.longest_seconds)
            typer.echo("\n".join(map(one_line, report.summary())))


def _outcome_lines(action: str, outcome: Outcome) -> list[str]:
    lines = [f"{action}: recorded; the alert is {_status_words(outcome.state)}"]
    if outcome.held_until is not None:
        lines.append(f"silence until {outcome.held_until:%Y-%m-%d %H:%M} UTC: its messages wait until then")
    if outcome.why_not:
        lines.append(f"nothing is sent: {outcome.why_not}")
    return lines


def _stands(row: Mapping[Any, Any], state: lifecycle.State) -> str:
    """Return an alert's state in words; an alert that only informs needs no sign-off."""
    from reports.alert import informs

    return "for information" if informs(row) else _status_words(state)


def _status_words(state: lifecycle.State) -> str:
    missing = state.sign_offs_missing
    words = f"{state.status}, {missing} to sign" if missing else state.status
    return f"{words}, {counted(len(state.objections), 'open objection')}" if state.objections else words


MessageId = Annotated[str, typer.Argument(metavar="ID", help="ID of a message, or its first letters.")]


@outbox_app.callback()
def list_messages(context: typer.Context, home: Home = VAR, as_json: AsJson = False) -> None:
    """List messages that are not sent: recipient, subject, attempts, last error, next attempt."""
    if not cli.is_group_alone(context):
        return
    with cli.opened_workflow(home) as workflow:
        waiting = workflow.outbox.waiting()
    if as_json:
        cli.echo_json([dataclasses.asdict(message) for message in waiting])
        return
    now = dt.datetime.now(dt.UTC)
    for message in waiting:
        to = message.recipient or message.channel
        typer.echo(f"{message.message_id[:8]}  {message.kind:16} {message.subject:32} to {to}: {_why(message, now)}")
    typer.echo(f"{len(waiting)} waiting" + (": 'vigie outbox deliver --now' tries all of them" if waiting else ""))


@outbox_app.command()
def deliver(
    message_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Also send this message, although it is not due.")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Send all messages, also after a failed attempt or in a cooldown.")
    ] = False,
    home: Home = VAR,
) -> None:
    """Send the messages that are due.

    Exit codes: 0 all sent or held back; 1 error; 3 an attempt failed, now or before, and will be repeated.
    """
    from decisions.sending import send_waiting

    with cli.opened_workflow(home) as workflow:
        chosen = [_find(workflow, message_id).message_id] if message_id is not None else []
        if now:
            chosen = [one.message_id for one in workflow.outbox.waiting()]
        report = send_waiting(workflow, wait_seconds=workflow.settings.delivery.longest_seconds, at_once=chosen)
    typer.echo("\n".join(map(one_line, report.summary())))
    if report.failed or report.given_up or report.failing:
        raise typer.Exit(EXIT_SOME_WAIT)


@outbox_app.command()
def drop(message_id: MessageId, reason: Reason, name: Name = "", home: Home = VAR) -> None:
    """Drop a message: it is not sent. The journal keeps who dropped it and why."""
    from access import shell_actor
    from decisions.actions import drop_message

    with cli.opened_workflow(home) as workflow:
        message, actor = _find(workflow, message_id), shell_actor(workflow.settings.access, name)
        if not (actor.name.strip() and reason.strip()):
            raise InputError("give your name (--as) and a reason (--reason): they are kept with the step")
        drop_message(workflow, actor, message, reason)
    typer.echo(f"{message.message_id}: dropped")


def _find(workflow: Workflow, name: str) -> OutboxMessage:
    """Return the unsent message whose ID starts with ``name``.

    Raises:
        InputError: No message matches, or more than one.
    """
    if len(found := [one for one in workflow.outbox.waiting() if one.message_id.startswith(name)]) != 1:
        raise InputError(f"{name}: {len(found)} waiting messages begin so; 'vigie outbox' lists them")
    return found[0]


def _why(message: OutboxMessage, now: dt.datetime) -> str:
    if message.is_due(now):
        return f"due; failed before: {message.error}" if message.error else "due"
    if message.attempts:
        return f"attempt {message.attempts} failed: {message.error}; next from {message.next_at:%Y-%m-%d %H:%M} UTC"
    return f"held until {message.not_before:%Y-%m-%d %H:%M} UTC: recipients were recently notified of the same matter"

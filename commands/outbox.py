"""``vigie outbox``: what waits to be sent, why and until when; send now, or take out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.alerts import EXIT_SOME_WAIT, open_desk
from commands.shared import AsJson, Home
from core.errors import InputError

if TYPE_CHECKING:
    from store.outbox import OutboxMessage
    from workflow import Workflow

app = typer.Typer(invoke_without_command=True, help="Messages that wait to be sent: list, send now, drop.")
NOW = "now"
MessageId = Annotated[str, typer.Argument(metavar="ID", help="A message's name, or its first letters.")]


@app.callback()
def list_messages(context: typer.Context, home: Home = None, as_json: AsJson = False) -> None:
    """Print the messages that wait: to whom, about what, how often tried, why it failed, when next."""
    context.obj = home
    if context.invoked_subcommand is not None:
        return
    with open_desk(home) as desk:
        waiting = desk.outbox.waiting()
    if as_json:
        typer.echo(json.dumps([_as_json(message) for message in waiting], indent=2))
        return
    now = dt.datetime.now(dt.UTC)
    for message in waiting:
        to = message.recipient or message.channel
        typer.echo(f"{message.message_id[:8]}  {message.kind:16} {message.subject:32} to {to}: {_why(message, now)}")
    typer.echo(f"{len(waiting)} waiting" + (": 'vigie outbox send now' tries all of them" if waiting else ""))


@app.command()
def send(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="now|ID", help="'now': all that wait; or one message's name.")] = NOW,
    home: Home = None,
) -> None:
    """Try now what waits after a failure or in a cooldown. Exit 3: some were not taken."""
    from workflow.sending import send_waiting

    with open_desk(home or context.obj) as desk:
        chosen = [one.message_id for one in desk.outbox.waiting()] if which == NOW else [_find(desk, which).message_id]
        report = send_waiting(desk, wait_seconds=desk.settings.delivery.longest_seconds, at_once=chosen)
    for line in report.summary():
        typer.echo(line)
    if report.failed or report.given_up:
        raise typer.Exit(EXIT_SOME_WAIT)


@app.command()
def drop(
    context: typer.Context,
    message_id: MessageId,
    why: Annotated[str, typer.Option("--why", help="Your reason: kept with the step.")],
    name: Annotated[str, typer.Option("--as", help="Your name: kept with the step.")] = "",
    home: Home = None,
) -> None:
    """Take one message out: it is not sent. That, by whom and why stays in the journal."""
    from access.roles import shell_actor
    from workflow.decisions import drop_message

    with open_desk(home or context.obj) as desk:
        message, actor = _find(desk, message_id), shell_actor(desk.settings.access, name)
        if not (actor.name.strip() and why.strip()):
            raise InputError("give your name (--as) and a reason (--why): they are kept with the step")
        drop_message(desk, actor, message, why)
    typer.echo(f"{message.message_id}: dropped")


def _find(desk: Workflow, name: str) -> OutboxMessage:
    """The one waiting message whose name begins so.

    Raises:
        InputError: There is none, or more than one.
    """
    found = [one for one in desk.outbox.waiting() if one.message_id.startswith(name)]
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

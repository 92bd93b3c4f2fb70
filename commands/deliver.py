"""``vigie deliver``: send what waits in the outbox; run it every few minutes by a timer."""

from __future__ import annotations

import typer

from commands.shared import Home
from core.settings import home_folder, load_settings

EXIT_SOME_WAIT = 3


def deliver(home: Home = None) -> None:
    """Send the messages that are due. Exit 0: all are sent or held back; 3: some failed and will be tried again."""
    from desk.open import open_desk  # noqa: PLC0415  # the desk opens only where it is asked
    from desk.sending import send_waiting  # noqa: PLC0415  # as above

    folder = home_folder(home)
    with open_desk(folder, load_settings(folder)) as desk:
        report = send_waiting(desk, wait_seconds=desk.settings.delivery.longest_seconds)
    for line in report.summary():
        typer.echo(line)
    if report.failed or report.given_up:
        raise typer.Exit(EXIT_SOME_WAIT)

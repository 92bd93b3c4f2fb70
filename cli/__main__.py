"""The command ``vigie``: parses, calls, prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli import EXIT_NOTHING_PUBLISHED, Group, alerts, home, hub, nights, panels, releases, serve
from core.errors import VigieError
from core.log import LOG_FORMAT, LogFormat, configure_logging, get_logger
from core.release import code_version

PANELS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "Daily": {
        "nightly": nights.nightly, "demonstrate": nights.demonstrate, "serve": serve.app, "status": releases.status,
        "ingest": nights.ingest_app, "observations": releases.observations, "export": releases.export_app,
        "site": releases.site_app,
    },
    "Forecast": {"forecast": panels.forecast, "backtest": panels.backtest, "score": panels.score},
    "Decide": {"alerts": alerts.app, "outbox": alerts.outbox_app, "editions": releases.editions_app},
    "Operate": {"verify": releases.verify, "home": home.app, "access": home.access_app},
    "Hub": {"hub": hub.app},
}  # fmt: skip
"""All commands, in the panels and the order of ``vigie --help``."""


class Commands(Group):
    """The commands of ``vigie``."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002  # typer keeps its context type private
        """Return the names in the order of :data:`PANELS`."""
        return [name for panel in PANELS.values() for name in panel]


app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)
for panel, commands in PANELS.items():
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"vigie {code_version()}")
        raise typer.Exit


def _choose_format(chosen: LogFormat) -> LogFormat:
    os.environ[LOG_FORMAT] = chosen
    configure_logging()
    return chosen


@app.callback()
def options(
    version: Annotated[  # noqa: ARG001  # typer calls _show_version with it
        bool,
        typer.Option(
            "--version",
            callback=lambda wanted: _show_version(wanted=wanted),
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
    log_format: Annotated[  # noqa: ARG001  # typer calls _choose_format with it
        LogFormat,
        typer.Option(
            "--log-format", envvar=LOG_FORMAT, callback=_choose_format, help="Format of errors and log lines."
        ),
    ] = LogFormat.text,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Hide progress, and log only warnings and errors.")
    ] = False,
) -> None:
    """Forecast arrivals on migration routes, warn early, and publish how often the warnings were right."""
    if quiet:
        configure_logging(quiet=True)


def _common_options_first(words: list[str]) -> list[str]:
    """Return the words with the options of ``vigie`` itself before the command: people write them at the end too."""

    def is_common(place: int) -> bool:
        return (
            words[place] == "--quiet"
            or words[place].partition("=")[0] == "--log-format"
            or words[max(place - 1, 0)] == "--log-format"
        )

    return [words[place] for place in sorted(range(len(words)), key=lambda place: not is_common(place))]


def main() -> None:
    """Run the command; wrong input and a fault in Vigie end with a sentence and exit 1."""
    configure_logging()
    try:
        sys.exit(app(_common_options_first(sys.argv[1:]), standalone_mode=False))
    except typer.TyperException as error:
        get_logger().error("refused", text=error.format_message(), kind=type(error).__name__)
    except VigieError as error:
        get_logger().error("stopped", text=str(error), kind=type(error).__name__)
    except Exception as error:
        get_logger().error("fault in Vigie", text="fault in Vigie", kind=type(error).__name__, exc_info=True)
    sys.exit(EXIT_NOTHING_PUBLISHED)


if __name__ == "__main__":
    main()

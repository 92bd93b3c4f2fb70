"""The command ``vigie``: parses, calls, prints."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from commands import EXIT_NOTHING_PUBLISHED, Group, access, alerts, home, hub, nights, panels, releases, serve
from core.about import code_version
from core.errors import VigieError
from core.log import configure_logging, get_logger, tell_fault

_EXIT_USAGE = 2
PANELS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "Daily": {
        "nightly": nights.nightly, "demonstrate": nights.demonstrate, "serve": serve.app, "status": releases.status,
        "ingest": nights.ingest_app, "observations": releases.observations, "export": releases.export_app,
    },
    "Forecast": {"forecast": panels.forecast, "backtest": panels.backtest},
    "Decide": {"alerts": alerts.app, "outbox": alerts.outbox_app, "editions": releases.editions_app},
    "Operate": {"verify": releases.verify, "home": home.app, "access": access.app},
    "Hub": {"hub": hub.app},
}  # fmt: skip
"""All commands, in the panels and the order of ``vigie --help``."""


class Commands(Group):
    """The commands of ``vigie``."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002  # typer keeps its context type private
        """Return the names in the order of :data:`PANELS`."""
        return [name for panel in PANELS.values() for name in panel]

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # typer's signature
        """Run a command line; a usage error exits with 1, as all wrong input does."""
        try:
            return super().main(*args, **kwargs)
        except SystemExit as ended:
            if ended.code == _EXIT_USAGE:
                sys.exit(EXIT_NOTHING_PUBLISHED)
            raise


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
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Hide progress, and log only warnings and errors.")
    ] = False,
) -> None:
    """Forecast arrivals on migration routes, warn early, and publish how often the warnings were right."""
    if quiet:
        configure_logging(quiet=True)


def _quiet_first(words: list[str]) -> list[str]:
    """``--quiet`` belongs to the whole command, and people write it at the end too."""
    return ["--quiet", *(word for word in words if word != "--quiet")] if "--quiet" in words else words


def main(run: Callable[[], None] = app) -> None:
    """Entry point: a person's mistake gets a sentence and exit 1, never a traceback."""
    configure_logging()
    sys.argv[1:] = _quiet_first(sys.argv[1:])
    try:
        run()
    except VigieError as error:
        tell_fault("stopped", str(error), kind=type(error).__name__)
        sys.exit(EXIT_NOTHING_PUBLISHED)
    except Exception as error:
        if sys.stderr.isatty():
            raise
        get_logger().error("a fault in Vigie", kind=type(error).__name__, exc_info=True)
        sys.exit(EXIT_NOTHING_PUBLISHED)
    except KeyboardInterrupt:
        typer.echo("stopped by hand; nothing was published", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()

"""The command ``vigie``: parses, calls, prints. What happens is decided in the rooms."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from commands import EXIT_NOTHING_PUBLISHED, alerts, home, hub, nights, panels, releases, serve
from core.about import code_version
from core.errors import VigieError
from core.log import configure_logging, get_logger, tell_fault

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(nights.snapshot_app, name="snapshot")
app.add_typer(alerts.app, name="alerts")
app.add_typer(alerts.outbox_app, name="outbox")
app.add_typer(home.settings_app, name="settings")
app.add_typer(home.journal_app, name="journal")
app.add_typer(home.store_app, name="store")
app.add_typer(hub.app, name="hub")
app.add_typer(releases.editions_app, name="editions")
app.add_typer(home.sources_app, name="sources")
for command in (
    nights.nightly, nights.demonstrate, nights.ingest,
    panels.backtest, panels.forecast,
    releases.status, releases.verify, releases.export, releases.briefing,
    alerts.deliver, releases.observations,
    serve.dashboard, serve.health, serve.audit, serve.sign_out,
    home.backup, home.restore, home.adopt, home.prune, home.upgrade,
):  # fmt: skip
    app.command()(command)


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
            help="Say version, commit and build.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and of the log only warnings.")] = False,
) -> None:
    """Vigie forecasts arrivals on migration routes, warns early, and publishes how often its warnings were right."""
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

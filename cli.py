"""The command ``vigie``: parses, calls, prints. What happens is decided in the rooms."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from commands import EXIT_NOTHING_PUBLISHED, alerts, home, hub, nights, panels, releases, serve
from core.about import code_version
from core.errors import VigieError
from core.log import LOG_FORMAT, LogFormat, configure_logging, get_logger

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
app.add_typer(serve.app, name="serve")
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
            help="Say version, commit and build.",
        ),
    ] = False,
    log_format: Annotated[  # noqa: ARG001  # typer calls _choose_format with it
        LogFormat,
        typer.Option(
            "--log-format", envvar=LOG_FORMAT, callback=_choose_format, help="Format of errors and log lines."
        ),
    ] = LogFormat.text,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and of the log only warnings.")] = False,
) -> None:
    """Vigie forecasts arrivals on migration routes, warns early, and publishes how often its warnings were right."""
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
    """Run the command; a person's mistake and a fault in Vigie end in a sentence."""
    configure_logging()
    try:
        sys.exit(app(_common_options_first(sys.argv[1:]), standalone_mode=False))
    except typer.TyperException as error:
        if text := error.format_message():  # else help was asked for, and printed
            get_logger().error("refused", text=text, kind=type(error).__name__)
        sys.exit(error.exit_code)
    except VigieError as error:
        get_logger().error("stopped", text=str(error), kind=type(error).__name__)
    except Exception as error:
        get_logger().error("fault in Vigie", text="fault in Vigie", kind=type(error).__name__, exc_info=True)
    sys.exit(EXIT_NOTHING_PUBLISHED)


if __name__ == "__main__":
    main()

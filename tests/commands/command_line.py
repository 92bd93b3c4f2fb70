"""The command as a person types it, in this process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from cli import app


def vigie(home: Path, *arguments: str) -> Result:
    """Run the command on a home folder; what it raises but does not catch is raised here too."""
    result = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result

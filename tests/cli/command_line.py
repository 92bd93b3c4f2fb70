"""The command as a person types it, in this process: a process of its own takes seconds to load what is loaded here."""

from __future__ import annotations

import io
import os
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from typer.testing import CliRunner, Result

from cli.__main__ import app, main


def vigie(home: Path, *arguments: str) -> Result:
    """Run the command on a home folder; what it raises but does not catch is raised here too."""
    result = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def command(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command's entry point, which ends as its process would: exit code, both outputs, log lines."""
    without = {key: value for key, value in os.environ.items() if key != "VIGIE_HOME"}
    environment = without | ({} if home is None else {"VIGIE_HOME": str(home)})
    out, err, code = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO(), 0
    with (
        patch.dict(os.environ, environment, clear=True),
        patch("sys.argv", ["vigie", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    out.seek(0)
    return subprocess.CompletedProcess(arguments, code, out.read(), err.getvalue())

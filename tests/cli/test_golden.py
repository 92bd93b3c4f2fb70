"""What every command takes and says of itself is the golden text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from cli.__main__ import app
from core.settings import PROJECT
from tests.golden import check_golden

ASPECTS = ("required", "default", "is_flag", "multiple", "nargs", "hidden", "min", "max", "count", "help")
GOLDEN = Path(__file__).with_name("golden")


def options_of(command: Any, name: str = "vigie") -> Iterator[str]:  # noqa: ANN401  # typer types its commands loosely
    """Each command with what it takes: names, kinds, defaults, and whether they must be given."""
    yield f"{name}: {' '.join((command.help or '').split())}"
    for one in command.params:
        takes = [f"{aspect}={getattr(one, aspect)}" for aspect in ASPECTS if getattr(one, aspect, None)]
        yield f"  {' '.join([*one.opts, *one.secondary_opts])} {' '.join(' '.join(takes).split())}"
    for inner, below in sorted(getattr(command, "commands", {}).items()):
        yield from options_of(below, f"{name} {inner}")


def test_commands_take_golden_options() -> None:
    lines = [line.replace(f"{PROJECT}", "PROJECT") for line in options_of(typer.main.get_command(app))]
    check_golden(GOLDEN / "options.txt", lines)

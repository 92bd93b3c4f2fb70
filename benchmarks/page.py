"""Puts a measured section into docs/benchmarks.md, so that a table and its command stay together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from core.settings import PROJECT

PAGE = PROJECT / "docs" / "benchmarks.md"


def replace_section(page: Path, title: str, lines: Sequence[str]) -> None:
    """Write a section of second level in place of the one with the same title, or at the end.

    Args:
        page: The Markdown file.
        title: Heading without its marks.
        lines: What stands under it.
    """
    text = page.read_text(encoding="utf-8")
    head = f"## {title}"
    written = "\n".join([head, "", *lines]).rstrip() + "\n"
    parts = text.split("\n## ")
    bodies = [parts[0], *(f"## {part}" for part in parts[1:])]
    places = [place for place, body in enumerate(bodies) if body.split("\n", 1)[0] == head]
    if places:
        bodies[places[0]] = written
    else:
        bodies.append(written)
    page.write_text("\n\n".join(body.strip("\n") for body in bodies) + "\n", encoding="utf-8")


def publish(title: str, lines: Sequence[str], *, write: bool) -> None:
    """Print a section of docs/benchmarks.md, and put it there where that is asked for."""
    if write:
        replace_section(PAGE, title, lines)
    sys.stdout.write("\n".join([f"## {title}", "", *lines]) + "\n")

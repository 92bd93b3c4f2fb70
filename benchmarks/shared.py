"""What the measurements share: commands and their sections of pages, tables, published files, seconds."""

from __future__ import annotations

import argparse
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from core.settings import PROJECT
from forecasting import ensemble, reconcile
from forecasting.models import POOLED_MODELS

T = TypeVar("T")
Options = Mapping[str, Mapping[str, Any]]
"""Arguments of a command by name, each as ``argparse`` takes it."""
Section = tuple[list[str], bool]
"""A section's lines, and whether all is well."""
PAGE = PROJECT / "docs" / "benchmarks.md"
INGESTION = PROJECT / "docs" / "research" / "2026-12-ingestion.md"
VARIABLE = "VIGIE_RAW_DATA"
FACT = re.compile(r"(Engine|Measured): ")
"""How a line begins that a measurement writes beside its tables."""


def replace_section(page: Path, title: str, lines: Sequence[str]) -> None:
    """Write a section of second level in place of the one with the same title, or last.

    Where all lines are tables and facts they take the places of those that stand there, and the page's words stay.
    """
    head = f"## {title}"
    first, *others = page.read_text(encoding="utf-8").split("\n## ")
    bodies = [first, *(f"## {other}" for other in others)]
    places = [place for place, body in enumerate(bodies) if body.split("\n", 1)[0] == head]
    if not places:
        places = [len(bodies)]
        bodies.append(head)
    if all(not line or line.startswith("|") or FACT.match(line) for line in lines):
        lines = _renewed(bodies[places[0]].splitlines()[2:], lines)
    bodies[places[0]] = "\n".join([head, "", *lines])
    page.write_text("\n\n".join(body.strip("\n") for body in bodies) + "\n", encoding="utf-8")


def _renewed(before: Sequence[str], lines: Sequence[str]) -> list[str]:
    """A section with new facts and tables: the first table takes the first one's place, and so on."""

    def is_row(line: str) -> bool:
        return line.startswith("|")

    tables = [list(rows) for is_table, rows in groupby(lines, is_row) if is_table]
    made: list[str] = []
    for is_table, rows in groupby(before, is_row):
        made += tables.pop(0) if is_table and tables else rows
    for fact in filter(FACT.match, reversed(lines)):
        kind = fact.partition(" ")[0]
        stands = [place for place, line in enumerate(made) if line.startswith(kind)]
        made[slice(stands[0], stands[0] + 1) if stands else slice(0)] = [fact]
    return [*made, *(line for rest in tables for line in ("", *rest))]


def engine() -> str:
    """Which engine made a table; ``tests/benchmarks/test_page.py`` fails where it is not today's."""
    pooled = POOLED_MODELS["vigie-pooled"].version
    return (
        f"Engine: ensemble {ensemble.VERSION}, pooled model {pooled}, sum of the parts {reconcile.BOTTOM_UP_VERSION}."
    )


def page_command(
    page: Path,
    title: str | Callable[[argparse.Namespace], str],
    section: Callable[[argparse.Namespace], Section],
    arguments: Sequence[str] | None = None,
    *,
    changes: int = 0,
    options: Options | None = None,
) -> int:
    """Run a measurement whose section stands in a page: print it, and with ``--write`` put it there.

    ``arguments`` are the process's own by default. A command that makes seeded ``changes`` takes their number and seed.
    Where options choose the section they choose its ``title`` too. Returns the exit status: 1 where not all is well.
    """
    about = sys.modules[section.__module__].__doc__
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if changes:
        parser.add_argument("number", type=int, nargs="?", default=changes, help="how many changes")
        parser.add_argument("seed", type=int, nargs="?", default=1, help="the same seed gives the same changes")
    for name, option in (options or {}).items():
        parser.add_argument(name, **option)
    parser.add_argument("--write", action="store_true", help=f"put the section into docs/{page.name}")
    given = parser.parse_args(arguments)
    heading = title if isinstance(title, str) else title(given)
    lines, is_well = section(given)
    if given.write:
        replace_section(page, heading, lines)
    sys.stdout.write("\n".join([f"## {heading}", "", *lines]) + "\n")
    return 0 if is_well else 1


def report(line: str) -> None:
    """Show on the error stream what is known so far."""
    sys.stderr.write(f"{line}\n")


def table(head: str, rows: Iterable[Iterable[object]]) -> list[str]:
    """A table as Markdown: names of the columns between bars, then the cells of each row."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return [f"| {head} |", "|" + "---|" * (head.count("|") + 1), *lines]


def interval(row: Any, name: str, digits: int = 3) -> str:  # noqa: ANN401  # a row of a frame, or a mapping
    """A figure with its 90 % interval from ``name``, ``name_lo`` and ``name_hi``; a dash where there is none."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_lo", "_hi"))
    if math.isnan(value):
        return "–"
    return f"{value:.{digits}f}" + ("" if math.isnan(low) else f" [{low:.2f}–{high:.2f}]")


def coverage(row: Any) -> str:  # noqa: ANN401  # as above
    """What the intervals of 50, 80 and 95 % held, from ``coverage_50`` and so on."""
    return "/".join(f"{row[f'coverage_{level}']:.2f}" for level in (50, 80, 95))


def published_files() -> Path:
    """The folder that ``VIGIE_RAW_DATA`` names; without it the command ends with status 1 and says what is missing."""
    named = os.environ.get(VARIABLE)
    if not named:
        sys.exit(f"{VARIABLE} is not set: it names the folder of published files, which are no part of the project")
    return Path(named)


@contextmanager
def demonstration() -> Iterator[Path]:
    """A home folder with the releases that ``vigie demonstrate`` makes."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "cli", "demonstrate", "--home", home]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
        yield Path(home)


class Seconds(NamedTuple):
    """By the clock, and of the processor: on a busy machine use the second."""

    clock: float
    processor: float


def timed(work: Callable[[], T]) -> tuple[T, Seconds]:
    """What a piece of work gives, and what it took."""
    clock, processor = time.perf_counter(), time.process_time()
    made = work()
    return made, Seconds(time.perf_counter() - clock, time.process_time() - processor)

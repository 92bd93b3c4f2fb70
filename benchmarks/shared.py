"""What the measurements share: pages and tables, the published files, Frontex's dense routes, what processes take."""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from core.release import OBSERVATIONS
from core.schema import ALL, check
from core.settings import PROJECT
from forecasting import ensemble, sum_of_parts
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel, panel_from_observations
from forecasting.reconcile import totals_panel
from ingest.source import read_raw
from ingest.sources import frontex

T = TypeVar("T")
Options = Mapping[str, Mapping[str, Any]]
"""Arguments of a command by name, each as ``argparse`` takes it."""
PAGE = PROJECT / "docs" / "benchmarks.md"
EARLIER = ", by an earlier engine"
"""Stands in the heading of what another version measured."""


def replace_section(page: Path, title: str, lines: Sequence[str]) -> None:
    """Write a section of second level in place of the one with the same title, perhaps by an earlier engine, or last.

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
    places = [place for place, body in enumerate(bodies) if body.split("\n", 1)[0].partition(EARLIER)[0] == head]
    if places:
        bodies[places[0]] = written
    else:
        bodies.append(written)
    page.write_text("\n\n".join(body.strip("\n") for body in bodies) + "\n", encoding="utf-8")


def engine() -> str:
    """Which engine made a table; ``tests/benchmarks/test_page.py`` fails where it is not today's."""
    pooled = POOLED_MODELS["vigie-pooled"].version
    return f"Engine: ensemble {ensemble.VERSION}, pooled model {pooled}, sum of the parts {sum_of_parts.VERSION}."


def page_command(
    page: Path,
    title: str,
    section: Callable[[argparse.Namespace], tuple[list[str], bool]],
    arguments: Sequence[str] | None = None,
    *,
    changes: int = 0,
    options: Options | None = None,
) -> int:
    """Run a measurement whose section stands in a page; ``--write`` puts it there.

    Args:
        page: The page.
        title: The section's.
        section: Gives the section's lines, and whether all is well.
        arguments: Of the command line; the process's own by default.
        changes: How many seeded changes the command makes by default; 0 where it makes none.
        options: Further arguments of the command.

    Returns:
        The exit status: 0 where all is well, else 1.
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
    lines, is_well = section(given)
    publish(title, lines, write=given.write, page=page)
    return 0 if is_well else 1


def publish(title: str, lines: Sequence[str], *, write: bool, page: Path | None = None) -> None:
    """Print a section of docs/benchmarks.md or another page, and put it there where that is asked for."""
    if write:
        replace_section(page or PAGE, title, lines)
    sys.stdout.write("\n".join([f"## {title}", "", *lines]) + "\n")


def report(line: str) -> None:
    """Show on the error stream what is known so far."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


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


VARIABLE = "VIGIE_RAW_DATA"


def published_files() -> Path:
    """The folder that ``VIGIE_RAW_DATA`` names; without it the command ends with status 1 and says what is missing."""
    named = os.environ.get(VARIABLE)
    if not named:
        sys.exit(f"{VARIABLE} is not set: it names the folder of published files, which are no part of the project")
    return Path(named)


WORKBOOK = Path("frontex_ibc") / "ibc.xlsx"
DENSE = 20
"""Mean monthly detections above which a route counts as dense."""
TOTALS = "route_id"
HORIZONS = (1, 3, 6, 12)
"""Months ahead that skill is shown for."""
ORIGINS = 87
"""The last months, as many as these, from which Frontex's routes are forecast."""


def dense_parts(raw_data: Path) -> Panel:
    """Route × nationality of every dense route: each pair that occurs, months without a detection as zeros.

    Args:
        raw_data: Folder of published files.

    Raises:
        SourceError: The workbook is missing or broken.
    """
    found = check(frontex.parse(read_raw(raw_data / WORKBOOK)).observations, OBSERVATIONS)
    totals = found[(found["citizen"] == ALL) & (found["route_id"] != frontex.OTHER_ROUTE)]
    means = totals.groupby("route_id")["obs_value"].mean()
    dense = means[means > DENSE].index
    parts = panel_from_observations(found[(found["citizen"] != ALL) & found["route_id"].isin(dense)], "detections", "M")
    # A nationality's series starts with its first detection: the months before it had none.
    return Panel(parts.freq, parts.matrix.fillna(0.0), parts.groups)


def dense_routes(parts: Panel) -> Panel:
    """The routes' totals, named by ``route_id``."""
    return totals_panel(parts, TOTALS)


def fingerprint(panel: Panel) -> str:
    """Short hash of a panel's names, calendar and values."""
    names = "|".join([*panel.series_ids, str(panel.periods[0]), str(panel.periods[-1])])
    content = names.encode() + panel.matrix.to_numpy(dtype="<f8").tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


class Seconds(NamedTuple):
    """By the clock, and of the processor: on a machine that does other work too the second tells more."""

    clock: float
    processor: float


def timed(work: Callable[[], T]) -> tuple[T, Seconds]:
    """What a piece of work gives, and what it took."""
    clock, processor = time.perf_counter(), time.process_time()
    made = work()
    return made, Seconds(time.perf_counter() - clock, time.process_time() - processor)


def family(pid: int) -> Iterator[tuple[Path, list[str]]]:
    """A process and its descendants (Linux): each one's folder, and what its ``stat`` says behind the name, proc(5)."""
    known: dict[int, tuple[Path, list[str]]] = {}
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended between two looks
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            known[int(folder.name)] = folder, fields
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, [])
        if one in known:
            yield known[one]


@contextmanager
def meanwhile(look: Callable[[], None]) -> Iterator[None]:
    """Look four times a second, in a thread of its own, while something goes on."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.25):
            look()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

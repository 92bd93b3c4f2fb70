"""What the measurements share: sections of docs/benchmarks.md, the published files, Frontex's dense routes."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from core.release import OBSERVATIONS
from core.schema import ALL, check
from core.settings import PROJECT
from forecasting import ensemble, reconcile
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel, panel_from_observations
from forecasting.reconcile import totals_panel
from ingest.source import read_raw
from ingest.sources import frontex

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
    return f"Engine: ensemble {ensemble.VERSION}, pooled model {pooled}, sum of the parts {reconcile.VERSION}."


def page_command(
    page: Path,
    title: str,
    section: Callable[[argparse.Namespace], tuple[list[str], bool]],
    arguments: Sequence[str] | None = None,
    *,
    changes: int = 0,
) -> int:
    """Run a measurement whose section stands in a page; ``--write`` puts it there.

    Args:
        page: The page.
        title: The section's.
        section: Gives the section's lines, and whether all is well.
        arguments: Of the command line; the process's own by default.
        changes: How many seeded changes the command makes by default; 0 where it makes none.

    Returns:
        The exit status: 0 where all is well, else 1.
    """
    parser = argparse.ArgumentParser(description=(sys.modules[section.__module__].__doc__ or "").split("\n\n")[0])
    if changes:
        parser.add_argument("number", type=int, nargs="?", default=changes, help="how many changes")
        parser.add_argument("seed", type=int, nargs="?", default=1, help="the same seed gives the same changes")
    parser.add_argument("--write", action="store_true", help=f"put the section into docs/{page.name}")
    options = parser.parse_args(arguments)
    lines, is_well = section(options)
    publish(title, lines, write=options.write, page=page)
    return 0 if is_well else 1


def publish(title: str, lines: Sequence[str], *, write: bool, page: Path | None = None) -> None:
    """Print a section of docs/benchmarks.md or another page, and put it there where that is asked for."""
    if write:
        replace_section(page or PAGE, title, lines)
    sys.stdout.write("\n".join([f"## {title}", "", *lines]) + "\n")


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

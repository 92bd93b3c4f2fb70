"""Progress of long work: a bar with time left on a terminal, log lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.log import get_logger

ProgressReport = Callable[[str, int, int], None]
"""Called with the name of a stage, the units done and the units in all."""

_SECONDS_BETWEEN_LINES = 15.0


Report = Callable[[int, int], None]
"""Called with the units done and the units in all."""
_UNITS = 1000


def shares(report: Report | None, costs: Sequence[float]) -> list[Report | None]:
    """One report for each part of a longer work; together they advance by what each part costs, out of 1,000.

    Args:
        report: Told of the whole; None leaves all parts silent.
        costs: What each part is expected to take, in any unit.
    """
    if report is None:
        return [None] * len(costs)
    whole, told = max(sum(costs), 1e-9), report

    def share(place: int) -> Report:
        before = sum(costs[:place])
        return lambda done, total: told(round(_UNITS * (before + costs[place] * done / max(total, 1)) / whole), _UNITS)

    return [share(place) for place in range(len(costs))]


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""


@contextmanager
def progress_bar() -> Iterator[ProgressReport]:
    """Give a report function that draws on a terminal and logs every few seconds elsewhere."""
    if sys.stderr.isatty():
        columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(),
                   TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())  # fmt: skip
        with Progress(*columns, console=Console(stderr=True)) as bar:
            yield _on_bar(bar)
    else:
        yield _on_log()


def _on_bar(bar: Progress) -> ProgressReport:
    tasks: dict[str, int] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total)
        bar.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]  # rich's TaskID is a NewType of int

    return report


def _on_log() -> ProgressReport:
    first: dict[str, tuple[float, int, int]] = {}
    newest: dict[str, int] = {}
    last_line: dict[str, float] = {}

    def report(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage not in first or done < newest[stage] or total != first[stage][2]:
            first[stage] = now, done, total  # what came before it was waiting for processes to start
        newest[stage] = done
        begun, earlier, _ = first[stage]
        if done < total and now - last_line.get(stage, begun) < _SECONDS_BETWEEN_LINES:
            return
        last_line[stage] = now
        left = round((now - begun) / (done - earlier) * (total - done)) if done > earlier else None
        get_logger().info("progress", stage=stage, done=done, total=total, seconds_left=left)

    return report

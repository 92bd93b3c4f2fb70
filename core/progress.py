"""Progress of long work: a bar with time left on a terminal, log lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.log import get_logger

ProgressReport = Callable[[str, int, int], None]
"""Called with the name of a stage, the units done and the units in all."""

_SECONDS_BETWEEN_LINES = 15.0


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
    started: dict[str, float] = {}
    last_line: dict[str, float] = {}

    def report(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        begun = started.setdefault(stage, now)
        if done < total and now - last_line.get(stage, begun) < _SECONDS_BETWEEN_LINES:
            return
        last_line[stage] = now
        left = round((now - begun) / done * (total - done)) if done else None
        get_logger().info("progress", stage=stage, done=done, total=total, seconds_left=left)

    return report

"""Progress of long work: bars on a terminal, elsewhere a line of the log now and then."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from core.log import LOG_FORMAT, LogFormat, get_logger

ProgressReport = Callable[[str, int, int], None]
"""Called with the name of a step, the units done and the units in all."""
ESTIMATE_SECONDS = 120.0
"""The time left comes from the units done in these last seconds: a few fits, on a busy machine too."""
_SECONDS_BETWEEN_SENTENCES = 30.0


def announce(report: ProgressReport, step: str) -> None:
    """Report the begin of a step whose units cannot be counted."""
    report(step, 0, 1)


def silent(step: str, done: int, total: int) -> None:
    """Report nothing."""


def updated(bar: Progress, step: str, done: int, total: int) -> Task:
    """Return the step's task on a bar, brought up to date; a step that begins removes those that have ended.

    A step of one unit ends when another begins. Fewer units than before begin the step anew.
    """
    task = next((task for task in bar.tasks if task.description == step and not task.finished), None)
    if task is None or done < task.completed:
        for former in bar.tasks:
            if former.finished or former.total == 1 or former is task:
                bar.remove_task(former.id)
        identity = bar.add_task(step, total=total)
        task = next(task for task in bar.tasks if task.id == identity)
    bar.update(task.id, completed=done, total=total)
    return task


def sentence(step: str, done: int, total: int, seconds_left: float | None) -> str:
    """Return the state of a step in words, such as ``Writing, 12 of 48, about 1 min left``."""
    count = f", {done:,} of {total:,}" if total > 1 else ""
    if seconds_left is None:
        return step + count
    left = f"{seconds_left / 60:.0f} min" if seconds_left >= 60 else f"{seconds_left:.0f} s"  # a minute
    return f"{step}{count}, about {left} left"


@contextmanager
def progress_bar() -> Iterator[ProgressReport]:
    """Give a report function: bars on a terminal, else at most one line of the log in 30 s; nothing if it is quiet."""
    is_quiet, is_json = not get_logger().is_enabled_for(logging.INFO), os.environ.get(LOG_FORMAT) == LogFormat.json
    on_terminal = sys.stderr.isatty() and not (is_quiet or is_json)
    columns = (
        TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(
        *columns, console=Console(stderr=True), disable=not on_terminal, get_time=time.monotonic,
        speed_estimate_period=ESTIMATE_SECONDS,
    ) as bar:  # fmt: skip
        last = time.monotonic()

        def report(step: str, done: int, total: int) -> None:
            nonlocal last
            task, now = updated(bar, step, done, total), time.monotonic()
            if on_terminal or now - last < _SECONDS_BETWEEN_SENTENCES:
                return
            last, left = now, task.time_remaining or None
            text = sentence(step, done, total, left)
            get_logger().info("progress", text=text, stage=step, done=done, total=total, seconds_left=left)

        yield report

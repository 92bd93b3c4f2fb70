"""Log lines, and progress of long work: words and a bar with time left on a terminal, lines of JSON elsewhere."""

from __future__ import annotations

import logging
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from structlog.typing import Processor


def configure_logging(*, json_lines: bool | None = None, quiet: bool = False) -> None:
    """Set structlog up for the process; log lines go to standard error.

    Args:
        json_lines: Force the layout; by default JSON unless standard error is a terminal.
        quiet: Keep to warnings and errors; then no progress is shown either.
    """
    as_json = not sys.stderr.isatty() if json_lines is None else json_lines
    json_line: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _harmless,
            *(json_line if as_json else [structlog.dev.ConsoleRenderer()]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    for noisy in ("cmdstanpy", "prophet", "fontTools", "matplotlib"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def one_line(text: str) -> str:
    """A text as one line that moves no cursor and turns no direction: whatever would is shown as its code.

    For terminals, logs and lines of a file: what people and publishers wrote may hold anything.
    """
    return "".join(
        char if char.isprintable() or unicodedata.category(char) == "Zs" else char.encode("unicode_escape").decode()
        for char in text
    )


def counted(count: int, what: str) -> str:
    """A number and what it counts, as the command line says it: ``1 file``, ``1,200 files``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def tell_fault(event: str, text: str, **facts: object) -> None:
    """Tell a person, or the log where no terminal listens, what went wrong.

    Args:
        event: What happened, for machines.
        text: What is wrong, for a person.
        **facts: More for machines.
    """
    if sys.stderr.isatty():
        sys.stderr.write(f"error: {one_line(text)}\n")
    else:
        get_logger().error(event, error=text, **facts)


def _harmless(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: one_line(value) if isinstance(value, str) else value for key, value in event.items()}


def get_logger() -> structlog.stdlib.BoundLogger:
    """A logger for one module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger


ProgressReport = Callable[[str, int, int], None]
"""Called with the name of a stage, the units done and the units in all."""
Report = Callable[[int, int], None]
"""Called with the units done and the units in all."""
_SECONDS_BETWEEN_LINES = 30.0
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


def uneven(report: Report | None, costs: Sequence[float]) -> Report | None:
    """A report of a work whose units come in as many equal groups as there are costs: it advances by these."""
    if report is None or sum(costs) <= 0:
        return report
    told, before = report, [0.0, *accumulate(costs)]

    def by_cost(done: int, total: int) -> None:
        place = len(costs) * done / max(total, 1)
        full = min(int(place), len(costs) - 1)
        told(round(_UNITS * (before[full] + (place - full) * costs[full]) / before[-1]), _UNITS)

    return by_cost


class Pace:
    """The time left of one work, by the units done since it was first told of: what came before was waiting.

    Args:
        clock: Seconds of a clock that only goes forward; by default the machine's.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.monotonic
        self._begun = self._told = 0.0
        self._first = self._done = self._total = -1

    def __call__(self, done: int, total: int) -> None:
        """Take note of the units done and the units in all; fewer units, or of another whole, are a new work."""
        self._told = self._clock()
        if self._first < 0 or done < self._done or total != self._total:
            self._begun, self._first, self._total = self._told, done, total
        self._done = done

    def seconds_left(self) -> float | None:
        """Seconds to the end; None as long as nobody can know."""
        if self._done <= self._first:
            return None
        each = (self._told - self._begun) / (self._done - self._first)
        return max(each * (self._total - self._done) - (self._clock() - self._told), 0.0)

    def __str__(self) -> str:
        """Words for a bar; empty as long as nobody can know."""
        left = self.seconds_left()
        return "" if left is None else f"about {round(left) // 60}:{round(left) % 60:02d} left"


def announce(report: ProgressReport, stage: str) -> None:
    """Tell that something begins which is one piece of work: there is nothing in it to count."""
    report(stage, 0, 1)


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""


@contextmanager
def progress_bar() -> Iterator[ProgressReport]:
    """Give a report function that draws on a terminal and logs every few seconds elsewhere."""
    if sys.stderr.isatty():
        columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(),
                   TimeElapsedColumn(), TextColumn("{task.fields[left]}"))  # fmt: skip
        with Progress(*columns, console=Console(stderr=True)) as bar:
            yield _on_bar(bar)
    else:
        yield _on_log()


def _on_bar(bar: Progress) -> ProgressReport:
    tasks: dict[str, TaskID] = {}
    paces: dict[str, Pace] = {}

    def report(stage: str, done: int, total: int) -> None:
        pace = paces.setdefault(stage, Pace())
        pace(done, total)
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total, left=pace)
        bar.update(tasks[stage], completed=done, total=total)

    return report


def _on_log() -> ProgressReport:
    paces: dict[str, Pace] = {}
    last_line: dict[str, float] = {}

    def report(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        pace = paces.setdefault(stage, Pace())
        pace(done, total)
        if done < total and now - last_line.setdefault(stage, now) < _SECONDS_BETWEEN_LINES:
            return
        last_line[stage] = now
        left = pace.seconds_left()
        get_logger().info(
            "progress", stage=stage, done=done, total=total, seconds_left=None if left is None else round(left)
        )

    return report

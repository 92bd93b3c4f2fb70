"""Progress of long work: a bar with time left on a terminal, log lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from core.log import get_logger

ProgressReport = Callable[[str, int, int], None]
"""Called with the name of a stage, the units done and the units in all."""

_SECONDS_BETWEEN_LINES = 30.0


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

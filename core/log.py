"""Log lines, as sentences or as JSON, and progress of long work."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import accumulate
from typing import Any

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from structlog.typing import Processor

LOG_FORMAT = "VIGIE_LOG_FORMAT"
"""The variable that names a format."""


class LogFormat(StrEnum):
    """Formats of log lines."""

    text = "text"
    json = "json"


def configure_logging(*, quiet: bool = False) -> None:
    """Set up the log of this process, on standard error: sentences, or JSON lines where ``VIGIE_LOG_FORMAT`` is json.

    Child processes inherit the variable, and with it the format. An error of a library is logged in the same format;
    its warnings are not logged.

    Args:
        quiet: Keep to warnings and errors; then no progress is shown either.
    """
    json_lines: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(_json_line),
    ]
    structlog.configure(
        processors=json_lines if os.environ.get(LOG_FORMAT) == LogFormat.json else [_sentence],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=lambda *_args: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.lastResort = LibraryErrors()


class LibraryErrors(logging.Handler):
    """Handler of the standard library's loggers that passes errors on to the log, and nothing less."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record."""
        get_logger().error(record.name, text=record.getMessage(), exc_info=record.exc_info and record.exc_info[1])


def _sentence(_logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    """Return an event as a sentence: its ``text`` if it has one, else its name, its facts and its ``reason``.

    Raises:
        DropEvent: The event is information without a ``text``, which only programs read.
    """
    name, text, reason, error = (event.pop(key, None) for key in ("event", "text", "reason", "exc_info"))
    if not text and method == "info":
        raise structlog.DropEvent
    facts = ", ".join(str(fact) for value in event.values() for fact in (value if isinstance(value, list) else [value]))
    parts = [text] if text else [name, facts, reason]
    if error := sys.exc_info()[1] if error is True else error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        parts += [f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno}; "
                  f"with {LOG_FORMAT}=json the log holds the whole traceback)"]  # fmt: skip
    return one_line(("" if method == "info" else f"{method}: ") + ": ".join(filter(None, parts)))


def _json_line(event: object, **options: Any) -> str:  # noqa: ANN401  # those of json.dumps
    """Return an event as JSON with letters as they are, and escapes for whatever would move a cursor."""
    text = json.dumps(event, ensure_ascii=False, **options)
    return "".join(char if _is_plain(char) else json.dumps(char)[1:-1] for char in text)


def one_line(text: str) -> str:
    """A text as one line that moves no cursor and turns no direction: whatever would is shown as its code.

    For terminals, logs and lines of a file: what people and publishers wrote may hold anything.
    """
    return "".join(char if _is_plain(char) else char.encode("unicode_escape").decode() for char in text)


def _is_plain(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"


def counted(count: int, what: str) -> str:
    """A number and what it counts, as the command line says it: ``1 file``, ``1,200 files``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return a logger.

    The argument ``text`` of an event is its sentence for people; the event's name and the other arguments are for
    programs. Information without a ``text`` is left out of the text format.
    """
    if not structlog.is_configured():
        configure_logging()
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

"""What a person sees of a process: log lines, as sentences or as JSON, and progress of long work.

Progress is a bar on a terminal, elsewhere a line of the log now and then.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import structlog
from rich import progress as rich
from rich.console import Console
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
"""Called with the name of a step, the units done and the units in all."""
ESTIMATE_SECONDS = 120.0
"""The time left comes from the units done in these last seconds: a few fits, on a busy machine too."""
_SECONDS_BETWEEN_SENTENCES = 30.0


def announce(report: ProgressReport, step: str) -> None:
    """Report the begin of a step whose units cannot be counted."""
    report(step, 0, 1)


def silent(step: str, done: int, total: int) -> None:
    """Report nothing."""


def updated(bar: rich.Progress, step: str, done: int, total: int) -> rich.Task:
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
        rich.TextColumn("{task.description:<28}"), rich.BarColumn(), rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(), rich.TimeRemainingColumn(),
    )  # fmt: skip
    with rich.Progress(
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

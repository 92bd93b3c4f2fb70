"""Log lines, as sentences or as JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
import unicodedata
from collections.abc import MutableMapping
from enum import StrEnum
from typing import Any

import structlog
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

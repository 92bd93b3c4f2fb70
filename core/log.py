"""Log lines: JSON where no terminal listens, plain words where one does."""

from __future__ import annotations

import logging
import sys
import unicodedata
from collections.abc import MutableMapping
from typing import Any

import structlog
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

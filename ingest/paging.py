"""Answers that come page by page: all of them, or an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import SourceError
from core.languages import marked as _

LARGEST = 10_000
"""More pages than this are no answer to any question of ours."""


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        rows: What it holds.
        pages: How many pages there are, by this page.
        total: How many rows all pages hold, where it says so.
    """

    rows: list[Any]
    pages: int
    total: int | None = None


def all_rows(what: str, read: Callable[[int], Page], *, first: int = 1) -> list[Any]:
    """Read every page in order.

    Args:
        what: What is read, for errors.
        read: Reads one page by its number.
        first: Number of the first page.

    Returns:
        The rows of all pages; none where the publisher has none.

    Raises:
        SourceError: The number of pages or rows changed while they were read, or rows are missing.
    """
    page = read(first)
    rows, pages, total = list(page.rows), page.pages, page.total
    if not 0 <= pages <= LARGEST:
        raise SourceError(what, _("{n} pages were announced"), n=pages)
    for number in range(first + 1, first + pages):
        page = read(number)
        if (page.pages, page.total) != (pages, total):
            raise SourceError(what, _("the publisher changed its figures while they were read: the pages do not agree"))
        rows += page.rows
    if total is not None and total != len(rows):
        raise SourceError(what, _("{n} rows came where {total} were announced"), n=len(rows), total=total)
    return rows


def whole_number(what: str, body: dict[str, Any], name: str) -> int:
    """A count that a page tells about itself.

    Raises:
        SourceError: It is missing or no count.
    """
    found = body.get(name)
    text = str(found).strip() if isinstance(found, int | str) and not isinstance(found, bool) else ""
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise SourceError(what, _("no page of figures: '{name}' is missing or no count"), name=name)
    return int(text)

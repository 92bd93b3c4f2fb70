"""What is asked of a publisher and what it answered, without saying how: live over HTTP, or replayed from the store."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pandas as pd

from core.errors import SourceError
from core.languages import marked as _
from ingest.access import SourceAccess
from ingest.raw import RawFile

_HREF = re.compile(r"""href\s*=\s*["']([^"'<>]+)["']""", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """One question to a publisher.

    Attributes:
        address: Address without a query.
        query: Names and values of the query, in order.
        headers: Further headers. Keys and tokens are no headers of a request: see ``token_header``.
        token_header: Header that carries the token which ``SourceAccess.token`` names; empty where none is sent.
        token_query: Name in the query that carries the token, where the publisher wants it there.
        expected: Statuses besides 200 that the asking module deals with itself, such as 404 or 413.
    """

    address: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    token_header: str = ""
    token_query: str = ""
    expected: frozenset[int] = frozenset()

    @property
    def url(self) -> str:
        """The whole address; it never holds a token."""
        return f"{self.address}?{urlencode(self.query)}" if self.query else self.address

    @property
    def file_name(self) -> str:
        """Last part of the address's path."""
        return urlsplit(self.address).path.rpartition("/")[2] or urlsplit(self.address).netloc


@dataclass(frozen=True)
class Answer:
    """What a publisher answered.

    Attributes:
        url: Address that was asked, before any redirect.
        status: HTTP status; 200 or one of ``Request.expected``.
        headers: The answer's headers that matter later, names in lower case.
        content: The body, unpacked where it was gzip.
        received: When it was received, UTC.
        unchanged: The publisher said that the body kept from an earlier day still holds.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    received: dt.datetime
    unchanged: bool = False


@dataclass(frozen=True)
class Pull:
    """One visit to a source: what its module needs to ask for everything it wants.

    Attributes:
        access: How the source is asked.
        ask: Sends a request, or finds its answer in the store; raises ``InputError`` where there is no good answer.
        today: Day of the visit; on a replay the day of the visit replayed.
        wait: Waits some seconds between two questions about work in progress; does nothing on a replay.
    """

    access: SourceAccess
    ask: Callable[[Request], Answer]
    today: dt.date
    wait: Callable[[float], None]


def as_file(answer: Answer, name: str) -> RawFile:
    """An answer's body as a file of the publisher's."""
    return RawFile(name, answer.content)


def get_file(pull: Pull, address: str, name: str = "") -> RawFile:
    """Ask for one file by its address; it is named as its address ends unless ``name`` is given."""
    request = Request(address)
    return as_file(pull.ask(request), name or request.file_name)


def links(answer: Answer, pattern: str) -> list[str]:
    """Addresses on a web page that match a pattern.

    Args:
        answer: The page.
        pattern: Regular expression that the whole address is searched for.

    Returns:
        Absolute addresses in the page's order, each once.

    Raises:
        SourceError: There is none: the page was rebuilt.
    """
    page = answer.content.decode("utf-8", "replace")
    found = [urljoin(answer.url, html.unescape(href).strip()) for href in _HREF.findall(page)]
    matching = list(dict.fromkeys(address for address in found if re.search(pattern, address)))
    if not matching:
        raise SourceError(
            answer.url, _("the page holds no link such as '{pattern}': it may have been rebuilt"), pattern=pattern
        )
    return matching


def json_body(answer: Answer) -> Any:  # noqa: ANN401  # JSON can be anything; callers check what they need
    """An answer's body as JSON.

    Raises:
        SourceError: It is not JSON, such as an error page or a sentence.
    """
    try:
        return json.loads(answer.content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        start = answer.content[:80].decode("utf-8", "replace").strip()
        raise SourceError(answer.url, _("not JSON but '{start}'"), start=start) from None


def json_rows(raw: RawFile, *path: str) -> list[dict[str, Any]]:
    """The list of objects inside a JSON file.

    Args:
        raw: The file.
        path: Names that lead to the list; none where the file is the list.

    Raises:
        SourceError: It is not JSON, the list is not there, is empty, or holds anything but objects.
    """
    try:
        found: Any = json.loads(raw.content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise SourceError(raw.name, _("not a JSON document in UTF-8: {error}"), error=error) from None
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise SourceError(raw.name, _("no list of objects at '{place}'"), place=".".join(path) or "top")
    if not found:
        raise SourceError(raw.name, _("the list is empty: one of the codes asked for is unknown, or has no data"))
    return found


def json_table(raw: RawFile, columns: Sequence[str], *path: str, first: int = 1) -> pd.DataFrame:
    """Some fields of the objects inside a JSON file, as a table of text.

    Args:
        raw: The file.
        columns: Fields to take; every object must have each of them, be it null. No other is looked at.
        path: Names that lead to the list; none where the file is the list.
        first: Number of the first row.

    Returns:
        One row per object, ``''`` where a field is null, numbered from ``first``.

    Raises:
        SourceError: As :func:`json_rows`, or a field is missing; the text names field and row.
    """
    rows = json_rows(raw, *path)
    absent = [name for name in columns if not any(name in row for row in rows)]
    if absent:
        raise SourceError(
            raw.name, _("missing columns {columns}; found {found}"), row=first, columns=absent, found=list(rows[0])[:20]
        )
    for number, row in enumerate(rows, start=first):
        for name in columns:
            if name not in row:
                raise SourceError(raw.name, _("the field is missing in this row alone"), row=number, column=name)
            if isinstance(row[name], dict | list):
                raise SourceError(raw.name, _("the field holds a list or an object"), row=number, column=name)
    texts = [["" if row[name] is None else str(row[name]) for name in columns] for row in rows]
    index = pd.RangeIndex(first, len(rows) + first)
    return pd.DataFrame(texts, columns=list(columns), index=index, dtype=object)

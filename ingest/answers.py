"""What can be taken from a publisher's answers: files, links and JSON."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urljoin

import pandas as pd

from core.errors import InputError, SourceError
from core.languages import marked as _
from ingest import Answer, Pull, RawFile, Request

T = TypeVar("T")
_HREF = re.compile(r"""href\s*=\s*["']([^"'<>]+)["']""", re.IGNORECASE)


def as_file(answer: Answer, name: str) -> RawFile:
    """An answer's body as a file of the publisher's."""
    return RawFile(name, answer.content)


def get_file(pull: Pull, address: str) -> RawFile:
    """Ask for one file by its address; it is named as its address ends."""
    request = Request(address)
    return as_file(pull.ask(request), request.file_name)


def gather(pull: Pull, parts: Mapping[str, Callable[[], T]]) -> list[T]:
    """Ask for the parts of a visit, one by one; one that fails is named and costs none of the others.

    Args:
        pull: The visit; its ``failures`` are added to.
        parts: What to ask for, by the name under which a failure is reported.

    Returns:
        What came, files mostly, in order.

    Raises:
        InputError: None came: the first fault.
    """
    found: list[T] = []
    faults: dict[str, InputError] = {}
    for name, ask in parts.items():
        try:
            found.append(ask())
        except InputError as error:
            faults[name] = error
    if faults and not found:
        raise next(iter(faults.values()))
    fault = _("could not be had: {fault}")
    pull.failures.extend(SourceError(name, fault, fault=error.message) for name, error in faults.items())
    return found


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
        _refuse_cut(answer.url, answer.content)
        start = answer.content[:80].decode("utf-8", "replace").strip()
        raise SourceError(answer.url, _("not JSON but '{start}'"), start=start) from None


def json_document(raw: RawFile) -> Any:  # noqa: ANN401  # as above
    """What a JSON file holds.

    Raises:
        SourceError: It is not JSON in UTF-8.
    """
    try:
        return json.loads(raw.content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        _refuse_cut(raw.name, raw.content)
        raise SourceError(raw.name, _("not a JSON document in UTF-8: {error}"), error=error) from None


def _refuse_cut(place: str, content: bytes) -> None:
    """Raise for text that begins as a JSON document and does not end as one."""
    text = content.strip()
    if text[:1] in (b"{", b"[") and text[-1:] not in (b"}", b"]"):
        raise SourceError(place, _("the JSON document was cut off"))


def json_rows(raw: RawFile, *path: str, may_be_empty: bool = False) -> list[dict[str, Any]]:
    """The list of objects inside a JSON file.

    Args:
        raw: The file.
        path: Names that lead to the list; none where the file is the list.
        may_be_empty: A list without objects is an answer.

    Raises:
        SourceError: It is not JSON, the list is not there, is empty, or holds anything but objects.
    """
    found = json_document(raw)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise SourceError(raw.name, _("no list of objects at '{place}'"), place=".".join(path) or "top")
    if not found and not may_be_empty:
        raise SourceError(raw.name, _("the list is empty: one of the codes asked for is unknown, or has no data"))
    return found


def json_table(raw: RawFile, columns: Sequence[str], *path: str) -> pd.DataFrame:
    """Some fields of the objects inside a JSON file, as a table of text.

    Args:
        raw: The file.
        columns: Fields to take; every object must have each of them, be it null. No other is looked at.
        path: Names that lead to the list; none where the file is the list.

    Returns:
        One row per object, ``''`` where a field is null, numbered from 1.

    Raises:
        SourceError: As :func:`json_rows`, or a field is missing; the text names field and row.
    """
    rows = json_rows(raw, *path)
    absent = [name for name in columns if not any(name in row for row in rows)]
    if absent:
        raise SourceError(
            raw.name, _("missing columns {columns}; found {found}"), row=1, columns=absent, found=list(rows[0])[:20]
        )
    for number, row in enumerate(rows, start=1):
        for name in columns:
            if name not in row:
                raise SourceError(raw.name, _("the field is missing in this row alone"), row=number, column=name)
            if isinstance(row[name], dict | list):
                raise SourceError(raw.name, _("the field holds a list or an object"), row=number, column=name)
    texts = [["" if row[name] is None else str(row[name]) for name in columns] for row in rows]
    index = pd.RangeIndex(1, len(rows) + 1)
    return pd.DataFrame(texts, columns=list(columns), index=index, dtype=object)

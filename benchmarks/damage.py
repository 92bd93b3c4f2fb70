"""Seeded ways to damage a file: cut off, junk, spoilt cells, columns and fields moved, dropped or renamed, recoded.

No damage puts another sound figure or name in the place of one: that no parser can notice in a single file.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from functools import partial
from typing import Any

HEADER_LINES = 6
WRONG_CELLS = (b"-4", b"many", b"NaN", b"1e999", b"12;5", "∞".encode(), b"\xff\xfe", b"0[VALORE]0", b"#REF!")
WRONG_NUMBERS: tuple[Any, ...] = ("many", "12;5", "∞", [], {}, True, float("inf"))
WRONG_TEXTS: tuple[Any, ...] = ([], {}, [1, 2])
JUNK = (b"\x00", b"\xff", b'"', b"<html>", b"x", b"\r", b"\t\t", b",,", "é".encode(), b"\x1a", b"-")
Damage = Callable[[random.Random, bytes, bytes], bytes]


def _cut(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    """Cut off somewhere inside a line."""
    end = numbers.randrange(1, len(content.rstrip()) - 1)
    while content[end - 1 : end] == b"\n":
        end -= 1
    return content[:end]


def _insert(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    place, junk = numbers.randrange(len(content)), numbers.choice(JUNK)
    while junk == b"-" and content[place : place + 1].isdigit():
        # a minus before a figure that may be negative is another sound figure
        place = numbers.randrange(len(content))
    return content[:place] + junk * numbers.randint(1, 3) + content[place:]


def _overwrite(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    place, length = numbers.randrange(len(content)), numbers.choice([1, 4, 60, 4000])
    noise = numbers.choice([b"\x00" * length, numbers.randbytes(length)])
    return content[:place] + noise + content[place + length :]


def _recode(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(numbers.choice(["utf-16", "utf-32", "utf-16-le"]))


def _repeat_line(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    place = numbers.randrange(1, len(lines) - 1)
    return b"".join([*lines[:place], lines[place], *lines[place:]])


def _spoil_cell(numbers: random.Random, content: bytes, separator: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    place = numbers.randrange(min(HEADER_LINES, len(lines) - 1), len(lines))
    cells = lines[place].rstrip(b"\r\n").split(separator)
    cells[numbers.randrange(len(cells))] = numbers.choice([wrong for wrong in WRONG_CELLS if separator not in wrong])
    lines[place] = separator.join(cells) + b"\n"
    return b"".join(lines)


def _rearrange(change: str, numbers: random.Random, content: bytes, separator: bytes) -> bytes:
    """Swap, drop or rename a column of the whole table, as a publisher might."""
    text = content.decode("utf-8", "surrogateescape")
    comma = separator.decode()
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=comma) if row]
    width = max(len(row) for row in rows)
    first, second = numbers.randrange(width), numbers.randrange(width)
    for number, row in enumerate(rows):
        if change == "rename" and number < HEADER_LINES and first < len(row) and not row[first][:1].isdigit():
            row[first] += "_new"
        elif change == "swap" and max(first, second) < len(row):
            row[first], row[second] = row[second], row[first]
        elif change == "drop" and first < len(row):
            del row[first]
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=comma, lineterminator="\n").writerows(rows)
    return written.getvalue().encode("utf-8", "surrogateescape")


def inside(document: Any) -> list[Any]:  # noqa: ANN401  # JSON can be anything
    """Every object and list of a document, itself included."""
    found, left = [], [document]
    while left:
        part = left.pop()
        if isinstance(part, dict | list) and part:
            found.append(part)
            left.extend(part.values() if isinstance(part, dict) else part)
    return found


def _spoil_value(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    """Put what is no figure in the place of a figure, or what is no text in the place of a text."""
    document = json.loads(content)
    part = numbers.choice(inside(document))
    key = numbers.choice(list(part) if isinstance(part, dict) else range(len(part)))
    text = isinstance(part[key], str) and not part[key][:4].isdigit()
    part[key] = numbers.choice(WRONG_TEXTS if text else WRONG_NUMBERS)
    return json.dumps(document).encode()


def _rename_field(everywhere: bool, numbers: random.Random, content: bytes, _: bytes) -> bytes:  # noqa: FBT001  # bound by partial, never written at a call
    document = json.loads(content)
    objects = [part for part in inside(document) if isinstance(part, dict)]
    name = numbers.choice(list(numbers.choice(objects)))
    holders = [part for part in objects if name in part]
    for part in holders if everywhere else [numbers.choice(holders)]:
        part[f"{name}_new"] = part.pop(name)
    return json.dumps(document).encode()


def _repeat_row(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    document = json.loads(content)
    lists = [part for part in inside(document) if isinstance(part, list) and isinstance(part[0], dict)]
    if not lists:
        return content
    rows = numbers.choice(lists)
    rows.insert(numbers.randrange(len(rows)), numbers.choice(rows))
    return json.dumps(document).encode()


def _shuffle_fields(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    """The same document with its fields in another order: nothing may change."""
    document = json.loads(content)
    for part in inside(document):
        if isinstance(part, dict):
            names = list(part)
            numbers.shuffle(names)
            entries = {name: part[name] for name in names}
            part.clear()
            part.update(entries)
    return json.dumps(document).encode()


BINARY_DAMAGE: dict[str, Damage] = {"cut off": _cut, "junk inserted": _insert, "bytes overwritten": _overwrite}
TEXT_DAMAGE: dict[str, Damage] = {
    "cut off": _cut,
    "junk inserted": _insert,
    "another encoding": _recode,
    "a line repeated": _repeat_line,
    "a cell spoilt": _spoil_cell,
    "columns swapped": partial(_rearrange, "swap"),
    "a column dropped": partial(_rearrange, "drop"),
    "a column renamed": partial(_rearrange, "rename"),
}
JSON_DAMAGE: dict[str, Damage] = {
    "cut off": _cut,
    "junk inserted": _insert,
    "another encoding": _recode,
    "a value spoilt": _spoil_value,
    "a field renamed": partial(_rename_field, True),
    "a field renamed once": partial(_rename_field, False),
    "a row repeated": _repeat_row,
    "fields in another order": _shuffle_fields,
}

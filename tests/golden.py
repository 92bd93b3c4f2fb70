"""Compare whole outputs with golden files: text exactly, numbers within one tolerance.

``make golden`` writes the files. Read the difference before it is committed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike

RELATIVE, ABSOLUTE = 1e-4, 1e-6
"""Largest difference of two numbers. See ``docs/decisions/NNNN``."""
NAMES_OF_THE_RUN = r"\d{8}T\d{6}Z-[0-9a-f]{6}|\b[0-9a-f]{12,64}\b"
"""Names of releases and hashes, which differ from run to run: a part of a pattern."""
MOST_DIFFERENCES = 20
MOST_VALUES = 6
"""Of a list that are shown."""
NUMBER = re.compile(
    r"(?<![\w#.,])(?<!rgb\()(?<!rgba\()(?:(?<![\w)])[-−+])?"
    r"(?:\d{1,3}(?:[,\u202f\u00a0]\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)(?!\.\d)"
)
"""A number that stands alone: no part of a name, a colour, or a version."""
PLAIN = re.compile(r"[-−+]?\d+")


def check_golden(file: Path, lines: Iterable[str]) -> None:
    """Fail if a line differs from the file's; name the line and each number that is off."""
    found = [part.rstrip() for line in lines for part in line.split("\n")]
    if os.environ.get("WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(found) + "\n", encoding="utf-8")
    expected = file.read_text(encoding="utf-8").split("\n")[:-1]
    off = list(differences(expected, found))
    if off:
        shown = "\n".join(off[:MOST_DIFFERENCES])
        text = f"{file.name} differs in {len(off)} places; if this is intended, run make golden\n{shown}"
        pytest.fail(text, pytrace=False)


def differences(expected: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    """Yield each difference of two texts: the expected lines, the lines found, and the numbers that are off."""
    texts = [[NUMBER.sub("0", line) for line in lines] for lines in (expected, found)]
    for kind, first, last, start, stop in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind != "equal":
            sides = [f"- {line}" for line in expected[first:last]] + [f"+ {line}" for line in found[start:stop]]
            yield "\n".join([f"line {first + 1}:", *sides])
            continue
        for number, (wanted, line) in enumerate(zip(expected[first:last], found[start:stop], strict=True), first + 1):
            if off := list(_numbers_off(wanted, line)):
                yield f"line {number}: {', '.join(off)}\n- {wanted}\n+ {line}"


def _numbers_off(expected: str, found: str) -> Iterator[str]:
    for one, other in zip(NUMBER.finditer(expected), NUMBER.finditer(found), strict=True):
        if not _agree(one.group(), other.group(), is_percent=expected[one.end() :].lstrip().startswith("%")):
            yield f"expected {one.group()}, found {other.group()}"


def _agree(expected: str, found: str, *, is_percent: bool) -> bool:
    """Return whether two numbers agree.

    A percentage and a number with a separator of thousands are rounded, so that the last digit may differ by one. Other
    numbers without a fraction are days, horizons and counts, which are exact.
    """
    if expected == found:
        return True
    is_rounded = is_percent or any(re.search(r"[,\u202f\u00a0]", one) for one in (expected, found))
    if not is_rounded and PLAIN.fullmatch(expected) and PLAIN.fullmatch(found):
        return False
    one, other = (float(re.sub(r"[,\u202f\u00a0]", "", text).replace("−", "-")) for text in (expected, found))
    unit = 10.0 ** -len(expected.partition(".")[2]) if is_rounded else 0.0
    return abs(one - other) <= max(ABSOLUTE, RELATIVE * abs(one), 1.001 * unit)


def selected[T](entries: Sequence[T]) -> list[T]:
    """Return the first and the last entry, and others at even distances between them."""
    count = len(entries)
    if count <= MOST_VALUES:
        return list(entries)
    return [entries[place * (count - 1) // (MOST_VALUES - 1)] for place in range(MOST_VALUES)]


def number(value: float) -> str:
    """Return a number with six significant digits."""
    return f"{value + 0.0:.6g}"


def short(values: ArrayLike) -> str:
    """Return numbers, of many only a selection."""
    numbers = list(np.asarray(values, dtype=float))
    count = f"{len(numbers)}: " if len(numbers) > MOST_VALUES else ""
    return count + " ".join(number(value) for value in selected(numbers))


def table_lines(table: pd.DataFrame) -> Iterator[str]:
    """Yield a table's columns, its first, middle and last row, and of each column of numbers a few quantiles.

    A column of text is named with the number of its values.
    """
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
    texts = pd.DataFrame(
        {
            place: table.iloc[:, place].astype(float).map(number) if is_number else table.iloc[:, place].astype(str)
            for place, is_number in enumerate(numeric)
        }
    )
    names = [
        f"{name}" if is_number else f"{name} ({texts[place].nunique()})"
        for place, (name, is_number) in enumerate(zip(table, numeric, strict=True))
    ]
    yield f"  {' | '.join(names)}"
    for row in dict.fromkeys((0, len(table) // 2, len(table) - 1)) if len(table) else ():
        yield f"  {row}: {' | '.join(texts.iloc[row])}"
    if any(numeric) and len(table) > 3:
        for level in (0.1, 0.5, 0.9):
            ...

"""Compare whole outputs with golden files: text exactly, numbers within one tolerance.

``make golden`` writes the files. Read the difference before it is committed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike

RELATIVE, ABSOLUTE = 1e-4, 2e-6
"""Largest difference of two numbers, in parts of the expected one and by itself.

Forecasts move by up to 2e-15 without AVX2 or AVX-512 and with other kernels of OpenBLAS. A flip of the last of six
significant digits moves a number by up to 1e-5, one of the sixth decimal by 1e-6.
"""
NAMES_OF_THE_RUN = r"\d{8}T\d{6}Z-[0-9a-f]{6}|\b[0-9a-f]{12,64}\b"
"""Names of releases and hashes, which differ from run to run: a part of a pattern."""
T = TypeVar("T")
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
    before, after = ([NUMBER.sub("0", line) for line in lines] for lines in (expected, found))
    for kind, first, last, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
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


def selected(entries: Sequence[T]) -> list[T]:
    """Return the first and the last entry, and others at even distances between them."""
    last = len(entries) - 1
    if last < MOST_VALUES:
        return list(entries)
    return [entries[place * last // (MOST_VALUES - 1)] for place in range(MOST_VALUES)]


def number(value: float) -> str:
    """Return a number with six significant digits, at most six of them decimals."""
    return f"{round(value, 6) + 0.0:.6g}"


def short(values: ArrayLike) -> str:
    """Return numbers as text: how many they are, and a selection of them."""
    numbers = np.asarray(values, dtype=float).tolist()
    count = f"{len(numbers)}: " if len(numbers) > MOST_VALUES else ""
    return count + " ".join(map(number, selected(numbers)))


def table_lines(table: pd.DataFrame) -> Iterator[str]:
    """Yield the first, middle and last row of a table under its columns, and quantiles of its numbers.

    A column of text is named with its number of distinct values.
    """
    numbers = table.select_dtypes(["number", "bool"]).astype(float)
    columns = [
        [name, *numbers[name].map(number)] if name in numbers else [f"{name} ({texts.nunique()})", *texts]
        for name, texts in table.astype(str).items()
    ]
    for row in dict.fromkeys((0, min(1, len(table)), (1 + len(table)) // 2, len(table))):
        yield f"  {' | '.join(column[row] for column in columns)}"
    if len(table) > MOST_VALUES and not numbers.empty:
        for level, values in numbers.quantile([0.1, 0.5, 0.9]).iterrows():
            yield f"  {level} of {' | '.join(f'{name} {number(value)}' for name, value in values.items())}"

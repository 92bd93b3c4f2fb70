"""Whole outputs held against a file of text: what a page, a message or a table shows, line by line.

``make golden`` writes the files anew; read the difference before it is committed.
"""

from __future__ import annotations

import difflib
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

NAMES_OF_THE_RUN = r"\d{8}T\d{6}Z-[0-9a-f]{6}|\b[0-9a-f]{12,64}\b"
"""Names of releases and hashes, which differ from run to run: a part of a pattern."""
MOST_LINES = 60
"""Of a difference that are shown."""


def check_golden(file: Path, lines: Iterable[str]) -> None:
    """Fail with the difference where the lines are not those of the file."""
    found = [part.rstrip() for line in lines for part in line.split("\n")]
    if os.environ.get("WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(found) + "\n", encoding="utf-8")
    expected = file.read_text(encoding="utf-8").split("\n")[:-1]
    if found != expected:
        difference = difflib.unified_diff(expected, found, file.name, "found", lineterm="", n=1)
        shown = "\n".join([*difference][:MOST_LINES])
        pytest.fail(f"not the golden text (where it is meant: make golden)\n{shown}", pytrace=False)


def short(values: ArrayLike) -> str:
    """Numbers in few characters that change with each of them and with their order."""
    numbers = np.asarray(values, dtype=float)
    if len(numbers) <= 4:
        return " ".join(f"{value:.6g}" for value in numbers)
    known = np.nan_to_num(numbers)
    weighted = float(known @ np.arange(1, len(known) + 1))
    return f"{len(numbers)}: {numbers[0]:.6g} … {numbers[-1]:.6g} sum {known.sum():.6g} weighted {weighted:.6g}"


def check_of(texts: Iterable[str]) -> str:
    """A number that changes with each of the texts and with their order."""
    return f"check {zlib.crc32(chr(10).join(texts).encode())}"

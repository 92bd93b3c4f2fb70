"""What is read from each publisher's miniature file, row by row, is the golden table."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.sources import SOURCES
from tests.golden import check_golden
from tests.ingest.miniature_files import ALL_FILES

GOLDEN = Path(__file__).with_name("golden")
MOST = 8
"""Rows of a file that are shown."""


@pytest.mark.parametrize("name", ALL_FILES)
def test_miniature_file_is_read_as_golden_table(name: str) -> None:
    source_id, make = ALL_FILES[name]
    found = SOURCES[source_id].parse(make())
    lines = found.observations.head(MOST).to_csv(index=False, sep="|").splitlines()
    lines += [f"{len(found.observations)} rows", *found.rejected.to_csv(index=False, sep="|").splitlines()]
    lines += [str(doubt) for doubt in found.doubts]
    check_golden(GOLDEN / f"{name.replace(' ', '_')}.txt", lines)

"""Text becomes numbers and dates in one place, so that what a rule lets pass can be converted."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from core.settings import PROJECT
from ingest.rows import to_days, to_months

PARSERS = [*sorted((PROJECT / "ingest" / "sources").glob("*.py")), PROJECT / "ingest" / "own.py"]
OWN_CONVERSION = re.compile(r"\bfloat\(|to_numeric\(|to_datetime\(|astype\((?:float|int)\)")


@pytest.mark.parametrize("path", PARSERS, ids=lambda path: path.stem)
def test_no_parser_converts_numbers_or_dates_alone(path: Path) -> None:
    assert OWN_CONVERSION.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", ["2024-02-30", "2024-2-1", "24-02-01", "٢٠٢٤-٠١-٠١", "2024-01-01x", ""])
def test_what_is_no_day_is_none(text: str) -> None:
    assert to_days(pd.Series([text], dtype=object)).isna().all()
    assert to_months(pd.Series([text[:7] + "-"], dtype=object)).isna().all()

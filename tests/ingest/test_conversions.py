"""Text becomes numbers and dates in one place, so that what a rule lets pass can be converted."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from core.settings import PROJECT
from ingest import RawFile
from ingest.rows import count_rules, set_aside, to_days, to_months, to_numbers
from ingest.sources import uk_home_office

PARSERS = [*sorted((PROJECT / "ingest" / "sources").glob("*.py")), PROJECT / "ingest" / "own.py"]
OWN_CONVERSION = re.compile(r"\bfloat\(|to_numeric\(|to_datetime\(|astype\((?:float|int)\)")
QUARTER = "Date,Method of entry,Nationality,Number of detections\n2024-03-31,Small boat arrivals,Afghanistan,"


@pytest.mark.parametrize("path", PARSERS, ids=lambda path: path.stem)
def test_no_parser_converts_numbers_or_dates_by_itself(path: Path) -> None:
    assert OWN_CONVERSION.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("space", ["", " ", "\t", "\x1c", "\x1d", "\x85", "\xa0", "\u2003"])
def test_a_count_that_the_rules_let_pass_can_be_converted_whatever_space_surrounds_it(space: str) -> None:
    frame = pd.DataFrame({"n": [f"{space}12{space}", "3"]}, dtype=object)
    good, _rejected = set_aside(frame, count_rules(frame["n"], "n"), source_id="x", file="x.csv", tolerated=1)
    assert to_numbers(good["n"]).tolist() == [12.0, 3.0][2 - len(good) :]


def test_a_separator_of_records_before_a_number_of_the_channels_quarters_is_no_unforeseen_error() -> None:
    raw = RawFile("quarters.csv", f"{QUARTER}\x1c7\n".encode())
    assert uk_home_office.parse(raw).observations["obs_value"].tolist() == [7.0, 7.0]


@pytest.mark.parametrize("text", ["", "x", "1,234", "1_000", "٣", "inf", "nan", "0x1c", "1e999"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert to_numbers(pd.Series([text], dtype=object)).isna().all()


@pytest.mark.parametrize("text", ["2024-02-30", "2024-2-1", "24-02-01", "٢٠٢٤-٠١-٠١", "2024-01-01x", ""])
def test_what_is_no_day_is_none(text: str) -> None:
    assert to_days(pd.Series([text], dtype=object)).isna().all()
    assert to_months(pd.Series([text[:7] + "-"], dtype=object)).isna().all()

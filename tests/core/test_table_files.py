"""Files of tables, opened again as a spreadsheet or a program would."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.table_files import FORMULA_STARTS, LONGEST_CELL, MOST_ROWS, csv_bytes, json_bytes, parquet_bytes, xlsx_bytes

DAY = dt.date(2025, 1, 31)
ABOUT = [("Source", "=A ministry. Licence: CC BY 4.0."), ("Release", "run-1")]
LETTERS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff")
    | st.sampled_from("=+-@;\t\r\n"),
    max_size=12,
)
"""Texts full of signs that begin formulas or cells, without those that no file of XML can hold."""
TABLES = st.lists(st.tuples(LETTERS, st.floats(-1e9, 1e9)), min_size=1, max_size=6)
CELL_STARTS = re.compile(r"(?:^|[;\t\r\n])[=+\-@]")


def frame_of(rows: list[tuple[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["=text", "number"])


def bare(text: str) -> str:
    """A text without apostrophes, with line feeds for carriage returns: what writing may change."""
    return text.replace("'", "").replace("\r\n", "\n").replace("\r", "\n")


@settings(deadline=None)
@given(TABLES)
def test_csv_cell_never_begins_formula(rows: list[tuple[str, float]]) -> None:
    content = csv_bytes(frame_of(rows), ["about"]).decode("utf-8-sig")
    head, *cells = csv.reader(io.StringIO(content.partition("\n")[2], newline=""))
    assert head == ["'=text", "number"]
    for (text, number), (written, figure) in zip(rows, cells, strict=True):
        assert not written.startswith(FORMULA_STARTS) and not CELL_STARTS.search(written)
        assert bare(written) == bare(text)
        assert float(figure) == number


@settings(deadline=None)
@given(TABLES)
def test_no_cell_of_workbook_is_formula_and_numbers_stay_numbers(rows: list[tuple[str, float]]) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame_of(rows), ABOUT, title="t", day=DAY)))["data"]
    for (text, number), (first, second) in zip(rows, sheet.iter_rows(min_row=2), strict=True):
        assert first.data_type in {"s", "n", "inlineStr"} and second.data_type == "n"
        written = str(first.value or "")
        assert not written.startswith(FORMULA_STARTS) and not CELL_STARTS.search(written)
        assert second.value == pytest.approx(number, rel=1e-12)
        assert bare(written) == bare(text)


def test_second_sheet_describes_data_harmlessly() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame_of([("a", 1.0)]), ABOUT, title="t", day=DAY)))
    assert book.sheetnames == ["data", "about"]
    cells = [[cell.value for cell in row] for row in book["about"].iter_rows()]
    assert cells == [["Source", "'=A ministry. Licence: CC BY 4.0."], ["Release", "run-1"]]


def test_each_kind_of_value_keeps_its_kind_in_workbook() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([3, None], dtype="Int64"),
            "mixed": [np.float64(2.5), np.int64(7)],
            "day": [pd.Timestamp("2025-01-31", tz="UTC"), pd.NaT],
            "date": [dt.date(2024, 12, 31), dt.date(2025, 1, 31)],
            "yes": [True, False],
            "ratio": [1.5, float("inf")],
        }
    ).astype({"mixed": object})
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame, ABOUT, title="t", day=DAY)))["data"]
    first, second = list(sheet.iter_rows(min_row=2, values_only=True))
    assert first == (3, 2.5, pd.Timestamp("2025-01-31"), pd.Timestamp("2024-12-31"), True, 1.5)
    assert second == (None, 7, None, pd.Timestamp("2025-01-31"), False, "=1/0")  # shown as #DIV/0!


def test_text_longer_than_cell_is_cut_and_says_so() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame_of([("x" * 40_000, 1.0)]), ABOUT, title="t", day=DAY)))
    text = book["data"]["A2"].value
    assert len(text) == LONGEST_CELL and text.endswith("(cut here: a cell holds no more)")


def test_more_rows_than_sheet_holds_are_refused_not_cut() -> None:
    frame = pd.DataFrame({"a": np.zeros(MOST_ROWS + 1, dtype="int8")})
    with pytest.raises(InputError, match="take CSV or Parquet"):
        xlsx_bytes(frame, ABOUT, title="t", day=DAY)


def test_parquet_keeps_values_and_metadata() -> None:
    frame = frame_of([("=1+1", -5.0)])
    table = pq.read_table(io.BytesIO(parquet_bytes(frame, ["Source: a ministry\nand more", "Release: run-1"])))
    pd.testing.assert_frame_equal(table.to_pandas(), frame)
    assert table.schema.metadata[b"vigie"].decode() == "Source: a ministry and more\nRelease: run-1"


def test_json_keeps_every_digit() -> None:
    values = [0.1 + 0.2, 12508.328593474536, 1e-12]
    frame = pd.DataFrame({"value": values, "day": pd.Timestamp(DAY)})
    rows = [{"value": value, "day": "2025-01-31"} for value in values]
    assert json.loads(json_bytes(frame, lines=False)) == rows
    assert [json.loads(line) for line in json_bytes(frame, lines=True).splitlines()] == rows

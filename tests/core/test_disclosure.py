"""Breakdowns of own figures leave rounded to the nearest 5, published ones as they were published."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import message
from core.release import ROUNDED_TO, rounded, rounded_message, without_own_rows


def counts(source_id: str, citizen: str, *values: float) -> pd.DataFrame:
    return pd.DataFrame({"source_id": source_id, "citizen": citizen, "obs_value": list(values)})


@pytest.mark.parametrize(
    ("source_id", "citizen", "shown"),
    [
        ("own_border_post", "SYR", [0, 0, 5, 5, 10]), ("own_border_post", "_T", [0, 2, 3, 7, 8]),
        ("own_border_post", "_Z", [0, 2, 3, 7, 8]), ("iom_dtm", "SYR", [0, 2, 3, 7, 8]),
    ],
)  # fmt: skip
def test_own_breakdown_is_rounded_and_published_one_is_not(source_id: str, citizen: str, shown: list[float]) -> None:
    frame = counts(source_id, citizen, 0, 2, 3, 7, 8)
    assert rounded(frame)["obs_value"].to_list() == shown
    assert frame["obs_value"].to_list() == [0, 2, 3, 7, 8]


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_own_breakdown_holds_no_count_between_multiples(values: list[int]) -> None:
    shown = rounded(counts("own_x", "SYR", *map(float, values)))["obs_value"]
    assert (shown % ROUNDED_TO == 0).all()
    assert ((shown - values).abs() <= ROUNDED_TO / 2).all()


def test_revision_of_own_breakdown_reports_no_exact_change() -> None:
    nothing = float("nan")
    frame = pd.DataFrame(
        {
            "source_id": ["own_x", "own_x", "own_x", "iom_dtm"], "citizen": "SYR", "before": [3.0, nothing, 1.0, 3.0],
            "after": [9.0, 4.0, nothing, 4.0], "change": [6.0, 4.0, -1.0, 1.0], "share": [2.0, nothing, -1.0, 1 / 3],
        }
    )  # fmt: skip
    out = rounded(frame)
    assert out["change"].to_list() == [5, 5, 0, 1]
    assert out["share"].to_list() == pytest.approx([1, nothing, nothing, 1 / 3], nan_ok=True)


@pytest.mark.parametrize(
    ("source_id", "sentence"), [("own_x", "SYR is 5, 0 before (1.6)"), ("x", "SYR is 7, 2 before (1.6)")]
)
def test_sentence_about_own_figures_names_none_exactly(source_id: str, sentence: str) -> None:
    said = message("{series} is {value}, {former} before ({times})", series="SYR", value=7.0, former=2.0, times=1.6)
    assert str(rounded_message(source_id, said)) == sentence


def test_own_row_set_aside_leaves_without_its_text() -> None:
    rows = pd.DataFrame({"source_id": ["own_x", "iom_dtm"], "record": ["2024-12,SYR,7", "2024-12,SYR,8"]})
    assert without_own_rows(rows)["record"].tolist() == ["", "2024-12,SYR,8"]

"""Tables on screen are written in the reader's format and keep their values."""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd
import pytest

import dashboard
from dashboard import tables

FRAME = pd.DataFrame(
    {
        "year": [2024, 2025],
        "persons": [12345.0, float("nan")],
        "share": [0.82, 0.5],
        "day": [pd.Timestamp(2025, 1, 31), dt.date(2025, 3, 1)],
        "name": ["Manche", "1234"],
    },
    index=[7, 7],
)


def cells(frame: pd.DataFrame) -> list[str]:
    return re.findall(r"<td[^>]*>(.*?)</td>", tables.localised(frame).to_html())


@pytest.fixture
def in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tables, dashboard):
        monkeypatch.setattr(module, "language", lambda: "fr")


@pytest.mark.usefixtures("in_french")
def test_french_numbers_and_dates_but_plain_years() -> None:
    assert cells(FRAME) == [
        "2024", "12\u202f345", "0,820", "31 janv. 2025", "Manche", "2025", "", "0,500", "1 mars 2025", "1234",
    ]  # fmt: skip


def test_values_behind_stay_numbers_so_that_columns_sort() -> None:
    data = tables.localised(FRAME).data  # type: ignore[attr-defined]  # a property that its stubs leave out
    assert data["persons"].dtype == float
    assert data["share"].tolist() == [0.82, 0.5]

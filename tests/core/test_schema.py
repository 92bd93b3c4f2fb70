from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from core.errors import SchemaError
from core.release import PANEL
from core.schema import DAY, NUMBER, TEXT, WHOLE, YES_NO, Column, Table, check, make_series_id, stopped_series, unit_of


def panel() -> pd.DataFrame:
    return pd.DataFrame({"series_id": ["a", "a"], "time_period": ["2024-01", "2024-02"], "value": [1.0, 2.0]})


def test_frame_that_keeps_its_contract_passes_unchanged() -> None:
    pd.testing.assert_frame_equal(check(panel(), PANEL), panel())


def test_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match=r"panel: missing columns \['value'\]"):
        check(panel().drop(columns="value"), PANEL)


def test_negative_count_is_named_with_its_row_and_column() -> None:
    with pytest.raises(SchemaError, match=r"row 1, column value: .*-2"):
        check(panel().assign(value=[1.0, -2.0]), PANEL)


def test_repeated_period_is_refused() -> None:
    with pytest.raises(SchemaError, match="2024-01"):
        check(panel().assign(time_period="2024-01"), PANEL)


def test_repeated_period_is_refused_where_rows_share_label() -> None:
    with pytest.raises(SchemaError, match="2024-01"):
        check(pd.concat([panel(), panel()]), PANEL)


@pytest.mark.parametrize("column", ["Name", "date_of_birth", "Latitude", "passport"])
def test_person_level_column_is_refused(column: str) -> None:
    with pytest.raises(SchemaError, match="aggregates only"):
        check(panel().assign(**{column: "x"}), PANEL)


@pytest.mark.parametrize("faults", [1, 4, 5, 6, 7])
def test_every_fault_is_either_listed_or_counted(faults: int) -> None:
    periods = [f"2024-{month + 1:02d}" for month in range(faults)]
    with pytest.raises(SchemaError) as refused:
        check(pd.DataFrame({"series_id": "a", "time_period": periods, "value": -1.0}), PANEL)
    text = str(refused.value)
    listed, rest = text.count("column value"), re.search(r"; and (\d+) more$", text)
    assert listed == min(faults, 5)
    assert (int(rest[1]) if rest else None) == (faults - listed or None)


def test_series_id_joins_its_five_parts() -> None:
    assert make_series_id("arrivals", "CMR", "_T", "_T", "M") == "arrivals.CMR._T._T.M"


@pytest.mark.parametrize(
    ("values", "column", "fault"),
    [
        ([1.5, np.nan], Column(NUMBER), "row 1, column x: missing (found nan)"),
        ([1.5, np.nan], Column(NUMBER, nullable=True, least=0), ""),
        ([-0.5, 6.0], Column(NUMBER, least=0), "row 0, column x: below 0 (found -0.5)"),
        ([1, 9], Column(WHOLE, most=5), "row 1, column x: above 5 (found 9)"),
        ([1, 2], Column(NUMBER), "column x: has type int64, not float64"), ([True, False], Column(YES_NO), ""),
        (["a", None], Column(TEXT), "row 1, column x: missing (found None)"),
        (["a", None], Column(TEXT, nullable=True, one_of=("a", "b")), ""),
        (["a", 1], Column(TEXT), "row 1, column x: not a text (found 1)"),
        (["a", "c"], Column(TEXT, one_of=("a", "b")), "row 1, column x: none of a, b (found c)"),
        ([None, None], Column(TEXT, nullable=True), ""), (pd.Categorical(["a"]), Column(TEXT), ""),
        (pd.Categorical([1]), Column(TEXT), "row 0, column x: not a text (found 1)"),
        (pd.Series(["a"], dtype="string"), Column(TEXT), ""), ([np.nan], Column(TEXT, nullable=True), ""),
        (pd.Series([], dtype=float), Column(TEXT), ""), ([1.0], Column(TEXT), "column x: has type float64, not object"),
        (pd.Series([1, None], dtype="Int64"), Column(WHOLE), "row 1, column x: missing (found <NA>)"),
        (pd.Series([1.0], dtype="float32"), Column(NUMBER), "column x: has type float32, not float64"),
        (pd.to_datetime(["2024-01-01", "NaT"]), Column(DAY), "row 1, column x: missing (found NaT)"),
        (pd.Series(["2024-01-01"]).astype("datetime64[s]"), Column(DAY), ""),
        (pd.Series(["2024-01-01"]), Column(DAY), "column x: has type object, not datetime64[ns]"),
        (pd.Series([], dtype=object), Column(TEXT), ""),
    ],
)  # fmt: skip
def test_cell_that_breaks_its_column_is_named(values: Sequence[object], column: Column, fault: str) -> None:
    table, frame = Table("t", "rows", {"x": column}), pd.DataFrame({"x": values})
    if fault:
        with pytest.raises(SchemaError, match=re.escape(fault)):
            check(frame, table)
    else:
        assert check(frame, table) is frame


@pytest.mark.parametrize(
    ("target", "unit"),
    [
        ("arrivals", "persons"), ("detections", "detections"), ("asylum_applications_first", "persons"),
        ("temporary_protection_grants", "persons"), ("asylum_applications_cases", "cases"),
        ("conflict_deaths", "deaths"), ("new_displacement", "displacements"), ("exchange_rate_usd", ""),
    ],
)  # fmt: skip
def test_whatever_is_counted_has_unit(target: str, unit: str) -> None:
    assert unit_of(target) == unit


def test_counts_that_are_not_continued_for_a_year_have_stopped() -> None:
    rows = [
        ("eurostat", "asylum_applications", "M", "2020-08"), ("eurostat", "asylum_applications_first", "Q", "2024-Q3"),
        ("iom", "arrivals", "A", "2017"), ("iom", "arrivals", "M", "2024-12"), ("ecb", "exchange_rate", "M", "2010-12"),
        ("uk", "arrivals", "Q", "2023-Q4"),
    ]  # fmt: skip
    observations = pd.DataFrame(rows, columns=["source_id", "target", "freq", "time_period"])
    found = stopped_series(observations, dt.date(2025, 1, 31))
    assert found.to_numpy().tolist() == [list(rows[0]), list(rows[-1])]
    assert stopped_series(observations.iloc[3:4], dt.date(2025, 1, 31)).empty

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaError as BrokenColumn

from core.errors import SchemaError
from core.release import PANEL
from core.schema import DAY, NUMBER, TEXT, WHOLE, YES_NO, Column, Table, check, keeps, make_series_id, unit_of


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


@pytest.mark.parametrize("dtype", [TEXT, NUMBER, WHOLE, DAY, YES_NO])
@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        [], [1.5, 2.5], [1.5, np.nan], [np.nan], [-0.5, 1.0], [1, 2], [0, 9], [True, False], ["a", "b"], ["a", None],
        ["a", 1], ["c"], [None], [b"a"], pd.to_datetime(["2024-01-01", "NaT"]), pd.to_datetime(["2024-01-01"]),
        pd.Series(["2024-01-01"]).astype("datetime64[s]"), pd.Categorical(["a"]), pd.Series(["a"], dtype="string"),
    ],
)  # fmt: skip
def test_quick_check_lets_through_what_pandera_lets_through(
    dtype: str,
    nullable: bool,  # noqa: FBT001  # a case of the table
    values: Sequence[object],  # a case of the table
) -> None:
    least, most = (0.0, 5.0) if dtype in {NUMBER, WHOLE} else (None, None)
    one_of = ("a", "b") if dtype == TEXT else ()
    table = Table("t", "rows", {"x": Column(dtype, nullable=nullable, one_of=one_of, least=least, most=most)})
    for frame in (pd.DataFrame({"x": values}), pd.DataFrame({"x": pd.Series(list(values), dtype=object)})):
        if keeps(frame, table):
            table.schema.validate(frame)
        elif dtype == frame["x"].dtype and len(frame):
            with pytest.raises(BrokenColumn):
                table.schema.validate(frame)


@pytest.mark.parametrize(
    ("target", "unit"),
    [
        ("arrivals", "persons"),
        ("detections", "detections"),
        ("asylum_applications_first", "persons"),
        ("temporary_protection_grants", "persons"),
        ("asylum_applications_cases", "cases"),
        ("conflict_deaths", "deaths"),
        ("new_displacement", "displacements"),
        ("exchange_rate_usd", ""),
    ],
)
def test_whatever_is_counted_has_unit(target: str, unit: str) -> None:
    assert unit_of(target) == unit

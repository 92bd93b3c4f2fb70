from __future__ import annotations

import pandas as pd
import pytest

from core.errors import SchemaError
from core.release import OBSERVATIONS, PANEL
from core.schema import check, make_series_id


def panel() -> pd.DataFrame:
    return pd.DataFrame({"series_id": ["a", "a"], "time_period": ["2024-01", "2024-02"], "value": [1.0, 2.0]})


def test_a_frame_that_keeps_its_contract_passes_unchanged() -> None:
    pd.testing.assert_frame_equal(check(panel(), PANEL), panel())


def test_an_empty_frame_with_all_columns_passes() -> None:
    assert check(panel().iloc[:0], PANEL).empty


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match=r"panel: missing columns \['value'\]"):
        check(panel().drop(columns="value"), PANEL)


def test_a_negative_count_is_named_with_its_row_and_column() -> None:
    with pytest.raises(SchemaError, match=r"row 1, column value: .*-2"):
        check(panel().assign(value=[1.0, -2.0]), PANEL)


def test_a_repeated_period_is_refused() -> None:
    with pytest.raises(SchemaError, match="2024-01"):
        check(panel().assign(time_period="2024-01"), PANEL)


@pytest.mark.parametrize("column", ["Name", "date_of_birth", "Latitude", "passport"])
def test_a_column_that_would_describe_persons_or_landings_is_refused(column: str) -> None:
    with pytest.raises(SchemaError, match="aggregates only"):
        check(panel().assign(**{column: "x"}), PANEL)


def test_only_five_faults_are_listed_and_the_rest_counted() -> None:
    frame = pd.DataFrame({"series_id": "a", "time_period": [f"2024-{m:02d}" for m in range(1, 10)], "value": -1.0})
    with pytest.raises(SchemaError, match="and 4 more"):
        check(frame, PANEL)


def test_observations_name_all_their_columns_when_the_frame_is_empty_of_them() -> None:
    with pytest.raises(SchemaError, match="as_of_estimated"):
        check(pd.DataFrame({"series_id": ["a"]}), OBSERVATIONS)


def test_a_series_is_named_by_target_route_place_citizenship_and_frequency() -> None:
    assert make_series_id("arrivals", "CMR", "_T", "_T", "M") == "arrivals.CMR._T._T.M"

"""What may stand in the columns of a release, by what their words and units mean."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from core.errors import SchemaError
from core.release import PANEL, PARTS_OF_ONE, TABLES
from core.schema import Column, Table, check
from forecasting import LEVELS

COLUMNS = {f"{table.name}.{name}": column for table in (*TABLES, PANEL) for name, column in table.columns.items()}
BOUND = {name: column for name, column in COLUMNS.items() if (column.least, column.most) != (None, None)}
FROM_0_TO_1 = (
    "alerts.probability",
    "year_ahead.chance_25",
    "scores.coverage_80",
    "scores.p_holm",
    "alert_reliability.came",
)


def takes(column: Column, value: float) -> bool:
    """Whether a value may stand in a column."""
    frame = pd.DataFrame({"x": [value]}).astype({"x": column.dtype})
    try:
        check(frame, Table("t", "", {"x": column}))
    except SchemaError:
        return False
    return True


def bound(*units: str) -> list[str]:
    """Columns of some units that not every number may stand in."""
    return [name for name, column in BOUND.items() if column.unit in units]


@pytest.mark.parametrize("name", sorted({*(one for one in COLUMNS if COLUMNS[one].unit in PARTS_OF_ONE), *FROM_0_TO_1}))
def test_share_lies_between_zero_and_one(name: str) -> None:
    taken = [value for value in (-0.001, 0.0, 0.5, 1.0, 1.001) if takes(COLUMNS[name], value)]
    assert taken == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("name", sorted({*bound("persons", "score"), "forecasts.value", "scores.wis"}))
def test_persons_and_scores_are_never_negative(name: str) -> None:
    assert [value for value in (-0.001, 0.0, 1e9) if takes(COLUMNS[name], value)] == [0.0, 1e9]


MADE_OF_CASES = ("scores", "calibration", "group_errors", "situation_scores", "driver_tests", "hub_scores")
"""Tables whose rows exist only because of what they count; others have a row where there was nothing to compare yet."""


def begins_at_one(name: str) -> bool:
    """Whether a whole number is a horizon or a number of cases, without which there is no row."""
    table, _dot, column = name.partition(".")
    return (
        column == "horizon"
        or (column == "n" and re.sub("^(week|asylum|reception)_", "", table) in MADE_OF_CASES)
        or name == "reporting.expected"
    )


@pytest.mark.parametrize("name", [name for name, column in BOUND.items() if column.dtype == "int64"])
def test_count_begins_at_zero_or_one(name: str) -> None:
    first = int(begins_at_one(name))
    assert [value for value in (-1, 0, 1, 2, 10**6) if takes(COLUMNS[name], value)] == [*range(first, 3), 10**6]


@pytest.mark.parametrize("name", [name for name in BOUND if BOUND[name].about == "quantile level"])
def test_every_level_of_quantile_is_between_nought_and_one(name: str) -> None:
    assert all(takes(COLUMNS[name], level) for level in LEVELS)
    assert not takes(COLUMNS[name], 0.0)
    assert not takes(COLUMNS[name], 1.0)

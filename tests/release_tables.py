"""Tables of a miniature release: a test names the columns it is about, the others are filled."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.release import RELEASE
from core.schema import DAY, NUMBER, TEXT, WHOLE, YES_NO, Column, Table

_BLANK = {TEXT: "", NUMBER: 1.0, WHOLE: 1, DAY: pd.Timestamp("2025-01-31"), YES_NO: False}


def filled(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the frame with the columns of the table that it lacks: empty where that is allowed, else constant."""
    lacking = {name: column for name, column in table.columns.items() if name not in frame.columns}
    return frame.assign(**{name: pd.Series(_value(one), frame.index, one.dtype) for name, one in lacking.items()})


def _value(column: Column) -> object:
    if column.nullable and column.dtype != TEXT:
        return None
    return column.one_of[0] if column.one_of else _BLANK[column.dtype]


def whole_release(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables of a release, each with all its columns."""
    return {name: filled(frame, RELEASE[name]) for name, frame in frames.items()}

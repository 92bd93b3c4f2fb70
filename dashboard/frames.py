"""Frames on screen with numbers and dates as the reader writes them; the cells keep their values, so columns sort."""

from __future__ import annotations

import datetime as dt
import math
from functools import partial
from typing import Any

import pandas as pd
from babel.numbers import format_decimal
from pandas.io.formats.style import Styler

from dashboard import numbers
from dashboard.i18n import language

SMALL = 10.0
"""Below it a column of fractions is one of shares or scores."""
PLAIN = frozenset({"year"})
"""Columns whose numbers are names: 2024 is no count."""


def localised(frame: pd.DataFrame) -> Styler:
    """The frame with every number and date in the reader's format.

    Args:
        frame: Any table; its texts are shown as they are, and a missing value as an empty cell.
    """
    writers = {name: partial(_cell, pattern=_pattern(column)) for name, column in frame.items() if name not in PLAIN}
    return frame.reset_index(drop=True).style.format(
        {**dict.fromkeys(PLAIN & {*frame.columns}, str), **writers}, na_rep=""
    )


def _pattern(column: pd.Series) -> str:
    """Shares and scores with as many decimals in every row; larger numbers with one at most."""
    small = pd.api.types.is_float_dtype(column) and column.abs().max() < SMALL and (column.dropna() % 1 != 0).any()
    return "0.000" if small else "#,##0.#"


def _cell(value: Any, pattern: str) -> str:  # noqa: ANN401  # the Styler hands over whatever a cell holds
    if isinstance(value, dt.date):
        return numbers.day_short(value)
    if isinstance(value, bool | str) or not isinstance(value, int | float) or math.isinf(value):
        return str(value)
    return numbers.typeset(format_decimal(value, format=pattern, locale=language()))

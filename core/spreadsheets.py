"""Tables that a spreadsheet will open: text that it would run as a formula is made harmless.

A cell of text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe in front (OWASP,
*CSV Injection*).
"""

from __future__ import annotations

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy in which no cell or column name of text can be run as a formula; numbers stay numbers."""
    out = frame.copy()
    for column in out.columns:
        if out[column].dtype == object or isinstance(out[column].dtype, pd.StringDtype | pd.CategoricalDtype):
            out[column] = out[column].astype(object).map(harmless_cell)
    return out.rename(columns=harmless_cell)


def harmless_cell(cell: object) -> object:
    """The same for one cell."""
    return "'" + cell if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell

"""Tables that a spreadsheet will open: text that it would run as a formula is made harmless.

A cell of text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe in front (OWASP,
*CSV Injection*). So does what follows a semicolon, a tab or a line break inside a text: a spreadsheet set to another
separator would begin a new cell there. Carriage returns become line feeds: some readers begin a new row at one.
"""

from __future__ import annotations

import re

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_AFTER_A_SEPARATOR = re.compile(r"(?<=[;\t\n])(?=[=+\-@])")


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy in which no cell or column name of text can be run as a formula; numbers stay numbers."""
    out = frame.copy()
    for column in out.columns:
        if out[column].dtype == object or isinstance(out[column].dtype, pd.StringDtype | pd.CategoricalDtype):
            cells = out[column].astype(object)
            # A long table repeats few texts: each is judged once.
            safe = {text: harmless_cell(text) for text in {cell for cell in cells if isinstance(cell, str)}}
            out[column] = cells.map(lambda cell, safe=safe: safe[cell] if isinstance(cell, str) else cell)
    return out.rename(columns=harmless_cell)


def harmless_cell(cell: object) -> object:
    """The same for one cell."""
    if not isinstance(cell, str):
        return cell
    inside = _AFTER_A_SEPARATOR.sub("'", cell.replace("\r\n", "\n").replace("\r", "\n"))
    return "'" + inside if inside.startswith(FORMULA_STARTS) else inside

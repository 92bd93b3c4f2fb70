"""Tables as CSV, XLSX and Parquet that carry what must be known about them: title, release, sources, licences, uses.

Text that a spreadsheet would run as a formula is made harmless; numbers stay numbers. A cell of text that begins with
``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe in front (OWASP, *CSV Injection*). So does what
follows a semicolon, a tab or a line break inside a text: a spreadsheet set to another separator would begin a new cell
there. Carriage returns become line feeds: some readers begin a new row at one.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from pydantic_core import to_json

from core.errors import InputError
from core.log import one_line

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_AFTER_A_SEPARATOR = re.compile(r"(?<=[;\t\n])(?=[=+\-@])")


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy in which no cell or column name of text can be run as a formula; numbers stay numbers."""
    out = frame.copy()
    for column in out.columns:
        if out[column].dtype == object or isinstance(out[column].dtype, pd.StringDtype | pd.CategoricalDtype):
            # A long table repeats few texts: each is judged once, and most need no change.
            texts = {cell for cell in out[column] if isinstance(cell, str)}
            if changed := {text: safe for text in texts if (safe := harmless_cell(text)) != text}:
                cells = out[column].astype(object)
                out[column] = cells.map(lambda cell, to=changed: to.get(cell, cell) if isinstance(cell, str) else cell)
    return out.rename(columns=harmless_cell)


def harmless_cell(cell: object) -> object:
    """The same for one cell."""
    if not isinstance(cell, str):
        return cell
    inside = _AFTER_A_SEPARATOR.sub("'", cell.replace("\r\n", "\n").replace("\r", "\n"))
    return "'" + inside if inside.startswith(FORMULA_STARTS) else inside


About = Sequence[tuple[str, str]]
"""A label and a text each, such as ``("Source", "A ministry. Licence: CC BY 4.0.")``."""
SHEETS = ("data", "about", "columns")
METADATA_KEY = b"vigie"
MOST_ROWS = 1_048_575
"""What a sheet holds below the names of its columns."""
LONGEST_CELL = 32_767
_CUT = " … (cut here: a cell holds no more)"


_AFTER_A_COMMA = re.compile(r"(?<=[,;\t])(?=\s*[=+\-@])|(?<=[,;\t] )(?=[=+\-@])")


def csv_bytes(frame: pd.DataFrame, about: Sequence[str] = ()) -> bytes:
    """CSV in UTF-8, as every program reads it at once.

    Args:
        frame: The table.
        about: One text per line: they stand first and begin with ``#``, after a byte order mark for spreadsheets.
    """
    if not about:
        return str(harmless(frame).to_csv(index=False, lineterminator="\n")).encode()
    # A spreadsheet takes these lines apart at commas too: what then begins a cell must not begin a formula.
    lines = [_AFTER_A_COMMA.sub("'", one_line(_one_line(text))) for text in about]
    head = "".join(f"# {harmless_cell(line)}\n" for line in lines)
    return ("\ufeff" + head + harmless(frame).to_csv(index=False, lineterminator="\n")).encode()


def json_bytes(frame: pd.DataFrame, *, lines: bool) -> bytes:
    """One object per row (:func:`records`): a list, or one object a line (NDJSON); a missing number is null."""
    found = [to_json(one, inf_nan_mode="null") for one in records(frame)]
    return b"".join(one + b"\n" for one in found) if lines else b"[" + b",".join(found) + b"]\n"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as objects, days as ``2025-01-31``; numbers keep every digit, and a missing one is NaN."""
    days = {name: frame[name].dt.strftime("%Y-%m-%d") for name in frame.select_dtypes("datetime").columns}
    columns = {str(name): values.tolist() for name, values in frame.assign(**days).items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def parquet_bytes(frame: pd.DataFrame, about: Sequence[str]) -> bytes:
    """Parquet; the lines about the table are in the file's key-value metadata under ``vigie``."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), METADATA_KEY: "\n".join(map(_one_line, about)).encode()}
    target = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), target)
    return target.getvalue()


def xlsx_bytes(
    frame: pd.DataFrame,
    about: About,
    *,
    title: str,
    day: dt.date,
    columns: Sequence[Sequence[str]] = (),
    sheets: tuple[str, str, str] = SHEETS,
) -> bytes:
    """A workbook: the data, what must be known about them, and where given what the columns mean.

    Args:
        frame: The table.
        about: Rows of the second sheet.
        title: The workbook's own title.
        day: The day on which the figures were known: the workbook's date, so that its bytes are the same each time.
        columns: Rows of a last sheet that explains the columns, its head first; none leaves it out.
        sheets: Names of the three.

    Raises:
        InputError: The table has more rows than a sheet holds.
    """
    if len(frame) > MOST_ROWS:
        raise InputError(f"{len(frame):,} rows are more than the {MOST_ROWS:,} that a sheet holds: take CSV or Parquet")
    target = io.BytesIO()
    options = {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd", "nan_inf_to_errors": True, "remove_timezone": True,
    }  # fmt: skip
    with xlsxwriter.Workbook(target, options) as book:
        created = dt.datetime.combine(day, dt.time())
        book.set_properties({"title": title, "author": "Vigie", "created": created})
        bold, wrapped = book.add_format({"bold": True, "valign": "top"}), book.add_format({"text_wrap": True})
        _write_data(book.add_worksheet(sheets[0]), harmless(frame), bold)
        sheet = book.add_worksheet(sheets[1])
        sheet.set_column(0, 0, _width([label for label, _text in about]))
        sheet.set_column(1, 1, 110)
        for row, (label, text) in enumerate(about):
            sheet.write_string(row, 0, str(harmless_cell(label)), bold)
            sheet.write_string(row, 1, _cut(str(harmless_cell(text))), wrapped)
        if columns:
            sheet = book.add_worksheet(sheets[2])
            sheet.set_column(0, 1, 40)
            for row, cells in enumerate(columns):
                for column, text in enumerate(cells):
                    sheet.write_string(row, column, _cut(str(harmless_cell(text))), wrapped if row else bold)
    return target.getvalue()


def _write_data(sheet: xlsxwriter.worksheet.Worksheet, frame: pd.DataFrame, bold: xlsxwriter.format.Format) -> None:
    for column, name in enumerate(frame.columns):
        sheet.write_string(0, column, str(name), bold)
        sheet.set_column(column, column, _width([str(name)]))
        cells = frame[name].astype(object).where(frame[name].notna(), None)
        for row, cell in enumerate(cells, start=1):
            sheet.write(row, column, _cut(cell) if isinstance(cell, str) else cell)
    sheet.freeze_panes(1, 0)


def _width(texts: Sequence[str]) -> int:
    """Of a column that shows each of these whole, within bounds."""
    return max([12, *(min(40, len(text) + 2) for text in texts)])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(_CUT)] + _CUT


def _one_line(text: str) -> str:
    return " ".join(text.split())

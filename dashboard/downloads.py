"""Tables as files: CSV, XLSX and Parquet, each with its citation, licence and caveats inside.

Text that a spreadsheet would run as a formula is made harmless (:mod:`core.spreadsheets`).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from core.disclosure import refuse_small_counts
from core.spreadsheets import harmless, harmless_cell
from dashboard.i18n import _, labelled
from dashboard.purpose import caveats


@dataclass(frozen=True)
class Export:
    """One table that may leave the program, and what must travel with it.

    Attributes:
        name: Beginning of the file's name, ASCII.
        title: What the table shows, one line.
        frame: The table as it leaves: disclosure control is done before, and a small count by citizenship is refused.
        known_on: The date on which the figures were known, ISO.
        run_id: The release that the figures come from.
        citations: How to cite each source, its licence included.
        notes: Further caveats that hold for this table only.
    """

    name: str
    title: str
    frame: pd.DataFrame
    known_on: str
    run_id: str
    citations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what disclosure control forgot."""
        refuse_small_counts(self.frame)

    def about(self) -> list[tuple[str, str]]:
        """Lines that travel inside the file: a label and a text each."""
        lines = [
            (_("Title"), self.title),
            (_("As known on"), self.known_on),
            (_("Release"), self.run_id),
        ]
        lines += [(_("Source"), citation) for citation in self.citations]
        return lines + [(_("Caveat"), text) for text in [*self.notes, *caveats()]]

    def file_name(self, ending: str) -> str:
        """Name of the file with that ending."""
        return f"vigie-{self.name}-{self.known_on}.{ending}"


def csv_bytes(export: Export) -> bytes:
    """The table as CSV in UTF-8; the lines about it stand first and begin with ``#``."""
    head = "".join(f"# {labelled(label, _one_line(text))}\n" for label, text in export.about())
    return ("\ufeff" + head + harmless(export.frame).to_csv(index=False, lineterminator="\n")).encode()


def xlsx_bytes(export: Export) -> bytes:
    """The table as a workbook with two sheets: the data, and what must be known about them."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(target, options) as book:
        bold, date = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        _write_sheet(book.add_worksheet("data"), harmless(export.frame), bold, date)
        about = book.add_worksheet("about")
        about.set_column(0, 0, 16)
        about.set_column(1, 1, 120)
        for row, (label, text) in enumerate(export.about()):
            about.write_string(row, 0, label, bold)
            about.write_string(row, 1, str(harmless_cell(text)))
    return target.getvalue()


def parquet_bytes(export: Export) -> bytes:
    """The table as Parquet; the lines about it are in the file's key-value metadata under ``vigie``."""
    about = "\n".join(labelled(label, _one_line(text)) for label, text in export.about())
    table = pa.Table.from_pandas(export.frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), b"vigie": about.encode()}
    target = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), target)
    return target.getvalue()


FORMATS: dict[str, tuple[str, str, Callable[[Export], bytes]]] = {
    "CSV": ("csv", "text/csv", csv_bytes),
    "XLSX": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_bytes),
    "Parquet": ("parquet", "application/vnd.apache.parquet", parquet_bytes),
}
"""Name on the button: file ending, media type, function that makes the file."""


def _write_sheet(
    sheet: xlsxwriter.worksheet.Worksheet,
    frame: pd.DataFrame,
    bold: xlsxwriter.format.Format,
    date: xlsxwriter.format.Format,
) -> None:
    for column, name in enumerate(frame.columns):
        sheet.write_string(0, column, str(name), bold)
        sheet.set_column(column, column, max(12, min(40, len(str(name)) + 2)))
        for row, cell in enumerate(frame[name].tolist(), start=1):
            if cell is None or (not isinstance(cell, str) and pd.isna(cell)):
                sheet.write_blank(row, column, None)
            elif isinstance(cell, pd.Timestamp):
                sheet.write_datetime(row, column, cell.to_pydatetime(), date)
            elif isinstance(cell, bool | int | float):
                sheet.write(row, column, cell)
            else:
                sheet.write_string(row, column, str(cell))
    sheet.freeze_panes(1, 0)


def _one_line(text: str) -> str:
    return " ".join(text.split())

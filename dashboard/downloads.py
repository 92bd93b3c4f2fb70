"""Tables as files: CSV, XLSX and Parquet, each with its citation, licence and caveats inside.

The files are made by :mod:`core.table_files`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from core import table_files
from core.disclosure import refuse_small_counts
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

    def lines(self) -> list[str]:
        """The same, one text per line."""
        return [labelled(label, text) for label, text in self.about()]

    def file_name(self, ending: str) -> str:
        """Name of the file with that ending."""
        return f"vigie-{self.name}-{self.known_on}.{ending}"


def csv_bytes(export: Export) -> bytes:
    """The table as CSV in UTF-8; the lines about it stand first and begin with ``#``."""
    return table_files.csv_bytes(export.frame, export.lines())


def xlsx_bytes(export: Export) -> bytes:
    """The table as a workbook with two sheets: what must be known about the data, and the data."""
    day = dt.date.fromisoformat(export.known_on)
    return table_files.xlsx_bytes(export.frame, export.about(), title=export.title, day=day)


def parquet_bytes(export: Export) -> bytes:
    """The table as Parquet; the lines about it are in the file's key-value metadata under ``vigie``."""
    return table_files.parquet_bytes(export.frame, export.lines())


FORMATS: dict[str, tuple[str, str, Callable[[Export], bytes]]] = {
    "CSV": ("csv", "text/csv", csv_bytes),
    "XLSX": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_bytes),
    "Parquet": ("parquet", "application/vnd.apache.parquet", parquet_bytes),
}
"""Name on the button: file ending, media type, function that makes the file."""

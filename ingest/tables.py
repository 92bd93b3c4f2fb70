"""Readers of the file kinds that publishers use. Whatever is wrong with a file becomes one ``SourceError``."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from array import array
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SourceError, first_line
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import refuse_person_level
from ingest import RawFile
from ingest.intake import refuse_many, unpacked
from ingest.workbooks import refuse_strange_cells, refuse_unfolding

ROWS_OF_HEAD = 30
_HTML = (b"<!doctype", b"<html", b"<head", b"<body")

RAGGED = ngettext("the line has {n} cell, the header {expected}", "the line has {n} cells, the header {expected}")
NOT_SEPARATED = _("not a table separated by '{separator}': {error}")


def read_csv(
    raw: RawFile,
    columns: Sequence[str],
    *,
    separator: str = ",",
    encoding: str = "utf-8-sig",
    last_line_ends: bool = True,
    tolerated: Collection[str] = (),
) -> pd.DataFrame:
    """Read a delimited text file without interpreting a single cell.

    Args:
        raw: The file.
        columns: Header cells that must be there; other columns are kept too.
        separator: Between cells.
        encoding: As the publisher writes.
        last_line_ends: The publisher ends the last line too, so that a file without that end was cut off.
        tolerated: See :func:`require_columns`.

    Returns:
        One row per line, every cell as text (``''`` where empty), indexed by the line's number in the file.

    Raises:
        SourceError: It is empty, a web page, in another encoding, cut off, ragged, or lacks a column.
    """
    text = _decode(raw, encoding)
    if last_line_ends and not text.endswith("\n"):
        raise SourceError(raw.name, _("the last line has no line end: the file was cut off"), row=text.count("\n") + 1)
    refuse_many(raw.name, text.count("\n") + 1, text.partition("\n")[0].count(separator) + 1, text.count(separator))
    del text  # a large file's text and its cells do not stand beside each other
    header, cells, numbers = _cells(raw, separator, encoding)
    frame = pd.DataFrame(dict(enumerate(cells)), index=numbers, dtype=object).set_axis(header, axis=1)
    require_columns(frame, columns, raw.name, tolerated=tolerated)
    return frame


def read_sheet(raw: RawFile, sheet: str = "") -> pd.DataFrame:
    """Read one sheet of a workbook (XLSX, ODS) as it stands, header row included.

    Returns:
        Cells as Python objects (NaN where blank), indexed by row number in the sheet, columns numbered from 0.

    Raises:
        SourceError: It is empty, a web page, no whole workbook, lacks the sheet, or a cell's value is hidden.
    """
    return next(iter(read_sheets(raw, (sheet,)).values()))


def read_sheets(raw: RawFile, sheets: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read several sheets of a workbook; see :func:`read_sheet`."""
    refuse_wrong_kind(raw)
    refuse_unfolding(raw)
    frames: dict[str, pd.DataFrame] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pd.ExcelFile(io.BytesIO(raw.content), engine="calamine") as workbook:
                names = [str(name) for name in workbook.sheet_names]
                sheets = [sheet or names[0] for sheet in sheets]
                for sheet in (name for name in sheets if name in names):
                    size = workbook.book.get_sheet_by_name(sheet)
                    refuse_many(raw.name, size.total_height, size.total_width)
                    del size
                    frames[sheet] = workbook.parse(sheet, header=None, keep_default_na=False, na_values=[""])
                    refuse_many(raw.name, *frames[sheet].shape)
                    frames[sheet].index = pd.RangeIndex(1, len(frames[sheet]) + 1)
        refuse_strange_cells(raw, frames)
    except (SourceError, MemoryError):
        raise
    except Exception as error:  # zip, XML and workbook libraries each raise their own kinds for a damaged file
        raise SourceError(raw.name, _("not a whole workbook: {error}"), error=_reason(error)) from None
    for sheet in sheets:
        if sheet not in frames:
            raise SourceError(raw.name, _("sheet '{sheet}' is missing; found {found}"), sheet=sheet, found=names)
        head = [cell for cell in frames[sheet].head(ROWS_OF_HEAD).to_numpy().ravel() if isinstance(cell, str)]
        refuse_person_level(head, f"{raw.name}, sheet '{sheet}'")
    return frames


def read_rda(raw: RawFile, table: str, columns: Sequence[str], *, tolerated: Collection[str] = ()) -> pd.DataFrame:
    """Read one data frame of an R data file.

    Args:
        raw: The file.
        table: Name of the R object.
        columns: Columns that must be there; other columns are kept too.
        tolerated: See :func:`require_columns`.

    Returns:
        The table, indexed by row number from 1.

    Raises:
        SourceError: It is empty, a web page, cut off, or lacks the table or a column.
    """
    import rdata  # noqa: PLC0415  # takes a quarter of a second to load, and few files need it

    refuse_wrong_kind(raw)
    content = unpacked(raw).content
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tables = rdata.conversion.convert(rdata.parser.parse_data(content))
    except Exception as error:  # decompressors and the R parser each raise their own kinds for a damaged file
        raise SourceError(raw.name, _("not a whole R data file: {error}"), error=_reason(error)) from None
    frame = tables.get(table) if isinstance(tables, dict) else None
    if not isinstance(frame, pd.DataFrame):
        raise SourceError(raw.name, _("the table '{table}' is missing"), table=table)
    require_columns(frame, columns, raw.name, tolerated=tolerated)
    if frame.empty:
        raise SourceError(raw.name, _("the table '{table}' has no rows"), table=table)
    return frame.set_axis(pd.RangeIndex(1, len(frame) + 1), axis=0)


def as_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as text, ``''`` where there is none."""
    return frame.astype(object).where(frame.notna(), "").astype(str)


def require_columns(frame: pd.DataFrame, columns: Sequence[str], file: str, *, tolerated: Collection[str] = ()) -> None:
    """Refuse a file whose header lacks a column, or has one that would describe persons or single landings.

    Args:
        frame: The table.
        columns: Columns that must be there.
        file: Name of the file, for the error.
        tolerated: Columns of a table of single events that the parser never reads: ``PLACES_OF_EVENTS``.

    Raises:
        SourceError: Naming what is missing and what was found, or what is refused.
    """
    refuse_person_level(frame.columns, file, tolerated=tolerated)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        # Only names that were asked for: where there is no header, its cells are the first row's, and may be persons'.
        found = [column for column in columns if column in frame.columns]
        raise SourceError(
            file, _("missing columns {columns}; found {found}"), row=1, columns=missing, found=found or "–"
        )
    named = frame.columns[frame.columns.astype(str).str.strip() != ""]
    if named.has_duplicates:
        doubled = sorted({str(column) for column in named[named.duplicated()]})
        raise SourceError(file, _("columns {columns} stand twice in the header"), row=1, columns=doubled)


def refuse_wrong_kind(raw: RawFile) -> None:
    """Refuse what is no data file at all.

    Raises:
        SourceError: The file is empty, or a web page that came in a file's place.
    """
    start = raw.content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise SourceError(raw.name, _("the file is empty"))
    if start.startswith(_HTML):
        raise SourceError(raw.name, _("a web page came in place of the file"))


def _decode(raw: RawFile, encoding: str) -> str:
    refuse_wrong_kind(raw)
    try:
        text = raw.content.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.content.count(b"\n", 0, error.start) + 1
        raise SourceError(
            raw.name,
            _("not {encoding} text: {error} at byte {n}"),
            row=line,
            encoding=encoding.removesuffix("-sig"),
            error=error.reason,
            n=error.start,
        ) from None
    if "\x00" in text:
        raise SourceError(
            raw.name, _("not {encoding} text: it holds NUL bytes"), encoding=encoding.removesuffix("-sig")
        )
    return text


def _cells(raw: RawFile, separator: str, encoding: str) -> tuple[list[str], list[list[str]], NDArray[np.int64]]:
    """The header, the cells of each column and the number of each line that is not blank; as many cells in every line.

    Read line by line, and a text that stands in many cells is kept once: columns of codes and periods take next to no
    memory.
    """
    text = io.TextIOWrapper(io.BytesIO(raw.content), encoding, newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
    known: dict[str, str] = {}
    numbers = array("q")
    header: list[str] = []
    columns: list[list[str]] = []
    try:
        for cells in reader:
            if not cells:
                continue
            if not header:
                header, columns = cells, [[] for _cell in cells]
            elif len(cells) != len(header):
                raise SourceError(raw.name, RAGGED, row=reader.line_num, n=len(cells), expected=len(header))
            else:
                numbers.append(reader.line_num)
                for column, cell in zip(columns, cells, strict=True):
                    column.append(known.setdefault(cell, cell))
    except csv.Error as error:
        raise SourceError(raw.name, NOT_SEPARATED, row=reader.line_num, separator=separator, error=error) from None
    return header, columns, np.frombuffer(numbers, dtype=np.int64)


def _reason(error: Exception) -> str:
    """What a library says of a damaged file; of any other fault its kind alone, for its text may quote a cell."""
    return first_line(error) if isinstance(error, zipfile.BadZipFile | OSError | EOFError) else type(error).__name__

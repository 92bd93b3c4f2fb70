"""Eurostat's wide TSV: one line per series, one column per period, flags behind the figures."""

from __future__ import annotations

import gzip
import re
import zlib

import pandas as pd

from core.errors import SourceError
from core.languages import marked as _
from ingest.raw import RawFile

MISSING = ":"
_CELL = re.compile(r"(?P<value>:|-?[0-9]+(?:\.[0-9]+)?)(?: (?P<flag>[a-z]+))?")
_GZIP_MAGIC = b"\x1f\x8b"


def read_tsv(raw: RawFile) -> pd.DataFrame:
    r"""Read a TSV download into long form.

    Args:
        raw: The file, plain or gzipped: ``compressed=true`` answers gzip without saying so in a header.

    Returns:
        One row per cell: a text column per key dimension, named as the header names it, ``time_period`` as the file
        writes it, ``value`` (text; ':' where there is none), ``flag`` (text, '' where none) and ``line`` (number of
        the line in the file). Cells that fit no layout keep their whole text in ``value``.

    Raises:
        SourceError: Not UTF-8 text, an XML notice instead of a table, a header without ``\TIME_PERIOD``, or a line
            with another number of fields than the header.
    """
    text = _text(raw)
    lines = text.splitlines()
    header = lines[0] if lines else ""
    key, _tab, _rest = header.partition("\t")
    if "\\" not in key:
        raise SourceError(
            raw.name, _("the header must start with its dimensions and '{example}'"), row=1, example="\\TIME_PERIOD"
        )
    if not text.endswith("\n"):
        raise SourceError(raw.name, _("the last line has no line end: the file was cut off"), row=len(lines))
    dimensions = key.split("\\")[0].split(",")
    periods = [period.strip() for period in header.split("\t")[1:]]
    for fault, names in (
        (_("the header names no dimension, an empty one, or the same one twice"), dimensions),
        (_("the header names no period, an empty one, or the same one twice"), periods),
    ):
        if not names or len(set(names)) < len(names) or "" in names:
            raise SourceError(raw.name, fault, row=1)
    records: list[tuple[str, ...]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        codes, cells = _split(raw, line, number, len(dimensions), len(periods))
        for period, cell in zip(periods, cells, strict=True):
            records.append((*codes, period, *_cell(cell)))
            numbers.append(number)
    if not records:
        raise SourceError(raw.name, _("the table holds no series"))
    return pd.DataFrame(records, columns=[*dimensions, "time_period", "value", "flag"]).assign(line=numbers)


def _text(raw: RawFile) -> str:
    content = raw.content
    if content.startswith(_GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(raw.name, _("damaged gzip: {error}"), error=error) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            raw.name, _("not UTF-8 text: {error}"), row=f"byte {error.start}", error=error.reason
        ) from None
    if text.lstrip().startswith("<"):
        raise SourceError(raw.name, _("an XML notice instead of a table: the extraction was refused or is queued"))
    return text


def _split(raw: RawFile, line: str, number: int, dimensions: int, periods: int) -> tuple[list[str], list[str]]:
    key, *cells = line.split("\t")
    codes = [code.strip() for code in key.split(",")]
    if len(codes) != dimensions:
        raise SourceError(
            raw.name, _("{n} key fields where the header has {expected}"), row=number, n=len(codes), expected=dimensions
        )
    if len(cells) != periods:
        raise SourceError(
            raw.name, _("{n} cells where the header has {expected}"), row=number, n=len(cells), expected=periods
        )
    return codes, cells


def _cell(cell: str) -> tuple[str, str]:
    found = _CELL.fullmatch(cell.strip())
    return (found["value"], found["flag"] or "") if found else (cell.strip(), "")

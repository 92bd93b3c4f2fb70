"""Files for others: tables with what must be known about them, and the files for machines in ``published/``.

The journal keeps the hash of every file for machines, so that a change is noticed.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError
from core.release import PURPOSE
from core.schema import Entry, unit_of
from core.settings import FEED
from core.table_files import csv_bytes, json_bytes, parquet_bytes, xlsx_bytes
from store import ASIDE, OWNER_FILE, make_folder, named_errors, sha256_of_bytes, write_bytes
from store.journal import Journal
from store.releases import Release

KINDS = ("csv", "xlsx", "parquet", "json", "ndjson")
OBSERVED = (
    "source_id", "series_id", "time_period", "obs_value", "obs_flag", "estimated_share", "as_of", "target", "unit",
)  # fmt: skip
"""Columns of what is written of observations."""
ABOUT = ".about.txt"
"""Ending of the text that stands beside an export."""
Chosen = Callable[[pd.DataFrame], pd.DataFrame]
"""Takes the rows that are wanted out of a table."""


def kind_of(out: Path, otherwise: str = "") -> str:
    """The kind of file that a name asks for by its ending, or the other one where it is ``-`` and names none.

    Raises:
        InputError: It is none of :data:`KINDS`.
    """
    if str(out) == "-":
        if otherwise not in KINDS:
            raise InputError(f"--format {otherwise}: one of {', '.join(KINDS)}")
        return otherwise
    if (kind := out.suffix.removeprefix(".")) not in KINDS:
        raise InputError(f"--out {out.name}: the ending must be one of .{', .'.join(KINDS)}")
    return kind


def about_bytes(release: Release, table: str) -> bytes:
    """The text that stands beside an export of a table."""
    return _text(_about(release, table))


def observations_bytes(known: pd.DataFrame, cited: Iterable[str], day: dt.date, kind: str) -> tuple[bytes, bytes]:
    """Some of what was known on a day as the content of a file, and the text that stands beside it.

    Args:
        known: Rows of what was known (:func:`core.release.rounded`), with ``estimated_share``.
        cited: A citation with its licence per source.
        day: The day.
        kind: One of :data:`KINDS`.

    Raises:
        InputError: There are more rows than a sheet holds.
    """
    about = [
        ("Title", "Vigie: observations"), ("As known on", day.isoformat()),
        *(("Source", text) for text in cited), ("Purpose", PURPOSE),
    ]  # fmt: skip
    return _content(with_units(known, day)[list(OBSERVED)], kind, about, day), _text(about)


def export_bytes(release: Release, table: str, kind: str, chosen: Chosen = lambda rows: rows) -> bytes:
    """One table as the content of a file; citations, licences and permitted use are inside a workbook and Parquet.

    Records that were set aside stay: they are a publisher's rows as they came.

    Args:
        release: Where the table comes from.
        table: Name of one of its frames.
        kind: One of :data:`KINDS`.
        chosen: The rows that are wanted.

    Raises:
        InputError: There is no such table, or it has more rows than a sheet holds.
    """
    if table not in (names := release.names):
        raise InputError(f"no table '{table}' in this release; it holds {', '.join(names)}")
    about = _about(release, table) if kind in {"xlsx", "parquet"} else []
    return _content(exported(release, table, chosen), kind, about, release.as_of)


def exported(release: Release, table: str, chosen: Chosen = lambda rows: rows) -> pd.DataFrame:
    """Return the rows that are wanted of a table as they may be exported: with ``target``, ``unit`` and ``as_of``.

    Raises:
        StoreError: As :meth:`store.releases.Release.read`.
    """
    frame = release.read(table)
    return with_units(
        chosen(frame.drop(columns=["record", "message"]) if table == "rejected" else frame), release.as_of
    )


def with_units(frame: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """A table with ``target``, ``unit`` and ``as_of`` in every row.

    Args:
        frame: The table. Where it names no target the series does; both are empty in rows about a source or a file.
        as_of: The day of the release, where the table says no other.
    """
    none = pd.Series("", index=frame.index, dtype=object)
    target = frame["series_id"].str.extract(r"^([^.]*)", expand=False) if "series_id" in frame.columns else none
    known = pd.Series(pd.Timestamp(as_of), index=frame.index)
    target, known = frame.get("target", target), frame.get("as_of", known)
    units = {name: unit_of(name) for name in target.dropna().unique()}
    return frame.assign(target=target, unit=target.map(units), as_of=known)


def _content(frame: pd.DataFrame, kind: str, about: list[tuple[str, str]], day: dt.date) -> bytes:
    if kind in {"json", "ndjson"}:
        return json_bytes(frame, lines=kind == "ndjson")
    if kind == "csv":
        return csv_bytes(frame)
    if kind == "parquet":
        return parquet_bytes(frame, _lines(about))
    return xlsx_bytes(frame, about, title=about[0][1], day=day)


def write_table(out: Path, content: bytes, about: bytes) -> Path:
    """Write a table's file and the text beside it.

    Raises:
        StoreError: They cannot be written.
    """
    beside = out.with_name(out.name + ABOUT)
    with named_errors(out):
        write_bytes(out, content, private=False)
        write_bytes(beside, about, private=False)
    return beside


def _lines(about: list[tuple[str, str]]) -> list[str]:
    return [f"{label}: {text}" for label, text in about]


def _text(about: list[tuple[str, str]]) -> bytes:
    return ("\n".join(_lines(about)) + "\n").encode()


def cited_sources(release: Release) -> list[str]:
    """Citation and licence of each source of a release's observations.

    Raises:
        StoreError: The release cannot be read.
    """
    cards = json.loads(release.document("sources.json"))
    used = set(release.read("observations", ["source_id"])["source_id"])
    return [f"{card['citation']} Licence: {card['licence']}." for name, card in cards.items() if name in used]


def _about(release: Release, table: str) -> list[tuple[str, str]]:
    """What travels with a table: a label and a text each."""
    return [
        ("Title", f"Vigie: {table}"),
        ("As known on", release.as_of.isoformat()),
        ("Release", release.run_id),
        *(("Source", text) for text in cited_sources(release)),
        ("Purpose", PURPOSE),
    ]


def forecast_kind(out: Path) -> str:
    """The kind of file in which a panel's forecasts are written, row by row: by its ending, of others Parquet.

    Raises:
        InputError: The ending is that of a kind that must be held whole.
    """
    kind = "csv" if str(out) == "-" else out.suffix.removeprefix(".")
    if kind in set(KINDS) - {"csv", "ndjson", "parquet"}:
        raise InputError(f"--out {out.name}: forecasts of a panel are written as .parquet, .csv or .ndjson")
    return kind if kind in KINDS else "parquet"


def write_forecasts(blocks: Iterable[pd.DataFrame], about: str, out: Path) -> tuple[int, Path]:
    """Write rows, and ``<out>.about.txt`` beside them; a former file stays until the new one is whole.

    Args:
        blocks: Frames of the same columns, at least one; no more than two of them are held at the same time.
        about: What must be known about the rows.
        out: File to write, of the kind of :func:`forecast_kind`; its folder is made where it is missing. ``-`` is
            standard output, as CSV and with nothing beside it.

    Returns:
        The number of rows, and the path of the text.

    Raises:
        InputError: See :func:`forecast_kind`.
        StoreError: The disk is full, or the folder cannot be written.
    """
    kind, beside = forecast_kind(out), out.with_name(out.name + ABOUT)
    if str(out) == "-":
        return _write_text(blocks, kind, sys.stdout.buffer), beside
    with named_errors(out):
        is_private = make_folder(out.parent, private=False)
        with tempfile.TemporaryDirectory(prefix=ASIDE, dir=out.parent) as folder:
            aside = Path(folder) / out.name
            if kind == "parquet":
                rows = _write_parquet(blocks, aside)
            else:
                with aside.open("wb") as file:
                    rows = _write_text(blocks, kind, file)
            if is_private:
                aside.chmod(OWNER_FILE)
            aside.replace(out)
        write_bytes(beside, about.encode(), private=False)
    return rows, beside


def _write_parquet(blocks: Iterable[pd.DataFrame], path: Path) -> int:
    """A block is compressed and written while the next one is made ready."""
    tables = (pa.Table.from_pandas(block, preserve_index=False).replace_schema_metadata(None) for block in blocks)
    table = next(tables)
    rows = len(table)
    # Without Arrow's own schema readers of the file find texts in place of a frame's categories.
    writer = pq.ParquetWriter(path, table.schema, compression="zstd", store_schema=False)
    with writer, ThreadPoolExecutor(1) as beside:
        written = beside.submit(writer.write_table, table)
        for table in tables:
            rows += len(table)
            written.result()
            written = beside.submit(writer.write_table, table)
        written.result()
    return rows


def _write_text(blocks: Iterable[pd.DataFrame], kind: str, file: BinaryIO) -> int:
    rows = 0
    for place, block in enumerate(blocks):
        if kind == "ndjson":
            file.write(json_bytes(block, lines=True))
        else:
            content = csv_bytes(block)
            file.write(content.partition(b"\n")[2] if place else content)
        rows += len(block)
    return rows


WRITTEN = "files published"
"""The journal's action: hashes by name of the files about to be written."""
PLACED = "files in place"
"""The same of those of the hub, which are many, once all of them are written."""


def write_published(home: Path, journal: Journal, files: Mapping[str, bytes]) -> None:
    """Write files, and record the hashes of those that changed since the last record; done twice, it adds nothing.

    Raises:
        StoreError: A file or the journal cannot be written.
    """
    record_published(journal, {name: sha256_of_bytes(content) for name, content in files.items()})
    for name, content in files.items():
        write_bytes(home / FEED / name, content)


def record_published(journal: Journal, hashes: Mapping[str, str], action: str = WRITTEN) -> None:
    """Record in the journal the hashes of files that changed since its last record.

    Args:
        journal: The home's journal.
        hashes: By path inside ``published/``.
        action: ``WRITTEN`` before they are written, ``PLACED`` after.

    Raises:
        StoreError: The journal cannot be written.
    """
    recorded: dict[str, str] = {}
    for row in journal.entries(action=action):
        recorded |= row.payload
    if new := {name: sha256 for name, sha256 in hashes.items() if recorded.get(name) != sha256}:
        journal.record(Entry("nightly", action, FEED, payload=new))

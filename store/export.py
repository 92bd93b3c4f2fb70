"""One table of a release as a file that may leave the house, with what must be known about it beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from core.disclosure import protect, protect_changes, refuse_small_counts
from core.errors import InputError
from core.purpose import PURPOSE
from core.spreadsheets import harmless
from store.files import named_errors, parquet_bytes, write_bytes
from store.releases import Release


def write_export(release: Release, table: str, out: Path) -> Path:
    """Write one table as CSV or Parquet, and ``<out>.about.txt`` with citations, licences and permitted use.

    Counts of 1 to 4 by citizenship are withheld, with complementary suppression (:mod:`core.disclosure`), and the
    records that were set aside: they are a publisher's rows as they came.

    Args:
        release: Where the table comes from.
        table: Name of one of its frames.
        out: File to write; its ending says which kind.

    Returns:
        The path of the text beside it.

    Raises:
        InputError: The ending is neither ``.csv`` nor ``.parquet``, or there is no such table.
        StoreError: The file cannot be written.
    """
    if out.suffix not in {".csv", ".parquet"}:
        raise InputError(f"--out {out.name}: the ending must be .csv or .parquet")
    if table not in release.names:
        raise InputError(f"no table '{table}' in this release; it holds {', '.join(release.names)}")
    frame = refuse_small_counts(_published(release, table))
    about = out.with_name(out.name + ".about.txt")
    with named_errors(out):
        write_bytes(out, _csv_bytes(frame) if out.suffix == ".csv" else parquet_bytes(frame))
        write_bytes(about, _about(release, table).encode())
    return about


def _published(release: Release, table: str) -> pd.DataFrame:
    """A table as it may leave."""
    frame = release.read(table)
    if table == "observations":
        return protect(frame)
    if table == "revisions":
        return protect_changes(frame, protect(release.read("observations")))
    if table == "rejected":
        return frame.drop(columns="record", errors="ignore")
    return frame


def _csv_bytes(frame: pd.DataFrame) -> bytes:
    return harmless(frame).to_csv(index=False, lineterminator="\n").encode()


def _about(release: Release, table: str) -> str:
    cards = json.loads(release.document("sources.json"))
    used = set(release.read("observations", ["source_id"])["source_id"])
    lines = [f"Vigie: {table} of release {release.run_id}, as known on {release.as_of}", "", PURPOSE, "", "Sources:"]
    lines += [
        f"- {card['citation']} Licence: {card['licence']}." for source_id, card in cards.items() if source_id in used
    ]
    return "\n".join(lines) + "\n"

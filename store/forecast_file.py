"""A table of forecasts written block by block, with what must be known about it beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from store.files import ASIDE, named_errors, write_bytes


def write_forecasts(blocks: Iterable[pd.DataFrame], about: str, out: Path) -> tuple[int, Path]:
    """Write rows as Parquet, and ``<out>.about.txt`` beside it; a former file stays until the new one is whole.

    Args:
        blocks: Frames of the same columns, at least one; no two of them are held at the same time.
        about: What must be known about the rows.
        out: File to write; its folder is made where it is missing.

    Returns:
        The number of rows, and the path of the text.

    Raises:
        StoreError: The disk is full, or the folder cannot be written.
    """
    beside = out.with_name(out.name + ".about.txt")
    rows = 0
    with named_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=ASIDE, dir=out.parent) as folder:
            aside = Path(folder) / out.name
            writer: pq.ParquetWriter | None = None
            try:
                for block in blocks:
                    table = pa.Table.from_pandas(block, preserve_index=False).replace_schema_metadata(None)
                    writer = writer or pq.ParquetWriter(aside, table.schema, compression="zstd")
                    writer.write_table(table.cast(writer.schema))
                    rows += len(block)
            finally:
                if writer is not None:
                    writer.close()
            aside.replace(out)
        write_bytes(beside, about.encode())
    return rows, beside

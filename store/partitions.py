"""A folder of immutable Parquet files that is read as one frame and only ever grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from core.errors import StoreError
from store.files import named_errors, parquet_bytes, read_table, sha256_of_bytes, sha256_of_file, write_bytes

MANY_FILES = 64
"""From so many files on, a folder's files are merged into one: hundreds of nights must not slow reading down."""
LARGEST_DICTIONARY = 16 << 20
"""Bytes of distinct texts per column that a file may keep as a dictionary: tens of thousands of series."""
_ATTEMPTS = 3


@dataclass(frozen=True)
class Partitions:
    """Parquet files under one folder, each named by the hash of its content.

    While files are merged, a reader may meet a row both in the merged file and in the old one: whoever reads drops
    repeated rows by key.

    Attributes:
        folder: Where the files lie; made at the first append.
        texts_as_codes: Text columns read as pandas categories.
        in_order: Puts the rows of a merged file in order; None leaves them as they come.
    """

    folder: Path
    texts_as_codes: tuple[str, ...] = ()
    in_order: Callable[[pd.DataFrame], pd.DataFrame] | None = None

    def files(self) -> list[Path]:
        """The files, sorted by name."""
        return sorted(self.folder.glob("*.parquet"))

    def append(self, frame: pd.DataFrame) -> Path | None:
        """Write a frame as one more file; an empty frame writes nothing.

        Raises:
            StoreError: The file cannot be written, or older files cannot be merged.
        """
        if frame.empty:
            return None
        path = self._write(frame)
        if len(self.files()) >= MANY_FILES:
            path = self.merge() or path
        return path

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """All rows; an empty frame without columns where nothing was ever appended.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        tables = self.tables(columns)
        if not tables:
            return pd.DataFrame()
        rows: pd.DataFrame = pa.concat_tables(tables, promote_options="default").unify_dictionaries().to_pandas()
        return rows

    def damaged(self) -> list[Path]:
        """Files whose content is not the one they are named by: one altered bit is found.

        Raises:
            StoreError: A file cannot be read.
        """
        found = []
        for path in self.files():
            try:
                if not sha256_of_file(path).startswith(path.stem):
                    found.append(path)
            except StoreError:
                # Another process may have merged the files between the listing and the reading.
                if path.exists():
                    raise
        return found

    def set_aside_damaged(self) -> list[Path]:
        """Rename damaged files, so that they are read no more.

        Only for folders whose content can be made again.

        Returns:
            The files as they were called.

        Raises:
            StoreError: A file cannot be read or renamed.
        """
        damaged = self.damaged()
        for path in damaged:
            with named_errors(path):
                path.replace(path.with_suffix(".damaged"))
        return damaged

    def merge(self) -> Path | None:
        """Write all rows anew, in order, as one file. A crash leaves rows twice, never none.

        Raises:
            StoreError: A file is damaged (then nothing is removed), or the merged one cannot be written.
        """
        old = self.files()
        if not old:
            return None
        merged = Partitions(self.folder).read().drop_duplicates(ignore_index=True)
        path = self._write(merged if self.in_order is None else self.in_order(merged))
        for file in old:
            if file != path:
                file.unlink(missing_ok=True)
        return path

    def _write(self, frame: pd.DataFrame) -> Path:
        content = parquet_bytes(frame, largest_dictionary=LARGEST_DICTIONARY)
        path = self.folder / f"{sha256_of_bytes(content)[:32]}.parquet"
        if not path.exists():
            write_bytes(path, content)
        return path

    def tables(self, columns: Sequence[str] | None = None) -> list[pa.Table]:
        """Each file as an Arrow table, in the order of the files' names.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        for _ in range(_ATTEMPTS - 1):
            files = self.files()
            try:
                return [read_table(path, columns, self.texts_as_codes) for path in files]
            except StoreError:
                # Another process may have merged the files between the listing and the reading.
                if all(path.exists() for path in files):
                    raise
        return [read_table(path, columns, self.texts_as_codes) for path in self.files()]

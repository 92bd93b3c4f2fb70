"""What a night need not compute again: forecasts made at past origins, and fits of pooled models.

A forecast is known by its *key*: model, model version, series, origin and the hash of the history the model saw. The
version must change with everything that changes a forecast apart from the history: code, settings, horizons.

A night publishes from these files, so each carries a digest made with the home's key (:func:`store.home_key`). A file
without it, unknown or altered, is never unpacked: what it held is computed again. Homes do not share caches.
"""

from __future__ import annotations

import hmac
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.errors import StoreError
from core.log import get_logger
from core.release import FORECASTS, RELEASE
from core.schema import check
from store import KEY_FILE, Partitions, home_key, keyed_digest, named_errors, write_bytes

_CACHES = ("backtests", "hub/rows")
MOST_FITS = 600
"""Files that are kept: a panel's seven fits of ten years, each with its predictions, four times. The longest unused go
first."""
MOST_FIT_BYTES = 64 << 20
"""Size above which a file is not even read; the largest of a night has less than 1 MB."""
_MARK = 64
"""Length of the digest that a fit's file begins with."""
KEY = ["model_id", "model_version", "series_id", "origin_date", "history_hash"]
COLUMNS = [*KEY, *(name for name in FORECASTS.columns if name not in KEY), "fallback", "capped"]
_ROW = [*KEY, "horizon", "output_type", "output_type_id"]
_CONTRACT = replace(FORECASTS, key=tuple(_ROW))
"""A model's versions share its ``model_id``: a row is one of a kind within its version and history."""
_REPEATED_TEXTS = ("model_id", "model_version", "series_id", "history_hash", "output_type")


class BacktestStore:
    """The cache under ``home/backtests``."""

    def __init__(self, home: Path) -> None:
        self._partitions = Partitions(home / "backtests", _REPEATED_TEXTS, keyed_by=home)

    def heal(self) -> list[str]:
        """Set files aside that are altered or unknown: what they held is made again.

        Returns:
            Their names.

        Raises:
            StoreError: A file cannot be read or renamed.
        """
        return [path.name for path in self._partitions.set_aside_damaged()]

    def read(self, keys: pd.DataFrame) -> pd.DataFrame:
        """Stored forecasts of some keys.

        Returns:
            A frame that keeps ``core.release.FORECASTS``, plus ``model_version``, ``history_hash``, ``fallback`` and
            ``capped``, sorted by key, horizon and level; without rows where none of the keys is stored.

        Raises:
            KeyError: A column of the key is missing.
            StoreError: A file cannot be read; the text names it.
        """
        if (stored := self._partitions.read(COLUMNS)).empty:
            return RELEASE["forecasts"].empty()[COLUMNS]
        wanted = stored[_is_among(stored, keys)].drop_duplicates(_ROW)
        return wanted.astype(dict.fromkeys(_REPEATED_TEXTS, object)).sort_values(_ROW, ignore_index=True)

    def append(self, forecasts: pd.DataFrame) -> int:
        """Store forecasts; those whose key is already stored are left as they are.

        Args:
            forecasts: A frame that keeps ``core.release.FORECASTS``, plus ``model_version``, ``history_hash``,
                ``fallback`` (bool) and ``capped`` (bool).

        Returns:
            Number of rows stored.

        Raises:
            SchemaError: The frame breaks its contract.
            StoreError: A file cannot be read or written.
        """
        known = self._partitions.read(KEY)
        new = forecasts if known.empty else forecasts[~_is_among(forecasts, known)]
        check(new, _CONTRACT)
        self._partitions.append(new[COLUMNS].sort_values(_ROW, ignore_index=True))
        return len(new)


def _is_among(rows: pd.DataFrame, keys: pd.DataFrame) -> pd.Series:
    """True, on the index of ``rows``, where a row's key is one of ``keys``."""
    marked = _key_texts(keys[KEY].drop_duplicates()).drop_duplicates().assign(_marked=True)
    distinct = rows[KEY].drop_duplicates()
    codes = rows.groupby(KEY, sort=False, observed=True).ngroup()
    found = _key_texts(distinct).merge(marked, on=KEY, how="left")["_marked"].notna().to_numpy()
    return pd.Series(found[codes.to_numpy()], index=rows.index, dtype=bool)


def _key_texts(keys: pd.DataFrame) -> pd.DataFrame:
    return keys.astype(dict.fromkeys(KEY, object) | {"origin_date": "datetime64[ns]"})


def altered_caches(home: Path) -> list[Path]:
    """Files of a home's caches that do not carry its digest, sorted; nothing is made or changed.

    Raises:
        StoreError: A file cannot be read.
    """
    if not (home / KEY_FILE).exists():
        return sorted(
            path for name in (*(f"{one}/*.parquet" for one in _CACHES), "fits/*.fit") for path in home.glob(name)
        )
    files = [path for folder in _CACHES for path in Partitions(home / folder, keyed_by=home).damaged()]
    return files + FitStore(home).altered()


class FitStore:
    """The fits under ``home/fits``. A fit that is altered or unknown counts as lost: it can always be made anew.

    Several runs may share them; what one removes is not there for the others.

    Args:
        home: The home folder; its sub-folder is made with the first fit.
    """

    def __init__(self, home: Path) -> None:
        self._home, self._folder = home, home / "fits"

    def get(self, key: str) -> bytes | None:
        """The fit kept under a key; None if it is missing, altered or unknown."""
        path = self._path(key)
        if (fit := self._content(path)) is None:
            if path.exists():
                get_logger().warning("fit without this home's digest left out; it is made anew", file=path.name)
            return None
        with named_errors(path), suppress(FileNotFoundError):
            os.utime(path)
        return fit

    def put(self, key: str, fit: bytes) -> None:
        """Keep a fit; where the disk refuses, the run goes on and only the next one takes longer."""
        path = self._path(key)
        try:
            write_bytes(path, self._mark(path, fit) + fit)
            self._remove_the_longest_unused()
        except StoreError as error:
            get_logger().warning("fit not kept", reason=str(error))

    def altered(self) -> list[Path]:
        """Files that are altered or unknown, or larger than a fit may be; sorted.

        Raises:
            StoreError: A file cannot be read.
        """
        return [path for path in sorted(self._folder.glob("*.fit")) if self._content(path) is None and path.exists()]

    def heal(self) -> list[str]:
        """Remove files that are altered or unknown: what they held is made again.

        Returns:
            Their names.

        Raises:
            StoreError: A file cannot be read or removed.
        """
        found = self.altered()
        for path in found:
            with named_errors(path):
                path.unlink(missing_ok=True)
        return [path.name for path in found]

    def _content(self, path: Path) -> bytes | None:
        """A file's fit if it carries its digest and is of a usual size; else None."""
        with named_errors(path):
            try:
                if path.stat().st_size > MOST_FIT_BYTES:
                    return None
                content = path.read_bytes()
            except FileNotFoundError:
                return None
        mark, fit = content[:_MARK], content[_MARK:]
        return fit if hmac.compare_digest(mark, self._mark(path, fit)) else None

    def _mark(self, path: Path, fit: bytes) -> bytes:
        """The digest of a fit and the name under which it is kept."""
        return keyed_digest(home_key(self._home), f"{path.stem}\n".encode() + fit).encode()

    def _remove_the_longest_unused(self) -> None:
        used = {}
        for path in self._folder.glob("*.fit"):
            with suppress(FileNotFoundError):
                used[path] = path.stat().st_mtime
        for path in sorted(used, key=used.__getitem__, reverse=True)[MOST_FITS:]:
            with named_errors(path):
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.fit"

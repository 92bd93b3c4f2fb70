"""Fits of pooled models and what they foresaw, kept from run to run: one file each, named by all that went into it."""

from __future__ import annotations

from pathlib import Path

from core.errors import StoreError
from core.log import get_logger
from store.files import named_errors, sha256_of_bytes, write_bytes

MOST_FITS = 600
"""Files that are kept: a panel's seven fits of ten years, each with what it foresaw, four times. The longest unused go
first."""
_MARK = 64
"""Length of the hash that a file begins with."""


class FitStore:
    """The fits under ``home/fits``. A fit that is damaged counts as lost: it can always be made anew.

    Args:
        home: The home folder; its sub-folder is made with the first fit.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "fits"

    def get(self, key: str) -> bytes | None:
        """The fit kept under a key; None where there is none, or where the file was altered."""
        path = self._path(key)
        if not path.is_file():
            return None
        with named_errors(path):
            content = path.read_bytes()
            mark, fit = content[:_MARK], content[_MARK:]
            if mark.decode("ascii", "replace") != sha256_of_bytes(fit):
                get_logger().warning("damaged fit left out; it is made anew", file=path.name)
                return None
            path.touch()
        return fit

    def put(self, key: str, fit: bytes) -> None:
        """Keep a fit; where the disk refuses, the run goes on and only the next one takes longer."""
        path = self._path(key)
        try:
            write_bytes(path, sha256_of_bytes(fit).encode() + fit)
            self._remove_the_longest_unused()
        except StoreError as error:
            get_logger().warning("fit not kept", reason=str(error))

    def _remove_the_longest_unused(self) -> None:
        kept = sorted(self._folder.glob("*.fit"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[MOST_FITS:]:
            with named_errors(path):
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.fit"

"""Files of the shared store, at any address that fsspec knows. The only module that speaks to it.

Three things are asked of a store: a file is there whole or not at all, a file can be created only where there is none
(``If-None-Match`` on S3, a hard link in a folder), and a listing names what was written before.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.errors import StoreError
from store.files import ASIDE, flush_folder, named_errors, sha256_of_file, write_bytes
from store.shared.errors import AlteredError, MissingError, UnreachableError, remote_errors

_AT_ONCE = 8
_PROBES = "probes"
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class RemoteFiles:
    """Files below one address.

    Args:
        url: ``s3://bucket/folder``, ``file:///folder``, …

    Raises:
        StoreError: No library serves this kind of address, or the address is not usable.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            # Whoever looks for news must not be told what was listed a minute ago.
            self._system, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        except ImportError as error:
            raise StoreError(f"{url}: {error}; on S3: install requirements/s3.txt") from None
        except ValueError as error:
            raise StoreError(f"{url}: {error}") from None
        self._is_folder = isinstance(self._system, LocalFileSystem)

    def read(self, path: str) -> bytes:
        """Content of a file.

        Raises:
            MissingError: There is none.
            StoreError: The store does not answer or refuses.
        """
        with self._named(path):
            content: bytes = self._system.cat_file(self._at(path))
            return content

    def write(self, path: str, content: bytes) -> None:
        """Put a file there, whole or not at all; one that is there is replaced.

        Raises:
            StoreError: The store does not answer or refuses.
        """
        with self._named(path):
            if self._is_folder:
                self._check_folder()
                write_bytes(Path(self._at(path)), content)
            else:
                self._system.pipe_file(self._at(path), content)

    def send(self, path: str, source: Path) -> None:
        """Put a local file there, whole or not at all, without holding it in memory.

        Raises:
            StoreError: The file cannot be read, or the store does not answer or refuses.
        """
        with self._named(path):
            if not self._is_folder:
                self._system.put_file(str(source), self._at(path))
                return
            self._check_folder()
            target = Path(self._at(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            _move_in(lambda aside: shutil.copyfile(source, aside), target)

    def fetch(self, path: str, target: Path, sha256: str) -> None:
        """Bring a file down, without holding it in memory; it is moved into place when its hash has proved right.

        Raises:
            AlteredError: Its hash is another one.
            MissingError: There is none.
            StoreError: The store does not answer or refuses, or the disk refuses.
        """

        def checked(aside: Path) -> None:
            with self._named(path):
                self._system.get_file(self._at(path), str(aside))
            if sha256_of_file(aside) != sha256:
                raise AlteredError(f"{self.url}/{path}: was altered: its hash is not the recorded one")

        with named_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _move_in(checked, target)

    def create(self, path: str, content: bytes) -> bool:
        """Put a file there only if there is none: of several who try at once, one succeeds.

        Returns:
            True where it was created.

        Raises:
            StoreError: The store does not answer or refuses.
        """
        with self._named(path):
            try:
                if self._is_folder:
                    self._check_folder()
                    _link_into_place(Path(self._at(path)), content)
                else:
                    self._system.pipe_file(self._at(path), content, mode="create")
            except FileExistsError:
                return False
            return True

    def names(self, folder: str) -> list[str]:
        """Names of the files directly in a folder, sorted; none where there is no such folder.

        Raises:
            StoreError: The store does not answer or refuses.
        """
        with contextlib.suppress(MissingError), self._named(folder):
            self._check_folder()
            found = self._system.ls(self._at(folder), detail=False, refresh=True)
            return sorted(str(path).rstrip("/").rsplit("/", 1)[-1] for path in found)
        return []

    def everything(self) -> list[str]:
        """Every file of the store, relative to its address.

        Raises:
            StoreError: The store does not answer or refuses.
        """
        with self._named(""):
            start = len(self._root.rstrip("/")) + 1
            return sorted(str(path)[start:] for path in self._system.find(self._root))

    def modified(self, path: str) -> dt.datetime:
        """When a file was written, by the store's own clock.

        Raises:
            StoreError: There is no such file, or the store does not answer or refuses.
        """
        with self._named(path):
            time: dt.datetime = self._system.modified(self._at(path))
            return time if time.tzinfo else time.replace(tzinfo=dt.UTC)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there.

        Raises:
            StoreError: The store does not answer or refuses.
        """
        with contextlib.suppress(MissingError), self._named(path):
            self._system.rm_file(self._at(path))

    def now(self) -> dt.datetime:
        """The store's own clock. It is read from a file made for it, which proves too that the store can be shared.

        Raises:
            StoreError: The store cannot be written, or lets two writers create one file.
        """
        path = f"{_PROBES}/{uuid4().hex}"
        self.create(path, b"")
        try:
            if self.create(path, b""):
                raise StoreError(f"{self.url}: lets two writers create the same file: it cannot be shared safely")
            return self.modified(path)
        finally:
            self.remove(path)

    def each(self, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Do something for each item, several at once; the first failure ends it.

        Returns:
            What each gave, in their order.
        """
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="store") as pool:
            waiting = [pool.submit(work, item) for item in items]
            try:
                return [one.result() for one in waiting]
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _at(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}" if path else self._root

    def _check_folder(self) -> None:
        """A folder that is not there may be a disk that is not mounted: it is not made."""
        if self._is_folder and not Path(self._root).is_dir():
            raise UnreachableError(f"{self.url}: there is no such folder; is its disk mounted?")

    def _named(self, path: str) -> contextlib.AbstractContextManager[None]:
        return remote_errors(f"{self.url}/{path}" if path else self.url)


def _move_in(fill: Callable[[Path], object], target: Path) -> None:
    """Fill a file aside, flush it to the disk and move it into place."""
    aside = target.parent / f"{ASIDE}{uuid4().hex}"
    try:
        fill(aside)
        _flush(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    flush_folder(target.parent)


def _link_into_place(path: Path, content: bytes) -> None:
    """Create a file with its content in one step, and only where there is none: a hard link does both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.parent / f"{ASIDE}{uuid4().hex}"
    try:
        aside.write_bytes(content)
        _flush(aside)
        path.hardlink_to(aside)
    finally:
        aside.unlink(missing_ok=True)
    flush_folder(path.parent)


def _flush(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())

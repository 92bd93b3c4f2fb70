"""Files at any address of fsspec, which this module alone imports, and one holder at a time.

An address must keep three promises: a file appears whole or not at all; a file is created only if absent
(``If-None-Match`` on S3, a hard link in a folder); a listing names everything written before it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.errors import StoreError, first_line
from store import ASIDE, flush_folder, sha256_of_bytes, sha256_of_file, write_bytes
from store.journal.database import Database
from store.lock import AlreadyRunningError

_T = TypeVar("_T")
_U = TypeVar("_U")


class UnreachableError(StoreError):
    """The shared store does not answer, or refuses."""


class MissingError(StoreError):
    """The shared store answers, and has no such file."""


class AlteredError(StoreError):
    """A file of the shared store is not as it was delivered."""


class RemoteFiles:
    """Files below one address. Every method raises :class:`StoreError` where the store does not answer or refuses.

    Args:
        url: ``s3://bucket/folder``, ``file:///folder``, …

    Raises:
        StoreError: No library serves this kind of address, or the address is not usable.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            # A look for news must not return what was listed a minute ago.
            self._system, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        except ImportError as error:
            raise StoreError(f"{url}: {error}; on S3: install requirements/s3.txt") from None
        except Exception as error:  # whatever a library says of an address it cannot use
            raise StoreError(f"{url}: {error or type(error).__name__}") from None
        self._is_folder = isinstance(self._system, LocalFileSystem)

    def read(self, path: str, sha256: str = "") -> bytes:
        """Content of a file; :class:`MissingError` where there is none, :class:`AlteredError` with another hash."""
        with self._named(path) as at:
            content: bytes = self._system.cat_file(at)
        if sha256 and sha256_of_bytes(content) != sha256:
            raise AlteredError(f"{self.url}/{path}: was altered: its hash is not the recorded one")
        return content

    def write(self, path: str, content: bytes) -> None:
        """Put bytes there, whole or not at all; a file that is there is replaced."""
        with self._named(path) as at:
            if self._is_folder:
                write_bytes(Path(at), content, private=False)
            else:
                self._system.pipe_file(at, content)

    def create(self, path: str, content: bytes) -> bool:
        """Put a file there only if there is none: of several who try at once, one succeeds, and gets True."""
        with self._named(path) as at, contextlib.suppress(FileExistsError):
            if not self._is_folder:
                self._system.pipe_file(at, content, mode="create")
                return True
            aside = Path(at).with_name(f"{ASIDE}{uuid4().hex}")
            write_bytes(aside, content, private=False)
            try:
                Path(at).hardlink_to(aside)
            finally:
                aside.unlink()
            flush_folder(aside.parent)
            return True
        return False

    def fetch(self, path: str, target: Path, sha256: str) -> None:
        """Bring a file down, if it is not there with this hash; with another one it raises :class:`AlteredError`."""
        if not (target.is_file() and sha256_of_file(target) == sha256):
            write_bytes(target, self.read(path, sha256))

    def names(self, folder: str) -> list[str]:
        """Names of the files directly in a folder, sorted; none where there is no such folder."""
        with contextlib.suppress(MissingError), self._named(folder) as at:
            found = [str(path).rstrip("/").rsplit("/", 1)[-1] for path in self._system.ls(at, False, refresh=True)]
            return sorted(name for name in found if not name.startswith(ASIDE))
        return []

    def everything(self) -> list[str]:
        """Every file, relative to the address, sorted."""
        with self._named("") as at:
            return sorted(str(path)[len(at.rstrip("/")) + 1 :] for path in self._system.find(at))

    def modified(self, path: str) -> dt.datetime:
        """When a file was written, by the store's own clock."""
        with self._named(path) as at:
            time: dt.datetime = self._system.modified(at)
            return time if time.tzinfo else time.replace(tzinfo=dt.UTC)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(MissingError), self._named(path) as at:
            self._system.rm_file(at)

    def now(self) -> dt.datetime:
        """The store's own clock, read from a file made for it, which proves too that the store can be shared."""
        path = f"probes/{uuid4().hex}"
        self.create(path, b"")
        try:
            if self.create(path, b""):
                raise StoreError(f"{self.url}: lets two writers create the same file: it cannot be shared safely")
            return self.modified(path)
        finally:
            self.remove(path)

    @contextlib.contextmanager
    def _named(self, path: str) -> Iterator[str]:
        """Where a file lies; what fsspec and the libraries behind it raise becomes a StoreError that names the file."""
        name = f"{self.url}/{path}" if path else self.url
        if self._is_folder and not Path(self._root).is_dir():
            # It may be a disk that is not mounted: the folder is not made.
            raise UnreachableError(f"{self.url}: there is no such folder; is its disk mounted?")
        try:
            yield f"{self._root.rstrip('/')}/{path}" if path else self._root
        except (StoreError, FileExistsError):
            raise
        except FileNotFoundError:
            raise MissingError(f"{name}: is not there") from None
        except Exception as error:
            # The libraries for object stores have errors of their own: no connection, time out, a broken answer.
            raise UnreachableError(f"{name}: {first_line(error)}") from error


def each(work: Callable[[_T], _U], items: Iterable[_T]) -> list[_U]:
    """Do something for each item, eight at once, and give the results in order; the first failure ends it."""
    with ThreadPoolExecutor(8, thread_name_prefix="store") as pool:
        return list(pool.map(work, items))


@contextlib.contextmanager
def single_flight(files: RemoteFiles, journal: str) -> Iterator[None]:
    """Hold the shared store for one night if the journal is in PostgreSQL, by an advisory lock.

    Without PostgreSQL two nights may run at once; :func:`store.mirror.publish` then accepts the first to deliver.

    Args:
        files: The store.
        journal: Address of the journal.

    Raises:
        AlreadyRunningError: A night runs on another machine.
        StoreError: The store does not answer, cannot be written or cannot be shared.
    """
    files.now()
    if not journal.startswith("postgresql"):
        yield
        return
    with contextlib.closing(Database(journal)) as database, database.alone(f"night on {files.url}") as is_held:
        if not is_held:
            raise AlreadyRunningError(f"another night is running on {files.url}: it holds the lock in PostgreSQL")
        yield

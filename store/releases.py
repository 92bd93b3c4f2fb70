"""Releases: what a night says, in one folder that never changes, chained to the release before it.

``home/releases/<run_id>/manifest.json`` holds the hash of each file and of the former release's manifest. The newest
manifest's hash stands in ``home/releases/HEAD.json``. Whoever keeps a copy of that one hash can later prove that no
forecast was edited, added or taken away (:func:`store.chain.verify`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from core.errors import StoreError, message
from core.languages import marked as _
from core.release import RELEASE
from store.chain import (
    HEAD,
    MANIFEST,
    NEXT_HEAD,
    REMOVED,
    RUN_ID,
    Problem,
    file_problems,
    read_head,
    read_json,
    release_folders,
    verify,
)
from store.files import flush_folder, named_errors, read_parquet, sha256_of_bytes, write_bytes
from store.release_contents import About, contents_of, files_of, in_manifest, json_bytes

_STAGING = ".staging-"
_LOCK_SECONDS = 60


@dataclass(frozen=True)
class Release:
    """One published release.

    Attributes:
        path: Its folder.
    """

    path: Path

    @property
    def run_id(self) -> str:
        """Its identity; run_ids sort by time of publication."""
        return self.path.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest; of a release that retention removed meanwhile, the one that was kept.

        Raises:
            StoreError: It is missing or is not JSON.
        """
        try:
            return read_json(self.path / MANIFEST)
        except StoreError:
            kept = self.path.parent / REMOVED / f"{self.run_id}.json"
            if self.path.is_dir() or not kept.is_file():
                raise
            return read_json(kept)

    @property
    def as_of(self) -> dt.date:
        """The day whose knowledge it rests on."""
        return dt.date.fromisoformat(self.manifest["as_of"])

    @property
    def names(self) -> list[str]:
        """Names of the frames it holds, sorted."""
        return sorted(Path(name).stem for name in self.manifest["files"] if name.endswith(".parquet"))

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read one of its tables, as :data:`core.release.RELEASE` declares it.

        A table or column that did not exist when the release was made is there without rows or values.

        Args:
            name: ``forecasts``, ``alerts``, …
            columns: Columns to read; all by default.

        Raises:
            StoreError: There is no such table or column, or the file is damaged.
        """
        table = RELEASE.get(name)
        if table is not None and name not in self.names:
            name = table.former
        if name not in self.names:
            if table is None or table.required:
                raise StoreError(f"release {self.run_id}: holds no frame '{name}'; it holds {self.names}")
            return table.empty() if columns is None else table.empty()[list(columns)]
        path = self.path / f"{name}.parquet"
        if table is None:
            return read_parquet(path, columns)
        later = [one for one, column in table.columns.items() if column.optional or column.former]
        if columns is None or not set(columns).isdisjoint(later):
            found = table.brought_up(read_parquet(path))
            return found if columns is None else found[list(columns)]
        return read_parquet(path, columns)

    def document(self, name: str) -> str:
        """Read one of its texts, such as ``sources.json`` or ``model_cards/vigie-ets.md``.

        Raises:
            StoreError: There is no such text, or it cannot be read.
        """
        if name not in self.manifest["files"] or name.endswith(".parquet"):
            raise StoreError(f"release {self.run_id}: holds no document '{name}'")
        with named_errors(self.path / name):
            return (self.path / name).read_text(encoding="utf-8")


class ReleaseStore:
    """The releases under ``home/releases``.

    Args:
        home: The home folder.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "releases"

    def all(self) -> list[Release]:
        """Every release, oldest first."""
        return [Release(path) for path in release_folders(self.folder)]

    def current(self) -> Release | None:
        """The release published last; none before the first night."""
        releases = self.all()
        return releases[-1] if releases else None

    def get(self, run_id: str) -> Release:
        """One release by its identity.

        Raises:
            StoreError: There is none.
        """
        path = self.folder / run_id
        if RUN_ID.fullmatch(run_id) and (self.folder / REMOVED / f"{run_id}.json").is_file() and not path.is_dir():
            raise StoreError(f"release '{run_id}' is not kept any more (operation.keep_nights); its manifest is")
        if not RUN_ID.fullmatch(run_id) or not (path / MANIFEST).is_file():
            raise StoreError(f"there is no release '{run_id}'")
        return Release(path)

    def as_known_on(self, date: dt.date) -> Release | None:
        """The release with the newest knowledge not after a day; of several of one day, the one published last."""
        candidates = [release for release in self.all() if release.as_of <= date]
        return max(candidates, key=lambda release: (release.as_of, release.run_id), default=None)

    def publish(self, frames: Mapping[str, pd.DataFrame], documents: Mapping[str, str], about: About) -> Release:
        """Publish a release: all of it, or nothing.

        Args:
            frames: Tables by name (:data:`core.release.RELEASE`), checked before anything is written.
            documents: Texts by path inside the release, such as ``model_cards/vigie-ets.md``.
            about: What the manifest says about the night.

        Returns:
            The release, in place and whole.

        Raises:
            SchemaError: A frame breaks its contract.
            StoreError: A frame is missing, a name is not usable, or the disk refuses. The former release stands.
        """
        contents = contents_of(frames, documents, about.as_of)
        with named_errors(self.folder), self._alone():
            self._remove_staging()
            return self._write(contents, files_of(contents, frames), about)

    def verify(self, witnesses: Mapping[str, str] | None = None) -> Problem | None:
        """Recompute every hash of the chain, oldest release first.

        Args:
            witnesses: Manifest hashes by run_id, kept elsewhere (the journal, a partner), that must still hold.

        Returns:
            The first release and file altered, missing or added; None where the chain is whole.

        Raises:
            StoreError: A file cannot be read.
        """
        return verify(self.folder, witnesses or {})

    def head(self) -> str | None:
        """Hash of the newest manifest as it was published: the one value a partner keeps. None before the first night.

        Raises:
            StoreError: The record of it is not readable.
        """
        head = read_head(self.folder)
        return None if head is None else str(head["manifest_sha256"])

    def _write(self, contents: Mapping[str, bytes], files: Mapping[str, Any], about: About) -> Release:
        # The recorded head, not the files found: an altered or removed newest release must stay provable.
        head = read_head(self.folder)
        if head is not None:
            self._write_json(HEAD, head)
        created = dt.datetime.now(dt.UTC)
        run_id = _next_run_id(created, [path.name for path in release_folders(self.folder)], head, files)
        manifest = {"run_id": run_id, "created_at": created.isoformat(timespec="seconds")}
        manifest |= in_manifest(about) | {"previous": head, "files": files}
        text = json_bytes(manifest)
        staging = self.folder / f"{_STAGING}{run_id}"
        try:
            for name, content in {**contents, MANIFEST: text}.items():
                write_bytes(staging / name, content)
            self._write_json(NEXT_HEAD, {"run_id": run_id, "manifest_sha256": sha256_of_bytes(text)})
            staging.replace(self.folder / run_id)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        flush_folder(self.folder)
        (self.folder / NEXT_HEAD).replace(self.folder / HEAD)
        flush_folder(self.folder)
        return Release(self.folder / run_id)

    def _write_json(self, name: str, value: Mapping[str, Any]) -> None:
        write_bytes(self.folder / name, json_bytes(value))

    def _remove_staging(self) -> None:
        for path in self.folder.glob(f"{_STAGING}*"):
            shutil.rmtree(path)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One publication at a time; the lock belongs to the operating system and goes with its process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".publish.lock", timeout=_LOCK_SECONDS)
        try:
            lock.acquire()
        except Timeout:
            raise StoreError(f"{self.folder}: another process has been publishing for {_LOCK_SECONDS} s") from None
        try:
            yield
        finally:
            lock.release()


def readable(release: Release | None) -> tuple[Release | None, list[dict[str, str]]]:
    """A release if it is whole; else None, with what is wrong as a record of a degraded night."""
    if release is None:
        return None, []
    try:
        problem = next(file_problems(release.path, release.manifest["files"]), None)
    except (KeyError, TypeError, AttributeError, StoreError) as error:
        problem = Problem(release.run_id, MANIFEST, str(error))
    if problem is None:
        return release, []
    fault = _("the former release is damaged ({problem}): nothing is compared with it; restore it from a backup")
    return None, [message(fault, problem=str(problem)).record("vigie-releases")]


def _next_run_id(
    created: dt.datetime, existing: Sequence[str], head: Mapping[str, Any] | None, files: Mapping[str, Any]
) -> str:
    """Time of publication and a few digits of the content; after every former one, even if the clock went back."""
    layout = "%Y%m%dT%H%M%SZ"
    stamp = created.replace(microsecond=0)
    former = max([*existing, *([str(head["run_id"])] if head else [])], default=None)
    if former is not None:
        newest = dt.datetime.strptime(former.split("-")[0], layout).replace(tzinfo=dt.UTC)
        stamp = max(stamp, newest + dt.timedelta(seconds=1))
    return f"{stamp.strftime(layout)}-{sha256_of_bytes(json_bytes(files))[:6]}"

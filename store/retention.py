"""Which releases are kept whole: the newest ones, and the last of every month for good. The chain stays provable.

Of a release that goes its manifest stays, in ``home/releases/REMOVED/<run_id>.json``: every later hash rests on it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from core.errors import InputError
from store.chain import MANIFEST, REMOVED, read_json
from store.files import flush_folder, named_errors, write_bytes
from store.releases import Release, ReleaseStore

_REMOVING = ".removing-"


@dataclass(frozen=True)
class Removed:
    """A release that went.

    Attributes:
        run_id: Its identity.
        size: Bytes that were freed.
    """

    run_id: str
    size: int


def expendable(releases: Sequence[Release], newest: int) -> list[Release]:
    """Releases that need not be kept whole, oldest first.

    Kept are the ``newest``, and of every month of knowledge (``as_of``) the last real night and the last replay.

    Args:
        releases: Every release that is whole, oldest first.
        newest: How many of the newest are kept; at least 1.

    Raises:
        StoreError: A manifest cannot be read.
    """
    last_of_month = {(f"{one.as_of:%Y-%m}", one.manifest["replay"]): one.run_id for one in releases}
    older = releases[: max(len(releases) - max(newest, 1), 0)]
    return [one for one in older if one.run_id not in set(last_of_month.values())]


def prune(home: Path, newest: int, *, dry_run: bool = False) -> list[Removed]:
    """Remove what need not be kept; a crash in between loses nothing, and the next call goes on.

    Args:
        home: The home folder.
        newest: How many of the newest releases are kept whole.
        dry_run: Only tell.

    Returns:
        What went, or would go, oldest first.

    Raises:
        InputError: Fewer than one release would be kept.
        StoreError: The folder cannot be read or written.
    """
    if newest < 1:
        raise InputError(f"at least one release is kept (found {newest})")
    store = ReleaseStore(home)
    chosen = expendable(store.all(), newest)
    removed = [Removed(one.run_id, _size(one.path)) for one in chosen]
    if dry_run or not store.folder.is_dir():
        return removed
    with named_errors(store.folder), FileLock(store.folder / ".publish.lock", timeout=60):
        remove_all(store.folder, chosen)
    return removed


def remove_all(folder: Path, releases: Sequence[Release]) -> None:
    """Remove releases but their manifests, and what a crash left of others; whoever calls holds the folder.

    Raises:
        StoreError: A manifest cannot be read or kept.
        OSError: The disk refuses.
    """
    for release in releases:
        _remove(release)
    for path in folder.glob(f"{_REMOVING}*"):
        shutil.rmtree(path)


def _remove(release: Release) -> None:
    folder = release.path.parent
    read_json(release.path / MANIFEST)
    write_bytes(folder / REMOVED / f"{release.run_id}.json", (release.path / MANIFEST).read_bytes())
    release.path.replace(folder / f"{_REMOVING}{release.run_id}")
    flush_folder(folder)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

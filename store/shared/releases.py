"""Releases between a home folder and the shared store: one chain on all machines, checked link by link."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout

from core.errors import StoreError
from store.chain import HEAD, MANIFEST, NEXT_HEAD, REMOVED, read_head, read_json
from store.files import flush_folder, named_errors, sha256_of_bytes, sha256_of_file, write_bytes
from store.releases import Release
from store.retention import remove_all
from store.shared.errors import AlteredError, DivergedError
from store.shared.files import RemoteFiles
from store.shared.index import KINDS, RELEASES, Commit, Entry, Listing, local_names, read_list

UNDELIVERED = "undelivered"
"""Folder of the home for releases that were set aside, because the shared store had gone another way."""
_STAGING = ".pulling"
_LOCK_SECONDS = 60
_LONGEST_PULL_SECONDS = 1800


@dataclass(frozen=True)
class Link:
    """One release of a chain.

    Attributes:
        run_id: Its identity.
        sha256: Hash of its manifest.
        is_whole: False where retention removed all but the manifest.
        name: Its manifest, by its place in the home folder.
    """

    run_id: str
    sha256: str
    is_whole: bool
    name: str

    @property
    def head(self) -> dict[str, str]:
        """As a head is recorded."""
        return {"run_id": self.run_id, "manifest_sha256": self.sha256}


def pull_releases(home: Path, files: RemoteFiles, commit: Commit) -> list[str]:
    """Bring down what a home lacks of the chain: all of it is fetched and checked before the first is moved in.

    Returns:
        run_ids that are new here, oldest first.

    Raises:
        AlteredError: A file is not as it was published, or the chain is not the one this home knows.
        DivergedError: This home has published a release that the store does not continue.
        StoreError: The store does not answer, or the disk refuses.
    """
    theirs = links_of(read_list(files, RELEASES, commit), files.url)
    if commit.head != (list(theirs.values())[-1].head if theirs else None):
        raise AlteredError(f"{files.url}: the newest release is not the one that the newest commit names")
    # Two dashboards on one home fetch one after the other, and the second finds that there is nothing left to fetch.
    with _held(home, ".pull.lock", "pulling", _LONGEST_PULL_SECONDS):
        return _pull(home, files, theirs)


def _pull(home: Path, files: RemoteFiles, theirs: Mapping[str, Link]) -> list[str]:
    ours = local_links(home)
    _compare(files.url, ours, theirs)
    missing = {run_id: link for run_id, link in theirs.items() if run_id not in ours}
    staging = home / RELEASES / _STAGING
    for run_id, link in missing.items():
        _fetch(files, link, _before(theirs, run_id), staging)
    with alone(home):
        ours = local_links(home)
        _compare(files.url, ours, theirs)
        new = [link for run_id, link in theirs.items() if run_id not in ours]
        for link in new:
            _move_in(home / RELEASES, link)
        _take_over_removals(home, ours, theirs)
        _record_head(home / RELEASES, theirs)
        shutil.rmtree(staging, ignore_errors=True)
    return [link.run_id for link in new if link.is_whole]


def push_releases(home: Path, files: RemoteFiles, known: Mapping[str, Link]) -> dict[str, Entry]:
    """Send the releases that the store lacks.

    Args:
        home: The home folder.
        files: The shared store.
        known: Its chain.

    Returns:
        The list of releases that the store is to have.

    Raises:
        StoreError: A file here is not as it was published, or the store does not answer or refuses.
    """
    ours = local_links(home)
    _compare(files.url, ours, known)
    for run_id, link in ours.items():
        before = known.get(run_id)
        if link.is_whole and before is None:
            _send(home, files, link, _before(ours, run_id))
        if before is None or before.name != link.name:
            _send_file(home, files, {link.name: link.sha256}, link.name)
    return {link.name: Entry(link.sha256, (home / link.name).stat().st_size) for link in ours.values()}


def set_aside(home: Path, files: RemoteFiles, commit: Commit) -> list[str]:
    """Move releases that the shared store does not continue out of the chain, into ``home/undelivered``.

    Returns:
        Their run_ids.

    Raises:
        StoreError: The store does not answer, or the disk refuses.
    """
    theirs = links_of(read_list(files, RELEASES, commit), files.url)
    if not theirs:
        raise StoreError(f"{files.url}: holds no release: there is nothing to follow instead")
    folder = home / RELEASES
    with alone(home), named_errors(home):
        ours = local_links(home)
        gone = [link for run_id, link in ours.items() if run_id not in theirs]
        kept = [link for run_id, link in ours.items() if run_id in theirs]
        (home / UNDELIVERED).mkdir(exist_ok=True)
        if kept:
            _write_head(folder, HEAD, kept[-1])
        else:
            (folder / HEAD).unlink(missing_ok=True)
        (folder / NEXT_HEAD).unlink(missing_ok=True)
        for link in reversed(gone):
            path = (home / link.name).parent if link.is_whole else home / link.name
            path.replace(home / UNDELIVERED / path.name)
    return [link.run_id for link in gone]


def local_links(home: Path) -> dict[str, Link]:
    """The chain of a home folder, oldest first."""
    names = {name: Entry(sha256_of_file(home / name), 0) for name in local_names(home, RELEASES)}
    return links_of(names, str(home))


def links_of(listing: Listing, where: str) -> dict[str, Link]:
    """The chain that a list of manifests tells, oldest first; a whole release counts before what is left of one.

    Raises:
        AlteredError: A release has two different manifests.
    """
    found: dict[str, Link] = {}
    for name, entry in listing.items():
        match = KINDS[RELEASES].fullmatch(name)
        if match is None:
            continue
        run_id = match["whole"] or match["removed"]
        link = Link(run_id, entry.sha256, match["whole"] is not None, name)
        former = found.get(run_id)
        if former is not None and former.sha256 != link.sha256:
            raise AlteredError(f"{where}/{name}: was altered: there are two manifests of {run_id}")
        if former is None or link.is_whole:
            found[run_id] = link
    return dict(sorted(found.items()))


def alone(home: Path) -> AbstractContextManager[None]:
    """Hold the folder of releases: nothing is published or removed meanwhile."""
    return _held(home, ".publish.lock", "publishing", _LOCK_SECONDS)


@contextmanager
def _held(home: Path, name: str, what: str, seconds: float) -> Iterator[None]:
    folder = home / RELEASES
    with named_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / name, timeout=seconds)
        try:
            lock.acquire()
        except Timeout:
            raise StoreError(f"{folder}: another process has been {what} for {seconds:.0f} s") from None
        try:
            yield
        finally:
            lock.release()


def _compare(url: str, ours: Mapping[str, Link], theirs: Mapping[str, Link]) -> None:
    """Refuse a store that tells another past than this home knows, and a home that went its own way."""
    for run_id, link in ours.items():
        other = theirs.get(run_id)
        if other is not None and other.sha256 != link.sha256:
            raise AlteredError(f"{url}/{other.name}: is not the manifest that this home knows: one was altered")
    own = [link for run_id, link in ours.items() if run_id not in theirs]
    newest = max(theirs, default="")
    if own and theirs and (newest not in ours or own[0].run_id < newest):
        raise DivergedError(
            f"{url}: has gone on with {newest}, while this home published {own[0].run_id}, which was never delivered. "
            "'vigie store pull --set-aside' keeps that one apart and takes the store's"
        )


def _before(links: Mapping[str, Link], run_id: str) -> Link | None:
    earlier = [link for link in links.values() if link.run_id < run_id]
    return earlier[-1] if earlier else None


def _fetch(files: RemoteFiles, link: Link, former: Link | None, staging: Path) -> None:
    """Fetch one release, or what is left of one, each file checked; what a cut-off pull left is used again."""
    manifest = _fetched_manifest(files, link, former)
    folder = staging / link.run_id
    if link.is_whole:
        wanted = {name: str(one["sha256"]) for name, one in manifest["files"].items()}
        unsafe = [name for name in wanted if not _is_safe(name)]
        if unsafe:
            raise AlteredError(f"{files.url}/{link.name}: names '{unsafe[0]}', which is no file of a release")
        files.each(partial(_fetch_file, files, link, wanted, folder), wanted)
        _forget_strangers(folder, wanted)
    files.fetch(link.name, folder / MANIFEST, link.sha256)


def _fetched_manifest(files: RemoteFiles, link: Link, former: Link | None) -> dict[str, Any]:
    content = files.read(link.name)
    if sha256_of_bytes(content) != link.sha256:
        raise AlteredError(f"{files.url}/{link.name}: was altered: its hash is not the one in its list")
    manifest = _parsed(content)
    if manifest is None or manifest["run_id"] != link.run_id:
        raise AlteredError(f"{files.url}/{link.name}: was altered: it is no manifest of this release")
    if manifest["previous"] != (former.head if former else None):
        told = former.run_id if former else "no release"
        raise AlteredError(f"{files.url}/{link.name}: does not follow {told}: the store's chain is broken")
    return manifest


def _parsed(content: bytes) -> dict[str, Any] | None:
    """A manifest as far as it is needed here; None where it is none."""
    try:
        found = json.loads(content)
        files = {str(name): {"sha256": str(one["sha256"])} for name, one in found["files"].items()}
        return {"run_id": found["run_id"], "previous": found["previous"], "files": files}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _fetch_file(files: RemoteFiles, link: Link, wanted: Mapping[str, str], folder: Path, name: str) -> None:
    if not (folder / name).is_file() or sha256_of_file(folder / name) != wanted[name]:
        files.fetch(f"{RELEASES}/{link.run_id}/{name}", folder / name, wanted[name])


def _forget_strangers(folder: Path, wanted: Mapping[str, str]) -> None:
    """A pull that was killed may have left a file half written beside the others."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()


def _move_in(folder: Path, link: Link) -> None:
    """Put one fetched release in its place, by the steps of a publication."""
    staged = folder / _STAGING / link.run_id
    head = read_head(folder)
    follows = head is None or link.run_id > head["run_id"]
    if link.is_whole:
        if follows:
            _write_head(folder, NEXT_HEAD, link)
        staged.replace(folder / link.run_id)
        flush_folder(folder)
        if follows:
            (folder / NEXT_HEAD).replace(folder / HEAD)
            flush_folder(folder)
        return
    write_bytes(folder / REMOVED / f"{link.run_id}.json", (staged / MANIFEST).read_bytes())
    if follows:
        _write_head(folder, HEAD, link)


def _take_over_removals(home: Path, ours: Mapping[str, Link], theirs: Mapping[str, Link]) -> None:
    """What retention removed on another machine goes here too."""
    gone = [run_id for run_id, link in theirs.items() if not link.is_whole and run_id in ours and ours[run_id].is_whole]
    remove_all(home / RELEASES, [Release(home / RELEASES / run_id) for run_id in gone])


def _record_head(folder: Path, theirs: Mapping[str, Link]) -> None:
    """Mend a head that a pull left behind when it was cut off."""
    links = local_links(folder.parent)
    if links and list(links) == list(theirs) and read_head(folder) != list(theirs.values())[-1].head:
        _write_head(folder, HEAD, list(theirs.values())[-1])


def _write_head(folder: Path, name: str, link: Link) -> None:
    write_bytes(folder / name, (json.dumps(link.head, indent=1, sort_keys=True) + "\n").encode())


def _send(home: Path, files: RemoteFiles, link: Link, former: Link | None) -> None:
    """Send every file of a release but its manifest; none that was altered leaves."""
    manifest = read_json(home / link.name)
    if manifest["previous"] != (former.head if former else None):
        raise StoreError(f"{home / link.name}: does not follow the release before it: see 'vigie verify'")
    wanted = {f"{RELEASES}/{link.run_id}/{name}": str(one["sha256"]) for name, one in manifest["files"].items()}
    files.each(partial(_send_file, home, files, wanted), wanted)


def _send_file(home: Path, files: RemoteFiles, wanted: Mapping[str, str], name: str) -> None:
    if sha256_of_file(home / name) != wanted[name]:
        raise StoreError(f"{home / name}: was altered: its hash is not the recorded one; it is not delivered")
    files.send(name, home / name)


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    plain = not name.startswith("/") and "\\" not in name and "\0" not in name
    return bool(parts) and plain and not any(part.startswith(".") for part in parts) and name != MANIFEST

"""The chain of manifests: the public proof that no release was edited after the fact."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import StoreError
from store import flush_folder, named_errors, sha256_of_file, write_bytes

MANIFEST = "manifest.json"
HEAD = "HEAD.json"
"""Names the newest release and its manifest's hash."""
NEXT_HEAD = "HEAD.next.json"
"""The head to be, written before a release is moved in: it distinguishes a crashed night from tampering."""
REMOVED = "REMOVED"
"""Folder of the manifests of releases that retention removed (:mod:`store.releases`)."""
RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


@dataclass(frozen=True)
class Problem:
    """The first thing in the chain that is not as it was published."""

    run_id: str
    file: str
    rule: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.file}: {self.rule}"


def release_folders(folder: Path) -> list[Path]:
    """Folders that hold a whole release, oldest first. What is still being written is not among them."""
    candidates = (path for path in folder.glob("*") if RUN_ID.fullmatch(path.name))
    return sorted(path for path in candidates if (path / MANIFEST).is_file())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        StoreError: The file is missing or holds no JSON object.
    """
    with named_errors(path):
        try:
            value = json.loads(path.read_bytes())
        except ValueError as error:
            raise StoreError(f"{path}: is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise StoreError(f"{path}: is not a JSON object")
    return value


def read_head(folder: Path) -> dict[str, Any] | None:
    """The head as last recorded, a publication cut off after its rename included; None where there never was one.

    Raises:
        StoreError: A head file is not readable: restore it from a backup.
    """
    head, following = (_read_link(folder / name) if (folder / name).exists() else None for name in (HEAD, NEXT_HEAD))
    if following is None or not (folder / str(following["run_id"]) / MANIFEST).is_file():
        return head
    return following


def _read_link(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not all(isinstance(value.get(name), str) for name in ("run_id", "manifest_sha256")):
        raise StoreError(f"{path}: names no release")
    return value


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """A document as releases write it, the same bytes for the same content."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def move_in(folder: Path, staged: Path, target: Path, head: Mapping[str, str]) -> None:
    """Put a release in its place: after a crash at any step :func:`read_head` gives the chain that is there.

    Args:
        folder: The folder of releases.
        staged: The release's folder, or the manifest that is left of it, written aside on the same disk.
        target: Its place.
        head: The newest release once it is there.

    Raises:
        StoreError: The head cannot be written.
        OSError: The disk refuses a move.
    """
    write_bytes(folder / NEXT_HEAD, json_bytes(head))
    staged.replace(target)
    flush_folder(target.parent)
    (folder / NEXT_HEAD).replace(folder / HEAD)
    flush_folder(folder)


def verify(folder: Path, witnesses: Mapping[str, str]) -> Problem | None:
    """Walk the chain from the oldest release to the newest.

    Args:
        folder: The folder of releases.
        witnesses: Manifest hashes by run_id, kept elsewhere, that must still hold.

    Returns:
        The first problem, or None.

    Raises:
        StoreError: A file cannot be read.
    """
    return next(_problems(folder, witnesses), None)


def _problems(folder: Path, witnesses: Mapping[str, str]) -> Iterator[Problem]:
    yield from _strangers(folder)
    former: dict[str, str] | None = None
    manifests = links(folder)
    for run_id, path in manifests.items():
        manifest_file = path.relative_to(folder).as_posix()
        if not path.is_file():
            yield Problem(run_id, manifest_file, "is missing")
            return
        try:
            manifest = read_json(path)
            if manifest["run_id"] != run_id:
                yield Problem(run_id, run_id, f"was added: it is a copy of {manifest['run_id']}")
            yield from _link_problems(run_id, manifest["previous"], former)
            former = {"run_id": run_id, "manifest_sha256": sha256_of_file(path)}
            if witnesses.get(run_id, former["manifest_sha256"]) != former["manifest_sha256"]:
                yield Problem(run_id, manifest_file, "was altered: its hash is not the one a witness keeps")
            if path.name == MANIFEST:
                yield from file_problems(path.parent, manifest["files"])
        except (KeyError, TypeError, AttributeError, StoreError) as error:
            yield Problem(run_id, manifest_file, f"was altered: not a manifest any more ({error})")
            return
    yield from _head_problems(former, read_head(folder))
    yield from _removal_problems(folder, manifests)
    for run_id in sorted(witnesses):
        if run_id not in manifests:
            yield Problem(run_id, run_id, "is missing: a witness names this release")


def links(folder: Path) -> dict[str, Path]:
    """The manifest of every release there is or was, oldest first; a folder counts before what is left of one."""
    removed = {path.stem: path for path in (folder / REMOVED).glob("*.json") if RUN_ID.fullmatch(path.stem)}
    whole = {path.name: path / MANIFEST for path in folder.glob("*") if RUN_ID.fullmatch(path.name)}
    return dict(sorted((removed | whole).items()))


def _removal_problems(folder: Path, manifests: Mapping[str, Path]) -> Iterator[Problem]:
    """Retention never removes the newest release, nor the last one of a month."""
    months = {}
    for run_id, path in manifests.items():
        manifest = read_json(path)
        months[str(manifest["as_of"])[:7], manifest["replay"]] = run_id
    for run_id in sorted(set(months.values())):
        if manifests[run_id].name != MANIFEST:
            file = manifests[run_id].relative_to(folder).as_posix()
            yield Problem(run_id, file, "was removed, though it is the last of its month and to be kept for good")


def _strangers(folder: Path) -> Iterator[Problem]:
    """What lies among the releases and is no release. Dot files are unfinished work and locks."""
    for path in sorted(folder.glob("*")):
        known = path.name in {HEAD, NEXT_HEAD, REMOVED} or RUN_ID.fullmatch(path.name) or path.name.startswith(".")
        if not known:
            yield Problem(path.name, path.name, "was added: it is no release")


def _link_problems(
    run_id: str, previous: Mapping[str, str] | None, former: Mapping[str, str] | None
) -> Iterator[Problem]:
    """Compare what a manifest says of its predecessor with the predecessor found."""
    if previous == former:
        return
    if former is None and previous is not None:
        yield Problem(previous["run_id"], previous["run_id"], f"is missing: {run_id} names it as its predecessor")
    elif former is not None and previous is None:
        yield Problem(run_id, f"{run_id}/{MANIFEST}", f"names no predecessor, though {former['run_id']} lies before it")
    elif former is not None and previous is not None:
        if previous["run_id"] == former["run_id"]:
            file = f"{former['run_id']}/{MANIFEST}"
            yield Problem(former["run_id"], file, f"was altered: its hash is not the one that {run_id} records")
        elif previous["run_id"] > former["run_id"]:
            yield Problem(previous["run_id"], previous["run_id"], f"is missing: {run_id} names it as its predecessor")
        else:
            rule = f"was added: {run_id} names {previous['run_id']} as its predecessor"
            yield Problem(former["run_id"], former["run_id"], rule)


def content_problems(path: Path, files: Mapping[str, Mapping[str, Any]], names: Iterable[str]) -> Iterator[Problem]:
    """Which of some files of a release are not as its manifest's ``files`` records them."""
    for name in names:
        if name not in files or not (path / name).is_file():
            yield Problem(path.name, f"{path.name}/{name}", "is missing")
        elif sha256_of_file(path / name) != files[name]["sha256"]:
            yield Problem(path.name, f"{path.name}/{name}", "was altered: its hash is not the one in the manifest")


def file_problems(path: Path, files: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """What is wrong inside one release's folder, by its manifest's ``files``."""
    yield from content_problems(path, files, sorted(files))
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        if not found.is_dir() and name != MANIFEST and name not in files:
            yield Problem(path.name, f"{path.name}/{name}", "was added: the manifest does not name it")


def _head_problems(newest: Mapping[str, str] | None, head: Mapping[str, Any] | None) -> Iterator[Problem]:
    """Compare the newest release found with the recorded head."""
    if newest == head:
        return
    if head is None and newest is not None:
        yield Problem(newest["run_id"], HEAD, "is missing: nothing says which release is the newest")
    elif head is not None and (newest is None or head["run_id"] > newest["run_id"]):
        yield Problem(head["run_id"], str(head["run_id"]), f"is missing: {HEAD} names it as the newest")
    elif head is not None and newest is not None:
        if head["run_id"] == newest["run_id"]:
            file = f"{newest['run_id']}/{MANIFEST}"
            yield Problem(newest["run_id"], file, f"was altered: its hash is not the one in {HEAD}")
        else:
            yield Problem(newest["run_id"], newest["run_id"], f"was added: {HEAD} names {head['run_id']} as the newest")

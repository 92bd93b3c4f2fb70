"""Releases: what a night says, in one folder that never changes, chained to the release before it.

``home/releases/<run_id>/manifest.json`` holds the hash of each file and of the former release's manifest. The newest
manifest's hash stands in ``home/releases/HEAD.json``. A copy of that one hash later proves that no
forecast was edited, added or taken away (:meth:`ReleaseStore.verify`). Retention keeps the newest releases, and
the last of every month for good; of one that goes its manifest stays, in ``home/releases/REMOVED/<run_id>.json``: every
later hash rests on it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

import store
from core.errors import SchemaError, StoreError
from core.release import CONTRACT_VERSION, DATA_PACKAGE, RELEASE, REQUIRED, data_package
from core.schema import check

MANIFEST = "manifest.json"
HEAD = "HEAD.json"
"""Names the newest release and its manifest's hash."""
NEXT_HEAD = "HEAD.next.json"
"""The head to be, written before a release is moved in: it distinguishes a crashed night from tampering."""
REMOVED = "REMOVED"
"""Folder of the manifests of releases that retention removed. Its hash stays part of the chain."""
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
    with store.named_errors(path):
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
    store.write_bytes(folder / NEXT_HEAD, json_bytes(head))
    store.make_folder(target.parent)
    staged.replace(target)
    store.flush_folder(target.parent)
    (folder / NEXT_HEAD).replace(folder / HEAD)
    store.flush_folder(folder)


def _problems(folder: Path, witnesses: Mapping[str, str]) -> Iterator[Problem]:
    """Walk the chain from the oldest release to the newest; ``witnesses``: hashes of manifests that must still hold."""
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
            yield from _mismatches(former, manifest["previous"], run_id, manifest_file, "its predecessor")
            former = {"run_id": run_id, "manifest_sha256": store.sha256_of_file(path)}
            if witnesses.get(run_id, former["manifest_sha256"]) != former["manifest_sha256"]:
                yield Problem(run_id, manifest_file, "was altered: its hash is not the one a witness keeps")
            if path.name == MANIFEST:
                yield from file_problems(path.parent, manifest["files"])
        except (KeyError, TypeError, AttributeError, StoreError) as error:
            yield Problem(run_id, manifest_file, f"was altered: not a manifest any more ({error})")
            return
    yield from _mismatches(former, read_head(folder), max(manifests, default=""), HEAD, "the newest")
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


def _mismatches(
    found: Mapping[str, str] | None, recorded: Mapping[str, Any] | None, run_id: str, by: str, role: str
) -> Iterator[Problem]:
    """Compare a release found with the one that a file records in its place: the predecessor, or the newest."""
    if found == recorded:
        return
    if found is None or (recorded is not None and recorded["run_id"] > found["run_id"]):
        lost = str((recorded or {})["run_id"])
        yield Problem(lost, lost, f"is missing: {by} names it as {role}")
    elif recorded is None:
        yield Problem(run_id, by, f"the name of {role} is missing, though there is {found['run_id']}")
    elif recorded["run_id"] == found["run_id"]:
        file = f"{found['run_id']}/{MANIFEST}"
        yield Problem(found["run_id"], file, f"was altered: its hash is not the one in {by}")
    else:
        yield Problem(found["run_id"], found["run_id"], f"was added: {by} names {recorded['run_id']} as {role}")


def content_problems(path: Path, files: Mapping[str, Mapping[str, Any]], names: Iterable[str]) -> Iterator[Problem]:
    """Which of some files of a release are not as its manifest's ``files`` records them."""
    for name in names:
        if name not in files or not (path / name).is_file():
            yield Problem(path.name, f"{path.name}/{name}", "is missing")
        elif store.sha256_of_file(path / name) != files[name]["sha256"]:
            yield Problem(path.name, f"{path.name}/{name}", "was altered: its hash is not the one in the manifest")


def file_problems(path: Path, files: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """What is wrong inside one release's folder, by its manifest's ``files``."""
    yield from content_problems(path, files, sorted(files))
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        if not found.is_dir() and name != MANIFEST and name not in files:
            yield Problem(path.name, f"{path.name}/{name}", "was added: the manifest does not name it")


SETTINGS_FILE = "settings.toml"
HOME_INPUTS = (SETTINGS_FILE, "own/*.toml", "own/corridors/*.toml", "hub/hub-config/*.json", "hub/models/*.yml")
"""Files of a home that a night reads and that may change between nights: their hashes stand among its inputs."""
_STAGING, _REMOVING = ".staging-", ".removing-"


@dataclass(frozen=True)
class About:
    """What a manifest says about the night that made a release.

    Attributes:
        as_of: The day whose knowledge the release rests on.
        code_version: Version of the program.
        settings: Settings of the night, without secrets.
        inputs: Hash of each input, by name.
        degraded: Sources that could not be used, each with the reason.
        replay: True where a past night was replayed.
        journal: The end of the journal's chain before the release: ``id`` and ``sha256``; None where it is not known.
        vintages: What the vintages held, as of ``VintageStore.contents``; None if not recorded.
    """

    as_of: dt.date
    code_version: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    degraded: Sequence[Mapping[str, str]] = ()
    replay: bool = False
    journal: Mapping[str, Any] | None = None
    vintages: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Release:
    """One published release."""

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

        Raises:
            StoreError: There is no such table or column, or the file is damaged.
        """
        if name not in self.names:
            table = RELEASE.get(name)
            if table is None or table.required:
                raise StoreError(f"release {self.run_id}: holds no frame '{name}'; it holds {self.names}")
            return table.empty() if columns is None else table.empty()[list(columns)]
        return store.read_parquet(self.path / f"{name}.parquet", columns)

    def document(self, name: str) -> str:
        """Read one of its texts, such as ``sources.json`` or ``model_cards/vigie-ets.md``.

        Raises:
            StoreError: There is no such text, or it cannot be read.
        """
        if name not in self.manifest["files"] or name.endswith(".parquet"):
            raise StoreError(f"release {self.run_id}: holds no document '{name}'")
        with store.named_errors(self.path / name):
            return (self.path / name).read_text(encoding="utf-8")


class ReleaseStore:
    """The releases under ``home/releases``."""

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

    def publish(
        self,
        frames: Mapping[str, pd.DataFrame],
        documents: Mapping[str, str],
        about: About,
        witness: Callable[[str, str], None] = lambda _run_id, _sha256: None,
    ) -> Release:
        """Publish a release: all of it, or nothing.

        Args:
            frames: Tables by name (:data:`core.release.RELEASE`), checked before anything is written.
            documents: Texts by path inside the release, such as ``model_cards/vigie-ets.md``.
            about: What the manifest says about the night.
            witness: Called with the release's run_id and its manifest's hash before it is in place.

        Returns:
            The release, in place and whole.

        Raises:
            SchemaError: A frame breaks its contract.
            StoreError: A frame is missing, a name is not usable, or the disk refuses. The former release stands.
        """
        contents = contents_of(frames, documents, about.as_of)
        with store.named_errors(self.folder), publishing(self.folder):
            for path in self.folder.glob(f"{_STAGING}*"):
                shutil.rmtree(path)
            return self._write(contents, files_of(contents, frames), about, witness)

    def verify(self, witnesses: Mapping[str, str] | None = None) -> Problem | None:
        """Recompute every hash of the chain, oldest release first.

        Args:
            witnesses: Manifest hashes by run_id, kept elsewhere (the journal, a partner), that must still hold.

        Returns:
            The first release and file altered, missing or added; None where the chain is whole.

        Raises:
            StoreError: A file cannot be read.
        """
        return next(_problems(self.folder, witnesses or {}), None)

    def alteration(self, release: Release) -> Problem | None:
        """What of a release is not as it was published: before it is shown, not once a day.

        A release that was found whole is looked at again only where one of its files has another time or size.

        Raises:
            StoreError: A file cannot be read.
        """
        later = next((one for one in self.all() if one.run_id > release.run_id), None)
        try:
            link = (later.manifest.get("previous") if later is not None else read_head(self.folder)) or {}
        except StoreError:
            link = {}  # the next release is the altered one
        recorded = str(link["manifest_sha256"]) if link.get("run_id") == release.run_id else ""
        with store.named_errors(release.path):
            seen = [(path, path.stat()) for path in sorted(release.path.rglob("*")) if path.is_file()]
        return _alteration(release, recorded, tuple((str(path), st.st_mtime_ns, st.st_size) for path, st in seen))

    def head(self) -> str | None:
        """Hash of the newest manifest as it was published: the one value a partner keeps. None before the first night.

        Raises:
            StoreError: The record of it is not readable.
        """
        head = read_head(self.folder)
        return None if head is None else str(head["manifest_sha256"])

    def _write(
        self, contents: Mapping[str, bytes], files: Mapping[str, Any], about: About, witness: Callable[[str, str], None]
    ) -> Release:
        # The recorded head, not the files found: an altered or removed newest release must stay provable.
        head = read_head(self.folder)
        if head is not None:
            store.write_bytes(self.folder / HEAD, json_bytes(head))
        created = dt.datetime.now(dt.UTC)
        run_id = _next_run_id(created, [path.name for path in release_folders(self.folder)], head, files)
        manifest = {name: value for name, value in asdict(about).items() if value is not None}
        manifest |= {"run_id": run_id, "created_at": created.isoformat(timespec="seconds"), "previous": head}
        manifest |= {"as_of": about.as_of.isoformat(), "contract": CONTRACT_VERSION, "files": files}
        text = json_bytes(manifest)
        staging = self.folder / f"{_STAGING}{run_id}"
        try:
            for name, content in {**contents, MANIFEST: text}.items():
                store.write_bytes(staging / name, content)
            next_head = {"run_id": run_id, "manifest_sha256": store.sha256_of_bytes(text)}
            witness(run_id, next_head["manifest_sha256"])
            move_in(self.folder, staging, self.folder / run_id, next_head)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        return Release(self.folder / run_id)


def home_inputs(home: Path) -> dict[str, str]:
    """Return the hash of each of :data:`HOME_INPUTS` by its path in the home; of missing settings that of no bytes.

    Raises:
        StoreError: A file cannot be read.
    """
    found = [path for pattern in HOME_INPUTS for path in sorted(home.glob(pattern))]
    hashes = {path.relative_to(home).as_posix(): store.sha256_of_file(path) for path in found}
    return {SETTINGS_FILE: store.sha256_of_bytes(b"")} | hashes


def publishing(folder: Path, wait_seconds: float = 60) -> AbstractContextManager[None]:
    """Hold the folder of releases: one publication, removal or pull at a time; raises StoreError after the wait."""
    return store.held(folder / ".publish.lock", "publishing", wait_seconds)


def predecessor(releases: Sequence[Release], as_of: dt.date, *, replay: bool) -> Release | None:
    """The release that a night goes on from: the newest of its kind, real or replay, of no later knowledge.

    Args:
        releases: Releases that are as they were published, oldest first.
        as_of: The night's day.
        replay: The night's kind.

    Returns:
        That release; where there is none of the night's kind, the newest of the other; None where there is neither.
    """
    earlier = [one for one in releases if one.as_of <= as_of]
    of_kind = [one for one in earlier if bool(one.manifest["replay"]) == replay]
    return next(iter([*of_kind[::-1], *earlier[::-1]]), None)


@lru_cache(maxsize=64)
def _alteration(release: Release, recorded: str, _seen: tuple[tuple[str, int, int], ...]) -> Problem | None:
    name = f"{release.run_id}/{MANIFEST}"
    if not (release.path / MANIFEST).is_file():
        return None  # retention removed it meanwhile
    if recorded and store.sha256_of_file(release.path / MANIFEST) != recorded:
        return Problem(release.run_id, name, "was altered: its hash is not the one that was recorded")
    return next(file_problems(release.path, read_json(release.path / MANIFEST)["files"]), None)


def _next_run_id(
    created: dt.datetime, existing: Sequence[str], head: Mapping[str, Any] | None, files: Mapping[str, Any]
) -> str:
    """Time of publication and a few digits of the content; after every former one, even if the clock went back."""
    layout = "%Y%m%dT%H%M%SZ"
    stamp = created.replace(microsecond=0)
    if (former := max([*existing, *([str(head["run_id"])] if head else [])], default=None)) is not None:
        newest = dt.datetime.strptime(former.split("-")[0], layout).replace(tzinfo=dt.UTC)
        stamp = max(stamp, newest + dt.timedelta(seconds=1))
    return f"{stamp.strftime(layout)}-{store.sha256_of_bytes(json_bytes(files))[:6]}"


def contents_of(frames: Mapping[str, pd.DataFrame], documents: Mapping[str, str], as_of: dt.date) -> dict[str, bytes]:
    """Every file of a release as bytes, by path; contracts and names are checked first.

    Args:
        frames: Tables by name, as :mod:`core.release` declares them; those of ``REQUIRED`` must be there.
        documents: Texts by path inside the release.
        as_of: The day whose knowledge the release rests on.

    Raises:
        SchemaError: A table breaks its contract, or has a column that is not declared.
        StoreError: A table is missing or not declared, or a name is not usable.
    """
    if missing := [name for name in REQUIRED if name not in frames]:
        raise StoreError(f"a release needs the tables {list(REQUIRED)}; missing: {missing}")
    if unusable := [name for name in frames if name not in RELEASE]:
        raise StoreError(f"names not usable inside a release: {unusable}")
    for name, frame in frames.items():
        undeclared = [column for column in check(frame, RELEASE[name]).columns if column not in RELEASE[name].columns]
        if undeclared:
            raise SchemaError(f"{name}: columns {undeclared} are not declared in data/release.toml")
    contents = {f"{name}.parquet": store.parquet_bytes(frame) for name, frame in frames.items()}
    contents |= {name: text.encode() for name, text in documents.items()}
    columns = {name: [str(column) for column in frame.columns] for name, frame in frames.items()}
    described = data_package(files_of(contents, frames), columns, as_of.isoformat())
    return contents | {DATA_PACKAGE: json_bytes(described)}


def files_of(contents: Mapping[str, bytes], frames: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Hash, size and, for tables, rows of every file by its path, sorted."""
    rows = {f"{name}.parquet": len(frame) for name, frame in frames.items()}
    return {
        name: {"sha256": store.sha256_of_bytes(content), "bytes": len(content), "rows": rows.get(name)}
        for name, content in sorted(contents.items())
    }


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


def prune(home: Path, newest: int, *, dry_run: bool = False) -> dict[str, int]:
    """Remove what need not be kept; a crash in between loses nothing, and the next call goes on.

    Returns:
        Bytes of each release that went, or would go, by its run_id, oldest first.

    Raises:
        StoreError: The folder cannot be read or written.
    """
    found = ReleaseStore(home)
    chosen = expendable(found.all(), newest)
    removed = {one.run_id: sum(path.stat().st_size for path in one.path.rglob("*") if path.is_file()) for one in chosen}
    if dry_run or not found.folder.is_dir():
        return removed
    with publishing(found.folder):
        remove_all(found.folder, chosen)
    return removed


def remove_all(folder: Path, releases: Sequence[Release]) -> None:
    """Remove releases except their manifests, and what a crash left of others; the caller holds the folder.

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
    kept = folder / REMOVED / f"{release.run_id}.json"
    store.make_folder(kept.parent)
    try:
        # A second name for the same file needs no space: a full disk is when people remove releases.
        os.link(release.path / MANIFEST, kept)
    except OSError:
        store.write_bytes(kept, (release.path / MANIFEST).read_bytes())
    release.path.replace(folder / f"{_REMOVING}{release.run_id}")
    store.flush_folder(folder)

"""A home folder shared with other machines: a working copy here, and a store at any fsspec address that all share.

Files never change once they are written, so homes are brought together by copying what is new; then one pointer moves:
``commits/<number>.json`` names every file by its hash, of releases their manifests. A commit is created only where its
number is free (as in the log of Delta Lake: Armbrust et al., 2020, PVLDB 13(12)): of two machines at once one succeeds,
and what was cut off before it stays invisible.

Every function raises :class:`StoreError` where the store does not answer or refuses, or the disk refuses, and
:class:`AlteredError` where a file of the store is not as it was delivered.

The address must keep three promises: a file appears whole or not at all; a file is created only if absent
(``If-None-Match`` on S3, a hard link in a folder); a listing names everything written before it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar, cast
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

import store
from core.errors import StoreError, first_line
from core.log import get_logger
from core.settings import Settings
from store.journal import journal_url
from store.journal.database import Database
from store.releases import HEAD, MANIFEST, NEXT_HEAD, RUN_ID, Release, json_bytes

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

    def read(self, path: str, sha256: str = "", most: int | None = None) -> bytes:
        """Content of a file, or its first ``most`` bytes; :class:`MissingError` where there is none.

        :class:`AlteredError` where it has another hash.
        """
        with self._named(path) as at:
            content: bytes = self._system.cat_file(at, end=most)
        if sha256 and store.sha256_of_bytes(content) != sha256:
            raise AlteredError(f"{self.url}/{path}: was altered: its hash is not the recorded one")
        return content

    def write(self, path: str, content: bytes) -> None:
        """Put bytes there, whole or not at all; a file that is there is replaced."""
        with self._named(path) as at:
            if self._is_folder:
                store.write_bytes(Path(at), content, private=False)
            else:
                self._system.pipe_file(at, content)

    def create(self, path: str, content: bytes) -> bool:
        """Put a file there only if there is none: of several who try at once, one succeeds, and gets True."""
        with self._named(path) as at, suppress(FileExistsError):
            if self._is_folder:
                return store.create_bytes(Path(at), content, private=False)
            self._system.pipe_file(at, content, mode="create")
            return True
        return False

    def fetch(self, path: str, target: Path, sha256: str) -> None:
        """Bring a file down, if it is not there with this hash; with another one it raises :class:`AlteredError`."""
        if not (target.is_file() and store.sha256_of_file(target) == sha256):
            store.write_bytes(target, self.read(path, sha256))

    def everything(self, below: str = "") -> list[str]:
        """Every file below a folder, by its path from the address, sorted; none where there is no such folder.

        Links are left out.
        """
        with self._named(below) as at:
            found = self._system.find(at, detail=True).items()
            return sorted(path[len(self._root.rstrip("/")) + 1 :] for path, about in found if not about.get("islink"))

    def modified(self, path: str) -> dt.datetime:
        """When a file was written, by the store's own clock."""
        with self._named(path) as at:
            return cast("dt.datetime", self._system.modified(at))

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with suppress(MissingError), self._named(path) as at:
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

    @contextmanager
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


UNDELIVERED = "undelivered"
"""Folder of the home with releases set aside because the store went another way."""
_NAME, _RUN_ID, _RELEASES = r"[^/\\\0.][^/\\\0]*", RUN_ID.pattern, "releases/"
_RELEASE_FILE = re.compile(rf"(?!{MANIFEST}$){_NAME}(?:/{_NAME})*")
_SHARED = re.compile(
    rf"releases/(?:{_RUN_ID}/manifest|REMOVED/{_RUN_ID})\.json|own/(?:corridors/)?{_NAME}\.toml"
    rf"|(?:vintages/{_NAME}|rejected)/[0-9a-f]{{32}}\.parquet|editions/{_NAME}\.parquet"
    rf"|raw/{_NAME}/\d{{4}}-\d\d-\d\d/\d{{6}}\.\d{{6}}/(?:\d{{3,}}\.(?:body|json)|visit\.json)"
    rf"|hub/(?:editions/{_NAME}/{_NAME}/[0-9a-f]{{32}}\.(?:json|csv|parquet)|models/{_NAME}\.yml|hub-config/{_NAME}\.json)"
)
"""Names of the files of a home folder that are shared; of releases the manifests."""
_FOLDERS = ("vintages", "rejected", "raw", "own", "editions", "hub")
"""Folders of them beside the releases."""
_HASHED = re.compile(r".*/([0-9a-f]{32})\.(?:parquet|csv)$")
"""Names of files that begin with the hash of their content."""
_CHANGING = ("own/", "hub/models/", "hub/hub-config/")
"""Beginnings of the names of files whose content may change."""
_COMMIT, _GRACE = "commits/{:012d}.json", dt.timedelta(days=1)


class MovedOnError(StoreError):
    """The shared store holds more than it did when we began: nothing of it is overwritten."""


class DivergedError(StoreError):
    """The home folder holds a release that the shared store does not continue: a person decides."""


class NotDeliveredError(StoreError):
    """A release is published in this home, and the store does not answer, refuses, or has taken another's meanwhile."""


@dataclass(frozen=True)
class Commit:
    """One state of the shared store; the first has the number 1, and number 0 is one where nothing was delivered yet.

    Attributes:
        files: SHA-256 of each shared file by its place in the home folder.
        made: When it was made, and a unique mark.
    """

    number: int = 0
    files: dict[str, str] = field(default_factory=dict)
    made: str = ""

    @property
    def content(self) -> bytes:
        """Its file."""
        return json_bytes(asdict(self))

    @property
    def links(self) -> dict[str, Link]:
        """Its chain of releases, oldest first."""
        names = [name for name in self.files if name.startswith(_RELEASES)]
        chain = sorted(Link(RUN_ID.findall(name)[0], self.files[name], name) for name in names)
        return {link.run_id: link for link in chain}


class Link(NamedTuple):
    """One release of a chain: its identity, the hash of its manifest, and where in the home that one lies."""

    run_id: str
    sha256: str
    name: str

    @property
    def is_whole(self) -> bool:
        """False where retention removed all but the manifest."""
        return self.name.endswith(f"/{MANIFEST}")

    @property
    def place(self) -> str:
        """Where in the home it lies: a folder, or the manifest that is left of one."""
        return self.name.removesuffix(f"/{MANIFEST}")

    @property
    def head(self) -> dict[str, str]:
        """As a head is recorded."""
        return {"run_id": self.run_id, "manifest_sha256": self.sha256}


@dataclass
class Delivery:
    """A home that was brought up to the shared store (None where nothing is shared), and the store's state."""

    home: Path
    files: RemoteFiles | None = None
    base: Commit = field(default_factory=Commit)

    def deliver(self) -> None:
        """Send what is new here.

        All of it is seen by others at one moment; else :class:`NotDeliveredError`, and this home is as it was.
        """
        if self.files is None:
            return
        try:
            self._push(self.files)
        except StoreError as error:
            newest = max(local_links(self.home), default="")
            text = f"release {newest} stands in {self.home}; it was not delivered to {self.files.url}: {error}"
            raise NotDeliveredError(text) from error
        try:
            store.write_bytes(_seen(self.home, self.files), self.base.content)
            sweep(self.files, self.base)
        except StoreError as error:  # what fails here is done the next time
            get_logger().warning("shared store not tidied", store=self.files.url, reason=str(error))

    def _push(self, files: RemoteFiles) -> None:
        known, names, chain = self.base.files, _local_names(self.home), _compared(self.home, files, self.base.links)
        new = _new_releases(self.home, chain, self.base)
        wanted = [name for name in names if name not in known or name.startswith(_CHANGING)]
        new |= {name: "".join(_HASHED.findall(name)) for name in wanted}
        hashes = each(lambda name: _send(self.home, files, name, new[name], known.get(name)), new)
        sent = known | dict(zip(new, hashes, strict=True))
        found = {name: sent[name] for name in [*names, *(link.name for link in chain.values())]}
        if found != known:
            made = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ} {uuid4().hex}"
            commit = Commit(self.base.number + 1, dict(sorted(found.items())), made)
            publish(files, self.base, commit)
            self.base = commit


@contextmanager
def shared(home: Path, settings: Settings) -> Iterator[Delivery]:
    """Hold the shared store for one night and bring a home up to it; the caller delivers.

    With a journal in PostgreSQL an advisory lock holds it. With SQLite two nights may run at once; :func:`publish` then
    accepts the first to deliver.

    Raises:
        AlreadyRunningError: A night runs on another machine.
        StoreError: The store does not answer, cannot be written or cannot be shared.
    """
    if not settings.store.url:
        yield Delivery(home)
        return
    files = RemoteFiles(settings.store.url)
    files.now()
    journal = Database(journal_url(settings.journal_url, home))
    with closing(journal), journal.alone(f"night on {files.url}") as is_held:
        if not is_held:
            raise store.AlreadyRunningError(f"another night is running on {files.url}: it holds the lock in PostgreSQL")
        yield pull(home, files)


def pull(home: Path, files: RemoteFiles) -> Delivery:
    """Bring a home up to the store's newest state; :class:`DivergedError` where the two went different ways."""
    return Delivery(home, files, _at_rest(files, lambda commit: _bring_up(home, files, commit)))


def pull_new_releases(home: Path, files: RemoteFiles, known: Commit | None = None) -> Commit:
    """Bring down new releases and nothing else, if the newest state is not ``known``; it is returned."""
    return _at_rest(files, lambda commit: _pull_releases(home, files, {} if commit == known else commit.links))


def _bring_up(home: Path, files: RemoteFiles, commit: Commit) -> None:
    before = Commit()  # the state that this home last took over, where that is known
    with suppress(OSError):
        before = _commit_of(_seen(home, files).read_bytes()) or before
    if commit.number < before.number:
        raise AlteredError(f"{files.url}: was at state {before.number}, is at {commit.number}: it was taken back")
    there = {name: sha256 for name, sha256 in commit.files.items() if not name.startswith(_RELEASES)}
    # What changed there since this home last looked is taken over; what was changed here goes up.
    changed = {name for name in before.files if name.startswith(_CHANGING) and before.files[name] != there.get(name)}
    wanted = [name for name in there if name in changed or not (home / name).is_file()]
    each(lambda name: files.fetch(_place(name, there[name]), home / name, there[name]), wanted)
    # A file goes only where its going was seen; mappings are people's own and are never taken away.
    for name in before.files.keys() - there.keys():
        if not name.startswith(("own/", _RELEASES)):
            with store.named_errors(home / name):
                (home / name).unlink(missing_ok=True)
    _pull_releases(home, files, commit.links)
    store.write_bytes(_seen(home, files), commit.content)


def set_aside(home: Path, files: RemoteFiles) -> list[str]:
    """Move releases that the shared store does not continue into ``home/undelivered``; returns their run_ids."""
    theirs, folder = latest(files).links, home / "releases"
    if not theirs:
        raise StoreError(f"{files.url}: holds no release: there is nothing to follow instead")
    with store.releases.publishing(folder), store.named_errors(home):
        ours = local_links(home)
        gone, kept = [[one for run_id, one in ours.items() if (run_id in theirs) is stays] for stays in (False, True)]
        (home / UNDELIVERED).mkdir(mode=0o700, exist_ok=True)
        if kept:
            store.write_bytes(folder / HEAD, json_bytes(kept[-1].head))
        for name in (NEXT_HEAD,) if kept else (NEXT_HEAD, HEAD):
            (folder / name).unlink(missing_ok=True)
        for link in reversed(gone):
            path = home / link.place
            path.replace(home / UNDELIVERED / path.name)
    return [link.run_id for link in gone]


def latest(files: RemoteFiles) -> Commit:
    """The newest commit; number 0 where there is none."""
    places = [place for place in files.everything("commits") if re.fullmatch(r"commits/\d{12}\.json", place)]
    if not places:
        return Commit()
    content = files.read(places[-1])
    found = _commit_of(content)
    if found and (_COMMIT.format(found.number), found.content) == (places[-1], content):
        return found
    raise AlteredError(f"{files.url}/{places[-1]}: was altered: it is no commit")


def publish(files: RemoteFiles, base: Commit, commit: Commit) -> None:
    """Make a commit the newest one, if the newest one still is the one it rests on; else :class:`MovedOnError`."""
    place = _COMMIT.format(commit.number)
    if latest(files) == base:
        # A try that is repeated after a lost answer meets its own file; a store that overwrites shows another's.
        is_ours = files.create(place, commit.content) or files.read(place) == commit.content
        if is_ours and latest(files) == commit:
            return
    raise MovedOnError(f"{files.url}: another machine has delivered meanwhile: nothing of it is overwritten")


def sweep(files: RemoteFiles, commit: Commit) -> list[str]:
    """Remove what no commit names (what retention took away, what was cut off) after a day; returns what went."""
    named = {_COMMIT.format(number) for number in range(commit.number - 20, commit.number + 1)}
    named |= {_place(name, sha256) for name, sha256 in commit.files.items()}
    whole = tuple(f"{link.place}/" for link in commit.links.values() if link.is_whole)
    others = [path for path in files.everything() if path not in named and not path.startswith(whole)]
    if not others or latest(files) != commit:  # what another machine has delivered meanwhile is named elsewhere
        return []
    before = files.now() - _GRACE
    old = [path for path in others if files.modified(path) < before]
    each(files.remove, old)
    return old


def local_links(home: Path) -> dict[str, Link]:
    """The chain of a home folder, oldest first."""
    paths = [(run_id, path) for run_id, path in store.releases.links(home / "releases").items() if path.is_file()]
    return {one: Link(one, store.sha256_of_file(path), path.relative_to(home).as_posix()) for one, path in paths}


def head_of(chain: Mapping[str, Link], before: str = "") -> dict[str, str] | None:
    """The newest release of a chain, or of what of it lies before a release, as a head is recorded; None of none."""
    newest = max((run_id for run_id in chain if not before or run_id < before), default=None)
    return chain[newest].head if newest else None


def _pull_releases(home: Path, files: RemoteFiles, theirs: Mapping[str, Link]) -> None:
    """Bring down what a home lacks of the chain: all is fetched and checked before the first release is moved in."""
    if not theirs:
        return
    folder = home / "releases"
    staging = folder / ".pulling"
    # Two dashboards on one home fetch one after the other, and the second finds that there is nothing left to fetch.
    with store.releases.publishing(folder, 1800), store.named_errors(folder):
        ours = _compared(home, files, theirs)
        new = [link for run_id, link in theirs.items() if run_id not in ours]
        for link in new:
            _fetch_release(files, theirs, link, staging)
        for link in new:
            head = max(store.releases.read_head(folder) or link.head, link.head, key=lambda one: one["run_id"])
            store.releases.move_in(folder, staging / link.place, home / link.place, head)
        # What retention removed on another machine goes here too.
        gone = [one for one, link in theirs.items() if one in ours and ours[one].is_whole and not link.is_whole]
        store.releases.remove_all(folder, [Release(folder / run_id) for run_id in gone])
        shutil.rmtree(staging, ignore_errors=True)
    if new:
        get_logger().info("releases pulled", store=files.url, run_ids=[link.run_id for link in new if link.is_whole])


def _compared(home: Path, files: RemoteFiles, theirs: Mapping[str, Link]) -> dict[str, Link]:
    """A home's chain; refuse a store with another past, and a home that diverged."""
    ours, url = local_links(home), files.url
    for run_id, link in ours.items():
        if run_id in theirs and theirs[run_id].sha256 != link.sha256:
            raise AlteredError(f"{url}/{theirs[run_id].name}: is not the manifest of this home: one was altered")
    own, newest = [run_id for run_id in ours if run_id not in theirs], max(theirs, default="")
    if own and theirs and (newest not in ours or own[0] < newest):
        raise DivergedError(
            f"{url}: has gone on with {newest}, while this home published {own[0]}, which was never delivered. "
            "'vigie home store pull --set-aside' keeps that one apart and takes the store's"
        )
    return ours


def _fetch_release(files: RemoteFiles, theirs: Mapping[str, Link], link: Link, staging: Path) -> None:
    """Fetch one release, or what is left of one, each file checked; what a cut-off pull left is used again."""
    folder = staging / link.place
    content = files.read(link.name, link.sha256)
    try:
        manifest = json.loads(content)
        wanted = {str(name): str(one["sha256"]) for name, one in manifest["files"].items()} if link.is_whole else {}
        is_its_own = manifest["run_id"] == link.run_id and manifest["previous"] == head_of(theirs, link.run_id)
        is_sound = is_its_own and all(map(_RELEASE_FILE.fullmatch, wanted))
    except (ValueError, KeyError, TypeError, AttributeError):
        is_sound = False
    if not is_sound:
        raise AlteredError(f"{files.url}/{link.name}: was altered: it is not the manifest that follows the one before")
    each(lambda name: files.fetch(f"{link.place}/{name}", folder / name, wanted[name]), wanted)
    for path in folder.rglob("*"):  # a pull that was killed may have left a file half written beside the others
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    store.write_bytes(staging / link.name, content)


def _new_releases(home: Path, ours: Mapping[str, Link], base: Commit) -> dict[str, str]:
    """Recorded hashes of the files of releases that the store lacks, by name, each manifest behind its files."""
    wanted: dict[str, str] = {}
    for run_id, link in ours.items():
        if link.is_whole and run_id not in base.links:
            manifest = store.releases.read_json(home / link.name)
            if manifest["previous"] != head_of(ours, run_id):
                raise StoreError(f"{home / link.name}: does not follow the release before it: see 'vigie verify'")
            wanted |= {f"{link.place}/{name}": str(one["sha256"]) for name, one in manifest["files"].items()}
        if link.name not in base.files:
            wanted[link.name] = link.sha256
    return wanted


def _place(name: str, sha256: str) -> str:
    """Where a file of the home lies in the store: under its own name, except where its content may change."""
    path = PurePosixPath(name)
    return f"{path.parts[0]}/{sha256}{path.suffix}" if name.startswith(_CHANGING) else name


def _send(home: Path, files: RemoteFiles, name: str, recorded: str, known: str | None) -> str:
    """Send a file unless the store holds it as it is; returns its hash.

    Raises:
        StoreError: Its hash does not begin with the recorded one.
    """
    with store.named_errors(home / name):
        content = (home / name).read_bytes()
    sha256 = store.sha256_of_bytes(content)
    if not sha256.startswith(recorded):
        raise StoreError(f"{home / name}: was altered: its hash is not the recorded one; it is not delivered")
    if sha256 != known:
        files.write(_place(name, sha256), content)
    return sha256


def _local_names(home: Path) -> list[str]:
    """Names of the shared files of a home, but for releases."""
    found = (path.relative_to(home).as_posix() for folder in _FOLDERS for path in (home / folder).rglob("*"))
    return sorted(name for name in found if _SHARED.fullmatch(name))


def _commit_of(content: bytes) -> Commit | None:
    """A commit as its file holds it; None where the file holds anything else."""
    with suppress(ValueError, TypeError, AttributeError):
        found = Commit(**json.loads(content))
        if all(map(_SHARED.fullmatch, found.files)):
            return found
    return None


def _seen(home: Path, files: RemoteFiles) -> Path:
    """File with the state of the store that this home last took over."""
    return home / store.SHARED_STATE / f"{store.sha256_of_bytes(files.url.encode())}.json"


def _at_rest(files: RemoteFiles, work: Callable[[Commit], None]) -> Commit:
    """Work on the newest state, and return it; where a file went because there is a newer one, work on that."""
    commit = latest(files)
    while True:
        try:
            work(commit)
        except MissingError as error:
            former, commit = commit, latest(files)
            if former == commit:
                raise AlteredError(f"{error}, though the newest commit names it") from None
        else:
            return commit

"""What the shared store holds, as one commit after another: a reader sees one of them whole.

``commits/<number>.json`` names the newest release and, by hash, one list of files per kind (``lists/<sha256>.json``).
A commit is created last, and only if its number is free (as in the log of Delta Lake: Armbrust et al., 2020, PVLDB
13(12)): of two pushers at once one succeeds, and what was cut off before it is not seen by anybody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from store.files import sha256_of_bytes
from store.shared.errors import AlteredError, MovedOnError
from store.shared.files import RemoteFiles

COMMITS, LISTS = "commits", "lists"
RELEASES, OWN = "releases", "own"
_NAME = r"[^/\\\0.][^/\\\0]*"
_RUN_ID = r"\d{8}T\d{6}Z-[0-9a-f]{6}"
KINDS: dict[str, re.Pattern[str]] = {
    RELEASES: re.compile(rf"releases/(?:(?P<whole>{_RUN_ID})/manifest\.json|REMOVED/(?P<removed>{_RUN_ID})\.json)"),
    "vintages": re.compile(rf"vintages/{_NAME}/[0-9a-f]{{32}}\.parquet"),
    "rejected": re.compile(r"rejected/[0-9a-f]{32}\.parquet"),
    "raw": re.compile(rf"raw/{_NAME}/\d{{4}}-\d\d-\d\d/\d{{6}}\.\d{{6}}/(?:\d{{3,}}\.(?:body|json)|visit\.json)"),
    "backtests": re.compile(r"backtests/[0-9a-f]{32}\.parquet"),
    OWN: re.compile(rf"own/{_NAME}\.toml"),
}
"""What is shared of a home folder, with the names that files may have. Of releases the lists name the manifests."""
_COMMIT_NAME = re.compile(r"(\d{12})\.json")


@dataclass(frozen=True)
class Entry:
    """One file of a list.

    Attributes:
        sha256: Hash of its content.
        size: Its bytes.
    """

    sha256: str
    size: int


Listing = Mapping[str, Entry]
"""Files of one kind by their place in the home folder."""


@dataclass(frozen=True)
class Commit:
    """One state of the shared store.

    Attributes:
        number: 1 for the first.
        previous: Hash of the commit before it; empty for the first.
        head: ``run_id`` and ``manifest_sha256`` of the newest release; None before the first.
        lists: Hash of the list of files by kind.
        made: Who made it and when, in words; tells apart two that are otherwise the same.
    """

    number: int
    previous: str
    head: dict[str, str] | None
    lists: dict[str, str] = field(default_factory=dict)
    made: str = ""

    @property
    def content(self) -> bytes:
        """Its file."""
        return _json(asdict(self))

    @property
    def sha256(self) -> str:
        """Hash of its file."""
        return sha256_of_bytes(self.content)


NOTHING = Commit(0, "", None)
"""State of a store to which nothing was delivered yet."""


def latest(files: RemoteFiles) -> Commit:
    """The newest commit; :data:`NOTHING` where there is none.

    Raises:
        AlteredError: It is not a whole commit.
        StoreError: The store does not answer or refuses.
    """
    numbers = [int(match[1]) for name in files.names(COMMITS) if (match := _COMMIT_NAME.fullmatch(name))]
    return read_commit(files, max(numbers)) if numbers else NOTHING


def read_commit(files: RemoteFiles, number: int) -> Commit:
    """One commit by its number.

    Raises:
        AlteredError: It is not a whole commit.
        StoreError: It is missing, or the store does not answer or refuses.
    """
    content = files.read(place_of_commit(number))
    try:
        found = Commit(**json.loads(content))
        sound = found.number == number and found.content == content and set(found.lists) <= set(KINDS)
    except (ValueError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise AlteredError(f"{files.url}/{place_of_commit(number)}: was altered: it is no commit")
    return found


def publish(files: RemoteFiles, base: Commit, commit: Commit) -> None:
    """Make a commit the newest one, if the newest one still is the one it rests on.

    Raises:
        MovedOnError: Another pusher was faster.
        StoreError: The store does not answer or refuses.
    """
    place = place_of_commit(commit.number)
    if latest(files) != base:
        raise MovedOnError(f"{files.url}: another machine has delivered meanwhile: nothing of it is overwritten")
    created = files.create(place, commit.content)
    # A try that is repeated after a lost answer meets its own file; a store that overwrites shows another's.
    if (not created and files.read(place) != commit.content) or latest(files) != commit:
        raise MovedOnError(f"{files.url}: another machine delivered at the same moment: nothing of it is overwritten")


def write_list(files: RemoteFiles, kind: str, listing: Listing, known: Commit) -> str:
    """Write the list of one kind of files, unless the store has it already.

    Returns:
        Its hash.
    """
    content = _json({name: asdict(entry) for name, entry in listing.items()})
    digest = sha256_of_bytes(content)
    if known.lists.get(kind) != digest:
        files.write(place_of_list(digest), content)
    return digest


def read_list(files: RemoteFiles, kind: str, commit: Commit) -> dict[str, Entry]:
    """The list of one kind of files.

    Raises:
        AlteredError: Its hash is not the one in the commit, or it names files that do not belong to a home folder.
        StoreError: It is missing, or the store does not answer or refuses.
    """
    digest = commit.lists.get(kind)
    if digest is None:
        return {}
    content = files.read(place_of_list(digest))
    if sha256_of_bytes(content) != digest:
        raise AlteredError(f"{files.url}/{place_of_list(digest)}: was altered: its hash is not the one in its commit")
    try:
        found = {str(name): Entry(**one) for name, one in json.loads(content).items()}
    except (ValueError, TypeError, AttributeError):
        raise AlteredError(f"{files.url}/{place_of_list(digest)}: was altered: it is no list of files") from None
    strange = [name for name in found if not KINDS[kind].fullmatch(name)]
    if strange:
        raise AlteredError(f"{files.url}/{place_of_list(digest)}: names '{strange[0]}', which is no file of {kind}")
    return found


def place_of_commit(number: int) -> str:
    """Where a commit lies in the store."""
    return f"{COMMITS}/{number:012d}.json"


def place_of_list(digest: str) -> str:
    """Where a list lies in the store."""
    return f"{LISTS}/{digest}.json"


def place_of(name: str, entry: Entry) -> str:
    """Where a file of the home lies in the store: at its own name, but for those whose content may change."""
    return f"{OWN}/{entry.sha256}.toml" if name.startswith(f"{OWN}/") else name


def local_names(home: Path, kind: str) -> list[str]:
    """Files of one kind in a home folder, sorted."""
    # Releases are many files, and others may remove one meanwhile: only manifests are looked for.
    layouts = ("*/manifest.json", "REMOVED/*.json") if kind == RELEASES else ("**/*",)
    found = (path.relative_to(home).as_posix() for layout in layouts for path in (home / kind).glob(layout))
    return sorted(name for name in found if KINDS[kind].fullmatch(name))


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

"""What a night needs besides releases, between a home folder and the shared store: figures, answers, past forecasts.

Files are immutable and most are named by their content, so homes are brought together file by file: what only this home
has goes up, what only the store has comes down. A file goes only where its going was seen: here during a night (files
were merged, or were too old), or there since this home last looked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from core.errors import StoreError
from store.files import named_errors, sha256_of_file, write_bytes
from store.shared.files import RemoteFiles
from store.shared.index import (
    KINDS,
    OWN,
    RELEASES,
    Commit,
    Entry,
    Listing,
    local_names,
    place_of,
    read_list,
)

PARTS = tuple(kind for kind in KINDS if kind != RELEASES)
_SEEN = "seen.json"
STATE = ".store"
"""Folder of the home for what it remembers of the store; not part of a backup."""


def pull_parts(home: Path, files: RemoteFiles, commit: Commit) -> dict[str, dict[str, Entry]]:
    """Bring down what a home lacks, then remove what the store no longer has.

    Returns:
        What the store has, by kind and place in the home folder.

    Raises:
        AlteredError: A file is not as it was delivered.
        StoreError: The store does not answer, or the disk refuses.
    """
    theirs = {kind: read_list(files, kind, commit) for kind in PARTS}
    seen = read_seen(home, files.url).lists
    for kind, listing in theirs.items():
        known = seen.get(kind, {})
        wanted = [name for name, entry in listing.items() if _is_wanted(home, name, entry, known.get(name))]
        files.each(partial(_fetch, home, files, listing), wanted)
    for kind, known in seen.items():
        # Mappings are people's own: they are never taken away.
        for name in known if kind in PARTS and kind != OWN else ():
            if name not in theirs[kind]:
                with named_errors(home / name):
                    (home / name).unlink(missing_ok=True)
    return theirs


def push_parts(home: Path, files: RemoteFiles, theirs: Mapping[str, Listing]) -> dict[str, dict[str, Entry]]:
    """Send what the store lacks.

    Args:
        home: The home folder; it was brought up to ``theirs`` before.
        files: The shared store.
        theirs: What the store has.

    Returns:
        What the store is to have: what is here.

    Raises:
        StoreError: A file here is damaged, or the store does not answer or refuses.
    """
    found: dict[str, dict[str, Entry]] = {}
    for kind in PARTS:
        known, names = theirs[kind], local_names(home, kind)
        new = [name for name in names if name not in known or kind == OWN]
        sent = dict(zip(new, files.each(partial(_send, home, files, known), new), strict=True))
        found[kind] = {name: sent.get(name) or known[name] for name in names}
    return found


@dataclass(frozen=True)
class Seen:
    """What a store had when this home last looked.

    Attributes:
        number: Its commit.
        lists: Its files, by kind and place in the home folder.
    """

    number: int = 0
    lists: Mapping[str, Listing] = field(default_factory=dict)


def read_seen(home: Path, url: str) -> Seen:
    """What the store had when this home last looked; nothing where that is not known. Losing it costs no figures."""
    try:
        kept = json.loads((home / STATE / _SEEN).read_text(encoding="utf-8"))
        lists = {kind: {name: Entry(**one) for name, one in listing.items()} for kind, listing in kept["lists"].items()}
        return Seen(int(kept["number"]), lists) if kept["url"] == url else Seen()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Seen()


def write_seen(home: Path, url: str, seen: Seen) -> None:
    """Keep what the store has.

    Raises:
        StoreError: The disk refuses.
    """
    lists = {kind: {name: asdict(entry) for name, entry in listing.items()} for kind, listing in seen.lists.items()}
    write_bytes(home / STATE / _SEEN, json.dumps({"url": url, "number": seen.number, "lists": lists}).encode())


def _is_wanted(home: Path, name: str, entry: Entry, known: Entry | None) -> bool:
    if not (home / name).is_file():
        return True
    # A mapping that changed there since this home last looked is taken over; what was changed here goes up.
    return name.startswith(f"{OWN}/") and known != entry and known is not None


def _fetch(home: Path, files: RemoteFiles, listing: Listing, name: str) -> None:
    files.fetch(place_of(name, listing[name]), home / name, listing[name].sha256)


def _send(home: Path, files: RemoteFiles, known: Listing, name: str) -> Entry:
    path = home / name
    with named_errors(path):
        entry = Entry(sha256_of_file(path), path.stat().st_size)
    if path.suffix == ".parquet" and not entry.sha256.startswith(path.stem):
        raise StoreError(f"{path}: is damaged: its hash is not the one in its name; it is not delivered")
    if entry != known.get(name):
        files.send(place_of(name, entry), path)
    return entry

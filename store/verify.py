"""Whether all that a home holds is as it was recorded: releases, their witnesses, the journal, figures, a kept hash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import StoreError
from core.settings import Settings
from store.chain import MANIFEST, REMOVED, RUN_ID, Problem, read_json
from store.files import sha256_of_file
from store.journal import Journal, journal_url
from store.releases import ReleaseStore
from store.status import WITNESSED, witnesses
from store.vintages import VintageStore

JOURNAL = "journal"


def verify_home(home: Path, settings: Settings, head: str = "") -> Problem | None:
    """Walk everything that is chained, and hold it against a hash that was kept elsewhere.

    A home that others fill (``store.url``) and that never made a release itself has another journal than its releases
    tell of: there they are not held against each other.

    Args:
        home: The home folder.
        settings: Its settings.
        head: Hash of the newest release's manifest, as a partner, a mail, a briefing or a feed has it; empty for none.

    Returns:
        The first thing that is not as it was recorded; None where all is.

    Raises:
        StoreError: Something cannot be read.
    """
    return next(_problems(home, settings, head.strip().lower()), None)


def _problems(home: Path, settings: Settings, head: str) -> Iterator[Problem]:
    store = ReleaseStore(home)
    kept = witnesses(home, settings.journal_url)
    if (problem := store.verify(kept)) is not None:
        yield problem
    manifests = _manifests(store.folder)
    if kept or not settings.store.url:
        yield from _journal_problems(home, settings.journal_url, manifests)
    yield from _figure_problems(home)
    if head and head != store.head():
        hashes = {sha256_of_file(path): run_id for run_id, path in _paths(store.folder).items()}
        where = f"it goes on from there, the release {hashes[head]}" if head in hashes else "no release has this hash"
        yield Problem("", "HEAD.json", f"the chain does not end with {head[:16]}…: {where}")


def _journal_problems(home: Path, setting: str, manifests: dict[str, dict[str, Any]]) -> Iterator[Problem]:
    told = {run_id: one["journal"] for run_id, one in manifests.items() if one.get("journal")}
    if not setting and not (home / "journal.sqlite").exists():
        for run_id in told:
            yield Problem(run_id, JOURNAL, f"is missing: the release {run_id} tells of its rows")
        return
    journal = Journal(journal_url(setting, home))
    try:
        if broken := journal.walk({int(one["id"]): str(one["sha256"]) for one in told.values()}):
            yield Problem("", JOURNAL, broken)
        known = {entry.run_id for entry in journal.entries(action=WITNESSED)}
        began = min(known, default="")
        kept = witnesses(home, setting)
    finally:
        journal.close()
    for run_id in sorted(manifests):
        if began and run_id > began and run_id not in known and run_id not in kept:
            yield Problem(run_id, run_id, "was added: the journal has no witness of this release")


def _figure_problems(home: Path) -> Iterator[Problem]:
    for path in sorted(VintageStore(home).folder.glob("*/*.parquet")):
        if not sha256_of_file(path).startswith(path.stem):
            name = path.relative_to(home).as_posix()
            yield Problem("", name, "was altered: its name is the hash of what it held")


def _paths(folder: Path) -> dict[str, Path]:
    removed = {path.stem: path for path in (folder / REMOVED).glob("*.json") if RUN_ID.fullmatch(path.stem)}
    whole = {path.parent.name: path for path in folder.glob(f"*/{MANIFEST}") if RUN_ID.fullmatch(path.parent.name)}
    return removed | whole


def _manifests(folder: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for run_id, path in sorted(_paths(folder).items()):
        try:
            found[run_id] = read_json(path)
        except StoreError:
            continue  # named by the walk along the chain
    return found

"""Whether all that a home holds is as it was recorded: releases, their witnesses, the journal, figures, a kept hash."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import StoreError
from core.settings import FEED, Settings
from store import ASIDE, sha256_of_file
from store.export import PLACED, WRITTEN
from store.figures import VintageStore
from store.figures.editions import EditionStore
from store.hub import EDITIONS, SubmissionStore, receipts
from store.journal import HEAD_FILE, AlteredRowError, Journal, Outbox, existing_journal, read_head_file
from store.releases import HOME_INPUTS, SETTINGS_FILE, Problem, ReleaseStore, home_inputs, links, read_json
from store.releases.caches import altered_caches
from store.status import WITNESSED, witnesses

JOURNAL = "journal"
_FOLDERS = ("releases", FEED, "vintages", "editions", "hub", "own", "raw", "rejected", "backtests", "fits")


def verify_home(home: Path, settings: Settings, head: str = "") -> Problem | None:
    """Walk everything that is chained, and hold it against a hash that was kept elsewhere.

    A home that others fill (``store.url``) and that never made a release itself has another journal than the one
    its releases name: there they are not compared.

    Args:
        home: The home folder.
        settings: Its settings.
        head: Hash of the newest release's manifest, as a partner, a mail, a briefing or a feed has it, or of a row of
            the journal, as a message has it; empty for none.

    Returns:
        The first thing that is not as it was recorded; None where all is.

    Raises:
        StoreError: Something cannot be read.
    """
    try:
        return next(_problems(home, settings, head.strip().lower()), None)
    except AlteredRowError as error:
        return Problem("", JOURNAL, str(error).removeprefix(f"{JOURNAL}: "))


def _problems(home: Path, settings: Settings, head: str) -> Iterator[Problem]:
    store = ReleaseStore(home)
    kept = witnesses(home, settings.journal_url)
    if (problem := store.verify(kept)) is not None:
        yield problem
    manifests = _manifests(store.folder)
    is_own = bool(kept) or not settings.store.url
    with existing_journal(settings.journal_url, home) as journal:
        if is_own and journal is None:
            for run_id in (run_id for run_id, one in manifests.items() if one.get("journal")):
                yield Problem(run_id, JOURNAL, f"is missing: the release {run_id} names its rows")
        if is_own and journal is not None:
            yield from _journal_problems(home, journal, settings.journal_url, manifests, kept)
            yield from _published_problems(home, journal, is_shared=bool(settings.journal_url))
        yield from _link_problems(home)
        for path in VintageStore(home).damaged():
            name = path.relative_to(home).as_posix()
            yield Problem("", name, "was altered: its name is the hash of what it held")
        if is_own:
            yield from _input_problems(home, manifests)
        yield from _hub_problems(home, store, journal)
        for path in altered_caches(home):
            name = path.relative_to(home).as_posix()
            yield Problem("", name, "was altered or is unknown: it lacks this home's digest")
        if not settings.store.url:  # several homes fill the vintages of a shared store
            yield from _vintage_problems(home, journal, manifests)
        if head and head != store.head() and (journal is None or not journal.holds(head)):
            hashes = {sha256_of_file(path): run_id for run_id, path in links(store.folder).items()}
            found = (
                f"it goes on from there, the release {hashes[head]}" if head in hashes else "no release has this hash"
            )
            yield Problem("", "HEAD.json", f"the chain does not end with {head[:16]}…: {found}")


def _journal_problems(
    home: Path, journal: Journal, setting: str, manifests: dict[str, dict[str, Any]], kept: dict[str, str]
) -> Iterator[Problem]:
    kept_head, end = read_head_file(home), journal.head()
    if kept_head is None and end is not None and not setting:
        yield Problem("", HEAD_FILE, "is missing or was altered: it names the journal's newest row")
    ends = [one["journal"] for one in manifests.values() if one.get("journal")]
    recorded = {int(one["id"]): str(one["sha256"]) for one in ends}
    if broken := journal.walk(recorded | ({kept_head.id: kept_head.sha256} if kept_head else {})):
        yield Problem("", JOURNAL, broken)
    if broken := Outbox(journal).first_break():
        yield Problem("", "outbox", broken)
    for path in EditionStore(home, journal).altered():
        yield Problem("", path.relative_to(home).as_posix(), "is missing or was altered since the edition was held")
    known = {entry.run_id for entry in journal.entries(action=WITNESSED)}
    began = min(known, default="")
    for run_id in sorted(manifests):
        if began and run_id > began and run_id not in known and run_id not in kept:
            yield Problem(run_id, run_id, "was added: the journal has no witness of this release")


def _link_problems(home: Path) -> Iterator[Problem]:
    """Links among the folders of a home: what they lead to is not what was recorded."""
    for folder in _FOLDERS:
        for path in (home / folder, *sorted((home / folder).rglob("*"))):
            if path.is_symlink():
                yield Problem("", path.relative_to(home).as_posix(), "was added: it is a link")


def _input_problems(home: Path, manifests: dict[str, dict[str, Any]]) -> Iterator[Problem]:
    """Settings, mappings of own figures, and what the hub and its models say of themselves, since the last night."""
    run_id = max((run_id for run_id, one in manifests.items() if SETTINGS_FILE in one.get("inputs", {})), default="")
    here = home_inputs(home)
    for name, sha256 in sorted(manifests[run_id]["inputs"].items() if run_id else ()):
        if any(fnmatch(name, pattern) for pattern in HOME_INPUTS) and here.get(name) != sha256:
            what = "changed" if name in here else "removed"
            yield Problem("", name, f"was {what} since the release {run_id}; the next night records it")


def _hub_problems(home: Path, store: ReleaseStore, journal: Journal | None) -> Iterator[Problem]:
    """Submissions whose content or record is not as it was received."""
    collected = {} if journal is None else receipts(journal)
    release, recorded = store.current(), dict[str, tuple[str, bool]]()
    if release is not None:
        rows = release.read(EDITIONS, ["sha256", "received", "late"])
        recorded = {str(row.sha256): (f"{row.received:%Y-%m-%d}", bool(row.late)) for row in rows.itertuples()}
    recorded |= collected
    submissions = SubmissionStore(home)
    for edition in submissions.all():
        name = f"hub/editions/{edition.round_id}/{edition.model_id}/{edition.file}"
        try:
            submissions.content(edition)
        except StoreError as error:
            yield Problem("", name, f"was altered or is missing: {error}")
        here = (edition.received.isoformat(), edition.late)
        if recorded.get(edition.sha256, here) != here:
            yield Problem("", name, "its record was altered: journal or release records another day of receipt")
    for sha256 in sorted(recorded.keys() - {edition.sha256 for edition in submissions.all()}):
        yield Problem("", "hub/editions", f"the submission {sha256[:16]}… is missing: journal or release records it")


def _vintage_problems(home: Path, journal: Journal | None, manifests: dict[str, dict[str, Any]]) -> Iterator[Problem]:
    """Rows that came or went since the newest release that records what the vintages held; files may be merged."""
    run_id = max((run_id for run_id, one in manifests.items() if one.get("vintages")), default="")
    if not run_id:
        return
    recorded, vintages = manifests[run_id]["vintages"], VintageStore(home)
    found = vintages.contents({source_id: one["until"] for source_id, one in recorded.items()})
    for source_id in sorted(recorded):
        if found[source_id] != recorded[source_id]:
            before, now = (f"{one[source_id]['rows']:,}" for one in (recorded, found))
            rule = f"was changed: the release {run_id} records {before} rows with another content ({now} now)"
            yield Problem(run_id, f"vintages/{source_id}", rule)
    stamps: dict[str, set[str]] = {}
    source_of: dict[str, str] = {}
    for row in journal.entries() if journal is not None else ():
        source_id = source_of.setdefault(row.subject, str(row.payload.get("source_id", "")))
        stated = {source_id: [*row.payload.get("stamps", ()), *row.payload.get("undone", ())]}
        for one, found_stamps in row.payload.get("stored", stated).items():
            stamps.setdefault(one, set()).update(found_stamps)
    there = vintages.sources()
    for source_id in sorted({*there, *stamps} - {""}):
        until = recorded.get(source_id, {}).get("until", "1970-01-01")
        later = vintages.stored_after(source_id, until) if source_id in there else []
        known = stamps.get(source_id, set())
        if added := [stamp for stamp in later if stamp not in known]:
            rule = f"rows stored at {added[0]} were added since {run_id}: the journal names no edition with them"
            yield Problem("", f"vintages/{source_id}", rule)
        if lost := sorted(stamp for stamp in known - {*later} if pd.Timestamp(stamp) > pd.Timestamp(until)):
            yield Problem("", f"vintages/{source_id}", f"rows stored at {lost[0]} are missing: the journal names them")


def _published_problems(home: Path, journal: Journal, *, is_shared: bool) -> Iterator[Problem]:
    """Files for machines that were altered, are gone, or are not in the journal."""
    written: dict[str, list[str]] = {}
    placed: set[str] = set()
    for row in journal.entries(action=(WRITTEN, PLACED)):
        for name, sha256 in row.payload.items():
            known = [] if row.action == PLACED else written.get(name, [])
            written[name] = [*known, str(sha256)]
            placed |= {name} if row.action == PLACED else set()
    for path in sorted((home / FEED).rglob("*")):
        name = path.relative_to(home / FEED).as_posix()
        if not path.is_dir() and name not in written and not path.name.startswith(ASIDE):
            yield Problem("", f"{FEED}/{name}", "was added: the journal has no record of it")
    for name, hashes in sorted(written.items()):
        path = home / FEED / name
        # Of machines that share a journal each writes files of its own, maybe older ones. A night that is killed while
        # it writes the hub's files leaves some as they were before; the next one writes them, and records it.
        is_of_hub = name.startswith("hub/")
        latest = hashes if is_shared or is_of_hub else hashes[-1:]
        if not path.is_file():
            if not is_shared and (name in placed or not is_of_hub):
                yield Problem("", f"{FEED}/{name}", "is missing: the journal names it")
        elif sha256_of_file(path) not in latest:
            yield Problem("", f"{FEED}/{name}", "was altered: its hash is not the one in the journal")


def _manifests(folder: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for run_id, path in links(folder).items():
        try:
            found[run_id] = read_json(path)
        except StoreError:
            continue  # named by the walk along the chain
    return found

"""A home folder shared with other machines: a working copy here, and the store that all of them read and write.

A night pulls what it lacks, works on local files as ever, and delivers when its release is published. Dashboards pull
releases alone. The parts: files (:mod:`store.shared.files`), commits (:mod:`store.shared.index`), releases
(:mod:`store.shared.releases`), figures (:mod:`store.shared.parts`), single flight (:mod:`store.shared.lease`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from core.errors import StoreError
from core.log import get_logger
from core.settings import Settings
from store.chain import MANIFEST, read_json
from store.journal import journal_url
from store.shared.errors import AlteredError, MissingError, NotDeliveredError
from store.shared.files import RemoteFiles
from store.shared.index import (
    COMMITS,
    NOTHING,
    RELEASES,
    Commit,
    Entry,
    latest,
    place_of,
    place_of_commit,
    place_of_list,
    publish,
    read_list,
    write_list,
)
from store.shared.lease import LEASES, single_flight
from store.shared.parts import Seen, pull_parts, push_parts, read_seen, write_seen
from store.shared.releases import Link, links_of, local_links, pull_releases, push_releases

_ATTEMPTS = 3
_COMMITS_KEPT = 20
_GRACE = dt.timedelta(days=1)
"""Age from which a file that no commit names is removed: a pusher may be about to name a younger one."""
_Result = TypeVar("_Result")


@dataclass
class Delivery:
    """A home folder that was brought up to the shared store, and the way back.

    Attributes:
        home: The home folder.
        files: The store; None where nothing is shared.
        base: The store's state that this home was brought up to.
        chain: Its releases.
        parts: Its other files.
    """

    home: Path
    files: RemoteFiles | None = None
    base: Commit = NOTHING
    chain: Mapping[str, Link] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)

    def deliver(self) -> int:
        """Send what is new here: all of it is seen by others at one moment, or nothing is.

        Returns:
            Number of the store's newest commit; 0 where nothing is shared.

        Raises:
            NotDeliveredError: The store does not answer or refuses, or another machine has delivered meanwhile; this
                home is as it was.
        """
        if self.files is None:
            return 0
        try:
            commit = self._push(self.files)
        except StoreError as error:
            newest = max(local_links(self.home), default="")
            raise NotDeliveredError(
                f"release {newest} stands in {self.home}; it was not delivered to {self.files.url}: {error}"
            ) from error
        self._tidy(self.files, commit)
        return commit.number

    def _push(self, files: RemoteFiles) -> Commit:
        releases = push_releases(self.home, files, self.chain)
        parts = push_parts(self.home, files, self.parts)
        lists = {RELEASES: releases, **parts}
        digests = {kind: write_list(files, kind, listing, self.base) for kind, listing in lists.items() if listing}
        links = links_of(releases, str(self.home))
        head = list(links.values())[-1].head if links else None
        if (digests, head) == (self.base.lists, self.base.head):
            return self.base
        previous = self.base.sha256 if self.base.number else ""
        made = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ} {uuid4().hex}"
        commit = Commit(self.base.number + 1, previous, head, digests, made)
        publish(files, self.base, commit)
        self.base, self.chain, self.parts = commit, links, parts
        return commit

    def _tidy(self, files: RemoteFiles, commit: Commit) -> None:
        """Remember, and remove what no commit names any more; what fails here is done the next time."""
        try:
            write_seen(self.home, files.url, Seen(commit.number, self.parts))
            sweep(self.home, files, commit, self.parts)
        except StoreError as error:
            get_logger().warning("shared store not tidied", store=files.url, reason=str(error))


@contextmanager
def shared(home: Path, settings: Settings) -> Iterator[Delivery]:
    """Hold the shared store and bring a home up to it; the caller holds the home.

    Args:
        home: The home folder.
        settings: Its settings; without ``store.url`` nothing is shared.

    Yields:
        The way to deliver what is new here.

    Raises:
        AlreadyRunningError: A night runs on another machine.
        AlteredError: A file of the store is not as it was delivered.
        DivergedError: This home has published a release that the store does not continue.
        StoreError: The store does not answer, refuses or went back to an earlier state, or the disk refuses.
    """
    if not settings.store.url:
        yield Delivery(home)
        return
    files = RemoteFiles(settings.store.url)
    with single_flight(files, journal_url(settings.journal_url, home), settings.store.lease_seconds):
        yield pull(home, files)


def pull(home: Path, files: RemoteFiles) -> Delivery:
    """Bring a home up to the store's newest state.

    Raises:
        AlteredError: A file of the store is not as it was delivered.
        DivergedError: This home has published a release that the store does not continue.
        StoreError: The store does not answer, refuses or went back to an earlier state, or the disk refuses.
    """

    def bring_up(commit: Commit) -> Delivery:
        seen = read_seen(home, files.url)
        if commit.number < seen.number:
            raise AlteredError(f"{files.url}: was at state {seen.number}, is at {commit.number}: somebody took it back")
        parts = pull_parts(home, files, commit)
        new = pull_releases(home, files, commit)
        write_seen(home, files.url, Seen(commit.number, parts))
        if new:
            get_logger().info("releases pulled", store=files.url, run_ids=new)
        return Delivery(home, files, commit, links_of(read_list(files, RELEASES, commit), files.url), parts)

    return _at_rest(files, bring_up)


def pull_new_releases(home: Path, files: RemoteFiles, known: Commit | None = None) -> Commit:
    """Bring down new releases and nothing else: what a dashboard needs.

    Args:
        home: The home folder.
        files: The store.
        known: The state that was taken over last: where it still is the newest, nothing is read.

    Returns:
        The state that was taken over.

    Raises:
        StoreError: As :func:`pull`.
    """

    def bring_up(commit: Commit) -> Commit:
        if commit not in (known, NOTHING):
            pull_releases(home, files, commit)
        return commit

    return _at_rest(files, bring_up)


def sweep(home: Path, files: RemoteFiles, commit: Commit, parts: Mapping[str, Mapping[str, Entry]]) -> list[str]:
    """Remove what no commit names: what retention took away, and what cut-off pushes left. Young files stay a day.

    Args:
        home: A home folder that is as the store is.
        files: The store.
        commit: Its newest state.
        parts: Its files besides releases.

    Returns:
        What was removed.

    Raises:
        StoreError: The store does not answer or refuses.
    """
    named = {place_of_commit(number) for number in range(max(commit.number - _COMMITS_KEPT, 0), commit.number + 1)}
    named |= {place_of_list(digest) for digest in commit.lists.values()}
    named |= {place_of(name, entry) for listing in parts.values() for name, entry in listing.items()}
    for link in local_links(home).values():
        folder = (home / link.name).parent
        held = read_json(folder / MANIFEST)["files"] if link.is_whole else ()
        named |= {link.name, *(f"{RELEASES}/{link.run_id}/{name}" for name in held)}
    others = [path for path in files.everything() if path not in named and not path.startswith(f"{LEASES}/")]
    others = [path for path in others if not (path.startswith(f"{COMMITS}/") and path > place_of_commit(commit.number))]
    if not others:
        return []
    before = files.now() - _GRACE
    old = [path for path in others if files.modified(path) < before]
    files.each(files.remove, old)
    return old


def _at_rest(files: RemoteFiles, work: Callable[[Commit], _Result]) -> _Result:
    """Work on the newest state; where a file went meanwhile because there is a newer one, work on that."""
    for attempt in range(_ATTEMPTS):
        commit = latest(files)
        try:
            return work(commit)
        except MissingError as error:
            if attempt == _ATTEMPTS - 1 or latest(files) == commit:
                raise AlteredError(f"{error}, though the newest commit names it") from None
    raise AssertionError  # unreachable: the last attempt returns or raises

"""Asking publishers: every answer is kept before it is read; what succeeded of a visit is taken, the rest is named."""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from core.errors import InputError, SourceError, StoreError
from core.languages import marked as _
from core.log import ProgressReport, announce, get_logger, silent
from core.settings import Settings
from ingest import Answer, LiveSource, Pull, Request, SourceAccess
from ingest.http import Client
from ingest.sources import chosen_sources, elsewhere, live_sources, source_access
from nightly.inputs import LiveReport, Visited, load_snapshot, read_inbox, require_known, take_in
from store import night_lock
from store.figures import VintageStore
from store.figures.editions import Kept, RawStore
from store.journal import Journal, opened_journal
from store.mirror import shared

NOT_MODIFIED_KEEPS = 200
"""Status of the kept answer for which news is asked."""


@dataclass(frozen=True)
class Inputs:
    """What a night read.

    Attributes:
        hashes: Hash of each input, by name.
        asked: What became of the visits to publishers.
        failed: One record (``source_id``, ``reason``) per source or file that could not be read.
    """

    hashes: dict[str, str]
    asked: LiveReport
    failed: list[dict[str, str]]


def read_inputs(home: Path, settings: Settings, journal: Journal, *, live: bool, progress: ProgressReport) -> Inputs:
    """Bring the vintages up to date: the bundled snapshot, publishers where they are asked, and the inbox.

    Raises:
        InputError: The settings leave out a source that there is not.
        StoreError: The home folder cannot be read or written.
    """
    announce(progress, _("Reading figures"))
    fingerprint = load_snapshot(VintageStore(home), journal)
    require_known(settings.exclude_sources, home)
    asked = ask_publishers(home, settings, journal, progress=progress) if live else LiveReport()
    files, refused = read_inbox(home, journal)
    progress("Reading figures", 1, 1)
    return Inputs({"snapshot": fingerprint, **files, **asked.hashes}, asked, asked.left_out + refused)


def ingest_live(
    home: Path,
    settings: Settings,
    source_ids: Iterable[str] = (),
    *,
    answered_on: dt.date | None = None,
    progress: ProgressReport = silent,
) -> LiveReport:
    """Ask publishers, or read again what they answered on a day, outside of a night.

    The bundled figures go into the vintages first: they are older, and what arrives later counts as a revision.

    Args:
        home: The home folder.
        settings: Its settings.
        source_ids: Sources; all that can be asked by default.
        answered_on: Day whose kept answers are read again; None asks.
        progress: Reports the sources done.

    Raises:
        InputError: As :func:`ask_publishers` and :func:`parse_again`, or a night is running.
        StoreError: The home folder cannot be read or written.
    """
    with (
        night_lock(home),
        shared(home, settings) as delivery,
        opened_journal(settings.journal_url, home) as journal,
    ):
        load_snapshot(VintageStore(home), journal)
        if answered_on is not None:
            report = parse_again(home, settings, journal, answered_on, source_ids)
        else:
            report = ask_publishers(home, settings, journal, source_ids, progress=progress)
        delivery.deliver()
        return report


def ask_publishers(
    home: Path,
    settings: Settings,
    journal: Journal,
    source_ids: Iterable[str] = (),
    *,
    progress: ProgressReport = silent,
) -> LiveReport:
    """Ask every source that can be asked, several at once, and put what is new into the vintages.

    A source that fails is recorded and the others go on. Nothing of it is stored but the answers that it gave.

    Args:
        home: The home folder.
        settings: Limits, and changes to how sources are asked.
        journal: Where outcomes are recorded.
        source_ids: Sources to ask; by default all that can be asked, are not excluded and need no naming.
        progress: Reports the sources done.

    Raises:
        InputError: A source is unknown or cannot be asked, or the settings are wrong.
        StoreError: The home folder cannot be written.
    """
    access = source_access(settings.live.sources)
    named = list(source_ids)
    chosen = chosen_sources(named, [*settings.exclude_sources, *elsewhere(settings.regions)])
    store, client = RawStore(home), Client(settings.live)
    report = LiveReport()
    for name in () if named else list(chosen):
        if reason := access[name].why_not_asked:
            report.not_asked.append({"source_id": name, "reason": reason})
            del chosen[name]
    step = _("Asking publishers")
    progress(step, 0, len(chosen))
    pool = ThreadPoolExecutor(settings.live.parallel, thread_name_prefix="source")
    try:
        visits = {pool.submit(_visit, chosen[name], access[name], client, store): name for name in chosen}
        for done, future in enumerate(as_completed(visits), start=1):
            take_in(home, journal, report, visits[future], future.result, dt.datetime.now(dt.UTC).date())
            progress(step, done, len(chosen))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    _prune(store, settings.live.keep_months)
    report.taken.sort(key=lambda item: item.edition.source_id)
    report.failed.sort(key=lambda item: item["source_id"])
    return report


def parse_again(
    home: Path, settings: Settings, journal: Journal, date: dt.date, source_ids: Iterable[str] = ()
) -> LiveReport:
    """Read once more what publishers answered on a day, by the very steps of that day's visit.

    Raises:
        InputError: No whole visit is kept of that day, or a source is unknown.
        StoreError: The home folder cannot be read or written.
    """
    store = RawStore(home)
    access = source_access(settings.live.sources)
    names = list(source_ids) or [name for name in store.sources(date) if name in live_sources()]
    if not names:
        raise InputError(f"no whole visit to any source is kept of {date}")
    report = LiveReport()
    for name, source in chosen_sources(names, []).items():
        take_in(home, journal, report, name, partial(_visit_again, source, access[name], store, date), date)
    return report


def _prune(store: RawStore, months: int) -> None:
    """Free what is older than the settings say. A disk that refuses costs no figures."""
    before = pd.Timestamp(dt.datetime.now(dt.UTC).date()) - pd.DateOffset(months=months)
    try:
        freed = store.prune(before.date())
    except StoreError as error:
        get_logger().warning("old answers not removed", reason=str(error))
        return
    if freed:
        get_logger().info("old answers removed", megabytes=round(freed / 1e6, 1), before=str(before.date()))


def _visit(source: LiveSource, access: SourceAccess, client: Client, store: RawStore) -> Visited:
    """Ask one source for everything, keeping each answer; the visit is marked as over only at its end."""
    now = dt.datetime.now(dt.UTC)
    visit, earlier = store.begin(source.SOURCE_ID, now), store.newest(source.SOURCE_ID)

    def ask(request: Request) -> Answer:
        kept = earlier.get(request.url)
        known = kept if kept is not None and kept.status == NOT_MODIFIED_KEEPS else None
        answer = client.get(request, access, known.headers if known else None)
        if answer.unchanged:
            if known is None:
                raise SourceError(request.url, _("answered 304 Not Modified although no news was asked for"))
            body = store.body(access.source_id, known)
            headers = {**known.headers, **answer.headers}
            answer = Answer(answer.url, known.status, headers, body, answer.received, unchanged=True)
        visit.keep(answer.url, answer.status, answer.headers, answer.received, answer.content)
        return answer

    pull = Pull(access, ask, now.date(), time.sleep)
    files = source.download(pull)
    visit.close()
    return files, pull.failures


def _visit_again(source: LiveSource, access: SourceAccess, store: RawStore, date: dt.date) -> Visited:
    """A day's visit once more, from the kept answers; an address asked several times gets them in their order."""
    by_url: dict[str, list[Kept]] = defaultdict(list)
    for record in store.replay(access.source_id, date):
        by_url[record.url].append(record)
    records = {url: iter(kept) for url, kept in by_url.items()}

    def ask(request: Request) -> Answer:
        record = next(records.get(request.url, iter(())), None)
        if record is None:
            fault = _("no answer to this is kept of {day}: the questions have changed since")
            raise SourceError(request.url, fault, day=str(date))
        body = store.body(access.source_id, record)
        return Answer(record.url, record.status, record.headers, body, dt.datetime.fromisoformat(record.received))

    pull = Pull(access, ask, date, lambda _seconds: None)
    return source.download(pull), pull.failures

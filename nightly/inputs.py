"""What enters a home: the bundled snapshot, publishers' answers, files handed over or found in the inbox, own values.

Values are stored whole or not at all, and every outcome is recorded.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

import ingest
from core.calendar import is_ahead
from core.errors import InputError, SourceError, StoreError, fault_of, message
from core.languages import marked as _
from core.log import ProgressReport, announce, counted, get_logger, silent
from core.release import EDITIONS, REJECTED, rounded_message
from core.settings import SNAPSHOT, Settings
from forecasting import ENSEMBLE
from ingest import Answer, RawFile, Request, SourceAccess, apart, read_raw, snapshot
from ingest.http import Client
from ingest.own import own_capacities, parse_own
from ingest.own_mapping import OwnMapping, read_mapping
from ingest.plausibility import Judgement, judge
from ingest.routes import SOURCE_ID as ROUTES_SOURCE
from ingest.routes import route_arrivals
from ingest.rows import period_ends
from ingest.sources import CARDS, SOURCES, chosen_sources, elsewhere, live_sources, source_access
from store import night_lock, write_bytes
from store.figures import VintageStore
from store.figures.editions import HELD, KNOWN, WITHDRAWN, Arrival, Edition, EditionStore, Kept, RawStore
from store.figures.editions import REJECTED as REJECTED_BY_PERSON
from store.journal import Entry, Journal, opened_journal
from store.mirror import shared
from store.releases import Release, ReleaseStore

ACTOR = "nightly"
LOADED = "snapshot loaded"
REFUSED = "file refused"
FAILED = "source failed"
OWN_MAPPINGS = "own"
"""Folder of a home that keeps the mappings of own values."""
FORECAST_TABLES, FORECAST_ENDS = ("forecasts", "asylum_forecasts"), (0.01, 0.99)
"""Tables of a release, and the levels between which it forecasts with 98 %."""
Visited = tuple[list[RawFile], list[InputError]]
"""What a visit brought: files of the parts that succeeded, and what could not be had."""


@dataclass(frozen=True)
class Ingested:
    """What became of one file or answer.

    Attributes:
        edition: The edition that it is; one that was known before where it says nothing else.
        new_rows: Figures stored of it; 0 where it is held.
        rejected: Rows set aside with the rule they broke.
        is_repeated: The same bytes came before, and nothing is new about them.
    """

    edition: Edition
    new_rows: int
    rejected: int
    is_repeated: bool = False

    @property
    def is_held(self) -> bool:
        """Whether it waits for a person."""
        return self.edition.state == HELD

    def summary(self) -> str:
        """Lines for a person."""
        one = self.edition
        read = f"{one.source_id}: {one.file} read, {counted(one.rows, 'figure')}"
        aside = f"; {counted(self.rejected, 'row')} set aside" if self.rejected else ""
        if self.is_held:
            why = "; ".join(map(str, one.why_held))
            return f"{read}: held for a person as {one.edition_id}: {why}{aside}"
        notes = "".join(f"\n  {note}" for note in one.reported if not self.is_repeated)
        return f"{read}, {self.new_rows:,} new{aside}; edition {one.edition_id}{notes}"


@dataclass(frozen=True)
class LiveReport:
    """What became of a round of visits.

    Attributes:
        taken: What each source gave.
        held: What waits for a person.
        failed: One record per source that failed: ``source_id`` and ``reason``.
        not_asked: One record per source that is not asked unless it is named, or whose key is not set.
    """

    taken: list[Ingested] = field(default_factory=list)
    held: list[Ingested] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    not_asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def hashes(self) -> dict[str, str]:
        """Hash of what each source gave, by source."""
        return {f"{item.edition.source_id}/{item.edition.file}": item.edition.sha256 for item in self.taken}

    @property
    def left_out(self) -> list[dict[str, str]]:
        """What the night had to do without: failures, and editions that are held, each named once."""
        return self.failed + [_held_record(item.edition) for item in self.held if not item.is_repeated]

    def summary(self) -> list[str]:
        """Return lines for a person, without what failed."""
        lines = [item.summary() for item in [*self.taken, *self.held]]
        return lines + [f"not asked: {item['source_id']}: {item['reason']}" for item in self.not_asked]


def held_before(
    editions: EditionStore, before: Release | None, as_of: dt.date, begun: dt.datetime
) -> list[dict[str, str]]:
    """Editions held since the release before, such as files handed over by day: a night names each once.

    Args:
        editions: The home's editions.
        before: The release that the night goes on from, which named those that it lists as held.
        as_of: The day whose knowledge the night rests on.
        begun: When the night began; what it held itself is named elsewhere.

    Raises:
        StoreError: The journal or the release cannot be read.
    """
    table = EDITIONS.empty() if before is None else before.read("editions")
    listed = set(table.loc[table["state"] == HELD, "edition_id"])
    waiting = [one for one in editions.all() if one.state == HELD and one.received.date() <= as_of]
    return [_held_record(one) for one in waiting if one.received < begun and one.edition_id not in listed]


def _held_record(one: Edition) -> dict[str, str]:
    """An edition that is held, as a record of what a night went without."""
    fault = _("{file} waits for a person as {edition}: {reasons}")
    about = message(fault, file=one.file, edition=one.edition_id, reasons=one.why_held)
    return about.record(one.source_id, edition_id=one.edition_id)


def ingest_file(home: Path, source_id: str, path: Path, journal: Journal, given_by: str = ACTOR) -> Ingested:
    """Take in one publisher's file, or one of own figures whose mapping the home keeps.

    Raises:
        InputError: The source is unknown, the file cannot be read or breaks its layout. Nothing is stored then.
        StoreError: The home cannot be written.
    """
    source = SOURCES.get(source_id)
    if source is None:
        own = own_mappings(home)
        if source_id in own:
            return read_own(home, path, own[source_id], journal, given_by)
        raise _unknown(source_id, [*SOURCES, *own])
    raw = read_raw(path)
    return _take(home, source_id, apart(source.parse, raw), raw, journal, given_by)


def require_known(source_ids: Iterable[str], home: Path) -> None:
    """Check that there are such sources, or that the home has figures of them.

    Raises:
        InputError: One is unknown: a mistyped name in a setting would leave nothing out.
    """
    known = [*SOURCES, *own_mappings(home)]
    there_are = {*known, *VintageStore(home).sources()}
    for source_id in source_ids:
        if source_id not in there_are:
            raise _unknown(source_id, known)


def _unknown(source_id: str, known: list[str]) -> InputError:
    return InputError(_("unknown source '{found}'; known: {known}"), found=source_id, known=", ".join(known))


def ingest_own(home: Path, path: Path, mapping_path: Path, journal: Journal, given_by: str = ACTOR) -> Ingested:
    """Take in a file of own figures, and keep its mapping for the nights to come.

    Raises:
        InputError: Mapping or file cannot be read, or is refused; nothing is stored then. Or the home keeps another
            kind of figures under the same source.
        StoreError: The home cannot be written.
    """
    mapping = read_mapping(mapping_path)
    kept = own_mappings(home).get(mapping.source.source_id)
    if kept is not None and (kept.table.what, kept.fixed.name) != (mapping.table.what, mapping.fixed.name):
        rule = f"{mapping.source.source_id} already holds {kept.table.what}: give other figures another source_id"
        raise InputError(f"{mapping_path.name}, source.source_id: {rule}")
    done = read_own(home, path, mapping, journal, given_by)
    write_bytes((home / OWN_MAPPINGS) / f"{mapping.source.source_id}.toml", mapping_path.read_bytes())
    return done


def read_own(home: Path, path: Path, mapping: OwnMapping, journal: Journal, given_by: str = ACTOR) -> Ingested:
    """Take in a file of own figures by a mapping that is kept.

    Raises:
        InputError: The file is refused or broken; nothing is stored then.
        StoreError: The home cannot be written.
    """
    raw = read_raw(path)
    parsed = apart(partial(parse_own, mapping=mapping), raw)
    return _take(home, mapping.source.source_id, parsed, raw, journal, given_by)


def own_mappings(home: Path) -> dict[str, OwnMapping]:
    """The mappings that a home keeps, by source.

    Raises:
        InputError: One of them was changed and is broken.
    """
    found = [read_mapping(path) for path in sorted((home / OWN_MAPPINGS).glob("*.toml"))]
    return {mapping.source.source_id: mapping for mapping in found}


def own_cards(home: Path) -> dict[str, ingest.SourceCard]:
    """Cards of own sources, to stand beside the catalogue's."""
    return {source_id: mapping.card for source_id, mapping in own_mappings(home).items()}


def with_own_capacities(settings: Settings, known: pd.DataFrame, as_of: dt.date) -> Settings:
    """Settings whose thresholds hold the capacities known on a date too; a number set by hand goes before them."""
    thresholds = own_capacities(known, as_of) | settings.alerts.thresholds
    alerts = settings.alerts.model_copy(update={"thresholds": thresholds})
    return settings.model_copy(update={"alerts": alerts})


def load_snapshot(vintages: VintageStore, journal: Journal) -> str:
    """Put the bundled figures into the vintages, once per edition of the snapshot, before anything newer.

    What comes later then counts as a revision.

    Returns:
        The snapshot's fingerprint.
    """
    fingerprint = snapshot.fingerprint(SNAPSHOT)
    # A journal that machines share may hold a load that another home never delivered.
    loads = journal.entries(subject=fingerprint, action=LOADED)
    held = set(vintages.sources())
    if not held or not loads or not loads[-1].payload.get("stored", {}).keys() <= held:
        figures = snapshot.load(SNAPSHOT)
        sources, before = sorted(set(figures["source_id"])), vintages.contents()
        new_rows = vintages.append(figures)
        begins = {one: before[one]["until"] if one in before else "1970-01-01" for one in sources}
        stored = {one: vintages.stored_after(one, begin) for one, begin in begins.items()}
        journal.record(Entry(ACTOR, LOADED, fingerprint, payload={"new_rows": new_rows, "stored": stored}))
    return fingerprint


def read_inbox(home: Path, journal: Journal) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Read what is new in ``inbox/<source_id>/``; a file that is refused is reported and the others go on.

    Returns:
        Hashes of the files read tonight by name, and one record (``source_id``, ``reason``) per refused file.
    """
    now = dt.datetime.now(dt.UTC)
    # Of each name the bytes that came last: a file that is put back after another one is read again. So is one taken in
    # while the clock was ahead: its figures get the day on which they are known.
    editions = EditionStore(home, journal).all()
    seen = {(one.source_id, one.file): one.sha256 for one in editions if not is_ahead(one.received, now)}
    hashes: dict[str, str] = {}
    failures: list[dict[str, str]] = []
    for path in sorted((home / "inbox").glob("*/*")):
        source_id = path.parent.name
        if path.parent.is_symlink():
            continue  # what lies elsewhere was not handed over here
        try:
            if seen.get((source_id, path.name)) == read_raw(path).sha256:
                continue
            done = ingest_file(home, source_id, path, journal)
        except Exception as error:  # one file's unforeseen fault must not cost the night the others
            fault = fault_of(error)
            failures.append(fault.record(source_id))
            journal.record(Entry(ACTOR, REFUSED, f"{source_id}/{path.name}", reason=str(fault)))
        else:
            if not done.is_held:
                hashes[f"{source_id}/{done.edition.file}"] = done.edition.sha256
            elif not done.is_repeated:
                failures.append(_held_record(done.edition))
    return hashes, failures


def take_in(
    home: Path, journal: Journal, report: LiveReport, source_id: str, visit: Callable[[], Visited], received: dt.date
) -> None:
    """Read a visit's files and take in what can be read, file by file; record the outcome.

    Args:
        home: The home folder.
        journal: Where the outcome is recorded.
        report: The report that it is added to.
        source_id: The source that was visited.
        visit: Gives what the visit brought, or raises the error with which it ended.
        received: Day of the visit.

    Raises:
        StoreError: The home folder cannot be written.
    """
    try:
        answers, failures = visit()
        faults: list[Exception] = [*failures]
        files, parsed = ingest.parse_all(SOURCES[source_id].parse, answers, faults)
    except Exception as error:  # one source's unforeseen answer must not cost the night the others
        _record_fault(home, journal, report, source_id, error)
        return
    for fault in faults:
        _record_fault(home, journal, report, source_id, fault)
    if parsed is None:
        return
    name = ", ".join(file.name for file in files)
    digest = "".join(f"{file.name} {file.sha256}\n" for file in files).encode()
    done = _take(home, source_id, parsed, RawFile(name, digest), journal, ACTOR, received)
    (report.held if done.is_held else report.taken).append(done)
    get_logger().info(done.edition.state, source_id=source_id, file=name, new_rows=done.new_rows)


def _record_fault(home: Path, journal: Journal, report: LiveReport, source_id: str, error: Exception) -> None:
    record = fault_of(error).record(source_id)
    report.failed.append(record)
    journal.record(Entry(ACTOR, FAILED, source_id, reason=record["reason"], payload={"message": record["message"]}))
    get_logger().info(FAILED, source_id=source_id, reason=record["reason"])
    VintageStore(home).append_rejected(_failure(source_id, error))


def _take(
    home: Path, source_id: str, parsed: ingest.Parsed, raw: RawFile, journal: Journal, given_by: str,
    received: dt.date | None = None,
) -> Ingested:  # fmt: skip
    """Let what was read be known, or hold it where it is implausible; what was set aside is kept beside it."""
    vintages, editions = VintageStore(home), EditionStore(home, journal)
    complete = source_id in SOURCES and CARDS[source_id].complete_editions
    day = received or dt.datetime.now(dt.UTC).date()
    arrival = Arrival(source_id, raw.name, raw.sha256, given_by, parsed.observations, day, complete)
    former = editions.newest_of(source_id, arrival.sha256)
    is_known = former is not None and former.state == KNOWN
    judged = _judgement(home, arrival, editions.void(source_id), is_known=is_known)
    refused = []
    if former is not None and former.state in (WITHDRAWN, REJECTED_BY_PERSON):
        fault = _("these very bytes were decided about before ({state}): {reason}")
        refused = [message(fault, state=former.state, reason=former.reason)]
    vintages.append_rejected(parsed.rejected)
    reasons = [*refused, *(rounded_message(source_id, one) for one in (*parsed.doubts, *judged.held))]
    reported = [rounded_message(source_id, one) for one in judged.reported]
    edition = editions.hold(arrival, reasons) if reasons else editions.take_in(arrival, reported)
    repeated = former is not None and edition.edition_id == former.edition_id
    new_rows = 0 if repeated or reasons else edition.new + edition.changed + edition.gone
    return Ingested(edition, new_rows, len(parsed.rejected), is_repeated=repeated)


def _judgement(home: Path, arrival: Arrival, void: list[dt.datetime], *, is_known: bool) -> Judgement:
    """Hold an edition against what was known of its source when it was published, and against the last forecast.

    The forecast is left out where these very bytes are known: nothing in them is new.
    """
    vintages = VintageStore(home)
    rows, only = arrival.observations, [arrival.source_id]
    day = arrival.received if rows["as_of_estimated"].any() else rows["as_of"].max().date()
    known = vintages.as_of(day, only=only)
    revisions = vintages.all_revisions(day, only=only, void=void)
    releases, forecast = ReleaseStore(home), None
    release = None if is_known else releases.current()
    if release is not None and releases.alteration(release) is None:  # a night reports an altered one
        sources = [one for one in CARDS[ROUTES_SOURCE].derived_from if one != arrival.source_id]
        others = vintages.as_of(day, only=sources if arrival.source_id in CARDS[ROUTES_SOURCE].derived_from else [])
        forecast = forecast_of(rows, known, others, release)
    received = arrival.received
    return judge(rows, known, revisions, complete=arrival.complete, received=received, forecast=forecast)


def forecast_of(rows: pd.DataFrame, known: pd.DataFrame, others: pd.DataFrame, release: Release) -> pd.DataFrame:
    """Return new figures of an edition, and new months of routes that they make, beside the release's forecast.

    Args:
        rows: The edition's figures.
        known: What was known of its source.
        others: What is known of the other sources of routes; empty where the edition is of none.
        release: The release whose ensemble forecast them.

    Returns:
        ``series_id, time_period, obs_value`` with ``low`` and ``high``, the ends of the forecast's 98 % interval.
    """
    key = ["series_id", "time_period"]
    both = [pd.concat([known, others]), pd.concat([known, rows, others])]
    before, after = (pd.concat([some, route_arrivals(some, totals_only=True)]) for some in both)
    here = pd.MultiIndex.from_frame(before[key])
    new = after[~pd.MultiIndex.from_frame(after[key]).isin(here)].drop_duplicates(key, keep="last")
    columns = ["series_id", "target_end_date", "model_id", "output_type_id", "value"]
    tables = pd.concat([release.read(name, columns) for name in FORECAST_TABLES if name in release.names])
    ends = tables[(tables["model_id"] == ENSEMBLE) & tables["output_type_id"].isin(FORECAST_ENDS)]
    wide = ends.pivot_table("value", ["series_id", "target_end_date"], "output_type_id")
    wide = wide.rename(columns=dict(zip(FORECAST_ENDS, ("low", "high"), strict=True))).reset_index()
    found = new.assign(target_end_date=period_ends(new)).merge(wide, on=["series_id", "target_end_date"])
    return found[[*key, "obs_value", "low", "high"]]


def _failure(source_id: str, error: Exception) -> pd.DataFrame:
    """A failed visit as a record beside the rows set aside."""
    file, row, column, rule = "", "", "", fault_of(error)
    if isinstance(error, SourceError):
        file, row, column, rule = error.file, str(error.row or ""), error.column or "", error.rule
    record = [[source_id, file, row, column, str(rule), "", rule.to_json()]]
    return pd.DataFrame(record, columns=list(REJECTED.columns), dtype=object)


NOT_MODIFIED_KEEPS = 200
"""Status of the kept answer for which news is asked."""


def read_inputs(
    home: Path, settings: Settings, journal: Journal, *, live: bool, progress: ProgressReport
) -> tuple[dict[str, str], LiveReport, list[dict[str, str]]]:
    """Bring the vintages up to date: the bundled snapshot, publishers where they are asked, and the inbox.

    Returns:
        Hash of each input by name, what became of the visits to publishers, and one record (``source_id``, ``reason``)
        per source or file that could not be read.

    Raises:
        InputError: The settings leave out a source that there is not.
        StoreError: The home folder cannot be read or written.
    """
    announce(progress, _("Reading figures"))
    fingerprint = load_snapshot(VintageStore(home), journal)
    require_known(settings.exclude_sources, home)
    asked = ask_publishers(home, settings, journal, progress=progress) if live else LiveReport()
    files, refused = read_inbox(home, journal)
    return {"snapshot": fingerprint, **files, **asked.hashes}, asked, asked.left_out + refused


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


def _visit(source: ingest.LiveSource, access: SourceAccess, client: Client, store: RawStore) -> Visited:
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

    pull = ingest.Pull(access, ask, now.date(), time.sleep)
    files = source.download(pull)
    visit.close()
    return files, pull.failures


def _visit_again(source: ingest.LiveSource, access: SourceAccess, store: RawStore, date: dt.date) -> Visited:
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

    pull = ingest.Pull(access, ask, date, lambda _seconds: None)
    return source.download(pull), pull.failures

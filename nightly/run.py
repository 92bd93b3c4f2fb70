"""One night from beginning to end: read what is new, forecast, warn, publish. All of it, or nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from core.errors import InputError, NothingToPublishError, VigieError, fault_of
from core.log import get_logger
from core.progress import ProgressReport, silent
from core.settings import DEMONSTRATION_DATE, NIGHT_BEFORE_DEMONSTRATION, SNAPSHOT, Settings
from forecasting.limits import Limits
from forecasting.watched import WatchedPool
from ingest import harmonise
from ingest.catalogue import sources as read_catalogue
from ingest.known_issues import known_issues
from nightly.asylum import Asylum, forecast_asylum
from nightly.documents import documents
from nightly.inputs import ACTOR, load_snapshot, read_inbox
from nightly.knowledge import OK, Knowledge
from nightly.live import ask_publishers
from nightly.making_up import figures_ahead, make_up, record_publication
from nightly.nationalities import errors_by_group
from nightly.own import own_cards, with_own_capacities
from nightly.projections import project
from nightly.publication import frames
from nightly.report import RUN_REPORT, Watch, left_out, run_report
from nightly.taking_in import LiveReport
from nightly.telling import tell
from store.backtests import BacktestStore
from store.journal import Entry, Journal, journal_url
from store.lock import AlreadyRunningError, night_lock
from store.release_contents import About
from store.releases import Release, ReleaseStore, readable
from store.retention import prune
from store.shared.errors import NotDeliveredError
from store.shared.sync import Delivery, shared
from store.status import NIGHT_ACTIONS
from store.vintages import VintageStore

PUBLISHED, PUBLISHED_DEGRADED, NOTHING_PUBLISHED, NOT_DELIVERED = NIGHT_ACTIONS
_LONGEST_REASON = 10_000
_NOT_OF_THE_RELEASE = {"journal_url", "live", "delivery", "dashboard_url", "operation", "access", "store"}
"""Settings that do not change what a release says."""


@dataclass(frozen=True)
class Wanted:
    """What a night is wanted for.

    Attributes:
        date: The day whose knowledge it rests on.
        replay: True where that day was over when the night was asked for; it may pass midnight before it publishes.
        live: Ask publishers first.
    """

    date: dt.date
    replay: bool
    live: bool


@dataclass(frozen=True)
class Night:
    """How a night ended.

    Attributes:
        release: What was published.
        degraded: Sources that could not be used, each with ``source_id`` and ``reason``.
        seconds: Seconds by stage, and in all.
        computed: Past forecasts that had to be made; the others were stored.
        told: What became of alerts and messages, as lines for a person.
    """

    release: Release
    degraded: list[dict[str, str]]
    computed: int
    seconds: dict[str, float] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def summary(self) -> list[str]:
        """Lines for a person."""
        lines = [
            f"Release {self.release.run_id} published, as known on {self.release.as_of}: "
            f"{self.seconds['in all']:.0f} s, {self.computed:,} past forecasts made anew"
        ]
        lines += [f"degraded: {item['source_id']}: {item['reason']}" for item in self.degraded]
        return lines + self.told


def run_night(
    home: Path,
    settings: Settings,
    as_of: dt.date | None = None,
    *,
    live: bool = False,
    progress: ProgressReport = silent,
) -> Night:
    """Make and publish one release.

    Args:
        home: The home folder.
        settings: Its settings.
        as_of: Replay the night of this date; today by default.
        live: Ask publishers for their newest figures first; a source that fails degrades the night, no more.
        progress: Told what is being done.

    Raises:
        NothingToPublishError: No route can be forecast; the former release stands.
        InputError: Another night is running, the date lies ahead or, with ``live``, in the past, or the settings name
            unknown things.
        NotDeliveredError: The release stands here, and the shared store did not take it.
        StoreError: The home folder cannot be read or written, or this home cannot be brought up to the shared store.
    """
    today = dt.datetime.now(dt.UTC).date()
    date = as_of or today
    if date > today:
        raise InputError(f"--as-of {date}: nobody knows the figures of a day to come")
    if live and date < today:
        raise InputError(f"--as-of {date}: with --live a night is made of today's figures")
    with night_lock(home):
        journal = Journal(journal_url(settings.journal_url, home))
        try:
            limits = Limits(settings.operation.fit_seconds, settings.operation.fit_megabytes)
            with shared(home, settings) as delivery, WatchedPool(limits=limits) as pool:
                # Its libraries load while figures are read; others join where there is much to do.
                pool.start(1)
                night = _publish(delivery, settings, Wanted(date, date < today, live), journal, pool, progress)
        except AlreadyRunningError:
            raise
        except Exception as error:
            _record_failure(journal, date, error)
            raise
        else:
            return night
        finally:
            journal.close()


def run_demonstration(home: Path, settings: Settings, *, progress: ProgressReport = silent) -> Night | None:
    """Replay the newest night on which every route's bundled figures were fresh, after the month before it.

    Returns:
        The night; None where the home folder already holds a release, which then is left as it is.

    Raises:
        VigieError: As :func:`run_night`.
    """
    if ReleaseStore(home).current() is not None:
        return None
    run_night(home, settings, NIGHT_BEFORE_DEMONSTRATION, progress=progress)
    return run_night(home, settings, DEMONSTRATION_DATE, progress=progress)


def _record_failure(journal: Journal, date: dt.date, error: Exception) -> None:
    """Keep why nothing was published; where not even that can be kept, the log tells, and the error goes on."""
    reason = str(fault_of(error))
    action = NOT_DELIVERED if isinstance(error, NotDeliveredError) else NOTHING_PUBLISHED
    get_logger().error(action, as_of=str(date), reason=reason)
    try:
        journal.record(Entry(ACTOR, action, str(date), reason=reason[:_LONGEST_REASON]))
    except VigieError as refused:
        get_logger().error("not recorded", reason=str(refused))


def _clear_up(home: Path, settings: Settings) -> None:
    """Remove releases that need not be kept whole. A disk that refuses costs nothing but its own space."""
    try:
        removed = prune(home, settings.operation.keep_nights)
    except VigieError as error:
        get_logger().warning("old releases not removed", reason=str(error))
        return
    if removed:
        get_logger().info("old releases removed", run_ids=[item.run_id for item in removed])


def _publish(
    delivery: Delivery,
    settings: Settings,
    wanted: Wanted,
    journal: Journal,
    pool: WatchedPool,
    progress: ProgressReport,
) -> Night:
    watch, home, date = Watch(), delivery.home, wanted.date
    get_logger().info("night begun", as_of=str(date), live=wanted.live, home=str(home))
    vintages, releases, cache = VintageStore(home), ReleaseStore(home), BacktestStore(home)
    with watch.stage("reading"):
        if damaged_files := cache.heal():
            get_logger().warning("past forecasts damaged, made again", files=damaged_files)
        vintages.check_files()
        undone = make_up(home, journal, releases, watch.started)
        progress("Reading figures", 0, 1)
        fingerprint = load_snapshot(vintages, journal)
        asked = ask_publishers(home, settings, journal, progress=progress) if wanted.live else LiveReport()
        inputs, failed = read_inbox(home, journal)
        knowledge = Knowledge(
            vintages.history(exclude_sources=settings.exclude_sources), date, settings.oldest_origin_months
        )
        settings = with_own_capacities(settings, knowledge.known, date)
        progress("Reading figures", 1, 1)
    if not knowledge.forecastable:
        raise NothingToPublishError(
            f"no route can be forecast as known on {date}: " + " ".join(knowledge.states["note"])
        )
    with watch.stage("forecasting"):
        projections = project(knowledge, settings, cache, progress, pool)
    with watch.stage("warning and scoring"):
        progress("Scores, paths and alerts", 0, 1)
        cards = read_catalogue(SNAPSHOT) | own_cards(home)
        former, damaged = readable(releases.current())
        tables = frames(knowledge, projections, settings, cards, vintages, former, pool)
        origins = settings.backtest_origins
        tables["group_errors"] = errors_by_group(knowledge, tables["backtest"], cache, progress, origins)
        progress("Scores, paths and alerts", 1, 1)
    with watch.stage("asylum applications"):
        asylum = forecast_asylum(knowledge.known, date, cache, progress, origins=origins, workers=pool)
        tables.update(asylum.frames)
    degraded = (
        asked.failed
        + failed
        + _without_asylum(asylum, settings)
        + _routes_without_forecast(knowledge)
        + left_out(projections, settings.operation.fit_seconds)
        + damaged
        + undone
        + figures_ahead(knowledge.vintages, watch.started.date())
    )
    with watch.stage("publishing"):
        about = About(
            as_of=date,
            code_version=version("vigie"),
            settings=settings.model_dump(exclude=_NOT_OF_THE_RELEASE),
            inputs={"snapshot": fingerprint, **inputs, **asked.hashes},
            degraded=degraded,
            replay=wanted.replay,
        )
        texts = documents(cards, tables, known_issues(SNAPSHOT))
        pids = [worker.process.pid for worker in pool.workers]
        texts[RUN_REPORT] = run_report(watch, settings, asked, projections, degraded, pids)
        release = releases.publish(tables, texts, about)
        _clear_up(home, settings)
        # People are told of a release when those who follow the store can see it.
        delivery.deliver()
    seconds = watch.seconds()
    degraded = degraded + record_publication(journal, release, seconds, releases.head())
    night = Night(release, degraded, projections.computed, seconds)
    action = PUBLISHED_DEGRADED if degraded else PUBLISHED
    get_logger().info(action, run_id=release.run_id, as_of=str(date), degraded=len(degraded), **seconds)
    return replace(night, told=tell(home, settings, journal, release))


def _without_asylum(asylum: Asylum, settings: Settings) -> list[dict[str, str]]:
    """Why no asylum application is forecast, unless the reader left the source out."""
    return [item for item in asylum.degraded if item["source_id"] not in settings.exclude_sources]


def _routes_without_forecast(knowledge: Knowledge) -> list[dict[str, str]]:
    """Routes whose sources are too old or silent, named so that the night counts as degraded."""
    rows = knowledge.states[knowledge.states["state"] != OK]
    return [
        {"source_id": harmonise.SOURCE_ID, "route_id": str(row.route_id), "reason": f"{row.route_id}: {row.note}"}
        for row in rows.itertuples()
    ]

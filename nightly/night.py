"""One night from beginning to end: read what is new, forecast, warn, publish. All of it, or nothing.

:func:`_make_release` is the whole of it, step by step.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it publishes no type information

from alerts.rules import no_alerts
from alerts.verification import Record
from core.errors import InputError, Message, NothingToPublishError, VigieError, fault_of, message
from core.languages import marked as _
from core.log import ProgressReport, announce, counted, get_logger, silent
from core.release import code_version
from core.routes import DEFAULT_REGION
from core.settings import DEMONSTRATIONS, FEED, NEWEST_BUNDLED_NIGHT, SNAPSHOT, Settings
from decisions import workflow_on
from decisions.actions import record_night
from decisions.sending import send_waiting, time_stamp
from forecasting.pool import Limits, Pool
from hub.night import collect_night, hub_of_night, publish_tables
from ingest import SourceCard
from ingest.routes import SOURCE_ID as ROUTES_SOURCE
from ingest.snapshot import known_issues
from ingest.sources import CARDS, elsewhere
from nightly import OK, RealTimeData
from nightly.asylum import forecast_asylum
from nightly.attribution import attribute
from nightly.forecasts import PanelEngine, errors_by_group, make_forecasts
from nightly.inputs import ACTOR, held_before, own_cards, read_inputs, with_own_capacities
from nightly.nowcasts import make_nowcasts, make_weeks
from nightly.pooled import MODEL_ID, pooled_night
from nightly.reception import forecast_reception
from nightly.recover import Degraded, chain_head, record_publication, recover, values_ahead, witness
from nightly.run_report import CUT_OFF_SOURCE, RUN_REPORT, StageTimer, left_out, run_report
from nightly.tables import (
    NightForecasts,
    data_tables,
    forecast_tables,
    issued_scores,
    revisions_since,
    run_alerts,
)
from reports.documents import documents
from store import AlreadyRunningError, night_lock
from store.export import write_published
from store.figures import VintageStore
from store.figures.editions import EditionStore
from store.journal import Entry, Journal, opened_journal
from store.mirror import Delivery, NotDeliveredError, shared
from store.releases import About, Problem, Release, ReleaseStore, home_inputs, predecessor, prune
from store.releases.caches import BacktestStore, FitStore
from store.status import NIGHT_ACTIONS, forecast_routes, whole_releases

PUBLISHED, PUBLISHED_DEGRADED, NOTHING_PUBLISHED, NOT_DELIVERED = NIGHT_ACTIONS
LOST = "lost"
"""Marks the record of a degraded night that names routes which had a forecast before."""
TIME_STAMPS = "time_stamps"
"""Folder of published files that holds time stamps."""
_LONGEST_REASON = 10_000
_NOT_OF_THE_RELEASE = {
    "journal_url", "live", "delivery", "dashboard_url", "contact", "operation", "access", "load", "store", "hub",
}  # fmt: skip
"""Settings that do not change what a release says."""


@dataclass(frozen=True)
class Run:
    """What a night works with.

    Attributes:
        date: The day whose knowledge it rests on.
        replay: True where that day was over when the night was asked for; it may pass midnight before it publishes.
        live: Ask publishers first.
        settings: The home's settings; once values are read, with the capacities that are known.
        journal: The home's journal.
        delivery: The home folder, and the shared store where there is one.
        pool: Processes that make forecasts.
        beside: Threads that wait for these processes while other work goes on.
        timer: Takes the time of stages, and reports what is being done.
    """

    date: dt.date
    replay: bool
    live: bool
    allow_empty: bool
    settings: Settings
    journal: Journal
    delivery: Delivery
    pool: Pool
    beside: Executor
    timer: StageTimer


@dataclass(frozen=True)
class RunResult:
    """How a night ended.

    Attributes:
        release: What was published.
        degraded: Sources that could not be used, each with ``source_id`` and ``reason``.
        computed: Hindcasts that had to be made; the others were stored.
        seconds: Seconds by stage, and in all.
        notified: What became of alerts and messages, as lines for a person.
    """

    release: Release
    degraded: Degraded
    computed: int
    seconds: dict[str, float]
    notified: list[str]

    def summary(self) -> list[str]:
        """Lines for a person."""
        lines = [item["reason"] for item in self.degraded if item.get(LOST)]
        lines += [
            f"Release {self.release.run_id} published, as known on {self.release.as_of}: "
            f"{self.seconds['in all']:.0f} s, {counted(self.computed, 'past forecast')} made anew"
        ]
        lines += [f"degraded: {item['source_id']}: {item['reason']}" for item in self.degraded if not item.get(LOST)]
        drill = ["Drill: this home sends and shares nothing"] if self.release.manifest["settings"].get("drill") else []
        return drill + lines + self.notified


def run_night(
    home: Path,
    settings: Settings,
    as_of: dt.date | None = None,
    *,
    live: bool = False,
    allow_empty: bool = False,
    progress: ProgressReport = silent,
) -> RunResult:
    """Make and publish one release.

    Args:
        home: The home folder.
        settings: Its settings.
        as_of: Replay the night of this date; today by default.
        live: Ask publishers for their newest values first; a source that fails degrades the night, no more.
        allow_empty: Publish even where every route that people watch would lose its forecast.
        progress: Reports what is being done.

    Raises:
        NothingToPublishError: No route can be forecast, or none that people watch; the former release stands.
        InputError: Another night is running, the date lies ahead or, with ``live``, in the past, or the settings name
            unknown things.
        NotDeliveredError: The release stands here, and the shared store did not take it.
        StoreError: The home folder cannot be read or written, or this home cannot be brought up to the shared store.
    """
    today = dt.datetime.now(dt.UTC).date()
    date = as_of or today
    if date > today:
        raise InputError(f"--as-of {date}: the date lies in the future")
    if live and date < today:
        raise InputError(f"--as-of {date}: with --live a night is made of today's figures")
    # Thousands of small systems of equations are solved: several threads for each are slower, and where others work on
    # the same machine, ten times slower.
    with threadpool_limits(1), night_lock(home) as note, opened_journal(settings.journal_url, home) as journal:
        try:
            limits = Limits(settings.operation.fit_seconds, settings.operation.fit_megabytes)
            with shared(home, settings) as delivery, Pool(limits=limits) as pool, ThreadPoolExecutor() as beside:
                pool.start()  # libraries load while values are read
                get_logger().info("night begun", as_of=str(date), live=live, home=str(home))
                timer = StageTimer(date, progress, note)
                return _make_release(
                    Run(date, date < today, live, allow_empty, settings, journal, delivery, pool, beside, timer)
                )
        except AlreadyRunningError:
            raise
        except Exception as error:
            _record_failure(journal, date, error)
            raise


def run_demonstration(
    home: Path, settings: Settings, *, region: str = "", newest: bool = False, progress: ProgressReport = silent
) -> RunResult | None:
    """Replay a region's demonstration night, after the night a month before it.

    Args:
        home: The home folder.
        settings: Its settings.
        region: Region whose corridors are shown; by default the first one of the settings.
        newest: Replay the newest night of the bundled values instead, with the routes that are fresh then.
        progress: Reports what is being done.

    Returns:
        The night; None where the home folder already holds a release, which then is left as it is, unless the newest
        night is asked for.

    Raises:
        InputError: The region has no demonstration night.
        VigieError: As :func:`run_night`.
    """
    chosen = region or settings.regions[0]
    if chosen not in DEMONSTRATIONS:
        raise InputError(f"--region {chosen}: there is none; known: {', '.join(DEMONSTRATIONS)}")
    settings = settings.model_copy(update={"regions": [chosen]}) if region else settings
    if newest:
        return run_night(home, settings, NEWEST_BUNDLED_NIGHT, progress=progress)
    if ReleaseStore(home).current() is not None:
        return None
    before, night = DEMONSTRATIONS[chosen]
    run_night(home, settings, before, progress=progress)
    return run_night(home, settings, night, progress=progress)


def _forecast(run: Run, data: RealTimeData) -> tuple[NightForecasts, Message | None]:
    """Forecast the routes, begin with reception from their paths, and return why the pooled model is missing."""
    home, settings, timer = run.delivery.home, run.settings, run.timer
    with timer.stage("forecasting"):
        pooled, unable = pooled_night(data, home, settings, run.pool)
        made = make_forecasts(data, settings, BacktestStore(home), timer.report, run.pool, pooled)
        nowcasts = make_nowcasts(data, made)
        served = made.with_nowcasts(nowcasts)
    reception = run.beside.submit(forecast_reception, data, served.paths, made.past_ensemble, run.pool).result
    engine = PanelEngine(settings.backtest_origins, timer.report, FitStore(home), run.pool, pooled)
    return NightForecasts(made, served, nowcasts, reception, engine), unable


def _make_release(run: Run) -> RunResult:
    home, date, settings, timer = run.delivery.home, run.date, run.settings, run.timer
    vintages, editions = VintageStore(home), EditionStore(home, run.journal)

    with timer.stage("reading"):
        undone = recover(home, run.journal, ReleaseStore(home), timer.started)
        hashes, asked, failed = read_inputs(home, settings, run.journal, live=run.live, progress=timer.report)
        others = elsewhere(settings.regions)
        history = vintages.history(exclude_sources={*settings.exclude_sources, *others})
        past_origins = max(settings.backtest_origins, settings.slow_backtest_origins)
        data = RealTimeData(
            history, date, settings.oldest_origin_months, past_origins, timer.report, tuple(settings.regions)
        )
        settings = with_own_capacities(settings, data.known, date)
        run, cards = replace(run, settings=settings), _cards(settings.regions) | own_cards(home)
    if not data.forecastable:
        raise NothingToPublishError(f"no route can be forecast as known on {date}: " + " ".join(data.states["note"]))
    whole, altered = whole_releases(home, settings)
    before = predecessor(whole, date, replay=run.replay)
    if not run.allow_empty:
        _refuse_empty(data.states, before, settings)

    forecasts, unable = _forecast(run, data)

    with timer.stage("asylum applications"):
        asylum = forecast_asylum(data.known, date, forecasts.engine)
        group_errors = errors_by_group(data, forecasts.made.past_ensemble, forecasts.engine)
    of_routes = run.beside.submit(forecast_tables, data, forecasts, settings.alerts, run.pool)

    with timer.stage("hub"):
        refused = collect_night(settings.hub.place, home, run.journal, timer.started.date())
        of_hub, hub_faults = hub_of_night(home, data, forecasts.made.hindcasts, asylum.frames, asylum.hindcasts)

    with timer.stage("reception"):
        forecasts.reception()

    with timer.stage("warning and scoring"):
        tables = _judged_tables(run, data, cards, forecasts, of_routes, whole, before)
        tables["year_ahead"] = pd.concat([tables["year_ahead"], asylum.year_ahead], ignore_index=True)
        tables |= {**asylum.frames, **of_hub, "group_errors": group_errors}

    with timer.stage("publishing"):
        degraded = [
            *_lost(data, _lost_routes(data.states, before), before),
            *failed,
            *held_before(editions, before, date, timer.started),
            *refused,
            *hub_faults,
            *(item for item in asylum.degraded if item["source_id"] not in {*settings.exclude_sources, *others}),
            *_routes_without_forecast(data.states),
            *left_out(forecasts.made, settings.operation.fit_seconds),
            *([unable.record(CUT_OFF_SOURCE, model_id=MODEL_ID)] if unable else []),
            *map(_damaged, altered),
            *undone,
            *values_ahead(data.vintages, timer.started.date()),
        ]
        texts = documents(cards, tables, known_issues(SNAPSHOT))
        texts[RUN_REPORT] = run_report(timer, settings, asked, forecasts.made, degraded, run.pool)
        release = _publish(run, hashes, tables, texts, degraded)

    return _finish(run, release, forecasts.made.computed, degraded, timer.seconds())


def _cards(regions: Collection[str]) -> dict[str, SourceCard]:
    """Cards of the sources of some regions; the routes' own card speaks of these alone."""
    cards = {name: card for name, card in CARDS.items() if name not in elsewhere(regions)}
    routes = cards[ROUTES_SOURCE]
    changes: dict[str, object] = {"derived_from": [name for name in routes.derived_from if name in cards]}
    if DEFAULT_REGION not in regions:
        publishers = ", ".join(cards[name].publisher for name in routes.derived_from if name in cards)
        changes |= {"citation": f"Vigie, counts by route, computed from figures of {publishers}.", "known_issues": []}
    return cards | {ROUTES_SOURCE: routes.model_copy(update=changes)}


def _finish(run: Run, release: Release, computed: int, degraded: Degraded, seconds: dict[str, float]) -> RunResult:
    """Record and log that a release is published, and send what is due."""
    degraded += record_publication(run.journal, release, seconds, ReleaseStore(run.delivery.home).head())
    get_logger().info(
        PUBLISHED_DEGRADED if degraded else PUBLISHED,
        run_id=release.run_id,
        as_of=str(run.date),
        degraded=[f"{item['source_id']}: {item['reason']}" for item in degraded],
        **seconds,
    )
    notices = stamp(run.delivery.home, run.settings, run.journal, release)
    notices += notify(run.delivery.home, run.settings, run.journal, release)
    return RunResult(release, degraded, computed, seconds, notices)


def _damaged(problem: Problem) -> dict[str, str]:
    """A release that is not as it was published, as a record of a degraded night."""
    fault = _("the former release is damaged ({problem}): nothing is compared with it; restore it from a backup")
    return message(fault, problem=str(problem)).record("vigie-releases")


def _judged_tables(
    run: Run,
    data: RealTimeData,
    cards: Mapping[str, SourceCard],
    forecasts: NightForecasts,
    of_routes: Future[tuple[dict[str, pd.DataFrame], Record]],
    whole: Sequence[Release],
    before: Release | None,
) -> dict[str, pd.DataFrame]:
    """Tables about routes and reception: forecasts with nowcasts, scores, figures and alerts.

    Args:
        run: The night.
        data: What was known.
        cards: Cards of the sources, own ones included.
        forecasts: What was forecast.
        of_routes: Tables of forecasts with the record of the rules, when they are made.
        whole: The releases that are as they were published, oldest first.
        before: The release that the night goes on from.
    """
    home, date, settings, report = run.delivery.home, run.date, run.settings, data.progress
    vintages, editions = VintageStore(home), EditionStore(home, run.journal)
    newest = ReleaseStore(home).current()
    former = newest if newest in whole else None
    announce(report, _("Figures and weeks"))
    known = data_tables(data, cards, vintages.rejected(), former) | make_weeks(data, run.pool)
    announce(report, _("Scores and paths"))
    tables, record = of_routes.result()
    tables |= known
    announce(report, _("Alerts"))
    revisions = revisions_since(vintages, former, date, settings, editions.void())
    alerts_before = before.read("alerts") if before else no_alerts()
    tables |= forecasts.reception().tables
    tables |= run_alerts(data, forecasts, record, tables["freshness"], settings, revisions, alerts_before)
    announce(report, _("Why forecasts moved"))
    tables["attribution"] = attribute(data, former, forecasts.made, tables, forecasts.engine.pooled, run.pool)
    tables["editions"] = editions.table(date)
    tables["issued_scores"] = issued_scores(whole, former, data)
    return tables


def _publish(
    run: Run,
    inputs: Mapping[str, str],
    tables: Mapping[str, pd.DataFrame],
    texts: Mapping[str, str],
    degraded: Degraded,
) -> Release:
    """Put the release and the files about the hub in place, and hand them to the shared store.

    Args:
        run: The night.
        inputs: Hash of each input, by name.
        tables: Tables of the release.
        texts: Texts of the release.
        degraded: What the night had to do without.
    """
    home, settings = run.delivery.home, run.settings
    about = About(
        run.date,
        code_version(),
        settings.model_dump(exclude=_NOT_OF_THE_RELEASE),
        {**inputs, **home_inputs(home)},
        degraded,
        run.replay,
        chain_head(run.journal),
        VintageStore(home).contents(),
    )
    release = ReleaseStore(home).publish(tables, texts, about, partial(witness, run.journal))
    publish_tables(home, run.journal, release, settings.hub.place)
    _remove_old_releases(home, settings)
    # People hear of a release only when those who follow the store can see it.
    run.delivery.deliver()
    return release


def stamp(home: Path, settings: Settings, journal: Journal, release: Release) -> list[str]:
    """Have the time-stamp authority of the settings certify the hash of a release's manifest, and publish its reply.

    Returns:
        A line for a person; none without an authority. A failure is named and does not spoil the night.
    """
    if not settings.operation.time_authority:
        return []
    name = f"{TIME_STAMPS}/{release.run_id}.tsr"
    try:
        reply = time_stamp(settings.operation.time_authority, str(ReleaseStore(home).head()))
        write_published(home, journal, {name: reply})
    except VigieError as error:
        get_logger().warning("release not time-stamped", run_id=release.run_id, reason=str(error))
        return [f"no time stamp: {error}"]
    return [f"time stamp: {FEED}/{name}"]


def notify(home: Path, settings: Settings, journal: Journal, release: Release) -> list[str]:
    """Propose, worsen, ease and end alerts as the release says, and send what is due. No failure spoils the night.

    Returns:
        Lines for a person; they name what failed.
    """
    try:
        workflow = workflow_on(home, settings, journal)
        counts = Counter(entry.action for entry in record_night(workflow, release))
        lines = [f"alerts: {', '.join(f'{count} {action}' for action, count in counts.items())}"] if counts else []
        return lines + send_waiting(workflow).summary()
    except VigieError as error:
        get_logger().info("alerts not updated", reason=str(error))
        return [f"not notified: {error}"]


def _record_failure(journal: Journal, date: dt.date, error: Exception) -> None:
    """Keep why nothing was published; where not even that can be kept, it is logged, and the error goes on."""
    reason = str(fault_of(error))
    action = NOT_DELIVERED if isinstance(error, NotDeliveredError) else NOTHING_PUBLISHED
    get_logger().info(action, as_of=str(date), reason=reason)
    try:
        journal.record(Entry(ACTOR, action, str(date), reason=reason[:_LONGEST_REASON]))
    except VigieError as refused:
        get_logger().error("failed night not recorded", reason=str(refused))


def _remove_old_releases(home: Path, settings: Settings) -> None:
    """Remove releases that need not be kept whole. A disk that refuses costs nothing but its own space."""
    try:
        removed = prune(home, settings.operation.keep_nights)
    except VigieError as error:
        get_logger().warning("old releases not removed", reason=str(error))
        return
    if removed:
        get_logger().info("old releases removed", run_ids=list(removed))


def _lost_routes(states: pd.DataFrame, before: Release | None) -> list[str]:
    """Routes that had a forecast in the release that this night goes on from, and have none tonight."""
    if before is None:
        return []
    return sorted(forecast_routes(before) - set(states.loc[states["state"] == OK, "route_id"]))


def _refuse_empty(states: pd.DataFrame, before: Release | None, settings: Settings) -> None:
    """Refuse a release in which no route that people watch has a forecast any more.

    Watched are the routes of thresholds and subscriptions, or all where none is named.

    Raises:
        NothingToPublishError: The former release stands.
    """
    subscribed = [one.routes for one in settings.delivery.subscriptions]
    watched = {*settings.alerts.thresholds, *(route_id for routes in subscribed for route_id in routes)}
    if not watched or not all(subscribed):
        watched = set(states["route_id"])
    lost = watched & set(_lost_routes(states, before))
    if before is not None and lost and not watched & set(states.loc[states["state"] == OK, "route_id"]):
        raise NothingToPublishError(
            f"no route that people watch ({', '.join(sorted(watched))}) would have a forecast; release {before.run_id} "
            f"has one for {', '.join(sorted(lost))} and stands. Bring newer figures in (vigie ingest), or publish all "
            "the same with --allow-empty"
        )


def _lost(data: RealTimeData, lost: list[str], before: Release | None) -> Degraded:
    """That fewer routes have a forecast than before: what a night says first."""
    if before is None or not lost:
        return []
    fault = _("Fewer routes have a forecast than on {day}: {n} of {total}. Without one now: {routes}.")
    params = {"day": before.as_of.isoformat(), "n": len(data.forecastable), "total": len(data.states)}
    return [message(fault, **params, routes=", ".join(lost)).record(ROUTES_SOURCE, **{LOST: ",".join(lost)})]


def _routes_without_forecast(states: pd.DataFrame) -> Degraded:
    """Routes whose sources are too old or silent, named so that the night counts as degraded."""
    rows = states[states["state"] != OK]
    return [
        {"source_id": ROUTES_SOURCE, "route_id": str(row.route_id), "reason": f"{row.route_id}: {row.note}"}
        for row in rows.itertuples()
    ]

"""What the briefing says, in one reader's language, before it is laid out. Every number comes from the release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from alerts import INFORMATION
from core import QUANTILE_LEVELS
from core.languages import Language, capital, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import is_route
from reports import Decisions, LoadedRelease, Reception, Row, cards_in, citations, numbers
from reports.alert import AlertReport, alert_report, informs, rule_record, status_words
from reports.changes import changes
from reports.charts import MONTHS_AHEAD
from reports.names import level_name, route_name, subject_name
from reports.overview import together
from reports.reception import lines as reception
from reports.route import known_to, window_words
from reports.scenario import assumed, demand, first_short
from reports.year_ahead import KINDS, YearLine, year_lines

MONTHS_BACK, MOST_NAMED = 24, 4
NO_FORECAST = _("no forecast")
AND_MORE = ngettext("and {n} more: see the dashboard", "and {n} more: see the dashboard")


@dataclass(frozen=True)
class RouteLine:
    """One route: a row of the table, an arrow of the map and a small chart.

    Attributes:
        route_id: Its code.
        name: Its name in the reader's language.
        level: The highest alert shown for it, or empty.
        expected: The median as it is written.
        interval: The 80 % interval as it is written.
        last: Newest monthly count.
        year_before: The count twelve months before it.
        history: ``end_date`` and ``obs_value`` of the last two years.
        quantiles: One row per month ahead, one column per level; empty where there is no forecast.
        why_not: Why there is no forecast, or empty.
    """

    route_id: str
    name: str
    level: str
    expected: str
    interval: str
    last: str
    year_before: str
    history: pd.DataFrame
    quantiles: pd.DataFrame
    why_not: str


@dataclass(frozen=True)
class AlertLine:
    """One alert: what it is about, its report, and where it stands."""

    subject: str
    report: AlertReport
    status: str


@dataclass(frozen=True)
class PlacesLine:
    """Places kept for one route, by whom, what is planned with, the first month short, and the demand by month."""

    name: str
    who: str
    assumed: str
    short: str
    stock: float
    demand: pd.DataFrame


@dataclass(frozen=True)
class Content:
    """Everything that is written or drawn.

    Attributes:
        language: The reader's.
        release: The release.
        months: The planning window, as it is written.
        title: The finding, one sentence.
        known: As known on which day, and how far figures go.
        exercise: Warning that a past night is replayed, or empty.
        summary: The finding in plain words.
        flows: Result of :func:`reports.numbers.route_summary`.
        routes: The most arrivals expected first.
        alerts: The gravest first.
        alerts_note: What is not among them, or empty.
        changes: What the release before said otherwise; None where there was none before.
        changed_since: The day of that release, or empty.
        limits: What a reader must know.
        uses: Intended and prohibited uses.
        year: The year ahead, a block of lines each: the running year by route, all together first; the twelve months
            after it, as far as they are published; asylum by country. Empty without a table of it.
        places: Demand against the places that are kept for routes; empty where none are.
        citations: Sources with their licences.
        trace: By what the release can be found and checked.
    """

    language: Language
    release: LoadedRelease
    months: str
    title: str
    known: str
    exercise: str
    summary: str
    flows: pd.DataFrame
    routes: tuple[RouteLine, ...]
    alerts: tuple[AlertLine, ...]
    alerts_note: str
    changes: tuple[str, ...] | None
    changed_since: str
    limits: tuple[str, ...]
    uses: str
    year: tuple[tuple[YearLine, ...], ...]
    places: tuple[PlacesLine, ...]
    citations: tuple[str, ...]
    trace: str


def compose(release: LoadedRelease, former: LoadedRelease | None, code: str, decisions: Decisions) -> Content:
    """Write the briefing of one release in one language; English where there is no catalogue of it."""
    language, ends = Language(code), numbers.window_ends(release.as_of)
    alerts = numbers.by_level(decisions.shown(release.frame("alerts")))
    summary = numbers.route_summary(release.frame, alerts, ends)
    cards = cards_in(release, language)
    total = together(release, summary, language)
    months, day = window_words(release.as_of, language), language.day(release.as_of)
    exercise = [citations.exercise(release.as_of, language)] if release.replay else []
    if release.drill:
        exercise.append(language.text(_("Drill: read from a restored copy that is not in service.")))
    cited = citations.citations(cards, citations.sources_behind(release, alerts), language)
    in_words = _alerts_in_words(alerts, language, signed_only=decisions.signed_only)
    return Content(
        language=language,
        release=release,
        months=months,
        title=total.title,
        known=f"{language.text(_('As known on {day}'), day=day)} · {known_to(release, language)}",
        exercise=" ".join(exercise),
        summary=" ".join(
            [*total.sentences(language), in_words, *reception(release.frame("reception_needs"), language)]
        ),
        flows=summary,
        routes=tuple(_route_line(release, row, language) for row in summary.to_dict("records")),
        alerts=tuple(_alert_line(release, row, cards, decisions, language) for row in alerts.to_dict("records")),
        alerts_note=_alerts_note(release, len(alerts), decisions, language),
        changes=None if former is None else tuple(_changes(release, former, decisions, language)),
        changed_since="" if former is None else language.day(former.as_of),
        limits=tuple(citations.limits(release, summary, language)),
        uses=citations.uses(language),
        year=_year(release, language),
        places=tuple(_places(release, decisions.reception, language)),
        citations=(*cited, language.text(_("Map: Natural Earth, public domain. Boundaries imply no endorsement."))),
        trace=_trace(release, language),
    )


def _year(release: LoadedRelease, language: Language) -> tuple[tuple[YearLine, ...], ...]:
    """The running calendar year by route, the next twelve months if published, and the newest year by country."""
    table = release.frame("year_ahead")
    if table.empty:
        return ()
    find = partial(year_lines, table, release.frame("observations"), language=language)
    lines = [line for kind in KINDS for line in find(kind=kind)]
    countries = find(kind=next(iter(KINDS)), asylum=True)
    blocks = (
        _first_window(lines),
        _first_window([line for line in lines if int(line.row["ahead"]) > 0]),
        _first_window(sorted(countries, key=lambda line: str(line.row["first_period"]), reverse=True)),
    )
    return tuple(block for block in blocks if block)


def _first_window(lines: list[YearLine]) -> tuple[YearLine, ...]:
    """Those of the window that comes first."""
    return tuple(line for line in lines if line.window == lines[0].window)


def _places(release: LoadedRelease, kept: Iterable[Reception], language: Language) -> Iterator[PlacesLine]:
    """In the order of the routes; a route without a forecast has no demand."""
    forecast = set(release.frame("trajectories")["series_id"])
    for one in sorted(kept, key=lambda each: each.route_id):
        if numbers.route_series(one.route_id) in forecast:
            needed, _together = demand(release, one)
            yield PlacesLine(
                name=route_name(one.route_id, language),
                assumed=assumed(one, language),
                short=capital(first_short(needed, one.stock, one.confidence, language)),
                who=one.who,
                stock=one.stock,
                demand=needed,
            )


def _alerts_in_words(alerts: pd.DataFrame, language: Language, *, signed_only: bool) -> str:
    """Which routes have an alert, the gravest first."""
    alerts = alerts[alerts["alert_level"] != INFORMATION]
    on_routes = alerts[alerts["route_id"].map(is_route).astype(bool)].drop_duplicates("route_id")
    if on_routes.empty:
        signed, any_ = _("No alert on any route is signed off."), _("No alert is open on any route.")
        return language.text(signed if signed_only else any_)
    listed = [
        f"{route_name(row['route_id'], language)} ({level_name(row['alert_level'], language)})"
        for row in on_routes.to_dict("records")
    ]
    return language.text(_("Alerts: {routes}."), routes=citations.some(listed, language, MOST_NAMED))


def _route_line(release: LoadedRelease, row: Row, language: Language) -> RouteLine:
    route_id, has_forecast = str(row["route_id"]), is_known(row["expected"])
    series_id = numbers.route_series(route_id)
    history = numbers.series_of(release.frame("observations"), series_id).tail(MONTHS_BACK)
    quantiles = numbers.quantiles_of(release.frame("forecasts"), series_id).head(MONTHS_AHEAD)
    return RouteLine(
        route_id=route_id,
        name=route_name(route_id, language),
        level=str(row["level"]),
        expected=language.expected(row["expected"]),
        interval=language.interval(row["low"], row["high"]),
        last=language.counted(row["last_value"]),
        year_before=language.counted(row["year_earlier"]),
        history=history,
        quantiles=quantiles if has_forecast else quantiles.iloc[:0].reindex(columns=list(QUANTILE_LEVELS)),
        why_not="" if has_forecast else _why_not(row, language),
    )


def _why_not(row: Row, language: Language) -> str:
    if not row["last_period"]:
        return language.text(_("no figures, so no forecast"))
    return language.text(_("figures end in {month}: no forecast"), month=language.month(str(row["last_period"])))


def _alert_line(
    release: LoadedRelease, row: Row, cards: citations.Cards, decisions: Decisions, language: Language
) -> AlertLine:
    """What merely informs has neither level nor record, and asks for nothing."""
    subject = subject_name(row, cards, language)
    if informs(row):
        asks = language.text(_("For information: nothing to decide"))
        return AlertLine(subject, replace(alert_report(row, None, language), dots="", record=asks), "")
    report = alert_report(row, rule_record(row, release.frame("track_record")), language)
    return AlertLine(subject, report, status_words(decisions.state(row), language))


def _alerts_note(release: LoadedRelease, shown: int, decisions: Decisions, language: Language) -> str:
    """How many alerts the release has beside those shown, and what a proposal is worth."""
    others = len(release.frame("alerts")) - shown
    if decisions.signed_only:
        texts = ngettext(
            "{n} more was proposed by a rule; it is shown here once a person has signed it off.",
            "{n} more were proposed by rules; they are shown here once a person has signed them off.",
        )
        return language.plural(texts, others) if others else ""
    text = language.text(_("An alert that is not signed off is a rule’s proposal: a person decides."))
    dismissed = language.plural(ngettext("{n} was dismissed.", "{n} were dismissed."), others) if others else ""
    return f"{text} {dismissed}".strip() if shown else dismissed


def _changes(release: LoadedRelease, former: LoadedRelease, decisions: Decisions, language: Language) -> list[str]:
    alerts = release.frame("alerts")
    now = release.with_frame("alerts", decisions.shown(alerts))
    before = former.with_frame("alerts", decisions.shown_before(former.frame("alerts"), alerts))
    return changes(now, before, language)


def _trace(release: LoadedRelease, language: Language) -> str:
    return language.text(
        _(
            "Release {run_id}, made {time} UTC. Its seal: {hash} (SHA-256 of its list of files). Whoever runs Vigie "
            "can check by it that nothing was changed since."
        ),
        run_id=release.run_id,
        time=f"{release.created_at:%Y-%m-%d %H:%M}",
        hash=release.manifest_hash,
    )

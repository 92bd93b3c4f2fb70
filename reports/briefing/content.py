"""What the briefing says, in one reader's language, before it is laid out. Every number comes from the release."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from alerts.lifecycle import ACKNOWLEDGED, SIGNED_OFF
from core.calendar import to_period
from core.languages import Language
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports.alert import alert_sentence
from reports.briefing import caveats, finding, phrases, summaries
from reports.briefing.changes import changes
from reports.briefing.edition import Edition
from reports.briefing.phrases import NOTHING, Row
from reports.briefing.standing import Standing
from reports.names import LEVEL_MARKS, level_name, route_name, subject_name

MONTHS_BACK, MONTHS_DRAWN = 24, 6


NO_FORECAST = _("no forecast")


@dataclass(frozen=True)
class RouteLine:
    """One route: a row of the table, an arrow of the map and a small chart.

    Attributes:
        route_id: Its code.
        name: Its name in the reader's language.
        level: The highest alert shown for it, or empty.
        median: Arrivals expected over the months ahead; not a number where there is no forecast.
        upper90: Upper end of the 80 % interval.
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
    median: float
    upper90: float
    expected: str
    interval: str
    last: str
    year_before: str
    history: pd.DataFrame
    quantiles: pd.DataFrame
    why_not: str


@dataclass(frozen=True)
class AlertLine:
    """One alert: level, its mark and word, subject, sentence, chance, the rule's record, and where it stands.

    The record is ten dots, as many of them full as the rule was right in ten, and the same in words.
    """

    level: str
    badge: str
    subject: str
    sentence: str
    chance: str
    dots: str
    record: str
    standing: str


@dataclass(frozen=True)
class Content:
    """Everything that is written or drawn.

    Attributes:
        words: The reader's language.
        edition: The release.
        months: The months ahead, as they are written.
        title: The finding, one sentence.
        known: As known on which day, and how far figures go.
        exercise: Warning that a past night is replayed, or empty.
        summary: The finding in plain words.
        routes: The most arrivals expected first.
        alerts: The gravest first.
        alerts_note: What is not among them, or empty.
        changes: What the release before said otherwise; None where there was none before.
        changed_since: The day of that release, or empty.
        limits: What a reader must know.
        uses: Intended and prohibited uses.
        citations: Sources with their licences.
        trace: By what the release can be found and checked.
    """

    words: Language
    edition: Edition
    months: str
    title: str
    known: str
    exercise: str
    summary: str
    routes: tuple[RouteLine, ...]
    alerts: tuple[AlertLine, ...]
    alerts_note: str
    changes: tuple[str, ...] | None
    changed_since: str
    limits: tuple[str, ...]
    uses: str
    citations: tuple[str, ...]
    trace: str


def compose(edition: Edition, former: Edition | None, language: str, standing: Standing) -> Content:
    """Write the briefing of one release.

    Args:
        edition: The release.
        former: The release before it, or None.
        language: Code of the language; English where there is no catalogue of it.
        standing: What people have decided about its alerts.
    """
    words, ends = Language(language), summaries.months_ahead(edition.as_of)
    alerts = summaries.by_level(standing.shown(edition.frame("alerts")))
    summary = summaries.route_summary(
        edition.frame("routes"), edition.frame("observations"), edition.frame("trajectories"), alerts, ends
    )
    day = words.day(edition.as_of)
    exercise = words.text(_("Exercise: this repeats what was known on {day}. Nothing is happening now."))
    in_words = finding.alerts_in_words(alerts, words, signed_only=standing.signed_only)
    return Content(
        words=words,
        edition=edition,
        months=phrases.months(words, ends),
        title=finding.title(edition, summary, ends, words),
        known=f"{words.text(_('As known on {day}')).format(day=day)} · {finding.known_to(edition, words)}",
        exercise=exercise.format(day=day) if edition.replay else "",
        summary=" ".join([*finding.summary_of(edition, summary, ends, words), in_words]),
        routes=tuple(_route_line(edition, row, words) for row in summary.to_dict("records")),
        alerts=tuple(_alert_line(edition, row, standing, words) for row in alerts.to_dict("records")),
        alerts_note=_alerts_note(edition, len(alerts), standing, words),
        changes=None if former is None else tuple(_changes(edition, former, standing, words)),
        changed_since="" if former is None else words.day(former.as_of),
        limits=tuple(caveats.limits(edition, summary, words)),
        uses=caveats.uses(words),
        citations=tuple(caveats.citations(edition, alerts, words)),
        trace=_trace(edition, words),
    )


def _route_line(edition: Edition, row: Row, words: Language) -> RouteLine:
    route_id, has_forecast = str(row["route_id"]), summaries.known(row["expected"])
    series_id = summaries.route_series(route_id)
    history = summaries.series_of(edition.frame("observations"), series_id).tail(MONTHS_BACK)
    quantiles = summaries.quantiles_of(edition.frame("forecasts"), series_id).head(MONTHS_DRAWN)
    return RouteLine(
        route_id=route_id,
        name=route_name(route_id, words),
        level=str(row["level"]),
        median=float(row["expected"]),
        upper90=float(row["high"]),
        expected=words.expected(row["expected"]) if has_forecast else NOTHING,
        interval=phrases.interval(words, row["low"], row["high"]),
        last=words.counted(row["last_value"]) if summaries.known(row["last_value"]) else NOTHING,
        year_before=words.counted(row["year_earlier"]) if summaries.known(row["year_earlier"]) else NOTHING,
        history=history,
        quantiles=quantiles if has_forecast else quantiles.iloc[:0],
        why_not="" if has_forecast else _why_not(row, words),
    )


def _why_not(row: Row, words: Language) -> str:
    if not row["last_period"]:
        return words.text(_("no figures, so no forecast"))
    text = words.text(_("figures end in {month}: no forecast"))
    return text.format(month=words.month(str(to_period(str(row["last_period"]), "M"))))


def _alert_line(edition: Edition, row: Row, standing: Standing, words: Language) -> AlertLine:
    level, alert_id = str(row["alert_level"]), str(row["alert_id"])
    dots, record = phrases.record(words, row, edition.frame("track_record"))
    told = {
        SIGNED_OFF: words.text(_("signed off")),
        ACKNOWLEDGED: words.text(_("acknowledged")),
    }
    return AlertLine(
        level=level,
        badge=f"{LEVEL_MARKS[level]} {level_name(level, words)}",
        subject=subject_name(row, edition.sources_in(words), words),
        sentence=alert_sentence(row, words),
        chance=words.percent(row["probability"]) if summaries.known(row["probability"]) else NOTHING,
        dots=dots,
        record=record,
        standing=told.get(standing.states.get(alert_id, ""), words.text(_("not signed off"))),
    )


def _alerts_note(edition: Edition, shown: int, standing: Standing, words: Language) -> str:
    """How many alerts the release has beside those shown, and what a proposal is worth."""
    others = len(edition.frame("alerts")) - shown
    if standing.signed_only:
        texts = ngettext(
            "{n} more was proposed by a rule; it is shown here once a person has signed it off.",
            "{n} more were proposed by rules; they are shown here once a person has signed them off.",
        )
        return words.plural(texts, others) if others else ""
    text = words.text(_("An alert that is not signed off is a rule’s proposal: a person decides."))
    dismissed = words.plural(ngettext("{n} was dismissed.", "{n} were dismissed."), others) if others else ""
    return f"{text} {dismissed}".strip() if shown else dismissed


def _changes(edition: Edition, former: Edition, standing: Standing, words: Language) -> list[str]:
    alerts = edition.frame("alerts")
    now = edition.with_frame("alerts", standing.shown(alerts))
    before = former.with_frame("alerts", standing.shown_before(former.frame("alerts"), alerts))
    return changes(now, before, words)


def _trace(edition: Edition, words: Language) -> str:
    text = words.text(_("Release {run_id}, made {time} UTC. SHA-256 of its manifest: {hash}. Check it with: {command}"))
    made = f"{edition.created_at:%Y-%m-%d %H:%M}"
    return text.format(run_id=edition.run_id, time=made, hash=edition.manifest_hash, command="vigie verify")

"""What the Overview says, in one reader's language: which routes need attention, a card for each, all together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import pandas as pd

from alerts import INFORMATION
from alerts.lifecycle import DISMISSED, ENDED
from core.languages import Language, as_expected, capital
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import ARRIVAL_SERIES
from core.schema import ALL
from reports import ReadableRelease, Row, cards_in, numbers
from reports.alert import AlertReport, alert_report, directed, is_untested, marked_level, rule_record
from reports.alert_list import AWAITED
from reports.answer import not_counted
from reports.changes import DOWN, NEW, UP, change_since, change_words
from reports.names import Sources, route_name, subject_name
from reports.route import in_window
from reports.skill import total_record


@dataclass(frozen=True)
class Card:
    """What one card of the Overview says, all plain text.

    Attributes:
        level: watch, warning, severe, ``awaited``, ``ended`` or ``dismissed``.
        change: Whether its rule is untested, and what has changed since the last release.
        title: Route, with the direction of its alert; of an ended one with its chance if that is still at its cut-off.
        sentence: What is the matter.
        figure: Chance of the alert; empty where nothing is forecast.
        figure_means: What the figure is.
        when: The months meant.
        record: How many such alerts came true.
        route_id: The route; empty where a source is meant.
        alert_id: The alert, where one is open.
    """

    level: str
    change: str
    title: str
    sentence: str
    figure: str = ""
    figure_means: str = ""
    when: str = ""
    record: str = ""
    route_id: str = ""
    alert_id: str = ""


def overview_title(
    alerts: pd.DataFrame, former: pd.DataFrame | None, ended: pd.DataFrame, summary: pd.DataFrame,
    record: pd.DataFrame, language: Language,
) -> str:  # fmt: skip
    """Which routes need attention, in one sentence: those with alerts of tested rules first, then the gravest."""
    firsts = numbers.gravest_by_route(alerts, record).to_dict("records")
    firsts.sort(key=lambda row: is_untested(row, rule_record(row, record)))
    moves = {NEW: _("{route}: new alert, {level}"), UP: _("{route} moves up to {level}"),
             DOWN: _("{route} moves down to {level}")}  # fmt: skip
    parts = []
    for row in firsts[:2]:
        text = moves.get(change_since(row, alerts, former, record).kind, _("{route} stays at {level}"))
        level = marked_level(row, rule_record(row, record), language)
        parts.append(language.text(text, route=route_name(row["route_id"], language), level=level))
    if not parts:
        gone = _("No alert is open on any route; the last ones have ended")
        parts.append(language.text(gone if len(ended) else _("No alert is open on any route")))
    silent = int((summary["state"] != "ok").sum())
    quiet = int(((summary["level"] == "") & (summary["state"] == "ok")).sum())
    if silent:
        parts.append(language.plural(ngettext("no forecast for {n} route", "no forecast for {n} routes"), silent))
    elif len(firsts) == 1 and quiet:
        parts.append(language.plural(ngettext("{n} other route is quiet", "{n} other routes are quiet"), quiet))
    return language.listed(parts)


def cards(
    release: ReadableRelease, former: ReadableRelease | None, summary: pd.DataFrame, language: Language,
    dismissed: Collection[str] = (), behind: Collection[str] = (),
) -> list[Card]:  # fmt: skip
    """Routes with open alerts by level, then the names of those whose alerts have ended or were dismissed.

    Late sources have no card: they stand on the About page and among the alerts.

    Args:
        release: Its alerts are read.
        former: The release before, for comparison.
        summary: Result of :func:`reports.numbers.route_summary`.
        language: The reader's.
        dismissed: Alerts that people have dismissed, by alert_id: they are open no more.
        behind: Alerts whose route has a card on another one, by alert_id: that waits for a decision, they do not.
    """
    alerts, ended, record = map(release.frame, ("alerts", "ended_alerts", "track_record"))
    before = None if former is None else former.frame("alerts")
    is_gone = alerts["alert_id"].isin(list(dismissed))
    put_aside, alerts = alerts[is_gone], alerts[~is_gone]
    firsts = numbers.gravest_by_route(alerts[~alerts["alert_id"].isin(list(behind))], record)
    sources = cards_in(release, language)
    found = []
    for row in firsts.to_dict("records"):
        report = alert_report(row, rule_record(row, record), language)
        change = change_words(change_since(row, alerts, before, record), language)
        card = alert_card(report, directed(row, sources, language), change)
        found.append(replace(card, route_id=str(row["route_id"]), alert_id=str(row["alert_id"])))
    over = dict.fromkeys(ended.loc[ended["alert_level"] != INFORMATION, "route_id"], ENDED)
    over |= dict.fromkeys(put_aside["route_id"], DISMISSED)
    left = not_counted(release, language)
    over |= {one: AWAITED for one in left if one in over}
    names = dict.fromkeys([*left, *summary["route_id"]])
    calm = [one for one in names if one in over and one not in set(firsts["route_id"])]
    return found + [Card(over[one], "", left.get(one) or route_name(one, language), "", route_id=one) for one in calm]


def alert_card(report: AlertReport, subject: str, change: str) -> Card:
    """The card of one open alert."""
    is_forecast = bool(report.lead)
    return Card(
        level=report.level,
        change=" · ".join(filter(None, [report.untested, change])),
        title=subject,
        sentence=report.sentence,
        figure=report.chance if is_forecast else "",
        figure_means=f"{capital(report.lead)} {report.event}".strip(),
        when=" · ".join([report.window, *report.usual]) if is_forecast else "",
        record=f"{report.dots} {report.record}".strip(),
    )


def facts(alerts: pd.DataFrame, sources: Sources, language: Language) -> list[str]:
    """What merely informs, each fact once, with the routes, places or sources that it concerns."""
    about: dict[str, list[str]] = {}
    for row in alerts[alerts["alert_level"] == INFORMATION].to_dict("records"):
        fact = alert_report(row, None, language).sentence.rstrip(".")
        about.setdefault(fact, []).append(subject_name(row, sources, language))
    return [f"{fact} ({', '.join(names)})" for fact, names in about.items()]


@dataclass(frozen=True)
class Together:
    """All routes with a forecast whose figures count persons, over the planning window.

    Attributes:
        title: ``49,400 arrivals expected in February–April 2025``; why there is none, where no route has a forecast or
            only such have one as are added to no total.
        figure: The median as it is written; empty without a total.
        median: The same as a number.
        number: Of the routes; zero without a total.
        low: Lower end of the 80 % interval.
        high: Its upper end.
        year_before: What was counted in the same months a year earlier, as it is written; empty where a month is
            missing.
        record: What such totals were worth, see :func:`reports.skill.total_record`; None where a route is missing.
    """

    title: str
    figure: str = ""
    median: float = 0.0
    number: int = 0
    low: float = 0.0
    high: float = 0.0
    year_before: float | None = None
    record: Row | None = None

    def sentences(self, language: Language) -> list[str]:
        """The range and the year before, a sentence each; nothing without a total."""
        if not self.figure:
            return []
        low, high = language.expected(self.low), language.expected(self.high)
        routes = language.plural(ngettext("On {n} route", "On {n} routes together"), self.number)
        out = [language.text(_("{routes}: 80% interval {low} to {high}."), routes=routes, low=low, high=high)]
        if self.year_before is not None:
            before, change = language.counted(self.year_before), language.change(self.median, self.year_before)
            text = _("A year earlier: {value} counted (forecast {change}).")
            out.append(language.text(text, value=before, change=change))
        return out


def together(release: ReadableRelease, summary: pd.DataFrame, language: Language) -> Together:
    """Add up the routes, path by path.

    Args:
        release: ``observations``, ``trajectories`` and ``total_scores`` are read.
        summary: Result of :func:`reports.numbers.route_summary`.
        language: The reader's.
    """
    ends = numbers.window_ends(release.as_of)
    rows = summary[(summary["state"] == "ok") & summary["expected"].notna()]
    series = numbers.summed(rows)
    total = numbers.expected_total(release.frame("trajectories"), series, ends)
    if total is None and len(rows):
        texts = ngettext(
            "{n} route has a forecast, and is added to no total",
            "{n} routes have a forecast, and are added to no total",
        )
        return Together(language.plural(texts, len(rows)))
    if total is None:
        return Together(language.text(_("No route has figures recent enough for a forecast")))
    before = numbers.counted_a_year_before(release.frame("observations"), series, ends)
    figure = language.expected(total.median)
    texts = ngettext("{expected} arrival expected {when}", "{expected} arrivals expected {when}")
    when = in_window(release.as_of, language)
    title = language.plural(texts, as_expected(total.median), expected=figure, when=when)
    record = total_record(release.frame("total_scores"), ALL) if set(series) == set(ARRIVAL_SERIES) else None
    return Together(title, figure, total.median, len(series), total.low, total.high, before, record)

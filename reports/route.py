"""What a release says about its routes, in one reader's language: titles, cards, key numbers, how far figures go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

import pandas as pd

from alerts.lifecycle import DISMISSED, ENDED
from core.languages import Language, as_counted, as_expected, capital, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import is_route
from reports import numbers
from reports.alert import CONTEXT, AlertReport, alert_report, rule_record
from reports.changes import DOWN, NEW, UP, change_since, change_words
from reports.names import level_name, route_name, subject_name
from reports.release import ReadableRelease, Row

KeyNumber = tuple[str, str, str]
"""Label, value and what stands beneath it."""


class RouteForecast(Protocol):
    """One route as known on one date, as the route page gathers it."""

    @property
    def route_id(self) -> str:
        """Its code."""

    @property
    def origin(self) -> str:
        """Past origin (ISO date), or empty for the release’s own forecast."""

    @property
    def known_on(self) -> dt.date:
        """The date of knowledge."""

    @property
    def horizon(self) -> int:
        """Months ahead to show."""

    @property
    def summary(self) -> Row:
        """Its row of :func:`reports.numbers.route_summary`."""

    @property
    def history(self) -> pd.DataFrame:
        """Counted months: ``time_period, obs_value, obs_flag, end_date``."""

    @property
    def quantiles(self) -> pd.DataFrame:
        """One row per month ahead, one column per level, and ``horizon``, months from the newest count."""

    @property
    def forecast(self) -> pd.DataFrame:
        """Quantile rows, with their flags."""

    @property
    def running(self) -> pd.DataFrame:
        """The month that is running, where it is counted by day: one row at most."""

    @property
    def skill(self) -> tuple[int, int] | None:
        """Months ahead from and up to which the forecast beats the baseline; None without scores."""


@dataclass(frozen=True)
class Card:
    """What one card of the Overview says, all plain text.

    Attributes:
        level: watch, warning, severe, ``ended`` or empty.
        change: What has changed since the last release.
        title: Route.
        sentence: What is the matter, or what is expected.
        figure: Chance of the alert, or arrivals expected.
        figure_means: What the figure is.
        when: The months meant.
        record: How often such warnings were right.
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


def window_words(as_of: dt.date, language: Language) -> str:
    """The planning window by its name: ``February–April 2025``."""
    ends = numbers.window_ends(as_of)
    return language.months(ends[0], ends[-1])


def overview_title(
    alerts: pd.DataFrame, former: pd.DataFrame | None, ended: pd.DataFrame, summary: pd.DataFrame, language: Language
) -> str:
    """Which routes need attention, the gravest first, in one sentence.

    Args:
        alerts: Alerts of the release.
        former: Alerts of the release before; None where it is not at hand.
        ended: Alerts that have ended.
        summary: Result of :func:`reports.numbers.route_summary`.
        language: The reader's.
    """
    firsts = _first_of_each_route(alerts)
    moves = {NEW: _("{route}: new alert, {level}"), UP: _("{route} moves up to {level}"),
             DOWN: _("{route} moves down to {level}")}  # fmt: skip
    parts = []
    for row in firsts.head(2).to_dict("records"):
        kind, _before = change_since(row, alerts, former)
        text = moves.get(kind, _("{route} stays at {level}"))
        parts.append(
            language.text(
                text, route=route_name(row["route_id"], language), level=level_name(row["alert_level"], language)
            )
        )
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
    release: ReadableRelease,
    former: ReadableRelease | None,
    summary: pd.DataFrame,
    language: Language,
    dismissed: Collection[str] = (),
    behind: Collection[str] = (),
) -> list[Card]:
    """Routes with open alerts by level, then with ended ones, then those where nothing is unusual.

    Late sources have no card: they stand on the Data page and among the alerts.

    Args:
        release: Its alerts are read.
        former: The release before, which tells what has changed.
        summary: Result of :func:`reports.numbers.route_summary`.
        language: The reader's.
        dismissed: Alerts that people have dismissed, by alert_id: they are open no more.
        behind: Alerts whose route has a card on another one, by alert_id: that waits for a decision, they do not.
    """
    alerts, ended = release.frame("alerts"), release.frame("ended_alerts")
    before = None if former is None else former.frame("alerts")
    is_gone = alerts["alert_id"].isin(list(dismissed))
    put_aside = _first_of_each_route(alerts[is_gone]).set_index("route_id")["alert_level"]
    alerts = alerts[~is_gone]
    firsts = _first_of_each_route(alerts[~alerts["alert_id"].isin(list(behind))])
    sources = {source_id: language.record(card) for source_id, card in release.sources().items()}
    found = []
    for row in firsts.to_dict("records"):
        report = alert_report(row, rule_record(row, release.frame("track_record")), language)
        change = change_words(change_since(row, alerts, before), language)
        card = alert_card(report, subject_name(row, sources, language), change)
        found.append(replace(card, route_id=str(row["route_id"]), alert_id=str(row["alert_id"])))
    was = ended[~ended["rule"].isin(CONTEXT)].drop_duplicates("route_id").set_index("route_id")["alert_level"]
    calm = [row for row in summary.to_dict("records") if row["route_id"] not in set(firsts["route_id"])]
    calm.sort(key=lambda row: (row["route_id"] not in put_aside.index, row["route_id"] not in was.index))
    return found + [
        quiet_card(row, release.as_of, language, put_aside[row["route_id"]], over=DISMISSED)
        if row["route_id"] in put_aside.index
        else quiet_card(row, release.as_of, language, was.get(row["route_id"], ""))
        for row in calm
    ]


def alert_card(report: AlertReport, subject: str, change: str) -> Card:
    """The card of one open alert."""
    is_forecast = bool(report.chance_word)
    return Card(
        level=report.level,
        change=change,
        title=subject,
        sentence=report.sentence,
        figure=report.chance if is_forecast else "",
        figure_means=f"{capital(report.chance_word)} {report.event}".strip(),
        when=report.window if is_forecast else "",
        record=f"{report.dots} {report.record}".strip() if is_forecast or report.dots else "",
    )


def quiet_card(row: Row, as_of: dt.date, language: Language, was: str = "", *, over: str = ENDED) -> Card:
    """The card of a route without an open alert.

    Args:
        row: The route's row of :func:`reports.numbers.route_summary`.
        as_of: The day of the release.
        language: The reader's.
        was: The level of an alert that is over, or empty.
        over: How that ended: ``ended`` by itself, or ``dismissed`` by people.
    """
    name = route_name(str(row["route_id"]), language)
    if row["state"] != "ok":
        why = without_forecast(row, language)
        return Card("", language.text(_("no forecast")), name, why, route_id=str(row["route_id"]))
    window = window_words(as_of, language)
    said = ngettext(
        "Nothing unusual is expected: most likely {interval} arrivals in {months}.",
        "Nothing unusual is expected: most likely {interval} arrivals in {months}.",
    )
    if was and over == DISMISSED:
        said = ngettext(
            "The alert was dismissed. Most likely {interval} arrivals in {months}.",
            "The alert was dismissed. Most likely {interval} arrivals in {months}.",
        )
    return Card(
        level=over if was else "",
        change=language.text(_("was {level}"), level=level_name(was, language)) if was else "",
        title=name,
        sentence=language.plural(
            said,
            as_expected(row["high"]),
            interval=language.interval_words(row["low"], row["high"]),
            months=window,
        ),
        figure=language.expected(row["expected"]),
        figure_means=language.plural(ngettext("arrival expected", "arrivals expected"), as_expected(row["expected"])),
        when=window,
        route_id=str(row["route_id"]),
    )


def without_forecast(row: Row, language: Language) -> str:
    """Why a route has no forecast.

    Args:
        row: The route's row of :func:`reports.numbers.route_summary`.
        language: The reader's.
    """
    name = route_name(str(row["route_id"]), language)
    if not row["last_period"]:
        return language.text(_("{route}: no figures, so no forecast."), route=name)
    text = _("{route}: latest data {month}, too old for a current forecast.")
    return language.text(text, route=name, month=language.month(str(row["last_period"])))


def known_to(release: ReadableRelease, language: Language) -> str:
    """How far the figures go: ``figures to December 2024, English Channel to January 2025``."""
    routes = release.frame("routes")
    routes = routes[routes["state"] == "ok"]
    if routes.empty:
        return language.text(_("no route has figures recent enough for a forecast"))
    months = pd.to_datetime(routes["origin_date"])
    most = months.mode().iloc[0]
    parts = [language.text(_("figures to {month}"), month=language.month(most))]
    for month, group in routes[months != most].groupby(months):
        named = ", ".join(route_name(route_id, language) for route_id in group["route_id"])
        parts.append(language.text(_("{routes} to {month}"), routes=named, month=language.month(month)))
    return ", ".join(parts)


def title(view: RouteForecast, as_of: dt.date, language: Language) -> str:
    """The route page's title: what is expected, by when, within which range."""
    name = route_name(view.route_id, language)
    if not view.origin:
        if view.summary["state"] != "ok" or not is_known(view.summary["expected"]):
            return without_forecast(view.summary, language).rstrip(".")
        return language.plural(
            ngettext(
                "{route}: {expected} arrival expected in {months}, most likely {interval}",
                "{route}: {expected} arrivals expected in {months}, most likely {interval}",
            ),
            as_expected(view.summary["expected"]),
            route=name,
            expected=language.expected(view.summary["expected"]),
            months=window_words(as_of, language),
            interval=language.interval_words(view.summary["low"], view.summary["high"]),
        )
    if view.quantiles.empty:
        return name
    first = view.quantiles.iloc[0]
    return language.plural(
        ngettext(
            "{route}: on {day}, {expected} arrival was expected in {month}, most likely {interval}",
            "{route}: on {day}, {expected} arrivals were expected in {month}, most likely {interval}",
        ),
        as_expected(first[0.5]),
        route=name,
        day=language.day(view.known_on),
        expected=language.expected(first[0.5]),
        month=language.month(view.quantiles.index[0]),
        interval=language.interval_words(first[0.1], first[0.9]),
    )


def key_numbers(view: RouteForecast, as_of: dt.date, language: Language) -> list[KeyNumber]:
    """What is expected in the planning window, the running month, and the last count."""
    out = []
    if not view.origin and is_known(view.summary["expected"]):
        label = language.text(_("Expected, {months}"), months=window_words(as_of, language))
        interval = _interval(view.summary["low"], view.summary["high"], language)
        out.append((label, language.expected(view.summary["expected"]), interval))
    # The month that is running on the date of knowledge and is not counted yet.
    month = pd.Timestamp(view.known_on).to_period("M").end_time.normalize()
    if not view.origin and month in view.quantiles.index:
        low, middle, high = (float(view.quantiles[level].loc[month]) for level in (0.1, 0.5, 0.9))
        label = language.text(_("This month ({month}, nowcast)"), month=language.month(month))
        out.append((label, language.expected(middle), _interval(low, high, language)))
    if len(view.history):
        last = view.history.iloc[-1]
        texts = {"p": _("Last month ({month}, provisional)"), "e": _("Last month ({month}, estimated)")}
        label = language.text(
            texts.get(last["obs_flag"], _("Last month ({month})")), month=language.month(last["end_date"])
        )
        before = numbers.year_earlier(view.history)
        earlier = language.text(_("{value} a year earlier"), value=language.counted(before))
        out.append((label, language.counted(last["obs_value"]), earlier if is_known(before) else ""))
    return out


def running_words(view: RouteForecast, language: Language) -> str:
    """How many were counted in the running month, and up to which day."""
    if view.running.empty:
        return ""
    row = view.running.iloc[0]
    counted = language.plural(
        ngettext("{month} so far: {counted} counted up to {day}", "{month} so far: {counted} counted up to {day}"),
        as_counted(row["so_far"]),
        month=language.month(row["target_end_date"]),
        counted=language.counted(row["so_far"]),
        day=language.day_short(row["last_day"]),
    )
    expected = language.plural(
        ngettext(
            "{expected} expected in all, most likely {interval}.", "{expected} expected in all, most likely {interval}."
        ),
        as_expected(row["q50"]),
        expected=language.expected(row["q50"]),
        interval=language.interval_words(row["q10"], row["q90"]),
    )
    return capital(language.listed([counted, expected]))


def skill_words(view: RouteForecast, language: Language) -> str:
    """How far ahead the forecast is worth more than the baseline."""
    if view.skill is None:
        return language.text(_("No score for this route in this release."))
    first, last = view.skill
    if view.origin:
        text = _("How far the forecast can be trusted is judged on all past origins, later ones too: see Evaluation.")
        return language.text(text)
    if last == 0:
        return language.text(_("On this route there is no evidence that the forecast is better than the baseline."))
    if first > 1:
        one = _("Better than the baseline {first} months ahead; no evidence at other distances.")
        text = _("Better than the baseline {first} to {last} months ahead; no evidence at other distances.")
        return language.text(one if first == last else text, first=first, last=last)
    if last >= view.quantiles["horizon"].max():
        return language.text(_("Better than the baseline at every horizon shown."))
    texts = ngettext(
        "Better than the baseline {n} month ahead; no evidence beyond.",
        "Better than the baseline up to {n} months ahead; no evidence beyond.",
    )
    return language.plural(texts, last)


def fallback_words(view: RouteForecast, language: Language) -> str:
    """Where the forecast shown is not the ensemble's own: the baseline is used instead, or the cap was applied."""
    rows, parts = view.forecast, []
    for flag, text in (
        ("fallback", _("The baseline stands in for {months}: no model has shown skill at that distance.")),
        ("capped", _("Upper tails were cut by the cap on explosive forecasts in {months}.")),
    ):
        if flag in rows and rows[flag].any():
            ends = pd.DatetimeIndex(rows.loc[rows[flag].astype(bool), "target_end_date"].unique()).sort_values()
            parts.append(language.text(text, months=", ".join(_stretches(ends, language))))
    return " ".join(parts)


def _stretches(ends: pd.DatetimeIndex, language: Language) -> list[str]:
    """Months in words, those that follow each other as one stretch."""
    months = pd.Series(ends, index=ends.to_period("M").astype("int64"))
    begins = months.index.to_series().diff().ne(1).cumsum()
    return [language.months(part.iloc[0], part.iloc[-1]) for _number, part in months.groupby(begins)]


def _first_of_each_route(alerts: pd.DataFrame) -> pd.DataFrame:
    ranked = numbers.by_level(alerts[~alerts["rule"].isin(CONTEXT)])
    return ranked[ranked["route_id"].map(is_route).astype(bool)].drop_duplicates("route_id")


def _interval(low: float, high: float, language: Language) -> str:
    return language.text(_("80% interval {interval}"), interval=language.interval_words(low, high))

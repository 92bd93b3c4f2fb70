"""What a release says otherwise than the one before it, and why each route's forecast moved.

Forecasts are compared for the same months, alerts once per route by the gravest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from alerts import INFORMATION, rank
from alerts.rules.stale_source import NAME as STALE
from core.calendar import is_month
from core.languages import Language, is_known, round_expected
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import is_route
from forecasting.attribution import COUNTS, MODEL, REFIT, REVISIONS
from reports import ReadableRelease, Row, cards_in, numbers
from reports.alert import event_of, informs, limit_of
from reports.files import flag_words
from reports.names import level_name, route_name, routes_together, source_name, subject_name
from reports.route import expected_words, window_words

LEAST_CHANGE = 0.05
"""Chances that moved by less are not worth a line."""
SMALLEST_SHARE = 0.02
"""Share of the larger forecast below which a step is counted among the others; the files hold every one."""
OTHERS = "others"
_FIGURES = {
    (True, True): _("{month}: {value} counted, {before} estimated before ({source})"),
    (True, False): _("{month}: {value} counted, {before} forecast ({source})"),
    (False, True): _("{month}: {value} estimated now, {before} before ({source})"),
    (False, False): _("{month}: {value} estimated, {before} forecast ({source})"),
}
"""A month's new figure, by whether it is counted now and was estimated then."""
NEW, UP, DOWN, UNCHANGED = "new", "up", "down", "unchanged"


@dataclass(frozen=True)
class Change:
    """How an alert compares with the release before.

    Attributes:
        kind: ``new``, ``up``, ``down`` or ``unchanged``.
        level: The level before, or an empty text.
        before: The alert before, where it was about another number or other months; else None.
    """

    kind: str
    level: str = ""
    before: Row | None = None


def change_since(alert: Row, alerts: pd.DataFrame, former: pd.DataFrame | None, record: pd.DataFrame) -> Change:
    """How an alert compares with the release before: the gravest of its route or source by that one's gravest.

    Any other alert is compared with what the same rule said there.

    Args:
        alert: One of ``alerts``.
        alerts: Alerts of the release.
        former: Alerts of the release before; None where it is not at hand, then the alert's own column counts.
        record: The release's ``track_record``.
    """
    if former is None:
        return Change(str(alert["change"]))
    own, before = (numbers.by_level(frame[_subjects(frame) == _subject(alert)], record) for frame in (alerts, former))
    if len(own) and own["alert_id"].iloc[0] != alert["alert_id"]:
        before = before[before["rule"] == alert["rule"]]
    if before.empty:
        return Change(NEW)
    row = before.to_dict("records")[0]
    moved = rank(str(alert["alert_level"])) - rank(str(row["alert_level"]))
    kind = UP if moved > 0 else DOWN if moved < 0 else UNCHANGED
    is_same = (limit_of(row), *_months(row)) == (limit_of(alert), *_months(alert))
    return Change(kind, str(row["alert_level"]), None if is_same else row)


def change_words(change: Change, language: Language) -> str:
    """A change in few words: ``down from Severe``; what was another event then is named."""
    words = {NEW: _("new"), UP: _("moved up"), DOWN: _("moved down"), UNCHANGED: _("unchanged")}
    said = language.text(words.get(change.kind, change.kind))
    if change.level and change.kind in {UP, DOWN}:
        text = _("up from {level}") if change.kind == UP else _("down from {level}")
        said = language.text(text, level=level_name(change.level, language))
    about = "" if change.before is None else event_words(change.before, language)
    return language.text(_("{change} (then {event})"), change=said, event=about) if about else said


def event_words(alert: Row, language: Language) -> str:
    """What an alert is about, in few words: ``4,973 a month, January–March 2025``."""
    limit, (first, last) = limit_of(alert), _months(alert)
    if not (is_known(limit) and is_month(first) and is_month(last)):
        return ""
    text = _("{threshold} a month, {months}")
    return language.text(text, threshold=language.counted(limit), months=language.months(first, last))


def _months(alert: Row) -> tuple[str, str]:
    return str(alert.get("first_period") or ""), str(alert.get("last_period") or "")


def changes_title(now: ReadableRelease, former: ReadableRelease, language: Language) -> str:
    """What :func:`changes` compares: with which release, and for which months."""
    text = _("Since the last release, {day}: forecasts for {months}")
    return language.text(text, day=language.day(former.as_of), months=window_words(now.as_of, language))


def moves(now: ReadableRelease, former: ReadableRelease) -> list[Move]:
    """How each route's forecast moved, the largest move first."""
    found = [move_of(now, former, str(route_id)) for route_id in now.frame("routes")["route_id"]]
    return sorted(filter(None, found), key=lambda move: -abs(move.change))


def total_move(now: ReadableRelease, former: ReadableRelease) -> Move | None:
    """How the sum of several routes moved; None where there are fewer than two or a release lacks one of them."""
    ends, series = numbers.window_ends(now.as_of), numbers.summed(now.frame("routes"))
    after, before = (numbers.expected_total(one.frame("trajectories"), series, ends) for one in (now, former))
    return Move("", former.as_of, before, after, {}) if len(series) > 1 and after and before else None


def changes(now: ReadableRelease, former: ReadableRelease, language: Language) -> list[str]:
    """One sentence for each thing that the release before this one said otherwise; the largest move, then the sum lead.

    Args:
        now: The release: ``alerts``, ``attribution``, ``nowcasts``, ``observations``, ``routes`` and ``trajectories``
            are read.
        former: The release before it: the same but ``attribution``, and ``forecasts``, are read.
        language: The reader's.
    """
    moved = [move for move in moves(now, former) if move.written]
    said = [move_words(move, cards_in(now, language), language) for move in moved]
    total, name = total_move(now, former), routes_together(len(numbers.summed(now.frame("routes"))), language)
    sums = [language.labelled(name, moved_words(total, language))] if total and total.written else []
    alerts, over = _alert_changes(now, former, language)
    found = [*said[:1], *sums, *alerts, *over, *said[1:], *_late_sources(now, former, language)]
    return list(dict.fromkeys(found))


def reasons(now: ReadableRelease, former: ReadableRelease, moved: Iterable[Move], language: Language) -> list[str]:
    """What a table of routes cannot show: the largest step of each move, open alerts that changed, late sources."""
    sources = cards_in(now, language)
    alerts, _over = _alert_changes(now, former, language)
    small = language.text(_("small steps only"))
    steps = [(one, chief_words(one, sources, language) or small) for one in moved if one.written]
    said = [f"{route_name(one.route_id, language)} {language.signed(one.written)}, {step}" for one, step in steps]
    return list(dict.fromkeys([*said, *alerts, *_late_sources(now, former, language)]))


@dataclass(frozen=True)
class Figure:
    """The newest month of a source's new figures, as two releases have it.

    Attributes:
        end: Its last day.
        value: The route's count; of a month that is running the median of its nowcast, rounded.
        is_counted: Whether the month is over, and no part of it is estimated.
        before: Median of the release before.
        was_estimated: Whether that was an estimate with days of the month counted, and not a forecast.
    """

    end: pd.Timestamp
    value: float
    is_counted: bool
    before: float
    was_estimated: bool


@dataclass(frozen=True)
class Move:
    """How the median of a route's planning window moved since the release before, for the same months.

    Attributes:
        route_id: The route.
        then: The day of the release before.
        before: What it expected.
        now: What this one expects.
        steps: By how much each step moved it, by ``core.release.ATTRIBUTION``'s names.
        figures: By source, where a month and both numbers are known.
    """

    route_id: str
    then: dt.date
    before: numbers.Expected
    now: numbers.Expected
    steps: Mapping[str, float]
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def change(self) -> float:
        """By how much the median moved."""
        return self.now.median - self.before.median

    @property
    def written(self) -> float:
        """By how much its written number moved."""
        return round_expected(self.now.median) - round_expected(self.before.median)

    def seen(self) -> dict[str, float]:
        """Return the steps that are large enough to be named, then the others in one, as they are written.

        Each leads from one written number to the next, so they add up to what the written forecast moved by.
        """
        least, level, said = SMALLEST_SHARE * max(self.before.median, self.now.median), self.before.median, {}
        parts = {step: value for step, value in self.steps.items() if abs(value) >= least}
        for step, value in (parts | {OTHERS: self.change - sum(parts.values())}).items():
            said[step] = round_expected(level + value) - round_expected(level)
            level += value
        return {step: value for step, value in said.items() if value}


def move_of(now: ReadableRelease, former: ReadableRelease, route_id: str) -> Move | None:
    """How one route's forecast moved; None where a release has none for the window."""
    series_id, ends = numbers.route_series(route_id), numbers.window_ends(now.as_of)
    rows = now.frame("attribution")
    rows = rows[(rows["series_id"] == series_id) & (rows["quantity"] == "total")]
    expected, before = (numbers.expected_total(one.frame("trajectories"), [series_id], ends) for one in (now, former))
    if rows.empty or expected is None or before is None:
        return None
    steps = dict(zip(rows["step"], rows["value"], strict=True))
    before = replace(before, median=expected.median - sum(steps.values()))
    return Move(route_id, former.as_of, before, expected, steps, _figures(now, former, route_id))


def _figures(now: ReadableRelease, former: ReadableRelease, route_id: str) -> dict[str, Figure]:
    """The newest month of each source with new days or months on a route."""
    series_id = numbers.route_series(route_id)
    rows, known = (one.frame("observations") for one in (now, former))
    rows = rows[(rows["route_id"] == route_id) & rows["freq"].isin(["D", "M"])]
    cell = ["source_id", "series_id", "time_period"]
    is_new = ~pd.MultiIndex.from_frame(rows[cell]).isin(pd.MultiIndex.from_frame(known[cell]))
    months = rows[is_new].groupby("source_id")["time_period"].max().str[:7]
    months_known = numbers.series_of(rows, series_id).set_index("end_date")
    counts, flags = months_known["obs_value"], months_known["obs_flag"]
    running = numbers.running_month(now.frame("nowcasts"), series_id).set_index("target_end_date")["q50"]
    medians = numbers.quantiles_of(former.frame("forecasts"), series_id)[0.5]
    found = {}
    for source_id, month in months.items():
        end = pd.Period(month, "M").end_time.normalize()
        values = counts if end in counts.index else running
        if end in values.index and end in medians.index:
            was_estimated = numbers.estimated_at_end(former.frame("nowcasts"), series_id, end) is not None
            is_counted = values is counts and "e" not in flags[end]
            value = float(values[end]) if values is counts else round_expected(values[end])
            found[str(source_id)] = Figure(end, value, is_counted, float(medians[end]), was_estimated)
    return found


def moved_words(move: Move, language: Language) -> str:
    """``12,500, up from 8,500``, and whether that lies outside the former 80 % interval."""
    now, before = language.expected(move.now.median), language.expected(move.before.median)
    text = _("{now}, down from {before}") if move.change < 0 else _("{now}, up from {before}")
    if now == before:
        text = _("{now}, as in the release before")
    said = language.text(text, now=now, before=before)
    if not (side := move.before.side(move.now.median)):
        return said
    text = _("{moved}, above the former 80% interval ({interval})")
    if side < 0:
        text = _("{moved}, below the former 80% interval ({interval})")
    return language.text(text, moved=said, interval=language.interval_words(move.before.low, move.before.high))


def move_words(move: Move, sources: Mapping[str, Mapping[str, object]], language: Language) -> str:
    """The same with the largest step that leads there, after the route's name."""
    return language.labelled(route_name(move.route_id, language), why_words(move, sources, language))


def why_words(move: Move, sources: Mapping[str, Mapping[str, object]], language: Language) -> str:
    """How a forecast moved, and the largest step that leads there; the chart of steps has the others.

    ``12,500, up from 8,500; mostly (+3,500) because of December 2024: 3,163 counted, 2,200 forecast (IOM)``.
    """
    return language.listed(filter(None, [moved_words(move, language), chief_words(move, sources, language)]))


def chief_words(move: Move, sources: Mapping[str, Mapping[str, object]], language: Language) -> str:
    """The largest step that leads there, and whether it is at least half of the way; an empty text without one."""
    if not (steps := {step: value for step, value in move.seen().items() if step != OTHERS}):
        return ""
    step = max(steps, key=lambda one: steps[one] * (1 if move.change >= 0 else -1))
    words = step_words(step, move, sources, language)
    text = _("partly ({change}) because of {step}")
    if abs(steps[step]) >= abs(move.written) / 2:
        text = _("mostly ({change}) because of {step}")
    return language.text(text, change=language.signed(steps[step]), step=words)


def step_words(
    step: str, move: Move, sources: Mapping[str, Mapping[str, object]], language: Language, *, brief: bool = False
) -> str:
    """A step in a few words: ``January 2025: 1,100 estimated, 2,100 forecast (UK)``.

    A month is named only where its figure differs in the direction in which the step moved the forecast. In brief:
    ``Jan 2025: 1,100; 2,100 expected on 31 Dec 2024``.
    """
    kind, _colon, source_id = step.partition(":")
    publisher, _comma, _unit = source_name(source_id, sources, language).partition(",")
    figure = move.figures.get(source_id)
    if kind == COUNTS and figure and (figure.value - figure.before) * move.steps[step] > 0:
        month = language.month_short(figure.end, year=True) if brief else language.month(figure.end)
        figures = _("{month}: {value}; {before} expected on {day}")
        text = figures if brief else _FIGURES[figure.is_counted, figure.was_estimated]
        return language.text(
            text, month=month, value=language.counted(figure.value), before=language.expected(figure.before),
            source=publisher, day=language.day_short(move.then),
        )  # fmt: skip
    if kind == COUNTS and figure:
        text = _("new figures to {month} ({source})")
        return language.text(text, month=language.month(figure.end), source=publisher)
    texts = {
        COUNTS: _("new figures ({source})"), REVISIONS: _("revised figures ({source})"),
        REFIT: _("models fitted anew"), MODEL: _("another version of the model"), OTHERS: _("other steps"),
    }  # fmt: skip
    return language.text(texts[kind], source=publisher)


def _subject(alert: Row) -> str:
    """Route, place or source; what only informs is compared by itself."""
    subject = str(alert["route_id"] if is_route(str(alert["route_id"])) else alert["source_id"] or alert["route_id"])
    return f"{subject} {alert['rule']}" if informs(alert) else subject


def _subjects(alerts: pd.DataFrame) -> pd.Series:
    return pd.Series([_subject(row) for row in alerts.to_dict("records")], index=alerts.index, dtype=object)


def _alert_changes(now: ReadableRelease, former: ReadableRelease, language: Language) -> tuple[list[str], list[str]]:
    """What became of the gravest alert of each route or source: of those that are open, of those that have ended."""
    gravest, record = [], now.frame("track_record")
    for frame in (now.frame("alerts"), former.frame("alerts")):
        alerts = numbers.by_level(frame[frame["alert_level"] != INFORMATION], record)
        gravest.append(alerts.assign(subject=_subjects(alerts)).drop_duplicates("subject"))
    both = gravest[0].merge(gravest[1], on="subject", how="outer", suffixes=("", "_before"), indicator=True, sort=False)
    sources = cards_in(now, language)
    texts: list[str] = []
    ended: dict[str, list[str]] = {}
    for row in both.to_dict("records"):
        named = row | {name: row[f"{name}_before"] for name in ("route_id", "source_id") if pd.isna(row[name])}
        name = subject_name(named, sources, language)
        if row["_merge"] == "right_only":
            ended.setdefault(str(row["alert_level_before"]), []).append(name)
        else:
            texts.append(_alert_change(row, name, language))
    text = _("{level} has ended")
    over = [
        language.labelled(language.text(text, level=level_name(level, language)), ", ".join(names))
        for level, names in ended.items()
    ]
    return [text for text in texts if text], over


def _alert_change(row: Row, name: str, language: Language) -> str:
    """What became of it, or an empty text."""
    before, level = (
        level_name(str(row[column]), language) if isinstance(row[column], str) else ""
        for column in ("alert_level_before", "alert_level")
    )
    if not before:
        return language.text(_("{subject}: new alert, {level}"), subject=name, level=level)
    if level != before:
        return language.text(_("{subject}: from {before} to {now}"), subject=name, before=before, now=level)
    return _chance_change(row, name, language) if row["rule"] == row["rule_before"] else ""


def _chance_change(row: Row, name: str, language: Language) -> str:
    """How far the chance of the same event moved, or an empty text."""
    now, before = row["probability"], row["probability_before"]
    if not all(map(is_known, (now, before, limit_of(row)))) or abs(now - before) < LEAST_CHANGE:
        return ""
    words = {"event": event_of(row, language), "before": language.percent(before), "now": language.percent(now)}
    return language.text(_("{subject}: chance {event} from {before} to {now}"), subject=name, **words)


def _late_sources(now: ReadableRelease, former: ReadableRelease, language: Language) -> list[str]:
    """How many sources are late that were not, and the other way round; which ones, the About page says."""
    late_now, late_before = (
        {*frame.loc[frame["rule"] == STALE, "source_id"]} for frame in (now.frame("alerts"), former.frame("alerts"))
    )
    late, back = len(late_now - late_before), len(late_before - late_now)
    more = ngettext("{n} more source is late", "{n} more sources are late")
    fewer = ngettext("{n} source is up to date again", "{n} sources are up to date again")
    return [language.plural(texts, n) for texts, n in ((more, late), (fewer, back)) if n]


def new_counts(now: ReadableRelease, former: ReadableRelease, language: Language) -> list[str]:
    """Months that closed since, a sentence for each: every route's count beside what was expected of it."""
    closed: dict[str, list[str]] = {}
    for route_id in now.frame("routes")["route_id"]:
        series_id = numbers.route_series(route_id)
        counts, before = (numbers.series_of(one.frame("observations"), series_id) for one in (now, former))
        fresh = counts[~counts["time_period"].isin(before["time_period"])]
        if len(fresh) and len(before):
            last = fresh.iloc[-1]
            expected = numbers.expected_before(now.frame("backtest"), series_id, last["end_date"])
            estimate = numbers.estimated_at_end(former.frame("nowcasts"), series_id, last["end_date"])
            name, flags = route_name(route_id, language), flag_words(last["obs_flag"], language)
            said = count_words(name, last, expected, estimate, language, flags)
            closed.setdefault(str(last["time_period"]), []).append(said)
    text = _("Counted in {month}")
    return [
        language.labelled(language.text(text, month=language.month(month)), ", ".join(said))
        for month, said in sorted(closed.items())
    ]


def count_words(
    name: str,
    last: Row | pd.Series,
    expected: numbers.Expected | None,
    estimate: tuple[float, pd.Timestamp] | None,
    language: Language,
    flags: str = "",
) -> str:
    """A closed month's count with what was expected of it.

    ``Malta 3,163 (5,000 expected on 30 Apr 2024; estimate of 29 May 2024: 2,200)``.

    Args:
        name: What is counted.
        last: The count: ``end_date``, ``obs_value``.
        expected: See :func:`reports.numbers.expected_before`.
        estimate: See :func:`reports.numbers.estimated_at_end`.
        language: The reader's.
        flags: Whether the count is provisional or estimated, in words.
    """
    beside = [flags] if flags else []
    beside += [expected_words(expected.median, last["end_date"], language)] if expected else []
    if estimate is not None:
        text = _("estimate of {day}: {value}")
        beside.append(language.text(text, day=language.day_short(estimate[1]), value=language.expected(estimate[0])))
    said = f"{name} {language.counted(last['obs_value'])}"
    return f"{said} ({language.listed(beside)})" if beside else said

"""What a release says otherwise than the one before it: each route is compared once, by its gravest alert."""

from __future__ import annotations

import pandas as pd

from alerts import rank
from alerts.rules.stale_source import NAME as STALE
from core.languages import Language, as_expected, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import is_route
from reports import ReadableRelease, Row, cards_in, numbers
from reports.alert import CONTEXT, by_event, limit_of
from reports.names import level_name, route_name, subject_name

LEAST_CHANGE = 0.05
"""Chances that moved by less are not worth a line."""
NEW, UP, DOWN, UNCHANGED = "new", "up", "down", "unchanged"


def change_since(alert: Row, alerts: pd.DataFrame, former: pd.DataFrame | None) -> tuple[str, str]:
    """How an alert compares with the release before: the gravest of its route or source by that one's gravest.

    Any other alert is compared with what the same rule said there.

    Args:
        alert: One of ``alerts``.
        alerts: Alerts of the release.
        former: Alerts of the release before; None where it is not at hand, then the alert's own column counts.

    Returns:
        ``new``, ``up``, ``down`` or ``unchanged``, and the level before or an empty text.
    """
    if former is None:
        return str(alert["change"]), ""
    own, before = (numbers.by_level(frame[_subjects(frame) == _subject(alert)]) for frame in (alerts, former))
    if len(own) and own["alert_id"].iloc[0] != alert["alert_id"]:
        before = before[before["rule"] == alert["rule"]]
    if before.empty:
        return NEW, ""
    level = str(before["alert_level"].iloc[0])
    moved = rank(str(alert["alert_level"])) - rank(level)
    return (UP if moved > 0 else DOWN if moved < 0 else UNCHANGED), level


def change_words(change: tuple[str, str], language: Language) -> str:
    """A change in few words: ``down from Severe``."""
    kind, before = change
    words = {NEW: _("new"), UP: _("moved up"), DOWN: _("moved down"), UNCHANGED: _("unchanged")}
    if before and kind in {UP, DOWN}:
        text = _("up from {level}") if kind == UP else _("down from {level}")
        return language.text(text, level=level_name(before, language))
    return language.text(words.get(kind, kind))


def changes(now: ReadableRelease, former: ReadableRelease, language: Language) -> list[str]:
    """One sentence for each thing that the release before this one said otherwise.

    Args:
        now: The release: ``alerts``, ``observations`` and ``routes`` are read.
        former: The release before it: ``alerts``, ``observations`` and ``forecasts`` are read.
        language: The reader's.
    """
    found = [
        *_alert_changes(now, former, language),
        *_late_sources(now, former, language),
        *_new_counts(now, former, language),
    ]
    return list(dict.fromkeys(found))


def _subject(alert: Row) -> str:
    """Route, place or source; what only informs is compared by itself."""
    subject = str(alert["route_id"] if is_route(str(alert["route_id"])) else alert["source_id"] or alert["route_id"])
    return f"{subject} {alert['rule']}" if alert["rule"] in CONTEXT else subject


def _subjects(alerts: pd.DataFrame) -> pd.Series:
    return pd.Series([_subject(row) for row in alerts.to_dict("records")], index=alerts.index, dtype=object)


def _alert_changes(now: ReadableRelease, former: ReadableRelease, language: Language) -> list[str]:
    """What became of the gravest alert of each route or source."""
    gravest = []
    for frame in (now.frame("alerts"), former.frame("alerts")):
        alerts = numbers.by_level(frame[~frame["rule"].isin(CONTEXT)])
        gravest.append(alerts.assign(subject=_subjects(alerts)).drop_duplicates("subject"))
    both = gravest[0].merge(gravest[1], on="subject", how="outer", suffixes=("", "_before"), indicator=True, sort=False)
    sources = cards_in(now, language)
    texts = []
    for row in both.to_dict("records"):
        named = row | {name: row[f"{name}_before"] for name in ("route_id", "source_id") if pd.isna(row[name])}
        texts.append(_alert_change(row, subject_name(named, sources, language), language))
    return [text for text in texts if text]


def _alert_change(row: Row, name: str, language: Language) -> str:
    """What became of it, or an empty text."""
    before, level = (
        level_name(str(row[column]), language) if isinstance(row[column], str) else ""
        for column in ("alert_level_before", "alert_level")
    )
    if not before:
        return language.text(_("{subject}: new alert, {level}"), subject=name, level=level)
    if not level:
        return language.text(_("{subject}: {level} has ended"), subject=name, level=before)
    if level != before:
        return language.text(_("{subject}: from {before} to {now}"), subject=name, before=before, now=level)
    return _chance_change(row, name, language) if row["rule"] == row["rule_before"] else ""


def _chance_change(row: Row, name: str, language: Language) -> str:
    """How far the chance of the same event moved, or an empty text."""
    now, before, limit = row["probability"], row["probability_before"], limit_of(row)
    if not all(map(is_known, (now, before, limit))) or abs(now - before) < LEAST_CHANGE:
        return ""
    text = by_event(
        str(row["rule"]),
        passing=_("{subject}: chance to pass {threshold} from {before} to {now}"),
        reaching=_("{subject}: chance to reach {threshold} from {before} to {now}"),
        falling=_("{subject}: chance to fall to {threshold} from {before} to {now}"),
    )
    return language.text(
        text,
        subject=name,
        before=language.percent(before),
        now=language.percent(now),
        threshold=language.counted(limit),
    )


def _late_sources(now: ReadableRelease, former: ReadableRelease, language: Language) -> list[str]:
    """How many sources are late that were not, and the other way round; which ones, the Data page says."""
    late_now, late_before = (
        {*frame.loc[frame["rule"] == STALE, "source_id"]} for frame in (now.frame("alerts"), former.frame("alerts"))
    )
    late, back = len(late_now - late_before), len(late_before - late_now)
    more = ngettext("{n} more source is late", "{n} more sources are late")
    fewer = ngettext("{n} source is up to date again", "{n} sources are up to date again")
    return [language.plural(texts, n) for texts, n in ((more, late), (fewer, back)) if n]


def _new_counts(now: ReadableRelease, former: ReadableRelease, language: Language) -> list[str]:
    """Months that closed since, a sentence for each: every route's count beside what the former release expected."""
    closed: dict[str, list[str]] = {}
    for route_id in now.frame("routes")["route_id"]:
        series_id = numbers.route_series(route_id)
        counts, before = (numbers.series_of(one.frame("observations"), series_id) for one in (now, former))
        fresh = counts[~counts["time_period"].isin(before["time_period"])]
        if len(fresh) and len(before):
            last = fresh.iloc[-1]
            said = _new_count(last, former.frame("forecasts"), route_id, language)
            closed.setdefault(str(last["time_period"]), []).append(said)
    text = _("Counted in {month}")
    return [
        language.labelled(language.text(text, month=language.month(month)), ", ".join(said))
        for month, said in sorted(closed.items())
    ]


def _new_count(last: pd.Series, forecasts: pd.DataFrame, route_id: str, language: Language) -> str:
    quantiles = numbers.quantiles_of(forecasts, numbers.route_series(route_id))
    name, value = route_name(route_id, language), language.counted(last["obs_value"])
    if last["end_date"] not in quantiles.index or 0.5 not in quantiles:
        return f"{name} {value}"
    median = float(quantiles[0.5].loc[last["end_date"]])
    texts = ngettext("{route} {value} ({expected} expected)", "{route} {value} ({expected} expected)")
    return language.plural(texts, as_expected(median), route=name, value=value, expected=language.expected(median))

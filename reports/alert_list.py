"""The list of a release's alerts, and behind one of them its season, reasons and history, in a reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from alerts import INFORMATION, LEVELS, place_of
from alerts.lifecycle import (
    ACKNOWLEDGED,
    ANNOUNCED,
    ANSWERED,
    COMMENTED,
    CORRECTION,
    DELIVERY,
    DISMISSED,
    DISSENTED,
    ENDED,
    NOT_SENT,
    OBJECTIONS,
    PROPOSED,
    RAISED,
    SENT,
    SIGNED_OFF,
    STEPS_OF_A_NIGHT,
    UPDATED,
    WITHDRAWN,
    State,
)
from alerts.rules import EXCEEDANCE
from alerts.verification import FEWEST_EVENTS
from core.calendar import planning_window
from core.errors import InputError
from core.languages import Language, capital, is_known, uncapital
from core.languages import marked as _
from core.routes import ROUTES, is_route
from core.schema import ALL, Entry
from core.settings import FEED
from forecasting.scenarios import given
from reports import ReadableRelease, Row, numbers, reception, whatif
from reports.alert import FALLS, directed, event_of, informs, is_judged, is_untested, rule_record
from reports.answer import awaits_count, month_flagged, newest_count, night_steps, origin_of_threshold
from reports.citations import SOURCES_OF_REASONS
from reports.names import country_name, rule_name, source_name, subject_name
from reports.record import watch_words
from reports.route import so_far_words

ENDED_KEY = ":ended"
WAITS, DECIDED, AWAITED, INFORMS, OVER = "waits", "decided", "awaited", "informs", "over"
"""What an alert asks of the reader, beside ``DISMISSED``."""
GROUPS = (WAITS, DECIDED, AWAITED, INFORMS, DISMISSED, OVER)
SHOWN = {"waiting": (WAITS,), "open": (WAITS, DECIDED), "context": (INFORMS,), "ended": (AWAITED, DISMISSED, OVER)}
"""Groups that a filter leaves."""
SHOWN_ONCE = ["group", "subject", "rule", "reason", "first_period"]
"""Columns in which the alerts agree that are one fact about several routes."""
STEPS = {
    SIGNED_OFF: _("Signed off"), ACKNOWLEDGED: _("Acknowledged"), DISMISSED: _("Dismissed"), COMMENTED: _("Comment"),
    DISSENTED: _("Dissent"), CORRECTION: _("Correction"),
}  # fmt: skip
MESSAGES = {
    RAISED: _("new alert"), UPDATED: _("renewed alert"), ENDED: _("end of the alert"), WITHDRAWN: _("withdrawal"),
}  # fmt: skip
"""What people do with an alert, and the kinds of messages about it."""


def all_alerts(release: ReadableRelease) -> pd.DataFrame:
    """Open alerts by level, then ended ones; ``key`` names each, ``ended`` (bool) distinguishes them.

    An ended one is ``awaited`` (bool) where a month without a count may have brought its event.
    """
    opened = numbers.by_level(release.frame("alerts"), release.frame("track_record"))
    opened = opened.assign(key=opened["alert_id"], ended=False, awaited=False)
    over = release.frame("ended_alerts")
    awaited = [awaits_count(row, release) for row in over.to_dict("records")]
    over = over.assign(key=over["alert_id"].astype(str) + ENDED_KEY, ended=True, awaited=awaited)
    return opened if over.empty else pd.concat([opened, over], ignore_index=True)


def grouped(alerts: pd.DataFrame, status: Mapping[str, str]) -> pd.DataFrame:
    """The alerts with ``group``: what each asks of the reader, those that wait to be decided first."""
    groups = [
        (AWAITED if row["awaited"] else OVER) if row["ended"]
        else INFORMS if informs(row)
        else {PROPOSED: WAITS, DISMISSED: DISMISSED}.get(status[str(row["alert_id"])], DECIDED)
        for row in alerts.to_dict("records")
    ]  # fmt: skip
    order = pd.Series(groups, index=alerts.index, dtype=object).map(GROUPS.index)
    return alerts.assign(group=groups, _order=order).sort_values("_order", kind="stable").drop(columns="_order")


def chosen_alerts(alerts: pd.DataFrame, show: str, levels: list[str], route_id: str) -> pd.DataFrame:
    """The alerts that the filters leave."""
    kept = alerts["alert_level"].isin([*levels, INFORMATION]) & alerts["group"].isin(SHOWN.get(show, GROUPS))
    if route_id != ALL:
        kept &= alerts["route_id"] == route_id
    return alerts[kept].reset_index(drop=True)


def with_subjects(release: ReadableRelease, alerts: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The alerts with ``subject``, what each is about: of a fact that concerns several routes, all of them."""
    sources = release.sources()
    alerts = alerts.assign(subject=[subject_name(row, sources, language) for row in alerts.to_dict("records")])
    is_fact = alerts["reason_key"].isin(list(SOURCES_OF_REASONS)) & alerts["group"].eq(INFORMS)
    facts = alerts[is_fact].groupby(["reason", "first_period", "last_period"])["subject"]
    alerts.loc[is_fact, "subject"] = facts.transform(", ".join)
    return alerts


def fact_words(release: ReadableRelease, row: Row, language: Language) -> list[str]:
    """The months and the publishers of a fact about a country of origin; empty of any other alert."""
    observations, target = release.frame("observations"), SOURCES_OF_REASONS.get(str(row["reason_key"]))
    sources, cards = observations.loc[observations["target"] == target, "source_id"].unique(), release.sources()
    names = [source_name(str(one), cards, language) for one in sources]
    months = language.months(str(row["first_period"]), str(row["last_period"])) if target else ""
    return [text for text in (months, ", ".join(names)) if text]


def nearest(release: ReadableRelease, language: Language) -> pd.DataFrame:
    """Each route's high and low event nearest to an alert, those first that reach most of their cut-off.

    Those of untested rules come last.

    Returns:
        Rows of ``alert_chances`` with ``name``, ``event`` and ``untested``; none where none is known.
    """
    rows, record = release.frame("alert_chances"), release.frame("track_record")
    keyed = rows.assign(_part=rows["probability"] / rows["cutoff"], _falls=rows["rule"].isin(list(FALLS)))
    keyed = keyed[rows["probability"] < rows["prepare_from"]].sort_values("_part", ascending=False, kind="stable")
    found = keyed.drop_duplicates(["route_id", "_falls"])[rows.columns].reset_index(drop=True)
    events = found.assign(alert_level=LEVELS[0], horizon=0).to_dict("records")
    return found.assign(
        name=[directed(row, {}, language) for row in events],
        event=[f"{event_of(row, language)} ({uncapital(rule_name(row, language))})" for row in events],
        untested=[is_untested(row, rule_record(row, record)) for row in events],
    ).sort_values("untested", kind="stable", ignore_index=True)


def unusual_words(rows: pd.DataFrame, language: Language) -> str:
    """Which row of :func:`nearest` has a chance farthest above the usual one; empty where none is above it."""
    above = rows[rows["probability"] > rows["base_rate"]]
    if above.empty:
        return ""
    row = above.assign(_gap=above["probability"] - above["base_rate"]).sort_values("_gap").to_dict("records")[-1]
    text = _("Farthest above its usual chance: {name} ({chance} {event}; usually {usual}).")
    if row["untested"]:
        text = _("Farthest above its usual chance: {name} ({chance} {event}; usually {usual}), by an untested rule.")
    return language.text(
        text, name=row["name"], event=event_of(row, language),
        chance=language.percent(row["probability"], brief=True), usual=language.share(row["base_rate"]),
    )  # fmt: skip


def unlikely_words(row: Row, language: Language) -> str:
    """Why an unlikely event is an alert; empty of any other."""
    chance = row["probability"]
    if informs(row) or not is_known(chance) or chance >= 0.5 or not is_known(row["cutoff"]):
        return ""
    text = _("{word}, yet an alert: a missed event is taken to cost more than a false alarm.")
    return language.text(text, word=capital(language.chance_word(chance)))


def month_of(row: Row) -> pd.Timestamp | None:
    """Return the last day of the month likely to bring the event, or None for an alert that names no month."""
    text = str(row["likely_period"] or row["first_period"])
    return pd.Period(text, "M").end_time.normalize() if len(text) == 7 else None


def season(release: ReadableRelease, row: Row) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp, float | None] | None:
    """The alert's month: earlier years, quantiles this year, last day and count; None where it has no forecast.

    Of a month that is counted the forecast is the one made a full month before.
    """
    end = month_of(row)
    if end is None or not is_route(row["route_id"]) or (informs(row) and row["rule"] not in EXCEEDANCE):
        return None
    history = numbers.series_of(release.frame("observations"), row["series_id"])
    counted = history.loc[history["end_date"] == end, "obs_value"]
    rows = numbers.quantile_rows(release.frame("backtest" if len(counted) else "forecasts"), row["series_id"])
    rows = rows[(rows["target_end_date"] == end) & (rows["horizon"].eq(1) | counted.empty)]
    if rows.empty:
        return None
    same = history[
        (history["end_date"].dt.month == end.month) & (history["end_date"].dt.year >= numbers.FIRST_COMPARED_YEAR)
    ]
    past = pd.DataFrame({"year": same["end_date"].dt.year, "value": same["obs_value"]})
    quantiles = rows[["output_type_id", "value"]]
    return past[past["year"] < end.year], quantiles, end, float(counted.iloc[0]) if len(counted) else None


def size_words(release: ReadableRelease, row: Row, language: Language) -> str:
    """What is expected over an alert's months, the year before, and where; empty for what merely informs.

    Of an alert about a count the months are those of the planning window.
    """
    is_ahead, window = str(row["rule"]) in EXCEEDANCE, planning_window(release.as_of)
    if not is_route(row["route_id"]) or (informs(row) and not is_ahead):
        return ""
    first, last = (row["first_period"], row["last_period"]) if is_ahead else (str(window[0]), str(window[-1]))
    ends = list(pd.period_range(first, last, freq="M").end_time.normalize())
    total = numbers.expected_total(release.frame("trajectories"), [row["series_id"]], ends)
    if total is None:
        return ""
    text = _("Expected {when}: {expected} in all, 80% interval {interval}")
    said = [
        language.text(
            text, when=language.in_months(first, last), expected=language.expected(total.median),
            interval=language.interval_words(total.low, total.high),
        )
    ]  # fmt: skip
    before = numbers.counted_a_year_before(release.frame("observations"), [row["series_id"]], ends)
    if before is not None:
        said.append(language.text(_("{value} a year earlier"), value=language.counted(before)))
    places = ", ".join(country_name(code, language) for code in ROUTES[str(row["route_id"])].countries)
    where = language.labelled(language.text(_("Countries of arrival")), places)
    return f"{language.listed(said)}. {where}."


def consequence_words(release: ReadableRelease, row: Row, language: Language) -> str:
    """What is expected over an alert's months if its event happens, as Scenarios says it; empty where it is too rare.

    Empty too of an alert that forecasts no arrivals.
    """
    if str(row["rule"]) not in EXCEEDANCE or not is_route(row["route_id"]):
        return ""
    try:
        found = given(release.frame("trajectories"), whatif.conditions(whatif.condition_of(row)))
    except InputError:
        return ""
    ends = list(pd.period_range(row["first_period"], row["last_period"], freq="M").end_time.normalize())
    total = numbers.expected_total(found.trajectories, [row["series_id"]], ends)
    if total is None:
        return ""
    text, interval = _("{expected} in all, 80% interval {interval}"), language.interval_words(total.low, total.high)
    return language.text(text, expected=language.expected(total.median), interval=interval)


def record_of_level(release: ReadableRelease, row: Row, language: Language) -> str:
    """How many alerts of all rules together came true, for a Watch whose own rule has no record yet; else empty."""
    record = rule_record(row, release.frame("track_record"))
    if row["alert_level"] != LEVELS[0] or not is_known(row["probability"]) or (record and is_judged(record)):
        return ""
    return watch_words(release.frame("track_record"), ALL, language)


def reasons(release: ReadableRelease, row: Row, language: Language) -> list[str]:
    """Facts that stand behind an alert, one sentence each; none behind what merely gives context."""
    series_id, route_id = str(row["series_id"]), str(row["route_id"])
    if place_of(series_id):
        return reception.reasons(release.frame("reception_needs"), series_id, language)
    history = numbers.series_of(release.frame("observations"), series_id)
    rule, end = EXCEEDANCE.get(str(row["rule"])), month_of(row)
    if not is_route(route_id) or history.empty or (rule is None and informs(row)):
        return []
    if rule is None or end is None:
        return [newest_count(history, route_id, language)]
    running = numbers.running_month(release.frame("nowcasts"), series_id)
    said = [
        origin_of_threshold(row, history, language),
        _level(history, end, route_id, falls=rule.falls, language=language),
    ]
    said += [so_far_words(running.iloc[0], language) + "."] if len(running) else []
    return [capital(text) for text in said if text]


def _level(history: pd.DataFrame, end: pd.Timestamp, route_id: str, *, falls: bool, language: Language) -> str:
    """What lets the count fall, or rise, by the alert's month: the season, else the level of the newest count."""
    counts = history.set_index(history["end_date"].dt.to_period("M"))["obs_value"]
    last, month = counts.index[-1], end.to_period("M")
    months = pd.period_range(counts.index[0], last, freq="M")
    counts = counts.reindex(months)
    change = (counts.shift(-(month - last).n) / counts)[months.month == last.month]
    change = change[np.isfinite(change)]
    if len(change) >= FEWEST_EVENTS and (change.median() < 1) == falls:
        text = _("{month}: {value} counted; from {first} to {second} the count fell in {n} of {all} years.")
        rose = _("{month}: {value} counted; from {first} to {second} the count rose in {n} of {all} years.")
        return language.text(
            text if falls else rose, month=month_flagged(history.iloc[-1], language),
            value=language.counted(counts.iloc[-1]), first=language.month(last, year=False),
            second=language.month(month, year=False), n=int(((change < 1) if falls else (change > 1)).sum()),
            all=len(change),
        )  # fmt: skip
    is_low = counts.iloc[-1] < counts.tail(12).mean()
    return newest_count(history, route_id, language) if is_low == falls else ""


def history(
    releases: Iterable[tuple[dt.datetime, dt.date, pd.DataFrame, pd.DataFrame]],
    row: Row,
    entries: list[Entry],
    state: State,
    language: Language,
) -> pd.DataFrame:
    """What happened to an alert, the newest first: in releases, and by people.

    Args:
        releases: When each release was made, its day of knowledge, its ``alerts`` and ``alert_chances``; the oldest
            first.
        row: The alert.
        entries: The journal's rows on it.
        state: Where it stands.
        language: The reader's.

    Returns:
        ``when, what, who`` as text.
    """
    steps = night_steps(releases, row, language)
    events = [(made_at, language.day(day), said, language.text(_("nightly run"))) for made_at, day, said in steps]
    void = {entry.id for entry in state.without_effect}
    events += [
        (
            entry.at,
            language.day(entry.at.date()),
            _action(entry, language, void=entry.id in void),
            language.text(_("delivery")) if entry.actor == DELIVERY else entry.actor,
        )
        for entry in _without_repeats(entries)
        if entry.action not in STEPS_OF_A_NIGHT
    ]
    ordered = sorted(events, key=lambda event: event[0], reverse=True)
    return pd.DataFrame([event[1:] for event in ordered], columns=["when", "what", "who"])


def _without_repeats(entries: list[Entry]) -> list[Entry]:
    """The rows, with one for all messages of the same kind that a reader group was sent on a day."""
    seen: set[tuple[str, str, dt.date]] = set()
    kept = []
    for entry in entries:
        group = (str(entry.payload.get("kind")), str(entry.payload.get("subscription")), entry.at.date())
        if entry.action != SENT or group not in seen:
            kept.append(entry)
        if entry.action == SENT:
            seen.add(group)
    return kept


def _action(entry: Entry, language: Language, *, void: bool) -> str:
    if entry.action in {ANNOUNCED, SENT, NOT_SENT}:
        return _delivery(entry, language)
    step = entry.action
    if step == ANSWERED:
        step = language.text(_("Answer to note {n}"), n=entry.payload.get("answers", ""))
    elif step in STEPS:
        step = language.text(STEPS[step])
    number = f" {entry.id}" if entry.action in OBJECTIONS else ""
    said = language.labelled(f"{step}{number}", language.text(_("“{text}”"), text=entry.reason))
    return language.text(_("{step} (without effect: the alert stood otherwise)"), step=said) if void else said


def _delivery(entry: Entry, language: Language) -> str:
    kind = str(entry.payload.get("kind", ""))
    what = language.text(MESSAGES[kind]) if kind in MESSAGES else kind
    if entry.action == ANNOUNCED:
        return language.text(_("Released to readers: {what}"), what=what)
    subscription = str(entry.payload.get("subscription", ""))
    reader = language.text(_("machines")) if subscription == FEED else subscription
    if entry.action == SENT:
        return language.text(_("Sent to {reader}: {what}"), reader=reader, what=what)
    return language.text(_("Not sent to {reader}: {why}"), reader=reader, why=entry.reason)

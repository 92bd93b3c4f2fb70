"""The list of a release's alerts, and behind one of them its season, reasons and history, in a reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import pandas as pd

from alerts import INFORMATION
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
from alerts.rules.base import place_of
from core import QUANTILE_LEVELS
from core.languages import Language, as_counted, capital
from core.languages import marked as _
from core.routes import is_route
from core.schema import ALL, Entry
from core.settings import FEED
from forecasting import BASELINE, ENSEMBLE
from reports import ReadableRelease, Row, numbers, reception
from reports.alert import FALLS, informs, is_trigger, limit_of
from reports.answer import night_steps
from reports.units import COUNTED, plural_in_unit

ENDED_KEY = ":ended"
WAITS, DECIDED, INFORMS, OVER = "waits", "decided", "informs", "over"
"""What an alert asks of the reader, beside ``DISMISSED``."""
GROUPS = (WAITS, DECIDED, INFORMS, DISMISSED, OVER)
SHOWN = {"waiting": (WAITS,), "open": (WAITS, DECIDED), "context": (INFORMS,), "ended": (DISMISSED, OVER)}
"""Groups that a filter leaves."""
STEPS = {
    SIGNED_OFF: _("Signed off"), ACKNOWLEDGED: _("Acknowledged"), DISMISSED: _("Dismissed"), COMMENTED: _("Comment"),
    DISSENTED: _("Dissent"), CORRECTION: _("Correction"),
}  # fmt: skip
MESSAGES = {
    RAISED: _("new alert"), UPDATED: _("renewed alert"), ENDED: _("end of the alert"), WITHDRAWN: _("withdrawal"),
}  # fmt: skip
"""What people do with an alert, and the kinds of messages about it."""


def all_alerts(release: ReadableRelease) -> pd.DataFrame:
    """Open alerts by level, then ended ones; ``key`` names each, ``ended`` (bool) distinguishes them."""
    opened = numbers.by_level(release.frame("alerts"))
    opened = opened.assign(key=opened["alert_id"], ended=False)
    over = release.frame("ended_alerts")
    over = over.assign(key=over["alert_id"].astype(str) + ENDED_KEY, ended=True)
    return opened if over.empty else pd.concat([opened, over], ignore_index=True)


def grouped(alerts: pd.DataFrame, status: Mapping[str, str]) -> pd.DataFrame:
    """The alerts with ``group``: what each asks of the reader, those that wait to be decided first."""
    groups = [
        OVER if row["ended"]
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


def month_of(row: Row) -> pd.Timestamp | None:
    """Return the last day of the month likely to bring the event, or None for an alert that names no month."""
    text = str(row["likely_period"] or row["first_period"])
    return pd.Period(text, "M").end_time.normalize() if len(text) == 7 else None


def season(release: ReadableRelease, row: Row) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp] | None:
    """The alert's month in earlier years, and its quantiles this year; None where there is no forecast of it."""
    end = month_of(row)
    if end is None or not is_route(row["route_id"]):
        return None
    rows = numbers.quantile_rows(release.frame("forecasts"), row["series_id"])
    rows = rows[rows["target_end_date"] == end]
    if rows.empty:
        return None
    history = numbers.series_of(release.frame("observations"), row["series_id"])
    same = history[
        (history["end_date"].dt.month == end.month) & (history["end_date"].dt.year >= numbers.FIRST_COMPARED_YEAR)
    ]
    past = pd.DataFrame({"year": same["end_date"].dt.year, "value": same["obs_value"]})
    return past[past["year"] < end.year], rows[["output_type_id", "value"]], end


def reasons(release: ReadableRelease, row: Row, language: Language) -> list[str]:
    """Facts that stand behind an alert, one sentence each."""
    out: list[str] = []
    end = month_of(row)
    if place_of(row["series_id"]):
        return reception.reasons(release.frame("reception_needs"), row["series_id"], language)
    if not is_route(row["route_id"]) or (informs(row) and not is_trigger(row)):
        return out
    history = numbers.series_of(release.frame("observations"), row["series_id"])
    if len(history):
        last, mean = history.iloc[-1], float(history["obs_value"].tail(12).mean())
        said = plural_in_unit(
            COUNTED, as_counted(last["obs_value"]), str(row["route_id"]), language,
            month=language.month(last["end_date"]), value=language.counted(last["obs_value"]),
            mean=language.expected(mean),
        )  # fmt: skip
        out.append(capital(said))
    before = history[history["end_date"] == end - pd.DateOffset(years=1)] if end is not None else history.iloc[:0]
    if len(before):
        month, value = language.month(before["end_date"].iloc[0]), language.counted(before["obs_value"].iloc[0])
        out.append(language.text(_("The same month a year earlier, {month}: {value}."), month=month, value=value))
    if end is not None and limit_of(row) is not None:
        out += _agreement(release, row, end, language)
    return out


def _agreement(release: ReadableRelease, row: Row, end: pd.Timestamp, language: Language) -> list[str]:
    forecasts = release.frame("forecasts")
    rows = forecasts[(forecasts["series_id"] == row["series_id"]) & (forecasts["target_end_date"] == end)]
    values = []
    for model_id in rows["model_id"].unique():
        if model_id not in {ENSEMBLE, BASELINE}:
            wide = numbers.quantiles_of(rows, row["series_id"], model_id)
            if set(QUANTILE_LEVELS) <= set(wide.columns):
                above = float(numbers.chances(wide, float(row["threshold"]))["probability"].iloc[0])
                values.append(1 - above if row["rule"] in FALLS else above)
    if len(values) < 2:
        return []
    text = _("In {month} alone, {n} models give a chance of {low} to {high}.")
    low, high = language.percent(min(values)), language.percent(max(values))
    return [language.text(text, month=language.month(end), n=len(values), low=low, high=high)]


def history(
    releases: Iterable[tuple[dt.datetime, dt.date, pd.DataFrame]],
    row: Row,
    entries: list[Entry],
    state: State,
    language: Language,
) -> pd.DataFrame:
    """What happened to an alert, the newest first: in releases, and by people.

    Args:
        releases: When each release was made, its day of knowledge, its ``alerts``; the oldest first.
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
    name = entry.action
    if name == ANSWERED:
        name = language.text(_("Answer to note {n}"), n=entry.payload.get("answers", ""))
    elif name in STEPS:
        name = language.text(STEPS[name])
    number = f" {entry.id}" if entry.action in OBJECTIONS else ""
    said = language.labelled(f"{name}{number}", language.text(_("“{text}”"), text=entry.reason))
    return language.text(_("{step} (without effect: the alert stood otherwise)"), step=said) if void else said


def _delivery(entry: Entry, language: Language) -> str:
    kind = str(entry.payload.get("kind", ""))
    what = language.text(MESSAGES[kind]) if kind in MESSAGES else kind
    if entry.action == ANNOUNCED:
        return language.text(_("Released to readers: {what}"), what=what)
    name = str(entry.payload.get("subscription", ""))
    reader = language.text(_("machines")) if name == FEED else name
    if entry.action == SENT:
        return language.text(_("Sent to {reader}: {what}"), reader=reader, what=what)
    return language.text(_("Not sent to {reader}: {why}"), reader=reader, why=entry.reason)

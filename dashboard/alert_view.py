"""What the alerts page shows about one alert, worked out from releases and the journal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial

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
from alerts.verification import precision_cases, record_of
from core import QUANTILE_LEVELS
from core.languages import as_counted, capital, is_known
from core.routes import is_route
from core.schema import ALL, Entry
from core.settings import FEED
from dashboard import _, labelled, lang, listed, record_view
from dashboard.reads import Night
from forecasting import BASELINE, ENSEMBLE
from reports import Row, numbers, reception
from reports.alert import FALLS, informs, limit_of
from reports.answer import night_steps
from reports.units import COUNTED, plural_in_unit

ENDED_KEY = ":ended"
MOST_RELEASES = 30
WAITS, DECIDED, INFORMS, OVER = "waits", "decided", "informs", "over"
"""What an alert asks of the reader, beside ``DISMISSED``."""
GROUPS = (WAITS, DECIDED, INFORMS, DISMISSED, OVER)
SHOWN = {"waiting": (WAITS,), "open": (WAITS, DECIDED), "context": (INFORMS,), "ended": (DISMISSED, OVER)}
"""Groups that a filter leaves."""


def all_alerts(night: Night) -> pd.DataFrame:
    """Open alerts by level, then ended ones; ``key`` names each, ``ended`` (bool) distinguishes them."""
    opened = numbers.by_level(night.frame("alerts"))
    opened = opened.assign(key=opened["alert_id"], ended=False)
    over = night.frame("ended_alerts")
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


def season(night: Night, row: Row) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp] | None:
    """The alert's month in earlier years, and its quantiles this year; None where there is no forecast of it."""
    end = month_of(row)
    if end is None or not is_route(row["route_id"]):
        return None
    rows = night.frame("forecasts")
    rows = rows[
        (rows["series_id"] == row["series_id"])
        & (rows["model_id"] == ENSEMBLE)
        & (rows["output_type"] == "quantile")
        & (rows["target_end_date"] == end)
    ]
    if rows.empty:
        return None
    history = numbers.series_of(night.frame("observations"), row["series_id"])
    same = history[
        (history["end_date"].dt.month == end.month) & (history["end_date"].dt.year >= numbers.FIRST_COMPARED_YEAR)
    ]
    past = pd.DataFrame({"year": same["end_date"].dt.year, "value": same["obs_value"]})
    return past[past["year"] < end.year], rows[["output_type_id", "value"]], end


def reasons(night: Night, row: Row) -> list[str]:
    """Facts that stand behind an alert, one sentence each."""
    out: list[str] = []
    end = month_of(row)
    if place_of(row["series_id"]):
        return reception.reasons(night.frame("reception_needs"), row["series_id"], lang())
    if not is_route(row["route_id"]):
        return out
    history = numbers.series_of(night.frame("observations"), row["series_id"])
    if len(history):
        last = history.iloc[-1]
        said = plural_in_unit(
            COUNTED, as_counted(last["obs_value"]), str(row["route_id"]), lang(), month=lang().month(last["end_date"]),
            value=lang().counted(last["obs_value"]), mean=lang().expected(float(history["obs_value"].tail(12).mean())),
        )  # fmt: skip
        out.append(capital(said))
    if end is not None and limit_of(row) is not None:
        out += _agreement(night, row, end)
    return out


def _agreement(night: Night, row: Row, end: pd.Timestamp) -> list[str]:
    forecasts = night.frame("forecasts")
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
    return [
        text.format(
            month=lang().month(end),
            n=len(values),
            low=lang().percent(min(values)),
            high=lang().percent(max(values)),
        )
    ]


def history(night: Night, found: list[Night], row: Row, entries: list[Entry], state: State) -> pd.DataFrame:
    """What happened to an alert, the newest first: from releases up to this one, and from people.

    Returns:
        ``when, what, who`` as text.
    """
    upto = [one for one in reversed(found) if one.run_id <= night.run_id][-MOST_RELEASES:]
    steps = night_steps(((one.created_at, one.as_of, one.frame("alerts")) for one in upto), row, lang())
    events = [(made_at, lang().day(day), said, _("nightly run")) for made_at, day, said in steps]
    void = {entry.id for entry in state.without_effect}
    events += [
        (
            entry.at,
            lang().day(entry.at.date()),
            _action(entry, void=entry.id in void),
            _("delivery") if entry.actor == DELIVERY else entry.actor,
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


def _action(entry: Entry, *, void: bool) -> str:
    if entry.action in {ANNOUNCED, SENT, NOT_SENT}:
        return _delivery(entry)
    words = {
        SIGNED_OFF: _("Signed off"),
        ACKNOWLEDGED: _("Acknowledged"),
        DISMISSED: _("Dismissed"),
        COMMENTED: _("Comment"),
        DISSENTED: _("Dissent"),
        CORRECTION: _("Correction"),
        ANSWERED: _("Answer to note {n}").format(n=entry.payload.get("answers", "")),
    }
    number = f" {entry.id}" if entry.action in OBJECTIONS else ""
    said = labelled(f"{words.get(entry.action, entry.action)}{number}", _("“{text}”").format(text=entry.reason))
    return _("{step} (without effect: the alert stood otherwise)").format(step=said) if void else said


def _delivery(entry: Entry) -> str:
    kinds = {
        RAISED: _("new alert"),
        UPDATED: _("renewed alert"),
        ENDED: _("end of the alert"),
        WITHDRAWN: _("withdrawal"),
    }
    kind = str(entry.payload.get("kind", ""))
    what = kinds.get(kind, kind)
    if entry.action == ANNOUNCED:
        return _("Released to readers: {what}").format(what=what)
    name = str(entry.payload.get("subscription", ""))
    reader = _("machines") if name == FEED else name
    if entry.action == SENT:
        return _("Sent to {reader}: {what}").format(reader=reader, what=what)
    return _("Not sent to {reader}: {why}").format(reader=reader, why=entry.reason)


def record_rows(row: Row, record: pd.DataFrame) -> pd.DataFrame:
    """The rule's record at past origins, with 90 % intervals: ``measure, value, interval``."""
    found = record_of(row, record)
    if found is None:
        return pd.DataFrame(columns=["measure", "value", "interval"])
    measures: dict[str, tuple[str, Callable[[float], str]]] = {
        "precision": (_("Hit rate: warnings that came true"), lang().share),
        "recall": (_("Events that were warned of"), lang().share),
        "false_alarms_per_route_year": (_("False alarms per route per year"), partial(lang().decimal, digits=1)),
        "lead_months_median": (_("Lead time in months, median"), record_view.months),
        "brier_skill": (_("Brier skill score (0: no better than the base rate)"), lang().decimal),
    }
    rows = [
        {"measure": words, "value": write(float(found[name])), "interval": _interval(name, found, write)}
        for name, (words, write) in measures.items()
        if name in found and is_known(float(found[name]))
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "interval"])


def _interval(name: str, found: Row, write: Callable[[float], str]) -> str:
    """The 90 % interval of a measure; of the notice, its quartiles beside it."""
    nothing = float("nan")
    ends = [float(found.get(name + end, nothing)) for end in ("_lo", "_hi")]
    text = "–".join(map(write, ends)) if all(map(is_known, ends)) else ""
    if name == "lead_months_median":
        low, high = (float(found.get(f"lead_months_{part}", nothing)) for part in ("q25", "q75"))
        if is_known(low) and is_known(high) and low < high:
            quartiles = _("half of them {low} to {high}").format(low=write(low), high=write(high))
            return listed([text, quartiles]) if text else quartiles
    cases = {"precision": precision_cases(found), "recall": float(found.get("n_events", nothing))}
    if record_view.few(cases.get(name, nothing)):
        return _("{text}, too few to say").format(text=text) if text else _("too few to say")
    return text

"""The sentences that state a finding: titles, alert cards, and what changed since the last release."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alerts.reasons import sentence
from alerts.rules import TEMPLATES
from alerts.verification.record import record_of
from core.calendar import last_complete_period
from core.routes import is_route
from core.schema import ALL
from dashboard import numbers, summaries
from dashboard.i18n import _, listed, ngettext, words
from dashboard.layout import route_name, source_name
from dashboard.reads import Night
from dashboard.summaries import known
from dashboard.theme import level_word
from reports.messages.content import FALLS

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Card:
    """What one card says. Texts are plain, except ``figure_means`` and ``record``, which are Markdown."""

    level: str
    change: str
    title: str
    sentence: str
    figure: str = ""
    figure_means: str = ""
    when: str = ""
    record: str = ""


def subject_name(night: Night, row: Row) -> str:
    """What an alert is about: its route, else its source."""
    return route_name(row["route_id"]) if is_route(row["route_id"]) else source_name(night, row["source_id"])


def overview(alerts: pd.DataFrame, ended: pd.DataFrame, summary: pd.DataFrame) -> str:
    """The overview's title: which routes need attention, in one sentence."""
    on_routes = alerts[alerts["route_id"].map(is_route).astype(bool)].drop_duplicates("route_id")
    parts = [_moves(row) for row in on_routes.head(2).to_dict("records")]
    if not parts:
        gone = _("No alert is open on any route; the last ones have ended")
        parts.append(gone if len(ended) else _("No alert is open on any route"))
    silent = int((summary["state"] != "ok").sum())
    quiet = int(((summary["level"] == "") & (summary["state"] == "ok")).sum())
    if silent:
        parts.append(ngettext("no forecast for {n} route", "no forecast for {n} routes", silent).format(n=silent))
    elif len(on_routes) == 1 and quiet:
        parts.append(ngettext("{n} other route is quiet", "{n} other routes are quiet", quiet).format(n=quiet))
    return listed(parts)


def _moves(row: Row) -> str:
    words = {
        "new": _("{route}: new alert, {level}"),
        "up": _("{route} moves up to {level}"),
        "down": _("{route} moves down to {level}"),
        "unchanged": _("{route} stays at {level}"),
    }
    text = words.get(row["change"], words["unchanged"])
    return text.format(route=route_name(row["route_id"]), level=level_word(row["alert_level"]))


def route(route_id: str, row: Row, ends: list[pd.Timestamp], last_end: dt.date) -> str:
    """The route page's title: what is expected, by when, within which range."""
    name = route_name(route_id)
    if row["state"] != "ok" or not known(row["expected"]):
        return _("{route}: figures end in {month}, too old for a forecast of the present").format(
            route=name, month=numbers.month_name(last_end)
        )
    text = _("{route}: {expected} arrivals expected in {months}, most likely {interval}")
    return text.format(
        route=name,
        expected=numbers.expected(row["expected"]),
        months=numbers.month_range(ends[0], ends[-1]),
        interval=numbers.interval_words(row["low"], row["high"]),
    )


def without_forecast(row: Row) -> str:
    """Why a route has no forecast."""
    name = route_name(str(row["route_id"]))
    if row["state"] == "too_old" and row["last_period"]:
        month = numbers.month_name(pd.Period(row["last_period"], "M").to_timestamp())
        text = _("{route}: figures end in {month}, too old for a forecast of the present.")
        return text.format(route=name, month=month)
    return _("{route}: no figures, so no forecast.").format(route=name)


def cards(night: Night, former: Night | None, summary: pd.DataFrame) -> list[Card]:
    """Routes with open alerts by level, then with ended ones, then those where nothing is unusual.

    Late sources have no card: they stand on the Data page and among the alerts.
    """
    alerts = summaries.by_level(night.frame("alerts"))
    alerts = alerts[alerts["route_id"].map(is_route).astype(bool)]
    ended = night.frame("ended_alerts")
    before = former.frame("alerts") if former else alerts.iloc[:0]
    record = night.frame("track_record")
    firsts = alerts.drop_duplicates("route_id")
    found = [alert_card(night, row, before, record) for row in firsts.to_dict("records")]
    shown = set(firsts["route_id"])
    was = ended.drop_duplicates("route_id").set_index("route_id")["alert_level"]
    calm = [row for row in summary.to_dict("records") if row["route_id"] not in shown]
    calm.sort(key=lambda row: row["route_id"] not in was.index)
    return found + [quiet_card(row, night.as_of, was.get(row["route_id"], "")) for row in calm]


def alert_card(night: Night, row: Row, before: pd.DataFrame, record: pd.DataFrame) -> Card:
    """The card of one open alert."""
    figure, means = "", ""
    if known(row["probability"]):
        figure, means = numbers.percent(row["probability"]), chance_means(row)
    return Card(
        level=row["alert_level"],
        change=change_words(row, before),
        title=subject_name(night, row),
        sentence=reason(row),
        figure=figure,
        figure_means=means,
        when=when_words(row, night.as_of),
        record=record_words(row, record),
    )


def quiet_card(row: Row, as_of: dt.date, was: str = "") -> Card:
    """The card of a route without an alert; ``was`` is the level of one that has ended, or empty."""
    name = route_name(row["route_id"])
    if row["state"] != "ok":
        return Card("", _("no forecast"), name, without_forecast(row))
    sentence = _("Nothing unusual is expected: most likely {interval} arrivals in {months}.")
    ends = summaries.months_ahead(as_of)
    months = numbers.month_range(ends[0], ends[-1])
    return Card(
        "ended" if was else "",
        _("was {level}").format(level=level_word(was)) if was else "",
        name,
        sentence.format(interval=numbers.interval_words(row["low"], row["high"]), months=months),
        figure=numbers.expected(row["expected"]),
        figure_means=_("arrivals expected"),
        when=months,
    )


def chance_means(row: Row) -> str:
    """Word and meaning of an alert's chance, in Markdown: ``**Likely** to pass 10,000``."""
    word = numbers.chance_word(row["probability"])
    word = word[:1].upper() + word[1:]
    if not known(row["threshold"]):
        return f"**{word}**"
    text = _("**{word}** to fall to {threshold}") if row["rule"] in FALLS else _("**{word}** to pass {threshold}")
    return text.format(word=word, threshold=numbers.observed(row["threshold"]))


def reason(row: Row) -> str:
    """An alert's one sentence in the reader's language; the release's own where it names no template."""
    if row.get("reason_key") not in TEMPLATES:
        return str(row["reason"])
    return sentence(str(row["reason_key"]), json.loads(row["reason_params"]), words())


def change_words(row: Row, before: pd.DataFrame) -> str:
    """What changed about an alert since the former release."""
    same = before[(before["route_id"] == row["route_id"]) & (before["rule"] == row["rule"])]
    if row["change"] in {"up", "down"} and len(same):
        former = level_word(same["alert_level"].iloc[-1])
        return (_("up from {level}") if row["change"] == "up" else _("down from {level}")).format(level=former)
    words = {"new": _("new"), "up": _("moved up"), "down": _("moved down"), "unchanged": _("unchanged")}
    return words.get(row["change"], str(row["change"]))


def months_to(row: Row, as_of: dt.date) -> tuple[int, int] | None:
    """Months from the last complete one to the first and the last month concerned; None where none lies ahead."""
    if not row["first_period"] or int(row["horizon"]) == 0:
        return None
    now = last_complete_period(as_of, "M").ordinal
    first, last = (pd.Period(row[name], "M").ordinal - now for name in ("first_period", "last_period"))
    return (max(first, 1), last) if last >= 1 else None


def when_words(row: Row, as_of: dt.date) -> str:
    """How far ahead the months concerned lie: ``1 to 3 months ahead``."""
    found = months_to(row, as_of)
    if found is None:
        return ""
    first, last = found
    if first == last:
        return ngettext("{n} month ahead", "{n} months ahead", last).format(n=last)
    return _("{first} to {last} months ahead").format(first=first, last=last)


def lead_words(row: Row, as_of: dt.date) -> str:
    """The same for a number card: ``1–3 months``."""
    found = months_to(row, as_of)
    if found is None:
        return ""
    first, last = found
    if first == last:
        return ngettext("{n} month", "{n} months", last).format(n=last)
    return _("{first}–{last} months").format(first=first, last=last)


def record_words(row: Row, record: pd.DataFrame) -> str:
    """Ten dots and words: how often this rule was right before."""
    found = record_of(row, record)
    if found is None:
        return _("no track record yet") if known(row["probability"]) else ""
    share = float(found["precision"])
    words = _("right {times}, all routes") if found["route_id"] == ALL else _("right {times}")
    return f"{numbers.ten_dots(share)} " + words.format(times=numbers.times_in_ten(share))

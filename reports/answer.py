"""How one alert answers itself: its chance month by month, its record in one sentence, what would end it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alerts.lifecycle import PROPOSED, SIGN_OFFS_NEEDED, State
from alerts.rules import EXCEEDANCE_RULES, OBSERVED_RULES
from alerts.verification import precision_cases, record_of
from core.calendar import end_dates
from core.languages import Language, capital, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL
from forecasting import ENSEMBLE
from reports import ReadableRelease, Row
from reports.alert import CONTEXT, by_event, limit_of
from reports.names import level_name

_FORECAST = {rule.rule: rule for rule in EXCEEDANCE_RULES}
_OBSERVED = frozenset(rule.rule for rule in OBSERVED_RULES) - CONTEXT
_MOST_NAMED = 2


@dataclass(frozen=True)
class Answer:
    """What a person who decides asks of an alert.

    Attributes:
        months: Month, threshold and chance of each month of the window, as they are written; empty without a forecast.
        any_month: ``At least one of these months``, and its chance; empty without a forecast.
        record: How often such warnings came true, beside the base rate; empty without a record.
        ends: What would end it.
        needed_by: Until when a decision is of use; empty where the alert speaks of months that are over.
    """

    months: tuple[tuple[str, str, str], ...]
    any_month: tuple[str, str] | None
    record: str
    ends: str
    needed_by: str


def answer(alert: Row, release: ReadableRelease, language: Language) -> Answer:
    """Work one alert's answer out.

    Args:
        alert: A row of ``alerts``.
        release: ``trajectories``, ``reception_needs`` and ``track_record`` are read.
        language: The reader's.
    """
    chances = month_chances(alert, release)
    limit = language.counted(limit_of(alert))
    return Answer(
        months=tuple((capital(language.month(end)), limit, language.percent(chance)) for end, chance in chances),
        any_month=(language.text(_("At least one of these months")), language.percent(alert["probability"]))
        if chances
        else None,
        record=_record(alert, release.frame("track_record"), language),
        ends=_ends(alert, release.frame("track_record"), language),
        needed_by=needed_by(alert, release.as_of, language),
    )


def month_chances(alert: Row, release: ReadableRelease) -> list[tuple[pd.Timestamp, float]]:
    """Chance of the event in each month of an alert's window, on the paths from which its own chance was counted.

    Of people in reception it stands in ``reception_needs``.

    Returns:
        Last day of each month and its chance; empty where the rule forecasts nothing or a month has no path.
    """
    rule, limit = _FORECAST.get(str(alert["rule"])), alert["threshold"]
    if rule is None or not is_known(limit):
        return []
    window = pd.period_range(str(alert["first_period"]), str(alert["last_period"]), freq="M").end_time.normalize()
    needs, trajectories = release.frame("reception_needs"), release.frame("trajectories")
    stock = needs[(needs["series_id"] == alert["series_id"]) & needs["factor"].eq(1.0)]
    if len(stock):
        chances = stock.set_index(end_dates(stock["time_period"], "M"))["chance"].reindex(window)
        return list(zip(window, map(float, chances), strict=True))
    rows = trajectories[
        (trajectories["series_id"] == alert["series_id"])
        & (trajectories["model_id"] == ENSEMBLE)
        & trajectories["target_end_date"].isin(window)
    ]
    paths = rows.pivot_table(index="output_type_id", columns="target_end_date", values="value")
    if len(paths.columns) < len(window):
        return []
    happened = rule.happened(paths.to_numpy(dtype=float), np.array([limit], dtype=np.float64))
    return list(zip(pd.DatetimeIndex(paths.columns), map(float, happened.mean(axis=0)), strict=True))


def needed_by(alert: Row, as_of: dt.date, language: Language) -> str:
    """The day before the months begin that an alert speaks of; empty where they have begun."""
    first = str(alert.get("first_period") or "")
    if len(first) != len("2025-01"):
        return ""
    day = (pd.Period(first, "M").start_time - pd.Timedelta(days=1)).date()
    return language.text(_("needed by {day}"), day=language.day(day)) if day >= as_of else ""


def sign_off_words(state: State, language: Language) -> str:
    """Who has signed an alert off and how many are missing, in one line."""
    if state.status != PROPOSED:
        return ""
    needed = SIGN_OFFS_NEEDED.get(state.level, 1)
    if state.sign_offs:
        names = ", ".join(state.sign_offs)
        texts = ngettext("signed by {names}; {n} of {needed} sign-offs", "signed by {names}; {n} of {needed} sign-offs")
        return language.plural(texts, len(state.sign_offs), names=names, needed=needed)
    return language.plural(ngettext("nobody has signed yet", "nobody has signed yet; {n} people must"), needed)


def decisions_title(waiting: Collection[tuple[str, str]], count: int, language: Language, *, mine: bool) -> str:
    """What waits to be decided, in one sentence.

    Args:
        waiting: Subject and level of the gravest alert of each route that waits, the gravest first.
        count: How many alerts wait.
        language: The reader's.
        mine: Whether the reader may decide.
    """
    if not waiting:
        return language.text(_("Nothing waits for a decision"))
    named = [f"{subject} ({level_name(level, language)})" for subject, level in waiting]
    shown = ", ".join(named[:_MOST_NAMED])
    if len(named) > _MOST_NAMED:
        more = ngettext("and {n} more", "and {n} more")
        shown = f"{shown} {language.plural(more, len(named) - _MOST_NAMED)}"
    own = ngettext("{n} alert needs your sign-off", "{n} alerts need your sign-off")
    others = ngettext("{n} alert waits for sign-off", "{n} alerts wait for sign-off")
    return language.labelled(language.plural(own if mine else others, count), shown)


def _record(alert: Row, record: pd.DataFrame, language: Language) -> str:
    found = record_of(alert, record)
    if found is None or not is_known(found.get("precision")):
        return ""
    count, share = precision_cases(found), float(found["precision"])
    if is_known(count) and round(count) > 0:
        whole = round(count)
        text = language.plural(
            ngettext("Of {n} such warning {hits} came true", "Of {n} such warnings {hits} came true"),
            whole,
            hits=language.counted(share * whole),
        )
    else:
        text = language.text(_("Of such warnings {share} came true"), share=language.share(share))
    if str(found["route_id"]) == ALL:
        text = language.text(_("{text} (all routes)"), text=text)
    base = found.get("base_rate")
    if not is_known(base):
        return f"{text}."
    rate = language.text(_("base rate: it happens in {share} of all cases"), share=language.share(base))
    return f"{language.listed([text, rate])}."


def _ends(alert: Row, record: pd.DataFrame, language: Language) -> str:
    rule = str(alert["rule"])
    if rule in _OBSERVED:
        return language.text(_("It ends with the first new count that is no longer unusual."))
    if rule not in _FORECAST:
        return language.text(_("It ends when a new release no longer finds it."))
    rows = record[(record["rule"] == rule) & (record["level"] == "watch") & (record["horizon"] == 0)]
    cutoff = rows["cutoff"].dropna() if "cutoff" in rows else rows["horizon"].iloc[:0]
    passing, reaching, falling = _("passing {threshold}"), _("reaching {threshold}"), _("falling to {threshold}")
    event = by_event(rule, passing=passing, reaching=reaching, falling=falling)
    named = language.text(event, threshold=language.counted(limit_of(alert)))
    if cutoff.empty:
        return language.text(_("It ends when the chance of {event} is too low for a watch."), event=named)
    text = _("It ends when the chance of {event} falls below {cutoff}.")
    return language.text(text, event=named, cutoff=language.percent(float(cutoff.iloc[0])))

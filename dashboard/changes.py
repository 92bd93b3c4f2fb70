"""What a release says otherwise than the one before it, one sentence each."""

from __future__ import annotations

import pandas as pd

from alerts.facts import STALE
from dashboard import numbers, summaries
from dashboard.headlines import subject_name
from dashboard.i18n import _, ngettext
from dashboard.layout import route_name
from dashboard.reads import Night
from dashboard.summaries import known
from dashboard.theme import level_word

LEAST_CHANGE = 0.05
"""Chances that moved by less are not worth a line."""


def changes(night: Night, former: Night) -> list[str]:
    """One sentence for each thing that the release before this one said otherwise."""
    found = [*_alert_changes(night, former), *_late_sources(night, former), *_new_figures(night, former)]
    return list(dict.fromkeys(found))


def _late_sources(night: Night, former: Night) -> list[str]:
    """How many sources are late that were not, and the other way round; which ones, the Data page says."""
    now, before = ({*frame.loc[frame["rule"] == STALE.rule, "source_id"]} for frame in _alerts(night, former))
    late, back = len(now - before), len(before - now)
    out = []
    if late:
        out.append(ngettext("{n} more source is late", "{n} more sources are late", late).format(n=late))
    if back:
        text = ngettext("{n} source is up to date again", "{n} sources are up to date again", back)
        out.append(text.format(n=back))
    return out


def _alerts(night: Night, former: Night) -> tuple[pd.DataFrame, pd.DataFrame]:
    return night.frame("alerts"), former.frame("alerts")


def _alert_changes(night: Night, former: Night) -> list[str]:
    keys = ["route_id", "source_id", "rule"]
    now, before = (frame[frame["rule"] != STALE.rule].drop_duplicates(keys) for frame in _alerts(night, former))
    now = summaries.by_level(now)
    both = now.merge(before, on=keys, how="outer", suffixes=("", "_before"), indicator=True, sort=False)
    out = []
    for row in both.to_dict("records"):
        name = subject_name(night, row)
        if row["_merge"] == "left_only":
            out.append(_("{subject}: new alert, {level}").format(subject=name, level=level_word(row["alert_level"])))
        elif row["_merge"] == "right_only":
            level = level_word(row["alert_level_before"])
            out.append(_("{subject}: {level} has ended").format(subject=name, level=level))
        elif row["alert_level"] != row["alert_level_before"]:
            text = _("{subject}: from {before} to {now}")
            words = {"before": level_word(row["alert_level_before"]), "now": level_word(row["alert_level"])}
            out.append(text.format(subject=name, **words))
        elif known(row["threshold"]) and abs(row["probability"] - row["probability_before"]) >= LEAST_CHANGE:
            text = _("{subject}: chance to pass {threshold} from {before} to {now}")
            chances = {
                "before": numbers.percent(row["probability_before"]),
                "now": numbers.percent(row["probability"]),
                "threshold": numbers.observed(row["threshold"]),
            }
            out.append(text.format(subject=name, **chances))
    return out


def _new_figures(night: Night, former: Night) -> list[str]:
    """Months that closed since: the count beside what the former release expected."""
    out = []
    for route_id in night.frame("routes")["route_id"]:
        series_id = summaries.route_series(route_id)
        now = summaries.series_of(night.frame("observations"), series_id)
        before = summaries.series_of(former.frame("observations"), series_id)
        fresh = now[~now["time_period"].isin(before["time_period"])]
        if fresh.empty or before.empty:
            continue
        last = fresh.iloc[-1]
        quantiles = summaries.quantiles_of(former.frame("forecasts"), series_id)
        text = _("{route}: {month} closed at {value}").format(
            route=route_name(route_id),
            month=numbers.month_name(last["end_date"]),
            value=numbers.observed(last["obs_value"]),
        )
        if last["end_date"] in quantiles.index and 0.5 in quantiles:
            median = float(quantiles[0.5].loc[last["end_date"]])
            text += ", " + _("expected were {value}").format(value=numbers.expected(median))
        out.append(text)
    return out

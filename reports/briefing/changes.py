"""What a release says otherwise than the one before it, one sentence each, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alerts.rules import stale_source
from core.languages import Language, told_in
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports.briefing import summaries
from reports.briefing.edition import Reading
from reports.messages.content import FALLS
from reports.names import level_name, route_name, subject_name

LEAST_CHANGE = 0.05
"""Chances that moved by less are not worth a line."""
Row = Mapping[Any, Any]


def changes(now: Reading, former: Reading, words: Language) -> list[str]:
    """One sentence for each thing that the release before this one said otherwise.

    Args:
        now: The release: ``alerts``, ``observations`` and ``routes`` are read.
        former: The release before it: ``alerts``, ``observations`` and ``forecasts`` are read.
        words: The reader's language.
    """
    found = [
        *_alert_changes(now, former, words),
        *_late_sources(now, former, words),
        *_new_figures(now, former, words),
    ]
    return list(dict.fromkeys(found))


def _late_sources(now: Reading, former: Reading, words: Language) -> list[str]:
    """How many sources are late that were not, and the other way round; which ones, the Data page says."""
    late_now, late_before = (
        {*frame.loc[frame["rule"] == stale_source.NAME, "source_id"]}
        for frame in (now.frame("alerts"), former.frame("alerts"))
    )
    late, back = len(late_now - late_before), len(late_before - late_now)
    out = []
    if late:
        out.append(words.plural(ngettext("{n} more source is late", "{n} more sources are late"), late))
    if back:
        texts = ngettext("{n} source is up to date again", "{n} sources are up to date again")
        out.append(words.plural(texts, back))
    return out


def _alert_changes(now: Reading, former: Reading, words: Language) -> list[str]:
    """What became of the gravest alert of each route or source."""
    subject = ["route_id", "source_id"]
    gravest = [
        summaries.by_level(frame[frame["rule"] != stale_source.NAME]).drop_duplicates(subject)
        for frame in (now.frame("alerts"), former.frame("alerts"))
    ]
    both = gravest[0].merge(gravest[1], on=subject, how="outer", suffixes=("", "_before"), indicator=True, sort=False)
    sources = {source_id: told_in(card, words.code) for source_id, card in now.sources().items()}
    told = (_alert_change(row, subject_name(row, sources, words), words) for row in both.to_dict("records"))
    return [text for text in told if text]


def _alert_change(row: Row, name: str, words: Language) -> str:
    """What became of it, or an empty text."""
    if row["_merge"] == "left_only":
        text = words.text(_("{subject}: new alert, {level}"))
        return text.format(subject=name, level=level_name(row["alert_level"], words))
    if row["_merge"] == "right_only":
        text = words.text(_("{subject}: {level} has ended"))
        return text.format(subject=name, level=level_name(row["alert_level_before"], words))
    if row["alert_level"] != row["alert_level_before"]:
        text = words.text(_("{subject}: from {before} to {now}"))
        return text.format(
            subject=name, before=level_name(row["alert_level_before"], words), now=level_name(row["alert_level"], words)
        )
    return _chance_change(row, name, words) if row["rule"] == row["rule_before"] else ""


def _chance_change(row: Row, name: str, words: Language) -> str:
    """How far the chance of the same event moved, or an empty text."""
    chances = (row["probability"], row["probability_before"], row["threshold"])
    if not all(map(summaries.known, chances)) or abs(chances[0] - chances[1]) < LEAST_CHANGE:
        return ""
    passing = _("{subject}: chance to pass {threshold} from {before} to {now}")
    falling = _("{subject}: chance to fall to {threshold} from {before} to {now}")
    text = words.text(falling if row["rule"] in FALLS else passing)
    before, now = words.percent(row["probability_before"]), words.percent(row["probability"])
    return text.format(subject=name, before=before, now=now, threshold=words.counted(row["threshold"]))


def _new_figures(now: Reading, former: Reading, words: Language) -> list[str]:
    """Months that closed since: the count beside what the former release expected."""
    out = []
    for route_id in now.frame("routes")["route_id"]:
        series_id = summaries.route_series(route_id)
        known = summaries.series_of(now.frame("observations"), series_id)
        before = summaries.series_of(former.frame("observations"), series_id)
        fresh = known[~known["time_period"].isin(before["time_period"])]
        if fresh.empty or before.empty:
            continue
        out.append(_new_figure(fresh.iloc[-1], former.frame("forecasts"), route_id, words))
    return out


def _new_figure(last: pd.Series, forecasts: pd.DataFrame, route_id: str, words: Language) -> str:
    quantiles = summaries.quantiles_of(forecasts, summaries.route_series(route_id))
    text = words.text(_("{route}: {month} closed at {value}")).format(
        route=route_name(route_id, words),
        month=words.month(str(last["time_period"])),
        value=words.counted(last["obs_value"]),
    )
    if last["end_date"] in quantiles.index and 0.5 in quantiles:
        median = float(quantiles[0.5].loc[last["end_date"]])
        text += ", " + words.text(_("expected were {value}")).format(value=words.expected(median))
    return text

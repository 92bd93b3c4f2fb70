"""What a reader of the briefing must know: limits of this release, of every forecast, uses, sources and licences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.languages import Language, told_in
from core.languages import marked as _
from core.purpose import INTENDED_USE, NOT_A_FACT, PROHIBITED_USES
from reports.briefing.edition import Edition
from reports.briefing.phrases import some
from reports.names import route_name

_LATE = ("overdue", "delinquent")
_MOST_NAMED = 3
_DERIVED = "vigie-routes"
_SOURCES_OF_REASONS = {
    "origin_conflict_deaths": "conflict_deaths",
    "origin_new_displacement": "new_displacement",
}
"""What a sentence about countries of origin counts, by its template."""


def limits(edition: Edition, summary: pd.DataFrame, words: Language) -> list[str]:
    """Limits of this release first, then those of every forecast.

    Args:
        edition: The release.
        summary: Result of ``reports.briefing.summaries.route_summary``.
        words: The reader's language.
    """
    return [
        *_without(edition, words),
        *_late(edition, words),
        *_unsettled(summary, words),
        words.text(NOT_A_FACT),
        words.text(_("Figures count arrivals that authorities published; who was not counted is not in them.")),
        words.text(_("A change of policy or of counting looks like a change of arrivals.")),
    ]


def uses(words: Language) -> str:
    """What it is for and what nobody may do with it, on one line."""
    prohibited = words.listed([words.text(use) for use in PROHIBITED_USES])
    return f"{words.text(INTENDED_USE)} {words.text(_('Not to be used for: {uses}.')).format(uses=prohibited)}"


def citations(edition: Edition, alerts: pd.DataFrame, words: Language) -> list[str]:
    """How to cite, and the licence of, each source behind what is shown.

    Args:
        edition: The release.
        alerts: The alerts that are shown.
        words: The reader's language.
    """
    text = words.text(_("{citation} Licence: {licence}."))
    out = []
    for card in (_card(edition, source_id, words) for source_id in _sources(edition, alerts)):
        citation, licence = (str(card.get(key, "")).rstrip(".") for key in ("citation", "licence"))
        out.append(text.format(citation=f"{citation}.", licence=licence))
    return [*out, words.text(_("Map: Natural Earth, public domain. Boundaries imply no endorsement."))]


def _sources(edition: Edition, alerts: pd.DataFrame) -> list[str]:
    observations = edition.frame("observations")
    counted = {f"arrivals.{route_id}._T._T.M" for route_id in edition.frame("routes")["route_id"]}
    used = set(observations.loc[observations["series_id"].isin(counted), "source_id"])
    used |= {str(part) for source in used for part in edition.cards.get(source, {}).get("derived_from", [])}
    targets = {_SOURCES_OF_REASONS.get(str(key)) for key in alerts.get("reason_key", [])}
    used |= set(observations.loc[observations["target"].isin(targets - {None}), "source_id"])
    used |= {str(source_id) for source_id in alerts["source_id"]}
    cited = [name for name in edition.cards if name in used]
    return sorted(cited, key=lambda name: name != _DERIVED)


def _without(edition: Edition, words: Language) -> list[str]:
    """Sources and routes that the release had to do without."""
    routes = [route_name(one["route_id"], words) for one in edition.degraded if "route_id" in one]
    sources = [_publisher(edition, one["source_id"], words) for one in edition.degraded if "route_id" not in one]
    out = []
    if sources:
        text = words.text(_("This release was made without: {names}."))
        out.append(text.format(names=some(words, sources, _MOST_NAMED)))
    if routes:
        text = words.text(_("No forecast of the present, for want of recent figures: {names}."))
        out.append(text.format(names=some(words, routes, _MOST_NAMED)))
    return out


def _late(edition: Edition, words: Language) -> list[str]:
    """Sources whose newest figure is older than their rhythm allows."""
    fresh = edition.frame("freshness")
    late = [_publisher(edition, name, words) for name in fresh.loc[fresh["state"].isin(_LATE), "source_id"]]
    text = words.text(_("Figures are late from: {names}."))
    return [text.format(names=some(words, late, _MOST_NAMED))] if late else []


def _unsettled(summary: pd.DataFrame, words: Language) -> list[str]:
    """Routes whose newest count may still change."""
    rows = summary[summary["last_flag"].isin(["p", "e"])]
    names = [route_name(route_id, words) for route_id in rows["route_id"]]
    text = words.text(_("The newest month is provisional or estimated for: {names}."))
    return [text.format(names=", ".join(names))] if names else []


def _publisher(edition: Edition, source_id: str, words: Language) -> str:
    return str(_card(edition, source_id, words).get("publisher", source_id))


def _card(edition: Edition, source_id: str, words: Language) -> dict[str, Any]:
    return told_in(edition.cards.get(source_id, {}), words.code)

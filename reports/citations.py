"""What a reader must know beside the numbers: limits of the release and of every forecast, uses, sources, licences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from core.errors import Message
from core.languages import Language, awaits_review, uncapital
from core.languages import marked as _
from core.release import INTENDED_USE, NOT_A_FACT, PROHIBITED_USES
from core.schema import stopped_series
from forecasting.verification import TOO_NARROW
from reports import ReadableRelease, cards_in, numbers
from reports.names import indicator_name, message_in, route_name, source_name

_LATE = ("overdue", "delinquent")
_MOST_NAMED = 3
_DERIVED = "vigie-routes"
SOURCES_OF_REASONS = {
    "origin_conflict_deaths": "conflict_deaths",
    "origin_new_displacement": "new_displacement",
}
"""What a sentence about countries of origin counts, by its template."""
LIMITS = (
    NOT_A_FACT,
    _("Figures count arrivals that authorities published; who was not counted is not in them."),
    _("A change of policy or of counting looks like a change of arrivals."),
)
"""Limits of every forecast."""
CONTEXT = _(
    "Conflict, prices and displacement are context. On past data there is no evidence that they improve the forecast."
)
RHYTHMS = {"Q": _("quarterly"), "M": _("monthly")}
Cards = Mapping[str, Mapping[str, Any]]


def caveats(language: Language) -> list[str]:
    """Limits and uses that travel with every file."""
    prohibited = language.listed(prohibited_uses(language))
    not_for = language.text(_("Not to be used for: {uses}."), uses=prohibited)
    limits = [language.text(text) for text in LIMITS]
    return [*machine_made(language), *limits, language.text(INTENDED_USE), not_for]


def machine_made(language: Language) -> list[str]:
    """That the texts in this language are a machine's, until a person has signed them off."""
    return [language.text(_("Translated by a machine, not yet signed off."))] if awaits_review(language.code) else []


def map_note(language: Language) -> str:
    """What has to stand beside the map of routes."""
    text = _(
        "Arrow width: arrivals expected. Pale edge: upper end of the 80% interval. "
        "Arrows do not trace actual paths. Boundaries imply no endorsement."
    )
    return language.text(text)


def exercise_mark(as_of: dt.date, language: Language) -> str:
    """The same in few words, as every page, file and picture carries it."""
    return language.text(_("Exercise: replay of {day}"), day=language.day(as_of))


def exercise(as_of: dt.date, language: Language) -> str:
    """That a past night is replayed, and nothing of it is happening now."""
    text = _("Exercise: this repeats what was known on {day}. Nothing is happening now.")
    return language.text(text, day=language.day(as_of))


def prohibited_uses(language: Language) -> list[str]:
    """Prohibited uses of figures from Vigie."""
    return [language.text(text) for text in PROHIBITED_USES]


def uses(language: Language) -> str:
    """Intended and prohibited uses, on one line."""
    return " ".join(caveats(language)[-2:])


def limits(release: ReadableRelease, summary: pd.DataFrame, language: Language) -> list[str]:
    """Limits of this release first, then those of every forecast.

    Args:
        release: ``freshness`` is read.
        summary: Result of :func:`reports.numbers.route_summary`.
        language: The reader's.
    """
    cards = cards_in(release, language)
    fresh = release.frame("freshness")
    late = [source_name(name, cards, language) for name in fresh.loc[fresh["state"].isin(_LATE), "source_id"]]
    late_names, words = some(late, language), [unsettled(summary, language), too_narrow(summary, language)]
    return [
        *machine_made(language),
        *left_out(release, language),
        *([language.text(_("Figures are late from: {names}."), names=late_names)] if late_names else []),
        *filter(None, words),
        *(language.text(text) for text in LIMITS),
    ]


def unsettled(summary: pd.DataFrame, language: Language) -> str:
    """The routes whose newest month may still change or was filled in, in one sentence; empty where there is none."""
    routes = summary.loc[summary["last_flag"].str.contains("[pe]"), "route_id"]
    names = ", ".join(route_name(route_id, language) for route_id in routes)
    return language.text(_("The newest month is provisional or estimated for: {names}."), names=names) if names else ""


def too_narrow(summary: pd.DataFrame, language: Language) -> str:
    """The routes whose past 80 % intervals held too few counts, each with its share; empty if none."""
    narrow = [
        f"{route_name(route_id, language)} ({language.share(held)})"
        for route_id, held in summary[["route_id", "held"]].itertuples(index=False)
        if held < TOO_NARROW
    ]
    text = _("80% intervals held too few past counts: {routes}.")
    return language.text(text, routes=", ".join(narrow)) if narrow else ""


def left_out(release: ReadableRelease, language: Language, *, with_reasons: bool = False) -> list[str]:
    """What the release had to do without: forecasts that there were before, sources, routes whose figures are too old.

    Args:
        release: Its ``degraded`` parts are read.
        language: The reader's.
        with_reasons: Say of every source why its figures could not be used; else name the first alone.
    """
    cards = cards_in(release, language)
    routes = [route_name(one["route_id"], language) for one in release.degraded if "route_id" in one]
    lost, sources = [], []
    for one in (one for one in release.degraded if "route_id" not in one):
        why = message_in(Message.from_json(one["message"]), language)
        if "lost" in one:  # a sentence about the night, and not about a source
            lost.append(why)
        else:
            sources.append(source_name(one["source_id"], cards, language) + (f" ({why})" if with_reasons else ""))
    most = len(release.degraded) if with_reasons else _MOST_NAMED
    named = (
        (_("This release was made without: {names}."), sources),
        (_("No forecast of the present, for want of recent figures: {names}."), routes),
    )
    return lost + [language.text(text, names=some(names, language, most)) for text, names in named if names]


def stopped(release: ReadableRelease) -> pd.DataFrame:
    """Counts of a release that their source no longer continues, see :func:`core.schema.stopped_series`."""
    return stopped_series(release.frame("observations"), release.as_of)


def stopped_words(release: ReadableRelease, language: Language) -> str:
    """Which kinds of counts have stopped: ``stopped: arrivals (quarterly)``; empty where none has."""
    names = [
        f"{uncapital(indicator_name(row['target'], language))} ({language.text(RHYTHMS[row['freq']])})"
        for row in stopped(release).to_dict("records")
    ]
    return language.labelled(language.text(_("stopped")), some(names, language)) if names else ""


def citations(cards: Cards, source_ids: Collection[str], language: Language) -> list[str]:
    """How to cite, and the licence of, sources and those that they are derived from."""
    wanted = [name for name in cards if name in source_ids]
    for name in list(wanted):
        wanted += [part for part in cards[name].get("derived_from", []) if part in cards and part not in wanted]
    out: dict[str, None] = {}  # several own sources may say the same
    for name in wanted:
        citation, licence = (str(cards[name].get(key, "")).rstrip(".") for key in ("citation", "licence"))
        out[language.text(_("{citation} Licence: {licence}."), citation=f"{citation}.", licence=licence)] = None
    return list(out)


def sources_behind(release: ReadableRelease, alerts: pd.DataFrame) -> list[str]:
    """The sources of the routes' counts and of what the alerts shown rest on."""
    observations = release.frame("observations")
    counted = sources_of(release, [numbers.route_series(route_id) for route_id in release.frame("routes")["route_id"]])
    targets = {SOURCES_OF_REASONS.get(str(key)) for key in alerts.get("reason_key", [])} - {None}
    reasons = observations.loc[observations["target"].isin(targets), "source_id"]
    used = {*counted, *reasons, *alerts["source_id"].astype(str)}
    return sorted(used, key=lambda name: (name != _DERIVED, name))


def sources_of(release: ReadableRelease, series_ids: Collection[str]) -> list[str]:
    """The sources of some series; of a route's composed count those with figures of this route, if there are any."""
    rows = release.frame("observations")
    is_asked, is_composed = rows["series_id"].isin(series_ids), rows["source_id"] == _DERIVED
    composed = rows.loc[is_asked & is_composed, ["route_id", "target"]].drop_duplicates()
    parts = rows[~is_composed].merge(composed, on=["route_id", "target"])
    alone = [] if composed["route_id"].isin(parts["route_id"]).all() else [_DERIVED]
    return sorted({*rows.loc[is_asked & ~is_composed, "source_id"], *parts["source_id"], *alone})


def some(names: Sequence[str], language: Language, most: int = _MOST_NAMED) -> str:
    """The first names of a list, and how many more there are."""
    shown = ", ".join(names[:most])
    if len(names) <= most:
        return shown
    return f"{shown} {language.text(_('and {n} more'), n=len(names) - most)}"

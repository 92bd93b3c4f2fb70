"""The one sentence of an alert, for people who decide. At most 85 characters in English: two lines on a card.

Sentences come from one table of templates, so that gettext finds them, and an alert keeps the template's key with its
figures, so that the same sentence can be written in any reader's language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.countries import display_name, known_codes
from core.languages import Language, capital
from core.languages import marked as _

LONGEST = 85
SHARES = frozenset({"chance", "share", "share_before"})
"""Figures of a sentence that are shares."""
Params = Mapping[str, str | float]
TEMPLATES: dict[str, str] = {
    "capacity_own": _("{word} ({chance}) to pass your number, {threshold} a month, by {month}."),
    "capacity_default": _("{word} ({chance}) to pass {threshold} a month, a default number, by {month}."),
    "surge": _("{word} ({chance}) to pass {threshold}, {factor}× the 12-month mean, by {month}."),
    "fall": _("{word} ({chance}) to fall to {threshold}, lowest in 24 months, by {month}."),
    "record_12": _("{word} ({chance}) to pass {threshold}, the highest of 12 months, by {month}."),
    "record_36": _("{word} ({chance}) to pass {threshold}, the highest of 36 months, by {month}."),
    "outside_95_above": _("{month} counted {value}, above the {lower} to {upper} expected before."),
    "outside_95_below": _("{month} counted {value}, below the {lower} to {upper} expected before."),
    "level_change": _("Since {month} about {after} a month, season taken out; {before} before."),
    "nationality_shift": _("{citizen}: {share} of the last three months’ arrivals, {share_before} before."),
    "origin_conflict_deaths": _("{citizen} ({share} here): {value} conflict deaths, the most in 3 years."),
    "origin_new_displacement": _("{citizen} ({share} here): {value} newly displaced, the most in 3 years."),
    "stale_source": _("Figures are late: newest {period}, {age} days old, expected within {expected}."),
    "large_revision": _("{month} was revised from {before} to {after}."),
}


def sentence(key: str, params: Params, language: Language | None = None) -> str:
    """Write an alert's sentence.

    Args:
        key: A key of :data:`TEMPLATES`.
        params: Its figures: chances as shares, numbers as numbers, months as ``2025-01``.
        language: The reader's; English by default.
    """
    language = language or Language()
    figures = {name: _figure(name, value, language) for name, value in params.items()}
    if "chance" in params:
        figures["word"] = capital(language.chance_word(float(params["chance"])))
    return capital(language.text(TEMPLATES[key], **figures))


def as_json(params: Params) -> str:
    """The figures of a sentence, for the column ``reason_params``."""
    return json.dumps(dict(params), sort_keys=True)


def _figure(name: str, value: str | float, language: Language) -> str:
    if name == "month":
        return language.month(str(value))
    if name == "citizen":
        return display_name(str(value), language.code) if value in known_codes() else str(value)
    if isinstance(value, str):
        return value
    if name in SHARES:
        return language.percent(value)
    if name == "factor":
        return language.significant(value)
    return language.expected(value) if name in {"lower", "upper"} else language.counted(value)

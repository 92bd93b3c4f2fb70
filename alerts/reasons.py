"""The one sentence of an alert, for people who decide. At most 85 characters: two lines on a card.

Sentences come from one table of templates, so that gettext finds them, and an alert keeps the template's key with its
figures, so that a page can write the same sentence in the reader's language and formats.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from core.calendar import to_period
from core.countries import display_name, known_codes

LONGEST = 85
SHARES = frozenset({"chance", "share", "share_before"})
"""Figures of a sentence that are shares."""
Params = Mapping[str, str | float]


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


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
CHANCE_WORDS = (
    (5, _("very unlikely")),
    (33, _("unlikely")),
    (45, _("rather unlikely")),
    (55, _("about even")),
    (67, _("rather likely")),
    (90, _("likely")),
    (101, _("very likely")),
)
"""Per cent below which a word holds, and the word that stands beside every chance."""


def sentence(key: str, params: Params) -> str:
    """Write an alert's sentence in English.

    Args:
        key: A key of :data:`TEMPLATES`.
        params: Its figures: chances as shares, numbers as numbers, months as ``2025-01``.
    """
    return TEMPLATES[key].format(**{name: _write(name, value) for name, value in _with_word(params).items()})


def as_json(params: Params) -> str:
    """The figures of a sentence, for the column ``reason_params``."""
    return json.dumps(dict(params), sort_keys=True)


def _with_word(params: Params) -> Params:
    if "chance" not in params:
        return params
    percent = _half_up(float(params["chance"]) * 100)
    word = next(word for limit, word in CHANCE_WORDS if percent < limit)
    return {**params, "word": word[:1].upper() + word[1:]}


def _write(name: str, value: str | float) -> str:
    if name == "month":
        return f"{to_period(str(value), 'M').end_time:%B %Y}"
    if name == "citizen":
        return display_name(str(value)) if value in known_codes() else str(value)
    if isinstance(value, str):
        return value
    if name in SHARES:
        return _percent(value)
    if name == "factor":
        return f"{value:g}"
    return f"{_expected(value) if name in {'lower', 'upper'} else _half_up(value):,}"


def _percent(share: float) -> str:
    if share < 0.01:
        return "below 1%"
    return "above 99%" if share > 0.99 else f"{_half_up(share * 100)}%"


def _expected(value: float) -> int:
    """Two significant figures, three from 10,000: a forecast knows no more."""
    if value < 1:
        return _half_up(value)
    place = max(0, math.floor(math.log10(value)) + 1 - (3 if value >= 10_000 else 2))
    return _half_up(value / 10**place) * int(10**place)


def _half_up(value: float) -> int:
    return int(Decimal(str(value)).to_integral_value(ROUND_HALF_UP))

"""Names that people read for levels, routes, sources, models, rules, units; a code without one stays as it is.

Each table is by code, in English and marked for translation: ``language.text(RULES.get(rule, rule))``, or :func:`name`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alerts import rules
from alerts.rules import period_words
from core.countries import display_name, known_codes, region_name
from core.errors import InputError, Message
from core.languages import Language, capital
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import corridor, is_route
from core.routes import route_name as name_of_route
from core.schema import ALL, RECEPTION
from core.settings import SNAPSHOT

WORDS: Mapping[str, list[dict[str, str]]] = tomllib.loads((SNAPSHOT / "words.toml").read_text("utf-8"))
"""Words for people by the codes of releases, from ``data/words.toml``."""
LEVEL_MARKS = {"information": "•", "watch": "●", "warning": "▲", "severe": "◆", "ended": "○"}
LEVELS = {
    "information": _("Information"), "watch": _("Watch"), "warning": _("Warning"), "severe": _("Severe"),
    "ended": _("Ended"),
}  # fmt: skip
"""States of an alert by their code."""
FRESHNESS = {"fresh": _("Fresh"), "due": _("Due"), "overdue": _("Overdue"), "delinquent": _("Long overdue")}
EDITION_STATES = {"held": _("Held"), "known": _("Known"), "withdrawn": _("Withdrawn"), "rejected": _("Rejected")}
EDITION_STEPS = {"edition accepted": _("Accept"), "edition rejected": _("Reject"), "edition withdrawn": _("Withdraw")}
RULES = {rule.rule: rule.title for rule in rules.RULES}
_RULES_BY_SENTENCE = {"capacity_own": _("Capacity passed")}
"""Names of rules whose event is another where a reader has set a number, by ``reason_key``."""
EXCHANGE_RATE = "exchange_rate_"
"""How the codes of exchange rates begin; a currency follows."""
_SERIES_PARTS = 5
Sources = Mapping[str, Mapping[str, Any]]
"""The catalogue's cards in the reader's language, source_id -> fields."""


def words_of(kind: str) -> dict[str, str]:
    """One of the tables of words, by code; each code stands for itself in the address, the journal or a release."""
    return {one["code"]: one["title"] for one in WORDS[kind]}


MODELS, INDICATORS, REGIONS, DRIVERS = map(words_of, ("models", "indicators", "regions", "drivers"))
ACCOMMODATION = words_of("accommodation")
COMPARED_RULES = words_of("compared_rules")
"""Simple rules that alerts are compared with."""
PARTS_OF_VIGIE = words_of("parts_of_vigie")
"""Parts of Vigie that may stand where a source stands."""
EACH = words_of("frequencies")
"""How often something is counted."""


def name(table: Mapping[str, str], code: str, language: Language) -> str:
    """The name of a code in one of the tables above; a code that has none reads as words."""
    found = table.get(code)
    return code.replace("_", " ") if found is None else language.text(found)


def route_name(route_id: str, language: Language) -> str:
    """A route's name; an own one's is read off its code."""
    return name_of_route(route_id, language.code)


def country_name(code: str, language: Language) -> str:
    """A country's name; the code itself if it is unknown."""
    try:
        return display_name(code, language.code)
    except InputError:
        return code


def place_name(code: str, language: Language) -> str:
    """A country in the reader's language, or a region of reception as its publisher writes it."""
    return region_name(code) if "-" in code else country_name(code, language)


def source_name(source_id: str, sources: Sources, language: Language) -> str:
    """A source's publisher, a part of Vigie that stands in a source's place, or the code of neither."""
    part = language.text(PARTS_OF_VIGIE.get(source_id, source_id))
    return str(sources.get(source_id, {}).get("publisher") or part)


def subject_name(row: Mapping[Any, Any], sources: Sources, language: Language) -> str:
    """What an alert is about: its route or place of reception, else its source."""
    code = str(row.get("route_id", ""))
    if is_route(code):
        return route_name(code, language)
    if code.startswith(f"{RECEPTION}."):
        return place_name(code.split(".")[1], language)
    return source_name(str(row.get("source_id", "")), sources, language)


def routes_together(number: int, language: Language) -> str:
    """Several routes by their number: ``5 routes together``."""
    return language.plural(ngettext("{n} route together", "{n} routes together"), number)


def level_name(level: str, language: Language) -> str:
    """The word of an alert level: ``Severe``.

    Raises:
        KeyError: The level is unknown.
    """
    return language.text(LEVELS[level])


def rule_name(alert: Mapping[Any, Any], language: Language) -> str:
    """The rule of an alert: a capacity is only passed where one was given."""
    by_sentence = _RULES_BY_SENTENCE.get(str(alert.get("reason_key", "")))
    return language.text(by_sentence) if by_sentence else name(RULES, str(alert["rule"]), language)


def level_label(level: str, language: Language) -> str:
    """Mark and word of an alert level: ``◆ Severe``."""
    return f"{LEVEL_MARKS[level]} {level_name(level, language)}"


def message_in(said: Message, language: Language) -> str:
    """A recorded message in the reader's language, with names in place of the codes it was recorded with.

    The log and the journal keep the codes, by which operators find a figure.
    """
    return _in_words(said, language).render(language.text, language.significant)


def _in_words(said: Message, language: Language) -> Message:
    named = {place: _word(place, value, language) for place, value in said.parameters.items()}
    if {"series", "period"} <= set(named):  # its period follows a series
        named["series"] = f"{named['series']},"
    return Message(said.template, named)


def _word(place: str, value: object, language: Language) -> object:
    """What stands in one place of a message."""
    if isinstance(value, Message):
        return _in_words(value, language)
    if isinstance(value, list):
        return [_in_words(one, language) if isinstance(one, Message) else one for one in value]
    say = _WORDS.get(place)
    return (say(str(value), language) if say else "") or value


def _period_words(period: str, language: Language) -> str:
    """A period or a day in words; empty where the text is neither."""
    try:
        return period_words(period, language)
    except InputError:
        return ""


def indicator_name(target: str, language: Language) -> str:
    """What is counted or measured, by its code."""
    currency = target.removeprefix(EXCHANGE_RATE).upper()
    if target.startswith(EXCHANGE_RATE):
        return language.text(_("Exchange rate: {currency}"), currency=language.currency(currency))
    return name(INDICATORS, target, language)


def series_words(series_id: str, language: Language) -> str:
    """A series in words: what is counted, on which route, where and whose citizens; empty where it is no series."""
    if series_id.count(".") != _SERIES_PARTS - 1:
        return ""
    target, route_id, *places, _freq = series_id.split(".")
    parts = [indicator_name(target, language)]
    parts += [route_name(route_id, language)] if is_route(route_id) else []
    parts += [display_name(place, language.code) for place in places if place in known_codes()]
    return ", ".join(parts)


def series_place(series_id: str, language: Language) -> str:
    """Route or country of a series, and the citizens where only they are counted; the series itself without either."""
    _target, route_id, geo, citizen, *_rest = series_id.split(".")
    if not is_route(route_id) and geo not in known_codes():
        return series_id
    place = route_name(route_id, language) if is_route(route_id) else country_name(geo, language)
    return place if citizen == ALL else f"{place}: {country_name(citizen, language)}"


def _routes(codes: str, language: Language) -> str:
    return ", ".join(route_name(one, language) if is_route(one) else one for one in codes.split(", "))


def _each(freq: str, language: Language) -> str:
    return language.text(EACH[freq]) if freq in EACH else ""


_WORDS: Mapping[str, Callable[[str, Language], str]] = {
    "target": indicator_name, "freq": _each, "series": series_words, "other": series_words, "routes": _routes,
    "period": _period_words, "day": _period_words,
}  # fmt: skip
"""By the name of a place in a message: the words for what stands there; none where it is no code."""


def in_unit(said: str, route_id: str, language: Language, **fields: str | float) -> str:
    """Fill ``{unit}`` in a text in the reader's language with what a route counts, other places with ``fields``."""
    names = corridor(route_id).unit
    unit = names.get(language.code, names["en"]) if names else language.text(_("arrivals"))
    filled = said.format(unit=unit, **fields)
    return capital(filled) if said.startswith("{unit}") else filled


def expected_title(route_ids: Iterable[str], language: Language) -> str:
    """Return the title of a table or map of routes, with a place for the months."""
    if any(corridor(route_id).unit for route_id in route_ids):
        return language.text(_("Expected, {months}"))
    return language.text(_("Arrivals expected, {months}"))

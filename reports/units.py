"""Words of corridors that count events instead of arrivals: the same texts with the corridor's own unit."""

from __future__ import annotations

from collections.abc import Iterable

from core.languages import Language, capital
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import corridor

MEDIAN = ngettext("{median} arrival expected", "{median} arrivals expected")
INSTEAD = ngettext("{route}: {then} arrival instead of {plain}", "{route}: {then} arrivals instead of {plain}")
WHAT_IF = ngettext(
    "{route}: {plain} arrival expected, {when}. What if …?", "{route}: {plain} arrivals expected, {when}. What if …?"
)
COUNTED = ngettext(
    "{month}: {value} arrival counted; the past twelve months averaged {mean}.",
    "{month}: {value} arrivals counted; the past twelve months averaged {mean}.",
)
_IN_UNITS = {
    "{route}: {expected} arrivals expected {when}, 8-in-10 chance of {interval}": _(
        "{route}: {expected} {unit} expected {when}, 8-in-10 chance of {interval}"
    ),
    "{route}: on {day}, {expected} arrivals were expected in {month}, 8-in-10 chance of {interval}": _(
        "{route}: on {day}, {expected} {unit} were expected in {month}, 8-in-10 chance of {interval}"
    ),
    "{name}: {expected} arrivals expected {when}, 8-in-10 chance of {interval}": _(
        "{name}: {expected} {unit} expected {when}, 8-in-10 chance of {interval}"
    ),
    "Nothing unusual is expected: 8-in-10 chance of {interval} arrivals {when}.": _(
        "Nothing unusual is expected: 8-in-10 chance of {interval} {unit} {when}."
    ),
    "The alert was dismissed. 8-in-10 chance of {interval} arrivals {when}.": _(
        "The alert was dismissed. 8-in-10 chance of {interval} {unit} {when}."
    ),
    "{month}: {value} arrivals counted; the past twelve months averaged {mean}.": _(
        "{month}: {value} {unit} counted; the past twelve months averaged {mean}."
    ),
    "{year}: {expected} arrivals expected, 8-in-10 chance of {interval}; {before} in {past}": _(
        "{year}: {expected} {unit} expected, 8-in-10 chance of {interval}; {before} in {past}"
    ),
    "Fan chart of arrivals per month: {median} expected in {month}, 8-in-10 chance of {low} to {high}.": _(
        "Fan chart of {unit} per month: {median} expected in {month}, 8-in-10 chance of {low} to {high}."
    ),
    _("{name}: observed arrivals and forecast."): _("{name}: observed {unit} and forecast."),
    "{chance} chance that arrivals pass {threshold} in one month of {months}": _(
        "{chance} chance that {unit} pass {threshold} in one month of {months}"
    ),
    "{chance} chance that arrivals reach {threshold} in one month of {months}": _(
        "{chance} chance that {unit} reach {threshold} in one month of {months}"
    ),
    "{chance} chance that arrivals fall to {threshold} or fewer in one month of {months}": _(
        "{chance} chance that {unit} fall to {threshold} or fewer in one month of {months}"
    ),
    "{median} arrivals expected": _("{median} {unit} expected"),
    "{route}: {plain} arrivals expected, {when}. What if …?": _("{route}: {plain} {unit} expected, {when}. What if …?"),
    "{route}: {then} arrivals instead of {plain}": _("{route}: {then} {unit} instead of {plain}"),
    "arrivals expected": _("{unit} expected"),
    _("Arrivals expected"): _("{unit} expected"),
    _("Arrivals per month"): _("{unit} per month"),
    _("Arrivals expected, {month}"): _("{unit} expected, {month}"),
    _("Arrivals by calendar month and year"): _("{unit} by calendar month and year"),
    _("Arrivals in {month} of each year"): _("{unit} in {month} of each year"),
    _("Arrivals by nationality, twelve months to {month}"): _("{unit} by nationality, twelve months to {month}"),
    _("Share of arrivals of known nationality"): _("Share of {unit} of known nationality"),
    _("Arrivals"): _("{unit}"),
}
"""Text of arrivals, in its plural -> the same with a place for the unit."""


def in_unit(text: str, route_id: str, language: Language) -> str:
    """Return a text of arrivals in the reader's language and the unit of a route; its other places stay empty.

    Args:
        text: One of the table's texts.
        route_id: The route.
        language: The reader's.
    """
    names = corridor(route_id).unit
    if not names:
        return language.text(text)
    unit = names.get(language.code, names["en"])
    said = language.text(_IN_UNITS[text])
    said = said.replace("{unit}", unit)
    return capital(said) if text[0].isupper() else said


def expected_title(route_ids: Iterable[str], language: Language) -> str:
    """Return the title of a table or map of routes, with a place for the months."""
    if any(corridor(route_id).unit for route_id in route_ids):
        return language.text(_("Expected, {months}"))
    return language.text(_("Arrivals expected, {months}"))


def plural_in_unit(
    texts: tuple[str, str], number: int, route_id: str, language: Language, **fields: str | float
) -> str:
    """Return a text that depends on a number, as :meth:`core.languages.Language.plural`, in the unit of a route."""
    if not corridor(route_id).unit:
        return language.plural(texts, number, **fields)
    return in_unit(texts[1], route_id, language).format(n=number, **fields)

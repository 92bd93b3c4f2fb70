"""The migratory routes that Vigie knows, by Frontex's definitions and the Home Office's for the Channel."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import InputError
from core.languages import Language, languages
from core.languages import marked as _
from core.schema import ALL, make_series_id


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        route_id: Short code used in columns, addresses and settings.
        name: English name, marked for translation.
        persons: True where public figures count persons who arrived, so that a total with others means something.
        entry: ISO 3166 alpha-3 codes of the countries where people arrive.
    """

    route_id: str
    name: str
    persons: bool
    entry: tuple[str, ...]


ROUTES: dict[str, Route] = {
    route.route_id: route
    for route in (
        Route("CMR", _("Central Mediterranean"), True, ("ITA", "MLT")),
        Route("EMR", _("Eastern Mediterranean"), True, ("GRC", "CYP", "BGR")),
        Route("WMR", _("Western Mediterranean"), True, ("ESP",)),
        Route("WAR", _("Western African / Atlantic"), True, ("ESP",)),
        Route("CHA", _("English Channel"), True, ("GBR",)),
        Route("WBR", _("Western Balkan"), False, ("HUN", "HRV", "BGR", "ROU")),
        Route("EBR", _("Eastern Borders"), False, ("POL", "LTU", "LVA", "EST", "FIN", "NOR", "SVK", "HUN", "ROU")),
        Route("ALB", _("Albania–Greece (circular)"), False, ("GRC",)),
        Route("BSR", _("Black Sea"), False, ("BGR", "ROU")),
    )
}
ARRIVAL_ROUTES: tuple[str, ...] = tuple(route_id for route_id, route in ROUTES.items() if route.persons)
ARRIVAL_SERIES: tuple[str, ...] = tuple(make_series_id("arrivals", one, ALL, ALL, "M") for one in ARRIVAL_ROUTES)
"""Their monthly counts, which are added up; an analyst's own route may count people of one of them again."""

OWN_PREFIX = "X_"
"""Begins the code of a route that an analyst's own figures define; its name is read off the code."""
_OWN = re.compile(r"X_[A-Z0-9]+(?:_[A-Z0-9]+)*")


def own_route_id(name: str) -> str:
    """Code of an own route or place: ``X_CEUTA_BY_LAND`` for "Ceuta by land"; what Vigie knows keeps its own code.

    Raises:
        InputError: The name holds no letter or digit, or others than those of the Latin alphabet.
    """
    text = name.strip()
    if text in ROUTES or _OWN.fullmatch(text):
        return text
    if known := [code for code in ROUTES if _folded(text) in _ways(code)]:
        return known[0]
    code = OWN_PREFIX + re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper()
    if not text.isascii() or not _OWN.fullmatch(code) or len(code) > 40:
        fault = _("'{name}' cannot name a route: up to 38 letters A to Z, digits and spaces")
        raise InputError(fault, name=name)
    return code


def is_own(route_id: str) -> bool:
    """Whether a route is one of an analyst's own."""
    return _OWN.fullmatch(route_id) is not None


def is_route(route_id: str) -> bool:
    """Whether a code is a route that Vigie knows, or one of an analyst's own."""
    return route_id in ROUTES or is_own(route_id)


def in_order(codes: Iterable[str]) -> list[str]:
    """The routes among some codes, each once: Vigie's own in their order, then an analyst's by code."""
    found = set(codes)
    return [*[code for code in ROUTES if code in found], *sorted(code for code in found if is_own(code))]


def route_name(route_id: str) -> str:
    """English name of a route; an own one's is read off its code."""
    if route_id in ROUTES:
        return ROUTES[route_id].name
    return route_id.removeprefix(OWN_PREFIX).replace("_", " ").capitalize() if is_own(route_id) else route_id


def find_route(text: str, codes: Iterable[str]) -> str:
    """The code of the route that a person names: by code, or in any language by its name or the name's beginning.

    Args:
        text: What the person wrote; capitals, accents and hyphens do not matter.
        codes: The routes among which it is.

    Raises:
        InputError: It is none of them, or more than one.
    """
    among, wanted = in_order(codes), _folded(text)
    if text in among:
        return text
    found = [code for code in among if wanted in _ways(code)]
    found = found or [code for code in among if any(way.startswith(wanted) for way in _ways(code))]
    if len(found) != 1 or not wanted:
        named = ", ".join(f"{code} ({route_name(code)})" for code in among)
        raise InputError(_("there is no one route '{name}'; there are {routes}"), name=text, routes=named)
    return found[0]


def _ways(code: str) -> list[str]:
    """The ways to write a route, folded: its code and its name in every language."""
    return [_folded(code), *(_folded(Language(one).text(route_name(code))) for one in languages())]


def _folded(text: str) -> str:
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return " ".join(re.findall(r"\w+", plain.casefold()))


def spelled(route_id: str) -> str:
    """Code and English name: ``CMR Central Mediterranean``."""
    return f"{route_id} {route_name(route_id)}" if is_route(route_id) else route_id

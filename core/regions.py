"""Regions below a country for which people in reception are counted: code and name as the publisher writes it.

A region of an analyst's own figures has its name for a code: ``DEU-BAYERN``.
"""

from __future__ import annotations

import re

from core.countries import known_codes
from core.errors import InputError
from core.languages import marked as _

REGIONS: dict[str, str] = {
    "ITA-21": "Piemonte", "ITA-23": "Valle d'Aosta", "ITA-25": "Lombardia", "ITA-32": "Trentino-Alto Adige",
    "ITA-34": "Veneto", "ITA-36": "Friuli-Venezia Giulia", "ITA-42": "Liguria", "ITA-45": "Emilia-Romagna",
    "ITA-52": "Toscana", "ITA-55": "Umbria", "ITA-57": "Marche", "ITA-62": "Lazio", "ITA-65": "Abruzzo",
    "ITA-67": "Molise", "ITA-72": "Campania", "ITA-75": "Puglia", "ITA-77": "Basilicata", "ITA-78": "Calabria",
    "ITA-82": "Sicilia", "ITA-88": "Sardegna",
    "GBR-TLC": "North East", "GBR-TLD": "North West", "GBR-TLE": "Yorkshire and The Humber",
    "GBR-TLF": "East Midlands", "GBR-TLG": "West Midlands", "GBR-TLH": "East of England", "GBR-TLI": "London",
    "GBR-TLJ": "South East", "GBR-TLK": "South West", "GBR-TLL": "Wales", "GBR-TLM": "Scotland",
    "GBR-TLN": "Northern Ireland",
}  # fmt: skip
"""ISO 3166-2 for Italy, ITL 1 for the United Kingdom, each behind the country's alpha-3 code."""


def region_codes(country: str) -> dict[str, str]:
    """Code of each region of a country by its name in lower case."""
    return {name.casefold(): code for code, name in REGIONS.items() if code.startswith(country)}


def place_code(text: str) -> str:
    """Code of a country or region that a person names: ``ITA``, ``ITA-25`` or ``ITA-Lombardia``, ``DEU-Bayern``.

    Raises:
        InputError: It is neither.
    """
    country, mark, region = text.strip().partition("-")
    name = re.sub(r"[^A-Z0-9]+", "_", region.upper()).strip("_")
    if country not in known_codes() or bool(mark) != bool(name):
        raise InputError(_("'{name}' is no place of reception: write `DEU`, or `DEU-Bayern` for a region"), name=text)
    return region_codes(country).get(region.casefold(), f"{country}{mark}{name}")


def region_name(code: str) -> str:
    """A region's name: as its publisher writes it, or read off the code of one's own."""
    return REGIONS.get(code) or code.partition("-")[2].replace("_", " ").title()

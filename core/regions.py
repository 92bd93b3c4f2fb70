"""Regions below a country for which people in reception are counted: code and name as the publisher writes it."""

from __future__ import annotations

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

"""Country names and codes, mapped once to ISO 3166 alpha-3.

Names are read in English and Italian and in sources' spellings (``data/countries.toml``), without regard to case,
accents and punctuation. What is no country keeps a code of its own: ``UNK``, ``OTH``, ``XXA`` (stateless), ``XSS``.
Regions for which people in reception are counted have codes too; one of an analyst's own figures has its name for a
code: ``DEU-BAYERN``.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache

import pandas as pd
import pycountry
from babel import Locale

from core.errors import InputError, SourceError
from core.languages import DEFAULT_LANGUAGE, catalogue
from core.languages import marked as _
from core.schema import unaccented
from core.settings import SNAPSHOT


def country_code(name_or_code: str) -> str:
    """Map a name, an alpha-2 or alpha-3 code, or one of Eurostat's codes (``EL``, ``UK``, ``XK``) to a code.

    Returns:
        ISO 3166 alpha-3, or one of the codes beside it; an empty text where no country is known by that name or code.
    """
    return _index().get(_normalise(name_or_code), "")


def map_countries(names: pd.Series, file: str) -> pd.Series:
    """Map a column of names or codes.

    Args:
        names: Texts; none may be missing.
        file: Name of the file they come from, for the error.

    Returns:
        Codes with the same index.

    Raises:
        SourceError: Some are unknown; the text names the row of one, not what stands there.
    """
    codes = {name: country_code(str(name)) for name in pd.unique(names)}
    unknown = [str(name) for name, code in codes.items() if not code]
    if unknown:
        first = names.index[names.astype(str) == sorted(unknown)[0]][0]
        column = None if names.name is None else str(names.name)
        raise SourceError(file, _("unknown country names or codes"), row=first, column=column)
    return names.map(codes).astype(str)


def display_name(alpha3: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Short name of a country for the screen, by the Unicode CLDR.

    Args:
        alpha3: A code as :func:`country_code` returns it.
        language: A language of the CLDR, such as ``fr``.

    Raises:
        InputError: The code is unknown.
    """
    if alpha3 in SHORT_NAMES:
        return catalogue(language).gettext(SHORT_NAMES[alpha3])
    if alpha2 := _alpha2_codes().get(alpha3):
        return str(Locale.parse(language).territories[alpha2])
    if alpha3 in BESIDE_ISO:
        return catalogue(language).gettext(BESIDE_ISO[alpha3])
    raise InputError(f"'{alpha3}' is not a known country code")


def region_of(alpha3: str) -> str:
    """The region of a country's code, one of :data:`REGIONS`; :data:`NO_REGION` for codes that are no country."""
    return _REGION_OF.get(alpha3, NO_REGION)


@cache
def known_codes() -> frozenset[str]:
    """Every code that :func:`country_code` may return."""
    return frozenset(_index().values())


def _normalise(text: str) -> str:
    """Lower case, no accents, footnote marks or punctuation, ``&`` as ``and``."""
    bare = unaccented(text.replace("&", " and ").replace("’", "'"))
    return re.sub(r"[^a-z0-9]+", " ", bare.replace("'", "")).strip()


@cache
def _alpha2_codes() -> dict[str, str]:
    codes = {country.alpha_3: country.alpha_2 for country in pycountry.countries}
    return codes | {KOSOVO: "XK"}


@cache
def _index() -> dict[str, str]:
    """Every known spelling, normalised, to its code; later entries win, so aliases override libraries."""
    index: dict[str, str] = {}
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name", "alpha_2", "alpha_3"):
            if spelling := getattr(country, attribute, None):
                index[_normalise(spelling)] = country.alpha_3
    for language in ("es", "fr", "it", "en"):
        territories = Locale.parse(language).territories
        for alpha3, alpha2 in _alpha2_codes().items():
            index[_normalise(territories[alpha2])] = alpha3
    for alpha3, name in BESIDE_ISO.items():
        index[_normalise(alpha3)] = index[_normalise(name)] = alpha3
    for alpha3, spellings in ALIASES.items():
        index |= {_normalise(spelling): alpha3 for spelling in spellings}
    return index


UNKNOWN = "UNK"
"""Citizenship not recorded."""
OTHER = "OTH"
"""Citizenships that the publisher lumps together."""
KOSOVO = "XKX"
"""Kosovo (UNSCR 1244): no ISO 3166 code exists; the World Bank's and the EU's user-assigned one."""

BESIDE_ISO: dict[str, str] = {
    UNKNOWN: _("Unknown"),
    OTHER: _("Other citizenships"),
    "XXA": _("Stateless"),  # the code of ISO 7501 for travel documents, also used by UNHCR
    "XSS": _("Sub-Saharan Africa, unspecified"),  # Frontex's "Unspecified sub-Saharan nationals"
    KOSOVO: _("Kosovo"),
    "ANT": _("Netherlands Antilles"),  # dissolved in 2010: still in old series
}

_TABLE = tomllib.loads((SNAPSHOT / "countries.toml").read_text("utf-8"))
ALIASES: dict[str, list[str]] = _TABLE["aliases"]
NO_REGION = "Unknown or stateless"
"""Region of codes that are no country."""
REGIONS: tuple[str, ...] = (*_TABLE["regions"], NO_REGION)
PLACES: dict[str, str] = _TABLE["places"]
"""Regions below a country: name by code."""
_REGION_OF: dict[str, str] = {code: region for region, codes in _TABLE["regions"].items() for code in codes.split()}

SHORT_NAMES = {
    "CIV": _("Côte d'Ivoire"),
    "COD": _("DR Congo"),
    "COG": _("Congo"),
    "HKG": _("Hong Kong"),
    "MAC": _("Macao"),
    "MMR": _("Myanmar"),
    "PSE": _("Palestine"),
}
"""Names for the screen where the CLDR's are unusual."""


def region_codes(country: str) -> dict[str, str]:
    """Code of each region of a country by its name in lower case."""
    return {name.casefold(): code for code, name in PLACES.items() if code.startswith(country)}


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
    return PLACES.get(code) or code.partition("-")[2].replace("_", " ").title()

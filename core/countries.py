"""Country names and codes, mapped once to ISO 3166 alpha-3.

Names are read in English and Italian and in the spellings that sources use (``ALIASES``), without regard to case,
accents and punctuation. What is no country keeps a code of its own: ``UNK``, ``OTH``, ``XXA`` (stateless), ``XSS``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import pandas as pd
import pycountry
from babel import Locale

from core.errors import InputError, SourceError
from core.languages import DEFAULT_LANGUAGE, catalogue
from core.languages import marked as _


def to_alpha3(name_or_code: str) -> str:
    """Map one name or code to ISO 3166 alpha-3 or to one of the codes beside it.

    Args:
        name_or_code: A name, an alpha-2 or alpha-3 code, or one of Eurostat's codes (``EL``, ``UK``, ``XK``).

    Returns:
        A code of three letters.

    Raises:
        InputError: No country is known by that text.
    """
    code = country_code(name_or_code)
    if not code:
        raise InputError(f"'{name_or_code}' is not a country name or code that Vigie knows")
    return code


def country_code(name_or_code: str) -> str:
    """The same; an empty text where no country is known by that name or code."""
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
        alpha3: A code as :func:`to_alpha3` returns it.
        language: A language that the CLDR knows, such as ``fr``.

    Raises:
        InputError: The code is unknown.
    """
    if alpha3 in SHORT_NAMES:
        return catalogue(language).gettext(SHORT_NAMES[alpha3])
    if alpha2 := _alpha2_codes().get(alpha3):
        return str(Locale.parse(language).territories[alpha2])
    if alpha3 in BESIDE_ISO:
        return catalogue(language).gettext(BESIDE_ISO[alpha3])
    raise InputError(f"'{alpha3}' is not a country code that Vigie knows")


@cache
def known_codes() -> frozenset[str]:
    """Every code that :func:`to_alpha3` may return."""
    return frozenset(_index().values())


def _normalise(text: str) -> str:
    """Lower case, no accents, footnote marks or punctuation, ``&`` as ``and``."""
    bare = unicodedata.normalize("NFKD", text.replace("&", " and ").replace("’", "'"))
    bare = "".join(char for char in bare if not unicodedata.combining(char)).casefold()
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
    for language in ("it", "en"):
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
STATELESS = "XXA"
"""Stateless persons (the code of ISO 7501 for travel documents, also used by UNHCR)."""
SUB_SAHARAN = "XSS"
"""Frontex's "Unspecified sub-Saharan nationals"."""
KOSOVO = "XKX"
"""Kosovo (UNSCR 1244): no ISO 3166 code exists; the World Bank's and the EU's user-assigned one."""
ANTILLES = "ANT"
"""Netherlands Antilles, dissolved in 2010: still in old series."""

BESIDE_ISO: dict[str, str] = {
    UNKNOWN: _("Unknown"),
    OTHER: _("Other citizenships"),
    STATELESS: _("Stateless"),
    SUB_SAHARAN: _("Sub-Saharan Africa, unspecified"),
    KOSOVO: _("Kosovo"),
    ANTILLES: _("Netherlands Antilles"),
}

ALIASES: dict[str, tuple[str, ...]] = {
    # Frontex, FRAN data: sheets Detections_of_IBC and Dictionary
    "COG": ("Congo", "Congo (Brazzaville)", "Congo Republic", "Republic of Congo"),
    "COD": (
        "Congo (Kinshasa)", "Congo (D.R.)", "Congo, DRC", "Congo (Democratic Republic)", "DR Congo", "DR Congo (Zaire)",
        "Dem. Rep. Congo", "Dem. Rep. of the Congo", "Democratic Republic of Congo", "DRC",
    ),
    "CPV": ("Cape Verde",),
    "KOR": ("Korea", "South Korea", "Rep. of Korea"),
    "PRK": ("North Korea", "Korea (D.P.R)", "Dem. People's Rep. of Korea"),
    "LAO": ("Laos", "Lao People's Dem. Rep."),
    "PCN": ("Pitcairn Islands", "Pitcairn Islands (British)"),
    "PSE": ("Palestine", "State of Palestine", "Occupied Palestinian Territories", "Palestinian Territories"),
    "SHN": ("Saint Helena",),
    "SWZ": ("Swaziland", "Kingdom of eSwatini (Swaziland)"),
    "TUR": ("Turkey", "Türkiye"),
    "VAT": ("Holy See (Vatican City State)", "Holy See"),
    # Uppsala Conflict Data Program, in its own names and in Natural Earth's
    "ATG": ("Antigua & Barbuda",),
    "BIH": ("Bosnia and Herz.", "Bosnia-Herzegovina"),
    "CAF": ("Central African Rep.",),
    "CIV": ("Ivory Coast", "Cote d'Ivoire", "Costa d'Avorio"),
    "DOM": ("Dominican Rep.",),
    "GMB": ("The Gambia", "Gambia, The"),
    "KHM": ("Cambodia (Kampuchea)",),
    "KNA": ("St. Kitts and Nevis",),
    "LCA": ("St. Lucia",),
    "MHL": ("Marshall Is.",),
    "MKD": ("Macedonia", "FYR Macedonia", "Former Yugoslav Republic of Macedonia"),
    "MMR": ("Myanmar (Burma)", "Burma"),
    "RUS": ("Russia", "Russia (Soviet Union)"),
    "SLB": ("Solomon Is.",),
    "SSD": ("S. Sudan",),
    "TLS": ("East Timor", "Timor Leste"),
    "VCT": ("St. Vincent and the Grenadines",),
    "VNM": ("Vietnam (North Vietnam)",),
    "YEM": ("Yemen (North Yemen)",),
    "ZWE": ("Zimbabwe (Rhodesia)",),
    "SRB": ("Serbia (Yugoslavia)", "Serbia and Kosovo: S/RES/1244 (1999)"),
    # Home Office
    "ASM": ("American Samoa (United States)",),
    "BHS": ("Bahamas, The",),
    "CYP": ("Cyprus (Northern part of)",),
    "GBR": ("UK", "British overseas citizens", "Great Britain"),
    "GUF": ("French Guiana (French)",),
    "REU": ("Reunion (French)",),
    "SGS": ("South Georgia and the South Sandwich Islands (British)",),
    "VGB": ("Virgin Islands (British)",),
    # Eurostat: its two codes that differ from ISO 3166, and labels of its citizenship list
    "GRC": ("EL",),
    "CHN": ("CN_X_HK", "China including Hong Kong", "China (including Hong Kong)"),
    "DEU": ("DE_TOT", "Germany (until 1990 former territory of the FRG)", "Germany (including former GDR)"),
    KOSOVO: (
        "XK", "XKX", "KOS", "Kosovo*", "Kosovo (under United Nations Security Council Resolution 1244/99)",
        "Kosovo (UNSCR 1244/99)", "Serbia and Kosovo (UNSCR 1244)",
    ),
    STATELESS: ("STLS", "STL", "Stateless", "Apolide", "Apolidi"),
    UNKNOWN: (
        "UNK", "XXX", "Unknown", "Not specified", "Not stated", "Not currently recorded", "Various/unknown",
        # Frontex: "third-country national" without more; a citizenship that was not recorded
        "Third-country",
        "Refugee",
    ),
    SUB_SAHARAN: ("XSS", "OOS", "Unspecified sub-Saharan nationals"),
    OTHER: (
        "OTH", "OOO", "Other", "Others", "Other and unknown", "altre", "altri", "Altre nazionalità",
        # Frontex: a region, not a citizenship; too coarse for any country
        "Horn of Africa",
        # Eurostat: recognised non-citizens, that is former Soviet citizens of Latvia and Estonia
        "RNC", "Recognised non-citizens", "Tibetan", "TIB",
    ),
    ANTILLES: ("Netherlands Antilles",),
    # UNHCR
    "FRO": ("Faeroe Islands",),
    "BES": ("Bonaire, Saint Eustatius and Saba",),
    "BOL": ("Bolivia (Plurinational State of)",),
    "HKG": ("China, Hong Kong SAR",),
    "IRN": ("Iran (Islamic Rep. of)",),
    "MAC": ("China, Macao SAR",),
    "MAF": ("Saint-Martin (French part)",),
    "MDA": ("Rep. of Moldova",),
    "NLD": ("Netherlands (Kingdom of the)",),
    "SPM": ("Saint-Pierre-et-Miquelon",),
    "SYR": ("Syrian Arab Rep.",),
    "TZA": ("United Rep. of Tanzania",),
    "VEN": ("Venezuela (Bolivarian Republic of)",),
    "USA": ("United States of America",),
    "ARE": ("UAE",),
}  # fmt: skip

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

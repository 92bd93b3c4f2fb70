"""Country names and codes, mapped once to ISO 3166 alpha-3.

Names are read in English and Italian and in the spellings of ``core.country_names``, without regard to case, accents
and punctuation. What is no country keeps a code of its own: ``UNK``, ``OTH``, ``XXA`` (stateless), ``XSS``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

import pandas as pd
import pycountry
from babel import Locale

from core.country_names import ALIASES, BESIDE_ISO, KOSOVO, SHORT_NAMES, UNHCR_OWN
from core.errors import InputError, SourceError
from core.languages import DEFAULT_LANGUAGE, catalogue
from core.languages import marked as _

CodeList = Literal["iso", "unhcr"]
"""Whose three-letter codes a text may hold: UNHCR's contradict ISO's for some twenty countries."""


def to_alpha3(name_or_code: str, *, code_list: CodeList = "iso") -> str:
    """Map one name or code to ISO 3166 alpha-3 or to one of the codes beside it.

    Args:
        name_or_code: A name, an alpha-2 or alpha-3 code, or one of Eurostat's codes (``EL``, ``UK``, ``XK``).
        code_list: ``unhcr`` reads three-letter codes as UNHCR's own.

    Returns:
        A code of three letters.

    Raises:
        InputError: No country is known by that text.
    """
    key = _normalise(name_or_code)
    code = (UNHCR_OWN.get(key.upper()) if code_list == "unhcr" else None) or _index().get(key)
    if code is None:
        raise InputError(f"'{name_or_code}' is not a country name or code that Vigie knows")
    return code


def map_countries(names: pd.Series, file: str, *, code_list: CodeList = "iso") -> pd.Series:
    """Map a column of names or codes.

    Args:
        names: Texts; none may be missing.
        file: Name of the file they come from, for the error.
        code_list: See :func:`to_alpha3`.

    Returns:
        Codes with the same index.

    Raises:
        SourceError: Some are unknown; the text names the row of one, not what stands there.
    """
    codes: dict[object, str] = {}
    unknown: list[str] = []
    for name in pd.unique(names):
        try:
            codes[name] = to_alpha3(str(name), code_list=code_list)
        except InputError:
            unknown.append(str(name))
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

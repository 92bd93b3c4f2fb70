"""The migratory routes: Vigie's corridors (:mod:`core.corridors`) and those of an analyst's own figures."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path

import pandas as pd

from core.corridors import FOLDER, Corridor, read_corridors, read_own
from core.errors import InputError
from core.languages import DEFAULT_LANGUAGE, languages
from core.languages import marked as _
from core.schema import ALL, make_series_id

ROUTES: dict[str, Corridor] = read_corridors(FOLDER)
"""Every corridor by its code, those of the default region first."""
ARRIVAL_ROUTES: tuple[str, ...] = tuple(route_id for route_id, route in ROUTES.items() if route.added_up)
REGIONS: tuple[str, ...] = tuple(dict.fromkeys(route.region for route in ROUTES.values()))
"""Every region that has a corridor, the default one first."""


def routes_to(country: str) -> list[str]:
    """Series of the arrivals on the routes that lead to a country."""
    return [name for name in ARRIVAL_SERIES if country in ROUTES[name.split(".")[1]].countries]


OWN_PREFIX = "X_"
"""Begins the code of a route that an analyst's own figures define; its name is read off the code."""
OWN_CORRIDORS = "own/corridors"
"""Folder of a home with the files that describe own routes."""
_ASCII_NAME = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)*")
_ANY_NAME = re.compile(r"(?P<ascii>[A-Z0-9_]*)__(?P<others>[A-Z0-9]+)")
LONGEST_NAME = 38
_LONGEST_CODE = 120
_HYPHEN, _APOSTROPHE = "\u2010", "\u2019"
_WITHIN_WORDS = {"-": _HYPHEN, _HYPHEN: _HYPHEN, "'": _APOSTROPHE, _APOSTROPHE: _APOSTROPHE}


def own_route_id(name: str) -> str:
    """Code of an own route or place: ``X_CEUTA_BY_LAND`` for "Ceuta by land"; known routes keep their own code.

    A code is of ASCII, and the name is read off it. So it holds a name with other letters as the names of hosts do
    (Punycode, RFC 3492): behind two low lines, ``X_ALMERA__LSA`` for "Almería".

    Raises:
        InputError: The name holds no letter or digit, or too many.
    """
    text = unicodedata.normalize("NFC", name).strip()
    if text in ROUTES or is_own(text):
        return text
    if known := [code for code in ROUTES if _folded(text) in _ways(code)]:
        return known[0]
    code = _own_code(text)
    if not 0 < len(_own_name(code)) <= LONGEST_NAME or len(code) > _LONGEST_CODE:
        raise InputError(_("'{name}' cannot name a route: up to 38 letters, digits and spaces"), name=name)
    return code


_OWN: dict[str, Corridor] = {}


def use_own_corridors(home: Path) -> None:
    """Take names and arrows of a home's own routes from its files ``own/corridors/<code or name>.toml``.

    Raises:
        InputError: A file is broken, or is named by a route of Vigie or by no name of a route.
    """
    found = {}
    for path in sorted((home / OWN_CORRIDORS).glob("*.toml")):
        code = own_route_id(path.stem)
        if code in ROUTES:
            raise InputError(f"{OWN_CORRIDORS}/{path.name}: {code} is a route of Vigie, described in data/corridors")
        found[code] = read_own(path)
    # Other threads read names meanwhile: none is missing in between.
    _OWN.update(found)
    for code in _OWN.keys() - found.keys():
        _OWN.pop(code, None)


def is_own(route_id: str) -> bool:
    """Whether a route is one of an analyst's own."""
    return bool(_own_name(route_id))


def _own_code(name: str) -> str:
    """The code that a name would have: capitals count as small letters, marks between words as spaces."""
    words = _words_of(name)
    if not any(_is_letter(one) and not one.isascii() for one in words):
        return OWN_PREFIX + re.sub(r"[^a-z0-9]+", "_", words).upper()
    plain, _mark, others = words.encode("punycode").decode().rpartition("-")
    return f"{OWN_PREFIX}{plain.replace(' ', '_')}__{others}".upper()


def _words_of(name: str) -> str:
    """Letters and digits of any script in small letters, single spaces, hyphens and apostrophes within words.

    Nothing else is left, so a name is no markup, no formula and no command wherever it is shown.
    """
    kept = [_WITHIN_WORDS.get(one) or (one if _is_letter(one) else " ") for one in name.lower()]
    bare = re.sub(rf"(?<!\S)[{_HYPHEN}{_APOSTROPHE}]+|[{_HYPHEN}{_APOSTROPHE}]+(?!\S)", " ", "".join(kept))
    words = itertools.dropwhile(lambda one: unicodedata.category(one)[0] == "M", " ".join(bare.split()))
    return unicodedata.normalize("NFC", "".join(words))


def _is_letter(one: str) -> bool:
    """Whether a character is a letter, a mark on one, or a digit."""
    return unicodedata.category(one)[0] in "LMN"


@lru_cache(maxsize=1024)
def _own_name(code: str) -> str:
    """The name that an own route's code holds; empty where it is not the code of a name."""
    held = code.removeprefix(OWN_PREFIX)
    if held == code:
        return ""
    if _ASCII_NAME.fullmatch(held):
        return held.replace("_", " ").capitalize()
    found = _ANY_NAME.fullmatch(held)
    if found is None:
        return ""
    plain = found["ascii"].replace("_", " ")
    try:
        words = f"{plain}-{found['others']}".removeprefix("-").lower().encode().decode("punycode")
    except UnicodeError:
        return ""
    # What another program has put there is shown only if it is what Vigie itself would have written.
    if not words or _own_code(words) != code:
        return ""
    first = words[0].title()
    shown = words if len(first) > 1 else first + words[1:]
    return unicodedata.normalize("NFC", shown.replace(_HYPHEN, "-"))


def is_route(route_id: str) -> bool:
    """Whether a code is a known route, or one of an analyst's own."""
    return route_id in ROUTES or is_own(route_id)


def in_order(codes: Iterable[str]) -> list[str]:
    """The routes among some codes, each once: Vigie's own in their order, then an analyst's by code."""
    found = set(codes)
    return [*[code for code in ROUTES if code in found], *sorted(code for code in found if is_own(code))]


def route_name(route_id: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Name of a route in a language, else in English; an own one's is read off its code."""
    names = corridor(route_id).names
    return names.get(language, names[DEFAULT_LANGUAGE])


CARRIED = "arrivals_carried"
"""Target of the estimated part of a route's month: the mean of a country that is late."""


def estimated_shares(observations: pd.DataFrame) -> pd.Series:
    """Share of each row's value that is estimated; NaN where nothing is.

    Args:
        observations: Frame of ``core.release.OBSERVATIONS``, with the series of :data:`CARRIED`.
    """
    month = ["series_id", "time_period"]
    part = observations[observations["target"] == CARRIED]
    part = part.assign(series_id=part["route_id"].map(route_series))
    carried = part.set_index(month)["obs_value"].reindex(pd.MultiIndex.from_frame(observations[month]))
    return pd.Series(carried.to_numpy() / observations["obs_value"].to_numpy(), observations.index)


def corridor(route_id: str) -> Corridor:
    """Return a route's corridor; for an own one without a file the defaults."""
    found = ROUTES.get(route_id) or _OWN.get(route_id)
    return found or Corridor.model_construct(names={DEFAULT_LANGUAGE: _own_name(route_id) or route_id})


def counted(route_id: str) -> str:
    """Target of a route's series; an own route counts arrivals."""
    return corridor(route_id).counts


def region_of(route_id: str) -> str:
    """Region of a route."""
    return corridor(route_id).region


def route_series(route_id: str) -> str:
    """Name of a route's monthly series, all places and all citizenships."""
    return make_series_id(counted(route_id), route_id, ALL, ALL, "M")


def routes_of(regions: Collection[str]) -> list[str]:
    """Corridors of some regions that are summed from open sources, in order."""
    return [route_id for route_id, route in ROUTES.items() if route.parts and route.region in regions]


def receiving(region: str) -> frozenset[str]:
    """Countries where people arrive on the corridors of a region."""
    return frozenset(code for route_id in routes_of([region]) for code in ROUTES[route_id].countries)


def note_on(route_id: str, language: str = DEFAULT_LANGUAGE) -> str:
    """What a reader of a route's figures must bear in mind; empty for most."""
    notes = corridor(route_id).notes
    return notes.get(language, notes.get(DEFAULT_LANGUAGE, ""))


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


def of_route(rows: pd.DataFrame, route: str) -> pd.DataFrame:
    """Return the rows of one route from a table with routes or series; all rows if ``route`` is empty.

    Args:
        rows: The table.
        route: A route's code, or its name in any language.

    Raises:
        InputError: The table has no route or series column, or the route is unknown.
    """
    if not route:
        return rows
    names = [name for name in ("route_id", "series_id") if name in rows.columns]
    if not names:
        raise InputError(f"--route {route}: this table is not by route")
    codes = rows[names[0]].astype(str)
    if names[0] == "series_id":
        codes = codes.str.extract(r"^[^.]*\.([^.]*)", expand=False).fillna("")  # scores of all series name none
    return rows[codes == find_route(route, {*ROUTES, *codes})].reset_index(drop=True)


def _ways(code: str) -> list[str]:
    """The ways to write a route, folded: its code and its name in every language."""
    return [_folded(code), *(_folded(route_name(code, one)) for one in languages())]


def _folded(text: str) -> str:
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return " ".join(re.findall(r"\w+", plain.casefold()))


def spelled(route_id: str) -> str:
    """Code and English name: ``CMR Central Mediterranean``."""
    return f"{route_id} {route_name(route_id)}" if is_route(route_id) else route_id


ARRIVAL_SERIES: tuple[str, ...] = tuple(map(route_series, ARRIVAL_ROUTES))
"""Their monthly counts, which are added up; an analyst's own route may count people of one of them again."""

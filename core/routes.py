"""The migratory routes: Vigie's corridors and those of an analyst's own figures.

A corridor is one file, ``data/corridors/<id>.toml``: what a route is called, where it leads and what it sums. A region
groups corridors. A release holds the corridors of the regions that the settings name. Only corridors of one region
that count persons are ever added up (``added_up``).
"""

from __future__ import annotations

import itertools
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InputError, SourceError
from core.languages import DEFAULT_LANGUAGE, languages
from core.languages import marked as _
from core.schema import ALL, make_series_id, unaccented

FOLDER = Path(__file__).resolve().parent.parent / "data" / "corridors"
DEFAULT_REGION = "europe"
ALWAYS = "9999-12"
"""``zeros_until`` of a part whose sources never list a zero."""
Degrees = tuple[float, float]
_CODE = re.compile(r"(?!X_)[A-Z][A-Z0-9_]{1,37}")
_NOT_TOML = _("not readable as TOML: {error}")
_Model = TypeVar("_Model", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Arrow(_Part):
    """The arrow of a corridor and the place of its label, in (longitude, latitude).

    General geographic knowledge of where a corridor begins and ends, for display only: the points trace no actual path,
    no departure place and no landing place, and nothing is computed from them but the picture.

    Attributes:
        start: Where the arrow's tail is.
        control: Point that bends the arrow (quadratic Bézier).
        end: Where the arrow's tip is.
        label: Anchor of the label, chosen so that labels fit from 358 pixels to full width.
        align: The side of the label that stands on the anchor, and on which its lines are flush.
    """

    start: Degrees
    control: Degrees
    end: Degrees
    label: Degrees
    align: Literal["left", "right", "center"] = "left"


class Candidate(_Part):
    """Where the figures of a part may come from.

    Attributes:
        source: ``source_id`` of the publisher.
        places: Places (``geo``) added up, of which a month needs all; of a linked part patterns such as ``*_*``.
        freq: ``M``, or ``D`` for days added up where a month has all of its days.
        route: Route of the source's rows; empty for the corridor's own code.
    """

    source: str
    route: str = ""
    places: tuple[str, ...] = Field(min_length=1)
    freq: Literal["M", "D"] = "M"


class Part(_Part):
    """One part of a corridor; the corridor is the sum of its parts.

    Attributes:
        candidates: Sources in order of preference.
        major: Without it the corridor has no figure.
        zeros_until: Absent months inside the range count as zero up to here; empty for none.
        linked: For places that open and close: months are linked at the places that both have (matched model), and
            multiplied by this number. 0 for places that are all needed.
    """

    candidates: tuple[Candidate, ...] = Field(min_length=1)
    major: bool = False
    zeros_until: str = Field(default="", pattern=r"^(\d{4}-\d{2})?$")
    linked: float = Field(default=0, ge=0)


class Citizens(_Part):
    """Where figures by citizenship come from: one source, a major place and minor ones."""

    source: str
    major: str
    minor: tuple[str, ...] = ()


def _is_plain(text: str) -> bool:
    """Whether a name holds letters, digits and spaces of any script and few marks: no markup and no command."""
    return bool(text.strip()) and all(unicodedata.category(one)[0] in "LMN" or one in " .’'()/–-" for one in text)


class Corridor(_Part):
    """One corridor.

    Attributes:
        names: Name by language; English is required and stands in for a language without one.
        region: Region that it belongs to.
        counts: Target of its series: ``arrivals`` (persons) or ``detections`` (events).
        unit: What is counted, in the plural and by language; empty for arrivals.
        notes: What a reader must bear in mind, by language.
        countries: ISO 3166 alpha-3 codes of the countries where people arrive.
        arrow: Its place on the map.
        order: Place among the corridors of its region.
        added_up: Whether it is part of the total of its region.
        parts: What is added up, from which sources; empty where no open source may be used.
        citizens: Where figures by citizenship come from, if they may be published.
        settled_days: Days after a month's end by which its value is usually published.
    """

    names: dict[str, str]
    region: str = Field(default=DEFAULT_REGION, pattern=r"^[a-z]+(_[a-z]+)*$")
    counts: Literal["arrivals", "detections"] = "arrivals"
    unit: dict[str, str] = Field(default_factory=dict)
    notes: dict[str, str] = Field(default_factory=dict)
    countries: tuple[str, ...] = ()
    arrow: Arrow | None = None
    order: int = 100
    added_up: bool = False
    parts: tuple[Part, ...] = ()
    citizens: Citizens | None = None
    settled_days: int = Field(default=31, ge=0, le=125)

    @model_validator(mode="after")
    def _is_whole(self) -> Corridor:
        if "en" not in self.names:
            raise ValueError("names.en is missing")
        if (self.unit and "en" not in self.unit) or (self.notes and "en" not in self.notes):
            raise ValueError("unit and notes need a text in English (en)")
        if not all(map(_is_plain, [*self.names.values(), *self.unit.values()])):
            raise ValueError("names and units hold letters, digits, spaces and - ' ’ . / ( ) – only")
        if self.parts and not any(part.major for part in self.parts):
            raise ValueError("one of the parts must be major = true")
        if self.added_up and self.counts != "arrivals":
            raise ValueError("only corridors that count persons (counts = 'arrivals') are added up")
        return self

    @property
    def is_linked(self) -> bool:
        """Whether a part of it is linked over places that open and close."""
        return any(part.linked for part in self.parts)

    @property
    def sources(self) -> frozenset[str]:
        """Publishers whose figures it sums."""
        return frozenset(candidate.source for part in self.parts for candidate in part.candidates)


def read_own(path: Path) -> Corridor:
    """Read the file of an own route: its names, its arrow and what else describes it.

    Raises:
        InputError: It cannot be read, breaks a rule, or says what is counted, which the mapping of its figures says.
    """
    found = _read(path)
    if said := found.model_fields_set & {"parts", "citizens", "counts", "unit", "added_up", "settled_days", "order"}:
        raise InputError(
            f"{path.parent.name}/{path.name}, field {min(said)}: an own route's figures come by its mapping; its file "
            "holds names, arrow, region, countries and notes"
        )
    return found


def read_corridors(folder: Path) -> dict[str, Corridor]:
    """Read every corridor of a folder.

    Returns:
        Code -> corridor, by region (the default one first), order and code.

    Raises:
        InputError: A file cannot be read, is not TOML, or breaks a rule; the text names file and field.
    """
    found = {}
    for path in sorted(folder.glob("*.toml")):
        if not _CODE.fullmatch(path.stem):
            raise InputError(f"{folder.name}/{path.name}: a corridor's file is named by its code, such as CMR.toml")
        found[path.stem] = _read(path)
    return dict(
        sorted(found.items(), key=lambda item: (item[1].region != DEFAULT_REGION, item[1].region, item[1].order))
    )


def _read(path: Path) -> Corridor:
    name = f"{path.parent.name}/{path.name}"
    return _parsed(name, read_text(path, name))


@lru_cache(maxsize=256)  # settings are read with every message of a page, and own corridors with them
def _parsed(name: str, text: str) -> Corridor:
    return validated(Corridor, toml_of(text, name), name)


def validated(kind: type[_Model], values: object, name: str) -> _Model:
    """Return what a file holds as a model.

    Raises:
        InputError: A field is missing, unknown or out of range; the text names it.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where, fault = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
        raise InputError(f"{name}, field {where}: {fault}" if where else f"{name}: {fault}") from None


def read_text(path: Path, name: str) -> str:
    """Read a file of UTF-8, with or without a byte order mark.

    Args:
        path: The file.
        name: Its name in errors.

    Raises:
        InputError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceError(name, _("cannot be read: {error}"), error=error.strerror) from None
    except UnicodeDecodeError as error:
        raise SourceError(name, _NOT_TOML, error=error) from None


def toml_of(text: str, name: str) -> dict[str, Any]:
    """Parse a file's text.

    Raises:
        InputError: It is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(name, _NOT_TOML, error=error) from None


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
    return " ".join(re.findall(r"\w+", unaccented(text)))


def spelled(route_id: str) -> str:
    """Code and English name: ``CMR Central Mediterranean``."""
    return f"{route_id} {route_name(route_id)}" if is_route(route_id) else route_id


ARRIVAL_SERIES: tuple[str, ...] = tuple(map(route_series, ARRIVAL_ROUTES))
"""Their monthly counts, which are added up; an analyst's own route may count people of one of them again."""

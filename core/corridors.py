"""Corridors, one file each: ``data/corridors/<id>.toml`` says what a route is called, where it leads and what it sums.

A region groups corridors. A release holds the corridors of the regions that the settings name. Only corridors of one
region that count persons are ever added up (``added_up``).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InputError

FOLDER = Path(__file__).resolve().parent.parent / "data" / "corridors"
DEFAULT_REGION = "europe"
ALWAYS = "9999-12"
"""``zeros_until`` of a part whose sources never list a zero."""
Degrees = tuple[float, float]
_CODE = re.compile(r"(?!X_)[A-Z][A-Z0-9_]{1,37}")


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
    return dict(sorted(found.items(), key=lambda item: _place(*item)))


def _place(code: str, corridor: Corridor) -> tuple[bool, str, int, str]:
    return corridor.region != DEFAULT_REGION, corridor.region, corridor.order, code


def _read(path: Path) -> Corridor:
    name = f"{path.parent.name}/{path.name}"
    return _parsed(name, read_text(path, name))


@lru_cache(maxsize=256)  # settings are read with every message of a page, and own corridors with them
def _parsed(name: str, text: str) -> Corridor:
    try:
        return Corridor.model_validate(toml_of(text, name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{name}, field {where or 'corridor'}: {first['msg'].removeprefix('Value error, ')}") from None


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
        raise InputError(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _unreadable(name, error) from None


def toml_of(text: str, name: str) -> dict[str, Any]:
    """Parse a file's text.

    Raises:
        InputError: It is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: ValueError) -> InputError:
    return InputError(f"{name}: not readable as TOML: {error}")

"""Aggregates only: columns that would describe persons, single landings or vessels are refused at every entrance.

One function, called wherever a table enters: a frame at a boundary, a panel, a publisher's file (by hand, from the
inbox, live, or into the snapshot). See docs/governance.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from core.errors import SchemaError, SourceError
from core.languages import marked as _

PLACES_OF_EVENTS = frozenset(
    {"latitude", "longitude", "lat", "lon", "lng", "coordinates", "location_coordinates", "geom", "geom_wkt"}
)
"""Columns of a publisher's table of single events, which a parser may meet where it takes sums only."""
_NAMES = r"(first|last|given|middle|maiden|family|full|sur|person|applicant|migrant|vessel|ship|boat)s?_?names?"
_BIRTH = r"(date|day|year|place|town)_of_birth|birth_?(date|day|year|place)|dob|date_de_naissance|lieu_de_naissance"
_BIRTH_ELSEWHERE = r"data_di_nascita|fecha_de_nacimiento|geburtsdatum"
_PAPERS = r"(passport|passeport|passaporto|pasaporte|fingerprint|biometric|biometrique|photo)s?(_\w+)?"
_NUMBERS = r"identifier|(person|personal|national|individual|migrant|applicant|case|unhcr|alien|eurodac|mmsi|imo)_?"
_REACH = r"(tele|mobile_?|cell_?)?phone(_\w+)?|e_?mail(_\w+)?|courriel|imei|imsi|msisdn|ip_address|home_address|adresse"
_PLACE = r"(\w+_)?(latitude|longitude|coordinates?)|lat|lon|lng|(lat|lon|lng)_(deg|dd)|gps(_\w+)?|geom(_wkt)?|geometry"
_PERSON_LEVEL = re.compile(
    rf"names?|{_NAMES}|nom_de_famille|prenoms?|cognome|apellidos?|{_BIRTH}|{_BIRTH_ELSEWHERE}|{_PAPERS}"
    rf"|{_NUMBERS}(id|no|nr|number|code)|mmsi|{_REACH}|{_PLACE}"
)


class PersonLevelError(SourceError, SchemaError):
    """A table describes persons, single landings or vessels."""


def refuse_person_level(columns: Iterable[object], table: str, *, tolerated: Collection[str] = ()) -> None:
    """Refuse a table with columns that would describe persons, single landings or vessels.

    Args:
        columns: Names as they stand in the table, in any writing (``Date of birth``, ``birthDate``, ``DATE-OF-BIRTH``).
        table: Name of the file or frame, for the error.
        tolerated: Names, normalised, that a parser never reads: :data:`PLACES_OF_EVENTS` or none.

    Raises:
        PersonLevelError: Naming the columns.
    """
    found = [str(column) for column in columns if is_person_level(column) and normalised(column) not in tolerated]
    if found:
        rule = _("columns {columns} describe persons, single landings or vessels: Vigie takes aggregates only")
        raise PersonLevelError(table, rule, row=1, columns=found)


def is_person_level(column: object) -> bool:
    """Whether a column of that name would describe persons, single landings or vessels."""
    return _PERSON_LEVEL.fullmatch(normalised(column)) is not None


def normalised(column: object) -> str:
    """A column's name in lower case, words joined by ``_``, without accents: ``birthDate`` is ``birth_date``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(column))
    bare = "".join(char for char in unicodedata.normalize("NFKD", parted) if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "_", bare.casefold()).strip("_")

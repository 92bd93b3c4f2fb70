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
_NAMES = (
    r"(first|last|given|middle|maiden|family|full|sur|fore|nick|person|applicant|migrant|vessel|ship|boat)s?_?names?"
    r"|(vor|nach|familien|geburts|ruf|zu)_?name(ns?)?|nom_(de_)?(famille|naissance|jeune_fille)|nom_complet|prenoms?"
    r"|nom_et_prenoms?|cognom[ei]|nominativo|nome_(e_cognome|completo)|apellidos?|nombre_(completo|de_pila)|nombres_y_\w+"
)
_BIRTH = (
    r"(date|day|year|place|town|city)_of_birth|birth_?(date|day|year|place)|d_?o_?b|born_(on|in)"
    r"|(date|lieu|annee|jour|ville)_de_naissance|nee?_le"
    r"|(data|luogo|anno|comune)_di_nascita|nat[oa]_il|(fecha|lugar|ano)_de_nacimiento|nacid[oa]_el"
    r"|geburts_?(datum|ort|jahr|tag)|geb_?(datum|dat|ort)"
)
_PAPERS = (
    r"(passport|passeport|passaporto|pasaporte|reisepass|pass_?(nr|nummer)|fingerprint|biometric|biometrique|photo)s?"
    r"|fingerabdruc?k\w*|empreintes?_digitales?|impront[ae]_digital[ei]|huellas?_(digital|dactilar)\w*|lichtbild"
    r"|personalausweis\w*|ausweis_?(nr|nummer)|carte_d?_?identite|carta_d?_?identita|titre_de_sejour|visa_(no|nr|number)"
    r"|permesso_di_soggiorno|identity_card\w*|iris_scans?|signature"
)
_NUMBERS = (
    r"identifier|ssn|social_security_(no|nr|number)|sozialversicherungs_?\w+|steuer_?(id|nummer)|codice_fiscale|dni|nie|nif"
    r"|numero_(de_)?(securite_sociale|identite|identidad|etranger|dossier|expediente|pratica|di_pratica)|num_dossier"
    r"|az_?r_?nummer|aktenzeichen|personen_?(nr|nummer|kennziffer)"
    r"|((person|personal|national|individual|migrant|applicant|case|unhcr|alien|eurodac|mmsi|imo|registration|tax)_?)+"
    r"(id|no|nr|num|number|code)s?|mmsi"
)
_REACH = (
    r"(tele|mobile_?|cell_?)?phone(_(no|nr|number))?s?|telefono|telefon_?(nr|nummer)?|handy_?(nr|nummer)?|mobilnummer"
    r"|(numero_de_)?telephone|e_?mails?(_addres+(es)?)?|courriel|correo_electronico|imei|imsi|msisdn|ip_address"
    r"|(home|street|postal|mail)_address|adresse|anschrift|wohnanschrift|indirizzo|direccion|domicilio|whatsapp(_\w+)?"
)
_PLACE = r"(\w+_)?(latitude|longitude|coordinates?)|lat|lon|lng|(lat|lon|lng)_(deg|dd)|gps(_\w+)?|geom(_wkt)?|geometry"
_WHOLE = re.compile(rf"names?|nome|nombre_y_\w+|{_PLACE}|[\w]*_?phone_\w+|(passport|photo)s?_\w+")
_ANYWHERE = re.compile(rf"(?:^|_)(?:{_NAMES}|{_BIRTH}|{_PAPERS}|{_NUMBERS}|{_REACH})(?:_|$)")
"""English, French, German, Spanish and Italian; the second kind stands for a person whatever stands around it."""

_NEAR = """
surname firstname lastname familyname maidenname fullname birthdate dateofbirth placeofbirth passport telephone
fingerprint identifier latitude longitude emailaddress prenom nomdefamille datedenaissance lieudenaissance passeport
empreintesdigitales courriel vorname nachname familienname geburtsdatum geburtsort reisepass personalausweis
telefonnummer anschrift apellido apellidos nombrecompleto fechadenacimiento pasaporte correoelectronico expediente
cognome nominativo datadinascita luogodinascita passaporto codicefiscale indirizzo
"""
"""Names in one word, near which another is not refused by its name alone: a person looks."""


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
    name = normalised(column)
    return _WHOLE.fullmatch(name) is not None or _ANYWHERE.search(name) is not None


def resembles_person_level(column: object) -> bool:
    """Whether a name, or a word of it, differs by a letter from one that describes persons, or runs its words together.

    A column for which :func:`is_person_level` holds is none of these.
    """
    name = normalised(column)
    words = {name.replace("_", ""), *name.split("_")}
    return not is_person_level(column) and any(_is_near(word, known) for word in words for known in _NEAR.split())


def _is_near(word: str, known: str) -> bool:
    """At most one letter added, left out or exchanged, or two beside each other swapped."""
    if abs(len(word) - len(known)) > 1:
        return False
    begin = next((at for at, (one, other) in enumerate(zip(word, known, strict=False)) if one != other), len(word))
    rest, wanted = word[begin:], known[begin:]
    return (
        rest[1:] == wanted[1:]
        or rest[1:] == wanted
        or rest == wanted[1:]
        or (len(rest) > 1 and rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:])
    )


def normalised(column: object) -> str:
    """A column's name in lower case, words joined by ``_``, without accents: ``birthDate`` is ``birth_date``."""
    seen = "".join(char for char in str(column) if unicodedata.category(char) != "Cf")
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", seen)
    bare = "".join(char for char in unicodedata.normalize("NFKD", parted) if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "_", bare.casefold()).strip("_")

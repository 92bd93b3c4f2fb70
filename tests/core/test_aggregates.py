"""Columns that would describe persons, single landings or vessels."""

from __future__ import annotations

import pytest

from core.schema import (
    PLACES_OF_EVENTS,
    PersonLevelError,
    is_person_level,
    normalised,
    refuse_person_level,
    resembles_person_level,
)

REFUSED = (
    "Name", "first name", "LastName", "SURNAME", "Nom de famille", "Prénom", "apellidos", "Date of birth", "birthDate",
    "DOB", "date de naissance", "lieu de naissance", "passport", "Passport No.", "identifier", "person_id",
    "CaseNumber", "UNHCR ID", "phone", "Mobile phone", "e-mail", "Email address", "Latitude", "lon", "landing_latitude",
    "Date of Birth (dd/mm)", "Nachname", "SSN", "UNHCR individual number", "Vorname(n)", "Geburtsdatum (TT.MM.JJJJ)",
    "Geburtsort", "Reisepass-Nr.", "AZR-Nummer", "Telefonnummer", "Anschrift", "Cognome e nome", "Codice fiscale",
    "Data di nascita", "Luogo di nascita", "Fecha de nacimiento", "Primer apellido", "Número de expediente", "DNI",
    "Correo electrónico", "Prénom usuel", "Né le", "N° de dossier / numéro étranger", "Empreintes digitales",
    "Applicant's full name", "Contact phone number", "Na\u200bme", "ｎａｍｅ", "Mother's maiden name",
    "Passport no (if any)",    "registration number", "Home address", "family_name_latin", "Born on",
    "Location coordinates", "MMSI", "vessel name", "fingerprint", "photo", "IMEI", "geom_wkt",
)  # fmt: skip
ALLOWED = (
    "series_id", "source_id", "route_id", "time_period", "value", "citizen", "country_of_birth", "Nationality", "Sex",
    "age", "boats", "Location of death", "incident year", "Number of survivors", "Country Name", "geo", "n",
    "names_shown", "Nombre d’arrivées", "Numero di persone", "Anzahl Personen", "Staatsangehörigkeit", "Herkunftsland",
    "Number of persons", "Individuals", "cases", "Pays de naissance", "Año", "Mes", "Monat", "phoneme", "Signed",
    "Total", "Place of arrival", "Date of arrival", "Registration date", "National total", "Persons registered",
    "Fiscal year",
)  # fmt: skip


@pytest.mark.parametrize("column", REFUSED)
def test_person_level_column_is_recognised(column: str) -> None:
    assert is_person_level(column), normalised(column)


@pytest.mark.parametrize("column", ALLOWED)
def test_column_of_aggregate_is_not_mistaken_for_one(column: str) -> None:
    assert not is_person_level(column)


@pytest.mark.parametrize(
    "column",
    ["DateOfBrith", "firstnme", "Surnme", "Nachnahme", "Geburtsdatun", "Date_of_birt",
     "Apelido", "Congome", "Passpor", "Latitute", "Fechadenacimento", "Codice_fiscalle", "Telefonnumer"],
)  # fmt: skip
def test_name_near_one_about_persons_is_for_person_to_judge(column: str) -> None:
    assert is_person_level(column) or resembles_person_level(column)


@pytest.mark.parametrize("column", ALLOWED)
def test_name_of_aggregate_is_near_none_about_persons(column: str) -> None:
    assert not resembles_person_level(column)


def test_error_names_table_and_every_column_as_it_is_written() -> None:
    with pytest.raises(
        PersonLevelError, match=r"camp.csv, row 1: columns \['Date of birth', 'Phone'\] describe persons"
    ):
        refuse_person_level(["route", "Date of birth", "Phone"], "camp.csv")


def test_tolerated_event_places_pass() -> None:
    refuse_person_level(["Latitude", "Longitude"], "events.csv", tolerated=PLACES_OF_EVENTS)
    with pytest.raises(PersonLevelError, match="passport"):
        refuse_person_level(["Latitude", "passport"], "events.csv", tolerated=PLACES_OF_EVENTS)

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pycountry
import pytest
from babel import Locale

from core.countries import KOSOVO, NO_REGION, country_code, display_name, map_countries, region_of
from core.errors import InputError, SourceError

RAW = os.environ.get("VIGIE_RAW_DATA", "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Congo (Kinshasa)", "COD"), ("Congo (Brazzaville)", "COG"), ("Dem. Rep. Congo", "COD"), ("Kosovo*", "XKX"),
        ("XK", "XKX"), ("EL", "GRC"), ("UK", "GBR"), ("Unspecified sub-Saharan nationals", "XSS"), ("Unknown", "UNK"),
        ("Stateless", "XXA"), ("altre*", "OTH"), ("Costa d’Avorio", "CIV"), ("Camerun", "CMR"), ("Macedonia", "MKD"),
        ("eSwatini", "SWZ"), ("Palestine^", "PSE"), ("côte d'IVOIRE", "CIV"), ("Turkiye", "TUR"), ("de", "DEU"),
    ],
)  # fmt: skip
def test_spellings_of_sources_are_mapped(text: str, code: str) -> None:
    assert country_code(text) == code


def test_shared_code_follows_iso() -> None:
    assert country_code("AUS") == "AUS"
    assert country_code("ARE") == "ARE"


@pytest.mark.parametrize("text", ["Ruritania", "", "EU27_2020", "Unnamed: 134"])
def test_what_is_no_country_has_no_code(text: str) -> None:
    assert country_code(text) == ""


def test_every_iso_code_maps_to_itself_and_has_name_on_screen() -> None:
    for country in pycountry.countries:
        assert country_code(country.alpha_3) == country_code(country.alpha_2) == country.alpha_3
        assert display_name(country.alpha_3)


def test_library_spellings_map_to_their_country() -> None:
    for country in pycountry.countries:
        spellings = [country.name] + [Locale(language).territories[country.alpha_2] for language in ("en", "it")]
        assert {country_code(spelling) for spelling in spellings} == {country.alpha_3}


def test_names_on_screen_follow_language() -> None:
    assert display_name("SYR") == "Syria"
    assert display_name("SYR", "fr") == "Syrie"
    assert display_name("CIV") == "Côte d'Ivoire"
    assert [display_name(code, "fr") for code in ("XXA", "COD", "XKX")] == ["Apatrides", "RD Congo", "Kosovo"]
    with pytest.raises(InputError, match="'RUR'"):
        display_name("RUR")


def test_unmapped_name_is_refused_by_row_only() -> None:
    names = pd.Series(["Mali", "Ruritania", "Guinea", "Syldavia", "Ruritania"], name="Nationality")
    with pytest.raises(SourceError, match=r"people\.csv, row 1, column Nationality: unknown country names or codes$"):
        map_countries(names, "people.csv")


def test_every_country_but_antarctica_and_taiwan_has_region() -> None:
    """M49 leaves both out of its regions."""
    without = {country.alpha_3 for country in pycountry.countries if region_of(country.alpha_3) == NO_REGION}
    assert without <= {"ATA", "TWN"}
    assert region_of(KOSOVO) == "Europe"


@pytest.mark.slow
@pytest.mark.raw_data
@pytest.mark.skipif(not RAW, reason="VIGIE_RAW_DATA does not name the folder of published files")
def test_all_161_nationalities_of_frontex_workbook_are_known() -> None:
    sheet = pd.read_excel(Path(RAW) / "frontex_ibc/ibc.xlsx", usecols="C")
    codes = map_countries(sheet.iloc[:, 0].drop_duplicates(), "ibc.xlsx")
    assert len(codes) == 161
    assert codes.nunique() == 160  # "Unknown" and "Third-country" are both citizenships not recorded

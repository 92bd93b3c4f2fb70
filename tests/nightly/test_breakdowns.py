from __future__ import annotations

import pycountry

from core.countries import BESIDE_ISO, KOSOVO
from nightly.breakdowns import REGIONS, UNKNOWN, region_of


def test_every_country_but_antarctica_and_taiwan_has_a_region() -> None:
    """M49 leaves both out of its regions."""
    without = {country.alpha_3 for country in pycountry.countries if region_of(country.alpha_3) == UNKNOWN}
    assert without <= {"ATA", "TWN"}
    assert region_of(KOSOVO) == "Europe"


def test_what_is_no_country_has_none() -> None:
    assert {region_of(code) for code in BESIDE_ISO if code != KOSOVO} <= {UNKNOWN, "Europe"}
    assert len(set(REGIONS)) == len(REGIONS)


def test_neighbours_are_told_apart_by_sub_region() -> None:
    found = {code: region_of(code) for code in ("TUN", "MLI", "ERI", "SYR", "AFG", "COD")}
    assert found == {
        "TUN": "Northern Africa", "MLI": "Western Africa", "ERI": "Eastern Africa", "SYR": "Western Asia",
        "AFG": "Southern Asia", "COD": "Middle Africa",
    }  # fmt: skip

"""Own figures of people in reception, with their places."""

from __future__ import annotations

import datetime as dt

import pytest

from core.countries import place_code, region_name
from core.errors import InputError, SourceError
from core.settings import PROJECT
from ingest import RawFile
from ingest.own import parse_own
from ingest.own_mapping import OwnMapping, mapping_of_text

TODAY = dt.date(2025, 3, 10)
MAPPING = """
[source]
source_id = "own_ministry"
publisher = "Ministry"
dataset = "Occupancy"
lag_days = 5
[table]
what = "reception"
[columns]
time_period = "Month"
value = "People"
places = "Places"
route = "Where"
"""
FILE = "Month,Where,People,Places\n2025-01,DEU,900,1000\n2025-02,DEU,950,1000\n2025-02,DEU-Bayern,300,280\n"


def mapping(*changes: tuple[str, str]) -> OwnMapping:
    text = MAPPING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return mapping_of_text(text, "m.toml")


def test_one_file_of_occupancy_gives_people_and_places() -> None:
    rows = parse_own(RawFile("own.csv", FILE.encode()), mapping(), today=TODAY).observations
    values = rows.set_index(["series_id", "time_period"])["obs_value"]
    assert values["reception.DEU._T.M", "2025-02"] == 950
    assert values["reception.DEU-BAYERN._T.M", "2025-02"] == 300
    assert values["places._Z.DEU-BAYERN._T.M", "2025-02"] == 280


def test_a_blank_cell_of_places_leaves_them_unknown() -> None:
    raw = RawFile("own.csv", FILE.replace("300,280", "300,").encode())
    found = parse_own(raw, mapping(), today=TODAY)
    assert found.rejected.empty
    assert set(found.observations["series_id"]) == {
        "reception.DEU._T.M", "reception.DEU-BAYERN._T.M", "places._Z.DEU._T.M",
    }  # fmt: skip


def test_the_guides_file_and_mapping_give_people_and_places() -> None:
    guide = (PROJECT / "docs" / "reception.md").read_text(encoding="utf-8")
    table, text = (guide.split(f"```{kind}\n")[1].split("```")[0] for kind in ("csv", "toml"))
    rows = parse_own(RawFile("occupancy.csv", table.encode()), mapping_of_text(text, "m.toml"), today=TODAY)
    assert set(rows.observations["series_id"]) == {
        f"{kind}.{geo}._T.M" for kind in ("reception", "places._Z") for geo in ("DEU", "DEU-BAYERN")
    }


def test_cell_without_place_is_refused_with_advice() -> None:
    raw = RawFile("own.csv", FILE.replace("DEU-Bayern", "Bavaria").encode())
    with pytest.raises(SourceError, match=r"row 4.*names no place of reception.*DEU-Bayern"):
        parse_own(raw, mapping(), today=TODAY)


def test_region_is_named_by_code_or_by_name() -> None:
    assert [place_code(text) for text in ("ITA", "ITA-25", "ITA-lombardia", "DEU-Nordrhein Westfalen")] == [
        "ITA", "ITA-25", "ITA-25", "DEU-NORDRHEIN_WESTFALEN",
    ]  # fmt: skip
    assert (region_name("ITA-25"), region_name("DEU-NORDRHEIN_WESTFALEN")) == ("Lombardia", "Nordrhein Westfalen")


@pytest.mark.parametrize("text", ["", "XXX", "Italy", "ITA-", "ITA-???"])
def test_what_is_no_country_and_no_region_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no place of reception"):
        place_code(text)


def test_places_beside_another_kind_of_figures_are_refused() -> None:
    with pytest.raises(InputError, match=r"columns\.places stands beside"):
        mapping(('what = "reception"', 'what = "arrivals"'))

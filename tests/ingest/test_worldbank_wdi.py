"""World Development Indicators: the compiled table, and the CSV of the World Bank's site."""

from __future__ import annotations

import pytest

from core.errors import SourceError
from ingest import Parsed, RawFile
from ingest.sources import worldbank_wdi

SITE = (
    '"Data Source","World Development Indicators",\n\n"Last Updated Date","2025-01-28",\n\n'
    '"Country Name","Country Code","Indicator Name","Indicator Code","2007","2009","2010",\n'
    '"Italy","ITA","Population","SP.POP.TOTL","58","59","",\n"World","WLD","Population","SP.POP.TOTL","1","2","3",\n'
)


def values(parsed: Parsed) -> dict[str, dict[str, float]]:
    return {
        str(name): dict(zip(rows["time_period"], rows["obs_value"], strict=True))
        for name, rows in parsed.observations.groupby("series_id")
    }


def compiled(*rows: str) -> RawFile:
    return RawFile("wdi.csv", "\n".join(["geo,var,t,v", *rows, ""]).encode())


def test_of_the_compiled_table_indicators_of_countries_since_2009_are_read_and_two_names_left_to_others() -> None:
    parsed = worldbank_wdi.parse(
        compiled(
            "ITA,gdp,2008,1",
            "ITA,gdp,2009,2",
            "ITA,inf,2010,-0.5",
            "ITA,pop,2010,9",
            "ITA,polstb,2010,9",
            "WLD,gdp,2010,3",
        )
    )
    assert values(parsed) == {
        "consumer_price_inflation._Z.ITA._Z.A": {"2010": -0.5}, "gdp_usd._Z.ITA._Z.A": {"2009": 2.0},
    }  # fmt: skip
    assert parsed.rejected.empty


def test_an_unknown_name_of_the_compiled_table_is_refused_at_its_first_row() -> None:
    with pytest.raises(SourceError, match="unknown name") as fault:
        worldbank_wdi.parse(compiled("ITA,gdp,2009,2", "ITA,gdpx,2009,2", "ITA,other,2009,2"))
    assert (fault.value.row, fault.value.column) == (3, "var")


def test_the_site_s_csv_is_read_below_its_head_and_empty_cells_are_no_figures() -> None:
    assert values(worldbank_wdi.parse(RawFile("API.csv", SITE.encode()))) == {"population._Z.ITA._Z.A": {"2009": 59.0}}
    with pytest.raises(SourceError, match="no column is a year") as fault:
        worldbank_wdi.parse(
            RawFile("API.csv", SITE.replace("2007", "a").replace('"2009"', '"b"').replace('"2010"', '"c"').encode())
        )
    assert fault.value.row == 1
    with pytest.raises(SourceError, match="no line starts with"):
        worldbank_wdi.parse(RawFile("API.csv", SITE.replace("Country Name", "Country").encode()))


def test_a_figure_of_the_site_s_csv_is_named_by_its_line() -> None:
    wrong = SITE.replace('"59"', '"many"') + '"Malta","MLT","Population","SP.POP.TOTL","1","2","3",\n'
    more = wrong + "".join(f'"{code}","{code}","Population","SP.POP.TOTL","1","2","3",\n' for code in
                           ("FRA", "DEU", "ESP", "GRC", "CYP", "AUT", "BEL", "SWE", "POL", "ROU"))  # fmt: skip
    rejected = worldbank_wdi.parse(RawFile("API.csv", more.encode())).rejected
    assert rejected["row"].tolist() == ["6, 2009"]

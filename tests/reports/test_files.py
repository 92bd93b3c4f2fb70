"""Tables for people: names, units, rounding, codes as names, in the reader's language; machines keep every digit."""

from __future__ import annotations

import pandas as pd

from core.languages import Language
from reports.files import COLUMNS, explanation, for_people

ENGLISH, FRENCH = Language("en"), Language("fr")
FRAME = pd.DataFrame(
    {
        "route_id": ["CMR", "_T"], "series_id": ["a", "b"], "expected": [13_456.7, 840.4], "low": [8912.3, None],
        "relative_wis": [0.84321, 1.0], "odd": [1.23456, 2.0],
    }
)  # fmt: skip


def test_columns_are_named_and_forecasts_rounded() -> None:
    table, explained = for_people(FRAME, ENGLISH)
    assert list(table.columns) == ["Route", "Route, code", "Expected", "80% from", "Relative WIS", "odd"]
    assert table["Route"].tolist() == ["Central Mediterranean", "All routes"]
    assert table["Expected"].tolist() == [13_500.0, 840.0]
    assert table["Relative WIS"].tolist() == [0.843, 1.0]
    assert "13500,8900,0.843" in table.to_csv(index=False)  # persons are whole
    assert ("Expected", "median of the forecast", "persons") in explained


def test_count_with_half_person_is_same_in_file_and_on_page() -> None:
    halves = pd.Series([5854.5, 5855.5, 0.5])
    table, _explained = for_people(pd.DataFrame({"threshold": [*halves, None]}), ENGLISH)
    assert [f"{one:,}" for one in table["Threshold"].dropna()] == [ENGLISH.counted(one) for one in halves]


def test_file_threshold_equals_that_of_sentence() -> None:
    alerts = pd.DataFrame(
        {"rule": ["surge", "capacity", "fall", "outside_95"], "threshold": [1234.2, 1234.7, 617.5, 9.5]}
    )
    table, _explained = for_people(alerts, ENGLISH)
    assert table["Threshold"].tolist() == [1235, 1234, 617, 10]


def test_french_reader_gets_french_columns() -> None:
    table, explained = for_people(FRAME, FRENCH)
    assert table["Route"].tolist()[0] == "Méditerranée centrale"
    assert not {"Expected", "persons"} & {text for row in explained for text in row}
    assert explanation(explained, FRENCH)[0] == ("Colonne", "Signification", "Unité")


def test_states_levels_and_flags_are_words_of_reader() -> None:
    codes = pd.DataFrame({"state": ["ok", "too_old"], "level": ["watch", ""], "last_flag": ["e", ""]})
    table, _explained = for_people(codes, FRENCH)
    rows = [["avec prévision", "Vigilance", "watch", "estimé"], ["chiffres trop anciens", "", "", ""]]
    assert table.to_numpy().tolist() == rows


def test_series_is_named_by_route_and_country() -> None:
    series = ["arrivals.CMR._T._T.M", "asylum_applications_first._Z.DEU._T.M", "_T"]
    table, _explained = for_people(pd.DataFrame({"series_id": series, "median": 1.0}), ENGLISH)
    assert table["Route"].tolist() == ["Central Mediterranean", "", "All routes"]
    assert table["Route, code"].tolist() == ["CMR", "", "_T"]
    assert table["Country"].tolist() == ["", "Germany", ""]
    assert table["Country, code"].tolist() == ["", "DEU", ""]


def test_unusual_names_come_with_the_table() -> None:
    table, _explained = for_people(pd.DataFrame({"rule": ["capacity"], "rule_name": ["Capacity passed"]}), ENGLISH)
    assert table.iloc[0].to_dict() == {"Rule": "Capacity passed", "Rule, code": "capacity"}


def test_every_column_says_what_it_means() -> None:
    assert all(column.title and column.means for column in COLUMNS.values())

"""Deaths in organised violence: the wide table and its dated editions."""

from __future__ import annotations

import pandas as pd
import pytest

from core.errors import SourceError
from ingest import RawFile
from ingest.sources import INTAKE, ucdp
from tests.ingest import miniature_files as files


def known_at(observations: pd.DataFrame, date: str) -> dict[tuple[str, str], float]:
    """Newest figure of each country and month that was known on a date."""
    rows = observations[observations["as_of"] <= pd.Timestamp(date)].sort_values("as_of")
    keys = zip(rows["geo"].astype(str), rows["time_period"].astype(str), strict=True)
    return dict(zip(keys, rows["obs_value"].astype(float), strict=True))


def test_short_country_names_become_codes() -> None:
    assert set(ucdp.parse(files.ucdp_wide()).observations["geo"]) == {"AFG", "MLI", "COD"}


def test_column_without_country_that_holds_figures_is_refused() -> None:
    with pytest.raises(SourceError, match="column Unnamed: 134: a column without a country holds figures"):
        ucdp.parse(files.ucdp_wide(unnamed="4"))


def test_wide_table_ends_before_dated_editions() -> None:
    rows = ucdp.parse(files.ucdp_wide()).observations
    assert rows["time_period"].max() == "2023-12"
    assert rows["as_of_estimated"].all()
    assert rows["as_of"].max() == pd.Timestamp("2024-01-21")


@pytest.mark.parametrize(("cell", "rule"), [("-3", "the count is negative"), ("many", "the figure is not a number")])
def test_cell_that_cannot_be_right_is_set_aside_with_its_place(cell: str, rule: str) -> None:
    rejected = ucdp.parse(files.ucdp_wide({"2021-05": cell})).rejected
    assert rejected[["row", "column", "rule"]].to_numpy().tolist() == [["18, Mali", "value", rule]]


def test_edition_figures_are_known_from_its_own_date() -> None:
    rows = ucdp.parse(files.ucdp_editions()).observations
    assert not rows["as_of_estimated"].any()
    assert known_at(rows, "2024-02-21")["MLI", "2023-12"] == 5
    assert known_at(rows, "2024-02-22")["MLI", "2023-12"] == 6


def test_unnamed_country_had_no_deaths() -> None:
    rows = ucdp.parse(files.ucdp_editions()).observations
    assert known_at(rows, "2024-02-22")["MLI", "2024-01"] == 0
    assert known_at(rows, "2024-01-26")["SDN", "2023-11"] == 0


def test_months_that_no_annual_release_covers_are_provisional() -> None:
    rows = ["2024-06-24,2023-12,Mali,5,a,f", "2024-06-24,2022-12,Mali,4,a,f", "2024-07-21,2023-12,Mali,6,a,f"]
    parsed = ucdp.parse(files.ucdp_editions(rows)).observations.set_index(["time_period", "as_of"])["obs_flag"]
    assert parsed["2023-12", pd.Timestamp("2024-06-24")] == "p"
    assert parsed["2022-12", pd.Timestamp("2024-06-24")] == ""
    assert parsed["2023-12", pd.Timestamp("2024-07-21")] == ""


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("2024-02-30,2023-12,Mali,5,a,f", "the date of the edition is impossible"),
        ("2099-01-26,2023-12,Mali,5,a,f", "lies in the future"), ("2024-01-26,2023-13,Mali,5,a,f", "not a month"),
        ("2024-01-26,2024-01,Mali,5,a,f", "the month ends after the edition's date"),
        ("2024-01-26,2023-12,Mali,-5,a,f", "not a count"), ("2024-01-26,2023-12,Mali,five,a,f", "not a count"),
        ("2024-01-26,2023-11,Mali,4,a,f", "listed twice"),
    ],
)  # fmt: skip
def test_row_of_edition_that_cannot_be_right_is_set_aside(row: str, rule: str) -> None:
    sound = [f"2024-01-26,{month},Mali,4,a,f" for month in files.MONTHS if month < "2023-12"]
    rejected = ucdp.parse(files.ucdp_editions([*sound, row])).rejected
    assert len(rejected) == 1
    assert rule in rejected["rule"].iloc[0]


def test_file_with_early_dates_is_refused() -> None:
    with pytest.raises(SourceError, match="12 months early"):
        ucdp.parse(RawFile("views_ged_sb_df_input.csv", files.ucdp_wide().content))
    assert not any("views" in pattern for pattern in INTAKE["ucdp"]["files"])


@pytest.fixture(scope="module")
def published(bundled: pd.DataFrame) -> pd.DataFrame:
    return bundled[bundled["source_id"] == ucdp.SOURCE_ID]


@pytest.mark.parametrize(("date", "total"), [("2024-01-26", 9_457), ("2024-06-24", 13_599), ("2026-06-24", 17_210)])
def test_world_deaths_match_each_edition(published: pd.DataFrame, date: str, total: float) -> None:
    known = known_at(published, date)
    assert sum(value for (_, month), value in known.items() if month == "2023-12") == total


def test_outlier_of_2026_01_is_there_and_marked_provisional(published: pd.DataFrame) -> None:
    iran = published[(published["geo"] == "IRN") & (published["time_period"] == "2026-01")]
    assert iran["obs_value"].tolist() == [19_886]
    assert iran["obs_flag"].tolist() == ["p"]

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ingest import Parsed, RawFile, read_raw
from ingest.sources import uk_home_office

QUARTERLY = "Date,Year,Quarter,Method of entry,Nationality,Region,Sex,Age Group,Number of detections\n"


def _days(count: int = 40) -> list[tuple[str, str]]:
    return [(day.strftime("%Y-%m-%d"), "10") for day in pd.date_range("2024-01-01", periods=count)]


def _daily(rows: list[tuple[str, str]], header: str = "#date,migrants,boats\n") -> Parsed:
    lines = "".join(f'"{day}",{migrants},1\n' for day, migrants in rows)
    return uk_home_office.parse(RawFile("daily.csv", (header + lines).encode()))


def test_header_that_starts_with_hash_is_read() -> None:
    found = _daily(_days()).observations
    assert set(found["series_id"]) == {"arrivals.CHA.GBR._T.D"}
    assert found["obs_value"].sum() == 400
    assert found["as_of"].iloc[-1] == pd.Timestamp("2024-02-10")


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (("2024-03-01", "-4"), "the count is negative"), (("2024-03-01", "many"), "the count is not a whole number"),
        (("2024-03-01", ""), "the count is missing"), (("2024-02-30", "3"), "the day does not exist"),
        (("2099-01-01", "3"), "the period lies in the future"), (("2024-01-05", "10"), "the same day is listed twice"),
    ],
)  # fmt: skip
def test_one_bad_row_is_set_aside_with_its_rule(row: tuple[str, str], rule: str) -> None:
    parsed = _daily([*_days(), row])
    assert parsed.rejected[["row", "rule"]].to_numpy().tolist() == [["42", rule]]
    assert parsed.observations["obs_value"].sum() == 400


def _workbook(rows: list[list[Any]], name: str, sheet: str = "SB_01") -> RawFile:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="odf") as writer:
        pd.DataFrame(rows).to_excel(writer, sheet_name=sheet, header=False, index=False)
    return RawFile(name, buffer.getvalue())


def _sheet() -> list[list[Any]]:
    days = pd.date_range("2025-12-01", periods=30)
    return [["Date", "Migrants arrived", "Notes"], *([day.to_pydatetime(), 5, None] for day in days)]


def test_workbook_named_by_its_day_is_vintage() -> None:
    found = uk_home_office.parse(_workbook(_sheet(), "31_December_2025_Small_boats.ods")).observations
    assert found["obs_value"].sum() == 150
    assert found["time_period"].iloc[0] == "2025-12-01"
    assert found["as_of"].unique().tolist() == [pd.Timestamp("2025-12-31")]
    assert not found["as_of_estimated"].any()


def _quarterly(rows: list[tuple[str, str, str, str, int]]) -> Parsed:
    lines = "".join(f"{date},2023,1,{way},{nation},Region,{sex},18 to 24,{n}\n" for date, way, nation, sex, n in rows)
    return uk_home_office.parse(RawFile("irregular.csv", (QUARTERLY + lines).encode()))


def test_quarters_add_up_ages_and_sexes_of_small_boats_alone() -> None:
    found = _quarterly(
        [
            ("2023-03-31", "Small boat arrivals", "Ivory Coast", "Male", 5),
            ("2023-03-31", "Small boat arrivals", "Ivory Coast", "Female", 2),
            ("2023-03-31", "Small boat arrivals", "Not currently recorded", "Male", 1),
            ("2023-03-31", "Recorded detections in the UK", "Ivory Coast", "Male", 1000),
        ]
    ).observations
    assert dict(zip(found["series_id"], found["obs_value"], strict=True)) == {
        "arrivals.CHA.GBR.CIV.Q": 7,
        "arrivals.CHA.GBR.UNK.Q": 1,
        "arrivals.CHA.GBR._T.Q": 8,
    }
    assert found["time_period"].unique().tolist() == ["2023-Q1"]
    assert found["as_of"].unique().tolist() == [pd.Timestamp("2023-05-30")]


@pytest.mark.parametrize("above", [0, 1, 3])
def test_quarterly_workbook_equals_text_table(above: int) -> None:
    quarters = [("2023 Q1", "2023-03-31"), ("2023 Q2", "2023-06-30"), ("2024 Q4", "2024-12-31")]
    head = ["Quarter", " Method of entry ", "Nationality", "Number of detections "]
    rows = [[quarter, "Small boat arrivals", "Albania", place + 5] for place, (quarter, _end) in enumerate(quarters)]
    buffer, title = io.BytesIO(), [["Table D01"], ["Irregular entries"], []][:above]
    sheet = pd.DataFrame([*title, head, *rows, [None, None, None, "End of table"]])
    sheet.to_excel(buffer, sheet_name=uk_home_office.QUARTERLY_SHEET, header=False, index=False)
    found = uk_home_office.parse(RawFile("irregular.xlsx", buffer.getvalue()))
    written = _quarterly(
        [(end, "Small boat arrivals", "Albania", "Male", place + 5) for place, (_quarter, end) in enumerate(quarters)]
    )
    assert found.rejected.empty
    columns = ["series_id", "time_period", "obs_value", "as_of"]
    pd.testing.assert_frame_equal(found.observations[columns], written.observations[columns])


@pytest.mark.raw_data
def test_published_days_agree_with_checked_years(raw_data: Path) -> None:
    path = raw_data / "uk_small_boats/uk-migrant-data/daily_small_boats.csv"
    parsed = uk_home_office.parse(read_raw(path))
    days = pd.to_datetime(parsed.observations["time_period"])
    assert days.tolist() == pd.date_range("2018-01-01", "2026-08-21").tolist()
    years = parsed.observations.groupby(days.dt.year)["obs_value"].sum()
    checked = {2018: 299, 2019: 1_843, 2021: 28_526, 2022: 45_755, 2023: 29_437, 2024: 36_816, 2025: 41_472}
    assert years[list(checked)].to_dict() == checked
    assert parsed.rejected.empty


@pytest.mark.raw_data
def test_home_offices_own_workbook_agrees_with_daily_table(raw_data: Path) -> None:
    folder = raw_data / "uk_small_boats"
    own = uk_home_office.parse(
        read_raw(folder / "home_office/12_December_2025_Small_boats_-_time_series.ods")
    ).observations
    table = uk_home_office.parse(read_raw(folder / "uk-migrant-data/daily_small_boats.csv")).observations
    both = own.merge(table, on="time_period", suffixes=("_own", "_table"))
    assert len(both) == len(own) == 2902
    assert own["as_of"].unique().tolist() == [pd.Timestamp("2025-12-12")]
    settled = both[both["time_period"] < "2025-12-01"]
    assert (settled["obs_value_own"] == settled["obs_value_table"]).mean() > 0.99


@pytest.mark.raw_data
def test_published_quarters_agree_with_checked_years(raw_data: Path) -> None:
    path = raw_data / "uk_small_boats/humaniverse_asylum/irregular_migration.csv"
    found = uk_home_office.parse(read_raw(path)).observations
    totals = found[found["citizen"] == "_T"]
    years = totals.groupby(totals["time_period"].str[:4])["obs_value"].sum().to_dict()
    assert years == {"2018": 299, "2019": 1843, "2020": 8466, "2021": 28526, "2022": 45774, "2023": 29437}
    by_citizen = found[found["citizen"] != "_T"].groupby("time_period")["obs_value"].sum()
    assert by_citizen.to_dict() == totals.set_index("time_period")["obs_value"].to_dict()

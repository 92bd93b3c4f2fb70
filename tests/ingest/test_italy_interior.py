from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.errors import SourceError
from ingest import Parsed, RawFile, read_raw
from ingest.sources import INTAKE, italy_interior

DAILY_HEADER = "Data,Valore,Note,Fonte,Data_Report\n"
NATION_HEADER = "Data_Report,Nazione,ISO_3166-1,Valore\n"


def _daily(rows: list[tuple[str, str, str]]) -> Parsed:
    lines = "".join(f"{day},{value},*note,Fonte: x. y,{report}\n" for day, value, report in rows)
    return italy_interior.parse(RawFile("sbarchi.csv", (DAILY_HEADER + lines).encode()))


def _month(report: str, days: int = 31, value: str = "10") -> list[tuple[str, str, str]]:
    """A report of its month: figures up to its day, then zero placeholders."""
    last = int(report[-2:])
    return [(f"{report[:8]}{day:02d}", value if day <= last else "0", report) for day in range(1, days + 1)]


def _values(parsed: Parsed) -> dict[str, float]:
    found = parsed.observations
    return dict(zip(found["time_period"], found["obs_value"], strict=True))


def test_of_reports_that_repeat_day_latest_counts() -> None:
    parsed = _daily(_month("2024-03-15", value="7") + _month("2024-03-31", value="9"))
    assert set(_values(parsed).values()) == {9.0}
    assert len(parsed.observations) == 31
    assert parsed.rejected.empty


def test_placeholders_after_last_report_are_no_zeros() -> None:
    parsed = _daily(_month("2024-03-15"))
    assert max(_values(parsed)) == "2024-03-15"
    assert len(parsed.rejected) == 16
    assert parsed.rejected["rule"].unique().tolist() == ["a placeholder for a day after the report"]


def test_placeholder_text_is_set_aside() -> None:
    early = _month("2024-05-15")
    early[26] = ("2024-05-27", "0[VALORE]0", "2024-05-15")
    parsed = _daily(early + _month("2024-05-31", value="9"))
    assert _values(parsed)["2024-05-27"] == 9.0
    assert parsed.rejected["rule"].tolist() == ["the count is not a whole number"]
    assert "0[VALORE]0" in parsed.rejected["record"].iloc[0]


def test_every_day_is_provisional_and_known_two_days_later() -> None:
    found = _daily(_month("2024-03-31")).observations
    assert set(found["obs_flag"]) == {"p"}
    assert found["as_of"].iloc[0] == pd.Timestamp("2024-03-03")
    assert set(found["series_id"]) == {"arrivals.CMR.ITA._T.D"}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (("2024-03-20", "-4", "2024-03-31"), "the count is negative"),
        (("2024-03-20", "many", "2024-03-31"), "the count is not a whole number"),
        (("2024-03-20", "", "2024-03-31"), "the count is missing"),
        (("2099-01-01", "3", "2099-01-15"), "the period lies in the future"),
        (("20/03/2024", "3", "2024-03-31"), "the day does not exist"),
        (("2024-03-20", "3", "soon"), "the report's day does not exist"),
    ],
)
def test_one_bad_row_is_set_aside_with_its_rule(row: tuple[str, str, str], rule: str) -> None:
    parsed = _daily([*_month("2024-01-31"), row])
    assert parsed.rejected[["row", "rule"]].to_numpy().tolist() == [["33", rule]]
    assert len(parsed.observations) == 31


def test_file_with_many_bad_rows_is_refused() -> None:
    rows = [(day, "many", report) for day, _, report in _month("2024-03-31")[:3]] + _month("2024-01-31")
    with pytest.raises(SourceError, match=r"sbarchi\.csv, row 2, column Valore: .* whole number \(3 of 34"):
        _daily(rows)


def _nations(rows: list[tuple[str, str, int]]) -> Parsed:
    lines = "".join(f"{report},{name},XX,{value}\n" for report, name, value in rows)
    return italy_interior.parse(RawFile("nazionalita.csv", (NATION_HEADER + lines).encode()))


def _flows(parsed: Parsed) -> dict[tuple[str, str], float]:
    found = parsed.observations
    return dict(zip(zip(found["citizen"], found["time_period"], strict=True), found["obs_value"], strict=True))


def test_months_are_differences_of_year_to_date() -> None:
    parsed = _nations(
        [
            ("2023-12-31", "Costa d'Avorio", 900),
            ("2024-01-15", "Costa d'Avorio", 4),
            ("2024-01-31", "Costa d'Avorio", 10),
            ("2024-02-29", "Costa d'Avorio", 25),
        ]
    )
    assert _flows(parsed) == {("CIV", "2024-01"): 10, ("CIV", "2024-02"): 15}
    assert set(parsed.observations["series_id"]) == {"arrivals.CMR.ITA.CIV.M"}


def test_rest_has_flow_only_where_same_citizenships_are_named() -> None:
    rows = [
        ("2024-01-31", "Siria", 5), ("2024-01-31", "altre", 50),
        ("2024-02-29", "Siria", 9), ("2024-02-29", "altre", 70),
        ("2024-03-31", "Siria", 9), ("2024-03-31", "Mali", 30), ("2024-03-31", "altre", 75),
    ]  # fmt: skip
    rest = {month: value for (citizen, month), value in _flows(_nations(rows)).items() if citizen == "OTH"}
    assert rest == {"2024-01": 50, "2024-02": 20}


def test_only_openly_licensed_files_are_bundled() -> None:
    assert all("/ondata/" in pattern for pattern in INTAKE["italy_interior"]["files"])


@pytest.mark.raw_data
def test_published_days_are_whole(raw_data: Path) -> None:
    path = raw_data / "italy_interior_cruscotto/ondata/sbarchi-per-giorno.csv"
    parsed = italy_interior.parse(read_raw(path))
    days = pd.to_datetime(parsed.observations["time_period"])
    assert days.tolist() == pd.date_range("2019-09-01", "2025-09-15").tolist()
    years = parsed.observations.groupby(days.dt.year)["obs_value"].sum()
    for year, official in ((2020, 34_154), (2021, 67_477), (2022, 105_131), (2023, 157_652), (2024, 66_617)):
        assert 0.94 * official < years[year] <= official
    assert parsed.rejected["rule"].value_counts().to_dict() == {
        "a placeholder for a day after the report": 15,
        "the day does not exist": 7,
        "the count is not a whole number": 1,
    }


@pytest.mark.raw_data
def test_published_citizenships_sum_to_year(raw_data: Path) -> None:
    path = raw_data / "italy_interior_cruscotto/ondata/nazionalita.csv"
    parsed = italy_interior.parse(read_raw(path))
    found = parsed.observations
    tunisia = found[(found["citizen"] == "TUN") & (found["time_period"].str[:4] == "2023")]
    published = pd.read_csv(path).query("Data_Report == '2023-12-31' and Nazione == 'Tunisia'")["Valore"].item()
    assert len(tunisia) == 12
    assert tunisia["obs_value"].sum() == published
    assert len(parsed.rejected) == 6

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import rdata

from core.errors import SourceError
from ingest import Parsed, RawFile, read_raw
from ingest.sources import iom_dtm


def _days(month: str) -> float:
    return float((pd.Timestamp(f"{month}-01") - pd.Timestamp("1970-01-01")).days)


def _file(tmp_path: Path, table: str, rows: list[tuple[Any, ...]], columns: list[str]) -> RawFile:
    frame = pd.DataFrame(rows, columns=columns)
    frame["t"] = [_days(month) if isinstance(month, str) else month for month in frame["t"]]
    path = tmp_path / f"{table}.rda"
    rdata.write_rda(path, {table: frame.assign(q=0.0, n=frame["n"].astype(float))})
    return RawFile(path.name, path.read_bytes())


def _totals(tmp_path: Path, rows: list[tuple[Any, ...]]) -> Parsed:
    return iom_dtm.parse(_file(tmp_path, "dtm_med", rows, ["t", "geo", "n"]))


def _citizens(tmp_path: Path, rows: list[tuple[Any, ...]]) -> Parsed:
    return iom_dtm.parse(_file(tmp_path, "dtm_med_nat", rows, ["t", "geo", "nat", "n"]))


def _values(parsed: Parsed) -> dict[tuple[str, str], float]:
    found = parsed.observations
    return dict(zip(zip(found["series_id"], found["time_period"], strict=True), found["obs_value"], strict=True))


def test_places_become_routes_and_countries(tmp_path: Path) -> None:
    places = ["ITA", "MLT", "GRC", "CYP", "BGR", "ESP", "ESP-WMR", "ESP-WAAR"]
    parsed = _totals(tmp_path, [("2024-12", place, 7) for place in places])
    assert set(parsed.observations["series_id"]) == {
        "arrivals.CMR.ITA._T.M", "arrivals.CMR.MLT._T.M", "arrivals.EMR.GRC._T.M", "arrivals.EMR.CYP._T.M",
        "arrivals.EMR.BGR._T.M", "arrivals._Z.ESP._T.M", "arrivals.WMR.ESP._T.M", "arrivals.WAR.ESP._T.M",
    }  # fmt: skip
    assert parsed.observations["as_of"].unique().tolist() == [pd.Timestamp("2025-01-25")]
    assert parsed.observations["as_of_estimated"].all()


def test_spanish_remainder_completes_year(tmp_path: Path) -> None:
    rows = [("2016-11", "ESP-WMR", 854), ("2016-12", "ESP-WMR", 5996), ("2017-01", "ESP-WMR", 1307)]
    assert _values(_totals(tmp_path, rows)) == {
        ("arrivals.WMR.ESP._T.A", "2016"): 6850,
        ("arrivals.WMR.ESP._T.M", "2017-01"): 1307,
    }


def test_maltas_running_totals_before_2018_are_no_months(tmp_path: Path) -> None:
    rows = [("2015-07", "MLT", 94), ("2015-09", "MLT", 6), ("2015-10", "MLT", 6), ("2018-06", "MLT", 235)]
    assert _values(_totals(tmp_path, rows)) == {
        ("arrivals.CMR.MLT._T.A", "2015"): 106,
        ("arrivals.CMR.MLT._T.M", "2018-06"): 235,
    }


def test_cyprus_months_that_share_one_sum_are_flagged(tmp_path: Path) -> None:
    months = ["2017-01", "2017-05", "2017-06", "2018-05", "2019-05"]
    parsed = _totals(tmp_path, [(month, "CYP", 30) for month in months])
    assert parsed.observations["obs_flag"].tolist() == ["e", "e", "", "e", ""]


def test_bulgarias_cumulative_rows_of_2015_are_set_aside(tmp_path: Path) -> None:
    parsed = _totals(tmp_path, [("2015-09", "BGR", 7706), ("2015-11", "BGR", 21602), ("2016-01", "BGR", 596)])
    assert _values(parsed) == {("arrivals.EMR.BGR._T.M", "2016-01"): 596}
    assert parsed.rejected["row"].tolist() == ["1", "2"]
    assert parsed.rejected["rule"].unique().tolist() == ["a cumulative figure of 2015, no month"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("2024-02", "ITA", -4), "row 2, column n: the count is negative"),
        (("2024-02", "ITA", 1.5), "row 2, column n: the count is not a whole number"),
        (("2024-02", "ITA", float("nan")), "row 2, column n: the count is missing"),
        (("2024-02", "FRA", 4), "row 2, column geo: unknown place of arrival"),
        (("2099-01", "ITA", 4), "row 2, column t: the period lies in the future"),
        ((19755.0, "ITA", 4), "row 2, column t: not the first day of a month"),
        (("2024-01", "ITA", 4), "row 1, column n: different figures for the same geo, t"),
    ],
)
def test_one_bad_row_refuses_totals(tmp_path: Path, row: tuple[Any, ...], message: str) -> None:
    with pytest.raises(SourceError, match=rf"dtm_med\.rda, {message}"):
        _totals(tmp_path, [("2024-01", "ITA", 7), row])


def test_spanish_citizenships_are_left_out_without_their_figures(tmp_path: Path) -> None:
    rows = [("2024-01", "ESP-WAAR", "MLI", 4711), ("2024-01", "ESP", "SEN", 4712), ("2024-01", "ITA", "SYR", 7)]
    parsed = _citizens(tmp_path, rows)
    assert _values(parsed) == {("arrivals.CMR.ITA.SYR.M", "2024-01"): 7}
    assert parsed.rejected["rule"].tolist() == [
        "rows on Spain from Frontex, whose terms forbid passing them on, are left out: 2"
    ]
    assert not parsed.rejected.to_csv().count("471")


def test_greeces_december_2015_by_citizenship_is_set_aside(tmp_path: Path) -> None:
    parsed = _citizens(tmp_path, [("2015-12", "GRC", "SYR", 480_000), ("2016-01", "GRC", "SYR", 30_000)])
    assert _values(parsed) == {("arrivals.EMR.GRC.SYR.M", "2016-01"): 30_000}
    assert parsed.rejected["rule"].tolist() == ["the figure of a whole year, no month"]


def test_negative_citizenship_is_set_aside_and_its_month_flagged(tmp_path: Path) -> None:
    rows = [(f"20{year}-{month:02d}", "ITA", "SYR", 5) for year in (22, 23, 24) for month in range(1, 11)]
    parsed = _citizens(tmp_path, [*rows, ("2024-10", "ITA", "OOO", -38)])
    assert len(parsed.observations) == 30
    flagged = parsed.observations[parsed.observations["obs_flag"] == "e"]
    assert flagged["time_period"].tolist() == ["2024-10"]
    assert parsed.rejected["rule"].tolist() == ["the count is negative"]
    assert json.loads(parsed.rejected["record"].iloc[0])["n"] == -38


@pytest.mark.raw_data
def test_published_totals_agree_with_checked_years(raw_data: Path) -> None:
    parsed = iom_dtm.parse(read_raw(raw_data / "iom_dtm/dtm_med.rda"))
    found = parsed.observations
    years = found.groupby(["series_id", found["time_period"].str[:4]])["obs_value"].sum()
    for series_id, year, total in (
        ("arrivals.CMR.ITA._T.M", "2016", 181_436),
        ("arrivals.CMR.ITA._T.M", "2017", 119_369),
        ("arrivals.CMR.ITA._T.M", "2023", 157_652),
        ("arrivals.CMR.ITA._T.M", "2024", 66_617),
        ("arrivals.CMR.ITA._T.A", "1999", 49_999),
        ("arrivals.EMR.GRC._T.M", "2015", 857_363),
        ("arrivals._Z.ESP._T.M", "2018", 64_298),
        ("arrivals._Z.ESP._T.M", "2024", 63_970),
        ("arrivals._Z.ESP._T.A", "2016", 14_078),
        ("arrivals.WAR.ESP._T.M", "2023", 39_827),
        ("arrivals.WAR.ESP._T.M", "2024", 46_843),
    ):
        assert years[series_id, year] == total
    assert len(parsed.rejected) == 3
    assert "2019-07" not in found.loc[found["series_id"] == "arrivals.WAR.ESP._T.M", "time_period"].tolist()


@pytest.mark.raw_data
def test_published_citizenships_lose_spain_and_keep_rest(raw_data: Path) -> None:
    parsed = iom_dtm.parse(read_raw(raw_data / "iom_dtm/dtm_med_nat.rda"))
    assert set(parsed.observations["geo"]) == {"ITA", "MLT", "GRC", "CYP", "BGR"}
    counts = parsed.rejected["rule"].value_counts().to_dict()
    assert counts["the count is negative"] == 59
    assert counts["the figure of a whole year, no month"] == 74
    assert parsed.rejected["rule"].iloc[0].endswith(": 4777")
    italy = parsed.observations[parsed.observations["geo"] == "ITA"]
    assert italy.loc[italy["time_period"].str[:4] == "2023", "obs_value"].sum() == pytest.approx(157_652, rel=0.001)

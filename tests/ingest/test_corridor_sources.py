"""Counts of the Americas and of the Horn of Africa: the traps of their files, and sums that publishers state."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
import rdata

from core.errors import SourceError
from ingest import Parsed, RawFile, read_raw
from ingest.routes import route_arrivals
from ingest.sources import elsewhere, iom_dtm_ehoa, panama_darien, us_border_patrol


def days(*months: str) -> list[float]:
    return [float((pd.Timestamp(month) - pd.Timestamp("1970-01-01")).days) for month in months]


def values(parsed: Parsed, series_id: str) -> dict[str, float]:
    rows = parsed.observations[parsed.observations["series_id"] == series_id]
    return dict(zip(rows["time_period"], rows["obs_value"], strict=True))


def darien(folder: Path, nationalities: list[str], months: list[str], counts: list[float]) -> Parsed:
    frame = pd.DataFrame({"t": days(*months), "nat": nationalities, "n": counts})
    rdata.write_rda(folder / "darien.rda", {"irreg_darien_nat": frame})
    return panama_darien.parse(read_raw(folder / "darien.rda"))


def test_darien_rows_before_2020_are_years(tmp_path: Path) -> None:
    found = darien(tmp_path, ["CUB", "HTI", "CUB"], ["2019-01-01", "2019-01-01", "2020-01-01"], [10.0, 5.0, 7.0])
    assert values(found, "arrivals.DARIEN.PAN._T.A") == {"2019": 15}
    assert values(found, "arrivals.DARIEN.PAN._T.M") == {"2020-01": 7}


def test_a_month_that_darien_does_not_list_counts_as_zero(tmp_path: Path) -> None:
    found = darien(tmp_path, ["CUB", "CUB"], ["2020-01-01", "2020-03-01"], [7.0, 9.0])
    whole = route_arrivals(found.observations)
    assert whole.loc[whole["citizen"] == "_T", "obs_value"].tolist() == [7, 0, 9]
    assert whole.loc[whole["citizen"] == "CUB", "obs_value"].tolist() == [7, 0, 9]


def encounters(regions: list[list[object]], citizens: list[list[object]]) -> Parsed:
    buffer, head = io.BytesIO(), ["Fiscal\nYear", "Month", "Region"]
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        for sheet, columns, rows in (
            ("Monthly Region", [*head, "Quantity"], regions),
            ("Monthly Rgn and Citp", [*head, "Citizenship", "Quantity"], citizens),
        ):
            pd.DataFrame(rows, columns=columns).to_excel(writer, sheet_name=sheet, index=False)
    return us_border_patrol.parse(RawFile("encounters.xlsx", buffer.getvalue()))


SOUTHWEST: list[list[object]] = [
    [2025, "01 October", "Southwest Land Border", 100], [2025, "04 January", "Southwest Land Border", 90],
]  # fmt: skip
MEXICO: list[list[object]] = [[2025, "01 October", "Southwest Land Border", "Mexico", 60]]


def test_a_fiscal_year_begins_in_october_of_the_year_before() -> None:
    found = encounters(SOUTHWEST, MEXICO)
    assert values(found, "detections.US_SOUTHWEST.USA._T.M") == {"2024-10": 100, "2025-01": 90}
    assert values(found, "detections.US_SOUTHWEST.USA.MEX.M") == {"2024-10": 60}


def test_an_unknown_border_refuses_the_workbook() -> None:
    with pytest.raises(SourceError, match="unknown border"):
        encounters([*SOUTHWEST, [2025, "01 October", "Western Border", 1]], MEXICO)


def movements(folder: Path, rows: list[tuple[str, str, float]], route: str = "Eastern Corridor") -> Parsed:
    months, points, counts = zip(*rows, strict=True)
    frame = pd.DataFrame({"t": days(*months), "fmp": points, "fmp_country": "DJI", "route": route, "nat": "ETH"})
    rdata.write_rda(folder / "flows.rda", {"dtm_ehoa_nat": frame.assign(n=counts)})
    return iom_dtm_ehoa.parse(read_raw(folder / "flows.rda"))


def linked(parsed: Parsed) -> pd.DataFrame:
    rows = route_arrivals(parsed.observations)
    return rows[(rows["route_id"] == "HOA_EAST") & (rows["citizen"] == "_T")].set_index("time_period")


FLOWS = [
    ("2024-01-01", "Obock", 100.0), ("2024-02-01", "Obock", 200.0), ("2024-02-01", "Ali Adde", 50.0),
    ("2024-03-01", "Obock", 400.0), ("2024-03-01", "Ali Adde", 100.0), ("2024-04-01", "Ali Adde", 50.0),
]  # fmt: skip


def test_a_point_that_opens_or_closes_changes_no_level(tmp_path: Path) -> None:
    ratios = linked(movements(tmp_path, FLOWS))["obs_value"].pct_change().dropna()
    assert ratios.tolist() == pytest.approx([1.0, 1.0, -0.5], abs=0.02)


def test_later_points_change_no_earlier_month(tmp_path: Path) -> None:
    whole, before = (linked(movements(tmp_path, rows))["obs_value"] for rows in (FLOWS, FLOWS[:3]))
    assert before.tolist() == whole[before.index].tolist()


def test_linked_corridor_begins_after_last_month_without_link(tmp_path: Path) -> None:
    apart = [("2023-11-01", "Loyada", 9.0), *FLOWS]
    assert linked(movements(tmp_path, apart)).index.tolist() == ["2024-01", "2024-02", "2024-03", "2024-04"]


def test_nationalities_of_linked_points_add_up_to_the_corridor(tmp_path: Path) -> None:
    found = route_arrivals(movements(tmp_path, FLOWS).observations)
    sums = found.groupby(["citizen", "time_period"])["obs_value"].sum()
    assert sums["ETH"].tolist() == sums["_T"].tolist()


def test_routes_that_iom_does_not_define_are_left_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no figures"):
        movements(tmp_path, FLOWS, route="Undefined")


def test_region_leaves_out_sources_of_other_regions_only() -> None:
    assert elsewhere(["europe"]) == {"panama_darien", "us_border_patrol", "iom_dtm_ehoa"}
    assert {"iom_dtm", "eurostat"} <= elsewhere(["americas"])
    assert "ucdp" not in elsewhere(["americas"])
    assert not elsewhere(["europe", "americas", "horn_of_africa"])


def months_of(bundled: pd.DataFrame, series_id: str) -> pd.Series:
    return bundled[bundled["series_id"] == series_id].set_index("time_period")["obs_value"]


def test_darien_years_equal_published_ones(bundled: pd.DataFrame) -> None:
    months = months_of(bundled, "arrivals.DARIEN.PAN._T.M")
    years = months.groupby(months.index.str[:4]).sum()
    assert years["2021":"2024"].tolist() == [133_726, 248_284, 520_085, 302_203]


def test_southwest_border_fiscal_years_equal_published_ones(bundled: pd.DataFrame) -> None:
    months = months_of(bundled, "detections.US_SOUTHWEST.USA._T.M")
    for year, official in ((2021, 1_659_206), (2022, 2_206_436), (2023, 2_045_838), (2024, 1_530_523)):
        assert months[f"{year - 1}-10" : f"{year}-09"].sum() == pytest.approx(official, abs=20)


def test_eastern_corridor_years_equal_published_ones(bundled: pd.DataFrame) -> None:
    months = months_of(bundled, "detections.HOA_EAST.POINTS._T.M")
    years = months.groupby(months.index.str[:4]).sum()
    assert years.tolist() == [338_905, 501_434, 157_746, 319_255, 483_474, 558_404, 298_714]

"""Prices, indices and exchange rates: FAO, World Bank, ECB."""

from __future__ import annotations

import pandas as pd
import pytest

from core.errors import SourceError
from ingest.sources import ecb, fao_ffpi, worldbank_pinksheet
from tests.ingest import miniature_files as files


def by_target(observations: pd.DataFrame, period: str) -> dict[str, float]:
    rows = observations[observations["time_period"] == period]
    return dict(zip(rows["target"], rows["obs_value"], strict=True))


def test_fao_six_indices_are_series_of_world() -> None:
    figures = by_target(fao_ffpi.parse(files.fao_ffpi()).observations, "2021-05")
    assert figures["food_price_index"] == 98.5
    assert figures["food_price_index_sugar"] == 88.8
    assert len(figures) == 6


@pytest.mark.parametrize(("cell", "rule"), [("-1.0", "the count is negative"), ("high", "the figure is not a number")])
def test_fao_wrong_cell_is_set_aside_with_line_it_stands_on(cell: str, rule: str) -> None:
    rejected = fao_ffpi.parse(files.fao_ffpi({"2020-01": cell})).rejected
    assert rejected[["row", "rule"]].to_numpy().tolist() == [["5, Meat", rule]]


def test_staggered_headers_are_read() -> None:
    figures = by_target(worldbank_pinksheet.parse(files.worldbank_pinksheet()).observations, "2021-05")
    assert figures == {
        "commodity_price_crude_oil": 80.5,
        "commodity_price_natural_gas_europe": 12.0,
        "commodity_price_wheat": 250.0,
        "commodity_price_maize": 190.0,
        "commodity_price_rice": 450.0,
        "commodity_price_urea": 320.0,
        "commodity_price_index_energy": 90.0,
        "commodity_price_index_food": 70.0,
    }


@pytest.mark.parametrize("mark", ["..", "…", ""])
def test_pink_sheet_marks_for_missing_are_no_figure(mark: str) -> None:
    parsed = worldbank_pinksheet.parse(files.worldbank_pinksheet({"2021-05": mark}))
    assert "commodity_price_crude_oil" not in by_target(parsed.observations, "2021-05")
    assert parsed.rejected.empty


@pytest.mark.parametrize("urea", ["Urea, granular", "Maize"])
def test_renamed_or_repeated_column_is_refused(urea: str) -> None:
    with pytest.raises(SourceError, match=r"lacks the columns \[.*'Urea'\]"):
        worldbank_pinksheet.parse(files.worldbank_pinksheet(urea=urea))


def test_month_exchange_rate_is_mean_of_its_days() -> None:
    days = ["2024-01-03,1.30,1.9558,", "2024-01-02,1.10,N/A,", "2023-12-29,1.00,1.9558,"]
    figures = ecb.parse(files.ecb(days)).observations
    assert by_target(figures, "2024-01") == {"exchange_rate_usd": 1.2, "exchange_rate_bgn": 1.9558}


def test_running_month_mean_is_provisional() -> None:
    flags = {
        last: ecb.parse(files.ecb([f"{last},1.10,N/A,"])).observations["obs_flag"].tolist()
        for last in ("2024-05-30", "2024-05-31", "2026-10-30")
    }
    assert flags == {"2024-05-30": ["p"], "2024-05-31": [""], "2026-10-30": [""]}


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("2024-02-30,1.10,N/A,", "the date is impossible"),
        ("2099-01-02,1.10,N/A,", "the period lies in the future"),
        ("2024-02-01,-1.10,N/A,", "the rate is not a number above zero"),
        ("2024-02-01,0.0,N/A,", "the rate is not a number above zero"),
        ("2024-02-01,one,N/A,", "the rate is not a number above zero"),
        ("2024-01-31,1.20,N/A,", "the day is listed twice"),
    ],
)
def test_day_rate_that_cannot_be_right_is_set_aside(line: str, rule: str) -> None:
    days = [f"{day:%Y-%m-%d},1.10,N/A," for day in pd.bdate_range("2024-01-01", "2024-01-31")]
    rejected = ecb.parse(files.ecb([*days, line])).rejected
    assert rejected["rule"].tolist() == [rule]


def test_published_prices_are_what_publishers_print(bundled: pd.DataFrame) -> None:
    pink, fao, euro = (
        bundled[bundled["source_id"] == source.SOURCE_ID] for source in (worldbank_pinksheet, fao_ffpi, ecb)
    )
    assert by_target(pink, "2026-05")["commodity_price_crude_oil"] == 100.43
    assert by_target(fao, "2026-06")["food_price_index"] == 130.3
    assert by_target(euro, "2026-10")["exchange_rate_usd"] == pytest.approx(1.1172, abs=0.03)
    assert set(by_target(euro, "2022-04")) & {"exchange_rate_rub"} == set()

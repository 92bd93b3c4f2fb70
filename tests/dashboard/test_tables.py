from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from core import QUANTILE_LEVELS
from core.languages import Language
from dashboard.tables import chance_table, forecast_table, with_words
from reports.files import for_people
from reports.numbers import chances

HISTORY = pd.DataFrame({"end_date": pd.to_datetime(["2024-11-30"]), "obs_value": [900.0], "obs_flag": ["p"]})


def quantiles(months: int) -> pd.DataFrame:
    ends = pd.date_range("2024-12-31", periods=months, freq="ME")
    table = pd.DataFrame(np.tile(np.arange(23.0), (months, 1)), index=ends, columns=list(QUANTILE_LEVELS))
    return table.assign(horizon=range(1, months + 1))


def test_months_up_to_the_present_one_that_are_not_counted_are_nowcasts() -> None:
    table = forecast_table(HISTORY, quantiles(3), None, dt.date(2025, 1, 15))
    assert dict(zip(table["month"], table["kind"], strict=True)) == {
        "2024-11": "observed",
        "2024-12": "nowcast",
        "2025-01": "nowcast",
        "2025-02": "forecast",
    }


def test_a_counted_month_keeps_its_flag_in_words() -> None:
    assert forecast_table(HISTORY, quantiles(1), None, dt.date(2025, 1, 15))["flag"].iloc[0] == "provisional"


def test_the_chance_to_pass_the_readers_number_stands_beside_every_month_ahead() -> None:
    table = forecast_table(HISTORY, quantiles(2), chances(quantiles(2), 11.0), dt.date(2025, 1, 15))
    assert table["chance_above"].notna().to_list() == [False, True, True]


def test_figures_ahead_are_rounded_once_so_that_files_and_screen_say_the_same() -> None:
    exact = quantiles(2) * 0.0 + 5349.97
    table = forecast_table(HISTORY, exact, None, dt.date(2025, 1, 15))
    assert table["q90"].tolist()[1:] == [5349.97, 5349.97]
    in_file, on_screen = for_people(table, Language("en"))[0]["80% to"], with_words(table)["80% to"]
    assert in_file.tolist()[1:] == on_screen.tolist()[1:] == [5300, 5300]


def test_a_chance_above_99_percent_is_no_quotation_in_a_table_of_markdown() -> None:
    table = chance_table(chances(quantiles(1), 11.0).assign(probability=0.999), ("March", 0.999))
    assert table.iloc[:, 1].tolist() == [r"\>99%", r"\>99%"]

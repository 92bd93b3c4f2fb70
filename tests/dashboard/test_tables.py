from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from core.quantiles import QUANTILE_LEVELS
from dashboard.tables import forecast_table
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


def test_figures_ahead_are_within_half_a_tenth_of_a_person_and_say_no_more_than_that() -> None:
    exact = quantiles(2) * 123.456789
    ahead = forecast_table(HISTORY, exact, None, dt.date(2025, 1, 15)).iloc[1:]
    for name, level in {"median": 0.5, "q025": 0.025, "q10": 0.1, "q25": 0.25, "q75": 0.75, "q90": 0.9}.items():
        given = ahead[name].to_numpy()
        np.testing.assert_allclose(given, exact[level], rtol=0, atol=0.05 + 1e-9)
        np.testing.assert_allclose(10 * given, np.rint(10 * given), rtol=0, atol=1e-6)

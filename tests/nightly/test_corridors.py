"""Which corridors of asylum applications are forecast on their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting.panel import Panel
from nightly.asylum import corridors

TOTAL = "asylum_applications_first._Z.DEU._T.M"
YEARS = pd.period_range("2017-01", "2019-12", freq="M", name="period")
"""Three of them."""


def named(citizen: str, months: pd.PeriodIndex, values: float | np.ndarray = 100.0) -> pd.DataFrame:
    return pd.DataFrame(
        {"geo": "DEU", "citizen": citizen, "time_period": months.astype(str), "obs_value": values, "freq": "M"}
    )


def totals(months: pd.PeriodIndex) -> Panel:
    matrix = pd.DataFrame({TOTAL: 1_000.0}, index=months).rename_axis(columns="series_id")
    return Panel("M", matrix, pd.DataFrame({"geo": ["DEU"]}, index=matrix.columns))


def test_a_corridor_is_forecast_once_it_was_named_in_three_years_of_months_and_where_somebody_came_lately() -> None:
    gone = np.where(np.arange(len(YEARS)) < 12, 100.0, 0.0)
    rows = pd.concat([named("SYR", YEARS), named("AFG", YEARS[1:]), named("IRQ", YEARS, gone)])
    found = corridors(rows, totals(YEARS))
    assert found is not None
    assert set(found.groups["citizen"]) == {"SYR", ""}


@pytest.mark.parametrize(("months", "forecast"), [(YEARS, True), (YEARS[1:], False)], ids=["long", "a month less"])
def test_corridors_are_forecast_only_of_a_destination_that_was_counted_for_three_years(
    months: pd.PeriodIndex, *, forecast: bool
) -> None:
    assert (corridors(named("SYR", YEARS), totals(months)) is not None) == forecast

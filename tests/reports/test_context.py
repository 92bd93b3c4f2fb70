"""Nationalities and indicators of a route: which months and how many names are shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from reports import ReadableRelease, context
from reports.route import RouteForecast

MONTHS = [str(month) for month in pd.period_range("2023-11", "2024-12", freq="M")]


def test_sums_by_nationality_cover_twelve_months() -> None:
    cells = pd.DataFrame(
        [("SYR", month, 1.0) for month in MONTHS]
        + [("EGY", month, 10.0) for month in MONTHS]
        + [("TUN", MONTHS[0], 99.0), ("TUN", MONTHS[-1], 0.0)],
        columns=["citizen", "time_period", "obs_value"],
    )
    table, newest = context.yearly_breakdown(cells)
    assert newest == "2024-12"
    assert table.to_numpy().tolist() == [["EGY", 120.0], ["SYR", 12.0]]
    monthly = context.monthly_breakdown(cells)
    assert (monthly["time_period"].min(), len(monthly)) == ("2024-01", 25)


@pytest.mark.parametrize("persons", [1000.0, 4.0])
def test_shares_are_of_all_counts_of_year(persons: float) -> None:
    rows = {"route_id": "CMR", "target": "arrivals", "geo": "_T", "freq": "M", "time_period": "2024-12"}
    counts = [{**rows, "citizen": "SYR", "obs_value": persons * 0.75}]
    counts += [{**rows, "citizen": "EGY", "obs_value": persons * 0.25}]
    counts += [{**rows, "citizen": "_T", "obs_value": persons}]
    counts += [{**rows, "citizen": "SYR", "obs_value": 9e5, "time_period": "2023-12"}]
    release, view = SimpleNamespace(frame=lambda _name: pd.DataFrame(counts)), SimpleNamespace(route_id="CMR")
    shares = context.yearly_shares(cast(ReadableRelease, release), cast(RouteForecast, view), set(MONTHS))
    assert shares.to_dict() == {"SYR": 0.75, "EGY": 0.25}

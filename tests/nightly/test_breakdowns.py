"""Nationalities of a route that are judged on their own: the largest, by what was known at the first origin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from core.schema import ALL
from nightly import RealTimeData
from nightly.forecasts import FEWEST_GROUP_MONTHS, GROUP_ORIGINS, LARGEST_GROUPS, breakdowns

MONTHS = FEWEST_GROUP_MONTHS
NAMES = [f"A{letter}A" for letter in "ABCDEFGHIJKL"]


def cells(
    sizes: dict[str, float], *, months: int = MONTHS, geo: str = ALL, source_id: str = "one", route_id: str = "CMR"
) -> pd.DataFrame:
    """Arrivals of each nationality in every month up to the same one."""
    periods = pd.period_range(end="2024-12", periods=months, freq="M").astype(str)
    return pd.DataFrame(
        {"source_id": source_id, "target": "arrivals", "route_id": route_id, "geo": geo, "citizen": citizen,
         "freq": "M", "series_id": f"arrivals.{route_id}.{geo}.{citizen}.M", "time_period": period, "obs_value": size}
        for citizen, size in sizes.items() for period in periods
    )  # fmt: skip


def chosen(*parts: pd.DataFrame) -> pd.DataFrame:
    data = SimpleNamespace(observations=pd.concat(parts, ignore_index=True), targets=["arrivals"])
    return breakdowns(cast(RealTimeData, data))


@pytest.mark.parametrize("count", [1, LARGEST_GROUPS, LARGEST_GROUPS + 1, len(NAMES)])
def test_largest_nationalities_are_kept_and_no_more_than_so_many(count: int) -> None:
    assert LARGEST_GROUPS == 10  # as the model card says
    sizes = {name: 10.0 + place for place, name in enumerate(NAMES[:count])}
    assert set(chosen(cells(sizes))["citizen"]) == set(NAMES[:count][-10:])


@pytest.mark.parametrize(("late", "is_kept"), [(GROUP_ORIGINS + 1, False), (GROUP_ORIGINS + 2, True)])
def test_later_arrivals_choose_no_nationality(late: int, *, is_kept: bool) -> None:
    rows = cells(dict.fromkeys(NAMES[:11], 10.0))
    newest = rows["citizen"].eq(NAMES[10]) & rows["time_period"].isin(sorted(rows["time_period"].unique())[-late:])
    rows.loc[rows["citizen"] == NAMES[10], "obs_value"] = 0.0
    rows.loc[newest, "obs_value"] = 5000.0
    assert (NAMES[10] in set(chosen(rows)["citizen"])) == is_kept


@pytest.mark.parametrize(("months", "is_long"), [(MONTHS, True), (MONTHS - 1, False)])
def test_breakdown_of_fewer_than_six_years_is_not_judged(months: int, *, is_long: bool) -> None:
    short, other = cells({"AAA": 5.0}, months=months), cells({"BBB": 5.0}, route_id="EMR")
    assert set(chosen(short, other)["route_id"]) == ({"CMR", "EMR"} if is_long else {"EMR"})
    assert list(chosen(short).columns) == list(chosen(other).columns) or not is_long


def test_unnamed_in_month_is_zero_missing_is_gap() -> None:
    rows = cells({"AAA": 3.0, "BBB": 4.0}, months=MONTHS + 1)
    months = sorted(rows["time_period"].unique())
    rows = rows[(rows["time_period"] != months[5]) & ~(rows["citizen"].eq("AAA") & rows["time_period"].eq(months[9]))]
    found = chosen(rows).pivot_table(index="time_period", columns="citizen", values="obs_value")
    assert months[5] not in found.index
    assert found.loc[months[9]].tolist() == [0.0, 4.0]
    assert np.isfinite(found.to_numpy()).all()


def test_whole_route_precedes_its_places() -> None:
    whole = cells({"AAA": 1.0})
    near, far = cells({"BBB": 1.0}, geo="ITA", months=90), cells({"CCC": 1.0}, geo="GRC", months=91)
    for parts, kept in (((whole, near, far), "AAA"), ((near, far), "CCC"), ((far, near), "CCC")):
        assert set(chosen(*parts)["citizen"]) == {kept}

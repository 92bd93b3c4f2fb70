"""The date that the demonstration replays."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from core.calendar import last_complete_period
from core.routes import ARRIVAL_ROUTES
from core.settings import DEMONSTRATION_DATE, SNAPSHOT
from ingest import snapshot
from ingest.routes import route_arrivals

pytestmark = pytest.mark.slow

BACK = 24


def all_routes_reach_the_month_before(known: pd.DataFrame, date: dt.date) -> bool:
    figures = route_arrivals(known[known["as_of"] <= pd.Timestamp(date)])
    last = figures[figures["citizen"] == "_T"].groupby("route_id")["time_period"].max()
    wanted = str(last_complete_period(date, "M") - 1)
    return all(last.get(route_id, "") >= wanted for route_id in ARRIVAL_ROUTES)


def test_demonstration_is_newest_date_with_every_route_fresh() -> None:
    known = snapshot.load(SNAPSHOT)
    # Only the newest figures are compared; what the older ones add up to takes most of the time.
    arrivals = known[(known["target"] == "arrivals") & (known["time_period"].astype(str) >= "2024-06")]
    newest = pd.Timestamp(arrivals["as_of"].max()).to_period("M")
    ends = [(newest - back).end_time.date() for back in range(BACK)]
    assert next(date for date in ends if all_routes_reach_the_month_before(arrivals, date)) == DEMONSTRATION_DATE

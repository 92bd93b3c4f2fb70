"""Daily counts of the routes that are counted by day."""

from __future__ import annotations

import pandas as pd

from core.schema import ALL
from ingest.components import COMPONENTS


def daily_arrivals(known: pd.DataFrame) -> dict[str, pd.Series]:
    """Persons by day, of each route whose major component has a daily source.

    A route's month may hold more than its days: other places, or a later count of the same ones.

    Args:
        known: Frame of ``core.release.OBSERVATIONS`` holding what was known on one date.

    Returns:
        Route -> counts on a daily ``PeriodIndex``, in order; routes without a daily figure are left out.
    """
    rows = known[(known["target"] == "arrivals") & (known["freq"] == "D") & (known["citizen"] == ALL)]
    found: dict[str, pd.Series] = {}
    for route_id, components in COMPONENTS.items():
        for candidate in (item for part in components if part.major for item in part.candidates if item.freq == "D"):
            own = rows[
                (rows["route_id"] == route_id)
                & (rows["source_id"] == candidate.source_id)
                & rows["geo"].isin(candidate.geos)
            ]
            if len(own):
                days = own.groupby("time_period")["obs_value"].sum().sort_index()
                found.setdefault(route_id, days.set_axis(pd.PeriodIndex(days.index, freq="D"), axis=0))
    return found

"""The row of the track record that speaks of one alert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.schema import ALL

FEWEST_EVENTS = 5
"""Fewer past events say little about a rule."""


def record_of(alert: Mapping[Any, Any], record: pd.DataFrame) -> dict[Any, Any] | None:
    """The track record of an alert's rule at its level: on its own route, else over all routes.

    Preferred is the row about the alert as it is issued, over any month of its window (horizon 0). A route with fewer
    than ``FEWEST_EVENTS`` past events proves little by itself: then all routes together count.

    Args:
        alert: A row of ``core.release.ALERTS``.
        record: Rows of ``core.release.TRACK_RECORD``.

    Returns:
        A row of ``record``; None where the rule has none.
    """
    rows = record[(record["rule"] == alert["rule"]) & record["level"].isin([alert["alert_level"], ALL, ""])]
    for route_id in (alert["route_id"], ALL):
        fewest = 0 if route_id == ALL else FEWEST_EVENTS
        own = rows[(rows["route_id"] == route_id) & rows["precision"].notna() & (rows["n_events"] >= fewest)]
        if len(own):
            whole = own[own["horizon"] == 0]
            nearest = int((own["horizon"] - int(alert["horizon"])).abs().to_numpy().argmin())
            return dict((whole if len(whole) else own.iloc[[nearest]]).iloc[0])
    return None

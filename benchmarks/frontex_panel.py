"""Frontex's dense routes and their nationalities as panels, from the workbook that a user fetched."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.release import OBSERVATIONS
from core.schema import ALL, check
from forecasting.panel import Panel, panel_from_observations
from forecasting.reconcile import totals_panel
from ingest.sources import frontex

WORKBOOK = Path("frontex_ibc") / "ibc.xlsx"
DENSE = 20
"""Mean monthly detections above which a route counts as dense."""
TOTALS = "route_id"


def dense_parts(raw_data: Path) -> Panel:
    """Route × nationality of every dense route: each pair that occurs, months without a detection as zeros.

    Args:
        raw_data: Folder of published files.

    Raises:
        SourceError: The workbook is missing or broken.
    """
    found = check(frontex.parse(frontex.fetch(raw_data / WORKBOOK)).observations, OBSERVATIONS)
    totals = found[(found["citizen"] == ALL) & (found["route_id"] != frontex.OTHER_ROUTE)]
    means = totals.groupby("route_id")["obs_value"].mean()
    dense = means[means > DENSE].index
    parts = panel_from_observations(found[(found["citizen"] != ALL) & found["route_id"].isin(dense)], "detections", "M")
    # A nationality's series starts with its first detection: the months before it had none.
    return Panel(parts.freq, parts.matrix.fillna(0.0), parts.groups)


def dense_routes(parts: Panel) -> Panel:
    """The routes' totals, named by ``route_id``."""
    return totals_panel(parts, TOTALS)


def fingerprint(panel: Panel) -> str:
    """Short hash of a panel's names, calendar and values."""
    names = "|".join([*panel.series_ids, str(panel.periods[0]), str(panel.periods[-1])])
    content = names.encode() + panel.matrix.to_numpy(dtype="<f8").tobytes()
    return hashlib.sha256(content).hexdigest()[:16]

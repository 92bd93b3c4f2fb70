"""Frontex's dense routes with their nationalities: the panel on which most skill is measured."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.shared import coverage, interval, table
from core.release import OBSERVATIONS
from core.schema import ALL, check
from forecasting.kept import Fits
from forecasting.members import Request
from forecasting.model import ENSEMBLE
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import QuantileTable
from forecasting.reconcile import totals_panel
from forecasting.runs import backtest
from ingest.source import read_raw
from ingest.sources import frontex

WORKBOOK = Path("frontex_ibc") / "ibc.xlsx"
DENSE = 20
"""Mean monthly detections above which a route counts as dense."""
TOTALS = "route_id"
HORIZONS = (1, 3, 6, 12)
"""Months ahead that skill is shown for."""
ORIGINS = 87
"""The last months, as many as these, from which the routes are forecast."""


def dense_parts(raw_data: Path) -> Panel:
    """Route × nationality of every dense route: each pair that occurs, months without a detection as zeros."""
    found = check(frontex.parse(read_raw(raw_data / WORKBOOK)).observations, OBSERVATIONS)
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


def hindcasts(
    parts: Panel,
    *,
    origins: int,
    horizons: Sequence[int],
    models: Sequence[str] = (ENSEMBLE,),
    fits: Fits | None = None,
) -> QuantileTable:
    """Past forecasts of routes and parts, coherent with each other, as ``vigie backtest --totals`` makes them."""
    request = replace(Request.of(parts, TOTALS, list(models), horizons), fits=fits)
    return backtest(request, origins=origins, step=1).table


def skill_table(scores: pd.DataFrame, *, natural_interval: bool = False) -> list[str]:
    """Relative WIS (log, natural) and coverage per model and horizon over all series, as Markdown."""
    chosen = scores[(scores["series_id"] == ALL) & scores["horizon"].isin(HORIZONS)]
    rows = []
    for (model_id, horizon), both in chosen.groupby(["model_id", "horizon"], observed=True):
        log, natural = (both[both["scale"] == scale].iloc[0] for scale in ("log", "natural"))
        ratio = interval(natural, "relative_wis") if natural_interval else f"{natural['relative_wis']:.3f}"
        rows.append((model_id, horizon, interval(log, "relative_wis"), ratio, coverage(log), log["n"]))
    bracket = " [90 %]" if natural_interval else ""
    return table(f"model | h | WIS log [90 %] | WIS natural{bracket} | coverage 50/80/95 | n", rows)

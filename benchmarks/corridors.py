"""The engine on the bundled corridors of every region, as they are: ``python -m benchmarks.corridors --write``.

Each region's corridors are one panel, forecast as ``vigie backtest`` would, beside statsforecast's AutoETS and
AutoTheta on log1p counts. No constant of the engine was chosen by them. Figures are those of the bundled snapshot.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.routes import HORIZONS
from benchmarks.shared import Section, engine, page_command, table
from core import QUANTILE_LEVELS
from core.log import progress_bar
from core.routes import DEFAULT_REGION, REGIONS, route_name, route_series, routes_of
from core.settings import PROJECT, SNAPSHOT
from forecasting import BASELINE, ENSEMBLE
from forecasting.members import Request
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import KEYS, QuantileTable, stack
from forecasting.runs import backtest
from forecasting.verification import covered, observed_at, wis
from ingest import snapshot
from ingest.routes import route_arrivals
from nightly.pooled import bundled_history, priors_from
from store.releases.caches import FitStore

PAGE = PROJECT / "docs" / "corridors.md"
ORIGINS, SHOWN = 24, (1, 6, 12)
PEERS = ("AutoETS", "AutoTheta")
"""Models of statsforecast, by class name."""


def panel_of(region: str, known: pd.DataFrame) -> Panel:
    """The monthly totals of a region's corridors."""
    totals = route_arrivals(known, totals_only=True, routes=routes_of([region]))
    return panel_from_observations(totals, None, "M")


def peer_table(name: str, keys: pd.DataFrame, panel: Panel) -> QuantileTable:
    """Forecasts of a model of statsforecast, on log1p counts, at the places where the ensemble forecast."""
    from statsforecast import models  # noqa: PLC0415  # takes seconds to load; tests of this module do not need it

    model = getattr(models, name)(season_length=12)
    levels = [round(100 * (1 - 2 * level)) for level in QUANTILE_LEVELS if level < 0.5]
    found = np.empty((len(keys), 23))
    for (series_id, origin), rows in keys.groupby(["series_id", "origin_date"]):
        known = panel.until(pd.Timestamp(str(origin))).matrix[str(series_id)].dropna()
        made = model.forecast(y=np.log1p(known.to_numpy()), h=max(HORIZONS), level=levels)
        ends = [made[f"{end}-{level}"] for end in ("lo", "hi") for level in levels]
        quantiles = np.sort(np.stack([*ends, made["mean"]], axis=1), axis=1)
        found[rows.index] = np.expm1(quantiles).clip(0)[rows["horizon"] - 1]
    return QuantileTable(keys.assign(model_id=name)[KEYS], found)


def lines_of(region: str, panel: Panel, made: QuantileTable) -> list[tuple[object, ...]]:
    """One row per corridor and horizon: scores over the baseline's, and how often the ensemble's intervals held."""
    observed = observed_at(made.keys, panel)
    scores = made.keys.assign(
        log=wis(np.log1p(observed), np.log1p(made.quantiles)),
        natural=wis(observed, made.quantiles),
        held=covered(observed, made.quantiles)["covered_80"],
    )
    groups = scores[np.isfinite(observed)].groupby(["series_id", "horizon", "model_id"])[["log", "natural", "held"]]
    means, counts = groups.mean(), groups.size()
    out: list[tuple[object, ...]] = []
    for route_id, horizon in product(routes_of([region]), SHOWN):
        found = means.xs((route_series(route_id), horizon))
        ratios = found / found.xs(BASELINE)
        cells = [f"{ratios['log'][name]:.3f} / {ratios['natural'][name]:.3f}" for name in (ENSEMBLE, *PEERS)]
        count = counts.xs((route_series(route_id), horizon))[ENSEMBLE]
        out.append((route_name(route_id), horizon, *cells, f"{found['held'][ENSEMBLE]:.2f}", count))
    return out


def section(_options: argparse.Namespace) -> Section:
    """Forecast the corridors of every other region than the default one, whose scores stand in benchmarks.md."""
    known, priors = snapshot.load(SNAPSHOT), priors_from(bundled_history)
    rows: list[tuple[object, ...]] = []
    with progress_bar() as report, tempfile.TemporaryDirectory() as home:
        for region in (one for one in REGIONS if one != DEFAULT_REGION):
            panel = panel_of(region, known)
            request = Request.of(panel, None, [ENSEMBLE, BASELINE], HORIZONS)
            request = replace(request, priors=priors, fits=FitStore(Path(home)), progress=report)
            made = backtest(request, origins=ORIGINS, step=1).table
            own = QuantileTable(made.keys[KEYS].reset_index(drop=True), made.quantiles)
            places = own.of_model(ENSEMBLE).keys.reset_index(drop=True)
            rows += lines_of(region, panel, stack([own, *(peer_table(name, places, panel) for name in PEERS)]))
    said = f"Measured: WIS over the baseline's, log1p scale / counts, at each region's last {ORIGINS} monthly origins."
    head = "corridor | h | Vigie's ensemble | AutoETS, log1p | AutoTheta, log1p | 80 % hold | forecasts"
    return [engine(), said, "", *table(head, rows)], True


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "Scores", section))

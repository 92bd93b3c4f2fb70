"""Measure nights and skill, and write their sections of docs/benchmarks.md: ``make benchmarks``.

Times are the machine's own. Skill on Frontex's routes needs the workbook, named by VIGIE_RAW_DATA.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks.shared import PAGE, replace_section
from core.routes import ROUTES
from core.schema import ALL
from forecasting.ensemble import combine
from forecasting.hindcast import backtest_work, run_work
from forecasting.models import MODELS
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import stack
from forecasting.verification.scores import summarise
from ingest.source import read_raw
from ingest.sources import frontex
from store.releases import ReleaseStore

HORIZONS = (1, 3, 6, 12)
ORIGINS, SLOW_ORIGINS = 87, 24
DENSE = 20
"""Mean monthly detections from which a route counts as dense."""
LEVELS = [50, 80, 95]


def nights(home: Path) -> list[str]:
    """Time the first night of an empty home and the night a month later."""
    lines = ["| night | seconds |", "|---|---|"]
    for label, date in (("first, empty home, 2024-12-31", "2024-12-31"), ("second, 2025-01-31", "2025-01-31")):
        begun = time.monotonic()
        command = [sys.executable, "-m", "cli", "nightly", "--home", str(home), "--as-of", date]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
        lines.append(f"| {label} | {time.monotonic() - begun:.0f} |")
    return lines


def skill_table(scores: pd.DataFrame, series_id: str = ALL) -> list[str]:
    """Relative WIS (log, natural) and coverage per model and horizon, as Markdown."""
    lines = ["| model | h | WIS log [90 %] | WIS natural | coverage 50/80/95 | n |", "|---|---|---|---|---|---|"]
    chosen = scores[(scores["series_id"] == series_id) & scores["horizon"].isin(HORIZONS)]
    for (model_id, horizon), rows in chosen.groupby(["model_id", "horizon"]):
        log = rows[rows["scale"] == "log"].iloc[0]
        natural = rows[rows["scale"] == "natural"].iloc[0]
        coverage = "/".join(f"{log[f'coverage_{level}']:.2f}" for level in LEVELS)
        interval = f"{log['relative_wis_lo']:.2f}–{log['relative_wis_hi']:.2f}"
        lines.append(
            f"| {model_id} | {horizon} | {log['relative_wis']:.3f} [{interval}] | {natural['relative_wis']:.3f} "
            f"| {coverage} | {log['n']} |"
        )
    return lines


def dense_routes(raw_data: Path) -> Panel:
    """Detections on Frontex's routes with at least ``DENSE`` a month."""
    parsed = frontex.parse(read_raw(raw_data / "frontex_ibc" / "ibc.xlsx")).observations
    totals = parsed[(parsed["citizen"] == ALL) & parsed["route_id"].isin(ROUTES)]
    means = totals.groupby("series_id")["obs_value"].mean()
    return panel_from_observations(totals[totals["series_id"].isin(means[means > DENSE].index)], "detections", "M")


def scores_of_all(panel: Panel) -> pd.DataFrame:
    """Scores of every model and the ensemble; the slow models at fewer origins."""
    fast = [model_id for model_id, model in MODELS.items() if not model.slow]
    slow = [model_id for model_id, model in MODELS.items() if model.slow]
    made = run_work(backtest_work(panel, origins=ORIGINS, step=1, models=fast), horizons=range(1, 13))
    late = run_work(backtest_work(panel, origins=SLOW_ORIGINS, step=1, models=slow), horizons=range(1, 13))
    members = stack([made, late])
    together = stack([members, combine(members, panel).forecasts])
    return summarise(together.where(together.keys["horizon"].isin(HORIZONS)), panel)


def of_bundled_figures() -> dict[str, list[str]]:
    """Sections that need nothing but the project itself, by title."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        night_lines = nights(home)
        release = ReleaseStore(home).current()
        skill = skill_table(release.read("scores")) if release else []
    return {"Nights": night_lines, "Five routes, bundled figures, 60 origins to November 2024": skill}


def of_frontex_routes(raw_data: Path) -> dict[str, list[str]]:
    """Sections on the published workbook, by title."""
    panel = dense_routes(raw_data)
    title = f"{len(panel.series_ids)} dense Frontex routes, {ORIGINS} origins (Prophet: {SLOW_ORIGINS})"
    return {title: skill_table(scores_of_all(panel))}


def main() -> None:
    """Measure, and write each section of the page when all is there."""
    named = os.environ.get("VIGIE_RAW_DATA")
    sections = of_bundled_figures()
    if named:
        sections |= of_frontex_routes(Path(named))
    else:
        sys.stdout.write("Frontex's routes are not measured: VIGIE_RAW_DATA is not set.\n")
    for title, lines in sections.items():
        replace_section(PAGE, title, lines)


if __name__ == "__main__":
    main()

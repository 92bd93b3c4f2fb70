"""Skill on the bundled routes and on Frontex's dense routes with their nationalities: ``make benchmarks``.

Measures and writes both sections of docs/benchmarks.md; Frontex's routes need the workbook, under VIGIE_RAW_DATA.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.shared import PAGE, VARIABLE, coverage, engine, interval, published_files, replace_section, table
from core.release import OBSERVATIONS
from core.schema import ALL, check
from core.settings import DEMONSTRATION_DATE
from forecasting import BASELINE, ENSEMBLE
from forecasting.hindcast import Fits
from forecasting.members import Request
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import QuantileTable
from forecasting.reconcile import totals_panel
from forecasting.runs import backtest
from forecasting.verification import summarise
from ingest import read_raw
from ingest.sources import frontex
from store.releases import Release, ReleaseStore
from store.releases.caches import FitStore

WORKBOOK = Path("frontex_ibc") / "ibc.xlsx"
DENSE = 20
"""Mean monthly detections above which a route counts as dense."""
TOTALS = "route_id"
HORIZONS = (1, 3, 6, 12)
"""Months ahead that skill is shown for."""
ORIGINS = 87
"""The last months, as many as these, from which the routes are forecast."""
BEFORE = 60
"""Origins before those that the recipe was chosen on: five years."""


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


def skill_table(scores: pd.DataFrame) -> list[str]:
    """Relative WIS and coverage of the ensemble by horizon, as Markdown."""
    chosen = scores[(scores["series_id"] == ALL) & (scores["model_id"] == ENSEMBLE) & scores["horizon"].isin(HORIZONS)]
    rows = []
    for horizon, both in chosen.groupby("horizon", observed=True):
        log, natural = (both[both["scale"] == scale].iloc[0] for scale in ("log", "natural"))
        ratio = f"{natural['relative_wis']:.3f}"
        rows.append((ENSEMBLE, horizon, interval(log, "relative_wis"), ratio, coverage(log), log["n"]))
    return table("model | h | WIS log [90 %] | WIS natural | coverage 50/80/95 | n", rows)


def by_model(scores: pd.DataFrame) -> list[str]:
    """Relative WIS (log) of the other models by horizon, as Markdown."""
    chosen = scores[(scores["series_id"] == ALL) & (scores["scale"] == "log") & scores["horizon"].isin(HORIZONS)]
    others = chosen[~chosen["model_id"].isin([ENSEMBLE, BASELINE])].sort_values("horizon")
    rows = [
        (model_id, *(interval(row, "relative_wis") for _place, row in found.iterrows()))
        for model_id, found in others.groupby("model_id", observed=True)
    ]
    return by_horizon("model, WIS log [90 %]", rows)


def by_horizon(head: str, rows: Iterable[Iterable[object]]) -> list[str]:
    """A table with one column per horizon."""
    return table(" | ".join([head, *(f"h = {step}" for step in HORIZONS)]), rows)


def by_part(scores: pd.DataFrame, situations: pd.DataFrame) -> list[str]:
    """The ensemble's score (log) over the baseline's, by series and by situation, as Markdown."""
    own = scores[(scores["model_id"] == ENSEMBLE) & (scores["series_id"] != ALL)]
    parts = own.rename(columns={"series_id": "part", "relative_wis": "relative_score"})
    kinds = situations.assign(part=situations["kind"] + ": " + situations["group"])
    found, rows = pd.concat([parts, kinds[kinds["kind"] != "year"]]), []
    for name, ratios in found[found["scale"] == "log"].groupby("part", sort=False):
        scored = ratios.set_index("horizon")["relative_score"].reindex(HORIZONS)
        rows.append((name, *scored.map("{:.3f}".format).where(scored.notna(), "–")))
    return by_horizon("part", rows)


def of_bundled_figures(release: Release) -> list[str]:
    """Skill of a release, of 60 origins."""
    scores = release.read("scores")
    parts = by_part(scores, release.read("situation_scores"))
    return [engine(), "", *skill_table(scores), "", *by_model(scores), "", *parts]


def of_frontex_routes(raw_data: Path, fits: Fits) -> list[str]:
    """Skill on the published workbook: routes coherent with their nationalities, from 2018 on and before."""
    parts = dense_parts(raw_data)
    routes = dense_routes(parts)
    made = hindcasts(parts, origins=BEFORE + ORIGINS, horizons=HORIZONS, fits=fits)
    made = made.where(made.keys["series_id"].isin(routes.series_ids))
    dates = made.keys["origin_date"]
    is_late = dates >= sorted(dates.unique())[BEFORE]
    tables = (skill_table(summarise(made.where(which), routes)) for which in (is_late, ~is_late))
    return [engine(), *(line for table in tables for line in ("", *table))]


def main() -> None:
    """Measure what a night makes in an empty home, and Frontex's routes; write when all is there."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        night = [sys.executable, "-m", "cli", "nightly", "--home", folder, "--as-of", f"{DEMONSTRATION_DATE}"]
        subprocess.run(night, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
        release = ReleaseStore(home).current()
        if release is None:
            raise SystemExit("the night has made no release")
        sections = {"Five routes, bundled figures, 60 origins to November 2024": of_bundled_figures(release)}
        if os.environ.get(VARIABLE):
            title = f"7 dense Frontex routes with their nationalities, {ORIGINS} origins to March 2025"
            sections[title] = of_frontex_routes(published_files(), FitStore(home))
        else:
            sys.stderr.write(f"Frontex's routes are not measured: {VARIABLE} is not set.\n")
    for title, lines in sections.items():
        replace_section(PAGE, title, lines)


if __name__ == "__main__":
    main()

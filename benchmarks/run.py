"""Measure nights and skill, and write their sections of docs/benchmarks.md: ``make benchmarks``.

Times are the machine's own. Skill on Frontex's routes needs the workbook, named by VIGIE_RAW_DATA. ``--home`` names a
home whose newest release, of 60 origins, is measured as it is, and whose fits are used; without it all is made anew.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.evaluation_speed import write_panel
from benchmarks.shared import (
    HORIZONS,
    ORIGINS,
    PAGE,
    TOTALS,
    VARIABLE,
    coverage,
    dense_parts,
    dense_routes,
    engine,
    interval,
    published_files,
    replace_section,
    table,
    timed,
)
from core.schema import ALL
from forecasting.model import ENSEMBLE
from forecasting.runs import backtest_file
from forecasting.verification.scores import summarise
from store.caches import FitStore
from store.releases import ReleaseStore

LUCK = (
    "The recipe was compared in some 75 variants on outcomes since 2018, and in some 230 more on the five routes' "
    "outcomes of 2020 to 2024: part of these scores is luck. Figures are mostly as revised since, and a source that "
    "publishes after five weeks issues its `h = 1` when that month is over."
)
BEFORE, SINCE, EARLIER = 60, "origins from 2018 on", "the five years before, on which less of it was chosen"
PARTS = (
    "The ensemble on log1p scale, by route, size (mean of the twelve months up to the origin), calm and surge months "
    "(1.5 times that mean), year of the origin (none lies before 2018), for high figures (threshold-weighted CRPS "
    "above nine in ten earlier months) and whole paths (energy score over that of the baseline's; h is their length):"
)


def nights(home: Path) -> list[str]:
    """Time the first night of an empty home and the night a month later."""
    rows = []
    for label, date in (("first, empty home", "2024-12-31"), ("second", "2025-01-31")):
        command = [sys.executable, "-m", "cli", "nightly", "--home", str(home), "--as-of", date]
        _done, took = timed(partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL))
        rows.append((f"{label}, {date}", f"{took.clock:.0f}"))
    return table("night | seconds", rows)


def skill_table(scores: pd.DataFrame, series_id: str = ALL) -> list[str]:
    """Relative WIS (log, natural) and coverage per model and horizon, as Markdown."""
    chosen = scores[(scores["series_id"] == series_id) & scores["horizon"].isin(HORIZONS)]
    rows = []
    for (model_id, horizon), both in chosen.groupby(["model_id", "horizon"]):
        log, natural = (both[both["scale"] == scale].iloc[0] for scale in ("log", "natural"))
        skill = interval(log, "relative_wis"), f"{natural['relative_wis']:.3f}"
        rows.append((model_id, horizon, *skill, coverage(log), log["n"]))
    return table("model | h | WIS log [90 %] | WIS natural | coverage 50/80/95 | n", rows)


def by_part(scores: pd.DataFrame, situations: pd.DataFrame) -> list[str]:
    """The ensemble's score (log) over the baseline's, by series and by situation, as Markdown.

    Args:
        scores: As of ``core.release.SCORES``.
        situations: As of ``core.release.SITUATION_SCORES``.
    """
    own = scores[(scores["model_id"] == ENSEMBLE) & (scores["series_id"] != ALL)]
    parts = own.rename(columns={"series_id": "part", "relative_wis": "relative_score"})
    kinds = situations.assign(part=situations["kind"] + ": " + situations["group"])
    rows = []
    for frame in (parts, kinds):
        for name, found in frame[frame["scale"] == "log"].groupby("part", sort=False):
            ratios = found.set_index("horizon")["relative_score"].reindex(HORIZONS)
            rows.append((name, *ratios.map("{:.3f}".format).where(ratios.notna(), "–")))
    return table("part | " + " | ".join(f"h = {step}" for step in HORIZONS), rows)


def of_bundled_figures(kept: Path | None) -> dict[str, list[str]]:
    """Sections that need nothing but the project itself, by title."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        home = kept or Path(folder) / "home"
        if kept is None:
            found["Nights"] = [engine(), "", *nights(home)]
        release = ReleaseStore(home).current()
        if release is not None:
            title = "Five routes, bundled figures, 60 origins to November 2024"
            scores = release.read("scores")
            found[title] = [engine(), LUCK, "", *skill_table(scores), "", PARTS, ""]
            found[title] += by_part(scores, release.read("situation_scores"))
    return found


def of_frontex_routes(raw_data: Path, fits: Path | None) -> dict[str, list[str]]:
    """Sections on the published workbook, by title: routes coherent with their nationalities."""
    parts = dense_parts(raw_data)
    routes = dense_routes(parts)
    with tempfile.TemporaryDirectory() as folder:
        panel = Path(folder) / "panel.csv"
        write_panel(parts, panel)
        kept = FitStore(fits) if fits else None
        made = backtest_file(panel, origins=BEFORE + ORIGINS, horizons=HORIZONS, totals=TOTALS, fits=kept).table
    first = sorted(made.keys["origin_date"].unique())[BEFORE]
    lines = [engine(), LUCK]
    for name, level in (("Routes", routes), ("Nationalities by route", parts)):
        mine = made.keys["series_id"].isin(level.series_ids) & (made.keys["model_id"] == ENSEMBLE)
        for when, then in ((SINCE, made.keys["origin_date"] >= first), (EARLIER, made.keys["origin_date"] < first)):
            lines += ["", f"{name}, {when}:", "", *skill_table(summarise(made.where(mine & then), level))]
    title = f"{len(routes.series_ids)} dense Frontex routes with their nationalities, {ORIGINS} origins to March 2025"
    return {title: lines}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write each section of the page when all is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="measure this home's newest release, and use its fits")
    home = parser.parse_args(arguments).home
    sections = of_bundled_figures(home)
    if os.environ.get(VARIABLE):
        sections |= of_frontex_routes(published_files(), home)
    else:
        sys.stdout.write(f"Frontex's routes are not measured: {VARIABLE} is not set.\n")
    for title, lines in sections.items():
        replace_section(PAGE, title, lines)


if __name__ == "__main__":
    main()

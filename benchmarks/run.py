"""Measure skill, and write its sections of docs/benchmarks.md: ``make benchmarks``.

Skill on Frontex's routes needs the workbook, named by VIGIE_RAW_DATA. ``--home`` names a home whose newest release, of
60 origins, is measured as it is, and whose fits are used; without it a night makes one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import pandas as pd

from benchmarks.routes import HORIZONS, ORIGINS, dense_parts, dense_routes, hindcasts, skill_table
from benchmarks.shared import PAGE, VARIABLE, engine, published_files, replace_section, table
from core.schema import ALL
from core.settings import DEMONSTRATION_DATE
from forecasting.model import ENSEMBLE
from forecasting.verification.scores import summarise
from store.caches import FitStore
from store.releases import ReleaseStore

BUNDLED = "Five routes, bundled figures, 60 origins to November 2024"
FRONTEX = f"7 dense Frontex routes with their nationalities, {ORIGINS} origins to March 2025"
BEFORE = 60
"""Origins before those that the recipe was chosen on: five years."""


def by_part(scores: pd.DataFrame, situations: pd.DataFrame) -> list[str]:
    """The ensemble's score (log) over the baseline's, by series and by situation, as Markdown."""
    own = scores[(scores["model_id"] == ENSEMBLE) & (scores["series_id"] != ALL)]
    parts = own.rename(columns={"series_id": "part", "relative_wis": "relative_score"})
    kinds = situations.assign(part=situations["kind"] + ": " + situations["group"])
    rows = []
    for frame in (parts, kinds):
        for name, found in frame[frame["scale"] == "log"].groupby("part", sort=False):
            ratios = found.set_index("horizon")["relative_score"].reindex(HORIZONS)
            rows.append((name, *ratios.map("{:.3f}".format).where(ratios.notna(), "–")))
    return table("part | " + " | ".join(f"h = {step}" for step in HORIZONS), rows)


def of_bundled_figures(home: Path) -> list[str]:
    """Skill of a home's newest release; of an empty home's once a night has made one."""
    releases = ReleaseStore(home)
    if releases.current() is None:
        night = [sys.executable, "-m", "cli", "nightly", "--home", str(home), "--as-of", f"{DEMONSTRATION_DATE}"]
        subprocess.run(night, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
    release = releases.current()
    if release is None:
        raise SystemExit("the night has made no release")
    scores = release.read("scores")
    return [engine(), "", *skill_table(scores), "", *by_part(scores, release.read("situation_scores"))]


def of_frontex_routes(raw_data: Path, fits: FitStore) -> list[str]:
    """Skill on the published workbook: routes coherent with their nationalities, from 2018 on and before."""
    parts = dense_parts(raw_data)
    made = hindcasts(parts, origins=BEFORE + ORIGINS, horizons=HORIZONS, fits=fits)
    dates = made.keys["origin_date"]
    first = sorted(dates.unique())[BEFORE]
    lines = [engine()]
    for level in (dense_routes(parts), parts):
        mine = made.keys["series_id"].isin(level.series_ids)
        for then in (dates >= first, dates < first):
            lines += ["", *skill_table(summarise(made.where(mine & then), level))]
    return lines


def main() -> None:
    """Measure, and write each section of the page when all is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="measure this home's newest release, and use its fits")
    kept = parser.parse_args().home
    with nullcontext(kept) if kept else tempfile.TemporaryDirectory() as folder:
        sections = {BUNDLED: of_bundled_figures(Path(folder))}
        if os.environ.get(VARIABLE):
            sections[FRONTEX] = of_frontex_routes(published_files(), FitStore(Path(folder)))
        else:
            sys.stdout.write(f"Frontex's routes are not measured: {VARIABLE} is not set.\n")
    for title, lines in sections.items():
        replace_section(PAGE, title, lines)


if __name__ == "__main__":
    main()

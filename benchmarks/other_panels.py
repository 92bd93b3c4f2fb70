"""The engine on panels that it was not made for: ``python -m benchmarks.other_panels --write``.

Published counts of other things, places and times than Frontex's routes: no choice of the engine's was made on them,
and nothing is set by hand for any. Files under VIGIE_RAW_DATA; each forecast is made from figures up to its origin.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.shared import engine, publish, published_files
from core.calendar import Frequency
from core.progress import progress_bar
from core.schema import ALL
from forecasting.members import Request
from forecasting.model import BASELINE, ENSEMBLE
from forecasting.panel import Panel, panel_from_observations
from forecasting.runs import backtest
from forecasting.verification.scores import summarise
from forecasting.workers import Progress
from ingest.catalogue import SOURCES
from ingest.source import read_raw

TITLE = "Panels that the engine was not made for"
COMMAND = "python -m benchmarks.other_panels --write"


@dataclass(frozen=True)
class Published:
    """A panel of published counts.

    Attributes:
        what: What is counted, in words.
        source_id: Who reads the files.
        files: Below the folder of published files; of a figure that is in several the last file's counts.
        target: As the source names it.
        freq: SDMX frequency letter.
        origins: Past origins, the newest one period before the end.
        horizons: Periods ahead.
    """

    what: str
    source_id: str
    files: tuple[str, ...]
    target: str
    freq: Frequency
    origins: int
    horizons: tuple[int, ...] = (1, 3, 6, 12)


_EUROSTAT = "eurostat_asylum/georgeblck"
PANELS = (
    Published(
        "deaths in armed conflict by country, world, months (UCDP)", "ucdp", ("ucdp_country_month/Hist.csv",),
        "conflict_deaths", "M", 60,
    ),
    Published(
        "new internal displacement by country, world, months (IDMC)", "idmc", ("idmc_monthly/Hist.csv",),
        "new_displacement", "M", 48,
    ),
    Published(
        "asylum applications by destination, months from 1999 (Eurostat)", "eurostat",
        (f"{_EUROSTAT}/migr_asyctzm_1_Data.csv", f"{_EUROSTAT}/migr_asyappctzm__custom_39520_20201006_200227.tsv"),
        "asylum_applications", "M", 120,
    ),
    Published(
        "first decisions on asylum by country, quarters (Eurostat)", "eurostat",
        (f"{_EUROSTAT}/migr_asydcfstq__custom_42121_20201007_150410.tsv",), "first_instance_decisions", "Q", 24,
        (1, 2, 4),
    ),
    Published(
        "arrivals in Europe by nationality, months (IOM DTM)", "iom_dtm", ("iom_dtm/dtm_med_nat.rda",), "arrivals", "M",
        48,
    ),
)  # fmt: skip


def panel_of(published: Published, raw_data: Path) -> Panel:
    """Read a panel's files.

    Raises:
        SourceError: A file is missing or broken.
    """
    source = SOURCES[published.source_id]
    parsed = [source.parse(read_raw(raw_data / name)).observations for name in published.files]
    rows = pd.concat([one.sort_values("as_of") for one in parsed], ignore_index=True)
    newest = rows.drop_duplicates(["series_id", "time_period"], keep="last")
    return panel_from_observations(newest, published.target, published.freq)


def scores_of(published: Published, panel: Panel, progress: Progress | None = None) -> pd.DataFrame:
    """Scores of the ensemble over all series of a panel; see :func:`forecasting.verification.scores.summarise`."""
    request = replace(Request.of(panel, None, [ENSEMBLE, BASELINE], published.horizons), progress=progress)
    scores = summarise(backtest(request, origins=published.origins, step=1).table, panel)
    return scores[(scores["series_id"] == ALL) & (scores["model_id"] == ENSEMBLE)]


def lines_of(published: Published, panel: Panel, scores: pd.DataFrame, seconds: float) -> list[str]:
    """A panel's rows of the table."""
    lines = []
    for horizon, rows in scores.groupby("horizon"):
        log, natural = (rows[rows["scale"] == scale].iloc[0] for scale in ("log", "natural"))
        coverage = "/".join(f"{log[f'coverage_{level}']:.2f}" for level in (50, 80, 95))
        ratios = " | ".join(
            f"{one['relative_wis']:.3f} [{one['relative_wis_lo']:.2f}–{one['relative_wis_hi']:.2f}]"
            for one in (log, natural)
        )
        first = horizon == min(published.horizons)
        head = (
            f"{published.what}; {len(panel.series_ids)} series of {len(panel.periods)} periods, "
            f"{published.origins} origins, {seconds:.0f} s"
        )
        lines.append(f"| {head if first else ''} | {horizon} | {ratios} | {coverage} | {log['n']:,} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="put the section into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    raw_data = published_files()
    lines = [
        engine(),
        f"Made by `{COMMAND}` from files under VIGIE_RAW_DATA: `vigie-ensemble` over `vigie-baseline` on the same "
        "rows, all series of a panel together. Where counts leap by",
        "factors of thousands (displacement) the baseline's own upper tail explodes: a natural ratio near 0 says that, "
        "and no more.",
        "",
        "| panel | h | WIS log [90 %] | WIS natural [90 %] | coverage 50/80/95 | n |",
        "|---|---|---|---|---|---|",
    ]
    with progress_bar() as report:
        for published in PANELS:
            begun = time.monotonic()
            panel = panel_of(published, raw_data)
            scores = scores_of(published, panel, partial(report, published.what))
            lines += lines_of(published, panel, scores, time.monotonic() - begun)
    publish(TITLE, lines, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())

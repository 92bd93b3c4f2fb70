"""Time the store of vintages on five million invented figures: ``python -m benchmarks.vintages [--write]``.

The figures are synthetic, are made in a temporary folder, and go with it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.shared import PAGE, Section, page_command, table, timed
from core.schema import NOT_APPLICABLE
from store.figures.vintages import VintageStore, reduce_as_of

ROWS, SOURCES, MONTHS = 5_000_000, 10, 200
EDITIONS = (*(dt.date(2025, month, 1 if month == 9 else 15) for month in (9, 10, 11, 12)), dt.date(2025, 12, 28))
REVISED = 0.05
"""Share of a source's figures that each later edition changes."""
CUBE_SERIES = 2540
REPEATS = 5


def cube(source_id: str, series: int, edition: dt.date, random: np.random.Generator) -> pd.DataFrame:
    """Monthly figures of many series as one edition of a synthetic source."""
    periods = pd.period_range(end="2025-08", periods=MONTHS, freq="M").astype(str).to_numpy()
    geo = [f"G{number % 30:02d}" for number in range(series)]
    citizen = [f"C{number // 30:03d}" for number in range(series)]
    names = [f"asylum_applications._Z.{g}.{c}.M" for g, c in zip(geo, citizen, strict=True)]
    by_series = pd.DataFrame({"series_id": names, "geo": geo, "citizen": citizen}, dtype=object)
    return by_series.loc[by_series.index.repeat(MONTHS)].assign(
        source_id=source_id, target="asylum_applications", route_id=NOT_APPLICABLE, freq="M",
        time_period=np.tile(periods, series), obs_value=random.poisson(20, series * MONTHS).astype(float),
        obs_flag="", as_of=pd.Timestamp(edition), as_of_estimated=False,
    ).reset_index(drop=True)  # fmt: skip


def fill(store: VintageStore) -> int:
    """Store editions of synthetic sources until about ``ROWS`` are kept; returns how many are."""
    random = np.random.default_rng(0)
    series = round(ROWS / SOURCES / MONTHS / (1 + REVISED * (len(EDITIONS) - 1)))
    stored = 0
    for number in range(SOURCES):
        frame = cube(f"synthetic{number}", series, EDITIONS[0], random)
        stored += store.append(frame)
        for edition in EDITIONS[1:]:
            frame["obs_value"] += np.where(random.random(len(frame)) < REVISED, 1.0, 0.0)
            frame["as_of"] = pd.Timestamp(edition)
            stored += store.append(frame)
    return stored


def section(_options: argparse.Namespace) -> Section:
    """Fill a store and ask it; medians of five runs of what is asked most."""
    day, early, rows = dt.date(2025, 11, 1), dt.date(2025, 9, 1), []

    def measure(what: str, action: Callable[[], object], repeats: int = 1) -> None:
        runs = [timed(action)[1] for _ in range(repeats)]
        rows.append((what, *(f"{statistics.median(column):.2f}" for column in zip(*runs, strict=True))))

    with tempfile.TemporaryDirectory(prefix="synthetic-vintages-") as folder:
        store, other = VintageStore(Path(folder)), VintageStore(Path(folder) / "other")
        stored = fill(store)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")) / 1e6
        new, count = cube("cube", CUBE_SERIES, day, np.random.default_rng(1)), len(store.as_of(day))
        measure("what was known on a day, all sources, from disk", lambda: store.as_of(day), REPEATS)
        measure("all vintages read into memory", store.history)
        in_memory = partial(reduce_as_of, store.history(), day)
        measure("what was known on another day, vintages in memory", in_memory, REPEATS)
        del in_memory
        measure("revisions between two days", lambda: store.revisions(early, day))
        measure(f"append of a cube of {len(new):,} rows", lambda: other.append(new))
        measure("append of the same cube again", lambda: other.append(new))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    measured = (
        f"Measured: {stored:,} synthetic rows of {SOURCES} sources in {len(EDITIONS)} editions ({size:.0f} MB); "
        f"{count:,} figures are known on the day asked. Peak memory of the run: {peak:.1f} GB."
    )
    return [measured, "", *table("what | seconds by the clock | of the processor", rows)], True


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "The store of vintages", section))

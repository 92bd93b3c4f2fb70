"""Time the store of vintages on five million invented figures: ``python -m benchmarks.vintages``.

The figures are synthetic, are made in a temporary folder, and go with it. Seconds are given by the clock and of the
processor: on a machine that does other work at the same time the second tells more.
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
from store.vintages import VintageStore, reduce_as_of

SOURCES, EDITIONS, MONTHS = 10, 5, 200
REVISED = 0.05
"""Share of a source's figures that each later edition changes."""
CUBE_SERIES = 2540
REPEATS = 5
LAST = pd.Period("2025-08", freq="M")


def cube(source_id: str, series: int, edition: dt.date, random: np.random.Generator) -> pd.DataFrame:
    """Monthly figures of many series as one edition of a synthetic source."""
    periods = pd.period_range(end=LAST, periods=MONTHS, freq="M").astype(str).to_numpy()
    geo = [f"G{number % 30:02d}" for number in range(series)]
    citizen = [f"C{number // 30:03d}" for number in range(series)]
    names = [f"asylum_applications._Z.{g}.{c}.M" for g, c in zip(geo, citizen, strict=True)]
    by_series = pd.DataFrame({"series_id": names, "geo": geo, "citizen": citizen}, dtype=object)
    return by_series.loc[by_series.index.repeat(MONTHS)].assign(
        source_id=source_id, target="asylum_applications", route_id=NOT_APPLICABLE, freq="M",
        time_period=np.tile(periods, series), obs_value=random.poisson(20, series * MONTHS).astype(float),
        obs_flag="", as_of=pd.Timestamp(edition), as_of_estimated=False,
    ).reset_index(drop=True)  # fmt: skip


def fill(store: VintageStore, rows: int) -> int:
    """Store editions of synthetic sources until about so many rows are kept; returns how many are."""
    random = np.random.default_rng(0)
    series = round(rows / SOURCES / MONTHS / (1 + REVISED * (EDITIONS - 1)))
    stored = 0
    for number in range(SOURCES):
        frame = cube(f"synthetic{number}", series, dt.date(2025, 9, 1), random)
        for edition in range(EDITIONS):
            if edition:
                changed = random.random(len(frame)) < REVISED
                frame["obs_value"] += np.where(changed, 1.0, 0.0)
                frame["as_of"] = pd.Timestamp(2025, 9 + edition if edition < 4 else 12, 15 if edition < 4 else 28)
            stored += store.append(frame)
    return stored


def median_seconds(action: Callable[[], object], repeats: int = 1) -> list[str]:
    """Median seconds of so many runs, by the clock and of the processor."""
    runs = [timed(action)[1] for _ in range(repeats)]
    return [f"{statistics.median(column):.2f}" for column in zip(*runs, strict=True)]


def section(options: argparse.Namespace) -> Section:
    """Fill a store and ask it."""
    day, early = dt.date(2025, 11, 1), dt.date(2025, 9, 1)
    with tempfile.TemporaryDirectory(prefix="synthetic-vintages-") as folder:
        store, other = VintageStore(Path(folder)), VintageStore(Path(folder) / "other")
        stored = fill(store, options.rows)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")) / 1e6
        new = cube("cube", CUBE_SERIES, day, np.random.default_rng(1))
        count = len(store.as_of(day))
        measured = {
            "what was known on a day, all sources, from disk": median_seconds(lambda: store.as_of(day), REPEATS),
            "all vintages read into memory": median_seconds(store.history),
            "what was known on another day, vintages in memory": median_seconds(
                partial(reduce_as_of, store.history(), day), REPEATS
            ),
            "revisions between two days": median_seconds(lambda: store.revisions(early, day)),
            f"append of a cube of {len(new):,} rows": median_seconds(lambda: other.append(new)),
            "append of the same cube again": median_seconds(lambda: other.append(new)),
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    lines = [
        f"Measured: {stored:,} synthetic rows of {SOURCES} sources in {EDITIONS} editions ({size:.0f} MB); {count:,} "
        f"figures are known on the day asked. Peak memory of the run: {peak:.1f} GB.",
        "",
        *table("what | seconds by the clock | of the processor", ((what, *took) for what, took in measured.items())),
    ]
    return lines, True


if __name__ == "__main__":
    options = {"--rows": {"type": int, "default": 5_000_000}}
    sys.exit(page_command(PAGE, "The store of vintages", section, options=options))

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
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from store.vintages import VintageStore, reduce_as_of

SOURCES, EDITIONS, MONTHS = 10, 5, 200
REVISED = 0.05
"""Share of a source's figures that each later edition changes."""
CUBE_SERIES = 2540
REPEATS = 5
LAST = pd.Period("2025-08", freq="M")


class Seconds(NamedTuple):
    """By the clock, and of the processor."""

    clock: float
    processor: float


def cube(source_id: str, series: int, edition: dt.date, random: np.random.Generator) -> pd.DataFrame:
    """Monthly figures of many series as one edition of a synthetic source."""
    periods = pd.period_range(end=LAST, periods=MONTHS, freq="M").astype(str).to_numpy()
    geo = np.asarray([f"G{number % 30:02d}" for number in range(series)], dtype=object)
    citizen = np.asarray([f"C{number // 30:03d}" for number in range(series)], dtype=object)
    names = np.asarray([f"asylum_applications._Z.{g}.{c}.M" for g, c in zip(geo, citizen, strict=True)], dtype=object)
    size = series * MONTHS
    return pd.DataFrame(
        {
            "source_id": source_id,
            "series_id": np.repeat(names, MONTHS),
            "target": "asylum_applications",
            "route_id": "_Z",
            "geo": np.repeat(geo, MONTHS),
            "citizen": np.repeat(citizen, MONTHS),
            "freq": "M",
            "time_period": np.tile(periods, series),
            "obs_value": random.poisson(20, size).astype(float),
            "obs_flag": "",
            "as_of": pd.Timestamp(edition),
            "as_of_estimated": False,
        }
    )


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


def timed(action: Callable[[], object], repeats: int = REPEATS) -> Seconds:
    """Median seconds of several runs."""
    runs = []
    for _ in range(repeats):
        clock, processor = time.perf_counter(), time.process_time()
        action()
        runs.append((time.perf_counter() - clock, time.process_time() - processor))
    return Seconds(*(statistics.median(column) for column in zip(*runs, strict=True)))


def report(rows: int) -> list[str]:
    """The section of docs/benchmarks.md, line by line."""
    with tempfile.TemporaryDirectory(prefix="synthetic-vintages-") as folder:
        store = VintageStore(Path(folder))
        stored = fill(store, rows)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")) / 1e6
        day, early = dt.date(2025, 11, 1), dt.date(2025, 9, 1)
        known = timed(lambda: store.as_of(day))
        count = len(store.as_of(day))
        once = timed(store.history, 1)
        again = timed(partial(reduce_as_of, store.history(), day))
        revised = timed(lambda: store.revisions(early, day), 1)
        other = VintageStore(Path(folder) / "other")
        new = cube("cube", CUBE_SERIES, day, np.random.default_rng(1))
        first = timed(lambda: other.append(new), 1)
        second = timed(lambda: other.append(new), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    lines = [
        f"{stored:,} synthetic rows of {SOURCES} sources in {EDITIONS} editions ({size:.0f} MB); "
        f"{count:,} figures are known on the day asked. Peak memory of the run: {peak:.1f} GB.",
        "",
        "| what | seconds by the clock | of the processor |",
        "|---|---|---|",
    ]
    measured = {
        "what was known on a day, all sources, from disk": known,
        "all vintages read into memory": once,
        "what was known on another day, vintages in memory": again,
        "revisions between two days": revised,
        f"append of a cube of {len(new):,} rows": first,
        "append of the same cube again": second,
    }
    return lines + [f"| {what} | {taken.clock:.2f} | {taken.processor:.2f} |" for what, taken in measured.items()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    sys.stdout.write("\n".join(report(parser.parse_args().rows)) + "\n")

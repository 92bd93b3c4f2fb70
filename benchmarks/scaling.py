"""Measure what a panel costs as it grows, and what engines cost: ``python -m benchmarks.scaling``.

Every run is a process of its own, ``vigie forecast`` as a person would call it, on a made-up panel of 120 months. CPU
seconds are those of all its processes together and hardly depend on what else the machine does; seconds of the clock
do. Memory is the largest sum of what its processes hold, what they share counted once, looked at four times a second.

    python -m benchmarks.scaling 100 1000 10000 20000          panels of these sizes, on this machine
    python -m benchmarks.scaling --engines 300                 the same panel on each engine that is installed
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.processes import Cost, cost_of
from benchmarks.shared import report, table

MONTHS, HORIZON = 120, 12
ENGINES = ("local", "dask", "ray", "spark")


def write_panel(path: Path, series: int) -> None:
    """Monthly counts of many sizes with a season and a wandering level; the same every time."""
    random = np.random.default_rng(1)
    months = pd.period_range("2014-01", periods=MONTHS, freq="M").astype(str)
    season = 0.6 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)
    walk = 0.2 * random.standard_normal((series, MONTHS)).cumsum(axis=1)
    counts = random.poisson(np.exp(np.clip(random.uniform(0, 6, series)[:, None] + season + walk, -5, 12)))
    names = [f"s{number:06d}" for number in range(series)]
    rows = pd.DataFrame(
        {"series_id": np.repeat(names, MONTHS), "time_period": np.tile(months, series), "value": counts.ravel()}
    )
    rows.to_csv(path, index=False)


def forecast_cost(series: int, engine: str = "local", python: str = sys.executable) -> Cost:
    """``vigie forecast`` of a panel of so many series in an empty home: ensemble and baseline, 23 quantiles."""
    with tempfile.TemporaryDirectory() as name:
        panel = Path(name) / "panel.csv"
        write_panel(panel, series)
        asked = ["--panel", str(panel), "--horizon", str(HORIZON), "--engine", engine]
        kept = ["--home", f"{name}/home", "--out", f"{name}/out.parquet"]
        cost = cost_of([python, "-m", "cli", "forecast", *asked, *kept])
    report(f"{series:,} series, {engine}: {', '.join(cost.cells)}")
    return cost


def size_lines(sizes: Sequence[int]) -> list[str]:
    """Cost against the number of series, as Markdown."""
    rows = []
    for series in sizes:
        cost = forecast_cost(series)
        clock, cpu, peak = cost.cells
        each = f"{1000 * cost.cpu / series:,.0f} ms", f"{cost.peak_bytes / 2**10 / series:,.0f} KiB"
        rows.append((f"{series:,}", cpu, each[0], clock, peak, each[1]))
    return table("series | CPU seconds | per series | clock | peak memory | per series", rows)


def engine_lines(series: int, python: str) -> list[str]:
    """The same panel on each engine, as Markdown."""
    rows = []
    for engine in ENGINES:
        try:
            clock, cpu, peak = forecast_cost(series, engine, python).cells
        except subprocess.CalledProcessError:
            rows.append((engine, "not installed here or did not start", "", ""))
        else:
            rows.append((engine, cpu, clock, peak))
    return table("engine | CPU seconds | clock | peak memory", rows)


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--engines", type=int, metavar="SERIES")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the engines' packages")
    asked = parser.parse_args()
    lines = engine_lines(asked.engines, asked.python) if asked.engines else size_lines(asked.sizes)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

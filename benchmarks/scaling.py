"""Measure what a panel costs as it grows, and what engines cost: ``python -m benchmarks.scaling``.

Every run is a process of its own, ``vigie forecast`` as a person would call it, on a made-up panel of 120 months. CPU
seconds are those of all its processes together and hardly depend on what else the machine does; seconds of the clock
do. Memory is the largest sum of what its processes hold, what they share counted once, looked at four times a second.

    python -m benchmarks.scaling 100 1000 10000 20000          panels of these sizes, on this machine
    python -m benchmarks.scaling --engines 300                 the same panel on each engine that is installed
    python -m benchmarks.scaling --plan 230400 --per-series .011 --fixed 75
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.shared import family, meanwhile, report, table

MONTHS, HORIZON = 120, 12
ENGINES = ("local", "dask", "ray", "spark")
_PROPORTIONAL = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    clock: float
    cpu: float
    peak_bytes: int

    @property
    def cells(self) -> tuple[str, str, str]:
        """Clock, CPU seconds and peak memory as a table has them."""
        return f"{self.clock:.0f} s", f"{self.cpu:.0f}", f"{self.peak_bytes / 2**20:,.0f} MiB"


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


def measured(command: Sequence[str]) -> Cost:
    """Run a command to its end and look at the memory of all its processes."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  # our own command
    seen = [0]
    with meanwhile(lambda: seen.append(_memory(process.pid))):
        code = process.wait()
    if code != 0:
        raise subprocess.CalledProcessError(code, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - begun, cpu, max(seen))


def _memory(pid: int) -> int:
    """Bytes that a process and its descendants hold in memory; what several share counts once (Linux)."""
    total = 0
    for folder, _fields in family(pid):
        with suppress(OSError):  # it ended meanwhile
            total += 1024 * int(_PROPORTIONAL.findall((folder / "smaps_rollup").read_text())[0])
    return total


def forecast_cost(folder: Path, series: int, engine: str = "local", python: str = sys.executable) -> Cost:
    """``vigie forecast`` of a panel of so many series: 12 horizons, 23 quantiles, ensemble and baseline.

    Each run has a home of its own, so that no fit is there before.
    """
    panel = folder / f"{series}.csv"
    if not panel.exists():
        write_panel(panel, series)
    command = [python, "-m", "cli", "forecast", "--panel", str(panel), "--horizon", str(HORIZON), "--engine", engine]
    with tempfile.TemporaryDirectory(dir=folder) as home:
        cost = measured([*command, "--home", home, "--out", str(folder / "out.parquet")])
    report(f"{series:,} series, {engine}: {', '.join(cost.cells)}")
    return cost


def size_lines(folder: Path, sizes: Sequence[int]) -> list[str]:
    """Cost against the number of series, as Markdown."""
    rows = []
    for series in sizes:
        cost = forecast_cost(folder, series)
        clock, cpu, peak = cost.cells
        each = f"{1000 * cost.cpu / series:.0f} ms", f"{cost.peak_bytes / 2**10 / series:,.0f} KiB"
        rows.append((f"{series:,}", cpu, each[0], clock, peak, each[1]))
    return table("series | CPU seconds | per series | clock | peak memory | per series", rows)


def engine_lines(folder: Path, series: int, python: str) -> list[str]:
    """The same panel on each engine, as Markdown."""
    rows = []
    for engine in ENGINES:
        try:
            clock, cpu, peak = forecast_cost(folder, series, engine, python).cells
        except subprocess.CalledProcessError:
            rows.append((engine, "not installed here or did not start", "", ""))
        else:
            rows.append((engine, cpu, clock, peak))
    return table("engine | CPU seconds | clock | peak memory", rows)


def plan_lines(series: int, fixed: float, per_series: float) -> list[str]:
    """What a larger panel is expected to take, computed from measured costs and not measured itself."""
    cpu = fixed + per_series * series
    hours = table("cores | hours, computed", [(cores, f"{cpu / cores / 3600:.2f}") for cores in (2, 8, 32)])
    return [f"{series:,} series: {cpu:,.0f} CPU seconds, computed.", "", *hours]


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--engines", type=int, metavar="SERIES")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the engines' packages")
    parser.add_argument("--plan", type=int, metavar="SERIES")
    parser.add_argument("--fixed", type=float, default=0.0, help="CPU seconds whatever the panel")
    parser.add_argument("--per-series", type=float, default=0.0, help="CPU seconds of one more series")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        lines = size_lines(Path(name), asked.sizes) if asked.sizes else []
        lines += engine_lines(Path(name), asked.engines, asked.python) if asked.engines else []
    lines += plan_lines(asked.plan, asked.fixed, asked.per_series) if asked.plan else []
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""Measure what a panel costs as it grows, and what engines cost: ``python -m benchmarks.scaling``.

    python -m benchmarks.scaling 100 1000 10000 100000         panels of these sizes, on this machine
    python -m benchmarks.scaling --engines 300                 the same panel on each engine that is installed

Every run is a process of its own, ``vigie forecast`` as a person would call it, on a made-up panel of 120 months.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psutil

from benchmarks.shared import report, table

MONTHS, HORIZON = 120, 12
ENGINES = ("local", "dask", "ray", "spark")


class Cost(NamedTuple):
    """What one run took: seconds of the clock and of the processor, bytes at most."""

    clock: float
    cpu: float
    peak_bytes: int

    @property
    def cells(self) -> tuple[str, str, str]:
        """Clock, CPU seconds and peak memory as a table has them."""
        return f"{self.clock:.0f} s", f"{self.cpu:.0f}", f"{self.peak_bytes / 2**20:,.0f} MiB"


def added_up(measure: Callable[[psutil.Process], float], processes: Iterable[psutil.Process]) -> float:
    """A measure of some processes together; one that ended between two looks counts nothing."""
    total = 0.0
    for one in processes:
        with suppress(psutil.Error):
            total += measure(one)
    return total


@contextmanager
def meanwhile(look: Callable[[], None]) -> Iterator[None]:
    """Look four times a second, in a thread of its own, while something goes on."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.25):
            look()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command to its end and look at the memory of all its processes; what several share counts once."""
    before, begun, seen = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), [0.0]

    def look() -> None:
        seen.append(added_up(lambda one: one.memory_full_info().pss, psutil.Process().children(recursive=True)))

    with meanwhile(look):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  # our own command
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - begun, cpu, int(max(seen)))


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


def forecast_cost(series: int, engine: str, python: str) -> Cost:
    """``vigie forecast`` of a panel of ``series`` series in an empty home: ensemble and baseline, 23 quantiles."""
    with tempfile.TemporaryDirectory() as name:
        write_panel(Path(name) / "panel.csv", series)
        files = ["--panel", f"{name}/panel.csv", "--home", f"{name}/home", "--out", f"{name}/out.parquet"]
        cost = cost_of([python, "-m", "cli", "forecast", "--horizon", str(HORIZON), "--engine", engine, *files])
    report(f"{series:,} series, {engine}: {', '.join(cost.cells)}")
    return cost


def main() -> None:
    """Measure; print cost against the number of series, or of the same panel on each engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--engines", type=int, metavar="SERIES")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the engines' packages")
    asked, rows = parser.parse_args(), list[tuple[str, ...]]()
    if asked.engines:
        head = "engine | CPU seconds | clock | peak memory"
        for engine in ENGINES:
            try:
                clock, cpu, peak = forecast_cost(asked.engines, engine, asked.python).cells
            except subprocess.CalledProcessError:
                cpu, clock, peak = "not installed here or did not start", "", ""
            rows.append((engine, cpu, clock, peak))
    else:
        head = "series | CPU seconds | per series | clock | peak memory | per series"
        for series in asked.sizes:
            cost = forecast_cost(series, "local", asked.python)
            clock, cpu, peak = cost.cells
            each = f"{1000 * cost.cpu / series:,.0f} ms", f"{cost.peak_bytes / 2**10 / series:,.0f} KiB"
            rows.append((f"{series:,}", cpu, each[0], clock, peak, each[1]))
    sys.stdout.write("\n".join(table(head, rows)) + "\n")


if __name__ == "__main__":
    main()

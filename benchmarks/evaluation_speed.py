"""How long the whole evaluation takes, and one more origin: ``python -m benchmarks.evaluation_speed --write``.

Seven dense Frontex routes with all their nationalities (from the workbook under VIGIE_RAW_DATA), each step a process of
its own as a person would call it, in one home. Nothing else should run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.routes import ORIGINS, TOTALS, dense_parts
from benchmarks.scaling import HORIZON, cost_of
from benchmarks.shared import PAGE, Section, engine, page_command, published_files, report, table
from forecasting.panel import Panel


def steps(folder: Path, parts: Panel) -> list[tuple[str, list[str]]]:
    """What is measured, in words and as the words of the command line, in this order; their panels are written."""
    rows = parts.long()
    rows[TOTALS] = rows["series_id"].map(parts.groups[TOTALS])
    newest, before = folder / "newest.csv", folder / "before.csv"
    rows.to_csv(newest, index=False)
    rows[rows["time_period"] < rows["time_period"].max()].to_csv(before, index=False)
    horizons = ",".join(str(step) for step in range(1, HORIZON + 1))
    shared = ["--totals", TOTALS, "--home", str(folder / "home"), "--out", str(folder / "out.parquet")]
    whole = ["backtest", "--origins", str(ORIGINS), "--step", "1", "--horizons", horizons, *shared, "--panel"]
    return [
        (f"evaluation from an empty home, {ORIGINS} origins", [*whole, str(before)]),
        ("one more origin: `vigie forecast`", ["forecast", "--horizon", str(HORIZON), *shared, "--panel", str(newest)]),
        ("the whole evaluation again with that month", [*whole, str(newest)]),
    ]


def section(_options: argparse.Namespace) -> Section:
    """Measure every step."""
    parts, rows = dense_parts(published_files()), []
    with tempfile.TemporaryDirectory() as folder:
        for name, words in steps(Path(folder), parts):
            rows.append((name, *cost_of([sys.executable, "-m", "cli", *words]).cells))
            report(" | ".join(rows[-1]))
    size = f"{len(parts.series_ids)} nationalities by route and {parts.groups[TOTALS].nunique()} routes"
    measured = [engine(), f"Measured: {size}, {HORIZON} horizons.", ""]
    return [*measured, *table("| clock | CPU seconds | peak memory", rows)], True


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "The whole evaluation, and one more origin", section))

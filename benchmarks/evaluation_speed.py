"""How long the whole evaluation takes, and one more origin: ``python -m benchmarks.evaluation_speed --write``.

Seven dense Frontex routes with all their nationalities (from the workbook under VIGIE_RAW_DATA), each step a process of
its own as a person would call it, one after another: from an empty home with the newest month held back; then the
newest month's forecast, with what is kept; then the whole evaluation again with that month. Nothing else should run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import Cost, cost_of
from benchmarks.routes import ORIGINS, TOTALS, dense_parts
from benchmarks.shared import PAGE, Section, engine, page_command, published_files, report, table
from forecasting.panel import Panel

HORIZON = 12


def write_panel(parts: Panel, path: Path) -> None:
    """A panel as the file that ``vigie backtest`` reads, with the column of its totals."""
    rows = parts.long()
    rows[TOTALS] = rows["series_id"].map(parts.groups[TOTALS])
    rows.to_csv(path, index=False)


def steps(folder: Path, parts: Panel) -> list[tuple[str, list[str]]]:
    """What is measured, in words and as the words of the command line, in this order."""
    newest, before = folder / "newest.csv", folder / "before.csv"
    write_panel(parts, newest)
    write_panel(Panel(parts.freq, parts.matrix.iloc[:-1], parts.groups), before)
    horizons = ",".join(str(step) for step in range(1, HORIZON + 1))
    shared = ["--totals", TOTALS, "--home", str(folder / "home"), "--out", str(folder / "out.parquet")]
    whole = ["backtest", "--origins", str(ORIGINS), "--step", "1", "--horizons", horizons, *shared, "--panel"]
    return [
        (f"evaluation from an empty home, {ORIGINS} origins", [*whole, str(before)]),
        ("one more origin: `vigie forecast`", ["forecast", "--horizon", str(HORIZON), *shared, "--panel", str(newest)]),
        ("the whole evaluation again with that month", [*whole, str(newest)]),
    ]


def lines_of(parts: Panel, costs: Sequence[tuple[str, Cost]]) -> list[str]:
    """The engine, how large the panel is, and what each step took."""
    routes = parts.groups[TOTALS].nunique()
    return [
        engine(),
        f"Measured: {len(parts.series_ids)} nationalities by route and {routes} routes, {HORIZON} horizons.",
        "",
        *table("| clock | CPU seconds | peak memory", [(name, *cost.cells) for name, cost in costs]),
    ]


def section(_options: argparse.Namespace) -> Section:
    """Measure every step."""
    parts = dense_parts(published_files())
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        for name, words in steps(Path(folder), parts):
            costs.append((name, cost_of([sys.executable, "-m", "cli", *words])))
            report(f"{name}: {costs[-1][1].clock:.0f} s")
    return lines_of(parts, costs), True


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "The whole evaluation, and one more origin", section))

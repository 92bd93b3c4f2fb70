"""Is the time left that a bar tells right? ``python -m benchmarks.time_left``: what was told over what came true.

    python -m benchmarks.time_left --panel 2000                    vigie forecast of a made-up panel of so many series
    python -m benchmarks.time_left --panel 2000 --origins 3        vigie backtest of it from so many origins
    python -m benchmarks.time_left --home HOME --as-of 2025-02-28  a night in this home, and it is published there

The work is done as the command does it; the time left is looked at a few times a second. Time is that of the processor,
of all processes of the work together: what else the machine does makes no difference. A night is told from the nights
of its home that were run so, too.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scaling import HORIZON, write_panel
from core.progress import Pace
from core.settings import load_settings
from forecasting.runs import backtest_file, forecast_file
from nightly import run_night
from nightly.progress import NightProgress, plan_of
from store.caches import FitStore
from store.status import night_steps

_SECONDS_BETWEEN_LOOKS = 0.3
_TICKS = os.sysconf("SC_CLK_TCK")
Looks = list[tuple[float, float | None]]
"""Seconds that are gone, and seconds left as told then."""


def processor_seconds() -> float:
    """What this process and its descendants have taken of the processor (Linux)."""
    took: dict[int, float] = {}
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended between two looks
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        took[int(folder.name)] = sum(map(int, fields[11:15])) / _TICKS  # its own, and that of children that ended
    total, waiting = 0.0, [os.getpid()]
    while waiting:
        one = waiting.pop()
        total += took.get(one, 0.0)
        waiting += children.get(one, [])
    return total


class Clock:
    """Goes forward with ``processor_seconds``: while a child ends its seconds are for a moment nobody's."""

    def __init__(self) -> None:
        self._now = processor_seconds()

    def __call__(self) -> float:
        """Seconds."""
        self._now = max(self._now, processor_seconds())
        return self._now


@contextmanager
def watched(clock: Clock, seconds_left: Callable[[], float | None]) -> Iterator[Looks]:
    """Looks at the time left while something goes on; the last one is its end."""
    looks: Looks = []
    over, begun = threading.Event(), clock()

    def watch() -> None:
        while not over.wait(_SECONDS_BETWEEN_LOOKS):
            looks.append((clock() - begun, seconds_left()))

    thread = threading.Thread(target=watch)
    thread.start()
    yield looks
    over.set()
    thread.join()
    looks.append((clock() - begun, 0.0))


def lines(looks: Looks) -> list[str]:
    """At every twentieth of the whole the time told and the time that was left, as Markdown."""
    whole = looks[-1][0]
    table = [f"{whole:.0f} s in all.", "", "| gone | told | left | told ÷ left |", "|---|---|---|---|"]
    for twentieth in range(1, 20):
        gone, told = next(look for look in looks if look[0] >= whole * twentieth / 20)
        left = whole - gone
        words = ("–", "–") if told is None else (f"{told:.0f} s", f"{told / left:.2f}")
        table.append(f"| {5 * twentieth} % | {words[0]} | {left:.0f} s | {words[1]} |")
    return table


def of_panel(folder: Path, series: int, origins: int | None) -> Looks:
    """A forecast of a panel in an empty home, or a backtest."""
    write_panel(folder / "panel.csv", series)
    clock, fits = Clock(), FitStore(folder / "home")
    pace = Pace(clock)
    with watched(clock, pace.seconds_left) as looks:
        if origins is None:
            forecast_file(folder / "panel.csv", horizon=HORIZON, progress=pace, fits=fits)
        else:
            backtest_file(folder / "panel.csv", origins=origins, horizons=[1, 3, 6, 12], progress=pace, fits=fits)
    return looks


def of_night(home: Path, as_of: dt.date) -> Looks:
    """A night of a home, told from its last ones."""
    settings, clock = load_settings(home), Clock()
    progress = NightProgress(plan_of(night_steps(home, settings.journal_url)), clock)
    with watched(clock, progress.seconds_left) as looks:
        run_night(home, settings, as_of, progress=progress)
    return looks


def main() -> None:
    """Read the arguments, work, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panel", type=int, metavar="SERIES")
    parser.add_argument("--origins", type=int)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--as-of", type=dt.date.fromisoformat)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        looks = of_panel(Path(name), asked.panel, asked.origins) if asked.panel else of_night(asked.home, asked.as_of)
    sys.stdout.write("\n".join(lines(looks)) + "\n")


if __name__ == "__main__":
    main()

"""Is the time left that a bar tells right? ``python -m benchmarks.time_left``: what was told over what came true.

    python -m benchmarks.time_left --panel 2000                    vigie forecast of a made-up panel of so many series
    python -m benchmarks.time_left --panel 2000 --origins 3        vigie backtest of it from so many origins
    python -m benchmarks.time_left --home HOME --as-of 2025-02-28 --record NIGHT.json
                                                                   a night in this home, and it is published there
    python -m benchmarks.time_left --replay NIGHT.json …           each of a home's nights as told from those before it,
                                                                   with --home from those that it had made before, too

What a night told is recorded with the seconds of the processor, of all processes of the work together, and with the
clock's. By the first what else the machine does makes no difference; in the second it does. Replays are by both.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.scaling import HORIZON, write_panel
from benchmarks.shared import family, meanwhile, table
from core.progress import Pace
from core.settings import Settings, load_settings
from forecasting.runs import backtest_file, forecast_file
from nightly import run_night
from nightly.night_plan import Plan, Step, expected, plan_of
from nightly.pooled import KnownCounts, bundled_history
from nightly.progress import NightProgress
from store.caches import FitStore
from store.status import night_steps

_TICKS = os.sysconf("SC_CLK_TCK")
Looks = list[tuple[float, float | None]]
"""Seconds that are gone, and seconds left as shown then."""
Night = Mapping[str, Sequence[float]]
Event = Sequence[Any]
"""Seconds of the processor and of the clock, and what was reported then."""


def processor_seconds() -> float:
    """What this process, its descendants and those of these that ended have taken of the processor (Linux)."""
    return sum(sum(map(int, fields[11:15])) for _folder, fields in family(os.getpid())) / _TICKS


class Clock:
    """Goes forward with ``processor_seconds``: while a child ends its seconds are for a moment nobody's."""

    def __init__(self) -> None:
        self._now = processor_seconds()

    def __call__(self) -> float:
        """Seconds."""
        self._now = max(self._now, processor_seconds())
        return self._now


@contextmanager
def sampled(clock: Clock, seconds_left: Callable[[], float | None]) -> Iterator[Looks]:
    """Looks at the time left while something goes on; the last one is its end."""
    looks, begun = Looks(), clock()
    with meanwhile(lambda: looks.append((clock() - begun, seconds_left()))):
        yield looks
    looks.append((clock() - begun, 0.0))


def lines(looks: Looks) -> list[str]:
    """At every twentieth of the whole the time shown and the time that was left, as Markdown."""
    whole, rows = looks[-1][0], []
    for twentieth in range(1, 20):
        gone, shown = next(look for look in looks if look[0] >= whole * twentieth / 20)
        left = whole - gone
        words = ("–", "–") if shown is None else (f"{shown:.0f} s", f"{shown / left:.2f}")
        rows.append((f"{5 * twentieth} %", words[0], f"{left:.0f} s", words[1]))
    return [f"{whole:.0f} s in all.", "", *table("gone | told | left | told ÷ left", rows)]


def of_panel(folder: Path, series: int, origins: int | None) -> Looks:
    """A forecast of a panel in an empty home, or a backtest."""
    panel = folder / "panel.csv"
    write_panel(panel, series)
    clock, fits, prior = Clock(), FitStore(folder / "home"), KnownCounts(bundled_history)
    pace = Pace(clock)
    with sampled(clock, pace.seconds_left) as looks:
        if origins is None:
            forecast_file(panel, horizon=HORIZON, progress=pace, fits=fits, prior=prior)
        else:
            backtest_file(panel, origins=origins, horizons=[1, 3, 6, 12], progress=pace, fits=fits, prior=prior)
    return looks


class Recorder(NightProgress):
    """Keeps what a night reports, each time with the seconds of the processor and of the clock."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self.events: list[Event] = []
        self._both: tuple[Callable[[], float], ...] = Clock(), time.monotonic
        self._from = [clock() for clock in self._both]
        super().__init__(expected(home, settings), settings)

    def keep(self, *what: str | int) -> None:
        """Keep an event."""
        now = [round(clock() - begun, 2) for clock, begun in zip(self._both, self._from, strict=True)]
        self.events.append((now[0], now[1], *what))

    def begin(self, stage: str) -> None:
        """As its base."""
        self.keep("begin", stage)
        super().begin(stage)

    def expect_learning(self) -> None:
        """As its base."""
        self.keep("expect learning")
        super().expect_learning()

    def __call__(self, part: str, done: int, total: int) -> None:
        """As its base."""
        self.keep(part, done, total)
        super().__call__(part, done, total)


def of_night(home: Path, as_of: dt.date) -> list[Event]:
    """A night of a home: what it reported."""
    settings = load_settings(home)
    recorder = Recorder(home, settings)
    run_night(home, settings, as_of, progress=recorder)
    recorder.keep("end")
    return recorder.events


def replay(
    events: Sequence[Event], plan: Plan, clock: int = 0, *, slower: float = 1.0
) -> tuple[Looks, dict[str, Step]]:
    """Go through a recorded night, looking 200 times; returns the looks and its steps.

    Args:
        events: As recorded.
        plan: What is expected of it.
        clock: 0: by seconds of the processor; 1: by the clock's.
        slower: On a machine so much slower.
    """
    whole = events[-1][clock]
    now, looks = [0.0], list[tuple[float, float | None]]()
    progress = NightProgress(plan, clock=lambda: now[0])
    moments = [*((whole * number / 200, ()) for number in range(1, 200)), *((one[clock], one[2:]) for one in events)]
    for at, event in sorted(moments, key=lambda moment: moment[0]):
        now[0] = slower * at
        if not event:
            looks.append((now[0], progress.seconds_left()))
        elif event[0] == "begin":
            progress.begin(str(event[1]))
        elif event[0] == "expect learning":
            progress.expect_learning()
        elif event[0] != "end":
            progress(*event)
    return [*looks, (slower * whole, 0.0)], progress.until_now()


def table_of_replays(nights: Mapping[str, Sequence[Event]], earlier: Sequence[Night] = ()) -> list[str]:
    """For a home's nights, first to last, the time shown over what was left at every tenth, by either clock.

    Args:
        nights: What they reported.
        earlier: Steps of those before them, as the home's journal keeps them.
    """
    tenths = [10, 20, 30, 40, 50, 60, 70, 80, 90, 95]
    rows = []
    for clock, name in enumerate(("processor", "clock")):
        before = list(earlier)
        for night, events in nights.items():
            looks, steps = replay(events, plan_of(before[-5:]), clock)
            before.append({step: list(took) for step, took in steps.items()})
            rows.append((night, name, f"{looks[-1][0]:.0f}", *(f"{ratio(looks, tenth / 100):.2f}" for tenth in tenths)))
    return table("night | clock | seconds | " + " | ".join(f"{tenth} %" for tenth in tenths), rows)


def ratio(looks: Looks, share: float) -> float:
    """Time shown over time left once this share of the whole is gone."""
    whole = looks[-1][0]
    gone, shown = next(look for look in looks if look[0] >= whole * share)
    return (shown or 0.0) / (whole - gone)


def main() -> None:
    """Read the arguments, work, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panel", type=int, metavar="SERIES")
    parser.add_argument("--origins", type=int)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--as-of", type=dt.date.fromisoformat)
    parser.add_argument("--record", type=Path, help="Where what the night reported is written.")
    parser.add_argument("--replay", type=Path, nargs="+", help="Recorded nights of one home, first to last.")
    asked = parser.parse_args()
    if asked.record and not (asked.home and asked.as_of):
        parser.error("--record wants --home and --as-of: the night that is run")
    if not (asked.record or asked.replay or asked.panel):
        parser.error("say what to run: --panel SERIES, --record NIGHT.json or --replay NIGHT.json")
    if asked.record:
        asked.record.write_text(json.dumps(of_night(asked.home, asked.as_of)), encoding="utf-8")
    elif asked.replay:
        earlier = night_steps(asked.home) if asked.home else []
        nights = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in asked.replay}
        sys.stdout.write("\n".join(table_of_replays(nights, earlier)) + "\n")
    else:
        with tempfile.TemporaryDirectory() as name:
            looks = of_panel(Path(name), asked.panel, asked.origins)
        sys.stdout.write("\n".join(lines(looks)) + "\n")


if __name__ == "__main__":
    main()

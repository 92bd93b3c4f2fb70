"""Is the time left that a bar tells right? ``python -m benchmarks.time_left``: what was told over what came true.

    python -m benchmarks.time_left --panel 2000                    vigie forecast of a made-up panel of so many series
    python -m benchmarks.time_left --home HOME --as-of 2025-02-28 --record NIGHT.json
                                                                   a night in this home, and it is published there
    python -m benchmarks.time_left --replay NIGHT.json …           each of a home's nights as told from those before it

Nights are told in seconds of the processor, of all processes of the work together, and in the clock's.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.scaling import HORIZON, added_up, meanwhile, write_panel
from benchmarks.shared import table
from core.log import Pace
from core.settings import Settings, load_settings
from forecasting.runs import forecast_file
from nightly.night import run_night
from nightly.pooled import bundled_history, priors_from
from nightly.progress import NightProgress, Plan, Step, expected, plan_of
from store.caches import FitStore

PERCENT = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
Looks = list[tuple[float, float | None]]
"""Seconds that are gone, and seconds left as shown then; the last one is the end."""
Event = Sequence[Any]
"""Seconds of the processor and of the clock, and what was reported then."""


class Clock:
    """Goes forward with the seconds that this process and all its descendants have taken of the processor (Linux)."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Seconds; while a child ends its own are for a moment nobody's."""
        own = psutil.Process()
        seconds = added_up(lambda one: sum(one.cpu_times()[:4]), [own, *own.children(recursive=True)])
        self._now = max(self._now, seconds)
        return self._now


def of_panel(series: int) -> Looks:
    """A forecast of a made-up panel in an empty home."""
    clock, looks = Clock(), Looks()
    pace, begun = Pace(clock), clock()
    with tempfile.TemporaryDirectory() as folder:
        panel, fits = Path(folder) / "panel.csv", FitStore(Path(folder) / "home")
        write_panel(panel, series)
        with meanwhile(lambda: looks.append((clock() - begun, pace.seconds_left()))):
            forecast_file(panel, horizon=HORIZON, progress=pace, fits=fits, priors=priors_from(bundled_history))
    return [*looks, (clock() - begun, 0.0)]


class Recorder(NightProgress):
    """Keeps what a night reports, each time with the seconds of the processor and of the clock."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self.events, self._processor = list[Event](), Clock()
        self._from = self._processor(), time.monotonic()
        super().__init__(expected(home, settings), settings)

    def keep(self, *what: str | int) -> None:
        """Keep an event."""
        processor, clock = self._processor() - self._from[0], time.monotonic() - self._from[1]
        self.events.append((round(processor, 2), round(clock, 2), *what))

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


def replay(
    events: Sequence[Event], plan: Plan, clock: int = 0, *, slower: float = 1.0
) -> tuple[Looks, dict[str, Step]]:
    """Go through a recorded night, looking 200 times, as if it had been planned so; returns the looks and its steps.

    ``clock`` is 0 for seconds of the processor and 1 for the clock's, on a machine so much ``slower``.
    """
    whole = events[-1][clock]
    now, looks = [0.0], Looks()
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


def ratio(looks: Looks, share: float) -> float:
    """Time shown over time left once this share of the whole is gone."""
    whole = looks[-1][0]
    gone, shown = next(look for look in looks if look[0] >= whole * share)
    return (shown or 0.0) / (whole - gone)


def main() -> None:
    """Read the arguments, work, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked_for = parser.add_mutually_exclusive_group(required=True)
    asked_for.add_argument("--panel", type=int, metavar="SERIES")
    asked_for.add_argument("--record", type=Path, help="where what the night reported is written")
    asked_for.add_argument("--replay", type=Path, nargs="+", help="recorded nights of one home, first to last")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--as-of", type=dt.date.fromisoformat)
    asked = parser.parse_args()
    if asked.record:
        if not (asked.home and asked.as_of):
            parser.error("--record wants --home and --as-of: the night that is run")
        settings = load_settings(asked.home)
        recorder = Recorder(asked.home, settings)
        run_night(asked.home, settings, asked.as_of, progress=recorder)
        recorder.keep("end")
        asked.record.write_text(json.dumps(recorder.events), encoding="utf-8")
        return
    found = {f"{asked.panel:,} series": of_panel(asked.panel)} if asked.panel else {}
    for clock, name in enumerate(("processor", "clock")):
        before: list[dict[str, list[float]]] = []
        for path in asked.replay or ():
            events = json.loads(path.read_text(encoding="utf-8"))
            found[f"{path.stem}, {name}"], steps = replay(events, plan_of(before[-5:]), clock)
            before.append({step: list(took) for step, took in steps.items()})
    rows = [
        (name, f"{looks[-1][0]:,.0f}", *(f"{ratio(looks, percent / 100):.2f}" for percent in PERCENT))
        for name, looks in found.items()
    ]
    head = " | ".join(f"{percent} %" for percent in PERCENT)
    sys.stdout.write("\n".join(table(f"what | seconds | {head}", rows)) + "\n")


if __name__ == "__main__":
    main()

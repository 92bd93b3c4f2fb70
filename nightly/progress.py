"""One bar for a whole night: stages, and a time left learned from the last nights."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from core.log import get_logger

STAGES = ("reading", "forecasting", "warning and scoring", "asylum applications", "publishing")
"""Of a night, in their order; their seconds stand in its journal row."""
FIRST_GUESS = dict(zip(STAGES, (2.0, 60.0, 15.0, 20.0, 3.0), strict=True))
"""Seconds where no night has been made here yet; measured on two cores."""
_SLOWEST, _FASTEST = 3.0, 1 / 3
_TELLING = 0.05
"""Share of a part's units from which their speed tells something."""
_SECONDS_BETWEEN_LINES = 30.0


class NightProgress:
    """How far a night is. Called as a ``ProgressReport`` by its stages.

    Args:
        plan: Seconds by stage, as the last nights took.
        clock: Seconds of a clock that only goes forward.
    """

    def __init__(self, plan: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self._plan = {stage: max(plan.get(stage, FIRST_GUESS[stage]), 0.1) for stage in STAGES}
        self._clock = clock
        self._lock = threading.Lock()
        self.begin(STAGES[0])

    def begin(self, stage: str) -> None:
        """A stage begins; with the first one a new night does."""
        now = self._clock()
        with self._lock:
            if stage == STAGES[0]:
                self._night_begun = now
            self._stage, self._stage_begun = stage, now
            self._part, self._part_begun, self._done, self._total = "", now, 0, 0

    def __call__(self, part: str, done: int, total: int) -> None:
        """A part of the stage reports units done and units in all."""
        with self._lock:
            if part != self._part:
                self._part, self._part_begun = part, self._clock()
            self._done, self._total = done, total

    @property
    def words(self) -> str:
        """Stage and part: ``2/5 forecasting: Scoring past forecasts 40/152``."""
        with self._lock:
            units = f" {self._done}/{self._total}" if self._total > 1 else ""
            part = f": {self._part}{units}" if self._part else ""
            return f"{STAGES.index(self._stage) + 1}/{len(STAGES)} {self._stage}{part}"

    def seconds_left(self) -> float:
        """Seconds to the night's end: what is planned, at tonight's pace, or what the running part's units tell."""
        now = self._clock()
        with self._lock:
            place = STAGES.index(self._stage)
            planned = sum(self._plan[stage] for stage in STAGES[:place])
            spent = self._stage_begun - self._night_begun
            pace = min(max(spent / planned, _FASTEST), _SLOWEST) if planned > 1 else 1.0
            gone = now - self._stage_begun
            here = max(self._plan[self._stage] * pace - gone, 0.0)
            if self._total > 1 and self._done >= _TELLING * self._total:
                by_units = (now - self._part_begun) / self._done * (self._total - self._done)
                here = (here + by_units) / 2 if here else by_units
            pace = (spent + gone + here) / (planned + self._plan[self._stage])
            return here + pace * sum(self._plan[stage] for stage in STAGES[place + 1 :])

    def share(self) -> float:
        """Share of the night that is done, by time: 0 to 1."""
        left, gone = self.seconds_left(), self._clock() - self._night_begun
        return gone / (gone + left) if gone + left > 0 else 0.0


def plan_of(nights: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Seconds by stage to expect: the median of the last nights.

    Args:
        nights: Seconds by stage of each, as the journal keeps them.
    """
    return {
        stage: statistics.median(seconds)
        for stage in STAGES
        if (seconds := [night[stage] for night in nights if stage in night])
    }


@contextmanager
def night_progress(nights: Sequence[Mapping[str, float]]) -> Iterator[NightProgress]:
    """Show a night as it goes: one bar on a terminal, elsewhere a log line every 30 seconds at most."""
    progress, over = NightProgress(plan_of(nights)), threading.Event()
    is_terminal = sys.stderr.isatty()
    columns = (
        TextColumn("{task.description:<48.48}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), disable=not is_terminal) as bar:
        task = bar.add_task("", total=1.0, left="")

        def show() -> None:
            while not over.wait(1.0 if is_terminal else _SECONDS_BETWEEN_LINES):
                left = round(progress.seconds_left())
                if is_terminal:
                    words = f"about {left // 60}:{left % 60:02d} left"
                    bar.update(task, completed=progress.share(), description=progress.words, left=words)
                else:
                    get_logger().info(
                        "progress", stage=progress.words, share=round(progress.share(), 2), seconds_left=left
                    )

        thread = threading.Thread(target=show, name="vigie-progress", daemon=True)
        thread.start()
        try:
            yield progress
        finally:
            over.set()
            thread.join()

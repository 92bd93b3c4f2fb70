"""One bar for a whole night: stages, and a time left learned from the last nights and corrected by this one.

A night is a row of steps: each part that tells its units done, and the silence before and after it. The last nights
say what each step took and how many units it had; where there are none, ``first_night.json`` does. Steps that are over
tell how fast this machine is tonight and how much of the past is made anew; the running step's own units tell the rest.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from core.log import get_logger
from core.settings import Settings

STAGES = ("reading", "forecasting", "warning and scoring", "asylum applications", "hub", "publishing")
"""Of a night, in their order; their seconds stand in its journal row."""
_PRIOR = 0.005
"""Weight of the plan's own pace beside tonight's, as a share of the whole plan."""
_TRUSTED = 0.2
"""Share of a step's units from which they alone say what it takes."""
_OVERDUE = 2 / 3
"""Share of a silent step that counts as done where it takes longer than planned."""
_LATER = 0.05
"""Share of a home's first night's units that its second one makes anew."""
_WHOLE = "Forecasting the present"
"""The part that every night makes in full."""
_LEARNING = "Learning from all counts"
"""The part of the pooled model: where it is left out so is this."""
_ORIGINS = 60
"""Past origins of the recorded first night."""
_SECONDS_BETWEEN_LINES = 30.0


class Step(NamedTuple):
    """What a step took.

    Attributes:
        seconds: From its beginning to the next step's.
        units: How much it had to do, as it told; 0 where it told nothing.
    """

    seconds: float
    units: int = 0


Plan = Mapping[str, Step]
"""Steps by name, in their order: ``forecasting: Scoring past forecasts``."""


class NightProgress:
    """How far a night is. Called as a ``ProgressReport`` by its stages.

    Args:
        plan: Steps to expect; empty where no night has been made here yet.
        clock: Seconds of a clock that only goes forward.

    Attributes:
        steps: Tonight's steps that are over.
    """

    def __init__(self, plan: Plan, clock: Callable[[], float] = time.monotonic) -> None:
        self._plan = plan or first_night()
        self._whole = sum(step.seconds for step in self._plan.values())
        self._clock = clock
        self._lock = threading.RLock()
        self._total = self._done = self._first = 0
        self.begin(STAGES[0])

    def begin(self, stage: str) -> None:
        """A stage begins; with the first one a new night does."""
        with self._lock:
            if stage == STAGES[0]:
                self.steps: dict[str, Step] = {}
                self._night_begun = self._clock()
            else:
                self._end()
            self._stage, self._part = stage, ""
            self._start("")

    def __call__(self, part: str, done: int, total: int) -> None:
        """A part of the stage reports units done and units in all."""
        with self._lock:
            if part != self._part or total != self._total or done < self._done:
                self._end()
                self._part = part
                self._start(part, total, done)
            self._done = done
            if done >= total:
                self._end()
                self._start(f"after {part}")

    def _start(self, part: str, total: int = 0, done: int = 0) -> None:
        name = f"{self._stage}: {part}"
        again = sum(one == name or one.startswith(f"{name} (") for one in self.steps)
        self._key = f"{name} ({again + 1})" if again else name
        self._begun, self._total, self._done, self._first = self._clock(), total, done, done

    def _end(self) -> None:
        self.steps = self.until_now()

    def until_now(self) -> dict[str, Step]:
        """Tonight's steps, the running one as if it were over."""
        with self._lock:
            return self.steps | {self._key: Step(round(self._clock() - self._begun, 2), self._total)}

    @property
    def words(self) -> str:
        """Stage and part: ``2/6 forecasting: Scoring past forecasts 40/152``."""
        with self._lock:
            units = f" {self._done}/{self._total}" if self._total > 1 else ""
            part = f": {self._part}{units}" if self._part else ""
            return f"{STAGES.index(self._stage) + 1}/{len(STAGES)} {self._stage}{part}"

    def seconds_left(self) -> float:
        """Seconds to the night's end."""
        with self._lock:
            gone = self._clock() - self._begun
            over, later = self._divided()
            anew = self._anew(over)
            pace = self._pace(over, gone)
            here = _left_here(self._planned(self._key, self._total) * pace, gone, *self._units())
            return here + pace * sum(step.seconds * (anew if _is_kept(name, step) else 1.0) for name, step in later)

    def share(self) -> float:
        """Share of the night that is done, by time: 0 to 1."""
        left, gone = self.seconds_left(), self._clock() - self._night_begun
        return gone / (gone + left) if gone + left > 0 else 0.0

    def _units(self) -> tuple[int, int]:
        """Units done since the running step was first told of, and units it had to do then."""
        return self._done - self._first, self._total - self._first

    def _divided(self) -> tuple[dict[str, Step], list[tuple[str, Step]]]:
        """Steps of the plan that are over, running or left out tonight, and those that are still to come."""
        names = list(self._plan)
        stage = STAGES.index(self._stage)
        before = [
            place
            for place, name in enumerate(names)
            if name in self.steps or name == self._key or STAGES.index(name.partition(":")[0]) < stage
        ]
        border, steps = max(before, default=-1) + 1, list(self._plan.items())
        return dict(steps[:border]), steps[border:]

    def _anew(self, over: Plan) -> float:
        """How many of the plan's units are to be made tonight: more than 1 after a change of model or year."""
        planned = {name: step.units for name, step in over.items() if _is_kept(name, step)}
        tonight = {name: step.units for name, step in self.steps.items()} | {self._key: self._total}
        return (sum(tonight.get(name, 0) for name in planned) + 1) / (sum(planned.values()) + 1) if planned else 1.0

    def _planned(self, name: str, units: int) -> float:
        """Seconds of a step by the plan, for as many units as it has tonight."""
        step = self._plan.get(name, Step(0.0))
        return step.seconds * units / step.units if step.units > 1 and units > 0 else step.seconds

    def _pace(self, over: Plan, gone: float) -> float:
        """Tonight's seconds for one of the plan's, told by what does not wait for a network."""
        known = {name: step for name, step in self.steps.items() if name in over and not _waits(name)}
        prior = _PRIOR * self._whole
        spent = prior + sum(step.seconds for step in known.values())
        planned = prior + sum(self._planned(name, step.units) for name, step in known.items())
        if self._key in self._plan and not _waits(self._key):
            here, (done, total) = self._planned(self._key, self._total), self._units()
            if total > 1 and done > 0:
                spent, planned = spent + gone, planned + here * done / total
            elif gone * planned > here * spent:  # it takes longer than the plan says at this pace
                spent, planned = spent + gone, planned + here * _OVERDUE
        return spent / planned


def _is_kept(name: str, step: Step) -> bool:
    """Whether what a step makes is kept, so that a later night makes less of it."""
    return step.units > 1 and not _waits(name) and _WHOLE not in name


def _waits(name: str) -> bool:
    """Whether a step's time is a network's more than this machine's."""
    return "Asking publishers" in name


def _left_here(planned: float, gone: float, done: int, total: int) -> float:
    """Seconds left of the running step, by its plan and more and more by its units."""
    whole = planned if planned > gone else gone / _OVERDUE
    if total > 1 and done > 0:
        weight = min(done / total / _TRUSTED, 1.0)
        whole += weight * (gone * total / done - whole)
    return max(whole - gone, 0.0)


def plan_of(nights: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, Step]:
    """Steps to expect: those of the newest night, each with the median of its seconds and units.

    Args:
        nights: Steps of the last nights as the journal keeps them, the newest last; where there is but one, it was the
            home's first, and most of what it made is kept.
    """
    plan = {}
    for name in nights[-1] if nights else ():
        if len(nights) > 1 and _LEARNING in name:
            continue  # once a year
        seconds, units = zip(*(night[name] for night in nights if name in night), strict=True)
        # Of two, the lower: the other one made everything anew.
        plan[name] = Step(statistics.median_low(seconds), int(statistics.median_low(units)))
    if len(nights) > 1:
        return plan
    return {
        name: Step(step.seconds * _LATER, max(round(step.units * _LATER), 2)) if _is_kept(name, step) else step
        for name, step in plan.items()
    }


def first_night(origins: int = _ORIGINS, *, pooled: bool = True) -> dict[str, Step]:
    """Steps of a home's first night.

    Args:
        origins: The setting ``backtest_origins``.
        pooled: The setting ``pooled_model``.
    """
    text = Path(__file__).with_name("first_night.json").read_text(encoding="utf-8")
    steps = {name: Step(*values) for name, values in json.loads(text).items() if pooled or _LEARNING not in name}
    share = origins / _ORIGINS
    return {
        name: step._replace(seconds=step.seconds * share) if _is_kept(name, step) and _LEARNING not in name else step
        for name, step in steps.items()
    }


@contextmanager
def night_progress(nights: Sequence[Mapping[str, Sequence[float]]], settings: Settings) -> Iterator[NightProgress]:
    """Show a night as it goes: one bar on a terminal, elsewhere a log line every 30 seconds at most."""
    first = first_night(settings.backtest_origins, pooled=settings.pooled_model)
    progress, over = NightProgress(plan_of(nights) or first), threading.Event()
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

"""One bar for a whole night: stages, and a time left learned from the last nights and corrected by this one.

A night is a row of steps: each part that reports its units done, and the time before and after it. A plan says what
each takes and how many units it has, learned from the home's last nights of the same kind. Where a home has made none,
two recorded nights say it (``recorded_nights.json``: a home's first one, which makes all the past, and a later one), at
the pace of what this home has shown. Steps that are over tell how fast this machine is tonight and how much of the past
is made anew; the running step's own units tell the rest.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from core.log import get_logger
from core.settings import Settings
from store.status import night_steps

_WHOLE = ("Figures as known then", "Forecasting the present")
"""The parts that every night makes in full."""
_LEARNING = "Learning from all counts"
"""The part that fits the pooled model: in a home's first night, and in the first one of each later year."""
POOLED = "all counts"
"""In the name of every part of the pooled model: where it is left out so are these."""
_FITS_A_YEAR = 8
"""Fits of the pooled model for one year."""
_ORIGINS = 60
"""Past origins of the recorded nights."""


class Step(NamedTuple):
    """What a step took.

    Attributes:
        seconds: From its beginning to the next step's.
        units: How much it had to do, as reported; 0 where nothing was.
    """

    seconds: float
    units: int = 0


Plan = Mapping[str, Step]
"""Steps by name, in their order: ``forecasting: Scoring past forecasts``."""


def expected(home: Path, settings: Settings) -> dict[str, Step]:
    """Steps to expect of a home's next night: where what is kept is lost, as after a restore, it makes all anew."""
    nights = night_steps(home, settings.journal_url)
    pooled = settings.pooled_model and any(POOLED in name for night in nights[-1:] for name in night)
    anew = not all(any((home / folder).glob("*")) for folder in ["backtests", *(["fits"] if pooled else [])])
    return plan_of(nights, settings, anew=anew)


def plan_of(
    nights: Sequence[Mapping[str, Sequence[float]]], settings: Settings | None = None, *, anew: bool = False
) -> dict[str, Step]:
    """Steps to expect: those of the newest night of the same kind, each with the median of its seconds and units.

    Nights are brought to the newest one's pace first, so that one made under load counts by its shares alone.

    Args:
        nights: Steps of the last nights as the journal keeps them, the newest last. The oldest may be the home's first,
            which made all the past: only its pace is used.
        settings: The home's.
        anew: Nothing is kept of the past, so that all of it is made again.
    """
    whole, newest = recorded("first", settings), _steps(nights[-1]) if nights else {}
    if anew or not nights:
        return at_pace(whole, newest, whole if learns(newest) or len(nights) == 1 else recorded("later", settings))
    alike = [_steps(night) for night in nights[1:] if not learns(night)]
    if not alike:
        return at_pace(recorded("later", settings), newest, whole)
    paced = [at_pace(night, alike[-1], night) for night in alike]
    plan = {}
    for name in alike[-1]:
        seconds, units = zip(*(night[name] for night in paced if name in night), strict=True)
        # Of two, the lower: the other one had more to make anew.
        plan[name] = Step(statistics.median_low(seconds), int(statistics.median_low(units)))
    return plan


def _steps(night: Mapping[str, Sequence[float]]) -> dict[str, Step]:
    return {name: Step(seconds, int(units)) for name, (seconds, units) in night.items()}


def learns(night: Mapping[str, object]) -> bool:
    """Whether the pooled model is fitted in a night."""
    return any(_LEARNING in name for name in night)


def at_pace(plan: Plan, night: Plan, like: Plan) -> dict[str, Step]:
    """A plan at the pace that a night had beside another like it; as it is where they share too little."""
    shared = [name for name, step in like.items() if name in night and not waits(name) and not is_kept(name, step)]
    taken, planned = (sum(one[name].seconds for name in shared) for one in (night, like))
    pace = taken / planned if min(taken, planned) > 0 else 1.0
    return {name: step._replace(seconds=step.seconds * pace) for name, step in plan.items()}


def one_year(settings: Settings | None) -> dict[str, Step]:
    """What learning takes where all years but the newest one are kept."""
    fits, after = (f"forecasting: {one}{_LEARNING}" for one in ("", "after "))
    first = recorded("first", settings)
    if fits not in first:
        return {}
    seconds = first[fits].seconds * _FITS_A_YEAR / first[fits].units
    return {fits: Step(seconds, _FITS_A_YEAR), after: Step(first[after].seconds / 2)}


def recorded(night: str, settings: Settings | None) -> dict[str, Step]:
    """Steps of a recorded night, by a home's own origins and with the pooled model or without it."""
    text = Path(__file__).with_name("recorded_nights.json").read_text(encoding="utf-8")
    pooled, origins = (settings.pooled_model, settings.backtest_origins) if settings else (True, _ORIGINS)
    steps = {name: step for name, step in _steps(json.loads(text)[night]).items() if pooled or POOLED not in name}
    share = origins / _ORIGINS if night == "first" else 1.0
    return {
        name: step._replace(seconds=step.seconds * share) if is_kept(name, step) and POOLED not in name else step
        for name, step in steps.items()
    }


def is_kept(name: str, step: Step) -> bool:
    """Whether what a step makes is kept, so that a later night makes less of it."""
    return step.units > 1 and not waits(name) and not name.endswith(_WHOLE)


def waits(name: str) -> bool:
    """Whether a step's time is a network's more than this machine's."""
    return "Asking publishers" in name


STAGES = ("reading", "forecasting", "warning and scoring", "asylum applications", "hub", "publishing")
"""Of a night, in their order; their seconds stand in its journal row."""
_PRIOR = 0.002
"""Weight of the plan's own pace beside tonight's, as a share of the whole plan."""
_BLUR = 0.05
"""Seconds by which a step may differ for no reason."""
_TRUSTED = 0.2
"""Share of a step's units from which they alone say what it takes."""
_OVERDUE = 2 / 3
"""Share of a silent step that counts as done where it takes longer than planned."""
_SECONDS_BETWEEN_LINES = 30.0


class NightProgress:
    """How far a night is. Called as a ``ProgressReport`` by its stages.

    Args:
        plan: Steps to expect, as of :func:`plan_of`.
        settings: The home's; where one night follows upon another, the second one is planned by them.
        clock: Seconds of a clock that only goes forward.

    Attributes:
        steps: Tonight's steps that are over.
    """

    def __init__(
        self, plan: Plan, settings: Settings | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan, self._settings, self._clock = dict(plan), settings, clock
        self._lock = threading.RLock()
        self._total = self._done = self._first = 0
        self._stage, self.steps = "", dict[str, Step]()
        self.begin(STAGES[0])

    def begin(self, stage: str) -> None:
        """A stage begins; with the first one a new night does."""
        with self._lock:
            if stage == STAGES[0]:
                if self._stage == STAGES[-1]:
                    self._plan = plan_of([self.until_now()], self._settings)
                self._whole = sum(step.seconds for step in self._plan.values())
                self.steps = {}
                self._night_begun = self._clock()
            else:
                self._end()
            self._stage, self._part = stage, ""
            self._start("")

    def expect_learning(self) -> None:
        """Tonight the pooled model is fitted for one more year, which last night it was not."""
        with self._lock:
            if not learns(self._plan):
                year = at_pace(one_year(self._settings), self._plan, recorded("later", self._settings))
                near = [POOLED in name or name.endswith("Forecasting the present") for name in self._plan]
                place = len(near) - near[::-1].index(True) if any(near) else 0
                steps = list(self._plan.items())
                self._plan = dict([*steps[:place], *year.items(), *steps[place:]])
                self._whole = sum(step.seconds for step in self._plan.values())

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
            return here + pace * sum(step.seconds * (anew if is_kept(name, step) else 1.0) for name, step in later)

    def share(self) -> float:
        """Share of the night that is done, by time: 0 to 1."""
        left, gone = self.seconds_left(), self._clock() - self._night_begun
        return gone / (gone + left) if gone + left > 0 else 0.0

    def _units(self) -> tuple[int, int]:
        """Units done since the running step's first report, and units it had to do then."""
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
        planned = {name: step.units for name, step in over.items() if is_kept(name, step)}
        tonight = {name: step.units for name, step in self.steps.items()} | {self._key: self._total}
        return (sum(tonight.get(name, 0) for name in planned) + 1) / (sum(planned.values()) + 1) if planned else 1.0

    def _planned(self, name: str, units: int) -> float:
        """Seconds of a step by the plan, for as many units as it has tonight."""
        step = self._plan.get(name, Step(0.0))
        return step.seconds * units / step.units if step.units > 1 and units > 0 else step.seconds

    def _pace(self, over: Plan, gone: float) -> float:
        """Tonight's seconds for one of the plan's, by the steps that do not wait for a network.

        A mean of the steps' own, by their planned seconds and on the scale of logarithms: a short one that had much
        else to do, as where many figures are new, does not make the machine slow.
        """
        known = [
            (step.seconds, self._planned(name, step.units))
            for name, step in self.steps.items()
            if name in over and not waits(name)
        ]
        prior = _PRIOR * self._whole
        pace = _mean_pace(known, prior)
        if self._key in self._plan and not waits(self._key):
            here, (done, total) = self._planned(self._key, self._total), self._units()
            if total > 1 and done > 0:
                pace = _mean_pace([*known, (gone, here * done / total)], prior)
            elif gone > here * pace:  # it takes longer than the plan says at this pace
                pace = _mean_pace([*known, (gone, here * _OVERDUE)], prior)
        return pace


def _mean_pace(steps: Iterable[tuple[float, float]], prior: float) -> float:
    """Of steps' seconds and what was planned; without any it is 1."""
    weight, logs = prior, 0.0
    for taken, planned in steps:
        weight, logs = weight + planned, logs + planned * math.log((taken + _BLUR) / (planned + _BLUR))
    return math.exp(logs / weight) if weight > 0 else 1.0


def _left_here(planned: float, gone: float, done: int, total: int) -> float:
    """Seconds left of the running step, by its plan and more and more by its units."""
    whole = planned if planned > gone else gone / _OVERDUE
    if total > 1 and done > 0:
        weight = min(done / total / _TRUSTED, 1.0)
        whole += weight * (gone * total / done - whole)
    return max(whole - gone, 0.0)


@contextmanager
def night_progress(home: Path, settings: Settings) -> Iterator[NightProgress]:
    """Show a night as it goes: one bar on a terminal, elsewhere a log line every 30 seconds at most."""
    progress, over = NightProgress(expected(home, settings), settings), threading.Event()
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

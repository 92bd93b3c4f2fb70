"""The time left of a night is right within a factor of two after its first tenth, however fast the machine is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.time_left import ratio, replay
from core.log import announce
from core.settings import Settings
from nightly.progress import NightProgress, Step, expected, night_progress, plan_of
from tests.golden import check_golden

NIGHTS: dict[str, list[list[Any]]] = json.loads(
    Path(__file__).with_name("recorded_nights.json").read_text(encoding="utf-8")
)
"""What nights told, with seconds of the processor and of the clock of a machine that did much else: a home's first one,
two ordinary ones (``second``, ``third``) and one with a new year's first figures (``year``)."""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def steps(night: str, clock: int = 0) -> dict[str, list[float]]:
    """As the journal keeps them."""
    return {name: list(step) for name, step in replay(NIGHTS[night], plan_of([]), clock)[1].items()}


def uneven() -> dict[str, Step]:
    """A first night's plan whose steps took other shares of it."""
    planned = enumerate(plan_of([]).items())
    return {name: step._replace(seconds=step.seconds * (1.3, 0.8)[place % 2]) for place, (name, step) in planned}


CASES: dict[str, tuple[str, Callable[[], Mapping[str, Step]]]] = {
    "the first night": ("first", lambda: plan_of([])),
    "the first night, other shares": ("first", uneven),
    "the second night": ("second", lambda: plan_of([steps("first")])),
    "the third night": ("third", lambda: plan_of([steps("first"), steps("second")])),
    "a later night, one of the last under load": (
        "third", lambda: plan_of([steps("first"), steps("third"), steps("second", 1), steps("second")]),
    ),
    "a year's first night": ("year", lambda: plan_of([steps("first"), steps("second")])),
    "all anew after later nights": ("first", lambda: plan_of([steps("second"), steps("third")], anew=True)),
}  # fmt: skip


@pytest.mark.parametrize("slower", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("case", CASES)
def test_the_time_left_is_right_within_a_factor_of_two_from_the_first_tenth_on(case: str, slower: float) -> None:
    night, plan = CASES[case]
    looks, _steps = replay(NIGHTS[night], plan(), slower=slower)
    told = {percent: round(ratio(looks, percent / 100), 2) for percent in range(10, 91)}
    assert {percent: one for percent, one in told.items() if not 0.5 <= one <= 2.0} == {}


def test_plans_and_the_time_left_by_them_are_the_golden_ones() -> None:
    lines = []
    for case, (night, made) in CASES.items():
        plan = made()
        looks, _steps = replay(NIGHTS[night], plan)
        told = " ".join(f"{ratio(looks, percent / 100):.2f}" for percent in range(5, 100, 10))
        lines += [f"{case}: {sum(step.seconds for step in plan.values()):.1f} s: {told}"]
        lines += [f"  {name}: {step.seconds:.2f} s, {step.units}" for name, step in plan.items()]
    check_golden(Path(__file__).with_name("golden") / "time_left.txt", lines)


def test_under_a_load_that_lasts_a_first_night_is_told_as_well() -> None:
    looks, _steps = replay(NIGHTS["first"], plan_of([]), 1)
    told = {percent: round(ratio(looks, percent / 100), 2) for percent in range(10, 91)}
    assert {percent: one for percent, one in told.items() if not 0.5 <= one <= 2.0} == {}


def test_a_slow_network_does_not_make_the_machine_slow() -> None:
    clock = Clock()
    progress = NightProgress(plan_of([]), clock=clock)
    before = progress.seconds_left()
    progress("Asking publishers", 0, 15)
    for done in range(1, 16):
        clock.now += 30
        progress("Asking publishers", done, 15)
    progress.begin("forecasting")
    assert progress.seconds_left() <= before


def test_where_little_is_to_be_made_anew_little_time_is_left() -> None:
    clock = Clock()
    progress = NightProgress(plan_of([]), clock=clock)
    progress.begin("forecasting")
    whole = progress.seconds_left()
    progress("Scoring past forecasts", 1, 20)
    assert progress.seconds_left() < whole / 3


@pytest.mark.parametrize(("units", "least", "most"), [(10, 1.0, 1.0), (20, 1.5, 2.0), (None, 0.01, 0.2)])
def test_what_is_to_come_takes_as_much_more_or_less_as_had_to_be_made_before_it(
    units: int | None, least: float, most: float
) -> None:
    """Where a step made twice what was planned the next one may, where it made nothing next to nothing is left."""
    clock = Clock()
    progress = NightProgress({"reading: A": Step(10.0, 10), "forecasting: B": Step(100.0, 50)}, clock=clock)
    assert progress.seconds_left() == pytest.approx(110.0), "nothing is known yet, so the plan holds"
    if units:
        progress("A", 0, units)
        clock.now += units
        progress("A", units, units)
    progress.begin("forecasting")
    assert least <= progress.seconds_left() / 100.0 <= most


def test_a_first_night_is_planned_by_the_home_s_settings(tmp_path: Path) -> None:
    whole = expected(tmp_path, Settings())
    fewer = expected(tmp_path, Settings(backtest_origins=24, pooled_model=False))
    assert set(whole) - set(fewer) == {name for name in whole if "all counts" in name}
    past, present = "forecasting: Scoring past forecasts", "forecasting: Forecasting the present"
    assert fewer[past].seconds == pytest.approx(0.4 * whole[past].seconds)
    assert fewer[present] == whole[present]


def test_a_plan_is_the_median_of_the_last_nights_of_its_kind_at_the_newest_one_s_pace() -> None:
    first = {"reading: ": [9.0, 0], "forecasting: Learning from all counts": [90.0, 48]}
    nights = [first, {"reading: ": [8.0, 0], "hub: ": [16.0, 0]}, {"reading: ": [2.0, 0], "hub: ": [2.0, 0]}]
    planned = {name: round(step.seconds, 2) for name, step in plan_of(nights).items()}
    assert planned == {"reading: ": 1.33, "hub: ": 2.0}
    learned = plan_of([nights[1], first])  # a year's first one: what a later one takes is known from elsewhere
    assert not [name for name in learned if "Learning" in name]
    assert {name.partition(":")[0] for name in learned} >= {"forecasting", "publishing"}


def test_the_second_night_of_the_demonstration_is_planned_by_its_first() -> None:
    clock = Clock()
    progress = NightProgress(plan_of([]), clock=clock)
    whole = progress.seconds_left()
    clock.now += 40
    progress.begin("publishing")
    assert progress.words.startswith("6/6 publishing")
    progress.begin("reading")
    assert progress.share() == 0
    assert progress.seconds_left() < whole / 2


def test_only_a_part_that_has_several_units_is_told_with_their_number() -> None:
    progress = NightProgress(plan_of([]), clock=Clock())
    announce(progress, "Paths")
    assert progress.words == "1/6 reading: Paths"
    progress("Scoring past forecasts", 0, 2)
    assert progress.words == "1/6 reading: Scoring past forecasts 0/2"


def test_a_part_that_is_announced_runs_until_the_next_one_and_has_done_nothing_yet() -> None:
    clock, told = Clock(), list[tuple[int, int]]()
    announce(lambda _part, done, total: told.append((done, total)), "Alerts")
    assert told == [(0, 1)]
    progress = NightProgress(plan_of([]), clock=clock)
    announce(progress, "Figures and weeks")
    clock.now += 5
    announce(progress, "Alerts")
    clock.now += 3
    steps_so_far = progress.until_now()
    assert steps_so_far["reading: Figures and weeks"] == Step(5.0, 1)
    assert steps_so_far["reading: Alerts"] == Step(3.0, 1)


def test_a_terminal_is_told_minutes_and_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[str] = []
    seen = threading.Event()

    def update(_bar: object, _task: object, *, left: str, **_rest: object) -> None:
        told.append(left)
        seen.set()

    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("rich.progress.Progress.update", update)
    monkeypatch.setattr(NightProgress, "seconds_left", lambda _: 3_605.2)
    with night_progress(tmp_path, Settings()):
        assert seen.wait(10)
    assert told[0] == "about 60:05 left"


def test_a_part_that_was_never_told_of_before_has_done_nothing_when_it_begins() -> None:
    progress = NightProgress(plan_of([]), clock=Clock())
    progress("Learning from all counts", 3, 48)
    progress("Learning from all counts", 48, 48)
    assert progress._done == 0

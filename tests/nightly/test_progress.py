"""The time left of a night is right within a factor of two after its first tenth, however fast the machine is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nightly.progress import NightProgress, Step, first_night, plan_of

NIGHTS: dict[str, list[list[Any]]] = json.loads(
    Path(__file__).with_name("recorded_nights.json").read_text(encoding="utf-8")
)
"""What nights told, with their seconds: a home's first one, with much else to do, and the one a month later."""
START = {"reading: ": Step(1.0)}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def replay(
    night: str,
    plan: Mapping[str, Step],
    slower: float = 1.0,
    look: Callable[[float, NightProgress], None] = lambda _gone, _progress: None,
) -> dict[str, Step]:
    """Go through a recorded night on a machine so much slower, looking 200 times; returns its steps."""
    clock = Clock()
    progress, events = NightProgress(plan, clock), NIGHTS[night]
    whole = events[-1][0]
    looks = [(whole * number / 200, ["look"]) for number in range(1, 200)]
    for at, event in sorted([*looks, *((one[0], one[1:]) for one in events)], key=lambda pair: pair[0]):
        clock.now = 100 + slower * at
        if event[0] == "look":
            look(at / whole, progress)
        elif event[0] == "begin":
            progress.begin(event[1])
        elif event[0] != "end":
            progress(*event)
    return progress.steps


def recorded(*nights: str) -> dict[str, Step]:
    """What is expected after these nights."""
    return plan_of([{name: list(step) for name, step in replay(night, START).items()} for night in nights])


def uneven() -> dict[str, Step]:
    """A first night's plan whose steps took other shares of it."""
    steps = enumerate(first_night().items())
    return {name: step._replace(seconds=step.seconds * (1.3, 0.8)[place % 2]) for place, (name, step) in steps}


CASES: dict[str, tuple[str, Callable[[], Mapping[str, Step]]]] = {
    "the first night": ("first", dict),
    "the first night, other shares": ("first", uneven),
    "the second night": ("second", lambda: recorded("first")),
    "the third night": ("second", lambda: recorded("first", "second")),
    "any later night": ("second", lambda: recorded("first", "second", "second")),
}


@pytest.mark.parametrize("slower", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("case", CASES)
def test_the_time_left_is_right_within_a_factor_of_two_from_the_first_tenth_on(case: str, slower: float) -> None:
    night, plan = CASES[case]
    whole = slower * NIGHTS[night][-1][0]

    def look(gone: float, progress: NightProgress) -> None:
        # A home's second night knows only the first one, which made all the past: its last quarter is told less well.
        if 0.1 <= gone <= (0.7 if case == "the second night" else 0.85):
            assert 0.5 <= progress.seconds_left() / (whole * (1 - gone)) <= 2.0, (gone, progress.words)

    replay(night, plan(), slower, look)


def test_a_slow_network_does_not_make_the_machine_slow() -> None:
    clock = Clock()
    progress = NightProgress({}, clock)
    before = progress.seconds_left()
    progress("Asking publishers", 0, 15)
    for done in range(1, 16):
        clock.now += 30
        progress("Asking publishers", done, 15)
    progress.begin("forecasting")
    assert progress.seconds_left() <= before


def test_where_little_is_to_be_made_anew_little_time_is_left() -> None:
    clock = Clock()
    progress = NightProgress({}, clock)
    progress.begin("forecasting")
    whole = progress.seconds_left()
    progress("Scoring past forecasts", 1, 20)
    assert progress.seconds_left() < whole / 3


def test_a_first_night_is_planned_by_the_home_s_settings() -> None:
    whole, fewer = first_night(), first_night(24, pooled=False)
    assert set(whole) - set(fewer) == {name for name in whole if "Learning from all counts" in name}
    past, present = "forecasting: Scoring past forecasts", "forecasting: Forecasting the present"
    assert fewer[past].seconds == pytest.approx(0.4 * whole[past].seconds)
    assert fewer[present] == whole[present]


def test_a_plan_is_the_median_of_the_last_nights_and_a_new_night_begins_anew() -> None:
    nights = [{"reading: ": [1.0, 0]}, {"reading: ": [9.0, 0]}, {"reading: ": [2.0, 0], "hub: ": [1.0, 40]}]
    assert plan_of(nights) == {"reading: ": Step(2.0), "hub: ": Step(1.0, 40)}
    assert plan_of(nights[2:]) == {"reading: ": Step(2.0), "hub: ": Step(0.05, 2)}  # the second night makes little anew
    assert plan_of([]) == {}
    assert {name.partition(":")[0] for name in first_night()} >= {"forecasting", "publishing"}
    clock = Clock()
    progress = NightProgress({}, clock)
    clock.now += 40
    progress.begin("publishing")
    assert progress.words.startswith("6/6 publishing")
    progress.begin("reading")
    assert progress.share() == 0

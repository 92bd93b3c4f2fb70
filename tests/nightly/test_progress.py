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
from nightly.progress import (
    NightProgress,
    Step,
    at_pace,
    expected,
    is_kept,
    night_progress,
    one_year,
    plan_of,
    recorded,
    waits,
)
from tests.golden import check_golden

NIGHTS: dict[str, list[list[Any]]] = json.loads(
    Path(__file__).with_name("recorded_nights.json").read_text(encoding="utf-8")
)
"""What nights told, with seconds of the processor and of the clock of a machine that did much else: a home's first one,
two ordinary ones (``second``, ``third``) and one with a new year's first figures (``year``)."""


POOLED = Settings().model_copy(update={"pooled_model": True})
"""Tests leave the pooled model out where they do not ask for it."""


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
    whole = expected(tmp_path, POOLED)
    fewer = expected(tmp_path, POOLED.model_copy(update={"backtest_origins": 24, "pooled_model": False}))
    assert set(whole) - set(fewer) == {name for name in whole if "all counts" in name} != set()
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


def test_a_step_takes_as_much_more_as_it_has_more_units_than_planned_unless_the_plan_counted_only_one() -> None:
    for planned, units, seconds in ((2, 4, 20.0), (4, 2, 5.0), (1, 4, 10.0), (0, 4, 10.0)):
        progress = NightProgress({"reading: A": Step(10.0, planned)}, clock=Clock())
        progress("A", 0, units)
        assert progress.seconds_left() == pytest.approx(seconds), (planned, units)


def test_units_tell_the_pace_of_what_is_to_come_from_the_first_of_two_on() -> None:
    clock = Clock()
    progress = NightProgress({"reading: A": Step(100.0, 2), "forecasting: B": Step(100.0, 1)}, clock=clock)
    progress("A", 0, 2)
    clock.now += 10
    assert progress.seconds_left() == pytest.approx(190.0), "before any is done the plan holds"
    progress("A", 1, 2)
    assert progress.seconds_left() == pytest.approx(10.0 + 20.0, rel=0.03), "half of A took 10 s, a fifth of the plan"


def test_a_part_that_goes_on_where_a_former_night_left_off_is_told_by_the_units_done_tonight() -> None:
    clock = Clock()
    progress = NightProgress({"reading: A": Step(100.0, 10)}, clock=clock)
    progress("A", 8, 10)
    clock.now += 30
    progress("A", 9, 10)
    assert progress.seconds_left() == pytest.approx(30.0, rel=0.01), "one of two is done, and not nine of ten"


def test_a_silent_step_slows_the_night_only_from_its_planned_time_on() -> None:
    clock = Clock()
    progress = NightProgress({"reading: A": Step(10.0, 1), "forecasting: B": Step(100.0, 1)}, clock=clock)
    announce(progress, "A")
    for gone, left in ((0, 110), (5, 105), (9, 101), (10, 105)):  # from then on half of what is gone is left of it
        clock.now = 100.0 + gone
        assert progress.seconds_left() == pytest.approx(left)
    clock.now = 140.0
    assert 500 < progress.seconds_left() < 650, "four times its time: so will the rest take"


def test_what_waits_for_a_network_changes_no_pace_and_is_never_kept() -> None:
    assert waits("reading: Asking publishers")
    assert not waits("reading: Reading figures")
    assert not is_kept("reading: Asking publishers", Step(1.0, 15))
    clock = Clock()
    plan = {"reading: Asking publishers": Step(10.0, 1), "forecasting: B": Step(100.0, 1)}
    progress = NightProgress(plan, clock=clock)
    announce(progress, "Asking publishers")
    clock.now += 500
    assert progress.seconds_left() == pytest.approx(100.0 + 250.0), "half of what is gone, and B as planned"


def test_only_what_has_several_units_and_is_not_made_whole_every_night_is_kept() -> None:
    past = "forecasting: Scoring past forecasts"
    assert [is_kept(past, Step(1.0, units)) for units in (0, 1, 2)] == [False, False, True]
    for whole in ("reading: Figures as known then", "forecasting: Forecasting the present"):
        assert not is_kept(whole, Step(1.0, 9))


def test_the_share_of_a_night_is_by_time_and_nothing_where_there_is_no_plan() -> None:
    clock = Clock()
    progress = NightProgress({"reading: ": Step(50.0), "forecasting: ": Step(150.0)}, clock=clock)
    assert progress.share() == 0.0
    clock.now += 40
    assert progress.share() == pytest.approx(0.2)
    clock.now += 10
    progress.begin("forecasting")
    clock.now += 75
    assert progress.share() == pytest.approx(0.625)
    assert NightProgress({}, clock=Clock()).share() == 0.0


def test_a_part_that_is_done_again_is_a_step_of_its_own_with_a_number() -> None:
    clock = Clock()
    progress = NightProgress({}, clock=clock)
    for seconds in (1, 2, 3):
        progress("A", 0, 5)
        clock.now += seconds
        progress("A", 5, 5)
    told = {name: step for name, step in progress.until_now().items() if "after" not in name and "A" in name}
    assert told == {"reading: A": Step(1.0, 5), "reading: A (2)": Step(2.0, 5), "reading: A (3)": Step(3.0, 5)}


def test_fewer_done_than_before_or_another_number_in_all_begins_the_part_anew() -> None:
    progress = NightProgress({}, clock=Clock())
    for done, total in ((0, 9), (4, 9), (4, 9), (1, 9), (1, 8)):
        progress("A", done, total)
    assert [name for name in progress.until_now() if "A" in name] == [
        "reading: A", "reading: A (2)", "reading: A (3)",
    ]  # fmt: skip
    assert progress.words == "1/6 reading: A 1/8"


def test_what_a_stage_left_out_is_not_waited_for_in_a_later_one() -> None:
    plan = {"reading: A": Step(40.0), "forecasting: B": Step(2.0), "hub: C": Step(1.0)}
    progress = NightProgress(plan, clock=Clock())
    progress.begin("hub")
    assert progress.seconds_left() == pytest.approx(1.0)


def test_a_plan_goes_at_the_pace_at_which_a_night_took_what_both_do_whole() -> None:
    plan, past = {"hub: ": Step(8.0, 3)}, Step(90.0, 9)
    like = {"reading: ": Step(10.0), "hub: ": Step(10.0), "forecasting: Scoring past forecasts": past}
    night = {"reading: ": Step(5.0), "forecasting: Scoring past forecasts": Step(900.0, 9)}
    assert at_pace(plan, night, like) == {"hub: ": Step(4.0, 3)}, "what is kept tells no pace"
    assert at_pace(plan, {}, like) == plan
    assert at_pace(plan, {"reading: ": Step(0.0)}, like) == plan, "what took no time tells none"


def test_learning_of_one_more_year_stands_behind_the_last_part_of_the_pooled_model_in_the_plan() -> None:
    present, wanted = (
        "forecasting: Forecasting the present",
        ["Learning from all counts", "after Learning from all counts"],
    )
    for before in ([present], [present, "forecasting: Scoring all counts"]):
        progress = NightProgress({name: Step(10.0) for name in ("reading: ", *before, "hub: ")}, clock=Clock())
        for _ in range(2):  # told again, it is planned once
            progress.expect_learning()
            names = list(progress._plan)
            assert names == ["reading: ", *before, *(f"forecasting: {one}" for one in wanted), "hub: "]
        assert progress.seconds_left() == pytest.approx(sum(step.seconds for step in progress._plan.values()))
    bare = NightProgress({"hub: ": Step(1.0)}, clock=Clock())
    bare.expect_learning()
    assert list(bare._plan)[-1] == "hub: ", "where nothing of it is planned it comes first"


def test_a_year_s_learning_is_eight_of_the_first_night_s_fits_and_half_of_what_follows_them() -> None:
    first, year = recorded("first", None), one_year(None)
    fits, after = (f"forecasting: {one}Learning from all counts" for one in ("", "after "))
    assert year[fits].seconds == pytest.approx(8 * first[fits].seconds / first[fits].units)
    assert year[after].seconds == pytest.approx(first[after].seconds / 2)
    assert (year[fits].units, year[after].units) == (8, 0)
    assert one_year(POOLED.model_copy(update={"pooled_model": False})) == {}


def test_a_home_that_lost_what_it_kept_is_planned_as_if_it_were_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = {name: [step.seconds, step.units] for name, step in recorded("later", None).items()}
    past = "forecasting: Scoring past forecasts"
    anew, known = (recorded(night, None)[past].units for night in ("first", "later"))

    def planned(night: dict[str, list[float]]) -> int:
        monkeypatch.setattr("nightly.progress.night_steps", lambda *_: [night, night])
        return expected(tmp_path, POOLED)[past].units

    for folder, units in (("", anew), ("backtests", anew), ("fits", known)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "file").touch()
        assert planned(later) == units, folder
    (tmp_path / "fits" / "file").unlink()
    assert planned(later) == anew
    assert planned({name: step for name, step in later.items() if "all counts" not in name}) == known, "it had no fits"

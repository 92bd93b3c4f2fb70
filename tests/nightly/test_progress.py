"""The time left of a night is right within a factor of two after its first tenth, and learned from the last nights."""

from __future__ import annotations

import pytest

from nightly.progress import STAGES, NightProgress, plan_of

LAST = dict(zip(STAGES, (1.0, 25.0, 9.0, 12.0, 1.5), strict=True))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("slower", [0.6, 1.0, 1.8])
@pytest.mark.parametrize("known", [True, False])
def test_the_time_left_is_right_within_a_factor_of_two_from_the_first_tenth_on(slower: float, *, known: bool) -> None:
    clock, step = Clock(), 0.25
    progress = NightProgress(LAST if known else {}, clock)
    whole = slower * sum(LAST.values())
    for stage in STAGES:
        progress.begin(stage)
        seconds, begun = slower * LAST[stage], clock.now
        while clock.now < begun + seconds:
            clock.now += step
            if stage == "forecasting":
                progress("Scoring past forecasts", int(152 * min((clock.now - begun) / seconds, 1)), 152)
            gone = clock.now - 100
            if known and whole / 10 <= gone <= 0.9 * whole:
                assert 0.5 <= progress.seconds_left() / (whole - gone) <= 2.0, (stage, gone)
    assert progress.share() > 0.8


def test_a_plan_is_the_median_of_the_last_nights_and_a_new_night_begins_anew() -> None:
    assert plan_of([{"reading": 1.0}, {"reading": 9.0}, {"reading": 2.0}]) == {"reading": 2.0}
    clock = Clock()
    progress = NightProgress(LAST, clock)
    clock.now += 40
    progress.begin("publishing")
    assert progress.words.startswith("5/5 publishing")
    progress.begin("reading")
    assert progress.share() == 0

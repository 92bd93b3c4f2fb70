"""What a night says of itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.errors import Message
from nightly.forecasts import ForecastSet
from nightly.run_report import CUT_OFF_SOURCE, StageTimer, _cut_off, left_out


def test_stage_timer_times_stages_and_reports_them_with_their_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("nightly.run_report.time.monotonic", lambda: now[0])
    reported: list[tuple[str, int, int]] = []
    notes: list[Mapping[str, Any]] = []
    timer = StageTimer(dt.date(2025, 1, 31), lambda *step: reported.append(step), notes.append)
    timer._begun = 100.0
    for name, seconds in (("reading", 1.234), ("hub", 2.0)):
        with timer.stage(name):
            now[0] += seconds
            timer.report("Figures", 3, 4)
            timer.report("Figures", 4, 4)  # too soon for a note
        now[0] += 1.0
    whole = "Night as known on 2025-01-31"
    assert reported[:6] == [
        (whole, 0, 7), ("reading", 0, 1), ("reading: Figures", 3, 4), ("reading: Figures", 4, 4), (whole, 1, 7),
        (whole, 1, 7),
    ]  # fmt: skip
    assert [(note["stage"], note["stages_done"], note["step"], note["done"]) for note in notes] == [
        ("reading", 0, "", 0), ("reading", 0, "Figures", 3), ("hub", 5, "", 0), ("hub", 5, "Figures", 3),
    ]  # fmt: skip
    assert timer.seconds() == {"reading": 1.23, "hub": 2.0, "in all": 5.23}


def test_a_member_that_was_cut_off_is_told_with_why_in_words_that_can_be_translated() -> None:
    reasons = ["cut off after 120 s", "cut off: it needs more memory than is allowed", "something else"]
    cut_off = [{"model_id": "vigie-ets", "series_id": f"s{place}", "reason": one} for place, one in enumerate(reasons)]
    told = left_out(cast(ForecastSet, SimpleNamespace(cut_off=cut_off)), 120.0)
    assert [one["reason"] for one in told] == [
        f"vigie-ets is left out for s{place}: {reason}" for place, reason in enumerate(reasons)
    ]
    assert {one["source_id"] for one in told} == {CUT_OFF_SOURCE}
    assert [one["series_id"] for one in told] == ["s0", "s1", "s2"]
    # What the engine says is known by its text: a template, its parameters beside it, is what others translate.
    assert [str(_cut_off(reason, 120.0)) for reason in reasons] == reasons
    assert _cut_off(reasons[0], 120.0) != Message(reasons[0])
    assert _cut_off(reasons[2], 120.0) == Message(reasons[2])

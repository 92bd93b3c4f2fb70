"""What a night says of itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from nightly.run_report import StageTimer


def test_stage_timer_reports_stages_and_steps(monkeypatch: pytest.MonkeyPatch) -> None:
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
        ("reading", 0, "", 0), ("reading", 0, "Figures", 3), ("hub", 3, "", 0), ("hub", 3, "Figures", 3),
    ]  # fmt: skip
    assert timer.seconds() == {"reading": 1.23, "hub": 2.0, "in all": 5.23}

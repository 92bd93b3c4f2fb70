"""Sentences on the next weeks and their skill."""

from __future__ import annotations

import pandas as pd
import pytest

from core.languages import Language
from forecasting.verification.verdict import BETTER, NO_EVIDENCE
from reports.route import WeekView, week_record

ENGLISH = Language("en")


def view(better: list[bool]) -> WeekView:
    sundays = pd.date_range("2025-02-02", periods=8, freq="7D")
    ahead = pd.DataFrame({"target_end_date": sundays, "last_day": pd.Timestamp("2025-01-30"), "so_far": 0.0})
    ahead = ahead.assign(q10=10.0, q25=50.0, q50=[90.0, *[200.0] * 7], q75=300.0, q90=400.0)
    scores = pd.DataFrame({
        "horizon": range(1, len(better) + 1), "relative_wis": 0.7, "coverage_80": 0.8, "n": 200,
        "verdict": [BETTER if one else NO_EVIDENCE for one in better],
    })  # fmt: skip
    return WeekView("arrivals.CHA.GBR._T.W", pd.DataFrame(), ahead, scores, partial=False)


@pytest.mark.parametrize(
    ("better", "words"),
    [
        ([], "No record yet"),
        ([False, True], "No evidence"),
        ([True, True, False, True], "up to 2 weeks ahead. No evidence beyond."),
        ([True] * 8, "up to 8 weeks ahead. Its error was 0.70"),
    ],
)
def test_skill_is_claimed_only_as_far_as_every_week_shows_it(better: list[bool], words: str) -> None:
    assert words in week_record(view(better), ENGLISH)

"""Sentences on the next weeks and their skill."""

from __future__ import annotations

import pandas as pd
import pytest

from core.languages import Language
from core.release import WEEK_SCORES
from forecasting.verification.verdict import BETTER, NO_EVIDENCE
from reports.route import WeekView, week_place, week_record, week_title, week_view

ENGLISH = Language("en")


LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9]


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
        ([False, True], "Not proven to beat"),
        ([True, True, False, True], "up to 2 weeks ahead. Not proven beyond."),
        ([True] * 8, "up to 8 weeks ahead. Its error was 0.70"),
    ],
)
def test_skill_is_claimed_only_as_far_as_every_week_shows_it(better: list[bool], words: str) -> None:
    assert words in week_record(view(better), ENGLISH)


@pytest.mark.parametrize("month", [310.0, 400.0])
def test_surplus_of_months_is_stated(month: float) -> None:
    days = pd.DataFrame({"time_period": pd.date_range("2024-10-01", "2025-01-26").strftime("%Y-%m-%d")})
    days = days.assign(series_id="arrivals.CHA.GBR._T.D", obs_value=10.0, obs_flag="A")
    months = pd.DataFrame({"time_period": ["2024-10", "2024-12"], "obs_value": [310.0, month], "obs_flag": "A"})
    observations = pd.concat([days, months.assign(series_id="arrivals.CHA._T._T.M")])
    row = {"route_id": "CHA", "series_id": "arrivals.CHA.GBR._T.W", "target_end_date": pd.Timestamp("2025-02-02")}
    last = {"output_type_id": LEVELS, "last_day": pd.Timestamp("2025-01-26"), "so_far": 0.0, "value": 90.0}
    found = week_view(pd.DataFrame(row | last), WEEK_SCORES.empty(), observations, "CHA")
    assert found is not None
    assert found.partial == (month > 310)
    assert ("United Kingdom alone" in week_place(found, pd.DataFrame(), ENGLISH)) == found.partial
    assert week_title(found, ENGLISH).startswith("Part of this route, by week: United Kingdom, ") == found.partial

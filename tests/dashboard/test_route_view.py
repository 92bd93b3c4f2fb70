"""How far a forecast beats the baseline, and which months are shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard import reads, route_view
from dashboard.charts.bars import week_alt, week_chart, week_key
from dashboard.theme import LIGHT
from reports import numbers
from tests.golden import check_golden

from .conftest import AS_OF, alert, publish, usual_frames
from .shown import drawn
from .test_pages import GOLDEN

EMR = "arrivals.EMR._T._T.M"


@pytest.mark.slow
def test_chance_of_any_month_uses_joint_paths() -> None:
    ends, paths = numbers.window_ends(AS_OF), usual_frames(None)["trajectories"]
    one, all_three = (numbers.chance_of_any(paths, "arrivals.EMR._T._T.M", some, 1500.0) for some in (ends[:1], ends))
    assert one is not None and all_three is not None and 0 < one <= all_three <= 1
    assert numbers.chance_of_any(paths, "arrivals.EMR._T._T.M", [*ends, pd.Timestamp("2031-01-31")], 1500.0) is None


def test_what_merely_informs_colours_no_route_and_opens_no_page(home: Path) -> None:
    context = alert("information", "CMR", rule="origin_context", probability=np.nan, threshold=np.nan)
    publish(home, alerts=pd.DataFrame([context, alert("watch", "WAR")]))
    night, view = reads.nights()[0], route_view.build(reads.nights()[0], "CMR", "", 12, None)
    assert view.alert is None and "first threshold" in route_view.threshold_origin(view)
    assert route_view.build(night, "WAR", "", 12, None).alert is not None
    assert route_view.routes_of(night)[1] == "WAR"


def test_route_begins_with_event_of_open_alert(home: Path) -> None:
    past = alert("warning", "EMR", rule="outside_95", threshold=2410.0)
    publish(home, alerts=pd.DataFrame([past, alert("watch", "EMR", rule="fall", threshold=2293.5)]))
    night, view = reads.nights()[0], route_view.build(reads.nights()[0], "EMR", "", 12, None)
    shares = (numbers.route_paths(night.frame("trajectories"), "EMR").round() <= 2293).mean()
    chances = view.chances.set_index("target_end_date")["probability"]
    assert (view.rule, view.threshold) == ("fall", 2293) and chances[shares.index].tolist() == shares.tolist()
    assert "open alert" in route_view.threshold_origin(view)
    assert route_view.with_number(view, 2293).rule == numbers.PASSES
    assert route_view.usual_event([], pd.DataFrame({"obs_value": [1000.3] * 12})) == ("surge", 1501)


def test_weeks_chart_is_golden() -> None:
    ends = pd.date_range("2024-11-03", periods=13, freq="W")
    counted = pd.DataFrame({"target_end_date": ends[:8], "value": [100.0 + 20 * place for place in range(8)]})
    ahead = pd.DataFrame(
        {"target_end_date": ends[8:], "so_far": [60.0, 0.0, 0.0, 0.0, 0.0]}
        | {f"q{level}": [level * (3.0 + place / 4) for place in range(5)] for level in (10, 25, 50, 75, 90)}
    )
    ahead["last_day"] = pd.Timestamp("2024-12-26")
    said = week_key(LIGHT)
    lines = [*drawn(week_chart(counted, ahead, theme=LIGHT).to_json()), week_alt(ahead), said]
    check_golden(GOLDEN / "weeks.txt", lines)

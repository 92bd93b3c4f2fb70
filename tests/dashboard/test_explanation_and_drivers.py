"""What moved a forecast, and whether drivers help, as the pages say it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dashboard import evaluation_view, route_models
from dashboard.charts.bars import STEP, TOTAL
from store.releases import About, ReleaseStore

from .conftest import AS_OF, make_driver_tests, make_frames
from .test_pages import visit, words


def chain(route: str = "CMR") -> pd.DataFrame:
    rows = make_frames()["explanations"]
    own = rows[rows["series_id"].str.contains(route) & (rows["horizon"] == 3)]
    return own.sort_values("link", ignore_index=True)


@pytest.mark.usefixtures("release")
def test_route_page_says_what_moved_forecast() -> None:
    said = words(visit("route", route="CMR"))
    assert "a month ago" in said
    assert "This difference changed the forecast by +180; +120 of it lasts through all months ahead" in said
    assert "expected a month before" in said


def test_day_counts_are_left_out_of_former_forecast(home: Path) -> None:
    day = pd.Timestamp("2025-01-30")
    by_day = pd.DataFrame(
        {
            "model_id": "vigie-nowcast", "series_id": "arrivals.CHA._T._T.M", "route_id": "CHA", "as_of": day,
            "origin_date": pd.Timestamp("2024-12-31"), "target_end_date": pd.Timestamp("2025-01-31"), "last_day": day,
            "so_far": 400.0, "output_type": "quantile", "output_type_id": [0.1, 0.5, 0.9],
            "value": [400.0, 500.0, 600.0], "unsharpened": 700.0, "relative_wis": 1.1, "n": 24, "used": False,
        }
    )  # fmt: skip
    about = About(AS_OF, "0.1.0", {}, {"snapshot": "0" * 64}, [], replay=True)
    ReleaseStore(home).publish(make_frames() | {"nowcasts": by_day}, {"sources.json": "{}"}, about)
    without = "What was expected a month ago is told without the daily counts known then."
    assert [without in words(visit("route", route=route)) for route in ("CHA", "WMR")] == [True, False]


@pytest.mark.usefixtures("release")
def test_at_past_origin_nothing_is_explained() -> None:
    assert "Nothing to compare" in words(visit("route", route="CMR", origin="2023-06-30"))


def test_steps_drawn_lead_from_former_forecast_to_this_one() -> None:
    steps = route_models.steps(chain())
    assert list(steps["kind"]) == [TOTAL, *[STEP] * (len(steps) - 2), TOTAL]
    moved = steps.loc[steps["kind"] == STEP, "change"].sum()
    assert steps["value"].iloc[0] + moved == pytest.approx(steps["value"].iloc[-1])
    assert len(steps) == 7  # the three steps of nothing are left out


@pytest.mark.usefixtures("release")
def test_evaluation_page_names_origin_of_driver_tests() -> None:
    said = words(visit("evaluation", "evaluation_drivers", part="drivers"))
    assert "No evidence for any of the 2 tested" in said
    assert "Made on 25 November 2026" in said
    assert "January 2018 to March 2025" in said


def test_driver_that_helps_is_named_in_title() -> None:
    rows = make_driver_tests().query("series_id == '_T'").copy()
    rows.loc[rows["driver"] == "el_nino", "verdict"] = "evidence"
    assert (
        evaluation_view.drivers_title(rows)
        == "Do drivers help? Evidence for El Niño index (NOAA); none for the others of 2 tested"
    )


@pytest.mark.parametrize(
    ("former", "now", "said"),
    [
        (100.0, 120.0, "120 expected; a month ago 100 for "),
        (120.0, 100.0, "100 expected, down from 120 a month ago for "),
        (100.0, 100.4, "100 expected, as many as a month ago for "),
    ],
)
def test_title_compares_with_month_before(former: float, now: float, said: str) -> None:
    rows = chain().iloc[[0, -1]].assign(value=[former, now])
    assert said in route_models.moved_title(rows)

"""What moved a forecast, and whether drivers help, as the pages say it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.release import DRIVER_TESTS, EXPLANATIONS
from core.schema import check
from dashboard import evaluation_view, route_models
from dashboard.charts.bars import STEP, TOTAL, steps_alt, steps_chart
from dashboard.theme import LIGHT
from store.releases import About, ReleaseStore

from .conftest import AS_OF, make_driver_tests, make_frames
from .test_pages import visit, words


def chain(route: str = "CMR") -> pd.DataFrame:
    rows = make_frames()["explanations"]
    own = rows[rows["series_id"].str.contains(route) & (rows["horizon"] == 3)]
    return own.sort_values("link", ignore_index=True)


def test_the_miniature_frames_keep_their_contracts() -> None:
    assert len(check(make_frames()["explanations"], EXPLANATIONS))
    assert len(check(make_driver_tests(), DRIVER_TESTS))


@pytest.mark.usefixtures("release")
def test_the_route_page_says_what_moved_its_forecast_in_words_and_numbers() -> None:
    said = words(visit("route", route="CMR"))
    assert "a month ago" in said
    assert "This difference changed the forecast by +180; +120 of it lasts through all months ahead" in said
    assert "expected a month before" in said


def test_where_days_are_counted_the_page_says_that_the_former_forecast_stands_without_them(home: Path) -> None:
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
def test_at_a_past_origin_nothing_is_explained() -> None:
    assert "Nothing to compare" in words(visit("route", route="CMR", origin="2023-06-30"))


def test_a_release_without_explanations_says_so(home: Path) -> None:
    frames = {name: frame for name, frame in make_frames().items() if name not in ("explanations", "driver_tests")}
    about = About(AS_OF, "0.1.0", {}, {"snapshot": "0" * 64}, [], replay=True)
    ReleaseStore(home).publish(frames, {"sources.json": "{}"}, about)
    assert "Nothing to compare" in words(visit("route", route="CMR"))
    assert "No test of drivers in this release" in words(visit("evaluation", part="drivers"))


def test_the_steps_drawn_lead_from_the_former_forecast_to_this_one() -> None:
    steps = route_models.steps(chain())
    assert list(steps["kind"]) == [TOTAL, *[STEP] * (len(steps) - 2), TOTAL]
    moved = steps.loc[steps["kind"] == STEP, "change"].sum()
    assert steps["value"].iloc[0] + moved == pytest.approx(steps["value"].iloc[-1])
    assert len(steps) == 7  # the three steps of nothing are left out


def test_the_steps_of_a_few_persons_meet_too() -> None:
    values = [1.0, 1.3, 1.3, 1.3, 2.4, 2.4, 2.4, 2.0]
    rows = chain().head(len(values)).assign(value=values, change=np.diff(values, prepend=values[0]))
    steps = route_models.steps(rows)
    assert list(steps["value"]) == [1.0, 1.3, 2.4, 2.0, 2.0]
    begins = steps["value"] - steps["change"]
    np.testing.assert_allclose(begins[1:-1], steps["value"][:-2])


def test_every_step_is_a_bar_from_the_number_before_to_the_number_after() -> None:
    steps = route_models.steps(chain())
    figure = steps_chart(steps, unit="Arrivals", theme=LIGHT)
    ends = [(bar.base[0], bar.base[0] + bar.x[0]) for bar in figure.data]
    assert [end for _begin, end in ends] == pytest.approx(list(steps["value"]))
    assert [begin for begin, _end in ends[1:-1]] == pytest.approx(list(steps["value"].iloc[:-2]))
    assert "+120" in steps_alt(steps)


@pytest.mark.usefixtures("release")
def test_the_evaluation_page_says_that_no_driver_is_known_to_help_and_where_that_comes_from() -> None:
    said = words(visit("evaluation", "evaluation_drivers", part="drivers"))
    assert "No evidence for any of the 2 tested" in said
    assert "Made on 25 November 2026" in said
    assert "January 2018 to March 2025" in said


@pytest.mark.usefixtures("release")
def test_the_tests_of_drivers_can_be_read_for_one_route() -> None:
    app: AppTest = visit("evaluation", part="drivers", driver_rows="CMR")
    assert any("Central Mediterranean" in str(box.value) or box.value == "CMR" for box in app.selectbox)


def test_a_driver_that_helps_is_named_in_the_title() -> None:
    rows = make_driver_tests().query("series_id == '_T'").copy()
    rows.loc[rows["driver"] == "el_nino", "verdict"] = "evidence"
    assert (
        evaluation_view.drivers_title(rows)
        == "Do drivers help? Evidence for El Niño index (NOAA); none for the others of 2 tested"
    )


def test_a_placebo_that_was_not_needed_is_a_dash_and_not_a_number() -> None:
    table = evaluation_view.drivers_table(make_driver_tests().query("series_id == '_T'"))
    assert set(table["Over the late one"]) == {"–"}
    assert set(table["Over no driver"]) == {"1.012 (0.991–1.034)"}
    assert set(table["Finding"]) == {"no evidence"}


@pytest.mark.parametrize(
    ("expected", "before", "said"),
    [
        (110.0, 100.0, "2025 is expected close to 2024"),
        (111.0, 100.0, "2025 is expected above 2024"),
        (90.0, 100.0, "2025 is expected close to 2024"),
        (89.0, 100.0, "2025 is expected below 2024"),
        (5.0, 0.0, "2025 beside earlier years"),
        (5.0, 1.0, "2025 is expected above 2024"),
    ],
)
def test_a_year_is_close_to_the_last_one_within_a_tenth(expected: float, before: float, said: str) -> None:
    assert route_models.season_words(expected, before, True, 2025) == said  # its one way to be called
    assert route_models.season_words(expected, before, False, 2025) == "2025 beside earlier years"  # as above


@pytest.mark.parametrize(
    ("months", "year"), [(("2024-07", 12), 2024), (("2024-08", 12), 2025), (("2024-06", 12), 2024)]
)
def test_the_year_looked_at_is_that_of_most_months_and_of_two_the_earlier(months: tuple[str, int], year: int) -> None:
    first, count = months
    assert route_models.looked_at(pd.date_range(first, periods=count, freq="ME")) == year


def test_seasons_begin_with_the_first_year_that_is_compared_and_end_with_the_forecast() -> None:
    history = pd.DataFrame({"end_date": pd.to_datetime(["2016-12-31", "2017-01-31"]), "obs_value": [1.0, 2.0]})
    median = pd.Series([3.0], index=pd.to_datetime(["2017-02-28"]))
    assert route_models.by_year(history, median).to_numpy().tolist() == [
        ["2017-01", "observed", 2.0], ["2017-02", "median forecast", 3.0],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("former", "now", "said"),
    [
        (100.0, 120.0, "120 expected; a month ago 100 for "),
        (120.0, 100.0, "100 expected, down from 120 a month ago for "),
        (100.0, 100.4, "100 expected, as many as a month ago for "),
    ],
)
def test_the_title_tells_whether_more_fewer_or_as_many_are_expected_as_a_month_ago(
    former: float, now: float, said: str
) -> None:
    rows = chain().iloc[[0, -1]].assign(value=[former, now])
    assert said in route_models.moved_title(rows)


@pytest.mark.parametrize(
    ("change", "highest", "is_drawn"),
    [(0.5, 1000.0, True), (0.49, 1000.0, False), (-0.5, 1000.0, True), (0.2, 10.0, True), (0.19, 10.0, False)],
)
def test_a_step_is_drawn_from_half_a_person_or_a_fiftieth_of_the_longest_bar_on(
    change: float,
    highest: float,
    is_drawn: bool,  # noqa: FBT001  # a case
) -> None:
    rows = chain().iloc[:3].assign(value=highest, change=[highest, change, 0.0])
    assert len(route_models.steps(rows)) == 2 + is_drawn

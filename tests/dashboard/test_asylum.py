"""The page on asylum applications: by destination, by citizenship, and what is missing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Literal, cast

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from core.calendar import to_period, write_period
from core.languages import Language
from dashboard import asylum_view, lang
from dashboard.charts.fan import Fan, fan_chart
from dashboard.reads import Night
from dashboard.theme import LIGHT
from reports import asylum, numbers

from .asylum_frames import asylum_frames
from .conftest import AS_OF, publish
from .test_pages import visit, words

QUARTERLY = "asylum_applications_first.Q"


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return asylum_frames(pd.Timestamp(AS_OF))


def test_only_kinds_with_a_forecast_are_offered(frames: dict[str, pd.DataFrame]) -> None:
    series = frames["asylum_series"].iloc[::-1]
    assert asylum_view.kinds(series) == [QUARTERLY]
    assert len(asylum_view.kinds(series.assign(state="too_old"))) == 2


def test_destinations_are_ordered_by_their_newest_applications(frames: dict[str, pd.DataFrame]) -> None:
    order = asylum_view.destinations(frames["asylum_series"], frames["observations"], QUARTERLY)
    assert order == ["DEU", "FRA", "ESP", "ITA", "AUT", "MLT"]


def test_earlier_forecasts_of_quarters_begin_whole_years_before_the_last_count(frames: dict[str, pd.DataFrame]) -> None:
    history = numbers.series_of(frames["observations"], "asylum_applications_first._Z.DEU._T.Q", "Q")
    found = asylum_view.earlier(frames["asylum_replays"], "asylum_applications_first._Z.DEU._T.Q", "Q", history)
    assert found["origin_date"].unique().tolist() == [pd.Timestamp("2023-09-30")]
    assert found["target_end_date"].max() == pd.Timestamp("2024-09-30")


@pytest.mark.parametrize(("freq", "last", "before"), [("M", "2024-11", "2023-11"), ("Q", "2024-Q3", "2023-Q3")])
def test_the_last_count_is_held_against_the_same_period_of_the_year_before_though_one_between_is_missing(
    freq: Literal["M", "Q"], last: str, before: str
) -> None:
    periods = [write_period(one, freq) for one in pd.period_range(end=to_period(last, freq), periods=30, freq=freq)]
    counts = pd.DataFrame(
        {"series_id": "x", "time_period": periods, "obs_value": np.arange(30.0) + 100, "obs_flag": ""}
    )
    same = f"{counts.set_index('time_period')['obs_value'][before]:.0f} a year earlier"

    def told(known: pd.DataFrame) -> tuple[str, str, str]:
        history = numbers.series_of(known, "x", freq)
        view = SimpleNamespace(history=history, freq=freq, quantiles=pd.DataFrame())
        return asylum.key_numbers(cast("asylum.AsylumForecast", view), Language("en"))[-1]

    named = Language("en").period(to_period(last, freq).end_time, {"M": 1, "Q": 3}[freq])
    whole = (f"Last count ({named})", "129", same)
    assert told(counts) == told(counts.drop(index=28)) == whole
    assert told(counts[counts["time_period"] != before]) == (*whole[:2], "")


def test_a_quarter_is_named_by_its_months() -> None:
    assert lang().period(pd.Timestamp("2024-12-15"), 3) == "October–December 2024"
    assert lang().period(pd.Timestamp("2025-02-28"), 3) == "December 2024–February 2025"
    assert lang().period(pd.Timestamp("2024-12-15"), 1) == "December 2024"


@pytest.mark.parametrize(
    ("skill", "said"),
    [
        ((1, 2), "Better than the baseline up to January–March 2025."),
        ((2, 2), "Better than the baseline in January–March 2025; no evidence elsewhere."),
        ((2, 3), "Better than the baseline from January–March 2025 to April–June 2025; no evidence elsewhere."),
    ],
)
def test_quarters_with_skill_are_named_and_one_alone_is_no_span(skill: tuple[int, int], said: str) -> None:
    ends = pd.to_datetime(["2024-12-31", "2025-03-31", "2025-06-30"])
    view = cast(
        asylum_view.AsylumView, SimpleNamespace(skill=skill, quantiles=pd.DataFrame({0.5: 1.0}, index=ends), freq="Q")
    )
    assert asylum.skill_words(view, Language("en")) == said


def test_a_fan_of_quarters_joins_them_without_gaps() -> None:
    ends = pd.period_range("2022Q1", periods=8, freq="Q").end_time.normalize()
    observed = pd.DataFrame({"time_period_end": ends, "value": np.arange(8.0) + 5})
    levels = np.asarray(QUANTILE_LEVELS)
    forecast = pd.DataFrame(
        {"target_end_date": pd.Timestamp("2024-03-31"), "output_type_id": levels, "value": 10 * (0.5 + levels)}
    )
    figure = fan_chart(Fan(observed, forecast, AS_OF, "Applicants", months_each=3), LIGHT)
    line = next(trace for trace in figure.data if trace.name == "observed")
    assert len(line.y) == 8
    assert not np.isnan(np.asarray(line.y, dtype=float)).any()


def test_the_page_opens_with_the_largest_destination_and_says_who_has_reported(home: Path) -> None:
    publish(home)
    app = visit("asylum")
    assert app.title[0].value.startswith("Germany: ")
    assert "October–December 2024" in app.title[0].value
    said = words(app)
    assert "27 of 32 countries have reported July–September 2024." in said
    assert "All applicants, monthly: latest data June 2018, too old for a current forecast." in said
    assert "Better than the baseline up to January–March 2025" in said


def test_the_page_shows_citizenships_where_they_are_known_and_says_where_they_are_not(home: Path) -> None:
    publish(home)
    assert "Germany: applicants by citizenship" in "\n".join(text.value for text in visit("asylum").header)
    assert "No applications by citizenship" in words(visit("asylum", "asylum_france", country="FRA"))


def test_a_kind_that_is_too_old_is_not_offered_and_the_page_says_why(home: Path) -> None:
    publish(home)
    app = visit("asylum", kind="asylum_applications.M")
    assert any("asks for kind" in warning.value for warning in app.warning)
    assert "latest data June 2018, too old for a current forecast" in words(app)


def test_countries_are_compared_by_what_is_expected_next_the_most_first_and_no_more_than_twelve(
    frames: dict[str, pd.DataFrame],
) -> None:
    night = cast(Night, SimpleNamespace(frame=frames.__getitem__, published=frames.__getitem__))
    forecasts = frames["asylum_forecasts"]
    kind = QUARTERLY
    every = sorted(forecasts["geo"].unique())
    table = asylum_view.by_destination(night, kind, every)
    assert table["expected"].is_monotonic_decreasing
    assert (table["low"] < table["expected"]).all()
    assert (table["expected"] < table["high"]).all()
    assert len(asylum_view.by_destination(night, kind, every[:1])) == 1
    assert asylum_view.by_destination(night, kind, []).empty
    one = forecasts[forecasts["geo"] == every[0]]
    many = pd.concat([one.assign(geo=f"C{place:02d}", series_id=f"s{place}") for place in range(14)])
    crowd = {**frames, "asylum_forecasts": many}
    night = cast(Night, SimpleNamespace(frame=crowd.__getitem__, published=crowd.__getitem__))
    assert len(asylum_view.by_destination(night, kind, [f"C{place:02d}" for place in range(14)])) == 12

import datetime as dt
import re
from itertools import combinations
from typing import Any, cast

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts import Scale, dated, fan_labels, mid_month, quantile
from dashboard.charts.fan import Beside, Fan, Window, fan_chart, fan_key
from dashboard.theme import LIGHT, Theme
from forecasting.verification.verdict import BETTER
from reports.numbers import Expected

NOW = dt.date(2025, 1, 31)


def draw(observed: pd.DataFrame, forecast: pd.DataFrame, theme: Theme = LIGHT, **extra: object) -> go.Figure:
    return fan_chart(Fan(observed, forecast, NOW, "Arrivals per month", **cast(dict[str, Any], extra)), theme)


def named(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def test_missing_month_leaves_gap(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    (solid,) = named(draw(observed.drop(index=10), forecast), "observed")
    assert len(solid.y) == 24
    assert np.isnan(solid.y[10])


NONE = pd.Series(dtype=float)


def test_last_count_is_carried_forward_in_place_of_a_bold_median(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    figure = draw(observed, forecast, goes_by_last=True)
    last = observed["value"].iloc[-1]
    (carried,), (median,) = named(figure, "last count, repeated"), named(figure, "median")
    assert list(carried.y) == [last, last] and carried.x[-1] == median.x[-1]
    assert carried.line.width > median.line.width


def test_highest_median_is_labelled_unless_it_is_last(forecast: pd.DataFrame) -> None:
    median, first = quantile(forecast, 0.5), forecast["target_end_date"].min()
    falls = forecast.assign(value=forecast["value"].where(forecast["target_end_date"] != first, 90_000.0))
    assert [label["x"] for label in fan_labels.end_labels(falls, NONE, LIGHT)] == [median.index[-1], median.index[0]]
    alone = forecast[forecast["target_end_date"] == first]
    assert len(fan_labels.end_labels(alone, NONE, LIGHT)) == 1


@pytest.mark.parametrize("level", [3000.0, 4500.0, 6000.0])
def test_movable_words_keep_apart_at_every_width(observed: pd.DataFrame, forecast: pd.DataFrame, level: float) -> None:
    median, dates = quantile(forecast, 0.5), mid_month(observed["time_period_end"])
    counted = pd.Series(observed["value"].to_numpy(), pd.DatetimeIndex(dates))
    room = fan_labels.Room(
        Scale(8_000.0, 0.1, 240.0), dates.iloc[0], median.index[-1], pd.Timestamp(NOW), median, counted
    )
    place = {"y": level, "xanchor": "center", "yanchor": "bottom", "yshift": 1}
    wished = [{"text": "<b>25%</b> above", "x": month, **place} for month in median.index]
    kept = fan_labels.clear_of_each_other(wished, room, fan_labels.end_labels(forecast, NONE, LIGHT)[:1])
    assert 0 < len(kept) < len(wished)
    for width in fan_labels.PLOT_PIXELS:
        across = [room.across(label["x"], width) for label in kept]
        feet = [room.scale.pixel(label["y"]) + label["yshift"] for label in kept]
        halves = [fan_labels.LETTER * len(re.sub("<.*?>", "", label["text"])) / 2 for label in kept]
        boxes = list(zip(across, halves, feet, strict=True))
        for (x, half, foot), (other, its_half, its_foot) in combinations(boxes, 2):
            assert abs(x - other) >= half + its_half or abs(foot - its_foot) >= fan_labels.LINE_PIXELS
        for x, half, foot in boxes:
            assert abs(room.across(room.now, width) - x) >= half
            for month, value in [*dated(median), *dated(counted)]:
                beside = abs(room.across(month, width) - x) >= half
                assert beside or not foot < room.scale.pixel(value) < foot + fan_labels.LINE_PIXELS


@pytest.mark.parametrize("lowest", [0.0, 100.0])
@pytest.mark.parametrize("place", ["history", "others"])
@pytest.mark.parametrize("foot", [0, 40, 80, 120, 160, 200])
def test_word_never_covers_steep_line(foot: int, place: str, lowest: float) -> None:
    months = pd.DatetimeIndex(["2024-01-15", "2024-02-15", "2024-03-15"])
    scale = Scale(8_000.0, 0.1, 400.0, lowest, is_log=lowest > 0)
    steep, none = pd.Series([8_000.0, 120.0, 120.0], months), pd.Series(dtype=float, index=pd.DatetimeIndex([]))
    room = fan_labels.Room(
        scale, pd.Timestamp("2022-01-15"), pd.Timestamp("2026-01-15"), pd.Timestamp("2025-06-30"), none,
        *((steep, ()) if place == "history" else (none, (steep,))),
    )  # fmt: skip
    middle = months[0] + (months[1] - months[0]) / 2
    wished = [{"text": "3,368 so far", "x": middle, "y": scale.value(foot), "xanchor": "center", "yanchor": "bottom"}]
    for label in fan_labels.clear_of_each_other(wished, room, []):
        top, bottom = scale.pixel(8_000.0), scale.pixel(120.0)
        assert not bottom < scale.pixel(label["y"]) + label["yshift"] < top - fan_labels.LINE_PIXELS


def test_far_number_does_not_flatten_chart(
    observed: pd.DataFrame, forecast: pd.DataFrame, chances: pd.DataFrame
) -> None:
    plain, figure = draw(observed, forecast), draw(observed, forecast, threshold=1e6, chances=chances)
    assert figure.layout.yaxis.range == plain.layout.yaxis.range
    assert [list(trace.text) for trace in named(figure, "your number")] == [["threshold: 1,000,000 ↑"]]


def test_skill_strip_never_crosses_line_of_today(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    figure = draw(observed, forecast, verdicts=dict.fromkeys(forecast["target_end_date"].unique()[:10], BETTER))
    strip = [shape for shape in figure.layout.shapes if shape.y0 == shape.y1 == 0.99]
    assert len(strip) == 2 and all(pd.Timestamp(bar.x0) >= pd.Timestamp(NOW) for bar in strip)


def test_axis_holds_widest_band_that_lies_near_the_rest(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    widest = forecast["output_type_id"] == 0.975
    top = float(forecast.loc[forecast["output_type_id"] == 0.9, "value"].max())
    near = draw(observed, forecast.assign(value=forecast["value"].mask(widest, 1.2 * top)))
    assert not named(near, "open end")
    assert named(draw(observed, forecast.assign(value=forecast["value"].mask(widest, 9 * top))), "open end")


def test_events_are_numbered_over_their_months(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    events = pd.DataFrame({"month": ["2023-09", "2024-03"], "title": ["A rise", "A law"]})
    (marks,) = named(draw(observed, forecast, events=events), "events")
    assert list(marks.text) == ["1", "2"]
    assert [f"{when:%Y-%m}" for when in pd.to_datetime(marks.x)] == ["2023-09", "2024-03"]


def test_marks_of_near_events_stand_below_each_other(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    events = pd.DataFrame({"month": ["2023-07", "2023-09", "2024-03"], "title": ["A rise", "A law", "A fall"]})
    first, near, far = named(draw(observed, forecast, events=events), "events")[0].y
    assert first == far > near > observed["value"].max()


def test_marked_months_carry_their_sum(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    ends = list(pd.date_range("2025-02-28", periods=3, freq="ME"))
    figure = draw(observed, forecast, window=Window(ends, Expected(12_300.0, 8_700.0, 16_400.0)))
    (words,) = [label for label in figure.layout.annotations if "total" in label.text]
    assert words.text.replace("\u2060", "") == "Feb–Apr total<br><b>12,300</b> (8,700–16,400)"
    (ground,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (f"{pd.Timestamp(ground.x0):%m-%d}", f"{pd.Timestamp(ground.x1):%m-%d}") == ("02-01", "05-01")


def test_another_route_shares_axis_and_is_in_key(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    high = observed.assign(value=observed["value"] * 5)
    other = Beside("Elsewhere", high, forecast)
    figure = draw(observed, forecast, beside=other)
    assert figure.layout.yaxis.range[1] > high["value"].tail(24).max()
    assert "Elsewhere: counted, median, 80%" in fan_key(Fan(observed, forecast, NOW, "Arrivals", beside=other), LIGHT)

import datetime as dt
from typing import Any, cast

import numpy as np
import pandas as pd
import plotly.graph_objects as go

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

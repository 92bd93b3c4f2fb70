import datetime as dt
import json
import re
from itertools import combinations
from typing import Any, cast

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.errors import SchemaError
from core.languages import Language
from dashboard.charts import Scale, dated, fan_labels, mid_month, quantile
from dashboard.charts.fan import Fan, fan_chart, fan_key
from dashboard.theme import LIGHT, Theme

NOW = dt.date(2025, 1, 31)


def draw(observed: pd.DataFrame, forecast: pd.DataFrame, theme: Theme = LIGHT, **extra: object) -> go.Figure:
    return fan_chart(Fan(observed, forecast, NOW, "Arrivals per month", **cast(dict[str, Any], extra)), theme)


def named(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def words(figure: go.Figure) -> list[str]:
    """Words that always show, and those that show where their bar is wide enough."""
    bars = [text for trace in figure.data if trace.type == "bar" for text in trace.text or ()]
    return [label.text for label in figure.layout.annotations] + bars


def key(observed: pd.DataFrame, forecast: pd.DataFrame, **extra: object) -> str:
    """What the line above the chart says."""
    fan = Fan(observed, forecast, NOW, "Arrivals per month", **cast(dict[str, Any], extra))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", fan_key(fan, LIGHT))).strip()


def test_a_missing_month_leaves_a_gap(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    (solid,) = named(draw(observed.drop(index=10), forecast), "observed")
    assert len(solid.y) == 24
    assert np.isnan(solid.y[10])


def test_only_the_last_24_months_are_drawn(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    before = observed.assign(time_period_end=observed["time_period_end"] - pd.DateOffset(years=2), flag="")
    figure = draw(pd.concat([before, observed]), forecast)
    assert len(named(figure, "months")[0].x) == 24


@pytest.mark.parametrize(("chance", "words"), [(0.999, "<b>&gt;99%</b> above"), (0.001, "<b>&lt;1%</b> above")])
def test_a_chance_near_certainty_reads_as_one_phrase_on_the_line(
    chances: pd.DataFrame, chance: float, words: str
) -> None:
    labels = fan_labels.chance_labels(chances.assign(probability=chance), 4500.0, Scale(8_000.0, 0.1, 400.0), LIGHT)
    assert {label["text"] for label in labels} == {words}


@pytest.mark.parametrize("level", [3000.0, 4500.0, 6000.0])
def test_words_that_may_move_stand_clear_of_each_other_of_today_and_of_the_median_at_every_width(
    observed: pd.DataFrame, forecast: pd.DataFrame, chances: pd.DataFrame, level: float
) -> None:
    median, dates = quantile(forecast, 0.5), mid_month(observed["time_period_end"])
    counted = pd.Series(observed["value"].to_numpy(), pd.DatetimeIndex(dates))
    room = fan_labels.Room(
        Scale(8_000.0, 0.1, 240.0), dates.iloc[0], median.index[-1], pd.Timestamp(NOW), median, counted
    )
    wished = fan_labels.chance_labels(chances, level, Scale(8_000.0, 0.1, 400.0), LIGHT)
    kept = fan_labels.clear_of_each_other(wished, room, fan_labels.median_label(forecast, LIGHT))
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
@pytest.mark.parametrize("foot", [0, 40, 80, 120, 160, 200])
def test_a_word_never_lies_over_a_line_that_falls_steeply_between_two_months(foot: int, lowest: float) -> None:
    months = pd.DatetimeIndex(["2024-01-15", "2024-02-15", "2024-03-15"])
    scale = Scale(8_000.0, 0.1, 400.0, lowest=lowest)
    steep, none = pd.Series([8_000.0, 120.0, 120.0], months), pd.Series(dtype=float, index=pd.DatetimeIndex([]))
    room = fan_labels.Room(
        scale, pd.Timestamp("2022-01-15"), pd.Timestamp("2026-01-15"), pd.Timestamp("2025-06-30"), none, steep
    )
    middle = months[0] + (months[1] - months[0]) / 2
    wished = [{"text": "3,368 so far", "x": middle, "y": scale.value(foot), "xanchor": "center", "yanchor": "bottom"}]
    for label in fan_labels.clear_of_each_other(wished, room, []):
        top, bottom = scale.pixel(8_000.0), scale.pixel(120.0)
        assert not bottom < scale.pixel(label["y"]) + label["yshift"] < top - fan_labels.LINE_PIXELS


def test_an_axis_of_ratios_ends_under_the_smallest_count_and_keeps_every_word_on_the_chart(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    figure = draw(observed, forecast, threshold=6000.0, is_log=True)
    low, high = figure.layout.yaxis.range
    assert figure.layout.yaxis.type == "log" and 10**low < observed["value"].min() < 10**high
    assert all(low <= label.y <= high for label in figure.layout.annotations if label.yref != "paper")


def test_a_number_far_above_everything_is_told_and_does_not_flatten_the_chart(
    observed: pd.DataFrame, forecast: pd.DataFrame, chances: pd.DataFrame
) -> None:
    plain, figure = draw(observed, forecast), draw(observed, forecast, threshold=1e6, chances=chances)
    assert figure.layout.yaxis.range == plain.layout.yaxis.range
    assert [list(trace.text) for trace in named(figure, "your number")] == [["your number: 1,000,000 ↑"]]


def test_a_number_below_an_axis_of_ratios_is_told_without_a_line_and_without_chances_on_it(
    observed: pd.DataFrame, forecast: pd.DataFrame, chances: pd.DataFrame
) -> None:
    plain = draw(observed, forecast, is_log=True)
    for number in (0.0, 2.0):
        figure = draw(observed, forecast, threshold=number, chances=chances, is_log=True)
        assert figure.layout.yaxis.range == plain.layout.yaxis.range
        assert [list(trace.text) for trace in named(figure, "your number")] == [[f"your number: {number:.0f} ↓"]]
        assert len(figure.layout.shapes) == len(plain.layout.shapes)
        assert not any("above" in label.text for label in figure.layout.annotations)


def test_a_count_below_an_axis_of_ratios_has_a_mark_at_its_foot_which_the_key_explains(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    none = observed.assign(value=observed["value"].where(observed.index != observed.index[-2], 0.0))
    later = pd.DataFrame({"time_period_end": pd.to_datetime(["2025-02-28", "2025-03-31"]), "value": [1.0, 5000.0]})
    figure = draw(none, forecast, outcomes=later, is_log=True)
    (marks,) = named(figure, "below the axis")
    ends = pd.to_datetime([none["time_period_end"].iloc[-2], later["time_period_end"].iloc[0]])
    assert list(pd.DatetimeIndex(marks.x)) == list(mid_month(pd.Series(ends)))
    np.testing.assert_allclose(np.log10(marks.y), figure.layout.yaxis.range[0])
    assert marks.cliponaxis is False
    assert named(draw(none, forecast, outcomes=later), "below the axis") == []
    fan = Fan(none, forecast, NOW, "Arrivals per month", is_log=True)
    assert "▼ counted, below the axis" in fan_key(fan, LIGHT)
    assert "▼" not in fan_key(Fan(observed, forecast, NOW, "Arrivals per month", is_log=True), LIGHT)


def test_the_words_of_the_readers_number_keep_clear_of_the_line_of_counts(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    level = float(observed["value"].median())
    (words_of,) = named(draw(observed, forecast, threshold=level), "your number")
    start, stop = (
        pd.Timestamp(words_of.x[0]) + side * pd.Timedelta(milliseconds=words_of.width) / 2 for side in (-1, 1)
    )
    months = pd.to_datetime(observed["time_period_end"])
    inside = observed.loc[months.between(start + pd.Timedelta(days=16), stop), "value"]
    assert len(inside)
    assert inside.gt(level).all() or inside.lt(level).all()


def test_a_far_reach_of_the_95_percent_band_is_told_and_does_not_flatten_the_chart(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    outer = forecast["output_type_id"].eq(0.975)
    wide = forecast.assign(value=forecast["value"].mask(outer, forecast["value"] * 20))
    figure = draw(observed, wide)
    reach = wide.loc[outer, "value"].max()
    assert figure.layout.yaxis.range[1] < reach / 5
    assert max(named(figure, "band 95%")[0].y) == pytest.approx(reach)
    assert f"↑ {Language().expected(reach)}" in words(figure)
    calm = max(observed["value"].max(), quantile(wide, 0.9).max())
    assert figure.layout.yaxis.range[1] < 1.1 * calm
    assert f"19 in 20, up to {Language().expected(reach)}" in key(observed, wide)


def test_words_of_the_skill_strip_never_cross_the_line_of_today(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    (words_below,) = named(draw(observed, forecast, skill=(1, 10)), "skill")
    half = pd.Timedelta(milliseconds=words_below.width) / 2
    assert pd.Timestamp(words_below.x[0]) - half >= pd.Timestamp(NOW)


def test_the_vertical_axis_starts_at_zero_with_at_most_five_grid_lines(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    axis = draw(observed, forecast).layout.yaxis
    assert axis.range[0] == 0
    assert 2 <= len(axis.tickvals) <= 6
    assert axis.tickvals[0] == 0


def test_a_route_without_counts_still_shows_its_fan(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    figure = draw(observed.iloc[:0], forecast)
    assert len(named(figure, "median")[0].x) == 12


def test_the_figure_is_plain_and_names_no_other_host(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    text = draw(observed, forecast).to_json()
    assert "http" not in text
    assert not {"geo", "mapbox", "map"} & set(json.loads(text)["layout"])


def test_a_missing_column_or_level_is_named(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="time_period_end"):
        draw(observed.drop(columns="time_period_end"), forecast)
    with pytest.raises(SchemaError, match=r"level 0\.025"):
        draw(observed, forecast[forecast["output_type_id"] != 0.025])


def running_month() -> pd.DataFrame:
    row = {"target_end_date": pd.Timestamp("2025-01-31"), "so_far": 890.0, "q10": 980.0, "q50": 1784.0, "q90": 2880.0}
    return pd.DataFrame([row])


def test_without_daily_counts_there_is_no_such_mark(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    figure = draw(observed, forecast, running=running_month().iloc[:0])
    assert not named(figure, "nowcast") and not any("so far" in word for word in words(figure))

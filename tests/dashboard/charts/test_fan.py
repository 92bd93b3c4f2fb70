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
from dashboard.charts.fan import Fan, fan_alt, fan_chart, fan_key
from dashboard.theme import DARK, LIGHT, Theme, with_opacity

NOW = dt.date(2025, 1, 31)


def draw(observed: pd.DataFrame, forecast: pd.DataFrame, theme: Theme = LIGHT, **extra: object) -> go.Figure:
    return fan_chart(Fan(observed, forecast, NOW, "Arrivals per month", **cast(dict[str, Any], extra)), theme)


def named(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def words(figure: go.Figure) -> list[str]:
    """Words that always show, and those that show where their bar is wide enough."""
    bars = [text for trace in figure.data if trace.type == "bar" for text in trace.text or ()]
    return [label.text for label in figure.layout.annotations] + bars


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_three_bands_lie_over_each_other_from_the_widest_to_the_narrowest(
    observed: pd.DataFrame, forecast: pd.DataFrame, theme: Theme
) -> None:
    figure = draw(observed, forecast, theme)
    bands = [trace for trace in figure.data if trace.name.startswith("band")]
    assert [trace.name for trace in bands] == ["band 95%", "band 80%", "band 50%"]
    assert [trace.fillcolor for trace in bands] == [with_opacity(theme.fan, part) for part in theme.fan_opacity]
    assert all(trace.fill == "toself" and trace.hoverinfo == "skip" for trace in bands)


def test_a_band_is_the_input_quantiles_opened_at_the_last_count(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    (band,) = named(draw(observed, forecast), "band 80%")
    last = observed["value"].iloc[-1]
    low, high = (quantile(forecast, level).tolist() for level in (0.1, 0.9))
    np.testing.assert_allclose(band.y, [last, *high, *low[::-1], last])


def test_the_median_and_the_counts_are_the_input_at_mid_month(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    figure = draw(observed, forecast)
    (median,), (months,) = named(figure, "median"), named(figure, "months")
    np.testing.assert_allclose(median.y[1:], quantile(forecast, 0.5))
    np.testing.assert_allclose(months.y, observed["value"])
    assert list(pd.DatetimeIndex(months.x)) == list(mid_month(observed["time_period_end"]))
    assert set(pd.DatetimeIndex(median.x).day) == {15}


def test_a_provisional_month_is_reached_by_dots_and_carries_an_open_circle_and_the_word(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    figure = draw(observed, forecast)
    (solid,), (dotted,), (circles,) = (named(figure, name) for name in ("observed", "into provisional", "months"))
    assert np.isnan(solid.y[-1])
    assert dotted.line.dash == "dot"
    assert np.isfinite(dotted.y[-2:]).all()
    assert np.isnan(dotted.y[:-2]).all()
    assert list(circles.marker.opacity) == [0.0] * 23 + [1.0]
    assert circles.marker.color == LIGHT.ground
    assert "○ provisional" in key(observed, forecast)


def test_an_estimated_month_carries_another_open_mark_and_its_word(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    estimated = observed.assign(flag=["e"] + [""] * 22 + ["e"])
    (marks,) = named(draw(estimated, forecast), "months")
    assert [marks.marker.symbol[place] for place in (0, 1, 23)] == ["diamond", "circle", "diamond"]
    assert [marks.marker.opacity[place] for place in (0, 1, 23)] == [1.0, 0.0, 1.0]
    said = key(estimated, forecast)
    assert "◇ estimated" in said and "provisional" not in said


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


def test_what_each_band_means_stands_in_words_above_the_chart(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    said = key(observed, forecast)
    assert "counted" in said and "median 50%: 1 in 2 80%: 4 in 5 95%: 19 in 20, up to" in said
    assert "<b>5,800</b>" in words(draw(observed, forecast))


def test_the_now_line_stands_at_the_date_of_knowledge_with_that_date(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    figure = draw(observed, forecast)
    assert pd.Timestamp(figure.layout.shapes[0].x0) == pd.Timestamp(NOW)
    assert "<b>31 Jan 2025</b>" in words(figure)


def test_earlier_forecasts_are_dotted_violet_with_a_band_each(
    observed: pd.DataFrame, forecast: pd.DataFrame, earlier: pd.DataFrame
) -> None:
    figure = draw(observed, forecast, earlier=earlier)
    lines, bands = named(figure, "earlier median"), named(figure, "earlier 80%")
    assert len(lines) == len(bands) == 2
    assert all(line.line.dash == "dot" and line.line.color == LIGHT.earlier for line in lines)
    assert bands[0].fillcolor == with_opacity(LIGHT.earlier, 0.16)
    assert "earlier forecasts" in key(observed, forecast, earlier=earlier)


def test_what_happened_next_is_drawn_over_the_fan(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    outcomes = pd.DataFrame(
        {"time_period_end": pd.date_range("2025-01-31", periods=3, freq="ME"), "value": [4100.0, 3900.0, 4500.0]}
    )
    figure = draw(observed, forecast, outcomes=outcomes)
    (line,) = named(figure, "what happened next")
    assert list(line.y[1:]) == [4100.0, 3900.0, 4500.0]
    assert "what happened next" in key(observed, forecast, outcomes=outcomes)


def test_the_readers_number_is_a_dashed_line_with_chances_on_it(
    observed: pd.DataFrame, forecast: pd.DataFrame, chances: pd.DataFrame
) -> None:
    figure = draw(observed, forecast, threshold=6000.0, chances=chances)
    (line,) = [shape for shape in figure.layout.shapes if shape.line.dash == "6px,4px"]
    assert line.y0 == line.y1 == 6000
    assert [list(trace.text) for trace in named(figure, "your number")] == [["your number: 6,000"]]
    assert "your number: 6,000" in key(observed, forecast, threshold=6000.0)
    on_line = [label for label in figure.layout.annotations if label.text.endswith("</b> above")]
    assert on_line
    assert all(abs(label.yshift) <= 18 for label in on_line)


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


@pytest.mark.parametrize(
    ("skill_until", "bars", "said"),
    [
        (None, 0, []),
        (0, 1, ["no evidence of<br>being better"]),
        (4, 2, ["better than<br>baseline", "no evidence of<br>being better"]),
        (12, 1, ["better than<br>baseline"]),
        (30, 1, ["better than<br>baseline"]),
    ],
)
def test_the_skill_strip_says_how_far_the_forecast_beats_the_baseline(
    observed: pd.DataFrame, forecast: pd.DataFrame, skill_until: int | None, bars: int, said: list[str]
) -> None:
    figure = draw(observed, forecast, skill=None if skill_until is None else (1, skill_until))
    strip = [shape for shape in figure.layout.shapes if shape.line.width == 3]
    assert len(strip) == bars
    assert [text for text in words(figure) if "better" in text] == said
    if skill_until == 4:
        assert pd.Timestamp(strip[0].x1) == pd.Timestamp("2025-04-30")
        assert [shape.line.color for shape in strip] == [LIGHT.fan, LIGHT.ended.fill]


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


def test_the_words_tell_last_count_next_month_last_month_and_highest_chance(
    observed: pd.DataFrame, forecast: pd.DataFrame, chances: pd.DataFrame
) -> None:
    fan = Fan(observed, forecast, NOW, "Arrivals per month", threshold=6000.0, chances=chances)
    text = fan_alt(fan, name="Eastern Mediterranean")
    assert text.startswith("Eastern Mediterranean: observed arrivals and forecast. Last count 3,500 in December 2024.")
    assert "January 2025: 4,000 expected, 80% interval 3,400 to 4,700." in text
    assert "December 2025: 5,800 expected" in text
    assert text.endswith("Highest chance to pass 6,000: 82% (likely) in December 2025.")


def running_month() -> pd.DataFrame:
    row = {"target_end_date": pd.Timestamp("2025-01-31"), "so_far": 890.0, "q10": 980.0, "q50": 1784.0, "q90": 2880.0}
    return pd.DataFrame([row])


def test_the_running_month_is_a_hollow_mark_with_its_interval_and_a_dash_at_what_is_counted(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    figure = draw(observed, forecast, running=running_month())
    (mark,) = named(figure, "nowcast")
    assert (mark.y[0], mark.marker.color) == (1784.0, LIGHT.ground)
    assert (mark.error_y.array[0], mark.error_y.arrayminus[0]) == (2880.0 - 1784.0, 1784.0 - 980.0)
    (counted,) = named(figure, "counted so far")
    assert counted.y[0] == 890.0 and "890 so far" in words(figure)


def test_without_daily_counts_there_is_no_such_mark(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    figure = draw(observed, forecast, running=running_month().iloc[:0])
    assert not named(figure, "nowcast") and not any("so far" in word for word in words(figure))

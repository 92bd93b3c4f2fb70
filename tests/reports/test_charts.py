"""Charts as shapes: within their frame, told in words, and the same in SVG as in the picture."""

from __future__ import annotations

import datetime as dt
import io
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lxml import etree
from PIL import Image

from core import QUANTILE_LEVELS
from core.languages import Language, languages
from core.routes import ROUTES, region_of
from forecasting.verification.verdict import BETTER, LIKELY, NO_EVIDENCE, WORSE
from geo import is_placed
from reports.charts import (
    NARROW,
    WIDE,
    Box,
    Fan,
    demand,
    diagonal,
    fan,
    fan_picture,
    flow_map,
    histogram,
    ranges,
    small_fan,
    spread,
    year_bars,
)
from reports.drawing import WIDER, Drawing, Mark, Shape, Word, framed, inline_svg, print_svg, svg_file, width_of

WORDS = Language("en")


def history(months: int = 24) -> pd.DataFrame:
    ends = pd.date_range("2023-01-31", periods=months, freq="ME")
    return pd.DataFrame({"end_date": ends, "obs_value": 1000.0 + 50 * np.arange(months), "obs_flag": ""})


def quantiles(spread: float = 4000.0) -> pd.DataFrame:
    ends = pd.date_range("2025-01-31", periods=6, freq="ME", name="target_end_date")
    return pd.DataFrame({level: 500 + spread * level for level in QUANTILE_LEVELS}, index=ends)


def shown(counts: pd.DataFrame, ahead: pd.DataFrame, limit: tuple[float, str] | None = None) -> Fan:
    return Fan(counts, ahead, dt.date(2025, 1, 31), "Arrivals per month", "A route.", limit=limit)


def points(drawing: Drawing) -> list[tuple[float, float]]:
    found = [point for item in drawing.items if isinstance(item, Shape) for ring in item.rings for point in ring]
    return found + [(item.x, item.y) for item in drawing.items if isinstance(item, Mark)]


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("limit", [None, (9000.0, "threshold 9,000")])
def test_fan_stays_inside_its_drawing(width: float, limit: tuple[float, str] | None) -> None:
    drawing = fan(shown(history(), quantiles(20_000), limit), width, WORDS)
    assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in points(drawing))
    for word in (item for item in drawing.items if isinstance(item, Word)):
        left = word.x - {"start": 0, "middle": 0.5, "end": 1}[word.anchor] * width_of(word.text, word.role)
        assert left >= -1 and left + width_of(word.text, word.role) <= drawing.width + 1


def test_fan_holds_verdict_of_each_month_and_numbers_of_events() -> None:
    ahead = quantiles()
    verdicts = dict(zip(ahead.index, [BETTER, BETTER, LIKELY, NO_EVIDENCE, WORSE, LIKELY], strict=True))
    events = pd.DataFrame({"month": ["2023-05", "2024-02"], "title": ["One", "Two"]})
    made = fan(replace(shown(history(), ahead), verdicts=verdicts, events=events), WIDE, WORDS)
    roles = [item.role for item in made.items if isinstance(item, Shape)]
    # Each stands in the legend too; the first month has ended on the day of the release.
    assert [roles.count(one) for one in ("proven", "likely", "unproven", "worse")] == [2, 3, 2, 2]
    assert sum(isinstance(item, Mark) and item.role == "event" for item in made.items) == 2
    assert {"1", "2", "better than the baseline"} <= {item.text for item in made.items if isinstance(item, Word)}


def test_counted_line_breaks_where_a_month_is_missing() -> None:
    lines = [item for item in fan(shown(history().drop(index=10), quantiles()), WIDE, WORDS).items
             if isinstance(item, Shape) and item.role == "observed"]  # fmt: skip
    assert [len(line.rings[0]) for line in lines[1:]] == [10, 13]  # the first one stands in the legend


def test_provisional_months_have_open_marks_and_a_dotted_line() -> None:
    counts = history()
    counts.loc[23, "obs_flag"] = "p"
    items = fan(shown(counts, quantiles()), WIDE, WORDS).items
    assert sum(isinstance(item, Mark) and item.role == "open" for item in items) == 2  # in the legend and the chart
    assert any(isinstance(item, Shape) and item.role == "provisional" for item in items)


def test_words_of_a_fan_give_the_last_count_and_both_ends() -> None:
    said = fan(shown(history(), quantiles()), WIDE, WORDS).alt
    assert "Last count 2,150 in December 2024." in said
    assert "June 2025: 2,500 expected, 80% interval 900 to 4,100." in said


def test_scenario_lies_over_the_forecast_in_the_months_that_it_changes() -> None:
    ahead = quantiles()
    made = fan(replace(shown(history(), ahead), scenario=3 * ahead.iloc[2:5]), WIDE, WORDS)
    lines = {item.role: item.rings[0] for item in made.items if isinstance(item, Shape)}
    assert [len(lines[role]) for role in ("median", "scenario", "scenario80")] == [7, 3, 6]
    places = dict(lines["median"])
    assert all(y < places[x] for x, y in lines["scenario"])  # three times as high, above the forecast of its month
    assert "Under the assumption: March 2025: 7,500 expected, 80% interval 2,700 to 12,300." in made.alt


def test_axis_holds_earlier_forecasts_with_none_ahead() -> None:
    earlier = history().rename(columns={"end_date": "target_end_date"})
    earlier = earlier.assign(origin_date=pd.Timestamp("2025-01-31"), q10=0.0, q50=1000.0, q90=9000.0)
    made = fan(replace(shown(history(), pd.DataFrame(columns=[0.5])), earlier=earlier), WIDE, WORDS)
    assert "8,000" in {item.text for item in made.items if isinstance(item, Word)}


def test_bars_name_each_row_with_its_interval() -> None:
    figures = {"expected": [200.0, 100.0], "low": [150.0, 50.0], "high": [260.0, 180.0]}
    rows = pd.DataFrame({"name": ["A & B", "C"]} | figures)
    drawing = ranges(rows, "Persons", "Countries.", NARROW, WORDS)
    assert all(0 <= x <= NARROW for x, _y in points(drawing))
    assert "A & B: 200" in drawing.alt and "C: 100" in drawing.alt


def test_kept_promises_lie_on_the_diagonal() -> None:
    rows = pd.DataFrame({"promised": [0.5, 0.8], "came": [0.5, 0.8]})
    drawing = diagonal(rows, ("came", "promised"), "Kept.", NARROW, WORDS)
    ((start, end),) = (item.rings[0] for item in drawing.items if isinstance(item, Shape) and item.role == "limit")
    for mark in (item for item in drawing.items if isinstance(item, Mark)):
        share = (mark.x - start[0]) / (end[0] - start[0])
        assert mark.y == pytest.approx(start[1] + share * (end[1] - start[1]))


def test_bins_are_as_high_as_their_shares() -> None:
    bins = pd.DataFrame({"bin_low": [0.0, 0.5], "share": [0.25, 0.75]})
    drawing = histogram(bins, ("Share", "calibrated"), "Two bins.", NARROW, WORDS)
    bars = [item.rings[0] for item in drawing.items if isinstance(item, Shape) and item.role == "bar"]
    heights = [bar[2][1] - bar[1][1] for bar in bars]
    assert heights[1] == pytest.approx(3 * heights[0])
    ends = [item.y for item in drawing.items if isinstance(item, Word) and item.anchor == "end"]  # 0%, 50% at the left
    dashed = [item.rings[0][0][1] for item in drawing.items if isinstance(item, Shape) and item.role == "limit"][-1]
    assert [ends[0] - ends[1], bars[0][3][1] - dashed] == pytest.approx([2 * heights[0]] * 2)


def test_svg_is_well_formed_whatever_its_words_hold() -> None:
    drawing = Drawing(10, 10, [Word(1, 1, '<a> & "b"'), Mark(1, 1, 2, "dot", "<c>")], 'alt "<d>"')
    file = etree.fromstring(svg_file(framed(drawing, "T & <t>", ["n < m"]), "T & <t>"))
    texts = file.findall("{http://www.w3.org/2000/svg}text")
    assert '<a> & "b"' in [text.text for text in texts]
    assert etree.fromstring(inline_svg(drawing)).get("aria-label") == 'alt "<d>"'


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("language", languages())
def test_names_on_a_map_stay_inside_it(language: str, width: float) -> None:
    placed = [route_id for route_id in ROUTES if is_placed(route_id) and ROUTES[route_id].parts]
    for region in {region_of(route_id) for route_id in placed}:
        rows = [(route_id, 1_000.0, 2_000.0, "watch") for route_id in placed if region_of(route_id) == region]
        frame = pd.DataFrame(rows, columns=["route_id", "expected", "high", "level"])
        for word in (one for one in flow_map(frame, width, Language(language)).items if isinstance(one, Word)):
            room = width_of(word.text, word.role) / WIDER
            left = word.x - {"start": 0, "middle": 0.5, "end": 1}[word.anchor] * room
            assert left >= 0 and left + room <= width, word


def test_map_holds_arrows_of_one_region() -> None:
    rows = [(route_id, 1_000.0, 2_000.0, "") for route_id in ("EMR", "US_SOUTHWEST")]
    drawn = flow_map(pd.DataFrame(rows, columns=["route_id", "expected", "high", "level"]), 720.0, WORDS)
    assert [word.text for word in drawn.items if isinstance(word, Word)] == ["Eastern Mediterranean", "1,000"]


def test_labels_of_map_are_inside_it_and_none_covers_another() -> None:
    boxes = [Box(10, 50, 60, 16), Box(20, 48, 60, 16), Box(190, 45, 60, 16), Box(15, 3, 60, 16), Box(15, 1, 60, 16)]
    placed = spread(boxes, 200, 100)
    assert not any(one.covers(other) for one, other in itertools.combinations(placed, 2))
    assert all(0 <= box.x <= 140 and 0 <= box.y <= 84 for box in placed)


@pytest.mark.parametrize("ahead", [quantiles(), quantiles().iloc[:0]])
def test_small_fan_shows_counts_with_and_without_forecast(ahead: pd.DataFrame) -> None:
    drawing = small_fan(shown(history(), ahead), 200, 120, WORDS)
    assert all(0 <= x <= 200 and 0 <= y <= 120 for x, y in points(drawing))
    roles = {item.role for item in drawing.items}
    assert "observed" in roles and ("median" in roles) == (not ahead.empty)
    assert "Last count 2,150 in December 2024." in drawing.alt


def test_bars_of_years_are_as_high_as_their_totals() -> None:
    row = {"lo_80": 50.0, "lo_50": 80.0, "median": 100.0, "hi_50": 120.0, "hi_80": 150.0}
    drawing = year_bars(pd.Series([100.0, 200.0], index=[2023, 2024]), row, "2025", 300, 150, WORDS)
    bars = [item.rings[0] for item in drawing.items if isinstance(item, Shape) and item.role in {"past", "band80"}]
    heights = [abs(bar[1][1] - bar[0][1]) for bar in bars]
    assert heights[1] == pytest.approx(2 * heights[0]) and heights[2] == pytest.approx(heights[0])
    assert drawing.alt.replace("\u2060", "") == "2023: 100; 2024: 200; 2025: 100 (50–150)."


def test_places_needed_lie_above_their_median() -> None:
    ends = pd.date_range("2025-01-31", periods=3, freq="ME")
    needed = pd.DataFrame({"target_end_date": ends, "median": [10.0, 20.0, 30.0], "places": [20.0, 40.0, 60.0]})
    drawing = demand(needed, 30.0, "Places.", 300, 150, WORDS)
    lines = {item.role: item.rings[0] for item in drawing.items if isinstance(item, Shape)}
    assert all(upper[1] < lower[1] for upper, lower in zip(lines["places"], lines["half"], strict=True))
    assert lines["half"][2][1] == pytest.approx(lines["limit"][0][1])
    assert {"Jan 2025", "Mar"} <= {word.text for word in drawing.items if isinstance(word, Word)}


def test_print_has_plain_colours_and_a_font_for_each_letter() -> None:
    drawing = Drawing(100, 20, [Word(50, 10, "● 5", "strong", "middle"), Mark(1, 1, 2, "point", "said")], "")
    file = etree.fromstring(print_svg(drawing))
    texts = file.findall("{http://www.w3.org/2000/svg}text")
    assert [(text.text, text.get("style")) for text in texts] == [("●", "font-family:DejaVu Sans"), (" 5", None)]
    assert "var(" not in print_svg(drawing) and "circle" not in print_svg(drawing)


def test_picture_of_message_shows_its_fan() -> None:
    levels = {str(level): [500 + 4000 * level] * 3 for level in (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)}
    facts = {
        "history": [["2024-11", 4000.0], ["2024-12", 4321.0]], "as_of": "2025-01-31", "rule": "surge",
        "fan": {"months": ["2025-01", "2025-02", "2025-03"], "levels": levels}, "threshold": 5000.0,
    }  # fmt: skip
    picture = Image.open(io.BytesIO(fan_picture(facts, WORDS) or b""))
    assert picture.width == 1168 and "Last count 4,321 in December 2024." in picture.info["Description"]
    assert fan_picture(facts | {"fan": {}}, WORDS) is None

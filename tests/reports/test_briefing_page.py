"""The briefing as a PDF: one page, whatever is in the release."""

from __future__ import annotations

import datetime as dt
import functools
import io
import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Affine2D, Bbox
from pypdf import PdfReader

from core.errors import Message
from core.languages import Language, languages
from dashboard.theme import LIGHT
from forecasting.scenarios import Needs
from geo import FRAME_KM
from reports import Decisions, Reception, colours
from reports.briefing import ALERT_COLUMNS, BADGE, _how_many, briefing_pdf, draw_alerts, draw_page
from reports.briefing.canvas import DRAWING, GREY, HEIGHT, MARGIN, ROOM, WIDTH, Sheet
from reports.briefing.charts import _dress_picture, _middle, days, draw_charts, draw_fan, grid_of
from reports.briefing.content import compose
from reports.briefing.further_pages import draw_places, draw_year
from reports.briefing.routes import Box, draw_map, draw_routes, spread
from reports.names import LEVEL_MARKS, level_label

from .conftest import MakeRelease, alert_row

LARGEST = 400_000
"""Bytes: it goes with every mail."""
HALVES = (("01", "Jan"), ("07", "Jul"))


Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def pdf(make_release: MakeRelease) -> Make:
    """The briefing of a made-up release with so many routes and alerts, in a language; drawn once."""

    @functools.cache
    def make(routes: int = 5, alerts: int = 3, language: str = "en") -> bytes:
        return briefing_pdf(make_release(routes, alerts), None, language)

    return make


def boxes_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text that stands on the sheet itself, and the ground that it covers, in points."""
    figure.set_dpi(600)  # at few dots letters are as wide as the dots, not as they are printed
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # matplotlib gives no type
    to_points = Affine2D().scale(72 / figure.dpi)
    return [(text.get_text(), text.get_window_extent(renderer).transformed(to_points)) for text in figure.texts]


def runs_into_another(boxes: list[tuple[str, Bbox]]) -> list[tuple[str, str]]:
    """Pairs of texts that cannot both be read."""
    shrunk = [(text, box.shrunk(0.9, 0.4)) for text, box in boxes]
    return [
        (one, other) for (one, first), (other, second) in itertools.combinations(shrunk, 2) if first.overlaps(second)
    ]


def page_text(document: bytes) -> str:
    return " ".join(PdfReader(io.BytesIO(document)).pages[0].extract_text().split())


@pytest.mark.slow
@pytest.mark.parametrize(("routes", "alerts", "language"), [(5, 3, "en"), (7, 12, "fr"), (9, 12, "en")])
def test_it_is_one_small_page_whatever_the_count_of_routes_and_alerts(
    pdf: Make, routes: int, alerts: int, language: str
) -> None:
    document = pdf(routes, alerts, language)
    assert len(PdfReader(io.BytesIO(document)).pages) == 1
    assert len(document) < LARGEST


@pytest.mark.slow
@pytest.mark.parametrize(
    ("routes", "alerts", "language"),
    [(1, 3, "en"), (5, 12, "fr"), (9, 0, "fr"), (9, 12, "en")],
)
def test_no_text_leaves_the_sheet_or_meets_another(
    make_release: MakeRelease, routes: int, alerts: int, language: str
) -> None:
    release = make_release(routes, alerts, replay=True, degraded=(Message("no answer").record("a_bureau"),))
    boxes = boxes_of(draw_page(compose(release, make_release(routes, 6), language, Decisions())))
    for text, box in boxes:
        assert box.x0 >= MARGIN - 1 and box.x1 <= MARGIN + ROOM + 1, text
        assert 15 <= box.y0 <= 842, text
    assert runs_into_another(boxes) == []


@pytest.mark.slow
def test_it_holds_the_figures_of_the_release(pdf: Make) -> None:
    text = page_text(pdf())
    for figure in ("45,000 arrivals", "15,000", "14,500–15,500", "62%", "right 6 times in 10", "CC BY 4.0", "c0ffee"):
        assert figure in text, figure


@pytest.mark.slow
def test_what_there_is_no_room_for_is_counted(pdf: Make) -> None:
    text = page_text(pdf(9, 12))
    shown = text.count("to reach 5,0")
    assert 3 <= shown < 12
    assert f"and {12 - shown} more: see the dashboard" in text


def test_it_names_its_title_author_language_and_day(pdf: Make) -> None:
    reader = PdfReader(io.BytesIO(pdf(7, 12, "fr")))
    about = reader.metadata
    assert about is not None and about.title is not None
    assert about.title.startswith("Vigie") and "arrivées attendues" in about.title and about.author == "Vigie"
    assert about.creation_date == dt.datetime(2025, 1, 31, 4, tzinfo=dt.UTC)
    assert str(reader.root_object["/Lang"]) == "fr"
    assert str(reader.root_object["/ViewerPreferences"]) == "{'/DisplayDocTitle': True}"


def test_every_font_is_inside_the_file(pdf: Make) -> None:
    page = PdfReader(io.BytesIO(pdf())).pages[0]
    fonts = page["/Resources"]["/Font"]  # type: ignore[index]  # pypdf types what a page holds as any object
    names = set()
    for font in fonts.values():
        inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile2" in inner
        names.add(str(inner["/FontName"]).partition("+")[2])
    assert {"SourceSansPro-Regular", "SourceSansPro-Semibold", "SourceSerifPro-Semibold"} <= names


def test_the_same_release_gives_the_same_bytes(pdf: Make, make_release: MakeRelease) -> None:
    assert briefing_pdf(make_release(), None, "en") == pdf()


def test_letters_that_no_font_has_and_signs_of_formulas_are_written_as_text(make_release: MakeRelease) -> None:
    release = make_release(1, 0)
    row = alert_row(0, ["CMR"], reason_key="", reason="100 $ to 200 $ \u2192 \u4e16\u754c: all")
    text = page_text(briefing_pdf(release.with_frame("alerts", pd.DataFrame([row])), None, "en"))
    assert "100 $ to 200 $" in text


def test_a_word_longer_than_its_column_is_broken(make_release: MakeRelease) -> None:
    release = make_release(["CMR", "X_" + "A" * 38], 0)
    figure = draw_page(compose(release, None, "en", Decisions()))
    assert len(figure.axes) == 3


def test_its_colours_are_those_of_the_screen() -> None:
    for name in (
        "ink", "secondary", "hairline", "grid", "accent", "observed", "fan", "median", "neutral", "sea", "land",
        "receiving", "border", "fan_opacity",
    ):  # fmt: skip
        assert getattr(colours, name.upper()) == getattr(LIGHT, name), name
    for level, hue in {**colours.LEVELS, "replay": colours.REPLAY}.items():
        theirs = getattr(LIGHT, level)
        assert tuple(hue) == (theirs.text, theirs.ground, theirs.fill)


def test_labels_of_the_map_are_inside_it_and_none_covers_another() -> None:
    boxes = [Box(10, 50, 60, 16), Box(20, 48, 60, 16), Box(190, 45, 60, 16), Box(15, 3, 60, 16), Box(15, 1, 60, 16)]
    placed = spread(boxes, 200, 100)
    assert not any(one.covers(other) for one, other in itertools.combinations(placed, 2))
    assert all(0 <= box.x <= 140 and 0 <= box.y <= 84 for box in placed)


@pytest.mark.parametrize(("width", "height"), [(500.0, 100.0), (252.0, 162.0), (100.0, 400.0)])
def test_the_map_shows_its_whole_frame_and_no_direction_is_stretched(width: float, height: float) -> None:
    axes = Sheet().axes(MARGIN, MARGIN, width, height)
    draw_map(axes, (), Language("en"))
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    (most_west, most_east), (most_south, most_north) = FRAME_KM
    assert (east - west) / width == pytest.approx((north - south) / height)
    assert west <= most_west and east >= most_east and south <= most_south and north >= most_north
    assert (west, east) == FRAME_KM[0] or (south, north) == FRAME_KM[1]


@pytest.mark.parametrize(("routes", "language", "has_room"), [(2, "en", True), (9, "fr", False)])
def test_what_is_expected_stands_beside_a_routes_name_or_beneath_it_where_one_finds_no_room(
    make_release: MakeRelease, routes: int, language: str, *, has_room: bool
) -> None:
    content, sheet = compose(make_release(routes, 0), None, language, Decisions()), Sheet()
    with DRAWING:
        draw_charts(sheet, content, 100.0, grid_of(content), 60.0)
    boxes = boxes_of(sheet.figure)
    assert runs_into_another(boxes) == []
    charts = boxes[-2 * routes :]
    for (_name, name), (_said, said), axes in zip(charts[::2], charts[1::2], sheet.figure.axes, strict=True):
        assert (said.y1 > name.y0 + name.height / 2) == has_room
        assert said.y0 >= axes.get_position().y1 * HEIGHT - 2, "it stands in the chart"


def test_up_to_four_charts_stand_in_one_row_and_more_in_two_of_which_no_place_but_the_last_is_empty(
    make_release: MakeRelease,
) -> None:
    content = compose(make_release(9, 0), None, "en", Decisions())
    for routes in range(10):
        grid = grid_of(replace(content, routes=content.routes[:routes]))
        assert grid.rows == (1 if routes <= 4 else 2)
        assert 0 <= grid.columns * grid.rows - max(routes, 1) < grid.rows


@pytest.mark.parametrize(("persons", "expected"), [(0.0, 0.0), (0.4, 0.2), (20.0, 90.0), (90_000.0, 9_000.0)])
def test_a_chart_ends_a_little_above_its_highest_value_and_never_below_one_person(
    make_release: MakeRelease, persons: float, expected: float
) -> None:
    release = make_release(1, 0)
    for name, column, most in (("observations", "obs_value", persons), ("forecasts", "value", expected)):
        frame = release.frame(name)
        release = release.with_frame(name, frame.assign(**{column: frame[column] / frame[column].max() * most}))
    (route,) = compose(release, None, "en", Decisions()).routes
    axes = Figure().add_subplot()
    with DRAWING:
        draw_fan(axes, route, release.as_of, Language("en"))
    ends = [np.asarray(line.get_ydata()) for line in axes.lines[:2]]
    bands = [np.asarray(path.vertices)[:, 1] for band in axes.collections for path in band.get_paths()]
    highest = max(1.0, *(float(np.max(one)) for one in [*ends, *bands]))
    low, high = axes.get_ylim()
    assert low == 0
    assert highest < high < 1.25 * highest


def test_a_picture_names_each_january_and_july_in_the_middle_of_its_month_where_its_count_stands() -> None:
    axes = Figure().add_subplot()
    months = [f"{year}-{month:02}" for year in (2023, 2024) for month in range(1, 13)]
    axes.plot([_middle(month) for month in months], range(24))  # type: ignore[arg-type]  # matplotlib takes dates too
    _dress_picture(axes, Language("en"))
    named = {tick.get_text(): place for tick, place in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)}
    places = {f"{name} {year}": days(_middle(f"{year}-{month}")) for year in (2023, 2024) for month, name in HALVES}
    assert {name: named.get(name) for name in places} == pytest.approx(places)
    assert all(name.startswith(("Jan", "Jul")) for name in named)


def test_the_columns_of_the_routes_end_at_the_edge_of_their_table_and_none_runs_into_another(
    make_release: MakeRelease,
) -> None:
    content, sheet = compose(make_release(9, 3), None, "en", Decisions()), Sheet()
    with DRAWING:
        draw_routes(sheet, content, 100.0)
    rules = {round(float(np.max(line.get_xdata())) * WIDTH, 3) for line in sheet.figure.findobj(Line2D)}
    columns = [
        text.get_position()[0] * WIDTH for text in sheet.figure.texts if text.get_horizontalalignment() == "right"
    ]
    assert rules == {round(max(columns), 3)}
    assert runs_into_another(boxes_of(sheet.figure)) == []


@pytest.mark.parametrize("routes", [3, 9])
def test_a_routes_name_stands_with_the_level_beneath_it_in_the_middle_of_its_row(
    make_release: MakeRelease, routes: int
) -> None:
    content, sheet = compose(make_release(routes, 2), None, "en", Decisions()), Sheet()
    with DRAWING:
        draw_routes(sheet, content, 100.0)
    left = min(text.get_position()[0] for text in sheet.figure.texts)
    names = [(text, box) for text, box in boxes_of(sheet.figure) if box.x0 < left * WIDTH + 60]
    rules = sorted(float(np.asarray(line.get_ydata())[0]) * HEIGHT for line in sheet.figure.findobj(Line2D))[::-1]
    with_level = 0
    for top, bottom in itertools.pairwise(rules[: routes + 1]):
        inside = [box for _text, box in names if bottom < (box.y0 + box.y1) / 2 < top]
        with_level += len(inside) > 1
        above, below = top - max(box.y1 for box in inside), min(box.y0 for box in inside) - bottom
        assert abs(above - below) < 4.5
    assert with_level == (2 if routes == 3 else 0)


@pytest.mark.parametrize("language", languages())
def test_no_badge_of_a_level_reaches_the_subject_beside_it(language: str) -> None:
    sheet = Sheet()
    badges = [level_label(level, Language(language)) for level in LEVEL_MARKS]
    assert max(sheet.badge(0, 0, badge, BADGE, "white") for badge in badges) + 3 <= ALERT_COLUMNS[0][0]


def test_as_many_alerts_are_shown_as_have_room_beside_the_count_of_the_others(make_release: MakeRelease) -> None:
    content = compose(make_release(5, 6), None, "en", Decisions())

    def drawn(until: float) -> tuple[float, bool]:
        sheet = Sheet()
        with DRAWING:
            end = draw_alerts(sheet, content, 100.0, until)
        return end, any("more: see the dashboard" in text.get_text() for text in sheet.figure.texts)

    end, _ = drawn(2000.0)
    room = end - drawn(0.0)[0]
    assert drawn(end) == (end, False)
    for until in np.linspace(end - room / 2, end - 9, 9):
        lower, counts_others = drawn(float(until))
        assert counts_others
        assert lower - 8 <= until


def test_no_axis_of_a_few_persons_names_a_number_twice(make_release: MakeRelease) -> None:
    release = make_release(1, 0)
    few = {"observations": ("obs_value", 0.0), "forecasts": ("value", 0.001), "trajectories": ("value", 1.0)}
    for name, (column, value) in few.items():
        release = release.with_frame(name, release.frame(name).assign(**{column: value}))
    ends = {f"{side}_{level}": 0.0 for level in (50, 80, 95) for side in ("lo", "hi")}
    year = {
        "series_id": "arrivals.CMR._T._T.M", "kind": "calendar year", "ahead": 0, "first_period": "2025-01",
        "last_period": "2025-12", "counted": 0.0, "months_counted": 0, "last_total": 0.0, "median": 0.0, **ends,
        "chance_0": 0.0, "chance_25": 0.0, "chance_50": 0.0, "chance_100": 0.0, "relative_wis": np.nan, "n": 0,
        "years": 0, "skill": "no evidence",
    }  # fmt: skip
    release = release.with_frame("year_ahead", pd.DataFrame([year]))
    kept = Reception("CMR", 1.0, Needs(3.0, "open", 1.0), 0.9)
    content = compose(release, None, "en", Decisions(reception=(kept,)))
    figures = [draw_page(content), *draw_year(content), draw_places(content)]
    message = Figure()
    _dress_picture(message.add_subplot(), Language("en"))
    for figure in (*figures, message):
        figure.draw_without_rendering()
        for axes in figure.axes:
            low, high = axes.get_ylim()
            named = [tick.get_text() for tick in axes.get_yticklabels() if low <= tick.get_position()[1] <= high]
            assert len(set(named)) == len(named)


def test_rows_stand_on_the_page_as_long_as_the_last_or_the_count_of_the_rest_fits_beneath() -> None:
    more = GREY.leading + 2  # the line that counts those that do not fit
    for heights, room, count in (
        ([20.0, 20.0, 20.0], 60.0, 3),
        ([20.0, 20.0, 20.0], 59.9, 2),
        ([20.0, 20.0, 20.0], 40.0 + more, 2),
        ([20.0, 20.0, 20.0], 39.9 + more, 1),
        ([20.0], 20.0, 1),
        ([20.0, 20.0], 1.0, 1),  # one stands there even so
        ([20.0, 90.0, 20.0], 110.0 + more, 2),
    ):
        assert _how_many(heights, room) == count, (heights, room)

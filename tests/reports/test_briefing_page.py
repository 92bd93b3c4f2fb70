"""The briefing as a PDF: one page, whatever is in the release."""

from __future__ import annotations

import functools
import io
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox
from pypdf import PdfReader

from core.errors import Message
from core.languages import Language
from reports import Decisions
from reports.briefing import _how_many, briefing_pdf, draw_page
from reports.briefing.canvas import DRAWING, GREY, MARGIN, ROOM
from reports.briefing.charts import draw_fan
from reports.briefing.content import compose
from reports.briefing.routes import Box, spread

from .conftest import MakeRelease

LARGEST = 400_000
"""Bytes: it goes with every mail."""


Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def pdf(make_release: MakeRelease) -> Make:
    """The briefing of a made-up release with numbers of routes and alerts, in a language; drawn once."""

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
def test_briefing_is_one_small_page(pdf: Make, routes: int, alerts: int, language: str) -> None:
    document = pdf(routes, alerts, language)
    assert len(PdfReader(io.BytesIO(document)).pages) == 1
    assert len(document) < LARGEST


@pytest.mark.slow
@pytest.mark.parametrize(
    ("routes", "alerts", "language"),
    [(1, 3, "en"), (5, 12, "fr"), (9, 0, "fr"), (9, 12, "en")],
)
def test_no_text_leaves_sheet_or_meets_another(
    make_release: MakeRelease, routes: int, alerts: int, language: str
) -> None:
    release = make_release(routes, alerts, replay=True, degraded=(Message("no answer").record("a_bureau"),))
    boxes = boxes_of(draw_page(compose(release, make_release(routes, 6), language, Decisions())))
    for text, box in boxes:
        assert box.x0 >= MARGIN - 1 and box.x1 <= MARGIN + ROOM + 1, text
        assert 15 <= box.y0 <= 842, text
    assert runs_into_another(boxes) == []


@pytest.mark.slow
def test_it_holds_figures_of_release(pdf: Make) -> None:
    text = page_text(pdf())
    for figure in ("45,000 arrivals", "15,000", "14,500–15,500", "62%", "12 of 20 such", "CC BY 4.0", "c0ffee"):
        assert figure in text, figure


@pytest.mark.slow
def test_what_there_is_no_room_for_is_counted(pdf: Make) -> None:
    text = page_text(pdf(9, 12))
    shown = text.count("to reach 5,0")
    assert 3 <= shown < 12
    assert f"and {12 - shown} more: see the dashboard" in text


def test_same_release_gives_same_bytes(pdf: Make, make_release: MakeRelease) -> None:
    assert briefing_pdf(make_release(), None, "en") == pdf()


def test_labels_of_map_are_inside_it_and_none_covers_another() -> None:
    boxes = [Box(10, 50, 60, 16), Box(20, 48, 60, 16), Box(190, 45, 60, 16), Box(15, 3, 60, 16), Box(15, 1, 60, 16)]
    placed = spread(boxes, 200, 100)
    assert not any(one.covers(other) for one, other in itertools.combinations(placed, 2))
    assert all(0 <= box.x <= 140 and 0 <= box.y <= 84 for box in placed)


@pytest.mark.parametrize(("persons", "expected"), [(0.0, 0.0), (0.4, 0.2), (20.0, 90.0), (90_000.0, 9_000.0)])
def test_chart_ends_above_highest_value(make_release: MakeRelease, persons: float, expected: float) -> None:
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


def test_rows_leave_room_for_count_of_rest() -> None:
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

"""The briefing as a PDF: one page, whatever is in the release."""

from __future__ import annotations

import functools
import io
import itertools
from collections.abc import Callable

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox
from pypdf import PdfReader

from core.errors import Message
from reports import Decisions
from reports.briefing import briefing_pdf, draw_page
from reports.briefing.canvas import MARGIN, ROOM
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
    for figure in ("45,000 arrivals", "15,000", "14,500–15,500", "62%", "right 6 times in 10", "CC BY 4.0", "c0ffee"):
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

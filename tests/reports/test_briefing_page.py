"""The briefing as a PDF: one page, whatever is in the release."""

from __future__ import annotations

import datetime as dt
import functools
import io
import itertools
from collections.abc import Callable

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from pypdf import PdfReader

from dashboard.theme import LIGHT
from reports.briefing import colours
from reports.briefing.canvas import MARGIN, ROOM
from reports.briefing.content import compose
from reports.briefing.map import Box, spread
from reports.briefing.page import briefing_pdf, draw_page
from reports.release import Decisions

from .conftest import MakeRelease, alert_row

LARGEST = 400_000
"""Bytes: it goes with every mail."""


Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def pdf(make_release: MakeRelease) -> Make:
    """The briefing of a made-up release with so many routes and alerts, in a language; drawn once."""

    @functools.cache
    def make(routes: int = 5, alerts: int = 3, language: str = "en") -> bytes:
        return briefing_pdf(make_release(routes, alerts), None, language)

    return make


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
    [(1, 3, "en"), (5, 0, "en"), (5, 12, "fr"), (7, 6, "fr"), (9, 0, "fr"), (9, 12, "en")],
)
def test_no_text_leaves_the_sheet_or_runs_into_the_text_below(
    make_release: MakeRelease, routes: int, alerts: int, language: str
) -> None:
    release = make_release(routes, alerts, replay=True, degraded=({"source_id": "a_bureau", "reason": "no answer"},))
    figure = draw_page(compose(release, make_release(routes, 6), language, Decisions()))
    figure.set_dpi(600)  # at few dots letters are as wide as the dots, not as they are printed
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # matplotlib gives no type
    scale = 72 / figure.dpi
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in figure.texts]
    for text, box in boxes:
        assert box.x0 * scale >= MARGIN - 1 and box.x1 * scale <= MARGIN + ROOM + 1, text
        assert 15 <= box.y0 * scale <= 842, text
    shrunk = [(text, box.shrunk(0.9, 0.4)) for text, box in boxes]
    for (one, first), (other, second) in itertools.combinations(shrunk, 2):
        assert not first.overlaps(second), f"'{one}' runs into '{other}'"


@pytest.mark.slow
def test_it_holds_the_figures_of_the_release(pdf: Make) -> None:
    text = page_text(pdf())
    for figure in ("45,000 arrivals", "15,000", "14,500–15,500", "62%", "right 6 times in 10", "CC BY 4.0", "c0ffee"):
        assert figure in text, figure


@pytest.mark.slow
def test_what_there_is_no_room_for_is_counted(pdf: Make) -> None:
    text = page_text(pdf(9, 12))
    shown = text.count("to pass 5,0")
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

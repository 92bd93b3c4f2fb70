"""The briefing as a PDF: one page, whatever is in the release; the same bytes; readable aloud."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pypdf import PdfReader

from reports import Decisions
from reports.briefing import briefing_pdf

from .conftest import MakeRelease, year_row

LARGEST = 400_000
"""Bytes: it goes with every mail."""
Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def pdf(make_release: MakeRelease) -> Make:
    """The briefing of a made-up release with numbers of routes and alerts, in a language; made once."""

    @functools.cache
    def make(routes: int = 5, alerts: int = 3, language: str = "en", **other: object) -> bytes:
        return briefing_pdf(make_release(routes, alerts, **other), make_release(routes, 6), language)

    return make


def texts(document: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(document)).pages]


def elements(node: Any) -> Iterator[Any]:  # noqa: ANN401  # pypdf publishes no type for the parts of a tree
    """Each element of a tagged PDF's tree."""
    node = node.get_object()
    if isinstance(node, list):
        for part in node:
            yield from elements(part)
    elif isinstance(node, dict) and "/S" in node:
        yield node
        yield from elements(node["/K"]) if "/K" in node else ()


@pytest.mark.parametrize(
    ("routes", "alerts", "language"), [(1, 0, "en"), (5, 12, "es"), (9, 0, "fr"), (9, 12, "fr"), (9, 12, "en")]
)
def test_briefing_is_one_small_page(pdf: Make, routes: int, alerts: int, language: str) -> None:
    document = pdf(routes, alerts, language, replay=True)
    assert len(texts(document)) == 1
    assert len(document) < LARGEST


def test_it_holds_figures_of_release(pdf: Make) -> None:
    (text,) = texts(pdf())
    for figure in ("45,000 arrivals", "15,000", "14,500–15,500", "62%", "12 of 20 such", "CC BY 4.0", "c0ffee"):
        assert figure in text, figure


def test_what_there_is_no_room_for_is_counted(pdf: Make) -> None:
    (text,) = texts(pdf(9, 12))
    shown = text.count("to reach 5,0")
    assert 3 <= shown < 12
    assert f"and {12 - shown} more: see the dashboard" in text


def test_texts_too_long_for_a_page_run_on_to_the_next(
    make_release: MakeRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.briefing.citations.limits", lambda *_args: ["a limit that must be known " * 9] * 20)
    pages = PdfReader(io.BytesIO(briefing_pdf(make_release(5, 3), None, "en"))).pages
    assert sum(page.extract_text().count("a limit") for page in pages) == 9 * 20


def test_same_release_gives_same_bytes(pdf: Make, make_release: MakeRelease) -> None:
    assert briefing_pdf(make_release(), make_release(5, 6), "en") == pdf()


def test_each_page_of_an_exercise_is_marked(make_release: MakeRelease) -> None:
    release = make_release(2, 0, replay=True)
    years = release.frame("year_ahead").reindex(columns=list(year_row("_T")))
    years.loc[0] = year_row("_T")
    pages = texts(briefing_pdf(release.with_frame("year_ahead", years), None, "en", Decisions()))
    assert len(pages) == 2
    assert all("Exercise: this repeats what was known on 31 January 2025." in page for page in pages)


def test_charts_have_words_for_those_who_do_not_see_them(pdf: Make) -> None:
    root: Any = PdfReader(io.BytesIO(pdf(2, 0, "fr"))).root_object
    assert root["/Lang"] == "fr" and root["/ViewerPreferences"]["/DisplayDocTitle"]
    figures = [part for part in elements(root["/StructTreeRoot"]["/K"]) if part["/S"] == "/Figure"]
    words = " ".join(str(figure["/Alt"]) for figure in figures)
    assert len(figures) == 4  # the map, the legend, and a chart of each route
    assert "Méditerranée centrale" in words and "intervalle à 80" in words.replace("\u00a0", " ")


def test_letters_that_no_font_has_are_boxes(make_release: MakeRelease) -> None:
    release = make_release(1, 0)
    card = {**release.cards["a_ministry"], "citation": "内政部 وزارة, arrivals."}
    named = make_release(1, 0, cards={**release.cards, "a_ministry": card})
    (text,) = texts(briefing_pdf(named, None, "en"))
    assert "□□□" in text and "arrivals. Licence: CC BY 4.0" in text

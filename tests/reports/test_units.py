"""Corridors that count events are spoken of in their own unit, in every language; all others as arrivals."""

from __future__ import annotations

import pytest

from core.languages import Language, languages
from core.routes import ROUTES
from reports.units import _IN_UNITS, MEDIAN, expected_title, in_unit, plural_in_unit

ENGLISH = Language("en")


def test_unit_is_given_exactly_where_events_are_counted() -> None:
    summed = {code: route for code, route in ROUTES.items() if route.parts}
    assert {code for code, route in summed.items() if route.unit} == {
        code for code, route in summed.items() if route.counts == "detections"
    }


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("text", _IN_UNITS)
def test_no_text_of_a_corridor_of_events_speaks_of_arrivals(text: str, language: str) -> None:
    said = in_unit(text, "US_NORTH", Language(language)).lower()
    assert ROUTES["US_NORTH"].unit[language] in said
    assert not any(word in said for word in ("arrival", "arrivée", "llegada", "{unit}"))


def test_other_routes_keep_the_words_of_arrivals() -> None:
    assert plural_in_unit(MEDIAN, 2, "CMR", ENGLISH, median="2") == "2 arrivals expected"
    assert plural_in_unit(MEDIAN, 2, "US_NORTH", ENGLISH, median="2") == "2 encounters expected"
    assert in_unit("Arrivals per month", "CMR", ENGLISH) == "Arrivals per month"


def test_table_with_events_has_no_title_of_arrivals() -> None:
    titles = [expected_title(routes, ENGLISH) for routes in (["CMR", "CHA"], ["DARIEN", "US_NORTH"])]
    assert titles == ["Arrivals expected, {months}", "Expected, {months}"]

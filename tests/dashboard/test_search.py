"""What the search finds, and where it leads."""

from __future__ import annotations

import pytest

from dashboard import reads, search

from .test_pages import visit

pytestmark = pytest.mark.usefixtures("read_release")


def test_a_route_a_country_and_a_nationality_are_found() -> None:
    found = search.places(reads.nights()[0])
    assert found["Eastern Mediterranean"] == ("route", {"route": "EMR"})
    assert found["Germany: asylum applications"] == ("asylum", {"country": "DEU"})
    page, query = found["Syria: nationality"]
    assert (page, query["view"]) == ("route", "nationalities")


def test_what_is_chosen_opens_its_page() -> None:
    app = visit("overview")
    app.selectbox(key=search.KEY).select("Eastern Mediterranean").run()
    assert not app.exception
    assert app.title[0].value.startswith("Eastern Mediterranean: ")

"""Errors are shown in the reader's language, with the exact text beside it."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from access import NotAllowedError
from core.errors import InputError, NothingToPublishError, StoreError, VigieError
from dashboard import layout, reads
from dashboard.layout import error_words, plain, since_words

from .test_pages import visit


@pytest.mark.parametrize(
    "error",
    [InputError("number 4"), StoreError("disk full"), NotAllowedError("Ada may not"), NothingToPublishError("none")],
    ids=lambda error: type(error).__name__,
)
def test_error_is_reported_in_words_of_its_kind_and_as_recorded(error: VigieError) -> None:
    said = error_words(error)
    assert said.endswith(f"“{error}”")
    assert not said.startswith(str(error))


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("2015-01-31", "Years from 2017: earlier peaks would flatten the rest."),
        ("2016-12-31", "Years from 2017: earlier peaks would flatten the rest."),
        ("2017-01-31", ""),
        ("2020-01-31", ""),
        ("", ""),
    ],
)
def test_peaks_of_2015_and_2016_are_left_out(first: str, said: str) -> None:
    ends = pd.date_range(first or "2025-01-01", "2024-12-31", freq="ME")
    assert since_words(pd.Series(ends)) == said


def test_signs_of_markdown_in_text_are_shown_as_they_are() -> None:
    assert plain("a*b_c [x](y) #1 ~z") == r"a\*b\_c \[x\]\(y\) \#1 \~z"
    assert plain("Août, 12 000 — “x”") == "Août, 12 000 — “x”"


@pytest.mark.parametrize(
    "text",
    ["see https://evil.example.org/x", "HTTP://evil.example.org", "www.evil.example.org", "WWW.evil.org", "a@evil.org"],
)
def test_address_in_note_is_no_link(text: str) -> None:
    seen = re.sub(r"\\(.)", r"\1", plain(text))
    links = (r"(?i)(https?://|www(?=\.))([-.\w]+)", r"[-.\w+]+@[-\w]+(\.[-\w]+)+")  # as mdast-util-gfm-autolink-literal
    assert not [link for link in links if re.search(link, seen)]
    assert seen.replace("\u2060", "") == text


@pytest.mark.usefixtures("read_release")
def test_a_route_a_country_and_a_nationality_are_found() -> None:
    found = layout.searched(reads.nights()[0])
    assert found["Eastern Mediterranean"] == ("route", {"route": "EMR"})
    assert found["Germany: asylum applications"] == ("asylum", {"country": "DEU"})
    page, query = found["Syria: nationality"]
    assert (page, query["view"]) == ("route", "nationalities")


@pytest.mark.usefixtures("read_release")
def test_what_is_chosen_opens_its_page() -> None:
    app = visit("overview")
    app.selectbox(key=layout.SEARCH).select("Eastern Mediterranean").run()
    assert not app.exception
    assert app.title[0].value.startswith("Eastern Mediterranean: ")

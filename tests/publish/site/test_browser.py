"""The public site in a browser: accessible, no wider than its screen or a printed page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from core.languages import languages
from publish.site.layout import folder_of
from tests.browser import chromium, serious_findings

from .conftest import ALERT, build, decide, make_release

PAGES = ("index.html", "route/emr.html", "track-record.html")
PRINTED = 700
"""Pixels between the margins of a sheet of A4."""
WIDER = "document.documentElement.scrollWidth > innerWidth + 1"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a replay with a signed alert."""
    decide(home, make_release(home, (ALERT,), replay=True), ALERT)
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publish.site.png_file", lambda *_: b"")  # no page shows one
        build(home, folder)
    return folder


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_pages_are_accessible_in_every_language(
    browser: Browser, site: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in (folder_of(code) + name for code in languages() for name in PAGES):
        page.goto((site / path).as_uri())
        assert serious_findings(page) == {}, path
        assert not page.evaluate(WIDER), path
    page.close()


def test_printed_page_cuts_off_no_column(browser: Browser, site: Path) -> None:
    page = browser.new_page(viewport={"width": PRINTED, "height": 1000})
    page.emulate_media(media="print")
    for path in (folder_of(code) + name for code in languages() for name in PAGES):
        page.goto((site / path).as_uri())
        assert not page.evaluate(WIDER), path
    page.close()

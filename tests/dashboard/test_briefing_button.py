"""The briefing, from the Overview."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pypdf import PdfReader

from dashboard import downloads, visitor
from store.releases import Release

from .test_pages import visit


def labels() -> list[str]:
    return [button.proto.label for button in visit("overview").get("download_button")]


@pytest.mark.usefixtures("release")
def test_reader_who_may_take_no_file_away_is_not_offered_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "allows", lambda _action: False)
    assert "Briefing (PDF)" not in labels()


def test_briefing_is_of_release_in_readers_language(home: Path, release: Release) -> None:
    document = downloads._briefing(str(home), release.run_id, "fr")  # the maker that the button hands over
    reader = PdfReader(io.BytesIO(document))
    text = reader.pages[0].extract_text()
    assert len(reader.pages) == 2  # the second is the year ahead
    assert release.run_id in text and "Alertes" in text

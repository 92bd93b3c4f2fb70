"""The briefing of a stored release."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pypdf import PdfReader

from core.errors import StoreError
from core.settings import Settings
from decisions.announcements import make_briefing
from store import sha256_of_file
from store.releases import Release

from .conftest import Publish

SETTINGS = Settings.model_validate({})


def text_of(home: Path, release: Release) -> str:
    document = make_briefing(home, SETTINGS, release.run_id, "en")
    return " ".join(PdfReader(io.BytesIO(document)).pages[0].extract_text().split())


def test_it_names_release_and_hash_by_which_it_can_be_checked(tmp_path: Path, publish: Publish) -> None:
    release = publish()
    text = text_of(tmp_path, release)
    assert release.run_id in text
    assert sha256_of_file(release.path / "manifest.json") in text.replace(" ", "")


def test_it_reports_what_changed_since_release_before(tmp_path: Path, publish: Publish) -> None:
    publish({})
    text = text_of(tmp_path, publish())
    assert "Since the last release, 31 January 2025" in text
    assert "Central Mediterranean: new alert, Severe" in text


def test_of_older_release_it_says_what_was_said_then(tmp_path: Path, publish: Publish) -> None:
    older = publish({})
    publish()
    text = text_of(tmp_path, older)
    assert older.run_id in text and "Severe" not in text


def test_altered_older_manifest_is_found(tmp_path: Path, publish: Publish) -> None:
    older = publish()
    publish()
    with (older.path / "manifest.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(StoreError, match=r"manifest\.json: was altered"):
        make_briefing(tmp_path, SETTINGS, older.run_id, "en")

"""The briefing at the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pypdf import PdfReader

from core.errors import InputError, StoreError
from store.releases import ReleaseStore
from tests.cli.command_line import vigie
from tests.delivery import publish


@pytest.fixture
def home(tmp_path: Path) -> Path:
    publish(tmp_path, ["surge.CMR.0001"])
    return tmp_path


def run_id(home: Path) -> str:
    return ReleaseStore(home).all()[0].run_id


def test_briefing_is_one_page_in_language(home: Path) -> None:
    out = home / "note.pdf"
    said = vigie(home, "export", "briefing", "--lang", "fr", "--out", str(out)).stdout
    assert run_id(home) in said and str(out) in said
    reader = PdfReader(io.BytesIO(out.read_bytes()))
    assert len(reader.pages) == 1 and str(reader.root_object["/Lang"]) == "fr"


def test_with_signed_off_it_keeps_to_what_people_stand_behind(home: Path) -> None:
    pages = []
    for options in ([], ["--signed-off"]):
        vigie(home, "export", "briefing", "--out", str(home / "note.pdf"), *options)
        pages.append(PdfReader(home / "note.pdf").pages[0].extract_text())
    assert "not signed off" in pages[0] and "Warning" in pages[0]
    assert "Warning" not in pages[1]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [(("--lang", "de"), "write en or es or fr"), (("--out", "note.docx"), "the ending must be .pdf")],
)
def test_mistake_is_named_and_nothing_is_written(home: Path, arguments: tuple[str, str], rule: str) -> None:
    before = sorted(home.rglob("*"))
    with pytest.raises(InputError, match=rule):
        vigie(home, "export", "briefing", *arguments)
    assert sorted(home.rglob("*")) == before


def test_altered_release_has_no_briefing(home: Path) -> None:
    with (ReleaseStore(home).folder / run_id(home) / "forecasts.parquet").open("ab") as file:
        file.write(b"0")
    with pytest.raises(StoreError, match=r"forecasts\.parquet: was altered"):
        vigie(home, "export", "briefing", "--out", str(home / "note.pdf"))
    assert not (home / "note.pdf").exists()

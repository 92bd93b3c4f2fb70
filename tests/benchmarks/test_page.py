"""A measured section takes its place in the page and leaves the rest as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import shared as pages
from benchmarks.shared import publish, replace_section


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "benchmarks.md"
    path.write_text("# Benchmarks\n\nWords.\n\n## One\n\nold\n\n### Part\n\nold too\n\n## Two\n\nstays\n")
    return path


def test_a_section_is_replaced_with_all_its_parts(page: Path) -> None:
    replace_section(page, "One", ["new"])
    assert page.read_text() == "# Benchmarks\n\nWords.\n\n## One\n\nnew\n\n## Two\n\nstays\n"


def test_a_section_that_is_not_there_yet_comes_last(page: Path) -> None:
    before = page.read_text()
    replace_section(page, "Three", ["new", "", "more"])
    assert page.read_text() == before + "\n## Three\n\nnew\n\nmore\n"


def test_writing_twice_changes_nothing(page: Path) -> None:
    replace_section(page, "Two", ["new"])
    once = page.read_text()
    replace_section(page, "Two", ["new"])
    assert page.read_text() == once


def test_a_section_is_always_printed_and_written_only_where_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    monkeypatch.setattr(pages, "PAGE", page)
    publish("One", ["line"], write=False)
    assert page.read_text() == "# Page\n"
    publish("One", ["line"], write=True)
    assert page.read_text() == "# Page\n\n## One\n\nline\n"
    assert capsys.readouterr().out == "## One\n\nline\n" * 2

"""A measured section takes its place in the page and leaves the rest as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import shared as pages
from benchmarks.shared import engine, replace_section, table
from core.settings import PROJECT
from forecasting import ensemble


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "benchmarks.md"
    path.write_text("# Benchmarks\n\nWords.\n\n## One\n\nold\n\n### Part\n\nold too\n\n## Two\n\nstays\n")
    return path


def test_tables_and_facts_replace_their_places(page: Path) -> None:
    before = page.read_text()
    page.write_text(
        before
        + "\n## Three\n\nEngine: 1\nWords.\nMeasured: old.\n\n| a |\n|---|\n| 1 |\n\nMore words.\n\n| b |\n|---|\n"
        "\n### By hand\n\n| c |\n|---|\n"
    )
    replace_section(page, "Three", ["Engine: 2", "Measured: new.", "", *table("a", [(2,)]), "", *table("b", [(3,)])])
    written = (
        "\n## Three\n\nEngine: 2\nWords.\nMeasured: new.\n\n| a |\n|---|\n| 2 |\n\nMore words.\n\n| b |\n|---|\n| 3 |\n"
        "\n### By hand\n\n| c |\n|---|\n"
    )
    assert page.read_text() == before + written


def test_every_table_of_engine_is_todays() -> None:
    """Skill of another version of the engine belongs to docs/research."""
    for section in pages.PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        assert "\n| vigie-ensemble |" not in section or engine() in section, section.partition("\n")[0]
    assert f"| ensemble {ensemble.VERSION}, " in (PROJECT / "README.md").read_text(encoding="utf-8")

"""A measured section takes its place in the page and leaves the rest as it is."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

import pytest

from benchmarks import nowcast
from benchmarks import shared as pages
from benchmarks.shared import engine, interval, page_command, replace_section, table


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


def test_what_an_earlier_engine_measured_gives_way(page: Path) -> None:
    page.write_text(page.read_text().replace("## One", "## One, by an earlier engine (ensemble 1, pooled model 1)"))
    replace_section(page, "One", ["new"])
    assert page.read_text() == "# Benchmarks\n\nWords.\n\n## One\n\nnew\n\n## Two\n\nstays\n"


def test_writing_twice_changes_nothing(page: Path) -> None:
    replace_section(page, "Two", ["new"])
    once = page.read_text()
    replace_section(page, "Two", ["new"])
    assert page.read_text() == once


def test_a_section_is_always_printed_and_written_only_where_that_is_asked(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = page.read_text()

    def section(_options: argparse.Namespace) -> tuple[list[str], bool]:
        return ["line"], True

    assert page_command(page, "Three", section, []) == 0
    assert page.read_text() == before
    assert page_command(page, "Three", section, ["--write"]) == 0
    assert page.read_text() == before + "\n## Three\n\nline\n"
    assert capsys.readouterr().out == "## Three\n\nline\n" * 2


@pytest.mark.parametrize("given", ["--weeks", "--week"])
def test_the_section_of_the_weeks_is_written_however_the_option_is_shortened(
    monkeypatch: pytest.MonkeyPatch, page: Path, given: str
) -> None:
    monkeypatch.setattr(nowcast, "weeks_section", lambda: (["weeks"], True))
    before = page.read_text()
    assert page_command(page, nowcast.title, nowcast.section, [given, "--write"], options=nowcast.OPTIONS) == 0
    assert page.read_text() == before + "\n## The next eight weeks\n\nweeks\n"


def test_tables_and_facts_take_their_places_and_the_words_of_the_page_stay(page: Path) -> None:
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


def test_tables_and_facts_without_a_place_get_one(page: Path) -> None:
    before = page.read_text()
    replace_section(page, "Three", ["Engine: 2", "Measured: new.", "", *table("a", [(2,)])])
    assert page.read_text() == before + "\n## Three\n\nEngine: 2\nMeasured: new.\n\n| a |\n|---|\n| 2 |\n"


def test_a_table_has_a_mark_for_each_column_also_for_those_without_a_name() -> None:
    assert table("what | | limit", [("errors", 0, 1)]) == ["| what | | limit |", "|---|---|---|", "| errors | 0 | 1 |"]
    assert table("| clock", [])[1] == "|---|---|"


@pytest.mark.parametrize(
    ("value", "low", "written"), [(0.5, 0.4, "0.50 [0.40–0.60]"), (0.5, math.nan, "0.50"), (math.nan, math.nan, "–")]
)
def test_a_figure_without_an_interval_stands_alone(value: float, low: float, written: str) -> None:
    assert interval({"auc": value, "auc_lo": low, "auc_hi": 0.6}, "auc", 2) == written


def test_every_table_of_the_engine_is_todays_or_says_whose_it_is() -> None:
    """Skill of another version of the engine stands under a heading that names the version, or not at all."""
    for section in pages.PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        if "\n| vigie-ensemble |" in body or "\n| Vigie |" in body or "`vigie-ensemble` over" in body:
            told = re.search(r"by an earlier engine \(ensemble \d+, pooled model \d+\)$", heading)
            assert told or engine() in body, heading

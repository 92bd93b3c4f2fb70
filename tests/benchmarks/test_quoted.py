"""A figure that a document quotes names the table it comes from, and is that table's.

A quotation is followed by ``<!-- from: PAGE, SECTION -->``. Each row of a table is quoted too, in order:
``<!-- from: PAGE, SECTION; ROW × COLUMN; … -->``: its cells are those of the rows of that name, one after another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.settings import PROJECT

MEASURES = {"benchmarks.md"}
"""Pages whose figures are their own."""
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
FROM = re.compile(r"<!-- from: (\S+), ([^;]+?)(?:; (.*?))? -->\Z", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d*\.\d+|\d+)(?![\w.]*\d)")
DECIMAL = re.compile(r"(?<![\w.,/])\d*\.\d+(?![\w.]*\d)")
NO_MEASURE = re.compile(r"`[^`]*`|(?:[A-Z][\w-]*|nginx|\)) \d+(?:\.\d+)+|\d+\.\d+ times")
"""Code, numbers of versions and standards, and definitions ("1.5 times the mean")."""
HOW = re.compile(r"[Mm]easured|`python -m|Followed so|vigie nightly|`systemd-analyze")
"""How a section says where its own figures come from."""


@dataclass(frozen=True)
class Quotation:
    """Figures and where they come from."""

    document: str
    text: str
    page: str
    section: str
    rows: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}: {self.section}"


def sections(page: Path) -> dict[str, str]:
    """Texts of a page by their headings, each up to the next heading."""
    parts = re.split(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def quotations(document: Path) -> Iterator[Quotation]:
    before = ""
    for block in re.split(r"\n{2,}", document.read_text(encoding="utf-8")):
        if found := FROM.fullmatch(" ".join(block.split())):
            rows = tuple(found[3].split("; ")) if found[3] else ()
            yield Quotation(document.name, before, found[1], found[2], rows)
        before = block


QUOTATIONS = [one for document in DOCUMENTS for one in quotations(document)]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def column(section: str, row: str, name: str) -> list[str]:
    """Cells of the rows of one name below a column's title."""
    at, found = None, []
    for line in section.splitlines():
        if not line.startswith("|"):
            at = None
        elif at is None:
            at = cells(line).index(name) if name in cells(line) else -1
        elif at >= 0 and cells(line)[0] == row:
            found.append(cells(line)[at])
    return found


def agree(quoted: str, source: str) -> bool:
    """Whether each figure of a quotation is that figure of its source, rounded; shares may be in per cent."""
    said, known = (NUMBER.findall(text) for text in (quoted, source))
    return len(said) <= len(known) and all(map(_is_rounded, said, known)) and bool(said)


def _is_rounded(said: str, known: str, times: int = 1) -> bool:
    figure, true = float(said.replace(",", "")), float(known.replace(",", "")) * times
    half = 0.5 * 10 ** -len(said.partition(".")[2]) + 1e-9
    return abs(figure - true) <= half or (times == 1 and "." not in said and _is_rounded(said, known, 100))


@pytest.mark.parametrize("one", QUOTATIONS, ids=str)
def test_what_is_quoted_is_what_table_says(one: Quotation) -> None:
    section = sections(PROJECT / one.page)[one.section]
    lines = [line for line in one.text.splitlines() if line.startswith("|")][2:]
    if not lines:
        known = NUMBER.findall(section)
        assert [said for said in DECIMAL.findall(one.text) if not any(_is_rounded(said, true) for true in known)] == []
    for line, origin in zip(lines, one.rows if lines else (), strict=True):
        source = column(section, *origin.split(" × "))
        quoted = cells(line)[1:]
        assert len(source) == len(quoted), origin
        assert [pair for pair in zip(quoted, source, strict=True) if not agree(*pair)] == [], origin


def test_figure_has_table_or_measurement() -> None:
    assert QUOTATIONS
    for document in (page for page in DOCUMENTS if page.name not in MEASURES):
        quoted = [one.text for one in quotations(document)]
        for heading, text in sections(document).items():
            shown = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
            for block in re.split(r"\n{2,}", shown):
                figures = DECIMAL.findall(NO_MEASURE.sub("", block))
                assert not figures or block in quoted or HOW.search(text), (document.name, heading, figures)

"""The texts of pages are plain: at or under grade 9 on the Flesch-Kincaid scale, counted as textstat does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from core.settings import PROJECT

PAGES = sorted((PROJECT / "dashboard" / "pages").glob("[a-z]*.py"))
PRESENTERS = sorted((PROJECT / "reports").glob("[a-z]*.py"))
FEWEST_WORDS, GRADE = 7, 9.0
"""Labels of a few words are no sentences."""
TERMS = re.compile(r"\b(Holm’s|bootstrap|quantiles?|calibration|WIS|Frontex|Mediterranean|\w+_\w+|https?\S+)\b")
"""Names and terms of the field: readers of those pages know them, whatever their length."""


def syllables(word: str) -> int:
    found = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = word.lower().endswith("e") and not word.lower().endswith("le") and found > 1
    return max(1, found - silent)


def grade(texts: list[str]) -> float:
    """Flesch-Kincaid grade: .39 words a sentence + 11.8 syllables a word − 15.59 (Kincaid et al. 1975)."""
    plain = " ".join(
        re.sub(r"[*#_`]|\{[^}]*\}", "", TERMS.sub("it", text)).strip().rstrip(".;:") + "." for text in texts
    )
    sentences = [part for part in re.split(r"[.!?]+(?:\s|$)", plain) if part.strip()]
    words = re.findall(r"[A-Za-z’'-]+", plain)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def sentences_of(path: Path) -> list[str]:
    """Every text of a module that is shown and long enough to be a sentence."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"_", "ngettext"}:
            texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            found += [text for text in texts[-1:] if len(text.split()) >= FEWEST_WORDS]
    return found


@pytest.mark.parametrize("path", [*PAGES, *PRESENTERS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_texts_of_page_can_be_read_at_grade_nine(path: Path) -> None:
    texts = sentences_of(path)
    if len(texts) > 1:
        assert grade(texts) <= GRADE, [
            (round(grade([text]), 1), text) for text in sorted(texts, key=lambda t: -grade([t]))[:4]
        ]

"""What tests of translated texts share: which English sentences of the catalogue a text still holds."""

from __future__ import annotations

import re
from functools import cache

from babel.messages.pofile import read_po

from core.languages import LOCALE_FOLDER

PLACE = re.compile(r"\{[^}]*\}")
FEWEST_WORDS = 4
"""Shorter texts may be the same in both languages, or part of a name."""


@cache
def english_fragments(language: str) -> dict[str, str]:
    """For each long text of the catalogue that a language changes: a stretch of it without places to fill in."""
    with (LOCALE_FOLDER / language / "LC_MESSAGES" / "vigie.po").open("rb") as file:
        messages = [message for message in read_po(file, locale=language) if message.id]
    found = {}
    for message in messages:
        english = message.id if isinstance(message.id, list | tuple) else [str(message.id)]
        there = message.string if isinstance(message.string, list | tuple) else [str(message.string)]
        for source, translation in zip(english, there, strict=True):
            longest = max(PLACE.split(source), key=len).strip(" .,;:")
            if len(re.findall(r"[^\W\d_]{2,}", longest)) >= FEWEST_WORDS and longest not in translation:
                found[source] = longest
    return found


def english_left(text: str, language: str = "fr") -> list[str]:
    """English texts of the catalogue that a text in another language holds."""
    bare = text.replace("\\", "").replace("\u00a0", " ")
    return sorted(source for source, fragment in english_fragments(language).items() if fragment in bare)

"""What readers see of sources' cards and of the registers is there in every language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from core.languages import DEFAULT_LANGUAGE, TEXTS_OF_RECORDS, Language, catalogue, languages
from core.settings import SNAPSHOT
from ingest.snapshot import events, known_issues
from ingest.sources import CARDS

OTHERS = [name for name in languages() if name != DEFAULT_LANGUAGE]


def texts() -> Iterator[str]:
    for record in [*CARDS.values(), *known_issues(SNAPSHOT), *events(SNAPSHOT)]:
        for name, value in record.model_dump().items():
            if name in TEXTS_OF_RECORDS:
                yield from value if isinstance(value, list) else [value]


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_card_and_of_register_has_translation(language: str) -> None:
    # Repositories and their hashes are the same in every language.
    known = catalogue(language)._catalog  # type: ignore[attr-defined]  # gettext names no other way to ask
    assert [text for text in texts() if text and not text.startswith("github.com/") and text not in known] == []


def test_card_in_french_keeps_its_citation_and_addresses() -> None:
    card = CARDS["ecb"]
    french = card.in_language(Language("fr"))
    assert (french.publisher, french.citation, french.url) == ("Banque centrale européenne", card.citation, card.url)
    assert card.in_language(Language("en")) == card


def test_every_rule_with_advice_is_a_text_of_the_program() -> None:
    advice = tomllib.loads((SNAPSHOT / "advice.toml").read_text("utf-8"))
    known = {key if isinstance(key, str) else key[0] for key in catalogue("fr")._catalog}  # type: ignore[attr-defined]  # as above
    assert [entry["rule"] for entries in advice.values() for entry in entries if entry["rule"] not in known] == []

"""Catalogues are complete and keep what a text is filled with; records and dates follow the language."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

import core.languages
from core.languages import DEFAULT_LANGUAGE, LOCALE_FOLDER, Language, awaits_review, languages

TRANSLATED = [code for code in languages() if code != DEFAULT_LANGUAGE]
KEPT = re.compile(r"\{[^}]*\}|`[^`]*`|</?\w+>|\*\*|↑|→|[●▲◆○]")
"""What a translation may not lose: places to fill in, commands, markup, marks."""


def messages(language: str) -> list[Message]:
    with (LOCALE_FOLDER / language / "LC_MESSAGES" / "vigie.po").open("rb") as file:
        return [message for message in read_po(file, locale=language) if message.id]


def pairs(language: str) -> Iterator[tuple[str, str]]:
    """English and translation of every text, one pair for each form of a plural."""
    for message in messages(language):
        if isinstance(message.id, list | tuple) and isinstance(message.string, list | tuple):
            yield from zip(message.id, message.string, strict=True)
        else:
            yield str(message.id), str(message.string)


def template() -> set[str]:
    with (LOCALE_FOLDER / "vigie.pot").open("rb") as file:
        return {str(message.id) for message in read_po(file) if message.id}


def test_machine_catalogue_awaits_review(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(core.languages, "LOCALE_FOLDER", tmp_path)
    for code, line in {
        "xa": "# Reviewed by:",
        "xb": "# Reviewed by: Ada Lovelace, 1 May 2027",
        "xc": "# Texts",
    }.items():
        folder = tmp_path / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "vigie.po").write_text(f'{line}\nmsgid ""\nmsgstr ""\n', encoding="utf-8")
    assert [awaits_review(code) for code in ("xa", "xb", "xc", "en")] == [True, False, False, False]


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_missing_or_guessed(language: str) -> None:
    assert {str(message.id) for message in messages(language)} == template()
    assert [source for source, text in pairs(language) if not text.strip()] == []
    assert [message.id for message in messages(language) if message.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translation_keeps_places_commands_markup_and_marks(language: str) -> None:
    lost = [
        source for source, text in pairs(language) if sorted(KEPT.findall(source)) != sorted(KEPT.findall(text))
    ]  # fmt: skip
    assert lost == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translation_begins_and_ends_as_its_text_does(language: str) -> None:
    def ends(text: str) -> tuple[bool, bool, bool]:
        return text[:1].isspace(), text[-1:].isspace(), text.rstrip().endswith(".")

    assert [source for source, text in pairs(language) if source != "; " and ends(source) != ends(text)] == []


def test_french_typography_is_kept() -> None:
    wrong = re.compile(r"[^\u202f\s\d(←-⇿][;!?»%]|[ \u00a0][:;!?»%]|«[^\u202f]|'")
    bare = [re.sub(r"`[^`]*`|\{[^}]*\}|</?\w+>|\*\*|https?://\S+", "", text) for _source, text in pairs("fr")]
    assert [text for text in bare if wrong.search(text)] == []


def test_spanish_typography_is_kept() -> None:
    wrong = re.compile(r"\d ?%|[ \u00a0\u202f][:;!?,»]|« |\d,\d{3}\b|[“”']")
    own = ("yyyy", "onData", "Pulse ?")
    bare = [re.sub(r"`[^`]*`|\{[^}]*\}", "1", text) for _source, text in pairs("es")]
    bare = [re.sub(r"^\?: |</?\w+>|\*\*|https?://\S+", "", text) for text in bare]
    bare = [text for text in bare if not any(word in text for word in own)]
    assert [text for text in bare if wrong.search(text)] == []
    assert [text for text in bare if text.count("?") != text.count("¿")] == []


def test_french_elision_is_avoided() -> None:
    hiatus = re.compile(r"\b(de|que|le|la) \{(month|months|route|level|country|period|place)\}", re.IGNORECASE)
    assert [text for _source, text in pairs("fr") if hiatus.search(text)] == []


def test_first_of_month_is_ordinal_in_french_alone() -> None:
    assert Language("fr").day(dt.date(2025, 1, 1)) == "1er janvier 2025"
    assert Language("fr").day(dt.date(2025, 1, 31)) == "31 janvier 2025"
    assert Language("en").day(dt.date(2025, 1, 1)) == "1 January 2025"
    assert Language("es").day(dt.date(2025, 1, 1)) == "1 de enero de 2025"


def test_months_and_numbers_are_written_as_spanish_does() -> None:
    spanish = Language("es")
    assert spanish.months(dt.date(2025, 2, 1), dt.date(2025, 4, 1)) == "febrero–abril de 2025"
    assert (spanish.counted(12345), spanish.decimal(0.84)) == ("12.345", "0,84")
    assert spanish.percent(0.5) == "50\u202f%"


def test_what_rounds_to_zero_has_no_sign() -> None:
    english = Language("en")
    assert (english.decimal(-0.004), english.decimal(-0.006), english.counted(-0.4)) == ("0.00", "−0.01", "0")


def test_record_falls_back_to_english() -> None:
    record = {"what": "Crude oil price (World Bank)", "publisher": "Vigie", "n": 3}
    assert Language("fr").record(record)["what"] == Language("fr").text("Crude oil price (World Bank)")
    assert Language("fr").record(record)["publisher"] == "Vigie"
    assert Language("en").record(record) == record


MANY = (
    "Arrivals expected on every route over its next", "better than the baseline {first}", "Of {n} sample paths",
    "Do drivers help?", "Figures are late", "Its error was", "answered {status} and asks",
    "cut off", "position outside", "redirected more than", "refused: more than", "the answer took longer",
    "{citizen}: {value} ", "{fault} (", "{month} counted", "{n} known figures", "{n} pages",
    "{n} figures repeat", "{n} series move alike", "{span} ", "{share} months of lead time",
    "{place}: {places} places", "{places} places:",
)  # fmt: skip
"""Texts, by how they begin, whose figure is never none or one: limits, ages beyond a limit, what needs many cases."""
NOUNS = {
    "fr": r"(?!(?:des|dans|dès|fois|plus|habituels|sans|sous)\b)",
    "es": r"(?!(?:es|veces|antes|más|tras)\b)",
}  # fmt: skip


@pytest.mark.parametrize("language", ["fr", "es"])
def test_words_that_agree_with_figure_have_form_for_each_number(language: str) -> None:
    agrees = re.compile(rf"\{{\w+\}}(?:\*\*|</b>)?[ \u202f]{NOUNS[language]}(?:\w+’)?\w+[sx]\b")
    texts = [(str(one.id), str(one.string)) for one in messages(language) if isinstance(one.id, str)]
    assert [source for source, text in texts if agrees.search(text) and not source.startswith(MANY)] == []


def test_change_of_one_person_has_its_sign_and_none_has_none() -> None:
    english = Language("en")
    assert [english.signed(change) for change in (1.0, -1.0, 0.4, 0.0)] == ["+1", "\N{MINUS SIGN}1", "0", "0"]


@pytest.mark.parametrize(
    ("language", "first", "last", "said"),
    [
        ("en", "2025-02", "2025-04", "in February–April 2025"),
        ("fr", "2025-02", "2025-04", "de février à avril 2025"),
        ("fr", "2025-10", "2026-01", "d’octobre 2025 à janvier 2026"),
        ("fr", "2025-03", "2025-03", "en mars 2025"),
        ("es", "2025-02", "2025-04", "de febrero a abril de 2025"),
    ],
)
def test_months_as_the_time_of_an_event_have_their_preposition(language: str, first: str, last: str, said: str) -> None:
    assert Language(language).in_months(first, last) == said


def test_scale_of_chance_names_every_limit() -> None:
    assert Language("en").chance_scale() == (
        "Words of chance",
        "very unlikely below 5%, unlikely below 33%, rather unlikely below 45%, about even below 55%, "
        "rather likely below 67%, likely below 90%, very likely from 90%",
    )

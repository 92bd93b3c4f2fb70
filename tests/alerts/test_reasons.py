"""An alert's sentence is short, and can be written again from its figures."""

from __future__ import annotations

import json

import pytest

from alerts.rules import TEMPLATES, as_json, sentence
from core.languages import Language

from .conftest import LONGEST

LONG: dict[str, str | float] = {
    "chance": 0.44,
    "threshold": 222_222.0,
    "factor": 1.75,
    "first": "2024-12",
    "month": "2025-02",
    "value": 222_222.0,
    "lower": 111_000.0,
    "upper": 199_000.0,
    "period": "2025-09",
    "age": 1234,
    "expected": 365,
    "before": 222_222.0,
    "after": 333_333.0,
    "citizen": "CAF",
    "share": 0.35,
    "share_before": 0.12,
}


@pytest.mark.parametrize("key", sorted(TEMPLATES))
@pytest.mark.parametrize("chance", [0.25, 0.44, 0.999])
def test_sentence_fits_on_two_lines_even_with_longest_words(key: str, chance: float) -> None:
    text = sentence(key, LONG | {"chance": chance})
    assert len(text) <= LONGEST, text
    assert text.endswith(".")
    assert text.count(".") - text.count("1.75") == 1
    assert "{" not in text


@pytest.mark.parametrize("key", sorted(TEMPLATES))
def test_sentence_can_be_written_again_from_stored_figures(key: str) -> None:
    assert sentence(key, json.loads(as_json(LONG))) == sentence(key, LONG)


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("2024-12", "décembre 2024"),
        ("2025-Q4", "octobre–décembre 2025"),
        ("2024-02-29", "29 février 2024"),
        ("2026-W01", "4 janvier 2026"),
    ],
)
def test_late_source_period_is_written_in_words(period: str, words: str) -> None:
    said = sentence("stale_source", LONG | {"period": period}, Language("fr"))
    assert words in said
    assert period not in said


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "Very unlikely (below 1%)"), (0.049, "Unlikely (5%)"), (0.32, "Unlikely (32%)"),
        (0.33, "Rather unlikely (33%)"), (0.45, "About even (45%)"), (0.55, "Rather likely (55%)"),
        (0.67, "Likely (67%)"), (0.9, "Very likely (90%)"), (0.995, "Very likely (above 99%)"),
        (1.0, "Very likely (above 99%)"),
    ],
)  # fmt: skip
def test_word_and_number_of_chance_agree(chance: float, words: str) -> None:
    assert sentence("capacity_own", LONG | {"chance": chance}).startswith(
        words + " to pass the capacity of 222,222 a month"
    )


@pytest.mark.parametrize(
    ("key", "limit", "words"),
    [
        ("capacity_own", 1234.5, "to pass the capacity of 1,234 a month"),
        ("record_12", 1234.7, "to pass 1,234,"),
        ("surge", 1234.5, "to reach 1,235,"),
        ("surge", 1234.2, "to reach 1,235,"),
        ("fall", 617.5, "to fall to 617,"),
    ],
)
def test_sentence_names_whole_number_that_its_rule_tests(key: str, limit: float, words: str) -> None:
    assert words in sentence(key, LONG | {"threshold": limit})


def test_forecast_figures_are_rounded_and_counted_ones_are_not() -> None:
    text = sentence("outside_95_above", {"month": "2024-12", "value": 12_345.0, "lower": 2_149.0, "upper": 9_851.0})
    assert text == "December 2024 counted 12,345, above the 2,100 to 9,900 expected before."
    text = sentence("outside_95_below", {"month": "2024-12", "value": 7.0, "lower": 12_345.0, "upper": 98_765.0})
    assert text == "December 2024 counted 7, below the 12,300 to 98,800 expected before."


def test_no_sentence_uses_words_that_frighten() -> None:
    for text in TEMPLATES.values():
        assert not {"threat", "surge", "wave", "hit", "flood"} & set(text.lower().replace(",", " ").split())

"""Every fault that Vigie can find in a file or an answer is told in the reader's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.fault_texts import FILES, NIGHTS, ROWS, TOGETHER, VISITS
from core.faults import fault_words
from core.languages import catalogue
from core.settings import PROJECT

RAISED_IN = [
    *sorted(path for room in ("ingest", "nightly") for path in (PROJECT / room).rglob("*.py")),
    PROJECT / "core/countries.py",
]
WRITTEN_IN = [
    path
    for room in ("core", "forecasting", "ingest", "nightly", "store")
    for path in (PROJECT / room).rglob("*.py")
    if path.stem != "fault_texts"
]
PLACE_OF_SENTENCE = {"RowRule": 1, "SourceError": 1, "_TemporaryError": 0}
"""Calls that name a fault, and which argument says it."""
PARTS = {
    "rule": "the count is negative", "rule.rule": "the count is negative", "others": "", "times": " (4 times)",
    "error": "no connection in time", "reason": "it holds macros", "words": "answered 503", "led": "the address is on",
    "word": "month", "label": "period", "CUT_OFF": "cut off", "item['reason']": "cut off after 7 s",
}  # fmt: skip
"""What stands in places whose words are Vigie's own; any other place holds something of the publisher's."""


PUT_TOGETHER = {
    "{fault}: '{value}' ({bad} of {total} rows break a rule)",
    "links or redirects to '{host}', a host that live.toml does not declare for {source_id}",
    "monthly asylum applications end in {period}",
    "monthly asylum applications first end in {period}",
    "quarterly asylum applications first end in {period}",
    "the header names no dimension, an empty one, or the same one twice",
    "the period is not a quarter",
    "the period is not a year",
    "too old for a forecast of asylum applications: {faults}",
}
"""Templates of sentences that the code puts together from words."""


def english(text: str) -> str:
    return text


def french(text: str) -> str:
    return catalogue("fr").gettext(text)


def sentence(node: ast.expr) -> str:
    """A sentence as it would be recorded; an empty text where the code does not write it there."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [
            str(part.value) if isinstance(part, ast.Constant) else PARTS.get(ast.unparse(part.value), "7")  # type: ignore[attr-defined]  # a part is a constant or a formatted value
            for part in node.values
        ]
        return "".join(parts)
    return ""


def sentences(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = PLACE_OF_SENTENCE.get(node.func.id)
        if place is not None and len(node.args) > place and (said := sentence(node.args[place])):
            yield said


@pytest.mark.parametrize("path", RAISED_IN, ids=lambda path: path.stem)
def test_every_fault_that_the_code_names_is_in_the_catalogue(path: Path) -> None:
    assert [said for said in sentences(path) if fault_words(said, english) is None] == []


def test_no_template_has_outlived_the_sentence_that_it_recognises() -> None:
    used: set[str] = set()

    def note(template: str) -> str:
        used.add(template)
        return template

    for path in WRITTEN_IN:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr | ast.Constant) and (said := sentence(node)):
                fault_words(said, note)
                fault_words(f"refused: {said} (a.xml)", note)
    assert {*ROWS, *FILES, *VISITS, *NIGHTS, *TOGETHER} - used - PUT_TOGETHER == set()


def test_the_check_reads_the_faults_of_the_code() -> None:
    found = {said for path in RAISED_IN for said in sentences(path)}
    assert len(found) > 150
    assert fault_words("a fault that nobody has written down", english) is None


@pytest.mark.parametrize("template", [*ROWS, *FILES, *VISITS, *NIGHTS, *TOGETHER])
def test_each_template_recognises_its_own_sentences(template: str) -> None:
    parts = {"fault": "the count is negative", "faults": "the file is empty, the sheet is empty"}
    names = {name: parts.get(name, "x") for name in ast_names(template)}
    said = template.format(**names)
    assert fault_words(said, english) == said


def ast_names(template: str) -> list[str]:
    joined = ast.parse("f" + repr(template), mode="eval").body
    assert isinstance(joined, ast.JoinedStr)
    return [ast.unparse(part.value) for part in joined.values if isinstance(part, ast.FormattedValue)]


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ("the count is negative", "l’effectif est négatif"),
        ("dtm.csv: the file is empty", "dtm.csv\u202f: le fichier est vide"),
        (
            "a b.csv, row 17, column n: the count is negative: '-3' (4 of 10 rows break a rule)",
            "a b.csv, ligne 17, colonne n\u202f: l’effectif est négatif\u202f: «\u202f-3\u202f» "
            "(4 lignes sur 10 enfreignent une règle)",
        ),
        (
            "https://api.example.org:8/x: answered 503 Service Unavailable (4 times)",
            "https://api.example.org:8/x\u202f: a répondu 503 Service Unavailable (4 essais)",
        ),
        ("different figures for the same geo and t", "des chiffres différents pour une même clé (geo, t)"),
    ],
)
def test_a_recorded_fault_is_told_in_french_with_its_place_and_figures(recorded: str, told: str) -> None:
    assert fault_words(recorded, french) == told


def test_a_publishers_braces_are_told_as_they_are() -> None:
    assert fault_words("not JSON but '{name} {0}'", french) == "ce n’est pas du JSON mais «\u202f{name} {0}\u202f»"


@pytest.mark.parametrize("recorded", ["", "disk on fire", "dtm.csv: disk on fire", "the file is empty" * 200])
def test_what_no_template_knows_is_left_to_the_caller(recorded: str) -> None:
    assert fault_words(recorded, english) is None

"""One message per fault: an id with parameters, kept as data and rendered in any language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Message, SourceError, first_line, message
from core.languages import Language, catalogue
from core.settings import PROJECT

NAMES_A_FAULT = {"RowRule": 1, "SourceError": 1, "PersonLevelError": 1, "_TemporaryError": 1, "message": 0}
"""Calls that say what is wrong, and which argument says it."""
NESTED = SourceError(
    "a b.csv",
    "{fault} ({bad} of {total} rows break a rule)",
    row=17,
    column="n",
    fault=Message("the count is negative"),
    bad=4,
    total=10,
)


def french(text: str) -> str:
    return catalogue("fr").gettext(text)


def faults_not_marked(path: Path) -> Iterator[str]:
    """Faults that are written out where they are raised without being marked for translation."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES_A_FAULT:
            for said in node.args[NAMES_A_FAULT[node.func.id] :][:1]:
                if isinstance(said, ast.JoinedStr | ast.Constant | ast.BinOp):
                    yield f"{path.stem}, line {node.lineno}: {ast.unparse(said)}"


def test_every_fault_is_marked_for_translation() -> None:
    rooms = ("core", "ingest", "nightly")
    paths = [path for room in rooms for path in (PROJECT / room).rglob("*.py")]
    assert [found for path in paths for found in faults_not_marked(path)] == []


def test_fault_names_place_and_rule_never_cell() -> None:
    assert str(NESTED) == ("a b.csv, row 17, column n: the count is negative (4 of 10 rows break a rule)")
    assert NESTED.message.render(french) == (
        "a b.csv, ligne 17, colonne n\u202f: l’effectif est négatif (4 lignes sur 10 enfreignent une règle)"
    )


@pytest.mark.parametrize(
    "said",
    [
        NESTED.message,
        message("too old for a forecast of asylum applications: {faults}", faults=[Message("a"), Message("b {n}")]),
        message("missing columns {columns}; found {found}", columns=["a", "b"], found=[]),
        message("cannot be read: {error}", error=None),
    ],
)
def test_message_kept_as_data_says_same_when_it_is_read_again(said: Message) -> None:
    again = Message.from_json(said.to_json())
    assert (str(again), again.render(french)) == (str(said), said.render(french))


def test_publishers_braces_are_said_as_they_are() -> None:
    fault = SourceError("a.json", "not JSON but '{start}'", start="{name} {0}")
    assert str(Message.from_json(fault.message.to_json())) == "a.json: not JSON but '{name} {0}'"


@pytest.mark.parametrize(
    ("text", "line", "with_kind"),
    [("\nno answer \nTraceback", "no answer ", "OSError: no answer "), ("", "OSError", "OSError")],
)
def test_of_librarys_error_first_line_is_reported_or_its_kind(text: str, line: str, with_kind: str) -> None:
    assert first_line(OSError(text)) == line
    assert first_line(OSError(text), with_kind=True) == with_kind


def test_message_figures_follow_language() -> None:
    said = message("row {row} is {value}", row=1234, value=1195000.0)
    assert str(said) == "row 1234 is 1,195,000"
    assert said.render(french, Language("fr").significant) == "row 1234 is 1\u202f195\u202f000"
    assert Message.from_json(said.to_json()) == said

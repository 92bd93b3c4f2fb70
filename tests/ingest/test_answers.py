"""What publishers answer: counts of themselves, links, JSON as a table."""

from __future__ import annotations

import json

import pytest

from core.errors import SourceError
from ingest import RawFile
from ingest.answers import json_rows, json_table, require_announced, whole_number


@pytest.mark.parametrize("total", [1, 3])
def test_another_number_of_rows_than_announced_is_refused(total: int) -> None:
    require_announced("a source", 2, 2)
    with pytest.raises(SourceError, match=f"2 rows came where {total} were announced"):
        require_announced("a source", 2, total)


def test_json_document_without_its_end_was_cut_off() -> None:
    with pytest.raises(SourceError, match="the JSON document was cut off"):
        json_rows(RawFile("x.json", b'[{"a": 1}, {"a": "tr'))


@pytest.mark.parametrize(
    ("found", "number"),
    [
        (7, 7), ("7", 7), (" 12 ", 12), (0, 0), ("9" * 12, 999_999_999_999), ("9" * 13, None), (True, None),
        (None, None), (-1, None), ("1.5", None), (1.5, None), ("", None), ("\u0663", None),
    ],
)  # fmt: skip
def test_page_count_has_at_most_twelve_digits(found: object, number: int | None) -> None:
    if number is None:
        with pytest.raises(SourceError, match="'total' is missing or no count"):
            whole_number("a source", {"total": found}, "total")
    else:
        assert whole_number("a source", {"total": found}, "total") == number


def as_json(content: object) -> RawFile:
    return RawFile("x.json", json.dumps(content).encode())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([{"a": 1}, {"b": 1}], "row 2, column a: the field is missing in this row alone"),
        ([{"b": 1}], r"row 1: missing columns \['a'\]; found \['b'\]"),
        ([{"a": 1}, {"a": {}}], "row 2, column a: the field holds a list or an object"),
        ([{"a": []}], "row 1, column a: the field holds a list or an object"),
        ([], "the list is empty"),
        ([1], "no list of objects at 'top'"),
        ({"a": 1}, "no list of objects at 'top'"),
    ],
)
def test_object_without_field_is_refused_by_row(content: object, fault: str) -> None:
    with pytest.raises(SourceError, match=fault):
        json_table(as_json(content), ["a"])

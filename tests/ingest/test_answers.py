"""What publishers answer: JSON as a table."""

from __future__ import annotations

import json

import pytest

from core.errors import SourceError
from ingest import RawFile, json_rows, json_table


def test_json_document_without_its_end_was_cut_off() -> None:
    with pytest.raises(SourceError, match="the JSON document was cut off"):
        json_rows(RawFile("x.json", b'[{"a": 1}, {"a": "tr'))


def as_json(content: object) -> RawFile:
    return RawFile("x.json", json.dumps(content).encode())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([{"a": 1}, {"b": 1}], "row 2, column a: the field is missing"),
        ([{"b": 1}], "row 1, column a: the field is missing"),
        ([{"a": 1}, {"a": {}}], "row 2, column a: the field holds a list or an object"),
        ([{"a": []}], "row 1, column a: the field holds a list or an object"), ([], "the list is empty"),
        ([1], "no list of objects at 'top'"), ({"a": 1}, "no list of objects at 'top'"),
    ],
)  # fmt: skip
def test_object_without_field_is_refused_by_row(content: object, fault: str) -> None:
    with pytest.raises(SourceError, match=fault):
        json_table(as_json(content), ["a"])

"""JSON-stat 2.0 as Eurostat answers it."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SourceError
from ingest import RawFile
from ingest.sources._eurostat import read_jsonstat


def answer(**changes: object) -> RawFile:
    """Two citizenships, two countries, two months: eight cells, of which three hold a value."""
    body = {
        "version": "2.0",
        "class": "dataset",
        "value": {"0": 835, "3": 10, "7": 5},
        "status": {"7": "p"},
        "id": ["citizen", "geo", "time"],
        "size": [2, 2, 2],
        "dimension": {
            "citizen": {"category": {"index": {"TOTAL": 0, "SY": 1}}},
            "geo": {"category": {"index": {"FR": 1, "DE": 0}}},
            "time": {"category": {"index": {"2026-01": 0, "2026-02": 1}}},
        },
    }
    return RawFile("answer.json", json.dumps(body | changes).encode())


def test_last_dimension_counts_fastest() -> None:
    frame = read_jsonstat(answer())
    assert frame.to_dict("records") == [
        {"citizen": "TOTAL", "geo": "DE", "time": "2026-01", "value": 835.0, "status": ""},
        {"citizen": "TOTAL", "geo": "FR", "time": "2026-02", "value": 10.0, "status": ""},
        {"citizen": "SY", "geo": "FR", "time": "2026-02", "value": 5.0, "status": "p"},
    ]


def test_cells_and_codes_may_be_listed() -> None:
    listed = {
        "citizen": {"category": {"index": ["TOTAL", "SY"]}},
        "geo": {"category": {"label": {"DE": "Germany", "FR": "France"}}},
        "time": {"category": {"index": ["2026-01", "2026-02"]}},
    }
    body = answer(value=[835, None, None, 10, None, None, None, 5], dimension=listed)
    assert read_jsonstat(body).equals(read_jsonstat(answer()))


def test_absent_position_is_no_row_and_never_zero() -> None:
    assert len(read_jsonstat(answer())) == 3


def test_answer_without_values_is_refused() -> None:
    with pytest.raises(SourceError, match="holds no value"):
        read_jsonstat(answer(value={}))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"version": "1.0"}, "column version: not a JSON-stat 2.0"), ({"class": "collection"}, "not a JSON-stat 2.0"),
        ({"size": [2, 2]}, r"of \[2, 2\] categories"), ({"size": [2, 2, 3]}, r"of \[2, 2, 3\] categories"),
        ({"id": ["citizen", "geo", "geo"]}, "'geo', 'geo'"), ({"value": {"8": 1}}, "outside the 8 cells"),
        ({"value": {"-1": 1}}, "column value.-1"), ({"value": {"one": 1}}, "column value.one"),
        ({"value": {"0": "835"}}, "column value.0: .*a valid number"), ({"value": {"0": True}}, "a valid number"),
        ({"value": "835"}, "column value: .*a valid dict"), ({"dimension": {}}, "no categories"),
        ({"error": [{"status": 413, "label": "EXTRACTION_TOO_BIG"}]}, "EXTRACTION_TOO_BIG"),
    ],
)  # fmt: skip
def test_broken_answer_is_refused_with_rule_it_breaks(changes: dict[str, object], rule: str) -> None:
    with pytest.raises(SourceError, match=rule):
        read_jsonstat(answer(**changes))


@pytest.mark.parametrize(
    "content", [b"", b"<html>maintenance</html>", b"\xff\xfe", b"[]", b"null", b'{"version":"2.0"']
)
def test_what_is_not_json_or_no_dataset_is_refused(content: bytes) -> None:
    with pytest.raises(SourceError):
        read_jsonstat(RawFile("answer.json", content))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_every_cell_is_found_where_nested_loops_find_it(sizes: list[int], data: st.DataObject) -> None:
    names = [f"d{place}" for place in range(len(sizes))]
    cells = list(itertools.product(*[[f"c{code}" for code in range(size)] for size in sizes]))
    kept = data.draw(st.sets(st.integers(0, len(cells) - 1), min_size=1))
    dimension = {
        name: {"category": {"index": {f"c{code}": code for code in range(size)}}}
        for name, size in zip(names, sizes, strict=True)
    }
    raw = answer(id=names, size=sizes, dimension=dimension, value={str(cell): cell for cell in kept}, status={})
    frame = read_jsonstat(raw)
    assert [tuple(row) for row in frame[names].to_numpy()] == [cells[cell] for cell in sorted(kept)]
    assert frame["value"].tolist() == sorted(kept)

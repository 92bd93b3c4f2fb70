"""Eurostat's wide TSV."""

from __future__ import annotations

import gzip

import pytest

from core.errors import SourceError
from ingest import RawFile
from ingest.sources._eurostat import read_tsv

TABLE = b"freq,citizen,geo\\TIME_PERIOD\t2008-01 \t2008-02 \nM,TOTAL,DE\t2445 \t1980 p\nM,TOTAL,EL\t: \t: c\n"


def raw(content: bytes = TABLE) -> RawFile:
    return RawFile("table.tsv", content)


def test_each_cell_becomes_row_with_its_flag() -> None:
    frame = read_tsv(raw())
    assert list(frame.columns) == ["freq", "citizen", "geo", "time_period", "value", "flag", "line"]
    assert frame[["geo", "time_period", "value", "flag", "line"]].to_numpy().tolist() == [
        ["DE", "2008-01", "2445", "", 2],
        ["DE", "2008-02", "1980", "p", 2],
        ["EL", "2008-01", ":", "", 3],
        ["EL", "2008-02", ":", "c", 3],
    ]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "the file is empty"), (b"geo,2008-01\nDE,5\n", "header must start"),
        (TABLE.partition(b"\n")[0] + b"\n", "no series"), (TABLE[:-8], "cut off"),
        (TABLE.replace(b"\t: c", b""), "cells in the line: 2, in the header: 3"),
        (TABLE.replace(b"M,TOTAL,DE", b"M,DE"), "key fields: 2, where the header has 3"),
        (TABLE.replace(b"2008-02", b"2008-01"), "stand twice in the header"),
        (b"geo\\TIME_PERIOD\t2008-01 \t2008-04 \t2008-03 \nDE\t1 \t2 \t3 \n", "out of order"),
        (TABLE.replace(b"citizen,geo", b"geo,geo"), "same one twice"),
        (b"<?xml version='1.0'?><env:Envelope/>\\TIME\t2008", "XML notice"),
        ("freq,geo\\TIME_PERIOD\té".encode("latin-1"), "not utf-8"),
        (gzip.compress(TABLE, mtime=0)[:-9], "it was cut off"),
    ],
)  # fmt: skip
def test_broken_table_is_refused_with_rule_it_breaks(content: bytes, rule: str) -> None:
    with pytest.raises(SourceError, match=rule):
        read_tsv(raw(content))


def test_periods_may_stand_in_either_order() -> None:
    back = TABLE.replace(b"2008-01 \t2008-02 ", b"2008-02 \t2008-01 ")
    assert read_tsv(raw(back))["time_period"].tolist() == ["2008-02", "2008-01"] * 2

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import rdata
from odf import opendocument
from odf.table import Table, TableCell, TableRow
from odf.text import P

from core.errors import SourceError
from ingest import RawFile
from ingest.tables import read_csv, read_rda, read_sheet


def _file(content: bytes | str, name: str = "figures.csv") -> RawFile:
    return RawFile(name, content.encode() if isinstance(content, str) else content)


def test_cells_come_as_text_indexed_by_their_line() -> None:
    frame = read_csv(_file("day,n\n2024-01-01,007\n2024-01-02,NA\n2024-01-03,\n"), ["day", "n"])
    assert frame["n"].tolist() == ["007", "NA", ""]
    assert frame.index.tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"), ("\n \n", "empty"), ("<!DOCTYPE html><html></html>\n", "web page"), ("  <html>\n", "web page"),
        (b"day,n\n2024-01-01,caf\xe9\n", "not utf-8 text"), ("day,n\n2024-01-01,7\n".encode("utf-16"), "text"),
        (b"day,n\n2024-01-01,\x00\n", "NUL bytes"),
        ("day,n\n2024-01-01,7\n2024-01-02,1", "row 3: the last line has no line end"),
        ("day,n\n2024-01-01,7\n2024-01\n", "row 3: cells in the line: 1, in the header: 2"),
        ("day,n\n2024-01-01,7,9\n", "row 2: cells in the line: 3"), ("day;n\n2024-01-01;7\n", "missing columns"),
        ('day,n\n"2024-01-01,7\n', "not a table"), ("day,n,n\n2024-01-01,7,8\n", r"columns \['n'\] stand twice"),
        ("Ada Lovelace,n\n2024-01-01,7\n", r"missing columns \['day'\]; found \['n'\]$"),
    ],
)  # fmt: skip
def test_broken_text_file_is_refused_by_name_and_rule(content: bytes | str, reason: str) -> None:
    with pytest.raises(SourceError, match=rf"figures\.csv.*{reason}"):
        read_csv(_file(content), ["day", "n"])


def _workbook() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame([["Route", "JAN2024"], ["CMR", 7], [None, None], ["NA", 0]]).to_excel(
        buffer, sheet_name="Data", header=False, index=False
    )
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"<html>", "web page"), (_workbook()[:900], "whole workbook"), (b"PK\x03\x04oops", "workbook")],
)
def test_broken_workbook_is_refused_by_name_and_rule(content: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=rf"book\.xlsx: .*{reason}"):
        read_sheet(_file(content, "book.xlsx"), "Data")


def _rda(tmp_path: Path) -> bytes:
    path = tmp_path / "table.rda"
    rdata.write_rda(path, {"table": pd.DataFrame({"geo": ["ITA", "MLT"], "n": [1.0, 2.0]})})
    return path.read_bytes()


def test_r_table_is_read(tmp_path: Path) -> None:
    frame = read_rda(_file(_rda(tmp_path)), "table", ["geo", "n"])
    assert frame["geo"].tolist() == ["ITA", "MLT"]
    assert frame.index.tolist() == [1, 2]


def test_broken_r_file_is_refused_by_name_and_rule(tmp_path: Path) -> None:
    whole = _rda(tmp_path)
    half = whole[: len(whole) // 2]
    for content, reason in ((b"", "empty"), (half, "cut off"), (b"RDX9 nonsense", "whole R data")):
        with pytest.raises(SourceError, match=rf"table\.rda: .*{reason}"):
            read_rda(_file(content, "table.rda"), "table", ["geo"])
    with pytest.raises(SourceError, match="the table 'other' is missing"):
        read_rda(_file(whole), "other", ["geo"])
    with pytest.raises(SourceError, match=r"missing columns \['nat'\]"):
        read_rda(_file(whole), "table", ["geo", "nat"])


@pytest.mark.parametrize(
    ("strange", "where", "reason"),
    [
        ("#REF!", "data!B3", "an error in place of a value"),
        ("=1+1", "data!B3", "a formula whose value was never stored"),
        ("merged", "data!B3:B4", "cells of figures are merged"),
    ],
)
def test_cell_whose_value_is_hidden_is_refused_with_its_address(strange: str, where: str, reason: str) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "data"
    for row in (["A title over both", None], ["month", "count"], ["2024-01", 5], ["2024-02", 6]):
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    if strange == "merged":
        sheet.merge_cells("B3:B4")
    else:
        sheet["B3"] = strange
    content = io.BytesIO()
    book.save(content)
    with pytest.raises(SourceError, match=f"book.xlsx: cell {where}: .*{reason}"):
        read_sheet(RawFile("book.xlsx", content.getvalue()), "data")


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ({"valuetype": "string", "formula": "of:=[.Z1]"}, ""),
        ({"formula": "of:=1+1"}, "formula whose value was never stored"),
        ({"valuetype": "string", "formula": "error"}, "an error in place of a value"),
        ({"valuetype": "float", "value": "3", "numbercolumnsspanned": "2"}, "cells of figures are merged"),
        ({"valuetype": "string", "numbercolumnsspanned": "2"}, ""),
    ],
)
def test_hidden_cell_of_open_document_is_refused(cell: dict[str, str], rule: str) -> None:
    document, table = opendocument.OpenDocumentSpreadsheet(), Table(name="SB_01")
    for line in ([{"valuetype": "float", "value": "1"}] * 2, [{"valuetype": "float", "value": "2"}, cell]):
        row = TableRow()
        for given in line:
            row.addElement(TableCell(**given))
            row.lastChild.addElement(P(text="5"))
        table.addElement(row)
    document.spreadsheet.addElement(table)
    buffer = io.BytesIO()
    document.write(buffer)
    with zipfile.ZipFile(buffer, "a") as book, pytest.warns(UserWarning, match="Duplicate name"):
        content = book.read("content.xml").replace(b'table:formula="error"', b'xmlns:c="urn:c" c:value-type="error"')
        book.writestr("content.xml", content)
    raw = RawFile("days.ods", buffer.getvalue())
    if not rule:
        assert len(read_sheet(raw, "SB_01")) == 2
    else:
        with pytest.raises(SourceError, match=rf"SB_01!B2: .*{rule}"):
            read_sheet(raw, "SB_01")

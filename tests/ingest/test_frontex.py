from __future__ import annotations

import hashlib
import io
import os
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import rdata

from core.errors import SourceError
from core.settings import PROJECT
from ingest import RawFile, read_raw
from ingest.sources import INTAKE, frontex

ROWS: list[list[Any]] = [
    ["Route", "Border type or inland", "Nationality", "JAN2024", "FEB2024", "MAR2024"],
    ["Central Mediterranean Route", "Sea", "Bangladesh", 0, 5, 0],
    ["Central Mediterranean Route", "Sea", "Unknown", 1, 0, 2],
    ["Central Mediterranean Route", "Sea", "Third-country", 1, 0, 1],
    ["Eastern Borders Route", "Land", "Unspecified sub-Saharan nationals", 3, None, None],
    ["Western Balkan Route", "Land", "Kosovo*", 7, 8, 9],
    ["Western Balkan Route", "Sea", "Kosovo*", 1, 1, 1],
    ["Other", "Sea", "Congo (Kinshasa)", 0, 0, 0],
]
NOTES: list[list[Any]] = [["Definition"], [None], ["Source: FRAN data as of 03JUN24"]]


def _workbook(rows: list[list[Any]] = ROWS, notes: list[list[Any]] = NOTES, name: str = "ibc.xlsx") -> RawFile:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Detections_of_IBC"
    for row in rows:
        sheet.append(row)
    other = book.create_sheet("Notes")
    for row in notes:
        other.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return RawFile(name, buffer.getvalue())


def _changed(row: int, column: int, value: object) -> list[list[Any]]:
    """The miniature with one cell changed; row and column counted from 1 as in the sheet."""
    rows = [list(cells) for cells in ROWS]
    rows[row - 1][column - 1] = value
    return rows


def _values(raw: RawFile) -> dict[str, dict[str, float]]:
    found = frontex.parse(raw).observations
    return {
        str(name): dict(zip(rows["time_period"], rows["obs_value"], strict=True))
        for name, rows in found.groupby("series_id")
    }


def test_land_and_sea_add_up() -> None:
    values = _values(_workbook())
    months = ["2024-01", "2024-02", "2024-03"]
    assert values["detections.CMR._T._T.M"] == dict(zip(months, [2, 5, 3], strict=True))
    assert values["detections.CMR._T.BGD.M"] == {"2024-02": 5, "2024-03": 0}
    assert values["detections.WBR._T.XKX.M"] == dict(zip(months, [8, 9, 10], strict=True))
    assert values["detections.OTH._T._T.M"] == dict(zip(months, [0, 0, 0], strict=True))
    assert "detections.OTH._T.COD.M" not in values


def test_notes_date_vintage() -> None:
    found = frontex.parse(_workbook()).observations
    assert found["as_of"].unique().tolist() == [pd.Timestamp("2024-06-03")]
    assert not found["as_of_estimated"].any()


@pytest.mark.parametrize(
    ("label", "route_id"),
    [("Eastern Land Borders", "EBR"), ("Western Balkans", "WBR"), ("Circular route from Albania to Greece", "ALB"),
     ("Western African", "WAR"), ("black sea", "BSR")],
)  # fmt: skip
def test_labels_of_both_sheets_lead_to_same_route(label: str, route_id: str) -> None:
    assert f"detections.{route_id}._T._T.M" in _values(_workbook(_changed(2, 1, label)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (_changed(1, 1, "Itinerary"), "row 1: the header must start with .*'Itinerary'"),
        (_changed(3, 5, "many"), "row 3, column FEB2024: the count is not a whole number$"),
        (_changed(3, 5, 1.5), "row 3, column FEB2024: the count is not a whole number"),
        (_changed(3, 5, "inf"), "row 3, column FEB2024: the count is not a whole number"),
        (_changed(4, 6, -4), "row 4, column MAR2024: the count is negative$"),
        (_changed(1, 6, "JAN2099"), "row 1, column JAN2099: the month lies after"),
        (_changed(1, 6, "JUN2024"), "row 1, column JUN2024: the month lies after 2024-06-03"),
        (_changed(1, 6, "APR2024"), "row 1, column APR2024: the months .* do not follow"),
        (_changed(1, 6, "FEB2024"), "row 1, column FEB2024: the months .* do not follow"),
        (_changed(1, 6, "Total"), "row 1, column Total: a month such as JAN2009"),
        (_changed(1, 6, "JAN9999"), "row 1, column JAN9999: a month such as JAN2009"),
        (_changed(2, 3, "Ruritania"), "row 2, column Nationality: unknown country names or codes$"),
        (_changed(2, 3, None), "row 2, column Nationality: unknown"),
        (_changed(2, 1, "Northern Passage"), "row 2, column Route: unknown route$"),
        ([*ROWS, ROWS[1]], "row 9: route, border and nationality are listed twice"),
        (ROWS[:1], "holds no figures"),
        ([], "is empty"),
    ],
)
def test_bad_cell_refuses_workbook_with_place(rows: list[list[Any]], message: str) -> None:
    with pytest.raises(SourceError, match=rf"ibc\.xlsx.*{message}"):
        frontex.parse(_workbook(rows))


@pytest.mark.parametrize("text", ["Source: FRAN data", "data as of 31FEB24", "data as of 03XYZ24"])
def test_workbook_without_its_date_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match=r"ibc\.xlsx: sheet 'Notes' gives"):
        frontex.parse(_workbook(notes=[[text]]))


@pytest.mark.parametrize("damage", ["truncated", "empty", "html"])
def test_what_is_no_workbook_is_refused_by_its_name(damage: str) -> None:
    whole = _workbook().content
    content = {"truncated": whole[: len(whole) // 2], "empty": b"", "html": b"<!DOCTYPE html><html>403</html>"}[damage]
    with pytest.raises(SourceError, match=r"ibc\.xlsx"):
        frontex.parse(RawFile("ibc.xlsx", content))


def _vintage(tmp_path: Path, table: pd.DataFrame, name: str = "frontex_2024-06-03.rda") -> RawFile:
    path = tmp_path / "table.rda"
    rdata.write_rda(path, {"frontex": table})
    return RawFile(name, path.read_bytes())


def _long(n: list[float] | None = None) -> pd.DataFrame:
    """The miniature's cells as the package lists them: months in days since 1970, no zeros."""
    return pd.DataFrame(
        {
            "route": ["Central Mediterranean Route"] * 3 + ["Western Balkan Route"] * 2,
            "type": ["Sea"] * 3 + ["Land"] * 2,
            "nat": ["BGD", "OOO", "OOO", "XKX", "XKX"],
            "t": [19754.0, 19723.0, 19783.0, 19723.0, 19783.0],
            "n": n or [5.0, 2.0, 3.0, 8.0, 10.0],
        }
    )


def test_compiled_vintage_restores_zeros_and_date(tmp_path: Path) -> None:
    raw = _vintage(tmp_path, _long())
    values = _values(raw)
    assert values["detections.WBR._T._T.M"] == {"2024-01": 8, "2024-02": 0, "2024-03": 10}
    assert values["detections.CMR._T.UNK.M"] == {"2024-01": 2, "2024-02": 0, "2024-03": 3}
    assert frontex.parse(raw).observations["as_of"].unique().tolist() == [pd.Timestamp("2024-06-03")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": [5.0, 2.0, -3.0, 8.0, 10.0]}, "row 3, column n: the count is negative"),
        ({"n": [5.0, 2.0, 3.0, 8.5, 10.0]}, "row 4, column n: the count is not a whole number"),
        ({"t": [19755.0, 19723.0, 19783.0, 19723.0, 19783.0]}, "row 1, column t: not the first day"),
        ({"t": [19754.0, 19723.0, 47482.0, 19723.0, 19783.0]}, "row 3, column t: the month lies after the vintage"),
        ({"nat": ["RUR", "OOO", "OOO", "XKX", "XKX"]}, "row 1, column nat: unknown country"),
        ({"t": [19754.0, 19723.0, 19723.0, 19723.0, 19783.0]}, "row 2, column n: different figures"),
    ],
)
def test_one_bad_row_refuses_compiled_vintage(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=rf"frontex_2024-06-03\.rda, {message}"):
        frontex.parse(_vintage(tmp_path, _long().assign(**change)))


def test_licence_forbids_bundling() -> None:
    assert "files" not in INTAKE["frontex"]


CHECKED_YEARS = "e25cc60fb20f60f856809935daf45447ad9133031a9a52cfe4595d9514c01631"
"""Hash of six years' sums, checked by hand: the figures themselves are for private use only."""


@pytest.fixture(scope="module")
def workbook(raw_data: Path) -> pd.DataFrame:
    return frontex.parse(read_raw(raw_data / "frontex_ibc/ibc.xlsx")).observations


@pytest.mark.raw_data
def test_published_workbook_agrees_with_its_checked_totals(workbook: pd.DataFrame) -> None:
    totals = workbook[workbook["citizen"] == "_T"]
    years = totals.groupby(totals["time_period"].str[:4])["obs_value"].sum()
    found = {year: float(years[year]) for year in ("2015", "2016", "2020", "2022", "2023", "2024")}
    assert hashlib.sha256(repr(found).encode()).hexdigest() == CHECKED_YEARS
    assert totals.groupby("route_id").size().to_dict() == dict.fromkeys(
        ("ALB", "BSR", "CMR", "EBR", "EMR", "OTH", "WAR", "WBR", "WMR"), 196
    )
    by_citizen = workbook[workbook["citizen"] != "_T"].groupby(["route_id", "time_period"])["obs_value"].sum()
    assert (totals.set_index(["route_id", "time_period"])["obs_value"].sub(by_citizen, fill_value=0) == 0).all()


LEFT_OUT = {".git", ".venv", "__pycache__", "node_modules", "requirements", "locale"}
READ = (".py", ".md", ".toml", ".csv", ".json", ".txt")
NUMBER = re.compile(r"(?<![\w.,_])(?!(?:19|20)\d\d(?!\d))(?:\d{1,3}(?:[ ,\u202f\u00a0_]\d{3})+|\d{4,7})(?!\w|[.,]\d)")
"""``2,023`` is a number, ``2023`` is a year."""
FEWEST_ANYWHERE = 20_000
"""Smaller numbers are also in use for something else: they are looked at in lines that speak of detections."""
COUNTED = {("docs/research/2026-11-ensemble-20.md", 1_250)}
"""How many forecasts were scored, which happens to be a cell's number too."""


@pytest.mark.raw_data
def test_no_figure_of_workbook_is_in_project(workbook: pd.DataFrame) -> None:
    """It is for private use. Compared: cells, and sums of routes and of all by month and year, from a thousand on."""
    totals = workbook[workbook["citizen"] == "_T"]
    year = totals["time_period"].str[:4]
    sums = [totals.groupby(keys)["obs_value"].sum() for keys in (["route_id", year], "time_period", year)]
    private = {int(value) for some in (workbook["obs_value"], *sums) for value in some if value >= 1000}
    assert len(private) > 1000
    found = []
    for folder, folders, files in os.walk(PROJECT):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        for path in (Path(folder, name) for name in files if name.endswith(READ) and name != "requirements.txt"):
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                about = "frontex" in line.lower() or "detections" in line.lower()
                numbers = {int(re.sub(r"\D", "", text)) for text in NUMBER.findall(line)} & private
                name = path.relative_to(PROJECT).as_posix()
                found += [(name, number) for number in numbers if about or number >= FEWEST_ANYWHERE]
    assert set(found) <= COUNTED

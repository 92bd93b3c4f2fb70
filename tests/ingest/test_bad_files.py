"""Damaged files: a parser answers with an error that names the file, or accounts for every figure."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import rdata
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, SourceError
from core.release import OBSERVATIONS, REJECTED
from core.schema import check
from ingest import Parsed, RawFile
from ingest.sources import frontex, iom_dtm, italy_interior, uk_home_office, unhcr_odp

pytestmark = pytest.mark.slow

Grid = list[list[str]]
SLOW = settings(max_examples=20, deadline=None)


@dataclass(frozen=True)
class Miniature:
    """A small whole file of a source: header and cells, the column of figures, and the column of periods."""

    name: str
    parse: Callable[[RawFile], Parsed]
    grid: Grid
    value: int
    period: int

    def raw(self, grid: Grid) -> RawFile:
        return RawFile(self.name, "".join(",".join(row) + "\n" for row in grid).encode())


def _days(count: int) -> list[str]:
    return [day.strftime("%Y-%m-%d") for day in pd.date_range("2024-01-01", periods=count)]


def _month_ends(count: int) -> list[str]:
    return [day.strftime("%Y-%m-%d") for day in pd.date_range("2020-01-31", periods=count, freq="ME")]


MINIATURES = {
    "channel days": Miniature(
        "daily.csv",
        uk_home_office.parse,
        [["#date", "migrants", "boats"], *([day, str(n), "1"] for n, day in enumerate(_days(60)))],
        value=1,
        period=0,
    ),
    "channel quarters": Miniature(
        "irregular.csv",
        uk_home_office.parse,
        [
            ["Date", "Method of entry", "Nationality", "Sex", "Number of detections"],
            *(
                [quarter, "Small boat arrivals", nation, "Male", str(n)]
                for n, nation in enumerate(["Iran", "Iraq", "Syria", "Eritrea", "Sudan", "Vietnam"] * 2)
                for quarter in (["2022-03-31", "2022-06-30"] if n < 6 else ["2023-03-31", "2023-06-30"])
            ),
        ],
        value=4,
        period=0,
    ),
    "italian days": Miniature(
        "sbarchi.csv",
        italy_interior.parse,
        [
            ["Data", "Valore", "Note", "Fonte", "Data_Report"],
            *([day, str(n), "x", "y", "2024-02-29"] for n, day in enumerate(_days(60))),
        ],
        value=1,
        period=0,
    ),
    "canaries": Miniature(
        "canary.csv",
        unhcr_odp.parse,
        [["date", "arrivals_canary", "wind"], *([day, str(n), "1.5"] for n, day in enumerate(_month_ends(40)))],
        value=1,
        period=0,
    ),
}
EVERY = pytest.mark.parametrize("miniature", list(MINIATURES.values()), ids=list(MINIATURES))


def _figures(grid: Grid, column: int) -> float:
    return sum(int(row[column]) for row in grid[1:] if row[column].lstrip("-").isdigit())


def _accounted(parsed: Parsed, column: str) -> float:
    """Figures in observations and rejected records together; totals and parts of the same rows counted once."""
    found = parsed.observations
    if (found["citizen"] != "_T").any():
        found = found[found["citizen"] != "_T"]
    total = float(found["obs_value"].sum())
    for record in parsed.rejected["record"]:
        text = str(json.loads(record)[column]).strip()
        total += int(text) if text.lstrip("-").isdigit() else 0
    return total


def _answer(parse: Callable[[RawFile], Parsed], raw: RawFile) -> Parsed | None:
    """What the parser made of the file; None where it refused it by name."""
    try:
        parsed = parse(raw)
    except InputError as error:
        assert isinstance(error, SourceError)
        assert raw.name in str(error) or error.file == iom_dtm.SOURCE_ID
        return None
    check(parsed.observations, OBSERVATIONS)
    check(parsed.rejected, REJECTED)
    assert (parsed.observations["obs_value"] >= 0).all()
    assert (parsed.observations["as_of"] < pd.Timestamp("2090-01-01")).all()
    return parsed


@EVERY
def test_the_whole_file_is_accounted_for(miniature: Miniature) -> None:
    parsed = _answer(miniature.parse, miniature.raw(miniature.grid))
    assert parsed is not None
    assert parsed.rejected.empty
    assert _accounted(parsed, _value_key(miniature)) == _figures(miniature.grid, miniature.value)


def _value_key(miniature: Miniature) -> str:
    """Name under which a rejected record holds the figure."""
    return miniature.grid[0][miniature.value]


DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["duplicate", "drop", "value", "period", "swap"]),
        st.integers(1, 23),
        st.sampled_from(["-4", "many", "", "1.5", "1e3", "NaN", "∞", " 7", "0[VALORE]0", "7", "9999999999999", "-0"]),
        st.sampled_from(["2099-01-31", "2024-02-31", "", "soon", "31/01/2024", "2024-1-1", "0000-00-00"]),
    ),
    min_size=1,
    max_size=4,
)


def _damaged(miniature: Miniature, damage: list[tuple[str, int, str, str]]) -> Grid:
    grid = [list(row) for row in miniature.grid]
    for kind, place, value, period in damage:
        row = min(place, len(grid) - 2)  # rows may have been dropped before
        if kind == "duplicate":
            grid.insert(row, list(grid[row]))
        elif kind == "drop":
            del grid[row]
        elif kind == "value":
            grid[row][miniature.value] = value
        elif kind == "period":
            grid[row][miniature.period] = period
        else:
            grid[row], grid[row + 1] = grid[row + 1], grid[row]
    return grid


@EVERY
@given(damage=DAMAGE)
@SLOW
def test_damaged_rows_are_refused_or_every_figure_is_accounted_for(
    miniature: Miniature, damage: list[tuple[str, int, str, str]]
) -> None:
    grid = _damaged(miniature, damage)
    parsed = _answer(miniature.parse, miniature.raw(grid))
    if parsed is not None:
        assert _accounted(parsed, _value_key(miniature)) == _figures(_stripped(grid), miniature.value)


def _stripped(grid: Grid) -> Grid:
    return [[cell.strip() for cell in row] for row in grid]


@EVERY
@given(column=st.integers(0, 4), kind=st.sampled_from(["drop", "rename", "double", "upper"]))
@SLOW
def test_a_damaged_header_is_refused_or_was_not_needed(miniature: Miniature, column: int, kind: str) -> None:
    grid = [list(row) for row in miniature.grid]
    column %= len(grid[0])
    for number, row in enumerate(grid):
        if kind == "drop":
            del row[column]
        elif kind == "double":
            row.append(row[column])
        elif number == 0:
            row[column] = row[column].upper() if kind == "upper" else "Itinerary"
    parsed = _answer(miniature.parse, miniature.raw(grid))
    if parsed is not None:
        assert _accounted(parsed, _value_key(miniature)) == _figures(miniature.grid, miniature.value)


@EVERY
@given(cut=st.integers(0, 400))
@SLOW
def test_a_cut_off_text_file_is_refused_unless_cut_between_lines(miniature: Miniature, cut: int) -> None:
    whole = miniature.raw(miniature.grid).content
    part = whole[: max(len(whole) - 1 - cut, 0)]
    parsed = _answer(miniature.parse, RawFile(miniature.name, part))
    assert parsed is None or part.endswith(b"\n")


@EVERY
@given(junk=st.binary(min_size=1, max_size=40), place=st.integers(0, 600))
@SLOW
def test_junk_inside_a_text_file_never_escapes(miniature: Miniature, junk: bytes, place: int) -> None:
    whole = miniature.raw(miniature.grid).content
    parsed = _answer(miniature.parse, RawFile(miniature.name, whole[:place] + junk + whole[place:]))
    assert parsed is None or check(parsed.observations, OBSERVATIONS) is not None


@EVERY
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-7"])
def test_another_encoding_is_refused(miniature: Miniature, encoding: str) -> None:
    text = miniature.raw([[*row, "é"] for row in miniature.grid]).content.decode()
    parsed = _answer(miniature.parse, RawFile(miniature.name, text.encode(encoding)))
    assert parsed is None or encoding == "utf-7"
    assert _answer(miniature.parse, RawFile(miniature.name, text.encode("latin-1"))) is None


def _frontex_workbook(cells: dict[tuple[int, int], object]) -> RawFile:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Detections_of_IBC"
    sheet.append(["Route", "Border type or inland", "Nationality", "JAN2024", "FEB2024"])
    sheet.append(["Western African Route", "Sea", "Mali", 3, 4])
    sheet.append(["Western African Route", "Sea", "Senegal", 5, 6])
    sheet.append(["Black Sea Route", "Sea", "Iran", 0, 1])
    book.create_sheet("Notes").append(["Source: FRAN data as of 03JUN24"])
    for (row, column), value in cells.items():
        sheet.cell(row, column).value = value
    buffer = io.BytesIO()
    book.save(buffer)
    return RawFile("ibc.xlsx", buffer.getvalue())


@given(
    cells=st.dictionaries(
        st.tuples(st.integers(1, 6), st.integers(1, 7)),
        st.sampled_from([-4, "many", None, 1.5, 7, "7", True, "JAN2099", "JAN2024", "Ruritania", "Iran", "Other"]),
        min_size=1,
        max_size=3,
    )
)
@SLOW
def test_a_damaged_workbook_is_refused_or_its_total_is_that_of_its_cells(cells: dict[tuple[int, int], object]) -> None:
    raw = _frontex_workbook(cells)
    parsed = _answer(frontex.parse, raw)
    if parsed is None:
        return
    sheet = openpyxl.load_workbook(io.BytesIO(raw.content))["Detections_of_IBC"]
    figures = [cell.value for row in sheet.iter_rows(min_row=2, min_col=4) for cell in row if cell.value is not None]
    totals = parsed.observations[parsed.observations["citizen"] == "_T"]
    assert totals["obs_value"].sum() == sum(float(str(value)) for value in figures)


def _rda(folder: Path, table: str, frame: pd.DataFrame) -> bytes:
    path = folder / f"{table}.rda"
    rdata.write_rda(path, {table: frame})
    return path.read_bytes()


@pytest.fixture(scope="module")
def binary_files(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[RawFile, Callable[[RawFile], Parsed]]]:
    folder = tmp_path_factory.mktemp("rda")
    firsts = pd.date_range("2024-01-01", periods=6, freq="MS")
    months = [float((day - pd.Timestamp("1970-01-01")).days) for day in firsts]
    totals = pd.DataFrame({"t": months, "q": months, "geo": ["ITA"] * 6, "n": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    detections = totals.assign(route="Black Sea Route", type="Sea", nat="IRN")
    return [
        (RawFile("dtm_med.rda", _rda(folder, "dtm_med", totals)), iom_dtm.parse),
        (RawFile("dtm_med_nat.rda", _rda(folder, "dtm_med_nat", totals.assign(nat="SYR"))), iom_dtm.parse),
        (RawFile("frontex_2024-09-01.rda", _rda(folder, "frontex", detections)), frontex.parse),
        (_frontex_workbook({}), frontex.parse),
    ]


@given(data=st.data())
@SLOW
def test_junk_inside_a_binary_file_is_refused_by_name(
    binary_files: list[tuple[RawFile, Callable[[RawFile], Parsed]]], data: st.DataObject
) -> None:
    raw, parse = data.draw(st.sampled_from(binary_files))
    start = data.draw(st.integers(0, len(raw.content) - 1))
    junk = data.draw(st.binary(max_size=30))
    length = data.draw(st.sampled_from([0, 1, 30, len(raw.content)]))
    parsed = _answer(parse, RawFile(raw.name, raw.content[:start] + junk + raw.content[start + length :]))
    assert parsed is None or check(parsed.observations, OBSERVATIONS) is not None


def test_every_binary_file_is_read_while_it_is_whole(
    binary_files: list[tuple[RawFile, Callable[[RawFile], Parsed]]],
) -> None:
    assert [_answer(parse, raw) is not None for raw, parse in binary_files] == [True] * 4

"""An analyst's own figures: what is read of them, and what is refused with a reason."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from core.errors import InputError, SourceError
from core.release import OBSERVATIONS
from core.routes import route_name
from core.schema import check
from ingest import RawFile
from ingest.own import own_capacities, own_route_figures, parse_own
from ingest.own_mapping import OwnMapping, mapping_of_text, read_mapping
from ingest.own_preview import suggest

TODAY = dt.date(2025, 3, 10)
MAPPING = """
[source]
source_id = "own_border_post"
publisher = "Border post"
dataset = "Arrivals by land"
lag_days = 10
[table]
what = "arrivals"
[columns]
time_period = "Month"
value = "Persons"
[fixed]
route = "Ceuta by land"
"""


def mapping(tmp_path: Path, *changes: tuple[str, str]) -> OwnMapping:
    text = MAPPING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "m.toml").write_text(text)
    return read_mapping(tmp_path / "m.toml")


def csv(text: str, name: str = "own.csv") -> RawFile:
    return RawFile(name, text.encode())


def xlsx(rows: list[list[object]], name: str = "own.xlsx") -> RawFile:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return RawFile(name, sink.getvalue())


def with_part(raw: RawFile, part: str, content: bytes, name: str = "own.xlsx") -> RawFile:
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw.content)) as old, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            if item.filename != part:
                new.writestr(item.filename, old.read(item.filename))
        new.writestr(part, content)
    return RawFile(name, sink.getvalue())


GOOD: list[list[object]] = [["Month", "Persons"], ["2024-12", 120], ["2025-01", 90]]


def test_csv_becomes_route_of_ones_own_dated_by_its_usual_lag(tmp_path: Path) -> None:
    found = parse_own(csv("Month,Persons,Note\n2024-12,120,x\n2025-01,90,\n"), mapping(tmp_path), today=TODAY)
    rows = check(found.observations, OBSERVATIONS)
    assert rows["series_id"].unique().tolist() == ["arrivals.X_CEUTA_BY_LAND._Z._T.M"]
    assert rows["obs_value"].tolist() == [120, 90]
    assert rows["as_of"].tolist() == [pd.Timestamp("2025-01-10"), pd.Timestamp("2025-02-10")]
    assert rows["as_of_estimated"].all() and found.rejected.empty


def test_workbook_with_dates_gives_same_as_csv(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Month", "Persons"], [dt.date(2024, 12, 1), 120], [dt.date(2025, 1, 1), 90.0]]
    own = mapping(tmp_path)
    one = parse_own(xlsx(rows), own, today=TODAY).observations
    other = parse_own(csv("Month,Persons\n2024-12,120\n2025-01,90\n"), own, today=TODAY).observations
    pd.testing.assert_frame_equal(one, other)


def test_places_in_column_become_one_route_each(tmp_path: Path) -> None:
    own = mapping(tmp_path, ('value = "Persons"', 'value = "Persons"\nroute = "Land"'), ('route = "Ceuta by land"', ""))
    text = "Land,Month,Persons\nWien,2024-12,5\nTirol,2024-12,7\nCMR,2024-12,8\n"
    found = parse_own(csv(text), own, today=TODAY).observations
    assert sorted(found["route_id"]) == ["CMR", "X_TIROL", "X_WIEN"]
    figures = own_route_figures(found)
    assert figures["series_id"].tolist() == ["arrivals.X_TIROL._T._T.M", "arrivals.X_WIEN._T._T.M"]
    assert set(figures["source_id"]) == {"vigie-routes"}
    # What was made of them before is no source of its own.
    former = figures.assign(obs_value=99.0, as_of=figures["as_of"] + pd.Timedelta(days=1))
    pd.testing.assert_frame_equal(own_route_figures(pd.concat([found, former])), figures)


def test_newest_capacity_that_is_not_ahead_counts(tmp_path: Path) -> None:
    own = mapping(tmp_path, ('what = "arrivals"', 'what = "capacity"'), ("Ceuta by land", "CMR"))
    found = parse_own(csv("Month,Persons\n2024-06,5000\n2025-01,6500\n2025-03,7000\n"), own, today=TODAY).observations
    assert own_capacities(found, dt.date(2025, 2, 10)) == {"CMR": 6500.0}
    assert own_capacities(found, TODAY) == {"CMR": 7000.0}


def assert_advice(error: SourceError) -> None:
    """Every refusal says what to do, with an example in marks of code."""
    parts = str(error).split("What to do: ")
    assert len(parts) == 2
    assert re.search("`[^`]+`", parts[1])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Month,Persons\n2024-12,=1+1\n", "row 2, column Persons: refused: the cell holds a formula"),
        ("Month,Persons,Note\n2024-12,5,@SUM(A1)\n", "row 2, column Note: refused: the cell holds a formula"),
        ("Month,Persons,Passport no\n2024-12,1,77\n", "describe persons"),
        ("Month,Persons,birthDate\n2024-12,1,77\n", "describe persons"), ("Month,Persons\n2024-12,-5\n", "negative"),
        ("Month,Persons\n2024-12,many\n", "not a number"),
        ("Month,Persons\n2024-12,5\n2024-12,6\n", "different figures for the same"),
        ("Month,Persons\n2025-09,5\n", "future"), ("Month,Persons\nDecember,5\n", "not a month"),
        ("Monat,Persons\n2024-12,5\n", "missing columns"), ("Monat,Personen\n2024-12,5\n", r"found –\."),
        ("<html><body>Log in</body></html>", "web page"),
    ],
)  # fmt: skip
def test_csv_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        parse_own(csv(text), mapping(tmp_path), today=TODAY)
    assert_advice(caught.value)


@pytest.mark.parametrize(
    ("part", "content", "reason"),
    [
        ("xl/vbaProject.bin", b"x", "macros"), ("xl/macrosheets/sheet1.xml", b"<x/>", "macros"),
        ("xl/externalLinks/externalLink1.xml", b"<x/>", "links to other workbooks"),
        ("xl/connections.xml", b"<x/>", "connections"), ("xl/embeddings/oleObject1.bin", b"x", "embedded"),
        ("xl/worksheets/_rels/sheet1.xml.rels", b'<R TargetMode="External"/>', "outside of the file"),
        ("xl/worksheets/sheet2.xml", b"<worksheet><c><f>1+1</f></c></worksheet>", "holds formulas"),
        ("docProps/x.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "declares entities"),
    ],
)  # fmt: skip
def test_workbook_that_does_more_than_hold_cells_is_refused(
    tmp_path: Path, part: str, content: bytes, reason: str
) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        parse_own(with_part(xlsx(GOOD), part, content), mapping(tmp_path), today=TODAY)
    assert_advice(caught.value)


def test_formula_typed_into_cell_is_refused(tmp_path: Path) -> None:
    formula: list[object] = ["2025-02", "=B2+B3"]
    with pytest.raises(SourceError, match="holds formulas") as caught:
        parse_own(xlsx([*GOOD, formula]), mapping(tmp_path), today=TODAY)
    assert_advice(caught.value)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (RawFile("own.xlsm", b"PK"), "come as .csv or .xlsx"),
        (RawFile("own.xlsx", b"\xd0\xcf\x11\xe0rest"), "encrypted or of the old kind"),
        (RawFile("own.xlsx", b"PK\x03\x04rest"), "not a whole workbook"),
    ],
)
def test_other_kinds_and_damaged_files_are_refused(tmp_path: Path, raw: RawFile, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        parse_own(raw, mapping(tmp_path), today=TODAY)
    assert_advice(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("own_border_post", "frontex", "source.source_id"), ("lag_days = 10", "", "source.lag_days"),
        ('what = "arrivals"', 'what = "persons"', "table.what"),
        ('what = "arrivals"', 'what = "indicator"', "an indicator needs fixed.name"),
        ('what = "arrivals"', 'what = "arrivals"\nfreq = "Q"', "must be M"),
        ('route = "Ceuta by land"', "", "give either columns.route or fixed.route"),
        ("[table]", "[table]\ncolour = 1", "table.colour"), ("[table]", "[table", "not readable as TOML"),
    ],
)  # fmt: skip
def test_mapping_that_says_too_little_is_refused_by_its_field(tmp_path: Path, old: str, new: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        mapping(tmp_path, (old, new))


def test_file_names_routes_in_letters_of_its_country(tmp_path: Path) -> None:
    own = mapping(
        tmp_path, ('value = "Persons"', 'value = "Persons"\nroute = "Place"'), ('route = "Ceuta by land"', "")
    )
    raw = csv("Month,Persons,Place\n2024-11,7,Almería\n2024-11,8,Κως\n2024-11,9,ALMERI\u0301A \n2024-12,5,=é\n")
    with pytest.raises(SourceError, match="holds a formula"):
        parse_own(raw, own, today=TODAY)
    raw = csv("Month,Persons,Place\n2024-11,7,Almería\n2024-11,8,Κως\n2024-12,9,ALMERI\u0301A \n")
    routes = parse_own(raw, own, today=TODAY).observations["route_id"]
    with pytest.raises(SourceError, match="What to do: write a name such as `Ceuta by land`"):
        parse_own(csv("Month,Persons,Place\n2024-11,7,🚢\n"), own, today=TODAY)
    assert sorted(route_name(code) for code in routes) == ["Almería", "Almería", "Κως"]


FRENCH = (
    "Registre des arrivées;;\nÉtat au 3 février;;\nMois;Personnes;Remarque\n"
    "nov. 2024;1\u202f204;\ndéc. 2024;980;\njanvier 2025;1 010;provisoire\n"
)


def test_french_sheet_is_read_by_mapping(tmp_path: Path) -> None:
    table = 'what = "arrivals"\nencoding = "utf-8"\nheader_row = 3\nseparator = ";"\nthousands = " "'
    own = mapping(tmp_path, ('what = "arrivals"', table), ("Month", "Mois"), ("Persons", "Personnes"))
    found = parse_own(csv(FRENCH), own, today=TODAY).observations
    assert dict(zip(found["time_period"], found["obs_value"], strict=True)) == {
        "2024-11": 1204, "2024-12": 980, "2025-01": 1010,
    }  # fmt: skip


def test_suggested_mapping_reads_file_that_it_was_suggested_for() -> None:
    found = parse_own(csv(FRENCH), mapping_of_text(suggest(csv(FRENCH)), "m.toml"), today=TODAY).observations
    assert found["obs_value"].tolist() == [1204, 980, 1010]
    coded = RawFile("own.csv", "Mois;Arrivées\nfévr. 2024;5\nmars 2024;6\n".encode("cp1252"))
    read = parse_own(coded, mapping_of_text(suggest(coded), "m.toml"), today=TODAY).observations
    assert read["time_period"].tolist() == ["2024-02", "2024-03"]
    dotted = csv("Monat;Personen\n11/2024;1.204\n12/2024;980\n")
    read = parse_own(dotted, mapping_of_text(suggest(dotted), "m.toml"), today=TODAY).observations
    assert read["obs_value"].tolist() == [1204, 980]


WIDE: list[list[object]] = [
    ["Place", "2024-11", "2024-12", "2025-01", "Total"],
    ["Wien", 5, 6, None, 11],
    ["Tirol", 7, 8, 9, 24],
]


def test_wide_table_has_suggested_mapping(tmp_path: Path) -> None:
    own = mapping(
        tmp_path, ('what = "arrivals"', 'what = "arrivals"\nwide = true'), ('[fixed]\nroute = "Ceuta by land"', ""),
        ('time_period = "Month"\nvalue = "Persons"', 'route = "Place"'),
    )  # fmt: skip
    found = parse_own(xlsx(WIDE), own, today=TODAY).observations
    assert found["obs_value"].tolist() == [7, 8, 9, 5, 6]
    suggested = mapping_of_text(suggest(xlsx(WIDE)), "m.toml")
    assert parse_own(xlsx(WIDE), suggested, today=TODAY).observations["obs_value"].tolist() == [7, 8, 9, 5, 6]


def test_incomplete_month_of_days_is_set_aside(tmp_path: Path) -> None:
    days = pd.date_range("2024-11-01", "2025-01-20")
    text = "Day,Persons\n" + "".join(f"{day:%d/%m/%Y},2\n" for day in days)
    table = 'what = "arrivals"\nsum_days = true\nperiod_format = "%d/%m/%Y"'
    own = mapping(tmp_path, ("Month", "Day"), ('what = "arrivals"', table))
    parsed = parse_own(csv(text), own, today=TODAY)
    assert parsed.observations["obs_value"].tolist() == [60, 62]
    assert parsed.rejected["rule"].tolist() == ["days are missing in the month"]
    suggested = mapping_of_text(suggest(csv(text)), "m.toml")
    assert parse_own(csv(text), suggested, today=TODAY).observations["obs_value"].tolist() == [60, 62]


PARTS = """Month,From,To,Persons
2025-01,Syria,Spain,5
2025-01,Mali,France,7
2025-02,Syria,Spain,9
2025-02,Mali,Spain,x
2025-02,Total,Spain,9
"""


def test_breakdown_is_summed_without_bad_rows(tmp_path: Path) -> None:
    extra = "".join(f"20{year}-{month:02d},Syria,Spain,1\n" for year in (22, 23) for month in range(1, 13))
    by_part = mapping(tmp_path, ('value = "Persons"', 'value = "Persons"\ncitizen = "From"\ngeo = "To"'))
    found = parse_own(csv(PARTS + extra), by_part, today=TODAY)
    rows = found.observations[found.observations["time_period"] >= "2025-01"]
    assert dict(zip(rows["series_id"].str.removeprefix("arrivals.X_CEUTA_BY_LAND.") + " " + rows["time_period"],
                    rows["obs_value"], strict=True)) == {
        "ESP.SYR.M 2025-01": 5, "FRA.MLI.M 2025-01": 7, "ESP.SYR.M 2025-02": 9,
        "_Z.SYR.M 2025-01": 5, "_Z.MLI.M 2025-01": 7, "_Z._T.M 2025-01": 12,
    }  # fmt: skip
    assert sorted(found.rejected["rule"]) == ["a total of other rows", "the figure is not a number"]
    totals = own_route_figures(found.observations).set_index("time_period")["obs_value"]
    assert (totals["2025-01"], "2025-02" in totals) == (12, False)

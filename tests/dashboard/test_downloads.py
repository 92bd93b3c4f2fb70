"""Files that leave the program."""

from __future__ import annotations

import dataclasses
import io
from functools import partial
from html import escape

import openpyxl
import pandas as pd
import pytest
from PIL import Image

from dashboard import reads, route_view, speaking
from dashboard.downloads import FORMATS, Export, csv_bytes, drawn, export_of, xlsx_bytes
from dashboard.route_view import RouteView
from dashboard.visitor import released
from reports.charts import Fan

FRAME = pd.DataFrame(
    {
        "=route": ["=1+1", "@SUM(A1)", "Eastern Mediterranean"],
        "change": [-5.0, 3.5, None],
        "end": pd.to_datetime(["2025-01-31", "2025-02-28", "2025-03-31"]),
    }
)
EXPORT = Export("route-EMR", "Arrivals expected", FRAME, "2025-01-31", "run-1", ["A ministry, CC BY 4.0"], ["n"])


def read_csv() -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(csv_bytes(EXPORT)), comment="#", encoding="utf-8-sig")


def test_csv_holds_citation_and_reads_back() -> None:
    text = csv_bytes(EXPORT).decode("utf-8-sig")
    assert "# Source: A ministry, CC BY 4.0" in text
    assert "# Caveat: Not to be used for: turning people back" in text
    assert read_csv()["'=route"].tolist() == ["'=1+1", "'@SUM(A1)", "Eastern Mediterranean"]


@pytest.mark.usefixtures("release")
def test_routes_table_cites_only_its_sources() -> None:
    night = reads.nights()[0]
    cited = " ".join(export_of(night, "routes", "Routes", FRAME).citations)
    assert "International Organization for Migration" in cited
    assert "Eurostat" not in cited
    assert "Eurostat" in " ".join(export_of(night, "x", "X", FRAME, list(night.sources())).citations)


def test_workbook_has_no_formula_and_sheet_about_data() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(EXPORT)))
    cells = [cell for row in book["data"].iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert book["data"]["B2"].value == -5.0
    assert book.sheetnames == ["data", "about", "columns"]
    assert [cell.value for cell in book["columns"][1]] == ["Column", "Meaning", "Unit"]
    assert [row[0].value for row in book["about"].iter_rows()][:3] == ["Title", "As known on", "Release"]


def test_file_name_holds_date_of_figures() -> None:
    names = [EXPORT.file_name(ending) for ending, _, _ in FORMATS.values()]
    assert names == [f"vigie-route-EMR-2025-01-31.{ending}" for ending in ("csv", "xlsx", "parquet")]


@pytest.mark.usefixtures("home")
def test_file_has_language_of_its_page() -> None:
    with speaking("es"):
        make = released("route.csv", "run-1", partial(csv_bytes, EXPORT))
    text = make().decode("utf-8-sig")
    assert "# Título: Arrivals expected" in text
    assert "# Title" in csv_bytes(EXPORT).decode("utf-8-sig")


def fan_of(view: RouteView, scenario: pd.DataFrame | None = None) -> Fan:
    return Fan(view.history, view.quantiles, view.known_on, "Arrivals per month", "A route.", scenario=scenario)


@pytest.mark.usefixtures("read_release")
def test_picture_carries_citation_and_caveats_in_its_text_fields() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    fields = Image.open(io.BytesIO(drawn(route_view.export(view), fan_of(view)))).info
    assert "International Organization for Migration, monthly arrivals" in fields["Description"]
    assert "Not to be used for" in fields["Description"]
    assert fields["Title"].startswith("Eastern Mediterranean: ")


@pytest.mark.usefixtures("read_release")
def test_past_forecast_is_dated_by_origin() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "2024-06-30", 12, 6000)
    made = route_view.export(view)
    about = dict(made.about())
    assert made.file_name("png") == "vigie-route-EMR-replay-2024-06-30.png"
    assert about["As known on"] == "30 June 2024"
    assert "Replay of 30 June 2024: made later by the same code with what was known then." in made.notes
    assert "As known on 30 June 2024" in Image.open(io.BytesIO(drawn(made, fan_of(view)))).info["Description"]


@pytest.mark.usefixtures("read_release")
def test_picture_shows_sources_release_and_marks() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    made = dataclasses.replace(route_view.export(view), exercise="Exercise")
    drawing = drawn(made, fan_of(view, scenario=view.quantiles), "svg").decode()
    for text in (*"\n".join(made.citations).split(), made.run_id, "Exercise · Conditional"):
        assert escape(text) in drawing
    assert drawn(made, [fan_of(view)] * 4, "svg").decode().count(">A route.<") == 4
    assert "var(" not in drawing  # programs for texts and drawings read no variables

"""The chart as a picture."""

from __future__ import annotations

import dataclasses
import io
from html import escape

import pandas as pd
import pytest
from PIL import Image

from dashboard import reads, route_view
from dashboard.pictures import drawn
from dashboard.route_view import RouteView
from reports.charts import Fan

pytestmark = pytest.mark.usefixtures("read_release")


def fan_of(view: RouteView, forecast: pd.DataFrame | None = None) -> Fan:
    return Fan(view.history, view.quantiles, view.known_on, "Arrivals per month", "A route.", forecast=forecast)


def test_picture_carries_citation_and_caveats_in_its_text_fields() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    fields = Image.open(io.BytesIO(drawn(route_view.export(view), fan_of(view)))).info
    assert "International Organization for Migration, monthly arrivals" in fields["Description"]
    assert "Not to be used for" in fields["Description"]
    assert fields["Title"].startswith("Eastern Mediterranean: ")


def test_past_forecast_is_dated_by_origin() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "2024-06-30", 12, 6000)
    made = route_view.export(view)
    about = dict(made.about())
    assert made.file_name("png") == "vigie-route-EMR-replay-2024-06-30.png"
    assert about["As known on"] == "30 June 2024"
    assert "Replay of 30 June 2024: made later by the same code with what was known then." in made.notes
    assert "As known on 30 June 2024" in Image.open(io.BytesIO(drawn(made, fan_of(view)))).info["Description"]


def test_picture_shows_sources_release_and_marks() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    made = dataclasses.replace(route_view.export(view), exercise="Exercise")
    drawing = drawn(made, fan_of(view, forecast=view.quantiles), "svg").decode()
    for text in (*"\n".join(made.citations).split(), made.run_id, "Exercise · Conditional"):
        assert escape(text) in drawing
    assert "var(" not in drawing  # programs for texts and drawings read no variables

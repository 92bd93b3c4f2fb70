"""The chart as a picture."""

from __future__ import annotations

import io
import warnings

import pandas as pd
import pytest
from PIL import Image

from dashboard import reads, route_view
from dashboard.pictures import Picture, drawn
from dashboard.route_view import RouteView

pytestmark = pytest.mark.usefixtures("read_release")


def picture(view: RouteView, quantiles: pd.DataFrame) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return drawn(Picture(view.history, quantiles, route_view.export(view), view.threshold))


def test_picture_carries_citation_and_caveats_in_its_text_fields() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    fields = Image.open(io.BytesIO(picture(view, view.quantiles))).info
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
    assert "As known on 30 June 2024" in Image.open(io.BytesIO(picture(view, view.quantiles))).info["Description"]


def test_svg_needs_no_type_of_machine_that_shows_it() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    drawing = drawn(Picture(view.history, view.quantiles, route_view.export(view), view.threshold), "svg").decode()
    assert "<text" not in drawing  # a wider one in its place ran off the edge
    assert "<dc:title>Eastern Mediterranean: " in drawing

"""The chart as a picture."""

from __future__ import annotations

import io
import warnings

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard import reads, route_view
from dashboard.pictures import Picture, drawn
from dashboard.route_view import RouteView

pytestmark = pytest.mark.usefixtures("release")


def picture(view: RouteView, quantiles: pd.DataFrame) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return drawn(Picture(view.history, quantiles, route_view.export(view), view.threshold))


def test_the_picture_carries_citation_and_caveats_in_its_text_fields() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    fields = Image.open(io.BytesIO(picture(view, view.quantiles))).info
    assert "International Organization for Migration, monthly arrivals" in fields["Description"]
    assert "Not to be used for" in fields["Description"]
    assert fields["Title"].startswith("Eastern Mediterranean: ")


def test_small_print_has_room_above_the_lower_edge() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    pixels = matplotlib.image.imread(io.BytesIO(picture(view, view.quantiles)))
    assert pixels.shape[1] == 1500
    assert (np.ptp(pixels[-12:, :, :3], axis=(0, 1)) == 0).all()
    assert (np.ptp(pixels[:, -8:, :3], axis=(0, 1)) == 0).all()


def test_a_route_without_forecast_still_has_a_picture_of_its_history() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, None)
    assert picture(view, view.quantiles.iloc[:0]).startswith(b"\x89PNG")


def test_an_svg_needs_no_type_of_the_machine_that_shows_it() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    drawing = drawn(Picture(view.history, view.quantiles, route_view.export(view), view.threshold), "svg").decode()
    assert "<text" not in drawing  # a wider one in its place ran off the edge
    assert "<dc:title>Eastern Mediterranean: " in drawing

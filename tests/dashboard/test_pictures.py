"""The chart as a picture."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace

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


def test_quotation_marks_of_a_title_stand_beside_its_letters() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)

    export = replace(route_view.export(view), title="comme “Mer” y")
    content = drawn(Picture(view.history, view.quantiles, export))
    ink = (matplotlib.image.imread(io.BytesIO(content))[:70, :, 0] < 0.9).any(axis=0)
    edges = np.flatnonzero(np.diff(ink.astype(int)))
    assert edges[-2] - edges[-3] > 4, "the space between mark and letter"


def test_a_route_without_forecast_still_has_a_picture_of_its_history() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, None)
    assert picture(view, view.quantiles.iloc[:0]).startswith(b"\x89PNG")


def test_what_was_forecast_at_a_past_origin_is_dated_by_it_in_file_and_picture() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "2024-06-30", 12, 6000)
    made = route_view.export(view)
    about = dict(made.about())
    assert made.file_name("png") == "vigie-route-EMR-replay-2024-06-30.png"
    assert about["As known on"] == "30 June 2024"
    assert "Replay of 30 June 2024: made later by the same code with what was known then." in made.notes
    assert "As known on 30 June 2024" in Image.open(io.BytesIO(picture(view, view.quantiles))).info["Description"]


def test_a_file_with_chances_says_of_which_number() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    assert "Chances: of more than 6,000 in the month." in route_view.export(view).notes


def test_an_svg_needs_no_type_of_the_machine_that_shows_it() -> None:
    view = route_view.build(reads.nights()[0], "EMR", "", 12, 6000)
    drawing = drawn(Picture(view.history, view.quantiles, route_view.export(view), view.threshold), "svg").decode()
    assert "<text" not in drawing  # a wider one in its place ran off the edge
    assert "<dc:title>Eastern Mediterranean: " in drawing

import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from shapely import MultiPoint, Polygon, box

from core.languages import Language
from core.routes import ARRIVAL_ROUTES
from dashboard.maps import HEIGHT, flow_map, map_alt
from dashboard.theme import DARK, LIGHT, Theme
from geo import MAPS
from reports.names import route_name

COLUMNS = ["route_id", "name", "median", "lower10", "upper90", "alert_level", "label"]
LEVELS = {"EMR": "severe", "WAR": "warning", "CHA": "watch"}
MEDIANS = {"EMR": 13_200.0, "CMR": 13_000.0, "WAR": 5_000.0, "CHA": 3_700.0, "WMR": 2_700.0}


@pytest.fixture
def routes() -> pd.DataFrame:
    rows = [
        (r, route_name(r, Language("en")), MEDIANS[r], MEDIANS[r] * 0.7, MEDIANS[r] * 1.4, LEVELS.get(r, ""), "")
        for r in ARRIVAL_ROUTES
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def arrows(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data[2:] if trace.fill == "toself"]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_map_is_plain_scatter_and_asks_no_map_server(routes: pd.DataFrame, theme: Theme) -> None:
    figure = flow_map(routes, theme=theme)
    assert {trace.type for trace in figure.data} == {"scatter"}
    text = figure.to_json()
    drawn = json.loads(text)["layout"]
    assert not {"geo", "map", "mapbox"} & set(drawn)
    assert "http" not in text
    assert drawn["yaxis"]["scaleanchor"] == "x"


def test_arrow_is_valid_and_wider_for_more_arrivals(routes: pd.DataFrame) -> None:
    figure = flow_map(routes, theme=LIGHT)
    shapes = arrows(figure)
    assert len(shapes) == 2 * len(routes)
    drawn = [Polygon(list(zip(trace.x, trace.y, strict=True))) for trace in shapes]
    assert all(polygon.is_valid for polygon in drawn)
    pointed = [MultiPoint(list(zip(one.x, one.y, strict=True))) for one in figure.data if one.mode == "markers"]
    assert all(polygon.buffer(1).covers(points) for polygon, points in zip(drawn[1::2], pointed, strict=True))
    tails = [float(np.hypot(trace.x[0] - trace.x[-2], trace.y[0] - trace.y[-2])) for trace in shapes[1::2]]
    assert tails == sorted(tails, reverse=True)


def test_other_region_is_drawn_on_its_own_map_in_its_own_unit() -> None:
    row = ("US_SOUTHWEST", "US southwest border", 60_000.0, 45_000.0, 80_000.0, "", "")
    figure = flow_map(pd.DataFrame([row], columns=COLUMNS), theme=LIGHT)
    assert tuple(figure.layout.xaxis.range) == MAPS["americas"].frame[0]
    assert "60,000 encounters expected" in figure.data[-1].hovertemplate


def test_arrow_takes_colour_of_its_alert_and_is_neutral_without(routes: pd.DataFrame) -> None:
    fills = [trace.fillcolor for trace in arrows(flow_map(routes, theme=LIGHT))[1::2]]
    assert fills == [LIGHT.severe.fill, LIGHT.neutral, LIGHT.warning.fill, LIGHT.watch.fill, LIGHT.neutral]


def test_labels_report_route_level_and_number(routes: pd.DataFrame) -> None:
    figure = flow_map(routes.assign(direction=["↑"] * len(routes)), theme=LIGHT)
    labels = [label.text for label in figure.layout.annotations]
    assert labels[0].startswith("<b>Eastern<br>Mediterranean</b><br>")
    assert "◆</span>" in labels[0]
    assert any("◆ Severe ↑" in str(trace.hovertemplate) for trace in figure.data)
    assert labels[0].endswith("13,200")
    assert labels[1] == "<b>Central<br>Mediterranean</b><br>13,000"


def test_words_name_every_route_largest_first_with_its_level(routes: pd.DataFrame) -> None:
    text = map_alt(routes)
    places = [text.index(route_name(route_id, Language("en"))) for route_id in ("EMR", "CMR", "WAR", "CHA", "WMR")]
    assert places == sorted(places)
    assert "Eastern Mediterranean: 13,200 arrivals expected" in text
    assert "◆ Severe" in text


LETTER_PIXELS, LINE_PIXELS, GAP_PIXELS = 6.6, 18.0, 4.0
"""Of a label's bold letters at 13 px, of its lines, and between it and an arrow."""


@pytest.mark.parametrize("times", [1, 3], ids=["usual", "largest"])
@pytest.mark.parametrize("width", [358, 627], ids=["phone", "desk"])
@pytest.mark.parametrize("language", ["en", "fr", "es"])
def test_no_label_touches_arrow_or_label(routes: pd.DataFrame, language: str, width: int, times: int) -> None:
    names = [route_name(route_id, Language(language)) for route_id in routes["route_id"]]
    sizes = {name: routes[name] * times for name in ("median", "lower10", "upper90")}
    figure = flow_map(routes.assign(name=names, alert_level="", label="12,500 (−100%)", **sizes), theme=LIGHT)
    (west, east), (south, north) = MAPS["europe"].frame
    km = max((east - west) / width, (north - south) / HEIGHT)
    boxes = []
    for label in figure.layout.annotations:
        lines = label.text.replace("<b>", "").replace("</b>", "").split("<br>")
        wide, high = LETTER_PIXELS * max(map(len, lines)) * km, LINE_PIXELS * len(lines) * km
        left = label.x - {"left": 0.0, "right": wide}[label.xanchor]
        boxes.append(box(left, label.y - high / 2, left + wide, label.y + high / 2))
    shapes = [Polygon(list(zip(trace.x, trace.y, strict=True))).buffer(GAP_PIXELS * km) for trace in arrows(figure)]
    assert not [one for one in boxes for shape in shapes if one.intersects(shape)]
    assert not [one for place, one in enumerate(boxes) for other in boxes[:place] if one.intersects(other)]

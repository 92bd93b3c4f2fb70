import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from shapely import Point, Polygon

from core.languages import Language
from core.routes import ARRIVAL_ROUTES, ROUTES
from dashboard.maps import COLUMNS, flow_map, map_alt
from dashboard.theme import DARK, LIGHT, Theme
from geo import KM_PER_PERSON, WIDEST_MEDIAN_KM, WIDEST_UPPER_KM, km_per_person
from reports.citations import map_note

LEVELS = {"EMR": "severe", "WAR": "warning", "CHA": "watch"}
MEDIANS = {"EMR": 13_200.0, "CMR": 9_200.0, "WAR": 5_000.0, "CHA": 3_700.0, "WMR": 2_700.0}


@pytest.fixture
def routes() -> pd.DataFrame:
    rows = [(r, ROUTES[r].name, MEDIANS[r], MEDIANS[r] * 1.4, LEVELS.get(r, ""), "") for r in ARRIVAL_ROUTES]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def arrows(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data[2:] if trace.fill == "toself"]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_map_is_plain_scatter_and_asks_no_map_server(routes: pd.DataFrame, theme: Theme) -> None:
    figure = flow_map(routes, theme=theme)
    assert {trace.type for trace in figure.data} == {"scatter"}
    text = figure.to_json()
    drawn = json.loads(text)["layout"]
    assert not {"geo", "map", "mapbox"} & set(drawn)
    assert "http" not in text
    assert drawn["yaxis"]["scaleanchor"] == "x"


def test_every_arrow_is_a_valid_polygon_and_wider_for_more_arrivals(routes: pd.DataFrame) -> None:
    figure = flow_map(routes, theme=LIGHT)
    shapes = arrows(figure)
    assert len(shapes) == 2 * len(routes)
    assert all(Polygon(list(zip(trace.x, trace.y, strict=True))).is_valid for trace in shapes)
    tails = [float(np.hypot(trace.x[0] - trace.x[-2], trace.y[0] - trace.y[-2])) for trace in shapes[1::2]]
    assert tails == sorted(tails, reverse=True)


def test_an_arrow_takes_the_colour_of_its_alert_and_is_neutral_without(routes: pd.DataFrame) -> None:
    fills = [trace.fillcolor for trace in arrows(flow_map(routes, theme=LIGHT))[1::2]]
    assert fills == [LIGHT.severe.fill, LIGHT.neutral, LIGHT.warning.fill, LIGHT.watch.fill, LIGHT.neutral]


def test_labels_tell_route_level_in_words_and_number(routes: pd.DataFrame) -> None:
    labels = [label.text for label in flow_map(routes, theme=LIGHT).layout.annotations]
    assert labels[0].startswith("<b>Eastern Mediterranean</b><br>")
    assert "◆ Severe" in labels[0]
    assert labels[0].endswith("13,200")
    assert labels[1] == "<b>Central Mediterranean</b><br>9,200"


def test_the_lines_of_a_label_are_flush_on_the_side_of_its_anchor(routes: pd.DataFrame) -> None:
    assert all(label.align == label.xanchor for label in flow_map(routes, theme=LIGHT).layout.annotations)


def test_a_given_label_replaces_the_number(routes: pd.DataFrame) -> None:
    routes.loc[routes["route_id"] == "CMR", "label"] = "about 9,000"
    labels = [label.text for label in flow_map(routes, theme=LIGHT).layout.annotations]
    assert "<b>Central Mediterranean</b><br>about 9,000" in labels


def test_a_route_without_a_forecast_is_hollow_and_says_so(routes: pd.DataFrame) -> None:
    silent = routes["route_id"] == "CMR"
    routes = routes.assign(
        median=routes["median"].mask(silent),
        upper90=routes["upper90"].mask(silent),
        label=routes["label"].mask(silent, "no forecast"),
    )
    figure = flow_map(routes, theme=LIGHT)
    assert [trace.fillcolor for trace in arrows(figure)].count("rgba(0,0,0,0)") == 1
    assert figure.layout.annotations[-1].text == "<b>Central Mediterranean</b><br>no forecast"
    assert "Central Mediterranean: no forecast" in map_alt(routes)


def test_one_scale_holds_for_all_arrows_and_shrinks_when_a_flow_would_cover_the_map(routes: pd.DataFrame) -> None:
    assert km_per_person(routes["median"], routes["upper90"]) == KM_PER_PERSON
    large = routes.assign(median=routes["median"] * 20, upper90=routes["upper90"] * 20)
    scale = km_per_person(large["median"], large["upper90"])
    assert scale * large["median"].max() <= WIDEST_MEDIAN_KM + 1e-9
    assert scale * large["upper90"].max() <= WIDEST_UPPER_KM + 1e-9


def test_a_map_without_any_forecast_still_draws(routes: pd.DataFrame) -> None:
    empty = routes.assign(median=np.nan, upper90=np.nan)
    assert len(arrows(flow_map(empty, theme=LIGHT))) == len(routes)


def test_the_words_name_every_route_largest_first_with_its_level(routes: pd.DataFrame) -> None:
    text = map_alt(routes)
    places = [text.index(ROUTES[route_id].name) for route_id in ("EMR", "CMR", "WAR", "CHA", "WMR")]
    assert places == sorted(places)
    assert "Eastern Mediterranean: 13,200 arrivals expected" in text
    assert "◆ Severe" in text


def test_the_note_disclaims_paths_and_boundaries() -> None:
    assert "do not trace actual paths" in map_note(Language())
    assert "no endorsement" in map_note(Language())


def test_hover_has_three_lines_at_most(routes: pd.DataFrame) -> None:
    hovers = [trace.hovertemplate for trace in flow_map(routes, theme=LIGHT).data if trace.hovertemplate]
    assert len(hovers) == len(routes)
    assert all(text.count("<br>") <= 2 for text in hovers)


def test_what_a_pointer_is_told_stands_on_the_arrow_it_is_about(routes: pd.DataFrame) -> None:
    figure = flow_map(routes, theme=LIGHT)
    hovered = [trace for trace in figure.data if trace.mode == "markers" and trace.marker.opacity == 0]
    assert len(hovered) == len(routes)
    for arrow, points in zip(arrows(figure)[::2], hovered, strict=True):
        shape = Polygon(list(zip(arrow.x, arrow.y, strict=True))).buffer(20)
        assert all(shape.contains(Point(place)) for place in zip(points.x, points.y, strict=True))

"""The map of the briefing: one tapered arrow per route on plain filled shapes, as on the screen."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path as Outline
from shapely import MultiPolygon, box, get_parts

from core.languages import Language
from core.routes import ARRIVAL_ROUTES, ROUTES
from core.settings import SNAPSHOT
from geo.arrows import KM_PER_PERSON, NARROWEST_KM, FloatArray, arrow_width, curve, tapered_arrow
from geo.boundaries import load
from geo.routes import FRAME_KM, ROUTE_GEOMETRY, centre_line
from reports.briefing import colours
from reports.briefing.content import RouteLine
from reports.briefing.map_labels import draw_labels

WIDEST_MEDIAN_KM, WIDEST_UPPER_KM = 320.0, 460.0
UPPER_OPACITY = 0.22
DETAIL_KM = 8.0
"""Half a point on paper."""


def draw_map(axes: Axes, routes: tuple[RouteLine, ...], words: Language) -> None:
    """Draw land, arrows and labels; widths are linear in persons and one scale holds for all arrows."""
    west, east, south, north = _frame(axes)
    axes.set_facecolor(colours.SEA)
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    for shapes, fill in zip(_countries(), (colours.LAND, colours.RECEIVING), strict=True):
        axes.add_patch(PathPatch(shapes, facecolor=fill, edgecolor=colours.BORDER, linewidth=0.35))
    placed = [route for route in routes if route.route_id in ROUTE_GEOMETRY]
    scale = km_per_person(placed)
    for route in placed:
        _arrow(axes, route, scale)
    draw_labels(axes, placed, words)


def km_per_person(routes: list[RouteLine]) -> float:
    """Width of the arrows per person: 19 m, less where the largest flow would cover the map."""
    limits = [KM_PER_PERSON]
    for values, widest in (
        ([route.median for route in routes], WIDEST_MEDIAN_KM),
        ([route.upper90 for route in routes], WIDEST_UPPER_KM),
    ):
        largest = max((value for value in values if value > 0), default=0.0)
        if largest:
            limits.append(widest / largest)
    return min(limits)


def _frame(axes: Axes) -> tuple[float, float, float, float]:
    """The part of the map that fills the axes with the same scale both ways: wider or taller than ``FRAME_KM``."""
    (west, east), (south, north) = FRAME_KM
    place = axes.get_window_extent()
    more_wide = max(0.0, (north - south) * place.width / place.height - (east - west)) / 2
    more_tall = max(0.0, (east - west) * place.height / place.width - (north - south)) / 2
    return west - more_wide, east + more_wide, south - more_tall, north + more_tall


@lru_cache(maxsize=1)
def _countries() -> tuple[Outline, Outline]:
    """Outlines of all other countries, and of those where people arrive, as coarse as paper allows."""
    shapes = load(SNAPSHOT)
    (west, east), (south, north) = FRAME_KM
    frame = box(west - 400, south - 400, east + 400, north + 400)
    shapes["geometry"] = shapes.geometry.intersection(frame).simplify(DETAIL_KM)
    shapes = shapes[~shapes.geometry.is_empty]
    entry = {code for route_id in ARRIVAL_ROUTES for code in ROUTES[route_id].entry}
    receives = shapes["geo"].isin(entry)
    return _outline(list(shapes.geometry[~receives])), _outline(list(shapes.geometry[receives]))


def _outline(shapes: list[MultiPolygon]) -> Outline:
    rings = [
        np.round(np.asarray(part.exterior.coords), 1)
        for part in get_parts(get_parts(shapes))
        if part.geom_type == "Polygon"
    ]
    return Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings))


def _arrow(axes: Axes, route: RouteLine, scale: float) -> None:
    """The pale arrow of the 90 % quantile and that of the median over it; hollow where there is no forecast."""
    path = curve(*centre_line(route.route_id))
    hue = colours.LEVELS.get(route.level)
    fill = hue.fill if hue else colours.NEUTRAL
    if math.isnan(route.median):
        _polygon(axes, path, NARROWEST_KM, facecolor="none", edgecolor=fill, linewidth=0.7)
        return
    width = arrow_width(route.median, scale)
    if not math.isnan(route.upper90):
        upper = max(arrow_width(route.upper90, scale), width)
        _polygon(axes, path, upper, facecolor=fill, alpha=UPPER_OPACITY, linewidth=0)
    edge = hue.text if hue and route.level == "watch" else fill
    _polygon(axes, path, width, facecolor=fill, edgecolor=edge, linewidth=0.5)


def _polygon(axes: Axes, path: FloatArray, width_km: float, **look: object) -> None:
    axes.add_patch(Polygon(tapered_arrow(path, width_km).round(1), closed=True, **look))

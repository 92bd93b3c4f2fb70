"""The map: one tapered arrow per route on plain filled shapes, with labels none of which covers another."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Normal, Stroke
from shapely import MultiPolygon, box, get_parts

from core.languages import Language
from core.routes import ARRIVAL_COUNTRIES
from core.settings import SNAPSHOT
from geo import (
    FRAME_KM,
    NARROWEST_KM,
    ROUTE_GEOMETRY,
    UPPER_OPACITY,
    FloatArray,
    arrow_width,
    centre_line,
    curve,
    km_per_person,
    label_place,
    load_shapes,
    tapered_arrow,
)
from reports import colours
from reports.briefing.canvas import Style, font_of, text_width
from reports.briefing.content import NO_FORECAST, RouteLine
from reports.names import LEVEL_MARKS, level_name

DETAIL_KM = 8.0
"""Half a point on paper."""
LINE, EDGE = 8.0, 2.0
"""Points: distance of a label's two lines, and room that labels leave at the map's edge."""
MOST_WITH_WORDS = 6
"""Routes on a map above which labels leave out the word of their level."""
NAME, FIGURE = Style("bold", 6.8), Style("sans", 6.8)


def draw_map(axes: Axes, routes: tuple[RouteLine, ...], language: Language) -> None:
    """Draw land, arrows and labels; widths are linear in persons and one scale holds for all arrows."""
    west, east, south, north = _frame(axes)
    axes.set_facecolor(colours.SEA)
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    for shapes, fill in zip(_countries(), (colours.LAND, colours.RECEIVING), strict=True):
        axes.add_patch(PathPatch(shapes, facecolor=fill, edgecolor=colours.BORDER, linewidth=0.35))
    placed = [route for route in routes if route.route_id in ROUTE_GEOMETRY]
    scale = km_per_person([route.median for route in placed], [route.upper90 for route in placed])
    for route in placed:
        _arrow(axes, route, scale)
    draw_labels(axes, placed, language)


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
    shapes = load_shapes(SNAPSHOT)
    (west, east), (south, north) = FRAME_KM
    frame = box(west - 400, south - 400, east + 400, north + 400)
    shapes["geometry"] = shapes.geometry.intersection(frame).simplify(DETAIL_KM)
    shapes = shapes[~shapes.geometry.is_empty]
    receives = shapes["geo"].isin(ARRIVAL_COUNTRIES)
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


class Box(NamedTuple):
    """A rectangle by its lower left corner, width and height."""

    x: float
    y: float
    width: float
    height: float

    def covers(self, other: Box) -> bool:
        """Whether the two share any ground."""
        apart_x = self.x >= other.x + other.width or other.x >= self.x + self.width
        return not apart_x and self.y < other.y + other.height and other.y < self.y + self.height


def draw_labels(axes: Axes, routes: list[RouteLine], language: Language) -> None:
    """Name in bold over mark, level and figure, each with a halo, so that it stays readable over land and arrows."""
    place = axes.get_window_extent()
    width, height = (side * 72 / axes.figure.dpi for side in (place.width, place.height))
    texts = [(route.name, _figure(route, language, short=len(routes) > MOST_WITH_WORDS)) for route in routes]
    boxes = [_box(axes, route, text, width) for route, text in zip(routes, texts, strict=True)]
    for route, text, spot in zip(routes, texts, spread(boxes, width, height), strict=True):
        hue = colours.LEVELS.get(route.level)
        _write(axes, text[0], (spot.x, spot.y + LINE), NAME, colours.INK)
        _write(axes, text[1], (spot.x, spot.y), FIGURE, hue.text if hue else colours.INK)


def _figure(route: RouteLine, language: Language, *, short: bool) -> str:
    """Mark, level and figure; on a crowded map without the level's word, which the table beside it has."""
    figure = language.text(NO_FORECAST) if route.why_not and not short else route.expected
    if not route.level:
        return figure
    mark = LEVEL_MARKS[route.level]
    return f"{mark} {figure}" if short else f"{mark} {level_name(route.level, language)} · {figure}"


def _box(axes: Axes, route: RouteLine, text: tuple[str, str], width: float) -> Box:
    """Where a label would stand by itself, in points from the map's lower left corner."""
    (west, east), (south, _north) = axes.get_xlim(), axes.get_ylim()
    x, y = label_place(route.route_id)
    points_per_km = width / (east - west)
    wide = max(text_width(text[0], NAME), text_width(text[1], FIGURE))
    shift = {"left": 0.0, "center": 0.5, "right": 1.0}[ROUTE_GEOMETRY[route.route_id].align]
    return Box((x - west) * points_per_km - shift * wide, (y - south) * points_per_km - LINE + 1, wide, 2 * LINE)


def spread(boxes: list[Box], width: float, height: float) -> list[Box]:
    """Bring labels inside the map, and move those that would cover one above them down, and up where there is no room.

    Args:
        boxes: Labels where they would stand by themselves.
        width: Of the map, in the same unit.
        height: Of the map.

    Returns:
        The labels in the same order.
    """
    placed: dict[int, Box] = {}
    for number in sorted(range(len(boxes)), key=lambda one: -boxes[one].y):
        box = boxes[number]
        box = box._replace(
            x=min(max(box.x, EDGE), width - box.width - EDGE), y=min(max(box.y, EDGE), height - box.height - EDGE)
        )
        for step in (*(-down for down in range(int(height))), *range(int(height))):
            moved = box._replace(y=box.y + step)
            if EDGE <= moved.y <= height - box.height and not any(moved.covers(other) for other in placed.values()):
                box = moved
                break
        placed[number] = box
    return [placed[number] for number in range(len(boxes))]


def _write(axes: Axes, text: str, place: tuple[float, float], style: Style, colour: str) -> None:
    # Text with a path effect becomes shapes; drawn again without one, it can be searched and read aloud.
    for effects in ([Stroke(linewidth=1.8, foreground=colours.LAND), Normal()], []):
        axes.annotate(
            text, place, xycoords="axes points", fontproperties=font_of(style), color=colour, path_effects=effects,
            parse_math=False,
        )  # fmt: skip

"""Labels on the map: inside its frame, readable over land and arrows, and none over another."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, Stroke

from core.languages import Language
from geo.routes import ROUTE_GEOMETRY, label_place
from reports.briefing import colours
from reports.briefing.canvas import Style, font_of, text_width
from reports.briefing.content import NO_FORECAST, RouteLine
from reports.names import LEVEL_MARKS, level_name

LINE, EDGE = 8.0, 2.0
"""Points: distance of a label's two lines, and room that labels leave at the map's edge."""
MOST_WITH_WORDS = 6
"""Routes on a map above which labels leave out the word of their level."""
NAME, FIGURE = Style("bold", 6.8), Style("sans", 6.8)


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


def draw_labels(axes: Axes, routes: list[RouteLine], words: Language) -> None:
    """Name in bold over mark, level and figure, each with a halo, so that it stays readable over land and arrows."""
    place = axes.get_window_extent()
    width, height = (side * 72 / axes.figure.dpi for side in (place.width, place.height))
    texts = [(route.name, _figure(route, words, short=len(routes) > MOST_WITH_WORDS)) for route in routes]
    boxes = [_box(axes, route, text, width) for route, text in zip(routes, texts, strict=True)]
    for route, text, spot in zip(routes, texts, spread(boxes, width, height), strict=True):
        hue = colours.LEVELS.get(route.level)
        _write(axes, text[0], (spot.x, spot.y + LINE), NAME, colours.INK)
        _write(axes, text[1], (spot.x, spot.y), FIGURE, hue.text if hue else colours.INK)


def _figure(route: RouteLine, words: Language, *, short: bool) -> str:
    """Mark, level and figure; on a crowded map without the level's word, which the table beside it has."""
    figure = words.text(NO_FORECAST) if route.why_not and not short else route.expected
    if not route.level:
        return figure
    mark = LEVEL_MARKS[route.level]
    return f"{mark} {figure}" if short else f"{mark} {level_name(route.level, words)} · {figure}"


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

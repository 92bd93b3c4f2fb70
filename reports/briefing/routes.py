"""The routes on the page: the map, and the table beside it.

One tapered arrow per route on plain filled shapes, with labels none of which covers another.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Normal, Stroke

from core.corridors import DEFAULT_REGION
from core.languages import Language
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import region_of
from core.settings import SNAPSHOT
from geo import (
    MAPS,
    NARROWEST_KM,
    UPPER_OPACITY,
    FloatArray,
    arrow_of,
    arrow_width,
    centre_line,
    coarse_rings,
    curve,
    is_placed,
    km_per_person,
    label_place,
    tapered_arrow,
)
from reports import colours
from reports.briefing.canvas import (
    BODY,
    BOLD,
    GREY,
    MARGIN,
    MOST_ROUTES,
    PRINT,
    WIDTH,
    Sheet,
    Style,
    font_of,
    heading,
    text_width,
    wrap,
)
from reports.briefing.content import NO_FORECAST, Content, RouteLine
from reports.names import LEVEL_MARKS, level_name

DETAIL_KM = 8.0
"""Half a point on paper."""
LINE, EDGE = 8.0, 2.0
"""Points: distance of a label's two lines, and room that labels leave at the map's edge."""
MOST_WITH_WORDS = 6
"""Routes on a map above which labels leave out the word of their level."""
NAME, FIGURE = Style("bold", 6.8), Style("sans", 6.8)
TABLE_WIDTH = 261.0
LEFT = WIDTH - MARGIN - TABLE_WIDTH
RIGHTS = tuple(WIDTH - MARGIN - distance for distance in (126.0, 65.0, 32.0, 0.0))
"""Right edges of expected, interval, last month and year before."""
HEAD_WIDTHS = (40.0, 52.0, 28.0, 30.0)
ROWS_HEIGHT, HIGHEST_ROW, TWO_LINES = 138.0, 30.0, 20.0
"""Points: room for all rows, most for one, and from where on a row has a line for the level under the name."""


def draw_map(axes: Axes, routes: tuple[RouteLine, ...], language: Language) -> None:
    """Draw land, arrows and labels; widths are linear in persons and one scale holds for all arrows.

    Of routes of several regions the first route's are drawn; the table beside the map has all.
    """
    region = next((region_of(route.route_id) for route in routes if is_placed(route.route_id)), DEFAULT_REGION)
    west, east, south, north = _frame(axes, region)
    axes.set_facecolor(colours.SEA)
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    for shapes, fill in zip(_countries(region), (colours.LAND, colours.RECEIVING), strict=True):
        axes.add_patch(PathPatch(shapes, facecolor=fill, edgecolor=colours.BORDER, linewidth=0.35))
    placed = [route for route in routes if is_placed(route.route_id) and region_of(route.route_id) == region]
    scale = km_per_person([route.median for route in placed], [route.upper90 for route in placed])
    for route in placed:
        _arrow(axes, route, scale)
    draw_labels(axes, placed, language)


def _frame(axes: Axes, region: str) -> tuple[float, float, float, float]:
    """The part of the map that fills the axes with the same scale both ways: wider or taller than its frame."""
    (west, east), (south, north) = MAPS[region].frame
    place = axes.get_window_extent()
    more_wide = max(0.0, (north - south) * place.width / place.height - (east - west)) / 2
    more_tall = max(0.0, (east - west) * place.height / place.width - (north - south)) / 2
    return west - more_wide, east + more_wide, south - more_tall, north + more_tall


@lru_cache(maxsize=len(MAPS))
def _countries(region: str) -> tuple[Outline, Outline]:
    """Outlines of all other countries, and of those where people arrive, as coarse as paper allows."""
    others, entered = (
        Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings))
        for rings in coarse_rings(SNAPSHOT, region, margin=400, detail=DETAIL_KM)
    )
    return others, entered


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
    shift = {"left": 0.0, "center": 0.5, "right": 1.0}[arrow_of(route.route_id).align]
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


def draw_routes(sheet: Sheet, content: Content, y: float) -> float:
    """Write the table below ``y``; returns where it ends."""
    language, shown = content.language, content.routes[:MOST_ROUTES]
    y = _heads(sheet, content, heading(sheet, LEFT, y, language.text(_("Routes")), TABLE_WIDTH))
    height = min(HIGHEST_ROW, ROWS_HEIGHT / max(1, len(shown)))
    for route in shown:
        sheet.rule(LEFT, y, TABLE_WIDTH)
        _name(sheet, content, route, y, height)
        _figures(sheet, content, route, y + height / 2 + BODY.size * 0.33)
        y += height
    sheet.rule(LEFT, y, TABLE_WIDTH)
    note = language.text(
        _(
            "Persons. Expected: the median over {months}; medians do not add up to that of all routes together. Last "
            "month and year before: counted."
        ),
        months=content.months,
    )
    if left := len(content.routes) - len(shown):
        texts = ngettext("{n} more route: see the dashboard.", "{n} more routes: see the dashboard.")
        note = f"{language.plural(texts, left)} {note}"
    return sheet.lines(LEFT, y + 2, wrap(note, PRINT, TABLE_WIDTH, 3), PRINT)


def _heads(sheet: Sheet, content: Content, y: float) -> float:
    heads = (_("Expected"), _("Most likely (8\u00a0in\u00a010)"), _("Last month"), _("Year before"))
    cells = [wrap(content.language.text(head), GREY, width, 2) for head, width in zip(heads, HEAD_WIDTHS, strict=True)]
    bottom = y + max(map(len, cells)) * GREY.leading
    for right, lines in zip(RIGHTS, cells, strict=True):
        for number, text in enumerate(reversed(lines)):
            sheet.line(right, bottom - number * GREY.leading - (GREY.leading - GREY.size), text, GREY, "right")
    return bottom + 2


def _name(sheet: Sheet, content: Content, route: RouteLine, y: float, height: float) -> None:
    """The name, with mark and word of its level beneath, or in a low row the mark beside it."""
    hue, beneath = colours.LEVELS.get(route.level), height >= TWO_LINES
    name = wrap(route.name, BOLD, RIGHTS[0] - LEFT - 26, 2 if beneath and not hue else 1)
    lines = len(name) + (1 if hue and beneath else 0)
    top = y + (height - lines * BODY.leading) / 2 - 0.5
    below = sheet.lines(LEFT, top, name, BOLD)
    if hue is None:
        return
    style, mark = Style("sans", 7.0, 8.7, hue.text), LEVEL_MARKS[route.level]
    if beneath:
        sheet.lines(LEFT, below, [f"{mark} {level_name(route.level, content.language)}"], style)
    else:
        sheet.line(LEFT + text_width(name[0], BOLD) + 3, top + BODY.size, mark, style)


def _figures(sheet: Sheet, content: Content, route: RouteLine, base: float) -> None:
    if route.why_not:
        sheet.line(RIGHTS[1], base, content.language.text(NO_FORECAST), GREY, "right")
    else:
        sheet.line(RIGHTS[0], base, route.expected, BOLD, "right")
        sheet.line(RIGHTS[1], base, route.interval, BODY, "right")
    sheet.line(RIGHTS[2], base, route.last, BODY, "right")
    sheet.line(RIGHTS[3], base, route.year_before, BODY, "right")
